using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Applications;
using Camino.Clients;
using Camino.Data;
using Camino.Lending.Applications;
using Camino.People;
using Camino.Testing;
using Camino.Tests.Hosting;
using Camino.Tests.Imports;
using Camino.Webhooks;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Webhooks;

/// <summary>Programs are told what becomes of their applications: through the API, the pages and the queue, by a real server that receives.</summary>
internal sealed class WebhookTests
{
    private static readonly string[] Scopes = ["applications:create", "applications:read", "applications:change", "webhooks:manage"];
    private static readonly string[] Everything = [.. WebhookEvents.Types];

    private RunningCamino _camino = null!;
    private Receiver _receiver = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _receiver = await Receiver.StartAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _camino.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [SetUp]
    public void Forget() => _receiver.Answer = (_, _) => Task.CompletedTask;

    [Test]
    public async Task Every_step_of_an_application_is_told_signed_to_the_client_that_handed_it_in_and_holds_nothing_personal()
    {
        using var client = await ClientAsync("Told");
        using var other = await ClientAsync("Not told");
        var (_, secret) = await AddAsync(client, "/told", Everything);
        await AddAsync(other, "/not-told", Everything);
        var id = await HandInAsync(client);
        await _receiver.UntilAsync("/told", one => one.Type == "application.checking", 1);
        using var cancelled = await SendAsync(client, HttpMethod.Post, $"/applications/{id}/cancel", new { reason = "Sent twice" });
        var got = await _receiver.UntilAsync("/told", _ => true, 3);

        Assert.That(cancelled.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(got.Select(one => one.Type), Is.EquivalentTo((string[])["application.received", "application.checking", "application.cancelled"]));
        Assert.That(got.Select(one => one.Id), Is.Unique.And.All.Match("^msg_[0-9a-f]{32}$"));
        Assert.That(got.Select(one => one.IsSignedBy(secret)), Is.All.True);
        Assert.That(got.Select(one => Math.Abs(long.Parse(one.Timestamp, System.Globalization.CultureInfo.InvariantCulture) - DateTimeOffset.UtcNow.ToUnixTimeSeconds())), Is.All.LessThan(60));
        var last = got.Single(one => one.Type == "application.cancelled").Json.GetProperty("data");
        Assert.That(last.GetProperty("applicationId").GetGuid(), Is.EqualTo(id));
        Assert.That((last.GetProperty("state").GetString(), last.GetProperty("step").GetString(), last.GetProperty("previousStep").GetString(), last.GetProperty("version").GetInt32()), Is.EqualTo(("CANCELLED", "cancelled", "checking", 3)));
        Assert.That(string.Concat(got.Select(one => one.Body)), Does.Not.Contain("Maple").And.Not.Contain("555").And.Not.Contain("Sent twice"));
        Assert.That(_receiver.All.Where(one => one.Path == "/not-told"), Is.Empty);
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.webhook_secrets where position(decode('{secret[6..]}', 'base64') in sealed) > 0"), Is.Zero, "it is kept sealed");
    }

    [Test]
    public async Task A_message_that_was_not_taken_comes_again_under_the_same_id_and_every_attempt_is_shown()
    {
        using var client = await ClientAsync("Stumbling");
        var (endpoint, secret) = await AddAsync(client, "/stumbling", ["application.declined"]);
        _receiver.Answer = (one, context) =>
        {
            context.Response.StatusCode = _receiver.All.Count(other => other.Path == one.Path) == 1 ? 500 : 200;
            return Task.CompletedTask;
        };
        using var asked = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/test", new { });
        var got = await _receiver.UntilAsync("/stumbling", _ => true, 2);
        await UntilStateAsync(endpoint, 1);
        var page = await JsonAsync(client, $"/webhooks/{endpoint}/deliveries?state=delivered");
        var line = page.GetProperty("items")[0];
        var details = await JsonAsync(client, $"/webhooks/{endpoint}/deliveries/{line.GetProperty("id").GetGuid()}");

        Assert.That(asked.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(got.Select(one => one.Id).Distinct(), Is.EqualTo((string?[])[line.GetProperty("messageId").GetString()]));
        Assert.That(got.Select(one => one.Body).Distinct().Count(), Is.EqualTo(1));
        Assert.That(got.Select(one => one.IsSignedBy(secret)), Is.All.True);
        Assert.That(details.GetProperty("attempts").EnumerateArray().Select(one => one.GetProperty("status").GetInt32()), Is.EqualTo((int[])[200, 500]));
        Assert.That(await _camino.ScalarAsync<bool>($"select failing_since is null from camino.webhook_endpoints where id = '{endpoint}'"), Is.True, "it takes messages again");

        using var admin = new StaffBrowser(_camino.OfficeAddress);
        (await admin.SignInAsync("admin")).Dispose();
        var clientId = await _camino.ScalarAsync<Guid>($"select client_id from camino.webhook_endpoints where id = '{endpoint}'");
        var shown = await admin.PageAsync($"/clients/{clientId}/webhooks/{endpoint}?delivery={line.GetProperty("id").GetGuid()}");
        Assert.That(shown, Does.Contain("webhook.test").And.Contain(">500<").And.Contain(">200<").And.Not.Contain(secret));
        using var again = await admin.PostAsync($"/clients/{clientId}/webhooks/{endpoint}", $"/clients/{clientId}/webhooks/{endpoint}?handler=Replay", ("delivery", line.GetProperty("id").GetGuid().ToString()));
        Assert.That(await again.Content.ReadAsStringAsync(), Does.Contain("1 message is sent again"));
        Assert.That((await _receiver.UntilAsync("/stumbling", _ => true, 3)).Select(one => one.Id).Distinct().Count(), Is.EqualTo(1), "a replay keeps the id");
    }

    [Test]
    public async Task A_secret_is_rotated_with_both_signatures_until_the_overlap_is_over()
    {
        using var client = await ClientAsync("Rotating");
        var (endpoint, first) = await AddAsync(client, "/rotating", Everything);
        using var rotated = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/rotate", new { overlapHours = 1 });
        var second = (await ServicedBook.ReadAsync(rotated, HttpStatusCode.OK)).GetProperty("secret").GetString() ?? "";
        using var test = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/test", new { });
        var both = (await _receiver.UntilAsync("/rotating", _ => true, 1))[0];
        using var ended = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/rotate", new { overlapHours = 0 });
        var third = (await ServicedBook.ReadAsync(ended, HttpStatusCode.OK)).GetProperty("secret").GetString() ?? "";
        using var later = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/test", new { });
        var one = (await _receiver.UntilAsync("/rotating", _ => true, 2))[1];
        using var wrong = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/rotate", new { overlapHours = 721 });

        Assert.That((both.Signatures.Length, both.IsSignedBy(first), both.IsSignedBy(second)), Is.EqualTo((2, true, true)));
        Assert.That((one.Signatures.Length, one.IsSignedBy(third)), Is.EqualTo((1, true)));
        Assert.That(await wrong.ProblemCodeAsync(), Is.EqualTo("webhook.overlap"));
    }

    [Test]
    public async Task An_endpoint_that_is_gone_is_disabled_at_once_administrators_are_told_and_what_it_missed_can_be_replayed()
    {
        using var client = await ClientAsync("Gone");
        var (endpoint, _) = await AddAsync(client, "/gone", Everything);
        _receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = 410;
            return Task.CompletedTask;
        };
        using var test = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/test", new { });
        await UntilStateAsync(endpoint, 2);
        var id = await HandInAsync(client);
        await _camino.UntilAsync<long>($"select count(*) from camino.webhook_deliveries where endpoint_id = '{endpoint}' and state = 2 and problem = 'disabled'", count => count >= 2);
        var seen = await JsonAsync(client, $"/webhooks/{endpoint}");
        using var early = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/replay", new { since = "2026-01-01T00:00:00Z" });
        _receiver.Answer = (_, _) => Task.CompletedTask;
        using var enabled = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/enable", new { });
        using var replayed = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/replay", new { since = "2026-01-01T00:00:00Z" });
        await _receiver.UntilAsync("/gone", one => one.Type is "application.received" or "application.checking" && one.Json.GetProperty("data").GetProperty("applicationId").GetGuid() == id, 2);

        Assert.That((seen.GetProperty("disabledWhy").GetString(), await early.ProblemCodeAsync()), Is.EqualTo(("gone", "webhook.disabled")));
        Assert.That((await ServicedBook.ReadAsync(replayed, HttpStatusCode.Accepted)).GetProperty("deliveries").GetInt32(), Is.GreaterThanOrEqualTo(3));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.notices n where n.text = 'Notice.WebhookDisabled' and n.link like '%{endpoint}'"), Is.GreaterThanOrEqualTo(1));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by chain_position) from camino.audit_entries where subject_id = '{endpoint}'"), Is.EqualTo("webhook.added webhook.tested webhook.disabled webhook.enabled webhook.replayed"));
    }

    [Test]
    public async Task An_endpoint_that_takes_nothing_for_five_days_is_disabled()
    {
        using var client = await ClientAsync("Failing");
        var (endpoint, _) = await AddAsync(client, "/failing", Everything);
        _receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        await SqlAsync($"update camino.webhook_endpoints set failing_since = now() - interval '5 days' where id = '{endpoint}'");
        using var test = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/test", new { });
        await _camino.UntilAsync<short>($"select coalesce(disabled_why, 0)::smallint from camino.webhook_endpoints where id = '{endpoint}'", why => why == 2);

        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.notices n where n.text = 'Notice.WebhookDisabled' and n.link like '%{endpoint}'"), Is.GreaterThanOrEqualTo(1));
    }

    [Test]
    public async Task An_endpoint_that_answers_slowly_delays_no_other()
    {
        using var client = await ClientAsync("Slow");
        var (slow, _) = await AddAsync(client, "/slow", Everything);
        var (quick, _) = await AddAsync(client, "/quick", Everything);
        var hold = new TaskCompletionSource();
        _receiver.Answer = (one, _) => one.Path == "/slow" ? hold.Task : Task.CompletedTask;
        for (var i = 0; i < 4; i++)
            (await SendAsync(client, HttpMethod.Post, $"/webhooks/{slow}/test", new { })).Dispose();
        await _receiver.UntilAsync("/slow", _ => true, 1);
        using var test = await SendAsync(client, HttpMethod.Post, $"/webhooks/{quick}/test", new { });
        using var second = await SendAsync(client, HttpMethod.Post, $"/webhooks/{quick}/test", new { });
        await _receiver.UntilAsync("/quick", _ => true, 2);
        var waiting = await _camino.ScalarAsync<long>($"select count(*) from camino.webhook_deliveries where endpoint_id = '{slow}' and state = 0");
        hold.SetResult();

        Assert.That(waiting, Is.EqualTo(4));
    }

    [Test]
    public async Task What_is_rolled_back_is_told_nobody_and_what_commits_has_its_event_and_job_with_it()
    {
        using var client = await ClientAsync("Transaction");
        await AddAsync(client, "/transaction", ["application.failed"]);
        var id = await HandInAsync(client);
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", state => state == 2);
        async Task MoveAsync(bool commits)
        {
            await using var scope = _camino.Office.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
            await using var transaction = await db.Database.BeginTransactionAsync();
            var (_, course) = await db.LockApplicationAsync(id, CancellationToken.None);
            var (next, step) = course.Move(ApplicationMove.Fail, Actor.System, "No use", DateTimeOffset.UtcNow);
            await db.KeepCourseAsync(id, next, step, CancellationToken.None);
            await db.SaveChangesAsync();
            if (commits)
                await transaction.CommitAsync();
        }

        await MoveAsync(commits: false);
        var before = await _camino.ScalarAsync<long>($"select count(*) from camino.webhook_events where application_id = '{id}'");
        await MoveAsync(commits: true);
        var after = await _camino.ScalarAsync<long>($"select count(*) from camino.webhook_events where application_id = '{id}'");
        var got = await _receiver.UntilAsync("/transaction", _ => true, 1);

        Assert.That((before, after, got.Count), Is.EqualTo((0, 1, 1)));
    }

    [Test]
    public async Task A_server_that_is_killed_while_it_sends_costs_a_second_message_with_the_same_id_and_loses_none()
    {
        await using var own = await RunningCamino.StartAsync(withAsync: false);
        using var configs = new Configs();
        using var client = await ClientAsync("Killed", own);
        var (endpoint, _) = await AddAsync(client, "/killed", Everything);
        var hold = new TaskCompletionSource();
        _receiver.Answer = (_, _) => hold.Task;
        using var test = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/test", new { });
        await using (var first = ServerOf(own, configs))
        {
            await _receiver.UntilAsync("/killed", _ => true, 1);
            await first.KillAsync();
        }

        _receiver.Answer = (_, _) => Task.CompletedTask;
        await using var second = ServerOf(own, configs);
        var got = await _receiver.UntilAsync("/killed", _ => true, 2);
        await own.UntilAsync<short>($"select state from camino.webhook_deliveries where endpoint_id = '{endpoint}'", state => state == 1);
        hold.SetResult();

        Assert.That(got.Select(one => one.Id).Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task What_is_wrong_with_an_endpoint_is_named_and_a_client_sees_only_its_own()
    {
        using var client = await ClientAsync("Careful");
        using var stranger = await ClientAsync("Stranger");
        var (endpoint, _) = await AddAsync(client, "/careful", ["application.booked"]);
        var codes = new List<string?>();
        foreach (var (url, types) in new (string, string[])[] { ("x", Everything), (_receiver.At("/careful").ToString(), Everything), (_receiver.At("/else").ToString(), ["application.else"]), (_receiver.At("/else").ToString(), []) })
        {
            using var refused = await SendAsync(client, HttpMethod.Post, "/webhooks", new { url, eventTypes = types });
            codes.Add(await refused.ProblemCodeAsync());
        }

        using var changed = await SendAsync(client, HttpMethod.Put, $"/webhooks/{endpoint}", new { url = _receiver.At("/careful"), description = "All", eventTypes = Everything });
        using var foreign = await SendAsync(stranger, HttpMethod.Post, $"/webhooks/{endpoint}/disable", new { });
        using var person = await SendAsync(await _camino.ApiOfAsync("admin"), HttpMethod.Post, "/webhooks", new { url = _receiver.At("/person"), eventTypes = Everything });
        using var since = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/replay", new { since = "yesterday" });
        for (var i = 0; i < 9; i++)
            await AddAsync(client, "/careful/" + i, Everything);
        using var eleventh = await SendAsync(client, HttpMethod.Post, "/webhooks", new { url = _receiver.At("/careful/9"), eventTypes = Everything });
        using var removed = await SendAsync(client, HttpMethod.Delete, $"/webhooks/{endpoint}", null);
        using var twice = await SendAsync(client, HttpMethod.Delete, $"/webhooks/{endpoint}", null);

        Assert.That(codes, Is.EqualTo((string[])["webhook.url", "webhook.exists", "webhook.event_types", "webhook.event_types"]));
        Assert.That((await ServicedBook.ReadAsync(changed, HttpStatusCode.OK)).GetProperty("eventTypes").GetArrayLength(), Is.EqualTo(Everything.Length));
        Assert.That((foreign.StatusCode, await person.ProblemCodeAsync(), await since.ProblemCodeAsync(), await eleventh.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.NotFound, "webhook.no_client", "webhook.since", "webhook.too_many")));
        Assert.That((removed.StatusCode, twice.StatusCode), Is.EqualTo((HttpStatusCode.NoContent, HttpStatusCode.NotFound)));
        Assert.That((await JsonAsync(stranger, "/webhooks")).GetProperty("items").GetArrayLength(), Is.Zero);
    }

    [Test]
    public async Task Old_messages_are_forgotten_and_those_that_wait_are_not()
    {
        using var client = await ClientAsync("Forgetful");
        var (endpoint, _) = await AddAsync(client, "/forgetful", Everything);
        using var test = await SendAsync(client, HttpMethod.Post, $"/webhooks/{endpoint}/test", new { });
        await UntilStateAsync(endpoint, 1);
        await SqlAsync($"update camino.webhook_events set at = now() - interval '31 days' where id in (select event_id from camino.webhook_deliveries where endpoint_id = '{endpoint}')");
        await SqlAsync($"update camino.webhook_deliveries set ended_at = now() - interval '31 days' where endpoint_id = '{endpoint}'");
        await SqlAsync($"with e as (insert into camino.webhook_events (id, client_id, type, body, at) select camino.new_id(), client_id, 'webhook.test', '{{}}', now() - interval '40 days' from camino.webhook_endpoints where id = '{endpoint}' returning id) insert into camino.webhook_deliveries (id, event_id, endpoint_id, state, made_at) select camino.new_id(), id, '{endpoint}', 0, now() from e");
        await using (var scope = _camino.Office.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
            db.Enqueue(new PruneWebhooks());
            await db.SaveChangesAsync();
        }

        await _camino.UntilAsync<long>($"select count(*) from camino.webhook_deliveries where endpoint_id = '{endpoint}'", count => count == 1);
        Assert.That(await _camino.ScalarAsync<short>($"select state from camino.webhook_deliveries where endpoint_id = '{endpoint}'"), Is.Zero);
    }

    [Test]
    public async Task An_administrator_adds_an_endpoint_on_the_page_of_the_client_and_sees_its_secret_once()
    {
        using var client = await ClientAsync("By page");
        var id = await _camino.ScalarAsync<Guid>("select id from camino.api_clients where name = 'By page'");
        using var admin = new StaffBrowser(_camino.OfficeAddress);
        (await admin.SignInAsync("admin")).Dispose();
        using var added = await admin.PostAsync($"/clients/{id}", $"/clients/{id}?handler=AddEndpoint", ("Url", _receiver.At("/page").ToString()), ("Description", "Desk"), ("EventTypes", "application.booked"));
        var page = await added.Content.ReadAsStringAsync();
        using var refused = await admin.PostAsync($"/clients/{id}", $"/clients/{id}?handler=AddEndpoint", ("Url", "ftp://example.com"), ("EventTypes", "application.booked"));
        var endpoint = await _camino.ScalarAsync<Guid>($"select id from camino.webhook_endpoints where client_id = '{id}'");
        var address = $"/clients/{id}/webhooks/{endpoint}";
        using var disabled = await admin.PostAsync(address, address + "?handler=Disable");
        using var tested = await admin.PostAsync(address, address + "?handler=Test");
        using var changed = await admin.PostAsync(address, address + "?handler=Change", ("Url", "nowhere"), ("EventTypes", "application.failed"));
        var kept = await changed.Content.ReadAsStringAsync();
        using var removed = await admin.PostAsync(address, address + "?handler=Remove");

        Assert.That(page, Does.Match("data-key[^>]*>whsec_[^<]{40,}<").And.Contain(_receiver.At("/page").ToString()));
        Assert.That(await admin.PageAsync($"/clients/{id}"), Does.Not.Contain("whsec_"));
        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("must begin with https").And.Contain("ftp://example.com"));
        Assert.That((disabled.StatusCode, removed.StatusCode), Is.EqualTo((HttpStatusCode.Redirect, HttpStatusCode.Redirect)));
        Assert.That(await tested.Content.ReadAsStringAsync(), Does.Contain("enable it first"));
        Assert.That(kept, Does.Contain("value=\"nowhere\"").And.Contain("must begin with https"));
        Assert.That(await _camino.ScalarAsync<bool>($"select bool_and(user_id is not null) from camino.audit_entries where subject_id = '{endpoint}'"), Is.True);
    }

    [Test]
    public async Task Operators_keep_endpoints_from_the_shell()
    {
        using var client = await ClientAsync("By shell");
        using var configs = new Configs();
        Task<Ended> RunAsync(params string[] arguments) => CaminoProcess.RunAsync(
            new Dictionary<string, string?> { ["CAMINO_Database__ConnectionString"] = _camino.ConnectionString, ["CAMINO_Webhooks__AllowPrivateAddresses"] = "true" }, ["webhook", .. arguments, "--config", configs.Of("BackOffice")]);

        var added = await RunAsync("add", "BY SHELL", "--url", _receiver.At("/shell").ToString(), "--events", "application.booked", "--by", "tester");
        Assert.That(added.Code, Is.Zero, added.ToString());
        var secret = added.Output.Trim();
        var listed = JsonSerializer.Deserialize<JsonElement>((await RunAsync("list", "By shell", "--json")).Output)[0];
        var id = listed.GetProperty("id").GetString() ?? "";
        Assert.That((await RunAsync("test", "By shell", id)).Code, Is.Zero);
        var got = await _receiver.UntilAsync("/shell", _ => true, 1);
        var rotated = await RunAsync("rotate", "By shell", id, "--overlap-hours", "0");
        var wrong = await RunAsync("replay", "By shell", id, "--since", "yesterday");
        var replayed = await RunAsync("replay", "By shell", id, "--since", "2026-01-01");
        Assert.That((await RunAsync("disable", "By shell", id)).Code, Is.Zero);
        Assert.That((await RunAsync("remove", "By shell", id)).Code, Is.Zero);

        Assert.That(got[0].IsSignedBy(secret), Is.True);
        Assert.That(rotated.Output.Trim(), Does.StartWith("whsec_").And.Not.EqualTo(secret));
        Assert.That(wrong.Code, Is.EqualTo(1));
        Assert.That(wrong.Error, Does.Contain("(webhook.since)"));
        Assert.That(replayed.Output, Does.Contain("0 are sent again"));
        Assert.That(await _camino.ScalarAsync<string>($"select details from camino.audit_entries where action = 'webhook.added' and subject_id = '{id}'"), Does.Contain("tester").And.Not.Contain("/shell"));
    }

    private static CaminoProcess ServerOf(RunningCamino camino, Configs configs) => CaminoProcess.Start(
        new Dictionary<string, string?> { ["CAMINO_Database__ConnectionString"] = camino.ConnectionString, ["CAMINO_Files__Folder"] = camino.FilesFolder, ["CAMINO_Webhooks__AllowPrivateAddresses"] = "true", ["CAMINO_Jobs__LeaseSeconds"] = "5" },
        "run", "--config", configs.Of("Async"));

    private async Task<HttpClient> ClientAsync(string name, RunningCamino? at = null)
    {
        await using var scope = (at ?? _camino).Office.Services.CreateAsyncScope();
        var (_, key) = await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync(name, new ClientTerms(Scopes, 6_000, 600, null), null, new StaffActor(null, "test"), CancellationToken.None);
        var client = (at ?? _camino).Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private async Task<(Guid Id, string Secret)> AddAsync(HttpClient client, string path, string[] types)
    {
        using var added = await SendAsync(client, HttpMethod.Post, "/webhooks", new { url = _receiver.At(path), description = "Test", eventTypes = types });
        var answer = await ServicedBook.ReadAsync(added, HttpStatusCode.Created);
        return (answer.GetProperty("id").GetGuid(), answer.GetProperty("secret").GetString() ?? "");
    }

    private static async Task<Guid> HandInAsync(HttpClient client)
    {
        using var answer = await SendAsync(client, HttpMethod.Post, "/applications", new { name = "Maple Street Hardware LLC", phones = new[] { "912 555 0101" }, amount = "5000" });
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, new Uri("/api/v1" + path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        return await client.SendAsync(request);
    }

    private static async Task<JsonElement> JsonAsync(HttpClient client, string path) => await client.GetFromJsonAsync<JsonElement>(new Uri("/api/v1" + path, UriKind.Relative));

    /// <summary>Waits until every delivery of an endpoint stands there.</summary>
    private Task UntilStateAsync(Guid endpoint, short state) => _camino.UntilAsync<bool>($"select bool_and(state = {state}) from camino.webhook_deliveries where endpoint_id = '{endpoint}'", all => all);

    private async Task SqlAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
