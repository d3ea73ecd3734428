using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Testing;
using Camino.Tests.Imports;
using NUnit.Framework;

namespace Camino.Tests.Borrowers;

/// <summary>Two borrowers become one with everything that hangs on them, and come back exactly as they were.</summary>
internal sealed class MergeTests
{
    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task A_merge_moves_everything_and_its_undoing_brings_both_back_exactly()
    {
        var (stays, goes) = await PairAsync("Undone");
        var (before, other) = (await SnapshotAsync(stays), await SnapshotAsync(goes));
        var loan = await BookAsync(goes, "Undone Two LLC");
        var (beforeLoans, otherLoans) = (await HangingAsync(stays), await HangingAsync(goes));

        var merged = await MergeAsync(stays, goes, new { goneId = goes, take = new[] { "tradeName", "language" }, owners = "gone", reason = "one and the same" });
        var one = await _camino.GetAsync($"/borrowers/{stays}");
        Assert.That(merged.GetProperty("loans").GetInt32(), Is.EqualTo(1));
        Assert.That((one.GetProperty("tradeName").GetString(), one.GetProperty("language").GetString(), one.GetProperty("name").GetString()), Is.EqualTo(("Two", "es", "Undone One LLC")));
        Assert.That(one.GetProperty("phones").GetArrayLength(), Is.EqualTo(2), "the shared one is there once");
        Assert.That(one.GetProperty("owners").EnumerateArray().Select(owner => owner.GetProperty("name").GetString()), Is.EqualTo((string[])["Tomas Two"]));
        Assert.That(one.GetProperty("loans").EnumerateArray().Select(line => line.GetProperty("id").GetGuid()), Does.Contain(loan));
        Assert.That(one.GetProperty("identifiers").EnumerateArray().Count(), Is.EqualTo(2), "the number of the business and that of the owner");
        Assert.That(one.GetProperty("bankAccounts").GetArrayLength(), Is.EqualTo(1));
        Assert.That((await _camino.GetAsync($"/borrowers/{stays}/notes")).GetProperty("items").GetArrayLength(), Is.EqualTo(1));

        await UndoAsync(stays, merged);
        Assert.That((await SnapshotAsync(stays), await SnapshotAsync(goes)), Is.EqualTo((before, other)));
        Assert.That((await HangingAsync(stays), await HangingAsync(goes)), Is.EqualTo((beforeLoans, otherLoans)));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ',' order by id) from camino.audit_entries where subject = 'borrower' and subject_id = '{goes}' and action like 'borrower.merge%'"), Is.EqualTo("borrower.merged,borrower.merge-undone"));
    }

    [Test]
    public async Task What_happened_since_stays_with_the_one_that_stayed()
    {
        var (stays, goes) = await PairAsync("Since");
        var merged = await MergeAsync(stays, goes, new { goneId = goes, take = new[] { "name" }, reason = "one and the same" });
        using (var changed = await SendAsync(HttpMethod.Patch, $"/api/v1/borrowers/{stays}", new { name = "Since Renamed LLC", phones = new[] { "(912) 555-0100", "(912) 555-0199" } }))
            Assert.That(changed.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        var later = await BookAsync(stays, "Since Renamed LLC");

        await UndoAsync(stays, merged);
        var (one, two) = (await _camino.GetAsync($"/borrowers/{stays}"), await _camino.GetAsync($"/borrowers/{goes}"));
        Assert.That((one.GetProperty("name").GetString(), two.GetProperty("name").GetString()), Is.EqualTo(("Since Renamed LLC", "Since Two LLC")));
        Assert.That(one.GetProperty("phones").EnumerateArray().Select(phone => phone.GetString()), Is.EqualTo((string[])["(912) 555-0100", "(912) 555-0199"]));
        Assert.That(one.GetProperty("loans").EnumerateArray().Select(line => line.GetProperty("id").GetGuid()), Is.EqualTo((Guid[])[later]));
    }

    [Test]
    public async Task The_old_id_leads_to_the_one_that_stayed_for_programs_and_people_and_is_not_remembered()
    {
        var (stays, goes) = await PairAsync("Led");
        var merged = await MergeAsync(stays, goes, new { goneId = goes, reason = "one and the same" });
        using var api = _camino.Client();
        api.DefaultRequestHeaders.Authorization = new("Bearer", _camino.ApiKey);
        using var program = await api.GetAsync(new Uri($"/api/v1/borrowers/{goes}", UriKind.Relative));
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync("officer")).Dispose();
        using var page = await browser.GetAsync($"/borrowers/{goes}");
        using var changed = await SendAsync(HttpMethod.Patch, $"/api/v1/borrowers/{goes}", new { name = "Led Astray LLC" });

        Assert.That((program.StatusCode, program.Headers.Location?.OriginalString, program.Headers.CacheControl?.NoStore), Is.EqualTo((HttpStatusCode.PermanentRedirect, $"/api/v1/borrowers/{stays}", true)));
        Assert.That((page.StatusCode, page.Headers.Location?.OriginalString, page.Headers.CacheControl?.NoStore), Is.EqualTo((HttpStatusCode.PermanentRedirect, $"/borrowers/{stays}", true)));
        Assert.That((changed.StatusCode, await changed.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.Conflict, "borrower.merged")));
        Assert.That(await browser.PageAsync($"/borrowers/{stays}"), Does.Contain("Two borrowers were made one"));
        await UndoAsync(stays, merged);
        Assert.That(await browser.PageAsync($"/borrowers/{goes}"), Does.Contain("Led Two LLC"));
    }

    [Test]
    public async Task Merged_in_a_chain_every_old_id_leads_to_the_last_and_what_came_last_is_undone_first()
    {
        var (a, b) = await PairAsync("Chained");
        var c = await AddAsync(new { name = "Chained Three LLC" });
        var first = await MergeAsync(b, a, new { goneId = a, reason = "one and the same" });
        var second = await MergeAsync(c, b, new { goneId = b, reason = "one and the same" });
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.borrowers where merged_into = '{c}'"), Is.EqualTo(2));
        using (var early = await SendAsync(HttpMethod.Post, $"/api/v1/borrowers/{b}/merges/{first.GetProperty("mergeId").GetGuid()}/undo", new { }))
            Assert.That((early.StatusCode, await early.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.Conflict, "borrower.merged")));

        await UndoAsync(c, second);
        Assert.That(await _camino.ScalarAsync<Guid>($"select merged_into from camino.borrowers where id = '{a}'"), Is.EqualTo(b));
        await UndoAsync(b, first);
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.borrowers where id in ('{a}', '{b}', '{c}') and merged_into is null"), Is.EqualTo(3));
    }

    [Test]
    public async Task Of_two_merges_at_once_one_is_done_and_the_other_is_told()
    {
        var (a, b) = await PairAsync("Raced");
        var answers = await Task.WhenAll(new[] { (a, b), (b, a) }.Select(async way =>
        {
            using var answer = await SendAsync(HttpMethod.Post, $"/api/v1/borrowers/{way.Item1}/merge", new { goneId = way.Item2, reason = "at the same time" });
            return answer.StatusCode;
        }));

        Assert.That(answers, Is.EquivalentTo((HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.Conflict]));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.borrowers where id in ('{a}', '{b}') and merged_into is not null"), Is.EqualTo(1));
    }

    [Test]
    public async Task Two_numbers_that_differ_a_version_that_is_old_and_an_expired_undo_are_refused()
    {
        var (a, b) = await PairAsync("Refused");
        await OkAsync($"/api/v1/borrowers/{a}/identifiers", new { kind = "ein", value = "12-3456780" });
        using (var numbers = await SendAsync(HttpMethod.Post, $"/api/v1/borrowers/{a}/merge", new { goneId = b, reason = "one and the same" }))
            Assert.That(await numbers.ProblemCodeAsync(), Is.EqualTo("merge.numbers"));
        using (var old = await SendAsync(HttpMethod.Post, $"/api/v1/borrowers/{a}/merge", new { goneId = b, goneVersion = 1, reason = "one and the same" }))
            Assert.That(old.StatusCode, Is.EqualTo(HttpStatusCode.PreconditionFailed));
        using (var self = await SendAsync(HttpMethod.Post, $"/api/v1/borrowers/{a}/merge", new { goneId = a, reason = "one and the same" }))
            Assert.That(await self.ProblemCodeAsync(), Is.EqualTo("merge.self"));
        var (c, d) = await PairAsync("Late");
        var merged = await MergeAsync(c, d, new { goneId = d, reason = "one and the same" });
        await ExecuteAsync($"update camino.borrower_merges set undo_until = now() where survivor_id = '{c}'");
        using var late = await SendAsync(HttpMethod.Post, $"/api/v1/borrowers/{c}/merges/{merged.GetProperty("mergeId").GetGuid()}/undo", new { });
        Assert.That(await late.ProblemCodeAsync(), Is.EqualTo("merge.expired"));
    }

    [Test]
    public async Task Pages_find_compare_merge_and_undo_without_a_script()
    {
        var (a, b) = await PairAsync("Paged");
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync("servicing")).Dispose();
        Assert.That(await browser.PageAsync($"/borrowers/{a}/duplicates"), Does.Contain("Paged Two LLC").And.Contain("same phone").And.Contain($"/borrowers/{a}/merge/{b}"));
        var compare = $"/borrowers/{a}/merge/{b}";
        Assert.That(await browser.PageAsync(compare), Does.Contain("Tomas Two").And.Contain("Olga One"));
        var (ours, theirs) = (await VersionAsync(a), await VersionAsync(b));
        using (var mute = await browser.PostAsync(compare, compare, ("version", ours), ("GoneVersion", theirs), ("pick-tradeName", "gone"), ("Reason", "")))
            Assert.That(await mute.Content.ReadAsStringAsync(), Does.Contain("Say in 3 to 300 characters why"));
        using (var merged = await browser.PostAsync(compare, compare, ("version", ours), ("GoneVersion", theirs), ("pick-tradeName", "gone"), ("pick-name", "survivor"), ("Phones", "both"), ("Owners", "both"), ("Reason", "the same people")))
            Assert.That(merged.Headers.Location?.OriginalString, Is.EqualTo($"/borrowers/{a}/duplicates"));
        Assert.That((await _camino.GetAsync($"/borrowers/{a}")).GetProperty("tradeName").GetString(), Is.EqualTo("Two"));
        var done = await browser.PageAsync($"/borrowers/{a}/duplicates");
        Assert.That(done, Does.Contain("the same people").And.Contain("can be undone"));
        var id = await _camino.ScalarAsync<Guid>($"select id from camino.borrower_merges where survivor_id = '{a}'");
        using (var undone = await browser.PostAsync($"/borrowers/{a}/duplicates", $"/borrowers/{a}/duplicates?handler=Undo", ("mergeId", id.ToString()), ("version", await VersionAsync(a))))
            Assert.That(undone.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(await browser.PageAsync($"/borrowers/{b}"), Does.Contain("Paged Two LLC"));
    }

    /// <summary>Two borrowers that share a phone; the second has an owner with a number, an account, a number of its own, a note and a task.</summary>
    private async Task<(Guid One, Guid Two)> PairAsync(string name)
    {
        var one = await AddAsync(new { name = name + " One LLC", tradeName = "One", phones = new[] { "(912) 555-0100" }, owners = new[] { new { name = "Olga One", sharePercent = "40", isGuarantor = true } }, addresses = new[] { new { street = "1 Pier St", city = "Savannah", state = "GA", zip = "31401" } } });
        var two = await AddAsync(new { name = name + " Two LLC", tradeName = "Two", language = "es", phones = new[] { "912-555-0100", "(912) 555-0122" }, emails = new[] { "two@example.com" }, owners = new[] { new { name = "Tomas Two", sharePercent = "60", isGuarantor = false } } });
        var owner = (await _camino.GetAsync($"/borrowers/{two}")).GetProperty("owners")[0].GetProperty("id").GetGuid();
        await OkAsync($"/api/v1/borrowers/{two}/identifiers", new { kind = "ein", value = "12-3456789" });
        await OkAsync($"/api/v1/borrowers/{two}/identifiers", new { kind = "ssn", value = "123-45-6789", ownerId = owner });
        await OkAsync($"/api/v1/borrowers/{two}/bank-accounts", new { holder = "Two", routing = "021000021", account = "12345678" });
        using var note = await SendAsync(HttpMethod.Post, $"/api/v1/borrowers/{two}/notes", new { text = "Called." });
        using var task = await SendAsync(HttpMethod.Post, "/api/v1/tasks", new { title = "Call back", subject = "borrower", subjectId = two.ToString() });
        Assert.That((note.StatusCode, task.StatusCode), Is.EqualTo((HttpStatusCode.Created, HttpStatusCode.Created)));
        return (one, two);
    }

    /// <summary>Everything about a borrower but its version, its time of change and what follows from loans.</summary>
    private Task<string?> SnapshotAsync(Guid id) => _camino.ScalarAsync<string>(
        $"""
        select jsonb_build_object('b', to_jsonb(b) - 'version' - 'changed_at' - 'changed_by',
            'c', (select jsonb_agg(to_jsonb(c) order by c.position) from camino.borrower_contacts c where c.borrower_id = b.id), 'a', (select jsonb_agg(to_jsonb(a) order by a.position) from camino.borrower_addresses a where a.borrower_id = b.id),
            'o', (select jsonb_agg(to_jsonb(o) order by o.position) from camino.borrower_owners o where o.borrower_id = b.id), 'i', (select jsonb_agg(to_jsonb(i) order by i.id) from camino.borrower_identifiers i where i.borrower_id = b.id),
            'k', (select jsonb_agg(to_jsonb(k) order by k.id) from camino.borrower_accounts k where k.borrower_id = b.id))::text
        from camino.borrowers b where b.id = '{id}'
        """);

    private Task<string?> HangingAsync(Guid id) => _camino.ScalarAsync<string>(
        $"select concat_ws(' ', (select string_agg(loan_id::text, ',' order by loan_id) from camino.loan_borrowers where borrower_id = '{id}'), (select string_agg(id::text, ',' order by id) from camino.notes where subject = 1 and subject_id = '{id}'), (select string_agg(id::text, ',' order by id) from camino.tasks where subject = 1 and subject_id = '{id}'))");

    private async Task<string> VersionAsync(Guid id) => (await _camino.GetAsync($"/borrowers/{id}")).GetProperty("version").GetInt32().ToString(System.Globalization.CultureInfo.InvariantCulture);

    private async Task<JsonElement> MergeAsync(Guid stays, Guid goes, object body)
    {
        using var answer = await SendAsync(HttpMethod.Post, $"/api/v1/borrowers/{stays}/merge", body);
        return await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private async Task UndoAsync(Guid stays, JsonElement merged)
    {
        using var answer = await SendAsync(HttpMethod.Post, $"/api/v1/borrowers/{stays}/merges/{merged.GetProperty("mergeId").GetGuid()}/undo", new { });
        await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private async Task OkAsync(string path, object body)
    {
        using var answer = await SendAsync(HttpMethod.Post, path, body);
        await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private async Task<Guid> BookAsync(Guid borrower, string name)
    {
        using var answer = await _book.SendAsync("/api/v1/loans", new { product = ServicedBook.Product, borrowerId = borrower, borrowerName = name, principal = "5000.00", annualRatePercent = "12", payments = 12, disburseOn = "2026-03-01" }, Guid.NewGuid().ToString(), "*");
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
    }

    private async Task<Guid> AddAsync(object body)
    {
        using var answer = await SendAsync(HttpMethod.Post, "/api/v1/borrowers", body);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("borrowerId").GetGuid();
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        return await _camino.Api.SendAsync(request);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
