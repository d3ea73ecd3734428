using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Camino.Host.Local;

namespace Camino.Benchmarks;

/// <summary>Each role from exec to the first 200 of its readiness, beside the shortest run of the same program.</summary>
internal sealed class StartupBench(Report report, string folder, Dictionary<string, string?> variables)
{
    private const int Runs = 5;
    private const double MostOwnSeconds = 1;
    private static readonly string[] Roles = ["BackOffice", "Async"];
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    private readonly string _root = Repository.Root ?? throw new BenchFailedException("The two role files are not there; run this in a checkout.");

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
            await new StartupBench(report, folder, variables).RunAsync(ct);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task RunAsync(CancellationToken ct)
    {
        await ToolAsync([Bed.Program, "migrate", "--config", ConfigOf("BackOffice")], ct);
        await BuildAsync("", "as built", Bed.Program, ct);
        if (report.Quick)
            report.Remark("The quick run leaves out the ReadyToRun publish.");
        else if (await PublishAsync(ct) is { } published)
            await BuildAsync("readyToRun.", "ReadyToRun", published, ct);
        report.Remark("Own time is from exec to ready less the same program's `version`, which is the runtime's own start. Memory is VmRSS in megabytes of 1,000,000 bytes, two seconds after ready.");
    }

    private async Task BuildAsync(string key, string name, string program, CancellationToken ct)
    {
        report.Say($"{name}: {Runs} starts of each role");
        var floors = new List<double>();
        var starts = Roles.ToDictionary(role => role, _ => new List<Start>());
        for (var run = 0; run < Runs; run++) // in turn, so that a busy minute of the machine falls on all
        {
            var started = Stopwatch.GetTimestamp();
            await ToolAsync([program, "version"], ct);
            floors.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            foreach (var role in Roles)
                starts[role].Add(await StartAsync(role, program, ct));
        }

        var floor = Median(floors);
        report.Add(new Figure($"{key}version", $"{name}: camino version, median of {Runs}", floor, "s", Range(floors)));
        foreach (var role in Roles)
        {
            var ready = starts[role].ConvertAll(start => start.Ready);
            report.Add(new Figure($"{key}{role}.ready", $"{name}: {role} from exec to ready, median of {Runs}", Median(ready), "s", Range(ready)));
            report.Add(new Figure($"{key}{role}.own", $"{name}: {role}, own time", Median(ready) - floor, "s", $"camino version {Figure.Show(floor)} s") { AtMost = MostOwnSeconds });
            report.Add(new Figure($"{key}{role}.memory", $"{name}: {role}, resident when idle", Median(starts[role].ConvertAll(start => start.Megabytes)), "MB"));
        }
    }

    private async Task<Start> StartAsync(string role, string program, CancellationToken ct)
    {
        var port = FreePort();
        var own = new Dictionary<string, string?>(variables) { ["CAMINO_Web__Urls"] = $"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}" };
        var started = Stopwatch.GetTimestamp();
        using var process = StartedRole.Start(role, own["CAMINO_Web__Urls"] ?? "", ConfigOf(role), ["dotnet", program, "run", "--config", ConfigOf(role)], own, RoleLog.Begin(folder, role));
        try
        {
            while (!await IsReadyAsync(port, ct))
            {
                if (process.Ended.IsCompleted || Stopwatch.GetElapsedTime(started) > Limit)
                    throw new BenchFailedException($"The {role} was not ready.{process.Tail()}");
                await Task.Delay(Poll, ct);
            }

            var ready = Stopwatch.GetElapsedTime(started).TotalSeconds;
            await Task.Delay(2_000, ct);
            return new Start(ready, Memory.Megabytes(process.Pid, "VmRSS"));
        }
        finally
        {
            await process.StopAsync(LocalCamino.RolePatience);
        }
    }

    /// <summary>One bare request: a client library's retries and exceptions would cost the very time that is measured.</summary>
    private static async Task<bool> IsReadyAsync(int port, CancellationToken ct)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, ct);
            await socket.SendAsync(Request, ct);
            var answer = new byte[64];
            var length = await socket.ReceiveAsync(answer, ct);
            return answer.AsSpan(0, length).StartsWith("HTTP/1.1 200 "u8);
        }
        catch (SocketException)
        {
            return false; // nobody listens yet
        }
    }

    /// <returns>The published program, or null when the compiler's package cannot be had.</returns>
    private async Task<string?> PublishAsync(CancellationToken ct)
    {
        report.Say("publishing ReadyToRun");
        var output = Path.Combine(folder, "published");
        // beside the checkout's own build output, as deploy/scripts/publish does it for the image
        var publish = new ProcessStartInfo("dotnet", ["publish", Path.Combine(_root, "src/Camino.Host"), "-c", "Release", "-p:ImageRuntime=linux-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(), "--artifacts-path", Path.Combine(folder, "artifacts"), "-o", output, "--nologo", "-v", "quiet"]);
        var result = await Tool.RunAsync(publish, TimeSpan.FromMinutes(10), ct);
        if (result.Succeeded)
            return Path.Combine(output, "camino.dll");
        report.Remark($"ReadyToRun was not measured, because the publish failed: {result.Output.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal))?.Trim()}");
        return null;
    }

    private async Task ToolAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet", arguments);
        start.Set(variables);
        var result = await Tool.RunAsync(start, Limit, ct);
        if (!result.Succeeded)
            throw new BenchFailedException($"camino {arguments[1]} failed: {result.Output}");
    }

    private string ConfigOf(string role) => Path.Combine(_root, $"appsettings.{role}.json");

    /// <summary>A port that nobody listens on.</summary>
    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Range(List<double> values) => $"{Figure.Show(values.Min())} to {Figure.Show(values.Max())} s";

    private sealed record Start(double Ready, double Megabytes);
}
