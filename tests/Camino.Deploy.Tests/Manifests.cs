using System.Text.Json.Nodes;
using NUnit.Framework;

namespace Camino.Deploy.Tests;

/// <summary>The files of deploy/kubernetes.</summary>
internal static class Manifests
{
    /// <summary>Every document of the base with its file; the kustomization itself left out.</summary>
    public static IEnumerable<(string File, JsonNode Document)> Base =>
        from file in Place.Files("deploy/kubernetes/base", "*.yaml").Append("deploy/postgres/backup.yaml")
        where !file.EndsWith("/kustomization.yaml", StringComparison.Ordinal)
        from document in Yaml.Documents(Place.Text(file))
        select (file, document);

    /// <summary>An overlay as it is applied; passed over where kubectl is missing.</summary>
    public static async Task<IReadOnlyList<JsonNode>> OfAsync(string overlay)
    {
        Place.Needs("kubectl");
        var ended = await Place.RunAsync("kubectl", ["kustomize", $"deploy/kubernetes/overlays/{overlay}"]);
        Assert.That(ended.Code, Is.Zero, ended.ToString());
        return [.. Yaml.Documents(ended.Output).OfType<JsonNode>()];
    }

    public static JsonNode One(string kind, string name) =>
        Base.Select(entry => entry.Document).Single(document => document["kind"]?.GetValue<string>() == kind && document["metadata"]?["name"]?.GetValue<string>() == name);

    /// <summary>The pod of a Deployment or Job.</summary>
    public static JsonNode Pod(JsonNode workload) => workload["spec"]?["template"]?["spec"] ?? throw new AssertionException("It has no pod.");

    public static JsonNode Container(JsonNode workload) => Pod(workload)["containers"]?[0] ?? throw new AssertionException("It has no container.");

    public static IReadOnlyList<string> Words(JsonNode? list) => [.. ((JsonArray?)list ?? []).Select(word => word?.ToString() ?? "")];
}
