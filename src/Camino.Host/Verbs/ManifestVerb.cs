using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Data;
using Camino.Jobs;

namespace Camino.Host.Verbs;

/// <summary><c>camino manifest</c>: what a deploy has to know about this release, said by the built program itself.</summary>
internal static class ManifestVerb
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var image = new Option<string?>("--image") { Description = "Reference of the image that holds this program, by digest: registry/camino@sha256:..." };
        var command = new Command("manifest", "Print the release manifest as JSON: number, commit, image, schema window, job kinds and their payload versions.") { image };
        command.Validators.Add(result =>
        {
            if (result.GetValue(image) is { } reference && !IsByDigest(reference))
                result.AddError($"--image is \"{reference}\"; it must end with a digest, @sha256: and 64 hexadecimal digits, for a tag can be moved.");
        });
        command.SetAction(parse =>
        {
            Console.WriteLine(JsonSerializer.Serialize(ReleaseManifest.Ours(parse.GetValue(image)), s_json));
            return 0;
        });
        return command;
    }

    private static bool IsByDigest(string reference) =>
        reference.LastIndexOf("sha256:", StringComparison.Ordinal) is var at and >= 0 && (at == 0 || reference[at - 1] == '@')
        && reference.Length == at + 7 + 64 && reference[(at + 7)..].All(digit => digit is >= '0' and <= '9' or >= 'a' and <= 'f');
}

/// <summary>What the pipeline keeps beside the image.</summary>
/// <param name="Release">The release number; the newer release has the higher one.</param>
/// <param name="Name">Version and commit, as on every log line.</param>
/// <param name="Commit">40 digits, or empty.</param>
/// <param name="Image">The image by digest; null until it is known.</param>
/// <param name="Schema">Versions of the database that it works on.</param>
/// <param name="Jobs">Every kind that it runs.</param>
public sealed record ReleaseManifest(int Release, string Name, string Commit, string? Image, ReleaseManifest.SchemaVersions Schema, IReadOnlyList<ReleaseManifest.JobPayload> Jobs)
{
    /// <param name="Newest">The version that its migrations make.</param>
    /// <param name="Oldest">The oldest that it works on.</param>
    /// <param name="NewestAccepted">The newest that it works on, for a rollout may have migrated one further.</param>
    public sealed record SchemaVersions(int Newest, int Oldest, int NewestAccepted);

    /// <param name="Kind">As stored in rows.</param>
    /// <param name="Version">The newest payload version that it reads; it reads all older ones too.</param>
    /// <param name="Queue">Where it is put when the caller names no queue.</param>
    /// <param name="Aliases">Names of earlier releases that it still runs.</param>
    public sealed record JobPayload(string Kind, int Version, string Queue, IReadOnlyList<string> Aliases);

    /// <summary>The manifest of the running program.</summary>
    public static ReleaseManifest Ours(string? image) => new(
        Host.Release.Number,
        Host.Release.Name,
        Host.Release.Commit,
        image,
        new SchemaVersions(SchemaWindow.Newest, SchemaWindow.Oldest, SchemaWindow.NewestAccepted),
        [.. new JobRegistry().AddCaminoKinds().Kinds.OrderBy(kind => kind.Name, StringComparer.Ordinal).Select(kind => new JobPayload(kind.Name, kind.Version, kind.Queue, kind.Aliases))]);
}
