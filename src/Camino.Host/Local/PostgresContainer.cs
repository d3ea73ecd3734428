using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;

namespace Camino.Host.Local;

/// <summary>PostgreSQL in a container, for a machine that has an engine but neither PostgreSQL nor npm. The data are in a named volume of the engine.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class PostgresContainer
{
    /// <summary>The value of CAMINO_POSTGRES that asks for a container.</summary>
    public const string Forced = "container";

    private const string Image = "postgres:18-alpine";
    private const string Marker = "container";
    private static readonly string[] Engines = ["docker", "podman"];
    private static readonly TimeSpan QuickLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PullLimit = TimeSpan.FromMinutes(10);
    private readonly string _engine;
    private readonly string _name;
    private readonly bool _throwAway;

    private PostgresContainer(string engine, string name, int port, string password, bool throwAway, bool takenOver)
    {
        _engine = engine;
        _name = name;
        _throwAway = throwAway;
        Port = port;
        Password = password;
        TakenOver = takenOver;
    }

    public int Port { get; }

    public string Password { get; }

    public bool TakenOver { get; }

    public string Description => $"{Image} in the container {_name} ({Path.GetFileName(_engine)})";

    /// <summary>Whether an earlier start of this folder used a container: its data are there.</summary>
    public static bool HasDataIn(string folder) => File.Exists(Path.Combine(folder, Marker));

    /// <returns>Null, with reasons, when no engine answers or it has no image.</returns>
    public static async Task<PostgresContainer?> StartAsync(string folder, LocalPostgresOptions options, List<string> reasons, CancellationToken ct)
    {
        if (await EngineAsync(ct) is not { } engine)
        {
            reasons.Add("no container engine (docker, podman) answers");
            return null;
        }

        var passwordFile = Path.Combine(folder, "password");
        var password = File.Exists(passwordFile) ? (await File.ReadAllTextAsync(passwordFile, ct)).Trim() : Secret.New();
        await Secret.WriteAsync(passwordFile, password, ct);
        var environment = Path.Combine(folder, "container.env");
        await Secret.WriteAsync(environment, $"POSTGRES_PASSWORD={password}\nPGDATA=/var/lib/postgresql/camino/data\n", ct);

        var name = "camino-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder)))[..12];
        var takenOver = await PortAsync(engine, name, ct) is not null;
        if (!takenOver)
        {
            options.Say($"starting {Image} with {engine} (the first time it is downloaded)");
            await RunAsync(engine, ["rm", "--force", name], QuickLimit, ct);
            string[] durability = options.ThrowAway ? ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=300"] : [];
            var started = await RunAsync(
                engine,
                ["run", "--detach", "--name", name, "--env-file", environment, "--publish", "127.0.0.1::5432", "--volume", $"{name}:/var/lib/postgresql/camino", "--shm-size", "256m",
                    Image, "-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB", .. durability],
                PullLimit,
                ct);
            if (!started.Succeeded)
            {
                reasons.Add($"{engine} cannot start {Image}: {started.Output}");
                return null;
            }
        }

        if (await PortAsync(engine, name, ct) is not { } port)
        {
            reasons.Add($"{engine} started {Image} but does not say its port");
            return null;
        }

        await File.WriteAllTextAsync(Path.Combine(folder, Marker), name, ct);
        return new PostgresContainer(engine, name, port, password, options.ThrowAway, takenOver);
    }

    public async Task StopAsync(TimeSpan patience)
    {
        if (!_throwAway)
            await RunAsync(_engine, ["stop", "--time", patience.TotalSeconds.ToString("0", CultureInfo.InvariantCulture), _name], QuickLimit, CancellationToken.None);
        await RunAsync(_engine, ["rm", "--force", _name], QuickLimit, CancellationToken.None);
        if (_throwAway)
            await RunAsync(_engine, ["volume", "rm", "--force", _name], QuickLimit, CancellationToken.None);
    }

    private static async Task<string?> EngineAsync(CancellationToken ct)
    {
        foreach (var engine in Engines.Select(Tool.Find).OfType<string>())
        {
            if ((await RunAsync(engine, ["info"], QuickLimit, ct)).Succeeded)
                return engine;
        }

        return null;
    }

    private static async Task<int?> PortAsync(string engine, string name, CancellationToken ct)
    {
        var answer = await RunAsync(engine, ["port", name, "5432/tcp"], QuickLimit, ct);
        var first = answer.Output.Split('\n')[0].Trim();
        return answer.Succeeded && int.TryParse(first[(first.LastIndexOf(':') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;
    }

    private static Task<ToolResult> RunAsync(string engine, IEnumerable<string> arguments, TimeSpan limit, CancellationToken ct) =>
        Tool.RunAsync(new ProcessStartInfo(engine, arguments), limit, ct);
}
