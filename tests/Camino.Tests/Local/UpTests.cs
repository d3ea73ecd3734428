using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Camino.Host.Local;
using NUnit.Framework;

namespace Camino.Tests.Local;

/// <summary>`camino up` as its user has it: the built program, real processes, a real database in a folder of its own.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class UpTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3); // machines that build at the same time are slow
    private string _data = "";

    [SetUp]
    public void MakeFolder() => _data = Directory.CreateTempSubdirectory("camino-up-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_data, recursive: true);

    [Test]
    public async Task The_smoke_passes_and_leaves_nothing_running()
    {
        using var up = Start("--smoke");

        Assert.That(await up.EndAsync(), Is.Zero, up.Output);
        Assert.That(up.Lines.Where(line => line.StartsWith("FAIL", StringComparison.Ordinal)), Is.Empty);
        Assert.That(up.Lines.Count(line => line.StartsWith("ok ", StringComparison.Ordinal)), Is.GreaterThanOrEqualTo(5));
        Assert.That(Running.Read(_data), Is.Null);
        Assert.That(File.Exists(Path.Combine(_data, "pg", "data", "postmaster.pid")), Is.False);
    }

    [Test]
    public async Task After_a_kill_the_roles_end_by_themselves_and_the_next_start_has_the_data()
    {
        int[] roles;
        using (var killed = Start())
        {
            await killed.SaysAsync("Camino is running");
            roles = [.. (Running.Read(_data)?.Roles ?? []).Select(role => role.Pid)];
            Assert.That(roles, Has.Length.EqualTo(2));
            killed.Process.Kill();
            await killed.EndAsync();
        }

        await Task.WhenAll(roles.Select(EndAsync)).WaitAsync(Limit);

        using var next = Start();
        await next.SaysAsync("left running by a killed run");
        await next.SaysAsync("Camino is running");
        Assert.That(await next.StopAsync(), Is.Zero, next.Output);
        Assert.That(next.Output, Does.Contain("stopped; the data stay"));
        Assert.That(Running.Read(_data), Is.Null);
    }

    [Test]
    public async Task A_port_that_is_taken_is_named_together_with_the_option()
    {
        using var somebody = new TcpListener(IPAddress.Loopback, 0);
        somebody.Start();
        var port = ((IPEndPoint)somebody.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        using var up = Start("--port", port);

        Assert.That(await up.EndAsync(), Is.EqualTo(1));
        Assert.That(up.Output, Does.Contain($"Port {port} is in use").And.Contain("--port"));
    }

    [Test]
    public async Task Without_a_demo_the_first_administrator_gets_a_link()
    {
        using var up = Start("--no-demo");

        await up.SaysAsync("The first administrator signs in here, once: http://127.0.0.1:");

        Assert.That(await up.StopAsync(), Is.Zero, up.Output);
    }

    [Test]
    public async Task A_role_that_dies_stops_everything()
    {
        using var up = Start();
        await up.SaysAsync("Camino is running");
        using (var role = Process.GetProcessById(Running.Read(_data)?.Roles[1].Pid ?? 0))
            role.Kill();

        Assert.That(await up.EndAsync(), Is.EqualTo(1));
        Assert.That(up.Output, Does.Contain("The Async ended unexpectedly"));
        Assert.That(File.Exists(Path.Combine(_data, "pg", "data", "postmaster.pid")), Is.False);
    }

    private UpProcess Start(params string[] arguments)
    {
        var build = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')).Name;
        var program = Path.Combine(Repository.Root ?? "", "artifacts", "bin", "Camino.Host", build, "camino.dll");
        return new UpProcess([program, "up", "--data", _data, .. arguments.Contains("--port") ? Array.Empty<string>() : ["--port", "0"], .. arguments]);
    }

    private static async Task EndAsync(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            await process.WaitForExitAsync();
        }
        catch (ArgumentException)
        {
            return; // it was quicker
        }
    }

    /// <summary>The program and what it has said so far.</summary>
    private sealed class UpProcess : IDisposable
    {
        private readonly List<string> _lines = [];
        private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public UpProcess(IEnumerable<string> arguments)
        {
            var start = new ProcessStartInfo("dotnet", arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
            start.Environment.Remove("CAMINO_DATABASE");
            Process = new Process { StartInfo = start, EnableRaisingEvents = true };
            Process.OutputDataReceived += (_, line) => Add(line.Data);
            Process.ErrorDataReceived += (_, line) => Add(line.Data);
            Process.Exited += (_, _) => Add("(ended)");
            Process.Start();
            Process.BeginOutputReadLine();
            Process.BeginErrorReadLine();
        }

        public Process Process { get; }

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                    return [.. _lines];
            }
        }

        public string Output => string.Join('\n', Lines);

        public async Task SaysAsync(string text)
        {
            using var limit = new CancellationTokenSource(Limit);
            while (true)
            {
                Task more;
                lock (_lines)
                {
                    if (_lines.Exists(line => line.Contains(text, StringComparison.Ordinal)))
                        return;
                    Assert.That(_lines, Has.None.EqualTo("(ended)"), $"it was to say \"{text}\"");
                    more = _more.Task;
                }

                await more.WaitAsync(limit.Token);
            }
        }

        public async Task<int> EndAsync()
        {
            await Process.WaitForExitAsync().WaitAsync(Limit);
            return Process.ExitCode;
        }

        /// <summary>Asks it to stop as a service manager does, and holds it to its ten seconds.</summary>
        public async Task<int> StopAsync()
        {
            var watch = Stopwatch.StartNew();
            await Signal.StopAsync(Process, TimeSpan.FromSeconds(30));
            Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
            await Process.WaitForExitAsync(); // the last lines
            return Process.ExitCode;
        }

        public void Dispose()
        {
            if (!Process.HasExited)
                Signal.StopAsync(Process, TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
            Process.Dispose();
        }

        private void Add(string? line)
        {
            if (line is null)
                return;
            TaskCompletionSource told;
            lock (_lines)
            {
                _lines.Add(line);
                told = _more;
                _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            told.SetResult();
        }
    }
}
