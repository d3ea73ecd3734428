using System.Runtime.Versioning;
using System.Text.Json;

namespace Camino.Host.Local;

/// <summary>What `camino up` runs on a data folder, as <c>running.json</c> in it says; there only while it runs, or after it was killed.</summary>
public sealed record Running
{
    private const string FileName = "running.json";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>The process of `camino up` itself.</summary>
    public required int Pid { get; init; }

    /// <summary>Where the Back Office answers.</summary>
    public required string Address { get; init; }

    public required string ConnectionString { get; init; }

    /// <summary>Folder of the files handed in; both roles have it.</summary>
    public required string FilesFolder { get; init; }

    public required IReadOnlyList<RunningRole> Roles { get; init; }

    /// <returns>Null when nothing runs on that folder.</returns>
    public static Running? Read(string dataFolder)
    {
        var file = Path.Combine(dataFolder, FileName);
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize<Running>(File.ReadAllText(file), Json) : null;
        }
        catch (Exception broken) when (broken is JsonException or FileNotFoundException)
        {
            return null; // removed just now, or of another release: as good as none
        }
    }

    /// <summary>Readable by its owner only: the connection string has a password.</summary>
    [UnsupportedOSPlatform("windows")]
    internal Task WriteAsync(string dataFolder, CancellationToken ct) =>
        Secret.WriteAsync(Path.Combine(dataFolder, FileName), JsonSerializer.Serialize(this, Json), ct);

    internal static void Remove(string dataFolder) => File.Delete(Path.Combine(dataFolder, FileName));
}

/// <param name="Role">BackOffice or Async.</param>
/// <param name="Pid">Its process.</param>
/// <param name="Address">Where it answers; the Async Server answers for its health only.</param>
/// <param name="Config">Full path of its configuration file.</param>
public sealed record RunningRole(string Role, int Pid, string Address, string Config);
