using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Camino.Host.Local;
using Npgsql;

namespace Camino.Rehearsal;

/// <summary>Something that the rehearsal needs and the machine lacks, or a scene that did not come about.</summary>
public sealed class RehearsalException(string message) : Exception(message);

/// <summary>What a deploy meets in production, on this machine: PostgreSQL with its four users, PgBouncer before it, HAProxy before the Back Offices.</summary>
internal sealed class Stage : IAsyncDisposable
{
    public const string Password = "a password of the rehearsal";
    private const int Offices = 4;

    /// <summary>The pooler's entry whose connections are given to one client for as long as it stays.</summary>
    private const string DirectEntry = "camino_direct";

    private readonly List<ChildProcess> _children = [];
    private ChildProcess? _balancer;
    private readonly string _folder;
    private readonly Action<string> _say;
    private readonly int[] _officePorts;
    private LocalPostgres _postgres = null!;
    private int _poolerPort;
    private int _freeOffice;

    private Stage(string folder, Action<string> say)
    {
        _folder = folder;
        _say = say;
        _officePorts = [.. Enumerable.Range(0, Offices).Select(_ => FreePort())];
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}"));
        Api = Client();
        Pages = Client();
    }

    /// <summary>The proxy, which spreads requests over the Back Offices that say they are ready.</summary>
    public Uri Address { get; }

    /// <summary>Signed in by key, through the proxy.</summary>
    public HttpClient Api { get; }

    /// <summary>Somebody who is not signed in, through the proxy.</summary>
    public HttpClient Pages { get; }

    /// <summary>As the administrator, past the pooler.</summary>
    public NpgsqlDataSource Database { get; private set; } = null!;

    /// <summary>Connections that the roles may have together: what camino check adds up, for two of each role and twice of it in a rollout.</summary>
    public int Budget => (2 * (OfficePool + 1) * 2) + (2 * (AsyncPool + 6) * 2) + 4 + 5;

    private static int OfficePool => 8;

    private static int AsyncPool => 10;

    public static async Task<Stage> StartAsync(Action<string> say, CancellationToken ct)
    {
        var pgbouncer = Find("/usr/sbin/pgbouncer", "pgbouncer");
        var haproxy = Find("/usr/sbin/haproxy", "haproxy");
        var folder = Directory.CreateTempSubdirectory("camino-rehearsal-").FullName;
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("755", 8));
        var stage = new Stage(folder, say);
        try
        {
            await stage.StartDatabaseAsync(ct);
            stage.StartPooler(pgbouncer);
            stage.StartBalancer(haproxy);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>An Async Server of a release.</summary>
    public ChildProcess StartAsyncServer(Build build, params (string Name, string Value)[] more) => Role(build, "Async", 0, "camino_async", more);

    /// <summary>Invented outside services, on an address of the loopback.</summary>
    public ChildProcess StartSandbox(Build build, Uri address, double errors)
    {
        var child = build.Start(["sandbox", "--port", address.Port.ToString(CultureInfo.InvariantCulture), "--seed", "7", "--errors", errors.ToString(CultureInfo.InvariantCulture)], new Dictionary<string, string?>(StringComparer.Ordinal));
        _children.Add(child);
        return child;
    }

    /// <summary>A folder that goes with the stage.</summary>
    public string MakeFolder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    /// <summary>A Back Office of a release, on the next place that the proxy knows.</summary>
    public (ChildProcess Process, Uri Address) StartOffice(Build build, params (string Name, string Value)[] more)
    {
        var port = _officePorts[_freeOffice++ % Offices];
        while (IsTaken(port))
            port = _officePorts[_freeOffice++ % Offices];
        return (Role(build, "BackOffice", port, "camino_web", more), new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")));
    }

    /// <summary>Runs a verb of an operator to its end.</summary>
    /// <exception cref="RehearsalException">it ended with another exit code than 0.</exception>
    public async Task<string> RunAsync(Build build, params string[] arguments)
    {
        await using var verb = Verb(build, arguments);
        var code = await verb.EndAsync();
        var text = string.Join('\n', verb.Lines);
        return code == 0 ? text : throw new RehearsalException($"camino {string.Join(' ', arguments)} ended with exit code {code}: {text}");
    }

    /// <summary>Runs a verb that may be refused.</summary>
    public async Task<(int Code, string Text)> TryAsync(Build build, params string[] arguments)
    {
        await using var verb = Verb(build, arguments);
        return (await verb.EndAsync(), string.Join('\n', verb.Lines));
    }

    /// <summary>The same with other settings.</summary>
    public async Task<(int Code, string Text)> TryAsync(Build build, (string Name, string Value)[] settings, params string[] arguments)
    {
        await using var verb = Verb(build, arguments, settings);
        return (await verb.EndAsync(), string.Join('\n', verb.Lines));
    }

    /// <summary>Begins a verb and does not wait for its end.</summary>
    public ChildProcess StartVerb(Build build, params string[] arguments) => Verb(build, arguments);

    /// <summary>Settings of a verb that makes and fills databases: the owner of the server.</summary>
    public (string Name, string Value)[] AsOwner() => [("CAMINO_Migration__ConnectionString", ConnectionString("camino"))];

    /// <summary>Where backups go.</summary>
    public string BackupFolder => Path.Combine(_folder, "backups");

    /// <summary>A database of the server, as its owner.</summary>
    public string ConnectionString(string database) => _postgres.ConnectionString(database);

    /// <summary>The same, to ask it.</summary>
    public NpgsqlDataSource Source(string database) => NpgsqlDataSource.Create(ConnectionString(database));

    /// <summary>A folder with the password of the Back Office's user, one file a key.</summary>
    public string MakeSecrets()
    {
        var secrets = Directory.CreateDirectory(Path.Combine(_folder, "secrets")).FullName;
        File.WriteAllText(Path.Combine(secrets, "Database__Password"), Password);
        return secrets;
    }

    /// <summary>A Back Office past the pooler, whose password stands in that folder and whose connections are made anew all the time.</summary>
    public (ChildProcess Process, Uri Address) StartDirectOffice(Build build, string secrets)
    {
        var straight = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString("camino")) { Username = "camino_web", Password = null, ConnectionLifetime = 1 };
        return StartOffice(build, ("CAMINO_SecretsFolder", secrets), ("CAMINO_Database__Pooler", "false"), ("CAMINO_Database__ConnectionString", straight.ConnectionString));
    }

    /// <summary>As an operator does it: the next password beside the one in use, then the user, then in its place.</summary>
    public async Task RotateAsync(string secrets, string user, string password, Func<Task> between)
    {
        var place = Path.Combine(secrets, "Database__PasswordNext");
        await File.WriteAllTextAsync(place, password);
        await ExecuteAsync($"alter role {user} password '{password}'");
        await between();
        File.Move(place, Path.Combine(secrets, "Database__Password"), overwrite: true);
    }

    /// <summary>Makes the demo users and signs the client in.</summary>
    public async Task SeedAsync(Build build)
    {
        var seeded = await RunAsync(build, "seed-demo", "--data", _folder);
        var line = seeded.Split('\n').First(text => text.StartsWith('{'));
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", JsonDocument.Parse(line).RootElement.GetProperty("apiKey").GetString());
    }

    /// <summary>Stops PostgreSQL and starts it again on its old place.</summary>
    public async Task RestartDatabaseAsync(Func<Task> whileAway, CancellationToken ct)
    {
        await _postgres.StopAsync(TimeSpan.FromSeconds(10));
        await whileAway();
        _postgres = await StartPostgresAsync(ct);
        Database.Clear(); // its connections went with the server
    }

    /// <summary>1 when an Async Server is registered and lives, else 0.</summary>
    public Task<long> LivingAsync(ChildProcess worker) =>
        ScalarAsync<long>(string.Create(CultureInfo.InvariantCulture, $"select count(*) from jobs.server where name like '%/{worker.Pid}' and stopped_at is null and lost_at is null"));

    /// <summary>The database's clock.</summary>
    public Task<DateTime> NowAsync() => ScalarAsync<DateTime>("select clock_timestamp()");

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)Convert.ChangeType(await command.ExecuteScalarAsync() ?? throw new RehearsalException($"Nothing came of {sql}"), typeof(T), CultureInfo.InvariantCulture);
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Holds up whoever stores loans: a worker stops in the middle of its transaction until what is returned is disposed.</summary>
    public async Task<IAsyncDisposable> HoldLoansAsync()
    {
        var connection = await Database.OpenConnectionAsync();
        await using var hold = new NpgsqlCommand("begin; lock table camino.loans in share row exclusive mode", connection);
        await hold.ExecuteNonQueryAsync();
        return connection; // its return to the pool rolls back
    }

    /// <summary>Waits until a worker is held up inside its transaction.</summary>
    public Task UntilHeldUpAsync(CancellationToken ct) =>
        UntilAsync(async () => await ScalarAsync<long>("select count(*) from pg_stat_activity where usename = 'camino_async' and wait_event_type = 'Lock' and wait_event = 'relation'") > 0, "a worker to be inside an effect", ct);

    /// <summary>The status of a path, or 0 when nobody answers.</summary>
    public static async Task<int> StatusAsync(Uri address, string path)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        try
        {
            using var answer = await client.GetAsync(new Uri(address, path));
            return (int)answer.StatusCode;
        }
        catch (Exception silent) when (silent is HttpRequestException or TaskCanceledException)
        {
            return 0;
        }
    }

    /// <summary>Waits for something to become true.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        try
        {
            while (!await condition())
                await Task.Delay(50, limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new RehearsalException($"Waited 3 minutes in vain for {what}.");
        }
    }

    public HttpClient Client() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, MaxConnectionsPerServer = 200 }) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        Pages.Dispose();
        foreach (var child in _children.AsEnumerable().Reverse())
            await child.DisposeAsync();
        if (Database is not null)
            await Database.DisposeAsync();
        if (_postgres is not null)
            await _postgres.StopAsync(TimeSpan.Zero);
        Directory.Delete(_folder, recursive: true);
    }

    private static string Find(string place, string name) =>
        new[] { place }.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists)
        ?? throw new RehearsalException($"{name} is not on this machine (Debian: apt-get install {name}).");

    private static bool IsTaken(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task StartDatabaseAsync(CancellationToken ct)
    {
        _postgres = await StartPostgresAsync(ct);
        _say(_postgres.Description);
        await using (var maintenance = NpgsqlDataSource.Create(_postgres.ConnectionString("postgres")))
        {
            await using var make = maintenance.CreateCommand("create database camino template template0 encoding 'UTF8'");
            await make.ExecuteNonQueryAsync(ct);
        }

        Database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_postgres.ConnectionString("camino")) { MaxPoolSize = 5, ApplicationName = "camino rehearsal" }.ConnectionString);
        await ExecuteAsync(await File.ReadAllTextAsync(Path.Combine(Repository.Root ?? "", "deploy", "postgres", "roles.sql"), ct));
        foreach (var user in new[] { "camino_migrator", "camino_web", "camino_async", "camino_readonly" })
            await ExecuteAsync($"alter role {user} password '{Password}'");
    }

    private Task<LocalPostgres> StartPostgresAsync(CancellationToken ct) => LocalPostgres.StartAsync(
        new LocalPostgresOptions { Folder = Path.Combine(_folder, "postgres"), PackageFolder = Path.Combine(Repository.Root ?? _folder, ".camino", "postgres"), Say = _say, ThrowAway = true }, ct);

    private void StartPooler(string program)
    {
        _poolerPort = FreePort();
        StartPooler(program, "pgbouncer.ini", "127.0.0.1", _poolerPort);
    }

    /// <summary>An Async Server behind a line that can be cut, with a pooler at the near end of it; <see cref="DirectEntry"/> stands for the way past the pooler.</summary>
    public ChildProcess StartAsyncServer(Build build, CutOffPlace place)
    {
        var port = FreePort();
        StartPooler(Find("/usr/sbin/pgbouncer", "pgbouncer"), "pgbouncer-line.ini", place.Outside, port);
        var through = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString("camino")) { Host = place.Outside, Port = port, Username = "camino_async", Password = Password };
        var direct = new NpgsqlConnectionStringBuilder(through.ConnectionString) { Database = DirectEntry };
        var child = build.Start(place.Enter, ["run", "--config", Config("Async")], Variables(build, "Async", 0, "camino_async", [("CAMINO_Database__ConnectionString", through.ConnectionString), ("CAMINO_Database__DirectConnectionString", direct.ConnectionString)]));
        _children.Add(child);
        return child;
    }

    private void StartPooler(string program, string name, string address, int port)
    {
        var database = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString("camino"));
        var users = Write("users.txt", $"\"camino_web\" \"{Password}\"\n\"camino_async\" \"{Password}\"\n");
        var file = Write(name, $"""
            [databases]
            camino = host={database.Host} port={database.Port} dbname=camino
            {DirectEntry} = host={database.Host} port={database.Port} dbname=camino pool_mode=session
            [pgbouncer]
            listen_addr = {address}
            listen_port = {port}
            tcp_keepalive = 1
            tcp_keepidle = 5
            tcp_keepintvl = 2
            tcp_keepcnt = 3
            tcp_user_timeout = 10000
            unix_socket_dir =
            auth_type = plain
            auth_file = {users}
            pool_mode = transaction
            default_pool_size = 20
            max_client_conn = 500
            server_reset_query =
            server_login_retry = 1
            ignore_startup_parameters = extra_float_digits
            """);
        string[] arguments = Environment.IsPrivilegedProcess ? ["-u", "nobody", file] : [file];
        _children.Add(ChildProcess.Start(program, arguments));
    }

    private void StartBalancer(string program)
    {
        var servers = string.Join('\n', _officePorts.Select(port => string.Create(CultureInfo.InvariantCulture, $"    server office{port} 127.0.0.1:{port}")));
        var file = Write("haproxy.cfg", $"""
            global
                log stdout format raw local0
            defaults
                mode http
                log global
                log-format "%Ta ms %HM %HPO %ST by %s: queue %Tw, connect %Tc, first byte %Tr ms, %rc retries"
                timeout connect 1s
                timeout client 60s
                timeout server 60s
                timeout queue 5s
                timeout check 10s
                retries 3
                option redispatch 1
                option http-server-close
            frontend pages
                bind 127.0.0.1:{Address.Port}
                default_backend offices
            backend offices
                balance roundrobin
                option httpchk GET /health/ready
                http-check expect status 200
                retry-on conn-failure empty-response 503
                http-request disable-l7-retry if METH_POST
                default-server check inter 250ms fall 2 rise 1
            {servers}

            """);
        _balancer = ChildProcess.Start(program, ["-db", "-f", file]);
        _children.Add(_balancer);
    }

    /// <summary>What the balancer says of the requests that took it longest: where their time went.</summary>
    public IReadOnlyList<string> SlowestRequests(int most) =>
    [
        .. (_balancer?.Lines ?? []).Select(line => (Milliseconds: int.TryParse(line.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var time) ? time : 0, Line: line))
            .Where(line => line.Milliseconds > 0).OrderByDescending(line => line.Milliseconds).Take(most).Select(line => line.Line),
    ];

    private ChildProcess Role(Build build, string role, int port, string user, (string Name, string Value)[] more)
    {
        var child = build.Start(["run", "--config", Config(role)], Variables(build, role, port, user, more));
        _children.Add(child);
        return child;
    }

    private ChildProcess Verb(Build build, string[] arguments, params (string Name, string Value)[] more)
    {
        var variables = Variables(build, "BackOffice", 0, "camino_web", []);
        variables["CAMINO_Migration__ConnectionString"] = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString("camino")) { Username = "camino_migrator", Password = Password }.ConnectionString;
        foreach (var (name, value) in more)
            variables[name] = value;
        return build.Start([.. arguments, "--config", Config("BackOffice")], variables);
    }

    private Dictionary<string, string?> Variables(Build build, string role, int port, string user, (string Name, string Value)[] more)
    {
        var straight = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString("camino")) { Username = user, Password = Password };
        var pooled = new NpgsqlConnectionStringBuilder(straight.ConnectionString) { Port = _poolerPort };
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["CAMINO_RELEASE"] = build.Release.ToString(CultureInfo.InvariantCulture),
            ["CAMINO_Database__ConnectionString"] = pooled.ConnectionString,
            ["CAMINO_Database__Pooler"] = "true",
            ["CAMINO_Database__MaxPoolSize"] = (role == "Async" ? AsyncPool : OfficePool).ToString(CultureInfo.InvariantCulture),
            ["CAMINO_Web__Urls"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
            ["CAMINO_Files__Folder"] = Path.Combine(_folder, "files"),
            ["CAMINO_Log__Format"] = "Json",
        };
        if (role == "Async")
        {
            variables["CAMINO_Database__DirectConnectionString"] = straight.ConnectionString;
            variables["CAMINO_Jobs__LeaseSeconds"] = "5";
            variables["CAMINO_Jobs__RetireSeconds"] = "600"; // it is the scenes that end it
            variables["CAMINO_Imports__ChunkRows"] = "500";
        }
        else
        {
            variables["CAMINO_Web__BehindProxy"] = "true";
            variables["CAMINO_Web__DrainSeconds"] = "3";
        }

        foreach (var (name, value) in more)
            variables[name] = value;
        return variables;
    }

    private static string Config(string role) => Path.Combine(Repository.Root ?? "", $"appsettings.{role}.json");

    private string Write(string name, string text)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllText(file, text);
        return file;
    }
}

/// <summary>A build of the program that plays a release.</summary>
/// <param name="Program">camino.dll of the build.</param>
/// <param name="Release">The number that it goes by here.</param>
internal sealed record Build(string Program, int Release)
{
    public ChildProcess Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> variables) => ChildProcess.Start("dotnet", [Program, .. arguments], variables);

    /// <param name="before">A program, with arguments, that becomes this one.</param>
    public ChildProcess Start(IReadOnlyList<string> before, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> variables) =>
        ChildProcess.Start(before[0], [.. before.Skip(1), "dotnet", Program, .. arguments], variables);
}
