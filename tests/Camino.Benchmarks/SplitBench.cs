using System.Diagnostics;
using System.Globalization;
using Camino.Host;
using Camino.Host.Configuration;
using Camino.Host.Logging;
using Microsoft.AspNetCore.Builder;

namespace Camino.Benchmarks;

/// <summary>Why there are two roles: what people at their pages notice of a heavy backlog, with everything in one process, in two, in two with processor weights, on cores of their own.</summary>
internal sealed class SplitBench(Bed bed, Report report)
{
    private const int RequestsPerSecond = 10;
    private const long FirstNumber = 2_000_000_000;
    private const long FirstNumberOfOtherRows = 6_000_000_000;

    /// <summary>Processor weight of the Async Server beside the Back Office: nice 10 is about a ninth of nice 0.</summary>
    private const int Niceness = 10;

    private string _backlog = "";

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var bed = await Bed.StartAsync(report, ct);
        await new SplitBench(bed, report).RunAsync(ct);
    }

    /// <summary>Both roles in this process, as the old server was: one pool of threads, one heap, one pool of connections.</summary>
    /// <param name="office">The Back Office's file; the environment says where the database and the files are.</param>
    public static async Task<int> OneProcessAsync(string office, string async)
    {
        var settings = HostConfig.Read(office);
        var forAsync = HostConfig.Read(async);
        forAsync.Web.Urls = "http://127.0.0.1:0";
        await using var log = HostLog.Create(settings);
        await using var source = Database.Connect(settings, "one process");
        await using var pages = BackOfficeRole.Build(settings, office, source, log);
        await using var work = AsyncRole.Build(forAsync, async, source, log);
        await pages.StartAsync();
        await work.StartAsync();
        await pages.WaitForShutdownAsync();
        await work.StopAsync();
        return 0;
    }

    private async Task RunAsync(CancellationToken ct)
    {
        var duration = TimeSpan.FromSeconds(report.Quick ? 10 : 40);
        var sample = LoanFile.Sample();
        report.Say("importing rows to look at");
        var there = LoanFile.Write(Path.Combine(bed.Folder, "there.csv"), sample, report.Quick ? 50_000 : 300_000, FirstNumber, gzip: false, ct);
        await bed.EndOfAsync(await bed.HandInAsync(there.Path, dryRun: false, ct), ct);
        _backlog = LoanFile.Write(Path.Combine(bed.Folder, "backlog.csv"), sample, report.Quick ? 400_000 : 2_000_000, FirstNumberOfOtherRows, gzip: false, ct).Path;
        await bed.QuietAsync(ct);

        var office = bed.Where.Roles.First(role => role.Role == "BackOffice");
        var work = bed.Where.Roles.First(role => role.Role == "Async");
        using var browser = await bed.SignInAsync(bed.Where.Address, ct);
        await LoopOf(browser).RunAsync(TimeSpan.FromSeconds(5), ct);
        report.Say("idle");
        var idle = await LoopOf(browser).RunAsync(duration, ct);
        Add("idle", "nothing else to do", idle, idle);

        Add("two", "(b) two processes", await UnderBacklogAsync(browser, "two processes", duration, ct), idle);
        foreach (var thread in Directory.GetDirectories($"/proc/{work.Pid}/task"))
            await ToolAsync("renice", "-n", Text(Niceness), "-p", Path.GetFileName(thread));
        Add("weighted", "(c) two processes, the Async Server at nice 10", await UnderBacklogAsync(browser, "two processes with weights", duration, ct), idle, most: 1.5);
        await ToolAsync("taskset", "-a", "-c", "-p", "0", Text(office.Pid));
        await ToolAsync("taskset", "-a", "-c", "-p", Text(Environment.ProcessorCount - 1), Text(work.Pid));
        Add("pinned", "(d) two processes on cores of their own", await UnderBacklogAsync(browser, "two processes on cores of their own", duration, ct), idle, most: 1.5);

        // its lease runs out, and the one process below takes the work
        await ToolAsync("kill", "-STOP", Text(work.Pid));
        try
        {
            Add("one", "(a) one process, as the old server was", await InOneProcessAsync(office.Config, work.Config, duration, ct), idle);
        }
        finally
        {
            await ToolAsync("kill", "-CONT", Text(work.Pid));
        }

        report.Remark(string.Create(
            CultureInfo.InvariantCulture,
            $"{RequestsPerSecond} requests a second, /loans and /portfolio in turn, signed in; times run from the moment a request was due. The backlog: portfolio files that are checked row by row (processor) and refreshes of the portfolio (query). PostgreSQL and this program share the {Environment.ProcessorCount} cores with both roles in every line."));
    }

    private async Task<List<PageTime>> InOneProcessAsync(string office, string work, TimeSpan duration, CancellationToken ct)
    {
        var address = $"http://127.0.0.1:{Text(FreePort())}";
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "camino-bench.dll"), "one-process", office, work]) { RedirectStandardOutput = true };
        start.Environment["CAMINO_Database__ConnectionString"] = bed.Where.ConnectionString;
        start.Environment["CAMINO_Files__Folder"] = bed.Where.FilesFolder;
        start.Environment["CAMINO_Web__Urls"] = address;
        using var one = Process.Start(start) ?? throw new BenchFailedException("The one process did not start.");
        try
        {
            one.OutputDataReceived += (_, _) => { };
            one.BeginOutputReadLine();
            using var probe = new HttpClient { BaseAddress = new Uri(address) };
            while (!await AnswersAsync(probe, ct))
                await Task.Delay(100, ct);
            using var browser = await bed.SignInAsync(address, ct);
            await LoopOf(browser).RunAsync(TimeSpan.FromSeconds(5), ct);
            return await UnderBacklogAsync(browser, "one process", duration, ct);
        }
        finally
        {
            one.Kill(entireProcessTree: true);
            await one.WaitForExitAsync(CancellationToken.None);
        }
    }

    private async Task<List<PageTime>> UnderBacklogAsync(HttpClient browser, string name, TimeSpan duration, CancellationToken ct)
    {
        report.Say($"{name}, under a backlog");
        var imports = new List<string>();
        for (var i = 0; i < 6; i++)
            imports.Add(await bed.HandInAsync(_backlog, dryRun: true, ct));
        await bed.RunAsync("insert into jobs.job (id, max_attempts, queue, kind, args) select gen_random_uuid(), 1, 'default', 'portfolio.refresh', '{}' from generate_series(1, 2000)", ct);
        var times = await LoopOf(browser).RunAsync(duration, ct);
        report.Check($"{name}: the backlog lasted until the end", await bed.ScalarAsync<long>("select count(*) from jobs.job where lease is not null", ct) > 0);
        report.Check($"{name}: every page answered 200 and whole", times.TrueForAll(time => time.Right));
        await bed.RunAsync("delete from jobs.job where lease is null", ct);
        foreach (var import in imports)
        {
            using var cancelled = await bed.Api.PostAsync(new Uri($"/api/v1/imports/{import}/cancel", UriKind.Relative), content: null, ct);
        }

        await bed.QuietAsync(ct);
        return times;
    }

    private void Add(string key, string what, List<PageTime> times, List<PageTime> idle, double? most = null)
    {
        var sorted = times.Select(time => time.Milliseconds).Order().ToList();
        var quiet = idle.Select(time => time.Milliseconds).Order().ToList();
        report.Add(new Figure($"{key}.p50", $"{what}: p50", OpenLoop.Percentile(sorted, 50), "ms"));
        report.Add(new Figure($"{key}.p99", $"{what}: p99", OpenLoop.Percentile(sorted, 99), "ms"));
        if (key != "idle")
            report.Add(new Figure($"{key}.ratio", "  p99 as a multiple of idle", OpenLoop.Percentile(sorted, 99) / OpenLoop.Percentile(quiet, 99), "x") { AtMost = most });
    }

    private static OpenLoop LoopOf(HttpClient browser) => new(browser, RequestsPerSecond, [("/loans", _ => "/loans"), ("/portfolio", _ => "/portfolio")]);

    private static async Task<bool> AnswersAsync(HttpClient probe, CancellationToken ct)
    {
        try
        {
            using var answer = await probe.GetAsync(new Uri("/health/ready", UriKind.Relative), ct);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task ToolAsync(string program, params string[] arguments)
    {
        using var tool = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }) ?? throw new BenchFailedException($"{program} did not start.");
        await tool.WaitForExitAsync();
        if (tool.ExitCode != 0 && program != "renice") // a thread may have ended meanwhile
            throw new BenchFailedException($"{program} {string.Join(' ', arguments)} ended with exit code {tool.ExitCode}.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
