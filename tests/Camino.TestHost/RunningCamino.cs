using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Data;
using Camino.Host;
using Camino.Host.Configuration;
using Camino.People;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Serilog.Core;
using Serilog.Events;

namespace Camino.Testing;

/// <summary>Both roles as they are deployed, in this process: real Kestrel on free ports, a real database, a files folder that both see.</summary>
public sealed class RunningCamino : IAsyncDisposable
{
    public const string Password = "copper lantern river mosaic";

    private readonly TestDatabase? _database;
    private readonly string _folder = Directory.CreateTempSubdirectory("camino-test-").FullName;
    private readonly List<NpgsqlDataSource> _sources = [];
    private readonly Collected _log = new();

    private RunningCamino(TestDatabase? database, string connectionString, string? filesFolder)
    {
        _database = database;
        ConnectionString = connectionString;
        FilesFolder = filesFolder ?? Path.Combine(_folder, "files");
    }

    /// <summary>Signed in by the demo officer's key.</summary>
    public HttpClient Api { get; private set; } = new();

    public WebApplication Office { get; private set; } = null!;

    public WebApplication? Async { get; private set; }

    public string ApiKey { get; private set; } = "";

    public string FilesFolder { get; }

    public Uri OfficeAddress => AddressOf(Office);

    public NpgsqlDataSource Source => _sources[0];

    /// <summary>For processes that work on the same database.</summary>
    public string ConnectionString { get; }

    /// <summary>Everything that either role wrote, as JSON lines.</summary>
    public IReadOnlyCollection<string> LogLines => _log.Lines;

    /// <param name="withAsync">False: nobody works the queues until <see cref="StartAsyncServerAsync"/>.</param>
    /// <param name="chunkRows">Rows that an import commits at once.</param>
    /// <param name="withPeople">False: nobody can sign in yet, as at the first start; <see cref="Api"/> is signed in by nothing.</param>
    /// <param name="filesFolder">Another folder for files handed in.</param>
    /// <param name="engine">Which engine carries the jobs: Camino, or Hangfire in a build with it.</param>
    /// <param name="secondFactor">Required: roles that move money set one up before they do anything.</param>
    /// <param name="providers">Where every outside service answers; null: none is asked.</param>
    /// <param name="onServer">An empty database of a server that the test has for itself; null: a copy of the template on the shared one.</param>
    public static async Task<RunningCamino> StartAsync(bool withAsync = true, int chunkRows = 1_000, bool withPeople = true, string? filesFolder = null, string? onServer = null, string engine = "Camino", SecondFactorMode secondFactor = SecondFactorMode.Optional, Uri? providers = null)
    {
        var database = onServer is null ? await TestDatabase.CreateAsync("camino", PrepareAsync) : null;
        if (onServer is not null)
            await PrepareAsync(onServer);
        var camino = new RunningCamino(database, onServer ?? database?.ConnectionString ?? "", filesFolder);
        camino._chunkRows = chunkRows;
        camino._engine = engine;
        camino._secondFactor = secondFactor;
        camino._providers = providers;
        if (engine != "Camino")
        {
            await using var owner = NpgsqlDataSource.Create(camino.ConnectionString);
            await JobEngine.PrepareAsync(owner, camino.SettingsOf(Role.Async), CancellationToken.None);
        }

        camino.Office = camino.Build(Role.BackOffice, BackOfficeRole.Build);
        await camino.Office.StartAsync();
        if (withPeople)
        {
            await using var scope = camino.Office.Services.CreateAsyncScope();
            var seed = scope.ServiceProvider.GetRequiredService<SeedDemo>();
            await seed.RunAsync(Password, CancellationToken.None);
            camino.ApiKey = await seed.AddKeyAsync("test", CancellationToken.None);
        }

        camino.Api = camino.Client();
        camino.Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", camino.ApiKey);
        if (withAsync)
            await camino.StartAsyncServerAsync();
        return camino;
    }

    /// <summary>What the signature service signs its callbacks with.</summary>
    public const string SignatureSecret = "invented secret of a signature service";

    /// <summary>Questions that an outside service is asked at the same time.</summary>
    public const int ProviderAtOnce = 3;

    private Uri? _providers;
    private int _chunkRows;
    private string _engine = "Camino";
    private SecondFactorMode _secondFactor;

    /// <param name="change">What is different from the everyday settings.</param>
    public async Task StartAsyncServerAsync(Action<HostSettings>? change = null)
    {
        Async = Build(Role.Async, AsyncRole.Build, change);
        await Async.StartAsync();
    }

