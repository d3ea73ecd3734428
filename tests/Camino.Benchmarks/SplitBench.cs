using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Camino.Host.Local;

namespace Camino.Benchmarks;

/// <summary>
/// Why there are two roles: page times at a fixed rate while a backlog drains that binds processors (dry runs of large files) and the database (figures of all loans, computed
/// again and again). The same backlog and the same database in four arrangements.
/// </summary>
internal sealed class SplitBench(Report report, string folder, Dictionary<string, string?> variables)
{
    private const int RequestsPerSecond = 20;
    private const double MostTimesIdle = 1.5;
    private const long FirstNumber = 1_000_000_000;
    private const long FirstNumberOfChecked = 5_000_000_000;
    private const int DryRuns = 3;

    /// <summary>1024 : 272 of the kernel's weights is 3.8, next to the four that compose.yaml and the manifests give pages.</summary>
    private const string NicenessLikeTheDeployFiles = "6";

    private const string Pinned = "pinned";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromMinutes(1);

    private readonly string _root = Repository.Root ?? throw new BenchFailedException("The two role files are not there; run this in a checkout.");
    private readonly string _address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{StartupBench.FreePort()}");
    private int _starts;

    /// <summary>How the roles are started. A null command leaves the arrangement out.</summary>
    private sealed record Arrangement(string Key, string What, bool HasAim, IReadOnlyList<(string Role, IReadOnlyList<string> Command, string Niceness)> Processes);

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        var folder = Bed.NewFolder();
        try
        {
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            report.Say("starting PostgreSQL");
            await using var postgres = await LocalPostgres.StartAsync(new LocalPostgresOptions { Folder = Path.Combine(folder, "pg"), PackageFolder = Path.Combine(folder, "postgres"), Say = report.Say }, ct);
            var connectionString = postgres.ConnectionString("camino");
            await LocalDatabase.CreateWhenMissingAsync(connectionString, ct);
            var variables = new Dictionary<string, string?>
            {
                ["CAMINO_DATABASE"] = null,
                ["CAMINO_CONFIG"] = null,
                ["CAMINO_Database__ConnectionString"] = connectionString,
                ["CAMINO_Files__Folder"] = Directory.CreateDirectory(Path.Combine(folder, "files")).FullName,
                ["CAMINO_PARENT_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            };
            await new SplitBench(report, folder, variables).MeasureAsync(connectionString, ct);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task MeasureAsync(string connectionString, CancellationToken ct)
    {
        await ToolAsync(["migrate", "--config", ConfigOf("BackOffice")], ct);
        var seeded = await ToolAsync(["seed-demo", "--config", ConfigOf("BackOffice"), "--data", folder], ct);
        var demo = JsonSerializer.Deserialize<DemoAccess>(seeded.Split('\n').Last(line => line.StartsWith('{')), Json) ?? throw new BenchFailedException("seed-demo did not say who can sign in.");
        await using var bed = Bed.Around(folder, _address, connectionString, demo);
        var sample = LoanFile.Sample();
        report.Remark($"Rows: {sample.Description}.");
        var looked = LoanFile.Write(Path.Combine(folder, "there.csv"), sample, report.Quick ? 50_000 : 200_000, FirstNumber, gzip: false, ct);
        var checking = LoanFile.Write(Path.Combine(folder, "checked.csv"), sample, report.Quick ? 1_000_000 : 3_000_000, FirstNumberOfChecked, gzip: false, ct);

        double? idle = null;
        foreach (var arrangement in Arrangements())
        {
            report.Say(arrangement.What);
            var roles = await StartAsync(arrangement, ct);
            try
            {
                if (idle is null)
                    await bed.EndOfAsync((await bed.HandInAsync(looked.Path, dryRun: false, ct)).Id, ct);
                await bed.QuietAsync(ct);
                using var pinning = CancellationTokenSource.CreateLinkedTokenSource(ct);
                var pinned = arrangement.Key == Pinned ? PinAsync(bed, pinning.Token) : Task.CompletedTask;
                using var browser = await bed.SignInAsync(ct);
                var loans = await PagesBench.LoanIdsAsync(bed, ct);
                var loop = new OpenLoop([browser], RequestsPerSecond, [("/loans", _ => "/loans"), ("/loans/{id}", turn => $"/loans/{loans[(int)(turn % loans.Count)]}"), ("/portfolio", _ => "/portfolio")]);
                await loop.RunAsync(TimeSpan.FromSeconds(report.Quick ? 5 : 15), ct); // warm
                idle ??= await IdleAsync(loop, roles, ct);
                if (arrangement.Key == "one")
                    report.Add(new Figure("one.memory", "one process: resident when idle", Memory.Megabytes(roles[0].Pid, "VmRSS"), "MB"));
                try
                {
                    await UnderAsync(arrangement, bed, loop, checking.Path, idle.Value, ct);
                }
                finally
                {
                    await pinning.CancelAsync();
                    await pinned;
                }
            }
            finally
            {
                await Task.WhenAll(roles.Select(role => role.StopAsync(LocalCamino.RolePatience)));
                roles.ForEach(role => role.Dispose());
            }
        }

        report.Remark(string.Create(CultureInfo.InvariantCulture, $"{RequestsPerSecond} requests a second to the loan list, a loan and the portfolio in turn, timed from the moment each was due. Backlog: {DryRuns} dry runs of {(report.Quick ? 1 : 3)},000,000 rows (they bind processors) and figures over all loans one after the other (they bind PostgreSQL). PostgreSQL and this program share the cores in every arrangement; only in the last one PostgreSQL works for each role on that role's core."));
    }

    /// <summary>PostgreSQL works for each role on that role's core, as if each had a machine; whoever connects anew is pinned within a tenth of a second.</summary>
    private static async Task PinAsync(Bed bed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            foreach (var (pid, core) in await BackendsAsync(bed))
            {
                try
                {
                    using var backend = Process.GetProcessById(pid);
                    if (OperatingSystem.IsLinux() && backend.ProcessorAffinity != core)
                        backend.ProcessorAffinity = core;
                }
                catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
                {
                    // it ended in this moment
                }
            }

            try
            {
                await Task.Delay(100, ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>The processes that work for a role, and the mask of its core.</summary>
    private static async Task<List<(int Pid, nint Core)>> BackendsAsync(Bed bed)
    {
        await using var ask = bed.Database.CreateCommand("select pid, application_name like 'camino Async%' from pg_stat_activity where backend_type = 'client backend' and application_name like 'camino %'");
        await using var reader = await ask.ExecuteReaderAsync(CancellationToken.None);
        var backends = new List<(int Pid, nint Core)>();
        while (await reader.ReadAsync(CancellationToken.None))
            backends.Add((reader.GetInt32(0), reader.GetBoolean(1) ? 2 : 1));
        return backends;
    }

    private IEnumerable<Arrangement> Arrangements()
    {
        string[] office = ["dotnet", Bed.Program, "run", "--config", ConfigOf("BackOffice")];
        string[] async = ["dotnet", Bed.Program, "run", "--config", ConfigOf("Async")];
        yield return new("two", "two processes of equal weight", false, [("BackOffice", office, "0"), ("Async", async, "0")]);
        yield return new("one", "one process, as the old server was", false, [("BackOffice", ["dotnet", Path.Combine(AppContext.BaseDirectory, "camino-bench.dll"), "both-in-one", ConfigOf("BackOffice"), ConfigOf("Async")], "0")]);
        yield return new("weighted", "two processes, weighted as deployed", true, [("BackOffice", office, "0"), ("Async", async, NicenessLikeTheDeployFiles)]);
        if (Environment.ProcessorCount > 1 && File.Exists("/usr/bin/taskset"))
            yield return new(Pinned, "two processes, each with its part of PostgreSQL on a core of its own, as two machines", true, [("BackOffice", ["/usr/bin/taskset", "-c", "0", .. office], "0"), ("Async", ["/usr/bin/taskset", "-c", "1", .. async], "0")]);
        else
            report.Remark("Roles on cores of their own were not measured: there is one core only, or no taskset.");
    }

    private async Task<List<StartedRole>> StartAsync(Arrangement arrangement, CancellationToken ct)
    {
        var roles = new List<StartedRole>();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        foreach (var (role, command, niceness) in arrangement.Processes)
        {
            var address = role == "BackOffice" ? _address : string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{StartupBench.FreePort()}");
            var own = new Dictionary<string, string?>(variables) { ["CAMINO_Web__Urls"] = address };
            if (role == "Async")
                (own["CAMINO_Jobs__GraceSeconds"], own["CAMINO_Jobs__Niceness"]) = ("1", niceness);
            roles.Add(StartedRole.Start(role, address, ConfigOf(role), command, own, RoleLog.Begin(folder, $"{role}{++_starts}")));
        }

        foreach (var role in roles)
            await role.ReadyAsync(http, ReadyLimit, ct);
        return roles;
    }

    private async Task<double> IdleAsync(OpenLoop loop, List<StartedRole> roles, CancellationToken ct)
    {
        var times = Times(await loop.RunAsync(TimeSpan.FromSeconds(report.Quick ? 10 : 40), ct));
        var p99 = OpenLoop.Percentile(times, 99);
        report.Add(new Figure("idle.p50", "no backlog: p50", OpenLoop.Percentile(times, 50), "ms"));
        report.Add(new Figure("idle.p99", "no backlog: p99", p99, "ms"));
        foreach (var role in roles)
            report.Add(new Figure($"{role.Role}.memory", $"two processes: {role.Role} resident when idle", Memory.Megabytes(role.Pid, "VmRSS"), "MB"));
        return p99;
    }

    private async Task UnderAsync(Arrangement arrangement, Bed bed, OpenLoop loop, string file, double idle, CancellationToken ct)
    {
        var imports = new List<string>();
        for (var i = 0; i < DryRuns; i++)
            imports.Add((await bed.HandInAsync(file, dryRun: true, ct)).Id);
        while ((await bed.ImportAsync(imports[0], ct)).GetProperty("rows").GetInt64() == 0)
            await Task.Delay(20, ct);
        await bed.RunAsync("insert into jobs.job (id, due_at, max_attempts, queue, kind, args) select gen_random_uuid(), now(), 3, 'default', 'portfolio.refresh', '{}' from generate_series(1, 5000)", ct);
        var (rows, refreshed, started) = (await RowsAsync(bed, imports, ct), await RefreshedAsync(bed, ct), Stopwatch.GetTimestamp());

        var pages = await loop.RunAsync(TimeSpan.FromSeconds(report.Quick ? 12 : 60), ct);

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var (times, done) = (Times(pages), await RefreshedAsync(bed, ct) - refreshed);
        var p99 = OpenLoop.Percentile(times, 99);
        report.Add(new Figure($"{arrangement.Key}.p50", $"{arrangement.What}: p50", OpenLoop.Percentile(times, 50), "ms"));
        report.Add(new Figure($"{arrangement.Key}.p99", "  p99", p99, "ms"));
        report.Add(new Figure($"{arrangement.Key}.ratio", "  p99 as a multiple of no backlog", p99 / idle, "x") { AtMost = arrangement.HasAim ? MostTimesIdle : null });
        report.Add(new Figure($"{arrangement.Key}.work", "  the backlog meanwhile", (await RowsAsync(bed, imports, ct) - rows) / seconds, "rows/s", string.Create(CultureInfo.InvariantCulture, $"and {done / seconds:0.0} times all figures a second")));
        report.Check($"{arrangement.What}: every page answered 200 and whole", pages.TrueForAll(page => page.Right));
        report.Check($"{arrangement.What}: there was a backlog to the end", await bed.ScalarAsync<long>("select count(*) from jobs.job where kind = 'portfolio.refresh'", ct) > 0);

        await bed.RunAsync("delete from jobs.job where kind = 'portfolio.refresh' and lease is null", ct);
        foreach (var import in imports)
        {
            using var cancelled = await bed.Api.PostAsync(new Uri($"/api/v1/imports/{import}/cancel", UriKind.Relative), null, ct); // refused when it is over
        }
    }

    private static async Task<long> RowsAsync(Bed bed, IEnumerable<string> imports, CancellationToken ct)
    {
        var rows = 0L;
        foreach (var import in imports)
            rows += (await bed.ImportAsync(import, ct)).GetProperty("rows").GetInt64();
        return rows;
    }

    private static Task<long> RefreshedAsync(Bed bed, CancellationToken ct) => bed.ScalarAsync<long>("select count(*) from jobs.finished where kind = 'portfolio.refresh'", ct);

    private static List<double> Times(List<PageTime> pages) => [.. pages.Select(page => page.Milliseconds).Order()];

    private async Task<string> ToolAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet", [Bed.Program, .. arguments]);
        start.Set(variables);
        var result = await Tool.RunAsync(start, TimeSpan.FromMinutes(2), ct);
        return result.Succeeded ? result.Output : throw new BenchFailedException($"camino {arguments[0]} failed: {result.Output}");
    }

    private string ConfigOf(string role) => Path.Combine(_root, $"appsettings.{role}.json");
}
