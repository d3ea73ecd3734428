using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Journal;
using Camino.Lending.Ledger;
using Camino.Testing;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>Entries by hand: two people, never changed, and the trial balance has them.</summary>
internal sealed class JournalTests
{
    private RunningCamino _camino = null!;
    private HttpClient _accountant = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false);
        await new ServicedBook(_camino).SetTodayAsync("2026-03-02");
        _accountant = await _camino.ApiOfAsync("accountant");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _accountant.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task An_entry_is_posted_when_a_second_person_approves_it_and_taken_back_by_another_once()
    {
        var before = await BalanceAsync("ProvisionForLosses");
        var key = Guid.NewGuid().ToString();
        var asked = await AskAsync(Provision("1250.50"), key);
        Assert.That((await AskAsync(Provision("1250.50"), key)).GetProperty("approvalId").GetGuid(), Is.EqualTo(asked.GetProperty("approvalId").GetGuid()), "sent twice, asked for once");
        Assert.That(await BalanceAsync("ProvisionForLosses"), Is.EqualTo(before), "nothing is posted yet");

        var id = await ApprovedAsync(asked);
        var entry = await GetAsync($"/api/v1/ledger/entries/{id}");
        Assert.That((entry.GetProperty("postedOn").GetString(), entry.GetProperty("on").GetString(), entry.GetProperty("total").GetString()), Is.EqualTo(("2026-03-02", "2026-02-28", "1250.50")));
        Assert.That(entry.GetProperty("lines").EnumerateArray().Select(line => (line.GetProperty("account").GetString(), line.GetProperty("debit").GetString(), line.GetProperty("credit").GetString())), Is.EqualTo(new[] { ("ProvisionForLosses", "1250.50", null), ("AllowanceForLosses", (string?)null, "1250.50") }));
        Assert.That(await BalanceAsync("ProvisionForLosses"), Is.EqualTo(before + 1250.50m));
        Assert.That(await _camino.ScalarAsync<string>($"select details from camino.audit_entries where action = 'journal.posted' and subject_id = '{id}'"), Does.Contain("1250.50").And.Not.Contain("Quarter"));

        var taken = await OkAsync($"/api/v1/ledger/entries/{id}/reverse", new { memo = "Wrong quarter" });
        var reversal = await ApprovedAsync(taken);
        Assert.That((await GetAsync($"/api/v1/ledger/entries/{reversal}")).GetProperty("reverses").GetGuid(), Is.EqualTo(id));
        Assert.That((await GetAsync($"/api/v1/ledger/entries/{id}")).GetProperty("reversedBy").GetGuid(), Is.EqualTo(reversal));
        Assert.That(await BalanceAsync("ProvisionForLosses"), Is.EqualTo(before));
        Assert.That(await CodeAsync($"/api/v1/ledger/entries/{id}/reverse", new { memo = "Once more" }), Is.EqualTo("journal.reversed"));
        Assert.That(await CodeAsync($"/api/v1/ledger/entries/{reversal}/reverse", new { memo = "Once more" }), Is.EqualTo("journal.reversal"));
        Assert.That(await CodeAsync($"/api/v1/ledger/entries/{Guid.NewGuid()}/reverse", new { memo = "Once more" }), Is.EqualTo("journal.not_found"));
    }

    [Test]
    public async Task Two_requests_to_take_one_entry_back_end_in_one_reversal()
    {
        var id = await ApprovedAsync(await AskAsync(Provision("10.00"), Guid.NewGuid().ToString()));
        Guid[] asked = [.. await Task.WhenAll(new[] { "One reason", "Another reason" }.Select(async memo => (await OkAsync($"/api/v1/ledger/entries/{id}/reverse", new { memo })).GetProperty("approvalId").GetGuid()))];

        var ended = await Task.WhenAll(asked.Select(async approval =>
        {
            try
            {
                await _camino.ApproveAsync(approval);
                return "approved";
            }
            catch (InvalidOperationException refused)
            {
                return refused.Message.Contains("approval.not_possible", StringComparison.Ordinal) ? "refused" : refused.Message;
            }
        }));

        Assert.That(ended, Is.EquivalentTo((string[])["approved", "refused"]));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.journal_entries where reverses = '{id}'"), Is.EqualTo(1));
    }

    [Test]
    public async Task Whoever_asked_does_not_approve_and_whoever_may_not_post_neither_asks_nor_sees_the_form()
    {
        var asked = await AskAsync(Provision("20.00"), Guid.NewGuid().ToString());
        Assert.That(await CodeAsync($"{asked.GetProperty("address").GetString()}/approve", new { }), Is.EqualTo("approval.own"));
        using var viewer = await _camino.ApiOfAsync("viewer");
        using var request = Request("/api/v1/ledger/entries", Provision("20.00"), Guid.NewGuid().ToString());
        using var refused = await viewer.SendAsync(request);
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync("viewer")).Dispose();
        Assert.That(await browser.PageAsync("/books/journal"), Does.Not.Contain("/books/journal/new"));
    }

    [TestCase("LoansReceivable", "100.00", "journal.account", "the loans keep it")]
    [TestCase("Casino", "100.00", "journal.account", "there is none of that name")]
    [TestCase("OtherIncome", "100.01", "journal.unbalanced", "Debits and credits differ by $0.01")]
    [TestCase("OtherIncome", "-100", "input.credit", "credit is an amount such as 1234.56")]
    [TestCase("OtherIncome", "1e3", "input.credit", "credit is an amount such as 1234.56")]
    [TestCase("OtherIncome", "0.001", "input.credit", "$0.01 to $100,000,000.00 in whole cents")]
    [TestCase("OtherIncome", null, "journal.amount", "Line 2 has no amount")]
    public async Task What_is_not_as_it_should_be_is_refused_with_the_field_and_the_limit(string account, string? credit, string code, string said)
    {
        using var answer = await SendAsync("/api/v1/ledger/entries", new { memo = "Correction", lines = new object[] { new { account = "Cash", debit = "100.00" }, new { account, credit } } }, Guid.NewGuid().ToString());
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.That(problem.GetProperty("code").GetString(), Is.EqualTo(code));
        Assert.That(problem.GetProperty("detail").GetString(), Does.Contain(said));
    }

    [Test]
    public async Task A_body_with_a_name_that_is_not_known_is_refused_and_a_fault_names_the_line_as_it_was_sent()
    {
        object[] lines = [new { account = "Cash", debit = "1.00" }, new { }, new { account = "OtherIncome" }];
        Assert.That(await CodeAsync("/api/v1/ledger/entries", new { effectiveOn = "2026-01-31", memo = "Correction", lines }), Is.EqualTo("input.unknown"));
        using var answer = await SendAsync("/api/v1/ledger/entries", new { memo = "Correction", lines }, Guid.NewGuid().ToString());
        Assert.That((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), Does.StartWith("Line 3 has no amount"));
    }

    [TestCase("update camino.journal_lines set amount = amount * 2")]
    [TestCase("delete from camino.journal_entries")]
    [TestCase("truncate camino.journal_entries cascade")]
    [TestCase("with one as (select id from camino.journal_entries order by id limit 1) insert into camino.journal_lines (entry_id, line, account, amount) select id, 19, 'Cash', 1000 from one union all select id, 20, 'Suspense', -1000 from one")]
    [TestCase("insert into camino.journal_lines (entry_id, line, account, amount) select id, 20, 'Suspense', 1 from camino.journal_entries limit 1")]
    public async Task The_database_refuses_to_change_an_entry_or_to_unbalance_it(string sql)
    {
        await ApprovedAsync(await AskAsync(Provision("30.00"), Guid.NewGuid().ToString()));
        await using var change = _camino.Source.CreateCommand(sql);

        Assert.That(async () => await change.ExecuteNonQueryAsync(), Throws.InstanceOf<PostgresException>());
    }

    [Test]
    public async Task On_the_page_an_entry_is_written_asked_for_approved_by_another_and_found_by_its_account()
    {
        using var accountant = new StaffBrowser(_camino.OfficeAddress);
        (await accountant.SignInAsync("accountant")).Dispose();
        using var more = await accountant.PostAsync("/books/journal/new", "/books/journal/new?handler=More", ("Memo", "Wire fees of <b>February</b>"), ("Lines[0].Account", "BankCharges"), ("Lines[0].Debit", "45.00"));
        var longer = await more.Content.ReadAsStringAsync();
        Assert.That(longer, Does.Contain("Lines[7].Debit").And.Contain("value=\"45.00\"").And.Contain("Wire fees of &lt;b&gt;February&lt;/b&gt;"));
        using var wrong = await accountant.PostAsync("/books/journal/new", "/books/journal/new", ("Memo", "Wire fees"), ("Lines[0].Account", "BankCharges"), ("Lines[0].Debit", "45.00"), ("Lines[1].Account", "Cash"), ("Lines[1].Credit", "44.00"));
        Assert.That(await wrong.Content.ReadAsStringAsync(), Does.Contain("Debits and credits differ by $1.00").And.Contain("value=\"44.00\""));

        using var asked = await accountant.PostAsync("/books/journal/new", "/books/journal/new", ("key", Guid.NewGuid().ToString("N")), ("On", "2026-03-02"), ("Memo", "Wire fees of <b>February</b>"), ("Lines[0].Account", "BankCharges"), ("Lines[0].Debit", "1,045.00"), ("Lines[1].Account", ""), ("Lines[2].Account", ""), ("Lines[2].Debit", " "), ("Lines[3].Account", "Cash"), ("Lines[3].Credit", "$1045"));
        var there = asked.Headers.Location?.ToString() ?? "";
        Assert.That(there, Does.StartWith("/books/journal?asked="), await asked.Content.ReadAsStringAsync());
        var approval = Guid.Parse(there.Split('=')[1]);
        Assert.That(await accountant.PageAsync($"/approvals/{approval}"), Does.Contain("Post an entry by hand of $1,045.00, counting from").And.Contain("Bank charges"));
        await _camino.ApproveAsync(approval);

        var list = await accountant.PageAsync("/books/journal?account=BankCharges");
        Assert.That(list, Does.Contain("Wire fees of &lt;b&gt;February&lt;/b&gt;").And.Contain("$1,045.00"));
        Assert.That(await accountant.PageAsync("/books/journal?account=Recoveries"), Does.Contain("No entry matches").And.Not.Contain("Wire fees"));
        Assert.That(await accountant.PageAsync("/books"), Does.Contain("Bank charges"));
    }

    [Test]
    public async Task A_page_of_the_journal_comes_from_an_index_and_the_next_goes_on_after_it()
    {
        await using var own = await RunningCamino.StartAsync(withAsync: false);
        await using (var fill = own.Source.CreateCommand(
            """
            with asked as (
                insert into camino.approvals (id, kind, subject, subject_id, request, reason, asked_by, asked_at, expires_at)
                select gen_random_uuid(), 'ledger.entry', 'journal', n::text, '{}', '', gen_random_uuid(), now(), now() + interval '1 day' from generate_series(1, 3000) n returning id, subject_id
            ), entries as (
                insert into camino.journal_entries (id, posted_on, effective_on, memo, lines, approval_id, asked_by, approved_by, posted_at)
                select ('00000000-0000-7000-8000-' || lpad(subject_id, 12, '0'))::uuid, date '2026-01-01' + subject_id::int / 30, date '2026-01-01', 'Entry ' || subject_id, 2, id, gen_random_uuid(), gen_random_uuid(), now() from asked order by subject_id::int returning id
            )
            insert into camino.journal_lines (entry_id, line, account, amount) select id, line, case line when 1 then 'Cash' else 'OtherIncome' end, case line when 1 then 5 else -5 end from entries, generate_series(1, 2) line
            """))
            await fill.ExecuteNonQueryAsync();
        await using (var analyze = own.Source.CreateCommand("analyze camino.journal_entries, camino.journal_lines"))
            await analyze.ExecuteNonQueryAsync();
        var journal = new ReadJournal(own.Source);
        var first = await journal.ListAsync(new JournalFilter(), null, CancellationToken.None);
        var second = await journal.ListAsync(new JournalFilter(), first.Next, CancellationToken.None);
        var back = await journal.ListAsync(new JournalFilter(), second.Previous, CancellationToken.None);

        Assert.That(first.Lines.Concat(second.Lines).Select(entry => entry.Memo), Is.EqualTo(Enumerable.Range(0, 100).Select(n => $"Entry {3_000 - n}")));
        Assert.That(back.Lines.Select(entry => entry.Memo), Is.EqualTo(first.Lines.Select(entry => entry.Memo)));
        Assert.That(first.Lines[0].Lines, Is.EqualTo(new JournalLine[] { new("Cash", Camino.Lending.Money.FromCents(500)), new("OtherIncome", Camino.Lending.Money.FromCents(-500)) }));
        await using var page = ReadJournal.Page(own.Source, new JournalFilter { From = new DateOnly(2026, 1, 1) }, first.Next);
        Assert.That(await QueryPlan.OfAsync(page), Does.Contain("ux_journal_entries_number").And.Match("(pk_journal_lines|ux_journal_lines_account)").And.Not.Contain("Seq Scan on journal"));
    }

    private static object Provision(string amount) => new { on = "2026-02-28", memo = "Quarter's provision", lines = new object[] { new { account = "ProvisionForLosses", debit = amount }, new { account = "AllowanceForLosses", credit = amount } } };

    private static HttpRequestMessage Request(string path, object body, string key) => new(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = JsonContent.Create(body), Headers = { { "Idempotency-Key", key } } };

    private async Task<HttpResponseMessage> SendAsync(string path, object body, string key)
    {
        using var request = Request(path, body, key);
        return await _accountant.SendAsync(request);
    }

    private async Task<JsonElement> AskAsync(object entry, string key)
    {
        using var answer = await SendAsync("/api/v1/ledger/entries", entry, key);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted), await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<JsonElement> OkAsync(string path, object body)
    {
        using var answer = await SendAsync(path, body, Guid.NewGuid().ToString());
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted), await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<string?> CodeAsync(string path, object body)
    {
        using var answer = await SendAsync(path, body, Guid.NewGuid().ToString());
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString();
    }

    private async Task<Guid> ApprovedAsync(JsonElement asked)
    {
        var approval = asked.GetProperty("approvalId").GetGuid();
        await _camino.ApproveAsync(approval);
        return await _camino.ScalarAsync<Guid>($"select id from camino.journal_entries where approval_id = '{approval}'");
    }

    private Task<JsonElement> GetAsync(string path) => _accountant.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative));

    private async Task<decimal> BalanceAsync(string account)
    {
        var line = (await GetAsync("/api/v1/ledger/trial-balance")).EnumerateArray().Single(one => one.GetProperty("account").GetString() == account);
        return line.GetProperty("debit").GetDecimal() - line.GetProperty("credit").GetDecimal();
    }
}