    /// <summary>One more Back Office on the same database.</summary>
    /// <param name="behindProxy">It warms up before it says that it is ready.</param>
    /// <param name="change">What else is different.</param>
    public async Task<WebApplication> StartSecondOfficeAsync(bool behindProxy = false, Action<HostSettings>? change = null)
    {
        var office = Build(Role.BackOffice, BackOfficeRole.Build, settings =>
        {
            (settings.Web.BehindProxy, settings.Web.WarmUpSeconds) = (behindProxy, 60);
            change?.Invoke(settings);
        });
        await office.StartAsync();
        return office;
    }

    /// <summary>One more Back Office, from a configuration that was read.</summary>
    public async Task<WebApplication> StartOfficeAsync(HostSettings settings, string configPath)
    {
        var office = Build(settings, configPath, BackOfficeRole.Build);
        await office.StartAsync();
        return office;
    }

    /// <summary>A client with the key of another demo user: admin, officer or viewer.</summary>
    public async Task<HttpClient> ApiOfAsync(string name)
    {
        await using var scope = Office.Services.CreateAsyncScope();
        var email = $"{name}@demo.camino.example";
        return await ApiOfAsync(await scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.SingleAsync(u => u.Email == email));
    }

    /// <summary>Somebody new with one role, who signs in with <see cref="Password"/>.</summary>
    public async Task<StaffUser> AddStaffAsync(string email, string role, string name = "Somebody")
    {
        await using var scope = Office.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<StaffUser>>();
        var user = new StaffUser { Id = Guid.CreateVersion7(), UserName = email, Email = email, DisplayName = name };
        return (await users.CreateAsync(user, Password)).Succeeded && (await users.AddToRoleAsync(user, role)).Succeeded ? user : throw new InvalidOperationException($"{email} could not be added.");
    }

