using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Camino.Host.Local;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>A Camino to measure: a durable PostgreSQL of its own and both roles as processes of the Release build, in a folder that is removed at the end.</summary>
internal sealed partial class Bed : IAsyncDisposable
{
    private readonly LocalCamino? _camino;
    private readonly IReadOnlyList<RunningRole> _roles;
    private readonly DemoAccess? _demo;
    private readonly string _address;

    private Bed(string folder, LocalCamino? camino, IReadOnlyList<RunningRole> roles, DemoAccess? demo, string address, string connectionString)
    {
        Folder = folder;
        _camino = camino;
        _roles = roles;
        _demo = demo;
        _address = address;
        Database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 600, ApplicationName = "camino-bench" }.ConnectionString);
        Api = Client();
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", demo?.ApiKey);
    }

    /// <summary>Around what somebody else started and stops.</summary>
    public static Bed Around(string folder, string address, string connectionString, DemoAccess demo) => new(folder, null, [], demo, address, connectionString);

    /// <summary>Room for files.</summary>
    public string Folder { get; }

    /// <summary>The server behind the roles.</summary>
    public NpgsqlDataSource Database { get; }

    /// <summary>Signed in by key.</summary>
    public HttpClient Api { get; }

    /// <summary>The build of the program beside this one.</summary>
    public static string Program { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../Camino.Host/release/camino.dll"));

    public static string NewFolder() => Directory.CreateTempSubdirectory("camino-bench-").FullName;

    public static async Task<Bed> StartAsync(Report report, CancellationToken ct)
    {
        if (!File.Exists(Program))
            throw new BenchFailedException($"{Program} is not built; run this through ./camino bench.");
        var folder = NewFolder();
        var data = Path.Combine(folder, "data");
        var camino = new LocalCamino(new UpSettings(Port: 0, data, Demo: true, Smoke: false) { Program = ["dotnet", Program], GivenDatabase = null }, report.Say);
        try
        {
            // others may pass through, because PostgreSQL's user must
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            report.Say("starting PostgreSQL and both roles");
            await camino.StartAsync(ct);
            var running = Running.Read(data) ?? throw new BenchFailedException("The roles run, but not where they said.");
            return new Bed(folder, camino, running.Roles, camino.Demo, running.Address, running.ConnectionString);
        }
        catch
        {
            await camino.DisposeAsync();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>A program of its own that hands applications in.</summary>
    public async Task<HttpClient> ProgramAsync(string name, int perMinute, int burst, CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var word in new[] { Program, "client", "add", name, "--scopes", "applications:create,applications:read", "--per-minute", Words(perMinute), "--burst", Words(burst), "--data", Path.Combine(Folder, "data") })
            start.ArgumentList.Add(word);
        using var verb = Process.Start(start) ?? throw new BenchFailedException("The client was not added.");
        var key = (await verb.StandardOutput.ReadToEndAsync(ct)).Trim();
        await verb.WaitForExitAsync(ct);
        if (verb.ExitCode != 0)
            throw new BenchFailedException($"The client was not added: exit code {Words(verb.ExitCode)}.");
        var client = Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;

        static string Words(int number) => number.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The most memory that a role ever had, in megabytes of 1,000,000 bytes.</summary>
    public double PeakMegabytes(string role) => Memory.Megabytes(_roles.First(r => r.Role == role).Pid, "VmHWM");

    /// <summary>Someone at a browser, signed in through the form.</summary>
    public Task<HttpClient> SignInAsync(CancellationToken ct) => SignInAsync(_demo?.Users[0] ?? throw new BenchFailedException("There is no demo user."), ct);

    /// <summary>Everybody who sees the whole house, each at a browser of their own.</summary>
    public async Task<IReadOnlyList<HttpClient>> SignAllInAsync(CancellationToken ct)
    {
        var browsers = new List<HttpClient>();
        foreach (var user in _demo?.Users.Where(user => !user.Email.StartsWith("branch", StringComparison.Ordinal)) ?? [])
            browsers.Add(await SignInAsync(user, ct));
        return browsers;
    }

    private async Task<HttpClient> SignInAsync(DemoUser user, CancellationToken ct)
    {
        var browser = Client();
        var page = await browser.GetStringAsync(new Uri("/sign-in", UriKind.Relative), ct);
        using var form = new FormUrlEncodedContent(
        [
            new("__RequestVerificationToken", WebUtility.HtmlDecode(TokenField().Match(page).Groups["value"].Value)),
            new("Email", user.Email),
            new("Password", user.Password),
        ]);
        using var answer = await browser.PostAsync(new Uri("/sign-in", UriKind.Relative), form, ct);
        if ((int)answer.StatusCode is not (302 or 303))
            throw new BenchFailedException($"The sign-in answered {(int)answer.StatusCode}.");
        return browser;
    }

    /// <summary>Hands a file in.</summary>
    /// <returns>The import's id.</returns>
    /// <returns>The import's id, and the seconds from the last byte that was sent to the answer.</returns>
    public async Task<(string Id, double AfterLastByte)> HandInAsync(string path, bool dryRun, CancellationToken ct)
    {
        using var body = new SentFile(path);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        var query = $"/api/v1/imports?fileName={Uri.EscapeDataString(Path.GetFileName(path))}{(dryRun ? "&dryRun=true" : "")}";
        using var answer = await Api.PostAsync(new Uri(query, UriKind.Relative), body, ct);
        var afterLastByte = Stopwatch.GetElapsedTime(body.SentAt).TotalSeconds;
        var text = await answer.Content.ReadAsStringAsync(ct);
        return answer.StatusCode == HttpStatusCode.Accepted
            ? (JsonElement.Parse(text).GetProperty("importId").GetString() ?? "", afterLastByte)
            : throw new BenchFailedException($"The file was not taken: {(int)answer.StatusCode} {text}");
    }

    /// <summary>The import as the API shows it.</summary>
    public async Task<JsonElement> ImportAsync(string id, CancellationToken ct) =>
        JsonElement.Parse(await Api.GetStringAsync(new Uri($"/api/v1/imports/{id}", UriKind.Relative), ct));

    /// <summary>Waits until the import is over.</summary>
    public async Task<JsonElement> EndOfAsync(string id, CancellationToken ct)
    {
        while (true)
        {
            var import = await ImportAsync(id, ct);
            if (import.GetProperty("isOver").GetBoolean())
                return import.GetProperty("status").GetString() is "done" or "checked" ? import : throw new BenchFailedException($"The import ended as {import}");
            await Task.Delay(200, ct);
        }
    }

    /// <summary>Waits until no job is left in the queue.</summary>
    public async Task QuietAsync(CancellationToken ct)
    {
        while (await ScalarAsync<long>("select count(*) from jobs.job where due_at < now() + interval '1 minute'", ct) > 0)
            await Task.Delay(100, ct);
    }

    /// <summary>One value from the database.</summary>
    public async Task<T> ScalarAsync<T>(string sql, CancellationToken ct)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)Convert.ChangeType(await command.ExecuteScalarAsync(ct) ?? throw new BenchFailedException($"Nothing came of {sql}"), typeof(T), CultureInfo.InvariantCulture);
    }

    /// <summary>A statement without an answer.</summary>
    public async Task RunAsync(string sql, CancellationToken ct)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await Database.DisposeAsync();
        if (_camino is null)
            return;
        await _camino.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private HttpClient Client() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, PooledConnectionLifetime = Timeout.InfiniteTimeSpan })
    {
        BaseAddress = new Uri(_address),
        Timeout = TimeSpan.FromMinutes(10),
    };

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"(?<value>[^\"]*)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex TokenField();
}

/// <summary>What the kernel says about a process.</summary>
internal static class Memory
{
    /// <param name="field">VmHWM: the most that was resident at any time; VmRSS: what is resident now.</param>
    /// <returns>Megabytes of 1,000,000 bytes; NaN where the kernel does not say.</returns>
    public static double Megabytes(int pid, string field)
    {
        var status = $"/proc/{pid}/status";
        var line = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal)) : null;
        return line is null ? double.NaN : long.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024 / 1e6;
    }
}

/// <summary>A file as the body of a request that remembers when its last byte was given to the network.</summary>
internal sealed class SentFile(string path) : HttpContent
{
    private const int BufferBytes = 1 << 20;

    /// <summary>A timestamp of <see cref="Stopwatch"/>; 0 before the end.</summary>
    public long SentAt { get; private set; }

    protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
    {
        await using var file = File.OpenRead(path);
        await file.CopyToAsync(stream, BufferBytes);
        await stream.FlushAsync();
        SentAt = Stopwatch.GetTimestamp();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = new FileInfo(path).Length;
        return true;
    }
}
