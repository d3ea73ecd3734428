using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Camino.Host.Local;

/// <summary>What `camino up` was asked for.</summary>
/// <param name="Port">Of the Back Office; 0 takes any free one.</param>
/// <param name="Data">The data folder.</param>
/// <param name="Demo">Whether invented users and their passwords are made.</param>
/// <param name="Smoke">Whether to check and stop instead of staying.</param>
internal sealed record UpSettings(int Port, string Data, bool Demo, bool Smoke)
{
    /// <summary>Folder of the two role files.</summary>
    public string ConfigFolder { get; init; } = Repository.Root ?? Directory.GetCurrentDirectory();

    /// <summary>How to start this same build again: program and first arguments.</summary>
    public IReadOnlyList<string> Program { get; init; } = ThisBuild();

    /// <summary>A server to use in place of one of our own.</summary>
    public string? GivenDatabase { get; init; } = Environment.GetEnvironmentVariable("CAMINO_DATABASE");

    private static IReadOnlyList<string> ThisBuild()
    {
        var program = Environment.ProcessPath ?? "dotnet";
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, Path.Combine(AppContext.BaseDirectory, "camino.dll")] : [program];
    }
}

/// <summary>Who can sign in to a demo, as <c>camino seed-demo</c> prints it.</summary>
internal sealed record DemoAccess(IReadOnlyList<DemoUser> Users, string? ApiKey);

internal sealed record DemoUser(string Email, string Password, string Role);