    /// <summary>A client with a key of somebody.</summary>
    public async Task<HttpClient> ApiOfAsync(StaffUser user)
    {
        ArgumentNullException.ThrowIfNull(user);
        await using var scope = Office.Services.CreateAsyncScope();
        var client = Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await scope.ServiceProvider.GetRequiredService<AddApiKey>().RunAsync($"key of {user.DisplayName}", user.Id, CancellationToken.None));
        return client;
    }

    /// <summary>Another administrator, who approves what the first one asks for: the id, and a client with a key of that person. Signs in as <see cref="SecondEmail"/>.</summary>
    public async Task<(Guid Id, HttpClient Client)> SecondAdministratorAsync()
    {
        await using var scope = Office.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<StaffUser>>();
        var user = await users.FindByEmailAsync(SecondEmail);
        if (user is null)
        {
            user = new StaffUser { Id = Guid.CreateVersion7(), UserName = SecondEmail, Email = SecondEmail, DisplayName = "Ana Serrano" };
            if (!(await users.CreateAsync(user, Password)).Succeeded)
                throw new InvalidOperationException("There is no second administrator.");
        }

        if (!await users.IsInRoleAsync(user, StaffRoles.Administrator))
            await users.AddToRoleAsync(user, StaffRoles.Administrator);

        var client = Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await scope.ServiceProvider.GetRequiredService<AddApiKey>().RunAsync("key of the second person", user.Id, CancellationToken.None));
        return (user.Id, client);
    }

    /// <summary>The second administrator is one no more, so that the first is the last again.</summary>
    public async Task DismissSecondAdministratorAsync()
    {
        await using var scope = Office.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<StaffUser>>();
        if (await users.FindByEmailAsync(SecondEmail) is { } user)
            await users.RemoveFromRoleAsync(user, StaffRoles.Administrator);
    }

    /// <summary>E-mail of the second administrator.</summary>
    public const string SecondEmail = "second@lender.example";

    /// <summary>A second person approves a request.</summary>
    /// <returns>What the API answered.</returns>
    public async Task<JsonElement> ApproveAsync(Guid approval)
    {
        var (_, client) = await SecondAdministratorAsync();
        using (client)
        using (var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/approvals/{approval}/approve", UriKind.Relative)) { Content = JsonContent.Create(new { }) })
        {
            request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
            using var answer = await client.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            return answer.StatusCode == HttpStatusCode.OK ? JsonSerializer.Deserialize<JsonElement>(text) : throw new InvalidOperationException($"It was not approved ({answer.StatusCode}): {text}");
        }
    }

    /// <summary>A client of the Back Office with cookies of its own and no redirects followed.</summary>
    public HttpClient Client() => new(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = OfficeAddress };

    public static Uri AddressOf(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.First() ?? throw new InvalidOperationException("The role listens nowhere."));

    /// <summary>Hands a file in through the API and waits until its import is over.</summary>
    public async Task<JsonElement> ImportAsync(byte[] content, string fileName = "test.csv", string query = "")
    {
        var id = await ReceiveAsync(content, fileName, query);
        return await OverAsync(id);
    }

    public async Task<Guid> ReceiveAsync(byte[] content, string fileName = "test.csv", string query = "")
    {
        using var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        using var answer = await Api.PostAsync(new Uri($"/api/v1/imports?fileName={Uri.EscapeDataString(fileName)}{query}", UriKind.Relative), body);
        var text = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode != HttpStatusCode.Accepted)
            throw new InvalidOperationException($"The file was not accepted ({answer.StatusCode}): {text}");
        return JsonSerializer.Deserialize<JsonElement>(text).GetProperty("importId").GetGuid();
    }

    /// <summary>Waits until the import is over, or waits for a person.</summary>
    public async Task<JsonElement> OverAsync(Guid importId)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (true)
        {
            var import = await Api.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/imports/{importId}", UriKind.Relative), limit.Token);
            if (import.GetProperty("isOver").GetBoolean() || import.GetProperty("status").GetString() is "needsMapping" or "checked")
                return import;
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    public async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return (T?)await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        if (Async is not null)
        {
            await Async.StopAsync();
            await Async.DisposeAsync();
        }

        await Office.StopAsync();
        await Office.DisposeAsync();
        foreach (var source in _sources)
            await source.DisposeAsync();
        if (_database is not null)
            await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task PrepareAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await Migrator.MigrateAsync(source, options => Camino.Host.Database.Configure(options, source), CancellationToken.None);
    }

    private HostSettings SettingsOf(Role role) => new()
    {
        Role = role,
        Web = new WebSettings { Urls = "http://127.0.0.1:0" },
        Database = new DatabaseSettings { ConnectionString = ConnectionString, MaxPoolSize = _engine == "Camino" ? 12 : 20 },
        Files = new FilesSettings { Folder = FilesFolder },
        SignIn = new SignInSettings { SecondFactor = _secondFactor, PasswordRounds = 1_000 }, // below what a file may say: tests sign in thousands of times
        Providers = new ProvidersSettings { Registry = ProviderSettings(), Credit = ProviderSettings(), Identity = ProviderSettings(), Account = ProviderSettings(), Reading = ProviderSettings(), Signature = ProviderSettings(), Email = ProviderSettings(), Text = ProviderSettings() },
        Signature = new SignatureSettings { CallbackSecret = role == Role.BackOffice ? SignatureSecret : null },
        Documents = new DocumentsSettings { ReadKinds = _providers is null ? null : "taxReturn,bankStatement" },
        Webhooks = new WebhooksSettings { AllowPrivateAddresses = true },
        Imports = new ImportsSettings { ChunkRows = _chunkRows, StepBack = 0, MaxFileBytes = 64 * 1024 * 1024 },
        Jobs = new JobsSettings
        {
            Engine = _engine,
            Slots = 4,
            LeaseSeconds = 5,
            GraceSeconds = 2,
            AgeingSeconds = _engine == "Camino" ? 300 : 0,
            Queues = [new() { Name = "urgent", ReservedSlots = 1 }, new() { Name = "documents" }, new() { Name = "notices", MaxSlots = 2 }, new() { Name = "default" }, new() { Name = "bulk" }],
        },
    };

    private ProviderSettings ProviderSettings() => new() { Address = _providers?.ToString(), Key = "test", TimeoutSeconds = 2, RestSeconds = 1, AtOnce = ProviderAtOnce };

    private WebApplication Build(Role role, Func<HostSettings, string, NpgsqlDataSource, Serilog.ILogger, WebApplication> build, Action<HostSettings>? change = null)
    {
        var settings = SettingsOf(role);
        change?.Invoke(settings);
        return Build(settings, $"appsettings.{role}.json", build);
    }

    private WebApplication Build(HostSettings settings, string configPath, Func<HostSettings, string, NpgsqlDataSource, Serilog.ILogger, WebApplication> build)
    {
        var source = Camino.Host.Database.Connect(settings, $"test {settings.Role}");
        _sources.Add(source);
        var log = Camino.Host.Logging.HostLog.Configure(settings).WriteTo.Sink(_log).CreateLogger();
        return build(settings, configPath, source, log);
    }

    private sealed class Collected : ILogEventSink
    {
        private readonly ConcurrentQueue<string> _lines = new();
        private readonly Serilog.Formatting.Json.JsonFormatter _json = new(renderMessage: true);

        public IReadOnlyCollection<string> Lines => _lines;

        public void Emit(LogEvent logEvent)
        {
            using var text = new StringWriter();
            _json.Format(logEvent, text);
            _lines.Enqueue(text.ToString());
        }
    }
}
