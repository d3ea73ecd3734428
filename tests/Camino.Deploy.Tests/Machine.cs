using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Camino.Data;
using Camino.Testing;
using Npgsql;
using NUnit.Framework;

namespace Camino.Deploy.Tests;

/// <summary>A place to deploy to: processes on this machine on a real database, reached by the scripts of the pipeline with CAMINO_TARGET=machine.</summary>
internal sealed class Machine : IAsyncDisposable
{
    private readonly TestDatabase _database;
    private readonly string _folder = Directory.CreateTempSubdirectory("camino-machine-").FullName;
    private readonly (int Office, int Async) _ports = (FreePort(), FreePort());
    private readonly List<int> _strays = [];

    private Machine(TestDatabase database) => _database = database;

    public Uri Address => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_ports.Office}"));

    public string KeyFile => Path.Combine(_folder, "key");

    public static async Task<Machine> StartAsync()
    {
        Place.Needs("bash", "jq", "tail");
        var machine = new Machine(await TestDatabase.CreateAsync("migrated", PrepareAsync));
        await File.WriteAllTextAsync(Path.Combine(machine._folder, "env"), $"""
            CAMINO_Database__ConnectionString='{machine._database.ConnectionString}'
            CAMINO_Files__Folder='{Path.Combine(machine._folder, "files")}'
            CAMINO_Log__Format=Json
            BACK_OFFICE_ADDRESS={machine.Address}

            """);
        return machine;
    }

    /// <summary>The schema is there already, as in every deploy but the first; what that one does is tested where migrations are.</summary>
    private static async Task PrepareAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await Migrator.MigrateAsync(source, options => global::Camino.Host.Database.Configure(options, source), CancellationToken.None);
    }

    /// <summary>An "image" of that release: this build, told which number it has, with both configuration files; and its manifest.</summary>
    /// <param name="breaks">The role of this file does not start from it.</param>
    /// <returns>The manifest's path.</returns>
    public async Task<string> ReleaseAsync(int number, string? breaks = null)
    {
        var image = Directory.CreateDirectory(Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"release-{number}"))).FullName;
        var program = Path.Combine(Path.GetDirectoryName(typeof(global::Camino.Host.Program).Assembly.Location) ?? "", "..", "..", "Camino.Host", new DirectoryInfo(AppContext.BaseDirectory).Name, "camino.dll");
        var fails = breaks is null ? "" : $"if [[ $* == *run*{breaks}* ]]; then echo 'this image is bad' >&2; exit 1; fi";
        await File.WriteAllTextAsync(Path.Combine(image, "camino"), $"#!/usr/bin/env bash\n{fails}\nexport CAMINO_RELEASE={number}\nexec dotnet '{Path.GetFullPath(program)}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.Combine(image, "camino"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Path.Combine(image, "appsettings.BackOffice.json"), Place.Text("appsettings.BackOffice.json").Replace("127.0.0.1:8080", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_ports.Office}"), StringComparison.Ordinal));
        await File.WriteAllTextAsync(Path.Combine(image, "appsettings.Async.json"), Place.Text("appsettings.Async.json").Replace("127.0.0.1:8081", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_ports.Async}"), StringComparison.Ordinal));
        var manifest = image + ".json";
        await File.WriteAllTextAsync(manifest, JsonSerializer.Serialize(new { release = number, image }));
        return manifest;
    }

    /// <summary>One script of deploy/scripts, as the pipeline calls it.</summary>
    public Task<Ended> ScriptAsync(string name, string manifest, params string[] arguments) => Place.RunAsync(
        Place.File($"deploy/scripts/{name}"),
        ["--manifest", manifest, .. arguments],
        new Dictionary<string, string> { ["CAMINO_TARGET"] = "machine", ["CAMINO_MACHINE"] = _folder, ["CAMINO_BY"] = "the pipeline", ["SMOKE_KEY_FILE"] = KeyFile });

    /// <summary>The jobs of one production stage in their order, undo when one fails.</summary>
    /// <returns>The first job that failed; null when all went well.</returns>
    public async Task<(string? FailedAt, string Said)> DeployAsync(string manifest, bool withOffice = true)
    {
        List<(string Job, Func<Task<Ended>> Run)> jobs =
        [
            ("guard", () => ScriptAsync("guard", manifest)),
            ("migrate", () => ScriptAsync("migrate", manifest)),
            ("admit", () => ScriptAsync("admit", manifest)),
            ("async", () => ScriptAsync("deploy-role", manifest, "--role", "async", "--config", "appsettings.Async.json")),
        ];
        if (withOffice)
        {
            jobs.Add(("back_office", () => ScriptAsync("deploy-role", manifest, "--role", "back-office", "--config", "appsettings.BackOffice.json")));
            jobs.Add(("smoke", () => ScriptAsync("smoke", manifest)));
        }

        jobs.Add(("promote", () => ScriptAsync("promote", manifest)));
        foreach (var (job, run) in jobs)
        {
            var ended = await run();
            if (ended.Code == 0)
                continue;
            var undone = await ScriptAsync("undo", manifest);
            Assert.That(undone.Code, Is.Zero, $"undo after {job}: {undone}\n{ended}");
            return (job, ended.ToString());
        }

        return (null, "");
    }

    /// <summary>One verb of an image, with the place's settings.</summary>
    public async Task<string> VerbAsync(string manifest, params string[] verb)
    {
        var ended = await Place.RunAsync("bash", ["-c", "set -a; source \"$1/env\"; set +a; cd \"$2\"; shift 2; exec ./camino \"$@\"", "bash", _folder, manifest[..^".json".Length], .. verb]);
        Assert.That(ended.Code, Is.Zero, ended.ToString());
        return ended.Output;
    }

    /// <summary>First use: the schema, and a key for the smoke test.</summary>
    public async Task BeginAsync(string manifest)
    {
        var migrated = await ScriptAsync("migrate", manifest);
        Assert.That(migrated.Code, Is.Zero, migrated.ToString());
        using var demo = JsonDocument.Parse((await VerbAsync(manifest, "seed-demo", "--config", "appsettings.BackOffice.json", "--data", _folder)).Split('\n')[^1]);
        await File.WriteAllTextAsync(KeyFile, demo.RootElement.GetProperty("apiKey").GetString());
    }

    /// <summary>An Async Server that no script knows of, as somebody leaves one running; waits until it is registered.</summary>
    public async Task<Process> StrayAsync(string manifest, int release)
    {
        var start = new ProcessStartInfo("bash", ["-c", "set -a; source \"$1/env\"; set +a; cd \"$2\"; export CAMINO_Web__Urls=http://127.0.0.1:0 CAMINO_Jobs__RetireSeconds=2; exec ./camino run --config appsettings.Async.json >stray.log 2>&1", "bash", _folder, manifest[..^".json".Length]]);
        var process = Process.Start(start) ?? throw new InvalidOperationException("bash does not start.");
        _strays.Add(process.Id);
        await UntilAsync(async () => await CountAsync("select count(*) from camino.processes where release_number = $1 and role = 'Async'", (long)release) > 0);
        return process;
    }

    /// <summary>What camino release list says.</summary>
    public async Task<JsonElement> ServersAsync(string manifest) => JsonDocument.Parse(await VerbAsync(manifest, "release", "list", "--json", "--config", "appsettings.Async.json")).RootElement;

    public async Task<long> CountAsync(string sql, params object[] values)
    {
        await using var source = NpgsqlDataSource.Create(_database.ConnectionString);
        await using var command = source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.AddWithValue(value);
        return await command.ExecuteScalarAsync() as long? ?? 0;
    }

    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!await isSo())
            await timer.WaitForNextTickAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pid in Directory.GetFiles(_folder, "*.pid").Select(file => int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture)).Concat(_strays))
            await EndAsync(pid);
        await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task EndAsync(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
            await process.WaitForExitAsync();
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            // it has ended
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
