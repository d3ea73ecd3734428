using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Camino.Rehearsal;

/// <summary>A real process of the rehearsal: what it says is kept, and it can be asked to stop, frozen, thawed and killed.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>Only a process that hangs reaches it.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private ChildProcess(Process process) => _process = process;

    public int Pid => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>Everything it wrote, in the order in which the lines came.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    public static ChildProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? variables = null)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("CAMINO_", StringComparison.Ordinal) || name.StartsWith("OTEL_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["DOTNET_TieredPGO"] = "0"; // a process of seconds is over before the runtime's profiling pays
        foreach (var (name, value) in variables ?? new Dictionary<string, string?>(StringComparer.Ordinal))
            start.Environment[name] = value;
        var child = new ChildProcess(new Process { StartInfo = start });
        child._process.OutputDataReceived += (_, line) => child.Keep(line.Data);
        child._process.ErrorDataReceived += (_, line) => child.Keep(line.Data);
        child._process.Start();
        child._process.StandardInput.Close();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>SIGTERM, as an orchestrator sends it; then its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        Send(15);
        return await EndAsync();
    }

    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(s_limit);
        return _process.ExitCode;
    }

    public void Freeze() => Send(19);

    public void Thaw() => Send(18);

    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasEnded)
            await KillAsync();
        _process.Dispose();
    }

    private void Send(int signal)
    {
        if (!HasEnded)
            _ = Kill(Pid, signal);
    }

    private void Keep(string? line)
    {
        if (line is not null)
            _lines.Enqueue(line);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);
}
