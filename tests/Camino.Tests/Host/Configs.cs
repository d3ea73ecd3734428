using System.Text.Json.Nodes;

namespace Camino.Tests.Hosting;

/// <summary>A folder of configuration files: a good one of either role, and what a test changes about them.</summary>
internal sealed class Configs : IDisposable
{
    private const string Nowhere = "Host=127.0.0.1;Port=1;Database=camino;Username=camino;Timeout=2";

    public string Folder { get; } = Directory.CreateTempSubdirectory("camino-config-").FullName;

    /// <summary>Writes a good file with one change.</summary>
    /// <param name="role">BackOffice or Async.</param>
    /// <param name="key">With colons.</param>
    /// <param name="json">The new value as JSON; null takes the key out.</param>
    public string With(string role, string key, string? json)
    {
        var root = Good(role);
        var at = root;
        var names = key.Split(':');
        foreach (var name in names[..^1])
            at = (JsonObject)(at[name] ??= new JsonObject());
        at.Remove(names[^1]);
        if (json is not null)
            at[names[^1]] = JsonNode.Parse(json);
        return Write($"appsettings.{role}.json", root.ToJsonString());
    }

    /// <summary>A good file of that role on that database.</summary>
    public string Of(string role, string connectionString = Nowhere, string urls = "http://127.0.0.1:0") =>
        Write($"appsettings.{role}.json", Good(role, connectionString, urls).ToJsonString());

    public string Write(string name, string text)
    {
        var file = Path.Combine(Folder, name);
        File.WriteAllText(file, text);
        return file;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static JsonObject Good(string role, string connectionString = Nowhere, string urls = "http://127.0.0.1:0")
    {
        const string Jobs = """{ "Slots": 4, "GraceSeconds": 8, "Queues": [ { "Name": "urgent", "ReservedSlots": 1 }, { "Name": "notices" }, { "Name": "default" }, { "Name": "bulk", "MaxSlots": 2 } ] }""";
        var good = JsonNode.Parse($$"""
            {
              "Role": "{{role}}",
              "Web": { "Urls": "{{urls}}", "ShutdownSeconds": 20 },
              "Database": { "ConnectionString": "{{connectionString}}", "MaxPoolSize": 8 },
              "Files": { "Folder": "files" },
              {{(role == "Async" ? $"\"Jobs\": {Jobs}" : "\"SignIn\": { \"IdleMinutes\": 30 }")}}
            }
            """) as JsonObject;
        return good ?? throw new InvalidOperationException("The good file is not good.");
    }
}
