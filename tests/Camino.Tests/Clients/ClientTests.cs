using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Camino.Clients;
using Camino.Lending;
using Camino.People;
using Camino.Testing;
using Camino.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Clients;

/// <summary>Programs call the API with keys of their own: an administrator or an operator makes them, scopes and limits hold, and what was taken away opens nothing any more.</summary>
internal sealed partial class ClientTests
{
    private static readonly StaffActor Operator = new(null, "test");

    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false);
        await _camino.Office.Services.GetRequiredService<ClientUse>().StopAsync(CancellationToken.None); // what was counted is written when a test says so
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task An_administrator_adds_a_client_sees_its_key_once_and_rotates_it_while_the_old_one_is_good()
    {
        using var admin = new StaffBrowser(_camino.OfficeAddress);
        (await admin.SignInAsync("admin")).Dispose();
        var (page, first) = await SendAsync(admin, "/clients/add", "", ("Name", "Website"), ("Scopes", "loans:read"), ("Scopes", "quotes:use"), ("PerMinute", "600"), ("Burst", "60"), ("PerDay", ""), ("ExpiresDays", ""));
        Assert.That(first, Does.Match("^camino_client_[0-9A-Za-z]{49}$"));
        var id = Guid.Parse(Link().Match(page).Groups["id"].Value);
        var details = $"/clients/{id}";
        Assert.That(await admin.PageAsync("/clients"), Does.Contain("Website").And.Not.Contain(first));
        Assert.That(await admin.PageAsync(details), Does.Contain(first[^4..]).And.Not.Contain(first));
        Assert.That(await StatusAsync(first, "/api/v1/loans"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync(first, "/api/v1/imports"), Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(await StatusAsync(first, "/loans"), Is.EqualTo(HttpStatusCode.Unauthorized), "pages are for people");

        var newest = Newest().Match(await admin.PageAsync(details)).Groups["id"].Value;
        var (rotated, second) = await SendAsync(admin, details, "?handler=Rotate", ("overlapHours", "24"), ("expiresDays", "90"), ("newest", newest));
        Assert.That(rotated, Does.Contain("open nothing from this time on"));
        var (again, none) = await SendAsync(admin, details, "?handler=Rotate", ("overlapHours", "24"), ("newest", newest));
        Assert.That((again.Contains("A new key was made meanwhile", StringComparison.Ordinal), none), Is.EqualTo((true, "")), "a form sent twice makes one key");
        Assert.That((await StatusAsync(first, "/api/v1/loans"), await StatusAsync(second, "/api/v1/loans")), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.OK)));
        Assert.That(await _camino.ScalarAsync<double>($"select extract(epoch from expires_at - now())::float8 / 3600 from camino.api_client_keys where client_id = '{id}' order by id limit 1"), Is.EqualTo(24).Within(0.1));
        await ExecuteAsync($"update camino.api_client_keys set expires_at = now() - interval '1 second' where id = '{newest}'");
        Assert.That((await StatusAsync(first, "/api/v1/loans"), await StatusAsync(second, "/api/v1/loans")), Is.EqualTo((HttpStatusCode.Unauthorized, HttpStatusCode.OK)));

        var (leaked, third) = await SendAsync(admin, details, "?handler=Rotate", ("overlapHours", "0"), ("expiresDays", ""), ("newest", Newest().Match(await admin.PageAsync(details)).Groups["id"].Value));
        Assert.That(leaked, Does.Contain(third));
        Assert.That((await StatusAsync(second, "/api/v1/loans"), await StatusAsync(third, "/api/v1/loans")), Is.EqualTo((HttpStatusCode.Unauthorized, HttpStatusCode.OK)));
        Assert.That(await ActionsAsync(id), Is.EqualTo((string[])["client.added", "client.key_rotated", "client.key_rotated"]));
        Assert.That(await _camino.ScalarAsync<bool>($"select bool_and(user_id is not null) and not bool_or(details::text like '%{first[20..40]}%') from camino.audit_entries where subject_id = '{id}'"), Is.True);
    }

    [Test]
    public async Task What_was_disabled_or_changed_at_one_server_is_so_at_the_next_request_to_another()
    {
        var (id, key) = await AddAsync("Nightly export", "loans:read");
        await using var second = await _camino.StartSecondOfficeAsync();
        var other = RunningCamino.AddressOf(second);
        using var admin = new StaffBrowser(_camino.OfficeAddress);
        (await admin.SignInAsync("admin")).Dispose();
        var page = $"/clients/{id}";
        Assert.That(await StatusAsync(key, "/api/v1/loans", other), Is.EqualTo(HttpStatusCode.OK));

        var (kept, _) = await SendAsync(admin, page, "?handler=Change", ("Scopes", "imports:read"), ("PerMinute", "x"), ("Burst", "60"), ("PerDay", ""), ("Reason", "other work"));
        Assert.That(kept, Does.Contain("must be a whole number, 1 to 100,000").And.Contain("value=\"other work\"").And.Match("value=\"imports:read\"[^>]*checked"));
        await SendAsync(admin, page, "?handler=Change", ("Scopes", "imports:read"), ("PerMinute", "900"), ("Burst", "60"), ("PerDay", ""), ("Reason", "other work"));
        Assert.That((await StatusAsync(key, "/api/v1/loans", other), await StatusAsync(key, "/api/v1/imports", other)), Is.EqualTo((HttpStatusCode.Forbidden, HttpStatusCode.OK)));

        await SendAsync(admin, page, "?handler=Disable", ("reason", "contract ended"));
        Assert.That((await StatusAsync(key, "/api/v1/imports", other), await StatusAsync(key, "/api/v1/imports")), Is.EqualTo((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized)));
        var (refused, _) = await SendAsync(admin, page, "?handler=Disable", ("reason", "contract ended"));
        Assert.That(refused, Does.Contain("That is so already").And.Not.Contain("handler=Rotate"));
        await SendAsync(admin, page, "?handler=Enable", ("reason", "contract renewed"));
        Assert.That(await StatusAsync(key, "/api/v1/imports", other), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await ActionsAsync(id), Is.EqualTo((string[])["client.added", "client.changed", "client.disabled", "client.enabled"]));
    }

    [Test]
    public async Task Every_answer_says_what_is_left_and_one_too_many_is_told_when_to_ask_again()
    {
        var (_, key) = await AddAsync("Hasty", "quotes:use", perMinute: 1, burst: 3, perDay: 100);
        using var client = ClientOf(key);
        for (var left = 2; left >= 0; left--)
        {
            using var answer = await client.GetAsync(new Uri("/api/v1/loans", UriKind.Relative));
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden), "what is refused counts as well");
            Assert.That(Header(answer, "RateLimit-Policy"), Is.EqualTo("\"burst\";q=3;w=180, \"day\";q=100;w=86400"));
            Assert.That(Header(answer, "RateLimit"), Does.Match($"^\"burst\";r={left};t={(3 - left) * 60}, \"day\";r={97 + left};t=[0-9]+$"));
        }

        using var refused = await client.GetAsync(new Uri("/api/v1/loans", UriKind.Relative));
        var problem = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That((refused.StatusCode, refused.Content.Headers.ContentType?.MediaType), Is.EqualTo((HttpStatusCode.TooManyRequests, "application/problem+json")));
        Assert.That(refused.Headers.RetryAfter?.Delta, Is.GreaterThan(TimeSpan.FromSeconds(30)).And.LessThanOrEqualTo(TimeSpan.FromSeconds(60)));
        Assert.That(problem.GetProperty("code").GetString(), Is.EqualTo("client.too_many"));
        Assert.That(problem.GetProperty("detail").GetString(), Does.Contain("1 requests a minute and 3 at once"));
        Assert.That(Header(refused, "RateLimit"), Does.StartWith("\"burst\";r=0;"));
    }

    [Test]
    public async Task A_days_requests_are_counted_over_all_servers_and_written_down_without_a_request_waiting_for_it()
    {
        var (id, key) = await AddAsync("Modest", "quotes:use", perDay: 3);
        await using var second = await _camino.StartSecondOfficeAsync();
        for (var i = 0; i < 2; i++)
            Assert.That(await StatusAsync(key, "/api/v1/loans"), Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(await _camino.ScalarAsync<bool>($"select last_used_at is null from camino.api_client_keys where client_id = '{id}'"), Is.True, "no request writes");

        await _camino.Office.Services.GetRequiredService<ClientUse>().WriteAsync(CancellationToken.None);
        Assert.That(await _camino.ScalarAsync<bool>($"select last_used_at > now() - interval '1 minute' from camino.api_client_keys where client_id = '{id}'"), Is.True);
        Assert.That(await _camino.ScalarAsync<long>($"select sum(requests)::bigint from camino.api_client_days where client_id = '{id}'"), Is.EqualTo(2));
        Assert.That(await StatusAsync(key, "/api/v1/loans", RunningCamino.AddressOf(second)), Is.EqualTo(HttpStatusCode.Forbidden), "the third");
        using var client = ClientOf(key, RunningCamino.AddressOf(second));
        using var over = await client.GetAsync(new Uri("/api/v1/loans", UriKind.Relative));
        Assert.That(over.StatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests));
        Assert.That((await over.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString(), Is.EqualTo("client.day_over"));
        Assert.That(over.Headers.RetryAfter?.Delta, Is.GreaterThan(TimeSpan.Zero).And.LessThanOrEqualTo(TimeSpan.FromDays(1)));

        await second.StopAsync();
        Assert.That(await _camino.ScalarAsync<long>($"select sum(requests)::bigint from camino.api_client_days where client_id = '{id}'"), Is.EqualTo(3), "a server that ends writes down the rest");
    }

    [Test]
    public async Task What_a_client_does_stands_in_the_trail_under_its_id_and_its_jobs_are_its_own()
    {
        var (id, key) = await AddAsync("Robot", "jobs:act", "jobs:read");
        var (_, stranger) = await AddAsync("Other robot", "jobs:act", "jobs:read");
        using var client = ClientOf(key);
        using var asked = await client.PostAsJsonAsync(new Uri("/api/v1/jobs/echo", UriKind.Relative), new { text = "hello", queue = "bulk" });
        Assert.That(asked.StatusCode, Is.EqualTo(HttpStatusCode.Accepted), await asked.Content.ReadAsStringAsync());
        var job = await _camino.ScalarAsync<Guid>($"select id from jobs.job where requested_by = '{id}'");

        using var other = ClientOf(stranger);
        using var refused = await other.PostAsJsonAsync(new Uri($"/api/v1/jobs/{job}/cancel", UriKind.Relative), new { reason = "not mine" });
        Assert.That(refused.IsSuccessStatusCode, Is.False);
        using var cancelled = await client.PostAsJsonAsync(new Uri($"/api/v1/jobs/{job}/cancel", UriKind.Relative), new { reason = "asked in error" });
        Assert.That(cancelled.IsSuccessStatusCode, Is.True, await cancelled.Content.ReadAsStringAsync());
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.audit_entries where user_id = '{id}'"), Is.EqualTo(1));
    }

    [Test]
    public async Task Operators_add_list_rotate_change_and_disable_clients_from_the_shell()
    {
        using var configs = new Configs();
        Task<Ended> RunAsync(params string[] arguments) =>
            CaminoProcess.RunAsync(new Dictionary<string, string?> { ["CAMINO_Database__ConnectionString"] = _camino.ConnectionString }, ["client", .. arguments, "--config", configs.Of("BackOffice")]);

        var added = await RunAsync("add", "Warehouse", "--scopes", "loans:read,quotes:use", "--per-day", "5000", "--by", "tester");
        Assert.That(added.Code, Is.Zero, added.ToString());
        Assert.That(added.Output.Trim(), Does.Match("^camino_client_[0-9A-Za-z]{49}$"));
        var wrong = await RunAsync("add", "Else", "--scopes", "loans:all");
        Assert.That((wrong.Code, wrong.Output), Is.EqualTo((1, "")));
        Assert.That(wrong.Error, Does.Contain("scope is \"loans:all\"; it must be one or more of borrowers:read").And.Contain("(client.scopes)"));
        var rotated = await RunAsync("rotate", "WAREHOUSE", "--overlap-hours", "0");
        Assert.That(await StatusAsync(added.Output.Trim(), "/api/v1/loans"), Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await StatusAsync(rotated.Output.Trim(), "/api/v1/loans"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await RunAsync("change", "warehouse", "--burst", "9", "--reason", "calmer now")).Code, Is.Zero);
        Assert.That((await RunAsync("disable", "warehouse", "--reason", "sold")).Code, Is.Zero);
        Assert.That(await StatusAsync(rotated.Output.Trim(), "/api/v1/loans"), Is.EqualTo(HttpStatusCode.Unauthorized));
        var listed = JsonSerializer.Deserialize<JsonElement>((await RunAsync("list", "--json")).Output).GetProperty("clients").EnumerateArray().Single(line => line.GetProperty("name").GetString() == "Warehouse");
        Assert.That(listed.GetProperty("isDisabled").GetBoolean(), Is.True);
        Assert.That((listed.GetProperty("keys").GetInt32(), listed.GetProperty("terms").GetProperty("burst").GetInt32(), listed.GetProperty("terms").GetProperty("requestsADay").GetInt32()), Is.EqualTo((1, 9, 5_000)));
        Assert.That(await _camino.ScalarAsync<string>("select details from camino.audit_entries where action = 'client.added' and details::text like '%Warehouse%'"), Does.Contain("tester"));
    }

    [Test]
    public async Task What_is_wrong_with_a_client_is_named_with_its_limit()
    {
        await AddAsync("Taken", "loans:read");
        var terms = ClientTerms.Read(["loans:read"], null, null, null);
        Assert.That((terms.RequestsAMinute, terms.Burst, terms.RequestsADay), Is.EqualTo((600, 60, (int?)null)));
        Assert.That(RefusalOf(() => ClientTerms.Read([], null, null, null)), Does.StartWith("client.scopes: "));
        Assert.That(RefusalOf(() => ClientTerms.Read(["loans:read"], "0", null, null)), Is.EqualTo("client.per_minute: per-minute is \"0\"; it must be a whole number, 1 to 100000."));
        Assert.That(RefusalOf(() => ClientTerms.Read(["loans:read"], null, "10001", null)), Does.StartWith("client.burst: "));
        Assert.That(RefusalOf(() => ClientTerms.Read(["loans:read"], null, null, "-1")), Does.StartWith("client.per_day: "));
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var (add, rotate) = (scope.ServiceProvider.GetRequiredService<AddClient>(), scope.ServiceProvider.GetRequiredService<RotateClientKey>());
        var codes = new List<string?>
        {
            await CodeAsync(() => add.RunAsync(" ", terms, null, Operator, CancellationToken.None)),
            await CodeAsync(() => add.RunAsync("TAKEN", terms, null, Operator, CancellationToken.None)),
            await CodeAsync(() => add.RunAsync("Free", terms, "3651", Operator, CancellationToken.None)),
            await CodeAsync(() => rotate.RunAsync(Guid.NewGuid(), null, null, null, Operator, CancellationToken.None)),
            await CodeAsync(() => rotate.RunAsync(Guid.NewGuid(), "721", null, null, Operator, CancellationToken.None)),
        };
        Assert.That(codes, Is.EqualTo((string[])["client.name", "client.exists", "client.expires", "client.not_found", "client.overlap"]));
    }

    [Test]
    public void A_key_that_was_mistyped_is_known_without_the_database_and_a_bucket_is_filled_as_time_goes_by()
    {
        var key = ClientKey.New();
        Assert.That(ClientKey.IsWhole(key), Is.True);
        for (var place = 0; place < key.Length; place++)
            Assert.That(ClientKey.IsWhole(key[..place] + (key[place] == 'x' ? 'y' : 'x') + key[(place + 1)..]), Is.False, $"at {place}");
        Assert.That(ClientKey.IsWhole(key + "0") || ClientKey.IsWhole(""), Is.False);

        var clock = new Clock();
        var turns = new ClientTurns(clock);
        var client = new KnownClient(Guid.NewGuid(), Guid.NewGuid(), "c", new ClientTerms([], 60, 2, 4), 0);
        bool[] first = [turns.Take(client).IsGiven, turns.Take(client).IsGiven, turns.Take(client).IsGiven];
        clock.Now += TimeSpan.FromSeconds(1);
        bool[] later = [turns.Take(client).IsGiven, turns.Take(client).IsGiven];
        clock.Now += TimeSpan.FromHours(1);
        var (fourth, fifth) = (turns.Take(client), turns.Take(client));
        clock.Now += TimeSpan.FromDays(1);
        var nextDay = turns.Take(client);

        Assert.That(first, Is.EqualTo((bool[])[true, true, false]));
        Assert.That(later, Is.EqualTo((bool[])[true, false]));
        Assert.That((fourth.IsGiven, fourth.LeftToday, fifth.IsGiven, fifth.IsDayOver, fifth.Wait), Is.EqualTo((true, 0L, false, true, fifth.DayEnds)));
        Assert.That((nextDay.IsGiven, nextDay.LeftToday, nextDay.Left), Is.EqualTo((true, 3L, 1)));
    }

    [Test]
    public void Whoever_had_no_turn_is_remembered_for_a_second_and_no_longer_than_until_there_is_one()
    {
        var clock = new Clock();
        var turns = new ClientTurns(clock);
        var client = new KnownClient(Guid.NewGuid(), Guid.NewGuid(), "c", new ClientTerms([], 120, 1, null), 0);
        var (hash, other) = (ClientKey.HashOf(ClientKey.New()), ClientKey.HashOf(ClientKey.New()));
        Assert.That((turns.Take(client).IsGiven, turns.StillExhausted(hash)), Is.EqualTo((true, ((KnownClient, ClientTurn)?)null)), "it had its turn");
        Assert.That(turns.Take(client).IsGiven, Is.False);
        turns.NoteExhausted(hash, client);

        clock.Now += TimeSpan.FromMilliseconds(400);
        Assert.That(turns.StillExhausted(hash)?.Turn.Wait, Is.EqualTo(TimeSpan.FromMilliseconds(100)).Within(TimeSpan.FromMilliseconds(1)));
        Assert.That(turns.StillExhausted(other), Is.Null, "another key");
        clock.Now += TimeSpan.FromMilliseconds(200);
        Assert.That(turns.StillExhausted(hash), Is.Null, "there is a turn again");

        turns.Take(client);
        turns.NoteExhausted(hash, client with { Terms = new ClientTerms([], 1, 1, null) });
        clock.Now += ClientTurns.RememberedFor;
        Assert.That(turns.StillExhausted(hash), Is.Null, "the limits may be others by now");
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task Whoever_had_no_turn_a_moment_ago_is_told_so_without_a_look_into_the_database(CancellationToken ct)
    {
        // a key that the database does not know: whoever looked there would answer 401
        var key = ClientKey.New();
        await using var own = await RunningCamino.StartAsync(withAsync: false, withPeople: false);
        var turns = own.Office.Services.GetRequiredService<ClientTurns>();
        var client = new KnownClient(Guid.NewGuid(), Guid.NewGuid(), "Flood", new ClientTerms(["loans:read"], 1, 1, null), 0);
        turns.Take(client);
        turns.HandOver(); // nobody is to write down what a client did that is not there
        using var flood = ClientOf(key, own.OfficeAddress);
        HttpResponseMessage told;
        do
        {
            turns.NoteExhausted(ClientKey.HashOf(key), client); // again where the machine took longer than it is remembered
            told = await flood.GetAsync(new Uri("/api/v1/loans", UriKind.Relative), ct);
        }
        while (told.StatusCode == HttpStatusCode.Unauthorized);

        Assert.That(told.StatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests));
        Assert.That((await told.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("code").GetString(), Is.EqualTo("client.too_many"));
        Assert.That(told.Headers.RetryAfter?.Delta, Is.GreaterThan(TimeSpan.FromSeconds(30)));
        Assert.That(Header(told, "RateLimit"), Does.StartWith("\"burst\";r=0;"));
        told.Dispose();
        turns.HandOver();
    }

    [Test]
    public void What_is_being_written_down_is_not_given_once_more_and_what_could_not_be_is_not_forgotten()
    {
        var turns = new ClientTurns(new Clock());
        var client = new KnownClient(Guid.NewGuid(), Guid.NewGuid(), "c", new ClientTerms([], 60, 60, 10), 0);
        turns.Take(client);
        turns.Take(client);
        var first = turns.HandOver();
        Assert.That(turns.LeftToday(client), Is.EqualTo(8), "handed over");
        turns.Take(client);
        var second = turns.HandOver();
        Assert.That(turns.LeftToday(client), Is.EqualTo(7), "and the next before the first was written");

        turns.TakeBack(second);
        Assert.That(turns.LeftToday(client), Is.EqualTo(7), "could not be written");
        turns.Written(first);
        Assert.That(turns.LeftToday(client with { UsedToday = 2 }), Is.EqualTo(7), "stands in the database");
        Assert.That(turns.HandOver().Requests.Values, Is.EqualTo((long[])[1]));
    }

    [Test]
    public async Task A_key_is_found_and_a_page_of_clients_read_from_indexes_however_many_there_are()
    {
        await using var own = await RunningCamino.StartAsync(withAsync: false, withPeople: false);
        await using (var fill = own.Source.CreateCommand(
            """
            insert into camino.api_clients (id, name, scopes, requests_a_minute, burst, made_at) select gen_random_uuid(), 'Client ' || n, array['loans:read'], 1, 1, now() from generate_series(1, 5000) n;
            insert into camino.api_client_keys (id, client_id, hash, ending, made_at) select gen_random_uuid(), id, sha256((id::text || k)::bytea), 'abcd', now() from camino.api_clients, generate_series(1, 4) k;
            insert into camino.api_client_days (client_id, day, requests) select id, current_date - d, 5 from camino.api_clients, generate_series(0, 9) d;
            analyze camino.api_clients, camino.api_client_keys, camino.api_client_days;
            """))
            await fill.ExecuteNonQueryAsync();
        await using var ask = new CheckClient(own.Source, TimeProvider.System).Command(ClientKey.New());
        var list = new ListClients(own.Source, TimeProvider.System);
        var first = await list.RunAsync(null, ListClients.PageSize, CancellationToken.None);
        var second = await list.RunAsync(first[^1].Id, ListClients.PageSize, CancellationToken.None);
        await using var page = list.Page(second[^1].Id, ListClients.PageSize + 1);

        Assert.That(first.Concat(second).Select(line => line.Name.ToUpperInvariant()), Is.Unique.And.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
        Assert.That(await QueryPlan.OfAsync(ask), Does.Contain("ux_api_client_keys_hash").And.Contain("pk_api_client_days").And.Not.Contain("Seq Scan"));
        Assert.That(await QueryPlan.OfAsync(page), Does.Contain("ux_api_clients_sort_name").And.Not.Contain("Seq Scan"));
    }

    private Task<(Guid Id, string Key)> AddAsync(string name, params string[] scopes) => AddAsync(name, scopes, ClientTerms.UsualAMinute, ClientTerms.UsualBurst, null);

    private Task<(Guid Id, string Key)> AddAsync(string name, string scope, int perMinute = ClientTerms.UsualAMinute, int burst = ClientTerms.UsualBurst, int? perDay = null) => AddAsync(name, [scope], perMinute, burst, perDay);

    private async Task<(Guid Id, string Key)> AddAsync(string name, string[] scopes, int perMinute, int burst, int? perDay)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync(name, new ClientTerms(scopes, perMinute, burst, perDay), null, Operator, CancellationToken.None);
    }

    private HttpClient ClientOf(string key, Uri? at = null)
    {
        var client = new HttpClient { BaseAddress = at ?? _camino.OfficeAddress };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private async Task<HttpStatusCode> StatusAsync(string key, string path, Uri? at = null)
    {
        using var client = ClientOf(key, at);
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }

    /// <summary>Sends a form; the page that came back, and the key that it shows.</summary>
    private static async Task<(string Page, string Key)> SendAsync(StaffBrowser browser, string page, string handler, params (string Name, string Value)[] fields)
    {
        using var answer = await browser.PostAsync(page, page + handler, fields);
        var text = await answer.Content.ReadAsStringAsync();
        return (text, KeyOnPage().Match(text).Groups["key"].Value);
    }

    private async Task<string[]> ActionsAsync(Guid client) => await _camino.ScalarAsync<string[]>($"select array(select action from camino.audit_entries where subject = 'client' and subject_id = '{client}' order by chain_position)") ?? [];

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static string Header(HttpResponseMessage answer, string name) => string.Join(", ", answer.Headers.GetValues(name));

    private static string? RefusalOf(Action act)
    {
        var refused = Assert.Throws<RefusedException>(() => act());
        return $"{refused?.Code}: {refused?.Message}";
    }

    private static async Task<string?> CodeAsync(Func<Task> act) => (await Assert.ThrowsAsync<RefusedException>(() => act()))?.Code;

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 3, 2, 10, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }

    [GeneratedRegex("data-key[^>]*>(?<key>[^<]+)<", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex KeyOnPage();

    [GeneratedRegex("/clients/(?<id>[0-9a-f-]{36})", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Link();

    [GeneratedRegex("name=\"newest\" value=\"(?<id>[0-9a-f-]{36})\"", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Newest();
}
