using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Camino.Host.Local;

/// <summary>One PostgreSQL server of this machine's programs, with its data in a folder: made, started, found again after a crash, stopped.</summary>
/// <remarks>
/// In the folder: <c>data</c> (owned by PostgreSQL's user), <c>password</c> (only ours), <c>port</c>, <c>log</c>, and <c>elsewhere</c> when the data had to be put
/// in another place.
/// </remarks>
[UnsupportedOSPlatform("windows")]
internal sealed class PostgresProcess
{
    private const long SharedMemoryForParallelQueries = 512L * 1024 * 1024;
    private const int StartAttempts = 5;
    private static readonly TimeSpan InitdbLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3); // a crash recovery may be under way
    private readonly PostgresBinaries _binaries;
    private readonly PostgresAccount _account;
    private readonly string _folder;
    private readonly string _place;
    private readonly bool _throwAway;

    private PostgresProcess(PostgresBinaries binaries, PostgresAccount account, string folder, string place, bool throwAway)
    {
        _binaries = binaries;
        _account = account;
        _folder = folder;
        _place = place;
        _throwAway = throwAway;
    }

    public int Port { get; private set; }

    public string Password { get; private set; } = "";

    /// <summary>Where the server's data lie, in the folder or elsewhere.</summary>
    public string Data => Path.Combine(_place, "data");

    private string Log => Path.Combine(_place, "log");

    private string PidFile => Path.Combine(Data, "postmaster.pid");

    /// <summary>Makes the folder's server ready to start: its place, its account and, the first time, its data.</summary>
    public static async Task<PostgresProcess> PrepareAsync(PostgresBinaries binaries, string folder, string place, bool throwAway, CancellationToken ct)
    {
        if (place != folder && Directory.Exists(Path.Combine(folder, "data")))
            throw new LocalStartException($"PostgreSQL's user cannot enter {folder}, where its data are. Let other users pass through the folders above it (chmod o+x), or move it.");
        var account = await PostgresAccount.ForAsync(place, ct)
            ?? throw new LocalStartException($"PostgreSQL's user can enter neither {folder} nor {place}.");
        var server = new PostgresProcess(binaries, account, folder, place, throwAway);
        server.Password = await server.RememberAsync("password", Secret.New, ct);
        if (!Directory.Exists(server.Data))
            await server.InitializeAsync(ct);
        return server;
    }

    /// <summary>Starts the server, or takes over the one that a killed run left behind.</summary>
    /// <param name="answers">Tells whether the server on a port is the one that the stored password opens.</param>
    /// <returns>Whether it was taken over.</returns>
    public async Task<bool> StartAsync(Func<int, Task<bool>> answers, CancellationToken ct)
    {
        if (await LeftoverAsync(ct) is { } leftover)
        {
            if (await answers(leftover))
            {
                Port = leftover;
                return true;
            }

            await StopAsync(TimeSpan.FromSeconds(8));
        }

        var remembered = int.Parse(await RememberAsync("port", () => FreePort().ToString(CultureInfo.InvariantCulture), ct), CultureInfo.InvariantCulture);
        for (var attempt = 1; ; attempt++)
        {
            Port = attempt == 1 && IsFree(remembered) ? remembered : FreePort();
            await WriteSettingsAsync(ct);
            var result = await PgCtlAsync(["start", "--wait", "--silent", "--log", Log, "--timeout", Seconds(StartLimit)], StartLimit + TimeSpan.FromSeconds(10), ct);
            if (result.Succeeded)
                break;
            if (attempt == StartAttempts || IsFree(Port))
                throw new LocalStartException($"PostgreSQL {_binaries.Version} did not start: {result.Output}{Environment.NewLine}{LastLines()}");
        }

        await File.WriteAllTextAsync(Path.Combine(_folder, "port"), Port.ToString(CultureInfo.InvariantCulture), ct);
        return false;
    }

    /// <summary>Stops the server: open transactions are rolled back, everything committed is on disk. Harmless when it is not running.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        if (!File.Exists(PidFile))
            return;
        var fast = await StopAsync("fast", patience);
        if (!fast.Succeeded && File.Exists(PidFile))
            await StopAsync("immediate", patience);
    }

    private Task<ToolResult> StopAsync(string mode, TimeSpan patience) =>
        PgCtlAsync(["stop", "--wait", "--silent", $"--mode={mode}", "--timeout", Seconds(patience)], patience + TimeSpan.FromSeconds(5), CancellationToken.None);

    private async Task InitializeAsync(CancellationToken ct)
    {
        // Under another name until it is whole, so that a kill in the middle leaves nothing that looks like data.
        var unfinished = Path.Combine(_place, "unfinished");
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);
        Directory.CreateDirectory(unfinished, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await _account.OwnAsync(unfinished, ct);

        var data = Path.Combine(unfinished, "data");
        var password = Path.Combine(unfinished, "password");
        await Secret.WriteAsync(password, Password, ct);
        await _account.OwnAsync(password, ct);

        string[] arguments =
        [
            "--pgdata", data, "--username", LocalPostgres.UserName, "--pwfile", password, "--encoding=UTF8", "--auth=scram-sha-256", "--no-instructions",
            .. _throwAway ? ["--no-sync"] : Array.Empty<string>(),
        ];
        string[] locale = _binaries.Major >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] : ["--locale=C.UTF-8"];
        var result = await Tool.RunAsync(_account.Start(_binaries.Initdb, [.. arguments, .. locale]), InitdbLimit, ct);
        if (!result.Succeeded && result.Output.Contains("invalid locale name", StringComparison.Ordinal))
            result = await Tool.RunAsync(_account.Start(_binaries.Initdb, [.. arguments, "--locale=C"]), InitdbLimit, ct); // macOS before PostgreSQL 17
        if (!result.Succeeded)
            throw new LocalStartException($"{_binaries.Initdb} failed: {result.Output}");

        File.Delete(password);
        await File.AppendAllTextAsync(Path.Combine(data, "postgresql.conf"), $"{Environment.NewLine}include_if_exists = '{PostgresSettings.FileName}'{Environment.NewLine}", ct);
        Directory.Move(data, Data);
        Directory.Delete(unfinished, recursive: true);
    }

    private async Task WriteSettingsAsync(CancellationToken ct)
    {
        var small = OperatingSystem.IsLinux() && Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").TotalSize < SharedMemoryForParallelQueries;
        var file = Path.Combine(Data, PostgresSettings.FileName);
        await File.WriteAllTextAsync(file, PostgresSettings.Text(Port, _throwAway, small), ct);
        await _account.OwnAsync(file, ct);

        // The server appends to its log, which must be its own; one earlier log is kept.
        if (File.Exists(Log))
            File.Move(Log, Log + ".1", overwrite: true);
        await File.WriteAllTextAsync(Log, "", ct);
        await _account.OwnAsync(Log, ct);
    }

    /// <summary>The port of a server that runs on our data. A pid file whose process is gone, or is by now somebody else's, is removed.</summary>
    private async Task<int?> LeftoverAsync(CancellationToken ct)
    {
        if (!File.Exists(PidFile))
            return null;
        var text = await File.ReadAllTextAsync(PidFile, ct);
        var lines = text.Split('\n');
        var running = int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && RunsOnOurData(pid, text);
        if (!running)
        {
            File.Delete(PidFile);
            return null;
        }

        return lines.Length > 3 && int.TryParse(lines[3], NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0;
    }

    /// <summary>Wrong in one direction only: a server that may be ours counts as ours, because two servers on the same data would destroy them.</summary>
    private static bool RunsOnOurData(int pid, string pidFile)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            if (!process.ProcessName.StartsWith("postgres", StringComparison.Ordinal))
                return false;
            // A server works in its data folder; the number may by now be that of another server.
            return !OperatingSystem.IsLinux() || File.ReadAllText($"/proc/{pid}/cwd/postmaster.pid") == pidFile;
        }
        catch (ArgumentException)
        {
            return false; // no such process
        }
        catch (IOException)
        {
            return false; // it ended, or works elsewhere
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }

    private Task<ToolResult> PgCtlAsync(IEnumerable<string> arguments, TimeSpan limit, CancellationToken ct) =>
        Tool.RunAsync(_account.Start(_binaries.PgCtl, [.. arguments, "--pgdata", Data]), limit, ct);

    private async Task<string> RememberAsync(string name, Func<string> make, CancellationToken ct)
    {
        var file = Path.Combine(_folder, name);
        if (File.Exists(file) && (await File.ReadAllTextAsync(file, ct)).Trim() is { Length: > 0 } known)
            return known;
        var made = make();
        await Secret.WriteAsync(file, made, ct);
        return made;
    }

    private string LastLines() =>
        File.Exists(Log) ? string.Join(Environment.NewLine, File.ReadLines(Log).TakeLast(15)) : "";

    private static string Seconds(TimeSpan limit) => limit.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
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
