using System.Diagnostics;
using Camino.Host.Local;
using Camino.Lending;
using Npgsql;

namespace Camino.Host.Backup;

/// <summary>PostgreSQL's own programs for backups, as this machine has them.</summary>
internal static class PostgresTools
{
    private static readonly TimeSpan s_limit = TimeSpan.FromHours(12);

    /// <summary>Runs <c>pg_dump</c>, <c>pg_restore</c> or another of them on the database of a connection string; the password travels in the environment.</summary>
    /// <exception cref="RefusedException"><c>backup.no_tools</c>: the machine has no such program. <c>backup.tool_failed</c>: it ran and failed, with what it said.</exception>
    public static async Task RunAsync(string program, NpgsqlConnectionStringBuilder at, IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var path = Find(program) ?? throw new RefusedException(
            "backup.no_tools", $"{program} is not on this machine. Install PostgreSQL's client programs of the server's version or newer (Debian: apt-get install postgresql-client; macOS: brew install libpq) and run this again.");
        var start = new ProcessStartInfo(path, arguments);
        start.Set(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["PGHOST"] = at.Host,
            ["PGPORT"] = at.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["PGUSER"] = at.Username,
            ["PGPASSWORD"] = string.IsNullOrEmpty(at.Password) ? null : at.Password,
            ["PGDATABASE"] = at.Database,
            ["PGSSLMODE"] = at.SslMode switch { SslMode.VerifyFull => "verify-full", SslMode.VerifyCA => "verify-ca", SslMode.Require => "require", _ => null },
            ["PGSSLROOTCERT"] = string.IsNullOrEmpty(at.RootCertificate) ? null : at.RootCertificate,
            ["PGAPPNAME"] = "camino backup",
        });
        ToolResult ended;
        try
        {
            ended = await Tool.RunAsync(start, s_limit, ct);
        }
        catch (LocalStartException broken)
        {
            throw new RefusedException("backup.tool_failed", broken.Message);
        }

        Refuse.If(!ended.Succeeded, "backup.tool_failed", FormattableString.Invariant($"{program} ended with exit code {ended.ExitCode}: {ended.Output}"));
    }

    private static string? Find(string program) =>
        Tool.Find(program)
        ?? (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(folder => Path.Combine(folder, "bin", program)).FirstOrDefault(File.Exists) : null);
}
