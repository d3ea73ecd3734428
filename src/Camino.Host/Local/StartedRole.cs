using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.Versioning;

namespace Camino.Host.Local;

/// <summary>One role as a process of its own, which writes its log itself, so that it does not depend on the one who started it.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class StartedRole : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private readonly Process _process;

    private StartedRole(string role, string address, string config, Process process, RoleLog log)
    {
        Role = role;
        Address = address;
        Config = config;
        _process = process;
        Log = log;
    }

    public string Role { get; }

    public string Address { get; }

    public string Config { get; }

    public RoleLog Log { get; }

    public int Pid => _process.Id;

    /// <summary>Completes when the process has ended, for whatever reason.</summary>
    public Task Ended => _process.WaitForExitAsync();

    public int ExitCode => _process.ExitCode;

    /// <param name="command">Program and arguments.</param>
    /// <param name="variables">Added to this process's environment, or left out of it when null.</param>
    public static StartedRole Start(string role, string address, string config, IEnumerable<string> command, IReadOnlyDictionary<string, string?> variables, RoleLog log)
    {
        // The shell only opens the log and becomes the role: one process, with its own files.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" </dev/null >>\"$log\" 2>&1", "sh", log.File, .. command]) { UseShellExecute = false };
        start.Set(variables);
        var process = Process.Start(start) ?? throw new LocalStartException("/bin/sh did not start.");
        return new StartedRole(role, address, config, process, log);
    }

    /// <summary>Waits until the role says that it is ready.</summary>
    /// <exception cref="LocalStartException">It ended, or is not ready in time; with the last lines of its log.</exception>
    public async Task ReadyAsync(HttpClient http, TimeSpan limit, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        var answer = "no answer";
        while (watch.Elapsed < limit)
        {
            if (_process.HasExited)
                throw new LocalStartException($"The {Role} ended with exit code {ExitCode.ToString(CultureInfo.InvariantCulture)} before it was ready.{Tail()}");
            try
            {
                using var response = await http.GetAsync(new Uri($"{Address}/health/ready"), ct);
                if (response.StatusCode == HttpStatusCode.OK)
                    return;
                answer = (await response.Content.ReadAsStringAsync(ct)).Trim();
            }
            catch (HttpRequestException silent)
            {
                answer = silent.Message;
            }

            await Task.Delay(Pause, ct);
        }

        throw new LocalStartException($"The {Role} was not ready within {limit.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} seconds; its last answer: {answer}{Tail()}");
    }

    /// <returns>Whether it stopped by itself within <paramref name="patience"/>.</returns>
    public Task<bool> StopAsync(TimeSpan patience) => Signal.StopAsync(_process, patience);

    /// <summary>The last lines of the log, to stand under an error.</summary>
    public string Tail() => $" The last lines of {Log.File}:{string.Concat(Log.LastLines(15).Select(line => $"{Environment.NewLine}    {line}"))}";

    public void Dispose() => _process.Dispose();
}