/// <summary>All of Camino on this machine: a database and the two roles, each a process of its own. Disposing stops them in the opposite order.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class LocalCamino(UpSettings settings, Action<string> say) : IAsyncDisposable
{
    /// <summary>So long a role may finish what it has in hand.</summary>
    public static readonly TimeSpan RolePatience = TimeSpan.FromSeconds(8);

    private const string BackOffice = "BackOffice";
    private const string Async = "Async";
    /// <summary>Seconds that a running job may still take at Ctrl-C; longer ones go back to their place and go on at the next start.</summary>
    private const int AsyncGraceSeconds = 2;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(9.5);
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan VerbLimit = TimeSpan.FromMinutes(10);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly List<StartedRole> _roles = [];
    private readonly CancellationTokenSource _stopped = new();
    private DataFolder? _data;
    private LocalPostgres? _postgres;

    /// <summary>Where the Back Office answers, without a slash at the end.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Null without a demo.</summary>
    public DemoAccess? Demo { get; private set; }

    /// <summary>A link for the first administrator, or null when there is one already.</summary>
    public string? FirstAdministratorLink { get; private set; }

    /// <summary>Starts everything and returns when both roles are ready.</summary>
    /// <exception cref="LocalStartException">Something does not start; dispose to stop the rest.</exception>
    public async Task StartAsync(CancellationToken ct)
    {
        var backOfficeConfig = ConfigOf(BackOffice);
        var asyncConfig = ConfigOf(Async);
        _data = DataFolder.Take(settings.Data);
        await _data.StopLeftoversAsync(say, ct);

        var port = settings.Port == 0 ? NextFree(20_000 + Random.Shared.Next(10_000)) : settings.Port;
        if (!IsFree(port))
            throw new LocalStartException($"Port {Text(port)} is in use by another program. Choose another one with --port, for example --port {Text(NextFree(port + 1))}.");
        Address = $"http://127.0.0.1:{Text(port)}";
        var connectionString = await DatabaseAsync(_data, ct);

        var forBackOffice = Variables(connectionString, Address, _data);
        if (settings.Demo)
            forBackOffice["CAMINO_SignIn__SecondFactor"] = "Optional"; // so that one tries it out without a phone; Up says so
        await VerbAsync(["migrate", "--config", backOfficeConfig], forBackOffice, ct);
        if (settings.Demo)
            Demo = ReadDemo(await VerbAsync(["seed-demo", "--config", backOfficeConfig, "--data", _data.Path], forBackOffice, ct));
        else
            FirstAdministratorLink = ReadLink(await VerbAsync(["first-admin-link", "--config", backOfficeConfig, "--address", Address], forBackOffice, ct));

        var asyncAddress = $"http://127.0.0.1:{Text(NextFree(port + 1))}";
        Start(BackOffice, Address, backOfficeConfig, forBackOffice);
        var forAsync = Variables(connectionString, asyncAddress, _data);
        forAsync["CAMINO_Jobs__GraceSeconds"] = Text(AsyncGraceSeconds);
        if (settings.Demo)
        {
            var sandbox = StartSandbox(_data, NextFree(port + 2));
            foreach (var provider in new[] { "Registry", "Credit", "Identity", "Account", "Reading", "Signature", "Email", "Text" })
                forAsync[$"CAMINO_Providers__{provider}__Address"] = sandbox;
            forAsync["CAMINO_Lender__CreditBureau"] = "Sandbox Credit Bureau, 1 Invented Street, Springfield, IL 62701, 800-555-0199"; // everything it reports is invented, too
        }

        Start(Async, asyncAddress, asyncConfig, forAsync);
        var running = new Running
        {
            Pid = Environment.ProcessId,
            Address = Address,
            ConnectionString = connectionString,
            FilesFolder = _data.Files,
            Roles = [.. _roles.Where(role => role.Config.Length > 0).Select(role => new RunningRole(role.Role, role.Pid, role.Address, role.Config))],
        };
        await running.WriteAsync(_data.Path, ct);

        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        using var others = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await foreach (var ready in Task.WhenEach(_roles.Select(role => role.ReadyAsync(http, ReadyLimit, others.Token)).ToList()).WithCancellation(ct))
        {
            if (!ready.IsCompletedSuccessfully)
                await others.CancelAsync(); // one that cannot be ready is enough
            await ready;
        }
    }

    /// <summary>Waits for the end: of a role, which is nobody's wish, or of the wait.</summary>
    /// <returns>What happened, or null when <paramref name="ct"/> ended the wait.</returns>
    public async Task<string?> RoleEndedAsync(CancellationToken ct)
    {
        var wish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = ct.Register(wish.SetResult);
        var ends = _roles.ToDictionary(role => role.Ended);
        var first = await Task.WhenAny(ends.Keys.Append(wish.Task));
        return !ct.IsCancellationRequested && ends.TryGetValue(first, out var role)
            ? $"The {role.Role} ended unexpectedly with exit code {Text(role.ExitCode)}.{role.Tail()}"
            : null;
    }

    /// <summary>Stops roles, then the database, within ten seconds in all; a second call does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        var watch = Stopwatch.StartNew();
        await _stopped.CancelAsync();
        var byThemselves = await Task.WhenAll(_roles.Select(async role => (role.Role, Stopped: await role.StopAsync(RolePatience))));
        foreach (var (role, _) in byThemselves.Where(end => !end.Stopped))
            say($"the {role} did not stop within {RolePatience.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} seconds and was killed; its jobs run again later");
        _roles.ForEach(role => role.Dispose());
        _roles.Clear();

        if (_postgres is not null)
        {
            var left = StopLimit - watch.Elapsed;
            await _postgres.StopAsync(left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
            _postgres = null;
        }

        if (_data is not null)
        {
            Running.Remove(_data.Path);
            _data.Dispose();
            _data = null;
        }

        _stopped.Dispose();
    }

    private async Task<string> DatabaseAsync(DataFolder data, CancellationToken ct)
    {
        string connectionString;
        if (string.IsNullOrEmpty(settings.GivenDatabase))
        {
            _postgres = await LocalPostgres.StartAsync(new LocalPostgresOptions { Folder = data.Postgres, PackageFolder = data.Package, Say = say }, ct);
            say($"{_postgres.Description}{(_postgres.TakenOver ? ", left running by a killed run" : "")}, data in {data.Postgres}");
            connectionString = _postgres.ConnectionString("camino");
        }
        else
        {
            connectionString = LocalDatabase.Complete(settings.GivenDatabase);
            say("using the database that CAMINO_DATABASE names");
        }

        await LocalDatabase.CreateWhenMissingAsync(connectionString, ct);
        return connectionString;
    }

    private static Dictionary<string, string?> Variables(string connectionString, string address, DataFolder data) =>
        new(StringComparer.Ordinal)
        {
            // meant for `camino up`, not for the roles
            ["CAMINO_DATABASE"] = null,
            ["CAMINO_POSTGRES"] = null,
            ["CAMINO_CONFIG"] = null,
            ["CAMINO_Database__ConnectionString"] = connectionString,
            ["CAMINO_Web__Urls"] = address,
            ["CAMINO_Files__Folder"] = data.Files,
            ["CAMINO_PARENT_PID"] = Text(Environment.ProcessId), // a role ends itself when this process is gone
        };

    private void Start(string role, string address, string config, Dictionary<string, string?> variables)
    {
        if (_data is null)
            return;
        var log = RoleLog.Begin(_data.Logs, role);
        _roles.Add(StartedRole.Start(role, address, config, [.. settings.Program, "run", "--config", config], variables, log));
        _ = log.ShowErrorsAsync(say, _stopped.Token);
    }

    /// <summary>Invented outside services, for a demo; it ends with this process.</summary>
    /// <returns>Where it answers.</returns>
    private string StartSandbox(DataFolder data, int port)
    {
        var address = $"http://127.0.0.1:{Text(port)}";
        var log = RoleLog.Begin(data.Logs, "Sandbox");
        _roles.Add(StartedRole.Start("sandbox", address, "", [.. settings.Program, "sandbox", "--port", Text(port)], new Dictionary<string, string?>(StringComparer.Ordinal) { ["CAMINO_PARENT_PID"] = Text(Environment.ProcessId) }, log));
        return address;
    }

    /// <returns>What it printed.</returns>
    private async Task<string> VerbAsync(IReadOnlyList<string> arguments, Dictionary<string, string?> variables, CancellationToken ct)
    {
        var start = new ProcessStartInfo(settings.Program[0], settings.Program.Skip(1).Concat(arguments));
        start.Set(variables);
        var result = await Tool.RunAsync(start, VerbLimit, ct);
        return result.Succeeded
            ? result.Output
            : throw new LocalStartException($"`camino {arguments[0]}` failed with exit code {Text(result.ExitCode)}: {string.Join(Environment.NewLine, result.Output.Split('\n').TakeLast(15))}");
    }

    private string ConfigOf(string role)
    {
        var file = Path.Combine(settings.ConfigFolder, $"appsettings.{role}.json");
        return File.Exists(file) ? file : throw new LocalStartException($"{file} is not there; `camino up` starts the roles from the two files at the root of the checkout.");
    }

    private static DemoAccess ReadDemo(string output) =>
        output.Split('\n').Where(line => line.StartsWith('{') && line.Contains("\"users\"", StringComparison.Ordinal))
            .Select(line => JsonSerializer.Deserialize<DemoAccess>(line, Json)).LastOrDefault()
        ?? throw new LocalStartException($"`camino seed-demo` did not say who can sign in; it said: {output}");

    private static string? ReadLink(string output) =>
        output.Split('\n').Select(line => line.Trim()).LastOrDefault(line => line.StartsWith("http", StringComparison.Ordinal));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int NextFree(int port)
    {
        while (port < IPEndPoint.MaxPort && !IsFree(port))
            port++;
        return port;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
