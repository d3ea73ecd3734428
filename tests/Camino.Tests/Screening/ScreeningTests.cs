using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Lending;
using Camino.Screening;
using Camino.Testing;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Screening;

/// <summary>Lists are taken in, names are screened, and two people decide what a hit is: through the API, on a real database.</summary>
internal sealed class ScreeningTests
{
    private static readonly Uri Screenings = new("/api/v1/screenings", UriKind.Relative);

    private RunningCamino _camino = null!;
    private InventedLists _lists = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _lists = new InventedLists();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _camino.DisposeAsync();
        _lists.Dispose();
    }

    [Test]
    public async Task Before_a_list_is_there_a_screening_is_refused_in_words()
    {
        using var answer = await _camino.Api.PostAsJsonAsync(Screenings, new { name = "Tomas Velasquez" });

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Conflict));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("screening.no_list").And.Contain("camino screening import"));
    }

    [Test]
    public async Task A_name_is_found_with_the_version_of_the_list_a_score_and_its_explanation()
    {
        await ImportAsync();
        var screening = await ScreenAsync(new { name = "Tomás Velázquez", kind = "person", birthDate = "1961-03-14", country = "Colombia" });
        var hit = screening.GetProperty("hits").EnumerateArray().Single();

        Assert.That(screening.GetProperty("listNumber").GetInt32(), Is.EqualTo(1));
        Assert.That(screening.GetProperty("best").GetInt32(), Is.GreaterThanOrEqualTo(90));
        Assert.That(hit.GetProperty("entry").GetInt32(), Is.EqualTo(1));
        Assert.That(hit.GetProperty("state").GetString(), Is.EqualTo("open"));
        Assert.That(hit.GetProperty("evidence").EnumerateArray().Select(one => one.GetString()), Is.EqualTo(new[] { "birthDateSame", "countrySame" }));
        Assert.That(hit.GetProperty("words").EnumerateArray().Select(word => word.GetProperty("how").GetString()), Is.EquivalentTo(new[] { "transliterated", "soundsAlike", "missing" }));
        Assert.That((await ScreenAsync(new { name = "Blue Heron Bakery LLC", kind = "business" })).GetProperty("hits").GetArrayLength(), Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where action = 'screening.asked'"), Is.EqualTo(2));
    }

    [TestCase("""{}""", "screening.name")]
    [TestCase("""{"name":"---"}""", "screening.name")]
    [TestCase("""{"name":"x","kind":"ship"}""", "screening.kind")]
    [TestCase("""{"name":"x","threshold":59}""", "screening.threshold")]
    [TestCase("""{"name":"x","birthDate":"1700-01-01"}""", "screening.birth_date")]
    public async Task What_cannot_be_screened_is_refused_by_field(string body, string code)
    {
        await ImportAsync();
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await _camino.Api.PostAsync(Screenings, content);

        Assert.That((int)answer.StatusCode, Is.EqualTo(422));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain(code));
    }

    [Test]
    public async Task A_hit_is_decided_by_two_different_people_and_each_step_is_audited()
    {
        await ImportAsync();
        var hit = (await ScreenAsync(new { name = "Tomas Velasquez Ibarra" })).GetProperty("hits")[0].GetProperty("id").GetGuid();
        using var underwriter = await _camino.ApiOfAsync("underwriter");
        using var admin = await _camino.ApiOfAsync("admin");

        Assert.That(await PostAsync(_camino.Api, $"{hit}/propose", new { outcome = "clear", reason = "x" }), Is.EqualTo(HttpStatusCode.Forbidden), "an officer may not review");
        Assert.That(await PostAsync(underwriter, $"{hit}/agree", new { }), Is.EqualTo(HttpStatusCode.Conflict), "nothing is proposed");
        Assert.That(await PostAsync(underwriter, $"{hit}/propose", new { outcome = "clear", reason = " " }), Is.EqualTo(HttpStatusCode.UnprocessableEntity), "a reason is needed");
        Assert.That(await PostAsync(underwriter, $"{hit}/propose", new { outcome = "clear", reason = "Born in 1990, the other in 1961" }), Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(await PostAsync(underwriter, $"{hit}/agree", new { }), Is.EqualTo(HttpStatusCode.UnprocessableEntity), "not by the one who proposed");
        Assert.That(await PostAsync(admin, $"{hit}/disagree", new { reason = "No document seen" }), Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(await PostAsync(admin, $"{hit}/propose", new { outcome = "confirm", reason = "Passport number is the same" }), Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(await PostAsync(underwriter, $"{hit}/agree", new { }), Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(await PostAsync(admin, $"{hit}/disagree", new { reason = "Too late" }), Is.EqualTo(HttpStatusCode.Conflict), "it is decided");

        Assert.That(await _camino.ScalarAsync<short>($"select state from camino.screening_hits where id = '{hit}'"), Is.EqualTo((short)HitState.Confirmed));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by id) from camino.audit_entries where subject = 'screening_hit' and subject_id = '{hit}'"), Is.EqualTo("screening.clear_proposed screening.sent_back screening.confirm_proposed screening.confirmed"));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where details::text ~* 'passport|velasq'"), Is.Zero);
    }

    [Test]
    public void The_database_itself_refuses_a_decision_by_one_person() =>
        Assert.That(async () =>
        {
            await ImportAsync();
            var hit = (await ScreenAsync(new { name = "Tomas Velasquez Ibarra" })).GetProperty("hits")[0].GetProperty("id").GetGuid();
            await _camino.ScalarAsync<object>($"update camino.screening_hits set state = 3, proposed_by = id, decided_by = id where id = '{hit}'");
        }, Throws.InstanceOf<PostgresException>().With.Property("ConstraintName").EqualTo("ck_screening_hits_two_people"));

    [Test]
    public async Task Files_that_are_in_force_change_nothing_and_others_say_what_they_changed()
    {
        var first = await ImportAsync();
        var again = await ImportAsync();
        _lists.Write("sdn.csv", InventedLists.Person(1, "VELASQUEZ IBARRA, Tomas", "DOB 15 Mar 1961."), InventedLists.Person(3, "OSEI, Kwabena", "a.k.a. 'THE HARBOUR MASTER'."), InventedLists.Business(4, "PUERTO BRUMA LTDA."));
        var changed = await ImportAsync();

        Assert.That((first.Number, first.IsNew, first.Counts.Entries, first.Added), Is.EqualTo((1, true, 4, 0)));
        Assert.That((again.Number, again.IsNew), Is.EqualTo((1, false)));
        Assert.That((changed.Number, changed.Added, changed.Removed, changed.Changed), Is.EqualTo((2, 1, 1, 1)));
        Assert.That(await _camino.ScalarAsync<string>("select string_agg(change || ':' || entry, ' ' order by change) from camino.watch_changes where list_number = 2"), Is.EqualTo("0:4 1:2 2:1"));
        Assert.That((await ScreenAsync(new { name = "Puerto Bruma" })).GetProperty("best").GetInt32(), Is.EqualTo(100), "the new version is searched at once");
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.screening_runs"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_list_that_is_not_whole_leaves_the_one_in_force()
    {
        await ImportAsync();
        File.Delete(Path.Combine(_lists.Folder, "cons_alt.csv"));

        Assert.That(ImportAsync, Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("ofac.file_missing"));
        Assert.That(await _camino.ScalarAsync<int>("select max(number) from camino.watch_lists"), Is.EqualTo(1));
    }

    [Test]
    public async Task The_book_is_screened_when_a_list_changes_and_what_was_found_before_is_not_opened_again()
    {
        await _camino.ImportAsync(System.Text.Encoding.UTF8.GetBytes("LoanNumber,BorrowerName,Employees,Disbursed\nL-1,Velasquez Ibarra Tomas,4,1000.00\nL-2,Blue Heron Bakery LLC,4,1000.00\nL-3,Nordlicht Handels LLC,4,2000.00\n"));
        await ImportAsync();
        await RunsAreOverAsync(1);
        var found = await _camino.ScalarAsync<string>("select string_agg(h.entry::text, ' ' order by h.entry) from camino.screening_hits h join camino.screenings s on s.id = h.screening_id where s.run_id is not null and s.loan_id is not null");
        using var admin = await _camino.ApiOfAsync("admin");
        using var asked = await admin.PostAsJsonAsync(new Uri("/api/v1/screening-runs", UriKind.Relative), new { });
        await RunsAreOverAsync(2);

        Assert.That(found, Is.EqualTo("1 2"));
        Assert.That(asked.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.screening_hits"), Is.EqualTo(2));
        Assert.That(await _camino.ScalarAsync<string>("select string_agg(names || '/' || hits || '/' || known, ' ' order by id) from camino.screening_runs"), Is.EqualTo("3/2/0 3/0/2"));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from jobs.job where args::text ~* 'velasq|nordlicht'") + await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where details::text ~* 'velasq|nordlicht'"), Is.Zero);
        Assert.That(_camino.LogLines.Where(line => line.Contains("elasquez", StringComparison.OrdinalIgnoreCase) || line.Contains("nordlicht", StringComparison.OrdinalIgnoreCase)), Is.Empty);
    }

    [Test]
    public async Task No_money_goes_out_while_the_borrower_or_an_owner_matches_a_list_until_two_people_cleared_it()
    {
        await ImportAsync();
        using var admin = await _camino.ApiOfAsync("admin");
        using var underwriter = await _camino.ApiOfAsync("underwriter");
        var book = new ServicedBook(_camino);
        await book.PrepareAsync();
        var (bakery, nordlicht, owned) = (await book.BookedLoanAsync(), await book.BookedLoanAsync(borrower: "Nordlicht Handels LLC"), await book.BookedLoanAsync(borrower: "Harbor Works Inc"));
        await _camino.ScalarAsync<object>($"""
            insert into camino.borrowers (id, name) values ('{owned}', 'Harbor Works Inc');
            insert into camino.borrower_owners (id, borrower_id, position, name) values ('{owned}', '{owned}', 1, 'Tomas Velasquez Ibarra');
            insert into camino.loan_borrowers (loan_id, borrower_id, own_book) values ('{owned}', '{owned}', true) on conflict (loan_id) do update set borrower_id = excluded.borrower_id
            """);
        var money = new { on = "2026-01-01", amount = "12000.00" };

        await book.OkAsync(bakery, "disburse", money);
        var refused = await book.RefusedAsync(nordlicht, "disburse", money);
        Assert.That(refused.GetProperty("code").GetString(), Is.EqualTo("loan.sanctions"));
        Assert.That(refused.GetProperty("detail").GetString(), Does.Contain("1 possible matches"));
        Assert.That((await book.RefusedAsync(owned, "disburse", money)).GetProperty("code").GetString(), Is.EqualTo("loan.sanctions"), "an owner counts as the business does");
        await book.RefusedAsync(nordlicht, "disburse", money);
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.screening_hits"), Is.EqualTo(2), "what was found is kept once");
        var hit = await _camino.ScalarAsync<Guid>($"select h.id from camino.screening_hits h join camino.screenings s on s.id = h.screening_id where s.loan_id = '{nordlicht}'");
        await PostAsync(underwriter, $"{hit}/propose", new { outcome = "clear", reason = "Another town, another owner" });
        await book.RefusedAsync(nordlicht, "disburse", money);
        await PostAsync(admin, $"{hit}/agree", new { });
        await book.OkAsync(nordlicht, "disburse", money);
    }

    [Test]
    public async Task Pages_of_the_history_and_of_what_waits_come_from_indexes()
    {
        await ImportAsync();
        await _camino.ScalarAsync<object>("""
            insert into camino.screenings (id, list_number, asked_at, name, kind, threshold, best, hits) select gen_random_uuid(), 1, now(), 'Example ' || n, 0, 85, 90, 1 from generate_series(1, 20000) n;
            insert into camino.screening_hits (id, screening_id, list, entry, score, name_score, listed_name, why, state, proposed_by, decided_by)
                select gen_random_uuid(), id, 'sdn', 1, 90, 90, 'X', '{}', 3, gen_random_uuid(), gen_random_uuid() from camino.screenings;
            analyze camino.screenings; analyze camino.screening_hits;
            """);
        await using var history = ReadScreenings.History(_camino.Source, Guid.CreateVersion7());
        await using var waiting = _camino.Source.CreateCommand(ReadScreenings.WaitingSql);
        waiting.Parameters.AddWithValue(Guid.Empty);

        Assert.That(await QueryPlan.OfAsync(history), Does.Contain("pk_screenings").And.Match("ix_screening_hits_(screening_id|open)").And.Not.Contain("Seq Scan on screening"));
        Assert.That(await QueryPlan.OfAsync(waiting), Does.Contain("ix_screening_hits_open").And.Not.Contain("Seq Scan on screening"));
    }

    private Task<ListImport> ImportAsync() => _lists.TakeInAsync(_camino);

    private async Task<JsonElement> ScreenAsync(object asked)
    {
        using var answer = await _camino.Api.PostAsJsonAsync(Screenings, asked);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Created), await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string path, object body)
    {
        using var answer = await client.PostAsJsonAsync(new Uri("/api/v1/screening-hits/" + path, UriKind.Relative), body);
        return answer.StatusCode;
    }

    private async Task RunsAreOverAsync(int runs)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (await _camino.ScalarAsync<long>("select count(*) from camino.screening_runs where finished_at is not null") < runs)
            await timer.WaitForNextTickAsync(limit.Token);
    }
}
