using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Applications;
using Camino.Clients;
using Camino.Data;
using Camino.People;
using Camino.Testing;
using Camino.Tests.Imports;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>Clients hand in many applications at once, see their own and no others, and are counted.</summary>
/// <remarks>Measures the memory of the whole process, so nothing else runs beside it.</remarks>
[NonParallelizable]
internal sealed class BulkTests
{
    private static readonly string[] Scopes = ["applications:create", "applications:read", "applications:change", "search:read"];

    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task Every_line_is_answered_a_bad_one_hides_no_other_and_a_repetition_doubles_nothing()
    {
        var (id, client) = await ClientAsync("Bulk");
        var key = Guid.NewGuid().ToString();
        var body = string.Join('\n', Line("One"), "", "nonsense", Line("Two") + "\r", "{\"name\":\"Three\",\"amount\":\"0\",\"phones\":[\"912 555 0101\"]}", new string('x', 70_000), Line("Four", "own-key"));
        var first = await SendAsync(client, body, key);
        var again = await SendAsync(client, body, key);
        var altered = await SendAsync(client, body.Replace("\"One\"", "\"Uno\"", StringComparison.Ordinal), key);

        Assert.That(first.Select(line => line.GetProperty("line").GetInt32()), Is.EqualTo((int[])[1, 3, 4, 5, 6, 7]));
        Assert.That(first.Select(CodeOf), Is.EqualTo((string[])["accepted", "input.not_json", "accepted", "input.amount", "input.too_large", "accepted"]));
        Assert.That(again.Select(IdOf), Is.EqualTo(first.Select(IdOf)));
        Assert.That(again.Where(line => line.GetProperty("status").GetString() == "accepted").Select(line => line.GetProperty("replayed").GetBoolean()), Is.All.True);
        Assert.That(CodeOf(altered[0]), Is.EqualTo("idempotency.key_reused"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.applications where received_by = '{id}'"), Is.EqualTo(3));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_events e join camino.applications a on a.id = e.application_id where a.received_by = '{id}' and e.move = 1"), Is.EqualTo(3));
    }

    [Test]
    public async Task Lines_worked_side_by_side_are_answered_in_their_order_and_two_that_share_a_key_are_one_application()
    {
        var (id, client) = await ClientAsync("Pairs");
        var answers = await SendAsync(client, string.Join('\n', Enumerable.Range(0, 40).Select(i => Line($"Pair {i / 2}", $"pair-{i / 2}"))), Guid.NewGuid().ToString());

        Assert.That(answers.Select(line => line.GetProperty("line").GetInt32()), Is.EqualTo(Enumerable.Range(1, 40)));
        Assert.That(answers.Select(CodeOf), Is.All.EqualTo("accepted"));
        Assert.That(answers.Chunk(2).Select(pair => IdOf(pair[0])), Is.EqualTo(answers.Chunk(2).Select(pair => IdOf(pair[1]))).And.Unique);
        Assert.That(answers.Select(line => line.TryGetProperty("replayed", out _)), Is.EqualTo(Enumerable.Range(0, 40).Select(i => i % 2 == 1)), "the first of two is the one that was taken");
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.applications where received_by = '{id}'"), Is.EqualTo(20));
        var other = await SendAsync(client, string.Join('\n', Enumerable.Range(0, 8).Select(i => Line($"Other {i}", "other"))), Guid.NewGuid().ToString());
        Assert.That(other.Select(CodeOf), Is.EqualTo((string[])["accepted", .. Enumerable.Repeat("idempotency.key_reused", 7)]));
    }

    [Test]
    public async Task Two_thousand_lines_are_taken_in_one_request_without_a_growing_memory()
    {
        var (id, client) = await ClientAsync("Many");
        await SendAsync(client, string.Join('\n', Enumerable.Range(0, 100).Select(i => Line($"Warm {i}"))), Guid.NewGuid().ToString());
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var answers = await SendAsync(client, string.Join('\n', Enumerable.Range(0, 2_000).Select(i => Line($"Business {i}"))), Guid.NewGuid().ToString());
        var after = GC.GetTotalMemory(forceFullCollection: true);

        Assert.That(answers, Has.Count.EqualTo(2_000));
        Assert.That(answers.Select(CodeOf), Is.All.EqualTo("accepted"));
        Assert.That(answers.Select(IdOf), Is.Unique);
        Assert.That(after - before, Is.LessThan(40_000_000), "what a line took is let go of");
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.applications where received_by = '{id}'"), Is.EqualTo(2_100));
    }

