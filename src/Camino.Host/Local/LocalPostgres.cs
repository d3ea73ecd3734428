using System.Globalization;
using System.Runtime.Versioning;
using Npgsql;

namespace Camino.Host.Local;

/// <summary>A PostgreSQL server of our own on this machine, for `camino up` and for tests: on the loopback address, with a random password.</summary>
/// <remarks>Taken from, in this order: programs on the machine, the pinned npm package, a container engine. What was tried in vain is said when all fail.</remarks>
public sealed class LocalPostgres : IAsyncDisposable
{
    /// <summary>The server's superuser. Not named like Camino's schema: the search path would then find the schema by the user's name.</summary>
    public const string UserName = "postgres";

    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(8);
    private readonly Func<TimeSpan, Task> _stop;
    private readonly int _port;
    private readonly string _password;
    private bool _stopped;

    private LocalPostgres(int port, string password, string description, bool takenOver, Func<TimeSpan, Task> stop)
    {
        _port = port;
        _password = password;
        _stop = stop;
        Description = description;
        TakenOver = takenOver;
    }

    /// <summary>What it is and where from, for people: "PostgreSQL 15.13 from /usr/lib/postgresql/15/bin".</summary>
    public string Description { get; }

    /// <summary>Whether a killed run had left it running.</summary>
    public bool TakenOver { get; }

    /// <summary>Starts the server of a folder; the first time its data are made, after that they are kept.</summary>
    /// <exception cref="LocalStartException">There is no PostgreSQL and none can be installed, or it does not start.</exception>
    public static Task<LocalPostgres> StartAsync(LocalPostgresOptions options, CancellationToken ct) =>
        OperatingSystem.IsWindows()
            ? throw new LocalStartException("On Windows, use the Linux subsystem (WSL), or name a server of your own in CAMINO_DATABASE.")
            : StartHereAsync(options, ct);

    /// <summary>Connection string for one of the server's databases.</summary>
    public string ConnectionString(string database) => ConnectionString(_port, _password, database);

    /// <summary>Stops the server; a second call does nothing.</summary>
    /// <param name="patience">So long it may write its last checkpoint; then it is stopped at once, and recovers at the next start. Committed rows are safe either way.</param>
    public async Task StopAsync(TimeSpan patience)
    {
        if (_stopped)
            return;
        _stopped = true;
        NpgsqlConnection.ClearAllPools();
        await _stop(patience);
    }

    public async ValueTask DisposeAsync() => await StopAsync(StopPatience);

    internal static string ConnectionString(int port, string password, string database) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = UserName,
            Password = password,
            Database = database,
            GssEncryptionMode = GssEncryptionMode.Disable, // slim images have no Kerberos library, and looking for it takes time
            SslMode = SslMode.Disable,
        }.ConnectionString;

    [UnsupportedOSPlatform("windows")]
    private static async Task<LocalPostgres> StartHereAsync(LocalPostgresOptions options, CancellationToken ct)
    {
        var folder = Directory.CreateDirectory(Path.GetFullPath(options.Folder)).FullName;
        var place = await OpenFolder.KnownAsync(folder, ct)
            ?? (await PostgresAccount.ForAsync(folder, ct) is null ? await OpenFolder.ForAsync(folder, ct) : folder);
        var major = await MajorOfDataAsync(folder, ct) ?? await MajorOfDataAsync(place, ct);
        var reasons = new List<string>();
        if (PostgresBinaries.Forced != PostgresContainer.Forced
            && !PostgresContainer.HasDataIn(folder)
            && await PostgresBinaries.FindAsync(options.PackageFolder, major, reasons, options.Say, ct) is { } binaries)
        {
            var server = await PostgresProcess.PrepareAsync(binaries, folder, place, options.ThrowAway, ct);
            // A start that is given up half-way would leave a server behind, so it is finished first; it is a matter of a second.
            var takenOver = await server.StartAsync(port => AnswersAsync(port, server.Password, CancellationToken.None), CancellationToken.None);
            if (ct.IsCancellationRequested)
            {
                await server.StopAsync(StopPatience);
                ct.ThrowIfCancellationRequested();
            }

            return new LocalPostgres(server.Port, server.Password, $"PostgreSQL {binaries.Version} from {binaries.Bin}", takenOver, server.StopAsync);
        }

        if (options.Containers && major is null && await PostgresContainer.StartAsync(folder, options, reasons, ct) is { } container)
        {
            await AnswersInTimeAsync(container, ct);
            return new LocalPostgres(container.Port, container.Password, container.Description, container.TakenOver, container.StopAsync);
        }

        throw new LocalStartException(WhatToDo(major, folder, reasons));
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task<int?> MajorOfDataAsync(string place, CancellationToken ct)
    {
        var file = Path.Combine(place, "data", "PG_VERSION");
        try
        {
            return File.Exists(file) ? int.Parse((await File.ReadAllTextAsync(file, ct)).Trim(), NumberStyles.None, CultureInfo.InvariantCulture) : null;
        }
        catch (Exception broken) when (broken is FormatException or UnauthorizedAccessException)
        {
            throw new LocalStartException($"{file} cannot be read, so the data beside it cannot be used: {broken.Message} Use another data folder with --data.", broken);
        }
    }

    private static async Task<bool> AnswersAsync(int port, string password, CancellationToken ct)
    {
        try
        {
            var text = new NpgsqlConnectionStringBuilder(ConnectionString(port, password, "postgres")) { Pooling = false, Timeout = 5 }.ConnectionString;
            await using var connection = new NpgsqlConnection(text);
            await connection.OpenAsync(ct);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task AnswersInTimeAsync(PostgresContainer container, CancellationToken ct)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timer.CancelAfter(AnswerLimit);
        try
        {
            while (!await AnswersAsync(container.Port, container.Password, timer.Token))
                await Task.Delay(TimeSpan.FromMilliseconds(100), timer.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            await container.StopAsync(StopPatience);
            throw new LocalStartException($"{container.Description} did not answer within {AnswerLimit.TotalSeconds:0} seconds.");
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static string WhatToDo(int? major, string folder, List<string> reasons)
    {
        var tried = string.Concat(reasons.Select(reason => $"{Environment.NewLine}  - {reason}"));
        return major is null
            ? $"Camino needs PostgreSQL and found none:{tried}{Environment.NewLine}Install PostgreSQL {PostgresBinaries.OldestMajor} or newer (Debian: apt-get install postgresql; macOS: brew install postgresql@17), or npm, or start a container engine, or name a server in CAMINO_DATABASE=<connection string>."
            : $"The data in {folder} were written by PostgreSQL {major}, and there is no such version here:{tried}{Environment.NewLine}Install PostgreSQL {major}, or use another data folder with --data.";
    }
}

/// <summary>Where a local server lives and how careful it is.</summary>
public sealed record LocalPostgresOptions
{
    /// <summary>Holds data, password, port and log; made when missing.</summary>
    public required string Folder { get; init; }

    /// <summary>Where the npm package is kept, when it is needed.</summary>
    public required string PackageFolder { get; init; }

    /// <summary>Says in a line what takes long: an installation, a download.</summary>
    public required Action<string> Say { get; init; }

    /// <summary>For tests: fast, and not safe against a crash of the machine.</summary>
    public bool ThrowAway { get; init; }

    /// <summary>Whether a container engine is the last way out.</summary>
    public bool Containers { get; init; } = true;
}
