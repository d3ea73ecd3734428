using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Camino.Host.Local;
using NUnit.Framework;

namespace Camino.Tests.Hosting;

/// <summary>What a process left behind when it ended.</summary>
internal sealed record Ended(int Code, string Output, string Error)
{
    public IReadOnlyList<string> ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"exit code {Code}\n{Output}\n{Error}");
}

/// <summary>The built program as a process of its own, with nothing of this process's settings.</summary>
internal sealed class CaminoProcess : IAsyncDisposable
{
    /// <summary>Only a process that hangs reaches it.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly List<string> _error = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private CaminoProcess(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? variables, string input = "")
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("CAMINO_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in variables ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Add(_error, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Write(input);
        _process.StandardInput.Close();
    }

    public string Output => Joined(_output);

    public string Error => Joined(_error);

    public int Pid => _process.Id;

    public bool HasEnded => _process.HasExited;

    private static string Program
    {
        get
        {
            var build = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Name;
            return Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Camino.Host", build, "camino.dll"));
        }
    }

    public static CaminoProcess Start(IReadOnlyDictionary<string, string?>? variables, params string[] arguments) => new(arguments, variables);

    /// <summary>Runs a verb to its end.</summary>
    public static async Task<Ended> RunAsync(IReadOnlyDictionary<string, string?>? variables, params string[] arguments)
    {
        await using var process = Start(variables, arguments);
        return await process.EndAsync();
    }

    public static Task<Ended> RunAsync(params string[] arguments) => RunAsync(null, arguments);

    /// <summary>Runs a verb that reads its standard input.</summary>
    public static async Task<Ended> ReadingAsync(string input, params string[] arguments)
    {
        await using var process = new CaminoProcess(arguments, variables: null, input);
        return await process.EndAsync();
    }

    /// <summary>An address that nobody listens on.</summary>
    public static Uri FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"));
    }

    /// <summary>Waits until a line of its output holds the text.</summary>
    public async Task SaysAsync(string text)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            Task more;
            lock (_output)
            {
                if (_output.Exists(line => line.Contains(text, StringComparison.Ordinal)))
                    return;
                more = _more.Task;
            }

            Assert.That(HasEnded, Is.False, $"It ended before it said \"{text}\".\n{Output}\n{Error}");
            await more.WaitAsync(limit.Token);
        }
    }

    /// <summary>SIGTERM, as an orchestrator sends it; returns at once.</summary>
    public void AskToStop()
    {
        if (!OperatingSystem.IsWindows())
            _ = Signal.StopAsync(_process, Limit);
    }

    /// <summary>SIGKILL: no chance to tidy up.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task<Ended> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Limit);
        return new Ended(_process.ExitCode, Output, Error);
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasEnded)
            await KillAsync();
        _process.Dispose();
    }

    private void Add(List<string> lines, string? line)
    {
        TaskCompletionSource told;
        lock (_output)
        {
            if (line is not null)
                lines.Add(line);
            told = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        told.SetResult();
    }

    private string Joined(List<string> lines)
    {
        lock (_output)
            return string.Join('\n', lines);
    }
}