    [Test]
    public async Task Lines_count_against_the_quota_of_the_day_and_the_page_shows_what_was_refused_and_why()
    {
        var (id, client) = await ClientAsync("Quota", perDay: 4);
        var answers = await SendAsync(client, string.Join('\n', Enumerable.Range(0, 5).Select(i => Line($"Quota {i}"))), Guid.NewGuid().ToString());
        using var over = await client.GetAsync(new Uri("/api/v1/applications", UriKind.Relative));
        await _camino.Office.Services.GetRequiredService<ClientUse>().WriteAsync(CancellationToken.None);
        using var admin = new StaffBrowser(_camino.OfficeAddress);
        (await admin.SignInAsync("admin")).Dispose();
        var page = await admin.PageAsync($"/clients/{id}");
        var figures = await new ReadClientFigures(_camino.Source, TimeProvider.System).RunAsync(id, CancellationToken.None);

        Assert.That(answers.Select(CodeOf), Is.EqualTo((string[])["accepted", "accepted", "accepted", "client.day_over", "client.day_over"]), "the request itself is the fourth");
        Assert.That((over.StatusCode, over.Headers.RetryAfter?.Delta > TimeSpan.Zero), Is.EqualTo((HttpStatusCode.TooManyRequests, true)));
        Assert.That((figures.AcceptedToday, figures.Waiting, figures.Refusals.Single()), Is.EqualTo((3, 3, new ClientRefusal("client.day_over", 3))));
        Assert.That(page, Does.Contain("client.day_over"));
    }

    [Test]
    public async Task A_client_sees_moves_and_finds_only_what_it_handed_in()
    {
        var (_, mine) = await ClientAsync("Mine");
        var (_, other) = await ClientAsync("Other");
        var id = IdOf((await SendAsync(mine, Line("Juniper Plumbing"), Guid.NewGuid().ToString()))[0]);
        var foreign = IdOf((await SendAsync(other, Line("Juniper Electric"), Guid.NewGuid().ToString()))[0]);
        var list = await mine.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/applications?from=2026-01-01T00:00:00Z", UriKind.Relative));
        var later = await mine.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/applications?from=2190-01-01T00:00:00Z", UriKind.Relative));
        using var seen = await mine.GetAsync(new Uri($"/api/v1/applications/{id}", UriKind.Relative));
        using var hidden = await mine.GetAsync(new Uri($"/api/v1/applications/{foreign}", UriKind.Relative));
        using var offers = await mine.GetAsync(new Uri($"/api/v1/applications/{foreign}/offers", UriKind.Relative));
        using var move = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/applications/{foreign}/withdraw", UriKind.Relative)) { Content = JsonContent.Create(new { reason = "x" }) };
        move.Headers.Add("Idempotency-Key", "k");
        move.Headers.TryAddWithoutValidation("If-Match", "*");
        using var moved = await mine.SendAsync(move);
        using var search = await mine.PostAsJsonAsync(new Uri("/api/v1/search", UriKind.Relative), new { query = "Juniper" });
        var found = (await ServicedBook.ReadAsync(search, HttpStatusCode.OK)).GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("items").EnumerateArray()).Select(item => item.GetProperty("id").GetGuid());
        var all = await _camino.Api.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/applications/{foreign}", UriKind.Relative));

