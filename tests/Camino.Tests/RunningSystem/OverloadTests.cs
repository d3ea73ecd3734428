using System.Net;
using Camino.Host.Configuration;
using Camino.Host.Limits;
using Camino.People;
using Camino.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>More requests than a Back Office can take: some wait, the rest hear so at once, health always answers.</summary>
[Parallelizable]
public sealed class OverloadTests
{
    [Test]
    public async Task A_flood_ends_in_clear_answers_and_health_is_never_shed()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var inWork = 0;
        await using var app = Build(new LimitsSettings { Concurrent = 2, Waiting = 1, WaitMilliseconds = 60_000 }, async context =>
        {
            if (context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal))
                return;
            Interlocked.Increment(ref inWork);
            await open.Task;
        });
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = RunningCamino.AddressOf(app) };

        var taken = new[] { GetAsync(client, "/api/a"), GetAsync(client, "/api/b") };
        await UntilAsync(() => Volatile.Read(ref inWork) == 2);
        var flood = Enumerable.Range(0, 20).Select(_ => GetAsync(client, "/api/more")).ToList();
        var first = new List<(HttpStatusCode Status, TimeSpan? RetryAfter)>();
        for (var i = 0; i < 19; i++)
        {
            var done = await Task.WhenAny(flood);
            flood.Remove(done);
            first.Add(await done);
        }

        Assert.That(first.Select(answer => answer.Status), Is.All.EqualTo(HttpStatusCode.ServiceUnavailable), "one waits, the other nineteen hear so at once");
        Assert.That(first.Select(answer => answer.RetryAfter), Is.All.GreaterThan(TimeSpan.Zero));
        Assert.That((await GetAsync(client, "/health/live")).Status, Is.EqualTo(HttpStatusCode.OK));
        open.SetResult();
        Assert.That((await Task.WhenAll([.. taken, .. flood])).Select(answer => answer.Status), Is.All.EqualTo(HttpStatusCode.OK), "who was taken on and who waited is answered");
    }

    [Test]
    public async Task Transfers_have_places_of_their_own_and_one_too_many_hears_so_at_once()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var inWork = 0;
        await using var app = Build(new LimitsSettings { Concurrent = 1, Waiting = 0, Transfers = 2 }, async context =>
        {
            if (RouteClasses.Of(context.Request) != RouteClass.Transfer)
                return;
            Interlocked.Increment(ref inWork);
            await open.Task;
        });
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = RunningCamino.AddressOf(app) };

        var taken = new[] { GetAsync(client, "/imports/1/rejected.csv"), GetAsync(client, "/imports/2/rejected.csv") };
        await UntilAsync(() => Volatile.Read(ref inWork) == 2);
        var (status, retryAfter) = await GetAsync(client, "/imports/3/rejected.csv");

        Assert.That(status, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(retryAfter, Is.GreaterThan(TimeSpan.Zero));
        Assert.That((await GetAsync(client, "/loans")).Status, Is.EqualTo(HttpStatusCode.OK), "a page does not wait for transfers");
        open.SetResult();
        Assert.That((await Task.WhenAll(taken)).Select(answer => answer.Status), Is.All.EqualTo(HttpStatusCode.OK));
        Assert.That((await GetAsync(client, "/imports/3/rejected.csv")).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Open_lines_take_no_place_of_a_page_and_one_too_many_hears_so_at_once()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var listening = 0;
        await using var app = Build(new LimitsSettings { Concurrent = 1, Waiting = 0, Listeners = 2 }, async context =>
        {
            if (RouteClasses.Of(context.Request) != RouteClass.Listening)
                return;
            Interlocked.Increment(ref listening);
            await open.Task;
        });
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = RunningCamino.AddressOf(app) };

        var heard = new[] { GetAsync(client, "/jobs/events"), GetAsync(client, "/imports/1/events") };
        await UntilAsync(() => Volatile.Read(ref listening) == 2);
        var (status, retryAfter) = await GetAsync(client, "/jobs/events");

        Assert.That((status, retryAfter > TimeSpan.Zero), Is.EqualTo((HttpStatusCode.ServiceUnavailable, true)));
        Assert.That((await GetAsync(client, "/loans")).Status, Is.EqualTo(HttpStatusCode.OK));
        open.SetResult();
        Assert.That((await Task.WhenAll(heard)).Select(answer => answer.Status), Is.All.EqualTo(HttpStatusCode.OK));
        Assert.That((await GetAsync(client, "/jobs/events")).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_request_that_takes_too_long_is_cancelled_and_says_so()
    {
        await using var app = Build(new LimitsSettings { RequestSeconds = 1 }, context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = RunningCamino.AddressOf(app) };

        var (status, retryAfter) = await GetAsync(client, "/api/slow");

        Assert.That(status, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(retryAfter, Is.GreaterThan(TimeSpan.Zero));
    }

    [TestCase("GET", "/loans")]
    [TestCase("GET", "/loans/export.csv")]
    public async Task A_request_whose_time_is_over_leaves_no_statement_behind_in_the_database(string method, string path)
    {
        await using var database = await TestDatabase.CreateAsync("empty", _ => Task.CompletedTask);
        await using var source = Npgsql.NpgsqlDataSource.Create(database.ConnectionString);
        await using var app = Build(new LimitsSettings { RequestSeconds = 1, TransferSeconds = 1 }, async context =>
        {
            await using var slow = source.CreateCommand("select pg_sleep(600)");
            await slow.ExecuteNonQueryAsync(context.RequestAborted);
        });
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = RunningCamino.AddressOf(app) };

        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        using var answer = await client.SendAsync(request);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        await using var running = source.CreateCommand("select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()");
        Assert.That(await running.ExecuteScalarAsync(), Is.EqualTo(0L));
    }

    [TestCase("GET", "/health/ready", "Always")]
    [TestCase("GET", "/metrics", "Always")]
    [TestCase("GET", "/site.css", "Always")]
    [TestCase("GET", "/error/503", "Always")]
    [TestCase("GET", "/loans", "Ordinary")]
    [TestCase("POST", "/api/v1/jobs/echo", "Ordinary")]
    [TestCase("POST", "/api/v1/imports", "Transfer")]
    [TestCase("POST", "/imports/upload", "Transfer")]
    [TestCase("GET", "/imports/0199/rejected.csv", "Transfer")]
    [TestCase("GET", "/imports/0199/events", "Listening")]
    [TestCase("POST", "/imports/0199/events", "Ordinary")]
    [TestCase("GET", "/api/v1/loans/0199/events", "Ordinary")]
    public void A_request_has_the_class_of_its_route(string method, string path, string expected)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Path = path;

        Assert.That(RouteClasses.Of(context.Request).ToString(), Is.EqualTo(expected));
    }

    [Test]
    public void Stored_keys_are_encrypted_and_read_with_the_secret_or_the_one_before()
    {
        var key = new System.Xml.Linq.XElement("key", "the secret of cookies");
        var old = new KeyEncryptionSecrets(new string('a', 32), null);
        var stored = new KeyEncryptor(old).Encrypt(key).EncryptedElement;

        Assert.That(stored.ToString(), Does.Not.Contain("cookies"));
        Assert.That(Read(new KeyEncryptionSecrets(new string('b', 32), new string('a', 32)), stored), Is.EqualTo("the secret of cookies"));
        Assert.That(() => Read(new KeyEncryptionSecrets(new string('b', 32), null), stored), Throws.TypeOf<System.Security.Cryptography.CryptographicException>());
    }

    private static string Read(KeyEncryptionSecrets secrets, System.Xml.Linq.XElement stored)
    {
        using var services = new ServiceCollection().AddSingleton(secrets).BuildServiceProvider();
        return new KeyDecryptor(services).Decrypt(stored).Value;
    }

    private static WebApplication Build(LimitsSettings limits, RequestDelegate end)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(new HostSettings { Limits = limits });
        builder.Services.AddSingleton(TimeProvider.System);
        var app = builder.Build();
        app.UseMiddleware<OverloadGate>();
        app.Run(end);
        return app;
    }

    private static async Task<(HttpStatusCode Status, TimeSpan? RetryAfter)> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return (answer.StatusCode, answer.Headers.RetryAfter?.Delta);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!condition())
            await Task.Delay(10, limit.Token);
    }
}