        Assert.That(list.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetGuid()), Is.EqualTo((Guid?[])[id]));
        Assert.That(later.GetProperty("items").GetArrayLength(), Is.Zero);
        Assert.That((seen.StatusCode, hidden.StatusCode, offers.StatusCode, moved.StatusCode), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound)));
        Assert.That(found, Is.EqualTo((Guid?[])[id]));
        Assert.That(all.GetProperty("id").GetGuid(), Is.EqualTo(foreign), "staff see all");
    }

    [Test]
    public async Task A_result_whose_time_is_over_is_seen_by_its_client_no_more_and_by_staff_it_is()
    {
        var (clientId, client) = await ClientAsync("Forgetful", resultDays: 7);
        var id = IdOf((await SendAsync(client, Line("Short Memory"), Guid.NewGuid().ToString()))[0]);
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", state => state == 2);
        using var move = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/applications/{id}/withdraw", UriKind.Relative)) { Content = JsonContent.Create(new { reason = "x" }) };
        move.Headers.Add("Idempotency-Key", "k");
        move.Headers.TryAddWithoutValidation("If-Match", "*");
        using var moved = await client.SendAsync(move);
        await RunAsync(new RemoveResults());
        var before = await client.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/applications/{id}", UriKind.Relative));
        var early = ListApplications.LeastIdAt(DateTimeOffset.UtcNow.AddDays(-8));
        await SqlAsync($"update camino.applications set ended_at = now() - interval '8 days', received_at = now() - interval '8 days' where id = '{id}'");
        await RunAsync(new RemoveResults());
        var unchanged = await _camino.ScalarAsync<bool>($"select result_removed_at is null from camino.applications where id = '{id}'");
        await SqlAsync($"insert into camino.applications (id, state, version, channel, name, language, amount, credit_consent, received_at, received_by, changed_at, expires_at, ended_at) values ('{early}', 8, 2, 'api', 'Old', 'en', 5, false, now() - interval '8 days', '{clientId}', now() - interval '8 days', now(), now() - interval '8 days')");
        await RunAsync(new RemoveResults());
        var after = await client.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/applications/{early}", UriKind.Relative));
        var staff = await _camino.Api.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/applications/{early}", UriKind.Relative));

        Assert.That((before.GetProperty("result").GetString(), before.GetProperty("resultRemovedAt").ValueKind), Is.EqualTo(("withdrawn", JsonValueKind.Null)));
        Assert.That(unchanged, Is.True, "its id says that it was taken in later than it claims to have ended");
        Assert.That((after.GetProperty("result").ValueKind, after.GetProperty("resultRemovedAt").ValueKind, after.GetProperty("steps").GetArrayLength()), Is.EqualTo((JsonValueKind.Null, JsonValueKind.String, 0)));
        Assert.That(staff.GetProperty("result").GetString(), Is.Not.Null);
    }

    [Test]
    public async Task An_application_that_expires_takes_the_jobs_of_its_open_steps_with_it()
    {
        var (_, client) = await ClientAsync("Expiring");
        var id = IdOf((await SendAsync(client, Line("Left Alone"), Guid.NewGuid().ToString()))[0]);
        await _camino.UntilAsync<long>($"select count(*) from camino.application_steps where application_id = '{id}' and state = 0 and problem is not null", count => count == 1);
        await SqlAsync($"update camino.applications set expires_at = now() - interval '1 hour' where id = '{id}'");
        await RunAsync(new ExpireApplications());

        Assert.That(await _camino.ScalarAsync<short>($"select state from camino.application_steps where application_id = '{id}'"), Is.EqualTo(4));
        await _camino.UntilAsync<long>($"select count(*) from jobs.job j where j.id = (select s.job_id from camino.application_steps s where s.application_id = '{id}')", count => count == 0);
        await _camino.UntilAsync<long>($"select count(*) from jobs.finished f where f.kind = 'applications.end-checks' and f.args ->> 'applicationId' = '{id}'", count => count == 1);
    }

    private static string Line(string name, string? key = null) =>
        JsonSerializer.Serialize(new { name, amount = "5000", phones = new[] { "912 555 0101" }, idempotencyKey = key });

    private static string? CodeOf(JsonElement line) => line.TryGetProperty("problem", out var problem) ? problem.GetProperty("code").GetString() : line.GetProperty("status").GetString();

    private static Guid? IdOf(JsonElement line) => line.TryGetProperty("applicationId", out var id) ? id.GetGuid() : null;

    private static async Task<List<JsonElement>> SendAsync(HttpClient client, string body, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications/bulk", UriKind.Relative)) { Content = new StringContent(body, Encoding.UTF8, "application/x-ndjson") };
        request.Headers.Add("Idempotency-Key", key);
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That((answer.StatusCode, answer.Content.Headers.ContentType?.MediaType), Is.EqualTo((HttpStatusCode.OK, "application/x-ndjson")), text);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
    }

    private async Task<(Guid Id, HttpClient Client)> ClientAsync(string name, int? perDay = null, int? resultDays = null)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var (id, key) = await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync(name, new ClientTerms(Scopes, 6_000, 600, perDay, resultDays), null, new StaffActor(null, "test"), CancellationToken.None);
        var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return (id, client);
    }

    /// <summary>Has a job run to its end.</summary>
    private async Task RunAsync<TArgs>(TArgs args)
        where TArgs : Camino.Jobs.IJobArgs
    {
        Guid job;
        await using (var scope = _camino.Office.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
            job = db.Enqueue(args);
            await db.SaveChangesAsync();
        }

        await _camino.UntilAsync<long>(string.Create(CultureInfo.InvariantCulture, $"select count(*) from jobs.finished where id = '{job}'"), count => count == 1);
    }

    private async Task SqlAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
