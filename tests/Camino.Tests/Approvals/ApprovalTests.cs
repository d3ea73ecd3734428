using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Camino.Approvals;
using Camino.Audit;
using Camino.Clients;
using Camino.People;
using Camino.Testing;
using Camino.Tests.Servicing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Approvals;

/// <summary>What one person asks for and another decides: through the API and the pages, down to the loan and the audit trail.</summary>
internal sealed class ApprovalTests
{
    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;
    private HttpClient _accountant = null!;
    private HttpClient _admin = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false);
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync();
        _accountant = await _camino.ApiOfAsync("accountant");
        _admin = await _camino.ApiOfAsync("admin");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _accountant.Dispose();
        _admin.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task A_charge_off_waits_until_another_person_approves_it_and_then_is_the_askers()
    {
        var loan = await _book.DisbursedLoanAsync();
        using var answer = await _book.SendAsync($"/api/v1/loans/{loan}/charge-off", new { note = "No answer since May." }, "asked once", "*", _accountant);
        var asked = await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted);
        var approval = asked.GetProperty("approvalId").GetGuid();

        Assert.That(answer.Headers.Location?.ToString(), Is.EqualTo($"/api/v1/approvals/{approval}"));
        Assert.That(await StatusAsync(loan), Is.EqualTo("pastDue"));
        var waiting = await GetAsync(_admin, $"/api/v1/approvals/{approval}");
        Assert.That(waiting.GetProperty("approval").GetProperty("says").GetString(), Does.StartWith("Charge off loan").And.EndsWith("as of Mar 1, 2026"));
        Assert.That(waiting.GetProperty("approval").GetProperty("request").GetProperty("on").GetString(), Is.EqualTo("2026-03-01"), "the date is frozen");
        Assert.That(waiting.GetProperty("changes").EnumerateArray().First().GetProperty("becomes").GetString(), Is.EqualTo("Charged off"));

        var approved = (await DecideAsync(_admin, approval, "approve", new { version = 2, note = "seen" })).GetProperty("approval");

        Assert.That(await StatusAsync(loan), Is.EqualTo("chargedOff"));
        Assert.That(approved.GetProperty("state").GetString(), Is.EqualTo("approved"));
        Assert.That(approved.GetProperty("answer").GetProperty("command").GetString(), Is.EqualTo("charge-off"));
        Assert.That(await _camino.ScalarAsync<string>($"select u.user_name from camino.loan_events e join camino.staff_users u on u.id = e.recorded_by where e.loan_id = '{loan}' and e.sequence = 2"), Is.EqualTo("accountant@demo.camino.example"));
        Assert.That(await _camino.ScalarAsync<string>($"select u.user_name from camino.audit_entries e join camino.staff_users u on u.id = e.user_id where e.subject_id = '{loan}' and e.action = 'loan.charge-off' and e.details ->> 'approval' = '{approval}'"), Is.EqualTo("admin@demo.camino.example"));
        Assert.That(await ActionsAsync(approval), Is.EqualTo("approval.requested accountant, approval.approved admin"));
        Assert.That(await _camino.ScalarAsync<string>($"select n.text || ' ' || n.arguments[1] from camino.notices n where n.link = '/approvals/{approval}'"), Is.EqualTo("Notice.ApprovalApproved @ApprovalKind.loan.charge-off"));
        await _book.MustBeRightAsync(loan);
    }

    [Test]
    public async Task Whoever_asked_cannot_approve_not_by_a_program_and_not_on_the_page()
    {
        var approval = await AskChargeOffAsync(await _book.DisbursedLoanAsync());

        Assert.That(await CodeAsync(_accountant, approval, "approve", new { }), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "approval.own")));
        Assert.That(await CodeAsync(_accountant, approval, "decline", new { reason = "my own" }), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "approval.own")));
        using var browser = await SignedInAsync("accountant");
        using var posted = await browser.PostAsync("/", $"/approvals/{approval}?handler=Approve");

        Assert.That(await posted.Content.ReadAsStringAsync(), Does.Contain("You asked for this yourself").And.Not.Contain("Approve and carry out"));
        Assert.That(await StateAsync(approval), Is.EqualTo(ApprovalState.Waiting));
        await using var own = _camino.Source.CreateCommand($"update camino.approvals set state = 1, decided_by = asked_by, decided_at = now() where id = '{approval}'");
        Assert.That(async () => await own.ExecuteNonQueryAsync(), Throws.TypeOf<PostgresException>().With.Property("SqlState").EqualTo(PostgresErrorCodes.CheckViolation));
    }

    [Test]
    public async Task Two_people_who_approve_at_one_moment_have_it_done_once()
    {
        var loan = await _book.DisbursedLoanAsync();
        var approval = await AskChargeOffAsync(loan);
        var (_, second) = await _camino.SecondAdministratorAsync();
        using (second)
        {
            var answers = await Task.WhenAll(new[] { _admin, second }.Select(client => CodeAsync(client, approval, "approve", new { })));

            Assert.That(answers, Is.EquivalentTo(new[] { (HttpStatusCode.OK, (string?)null), (HttpStatusCode.Conflict, "approval.state") }));
            Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.loan_events where loan_id = '{loan}'"), Is.EqualTo(2));
            Assert.That(await CodeAsync(second, approval, "decline", new { reason = "too late" }), Is.EqualTo((HttpStatusCode.Conflict, "approval.state")));
        }
    }

    [Test]
    public async Task What_the_loan_no_longer_allows_is_refused_at_the_approval_and_closes_the_request_with_the_reason()
    {
        var loan = await _book.DisbursedLoanAsync();
        var approval = await AskChargeOffAsync(loan);
        await _book.OkAsync(loan, "record-payment", new { on = "2026-03-01", amount = "20000.00" });

        Assert.That((await GetAsync(_admin, $"/api/v1/approvals/{approval}")).GetProperty("problem").GetString(), Does.Contain("this needs a loan that is open"));
        Assert.That(await CodeAsync(_admin, approval, "approve", new { version = 2 }), Is.EqualTo((HttpStatusCode.PreconditionFailed, "approval.version")));
        Assert.That(await StateAsync(approval), Is.EqualTo(ApprovalState.Waiting), "another look is all that is needed");
        Assert.That(await CodeAsync(_admin, approval, "approve", new { version = 3 }), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "approval.not_possible")));

        var refused = (await GetAsync(_admin, $"/api/v1/approvals/{approval}")).GetProperty("approval");
        Assert.That(refused.GetProperty("state").GetString(), Is.EqualTo("refused"));
        Assert.That(refused.GetProperty("refusal").GetProperty("code").GetString(), Is.EqualTo("loan.not_open"));
        Assert.That(await _camino.ScalarAsync<string>($"select refusal ->> 'spanish' from camino.approvals where id = '{approval}'"), Does.Contain("esto requiere un préstamo abierto"));
        Assert.That(await ActionsAsync(approval), Is.EqualTo("approval.requested accountant, approval.refused admin"));
        using var browser = await SignedInAsync("admin");
        Assert.That(await browser.PageAsync($"/approvals/{approval}"), Does.Contain("It was approved and was no longer possible.").And.Contain("this needs a loan that is open"));
    }

    [TestCase("disabled")]
    [TestCase("without the role")]
    public async Task What_somebody_asked_for_who_may_not_do_it_any_more_is_refused(string how)
    {
        var email = $"gone-{how.Length}@lender.example";
        var (asker, client) = await PersonAsync(email, StaffRoles.Accountant);
        using (client)
        {
            var approval = await AskChargeOffAsync(await _book.DisbursedLoanAsync(), client);
            await using (var scope = _camino.Office.Services.CreateAsyncScope())
            {
                if (how == "disabled")
                    await scope.ServiceProvider.GetRequiredService<DisableStaff>().DisableAsync(asker, "left the house", new StaffActor(null, "test"), CancellationToken.None);
                else
                    await scope.ServiceProvider.GetRequiredService<ChangeRoles>().RunAsync(asker, [StaffRoles.Viewer], "another desk", new StaffActor(null, "test"), CancellationToken.None);
            }

            Assert.That(await CodeAsync(_admin, approval, "approve", new { }), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "approval.not_possible")));
            Assert.That(await _camino.ScalarAsync<string>($"select refusal ->> 'code' from camino.approvals where id = '{approval}'"), Is.EqualTo("approval.asker"));
        }
    }

    [Test]
    public async Task Who_may_not_do_the_act_neither_sees_nor_decides_the_request()
    {
        var approval = await AskChargeOffAsync(await _book.DisbursedLoanAsync());
        using var servicing = await _camino.ApiOfAsync("servicing");
        using var viewer = await _camino.ApiOfAsync("viewer");
        using var browser = await SignedInAsync("servicing");

        Assert.That(await CodeAsync(servicing, approval, "approve", new { }), Is.EqualTo((HttpStatusCode.NotFound, "approval.not_found")));
        Assert.That(await CodeAsync(servicing, approval, "decline", new { reason = "not mine" }), Is.EqualTo((HttpStatusCode.NotFound, "approval.not_found")));
        Assert.That(await CodeAsync(servicing, approval, "withdraw", new { }), Is.EqualTo((HttpStatusCode.NotFound, "approval.not_found")));
        Assert.That((await CodeAsync(viewer, approval, "approve", new { })).Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await GetAsync(servicing, "/api/v1/approvals?kind=loan.charge-off")).GetProperty("items").GetArrayLength(), Is.Zero);
        using var page = await browser.GetAsync($"/approvals/{approval}");
        Assert.That(page.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(await StateAsync(approval), Is.EqualTo(ApprovalState.Waiting));
    }

    [Test]
    public async Task What_nobody_decided_in_time_cannot_be_approved_also_before_anything_noted_it()
    {
        var loan = await _book.DisbursedLoanAsync();
        var approval = await ExpiredAsync(loan);

        Assert.That(await CodeAsync(_admin, approval, "approve", new { }), Is.EqualTo((HttpStatusCode.Conflict, "approval.expired")));
        Assert.That((await GetAsync(_admin, $"/api/v1/approvals/{approval}")).GetProperty("approval").GetProperty("state").GetString(), Is.EqualTo("expired"));
        Assert.That(await StatusAsync(loan), Is.EqualTo("pastDue"));
    }

    [Test]
    public async Task Whoever_asked_takes_it_back_and_nobody_else_does()
    {
        var loan = await _book.DisbursedLoanAsync();
        var approval = await AskChargeOffAsync(loan);

        Assert.That(await CodeAsync(_admin, approval, "withdraw", new { }), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "approval.not_own")));
        using var browser = await SignedInAsync("accountant");
        using var withdrawn = await browser.PostAsync("/", $"/approvals/{approval}?handler=Withdraw");

        Assert.That(withdrawn.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(await StateAsync(approval), Is.EqualTo(ApprovalState.Withdrawn));
        Assert.That(await CodeAsync(_admin, approval, "approve", new { }), Is.EqualTo((HttpStatusCode.Conflict, "approval.state")));
        Assert.That(await ActionsAsync(approval), Is.EqualTo("approval.requested accountant, approval.withdrawn accountant"));
        Assert.That(await StatusAsync(loan), Is.EqualTo("pastDue"));
    }

    [Test]
    public async Task A_decline_says_why_and_whoever_asked_is_told()
    {
        var approval = await AskChargeOffAsync(await _book.DisbursedLoanAsync());
        using var browser = await SignedInAsync("admin");
        using var without = await browser.PostAsync("/", $"/approvals/{approval}?handler=Decline", ("reason", " "));
        using var declined = await browser.PostAsync("/", $"/approvals/{approval}?handler=Decline", ("reason", "They paid by wire this morning."));

        Assert.That(await without.Content.ReadAsStringAsync(), Does.Contain("A reason has 3 to 300 characters; got 0."));
        Assert.That(declined.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(await StateAsync(approval), Is.EqualTo(ApprovalState.Declined));
        using var asker = await SignedInAsync("accountant");
        Assert.That(await asker.PageAsync($"/approvals/{approval}"), Does.Contain("They paid by wire this morning."));
        Assert.That(await asker.PageAsync("/notices"), Does.Contain("Declined: Charge-off. See the reason."));
        Assert.That(await _camino.ScalarAsync<string>($"select details::text from camino.audit_entries where subject_id = '{approval}' and action = 'approval.declined'"), Does.Not.Contain("wire"), "what people write stays with the request");
    }

    [Test]
    public async Task A_waiver_needs_a_second_person_beyond_the_limit_of_a_loan_and_day_also_in_pieces()
    {
        var loan = await _book.DisbursedLoanAsync();
        await _book.OkAsync(loan, "charge-fee", new { on = "2026-02-03", amount = "300.00", portion = "fee" });

        await _book.OkAsync(loan, "waive", new { amount = "60.00", portion = "fee" });
        using var rest = await _book.CommandAsync(loan, "waive", new { amount = "40.00", portion = "fee" }, "the rest of the limit");
        using var beyond = await _book.CommandAsync(loan, "waive", new { amount = "0.01", portion = "fee" }, "a cent more");
        using var again = await _book.CommandAsync(loan, "waive", new { amount = "40.00", portion = "fee" }, "the rest of the limit");
        using var askedAgain = await _book.CommandAsync(loan, "waive", new { amount = "0.01", portion = "fee" }, "a cent more");
        using var same = await _book.CommandAsync(loan, "waive", new { amount = "0.01", portion = "fee" }, "another key");
        var tooMuch = await _book.RefusedAsync(loan, "waive", new { amount = "9999.00", portion = "fee" });

        Assert.That(rest.StatusCode, Is.EqualTo(HttpStatusCode.Created));
        var approval = (await ServicedBook.ReadAsync(beyond, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid();
        Assert.That((again.StatusCode, again.Headers.Contains("Idempotency-Replayed")), Is.EqualTo((HttpStatusCode.Created, true)));
        Assert.That(askedAgain.Headers.Contains("Idempotency-Replayed"), Is.True);
        Assert.That((await ServicedBook.ReadAsync(askedAgain, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid(), Is.EqualTo(approval));
        Assert.That((await ServicedBook.ReadAsync(same, HttpStatusCode.Conflict)).GetProperty("code").GetString(), Is.EqualTo("approval.waiting"));
        Assert.That(tooMuch.GetProperty("code").GetString(), Is.EqualTo("waive.over_owed"), "what is asked for is checked as what is done");
        Assert.That((await GetAsync(_admin, $"/api/v1/approvals/{approval}")).GetProperty("approval").GetProperty("says").GetString(), Does.StartWith("Waive $0.01 (Fee) on loan"));
        await _camino.ApproveAsync(approval);
        Assert.That((await _book.GetAsync($"/api/v1/loans/{loan}/schedule")).GetProperty("owed").GetProperty("fee").GetString(), Is.EqualTo("199.99"));
        await _book.MustBeRightAsync(loan);
    }

    [Test]
    public async Task A_small_rest_is_written_off_by_two_people()
    {
        var loan = await _book.DisbursedLoanAsync();
        await _book.OkAsync(loan, "record-payment", new { on = "2026-01-01", amount = "11999.00" });

        using var answer = await _book.SendAsync($"/api/v1/loans/{loan}/write-off", new { amount = "5.00" }, Guid.NewGuid().ToString(), "*", _accountant);
        var approved = await _camino.ApproveAsync((await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid());

        Assert.That(approved.GetProperty("approval").GetProperty("says").GetString(), Does.StartWith("Write off up to $5.00 left on loan"));
        Assert.That(await StatusAsync(loan), Is.EqualTo("paidOff"));
        await _book.MustBeRightAsync(loan);
    }

    [Test]
    public async Task A_program_asks_and_takes_back_and_never_decides()
    {
        using var program = await ProgramAsync("loans:charge-off", "approvals:read", "approvals:withdraw");
        var mine = await AskChargeOffAsync(await _book.DisbursedLoanAsync(), program);
        var others = await AskChargeOffAsync(await _book.DisbursedLoanAsync());
        var next = await AskChargeOffAsync(await _book.DisbursedLoanAsync(), program);

        var list = (await GetAsync(program, "/api/v1/approvals")).GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetGuid());
        using var hidden = await program.GetAsync(new Uri($"/api/v1/approvals/{others}", UriKind.Relative));

        Assert.That(list, Is.EquivalentTo([mine, next]));
        Assert.That(hidden.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await CodeAsync(program, others, "approve", new { })).Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await CodeAsync(program, mine, "withdraw", new { })).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await DecideAsync(_admin, next, "approve", new { })).GetProperty("approval").GetProperty("askedBy").GetProperty("name").GetString(), Is.EqualTo("a program"));
    }

    [Test]
    public async Task A_decision_that_is_sent_again_is_answered_and_made_once()
    {
        var approval = await AskChargeOffAsync(await _book.DisbursedLoanAsync());
        using var first = await PostAsync(_admin, approval, "approve", new { }, "decided once");
        using var second = await PostAsync(_admin, approval, "approve", new { }, "decided once");
        using var withoutKey = await PostAsync(_admin, approval, "approve", new { }, null);
        using var unknown = await PostAsync(_admin, approval, "approve", new { versoin = 3 }, "a slip");

        Assert.That((first.StatusCode, second.StatusCode), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.OK)));
        Assert.That(second.Headers.Contains("Idempotency-Replayed"), Is.True);
        Assert.That((await ServicedBook.ReadAsync(withoutKey, HttpStatusCode.BadRequest)).GetProperty("code").GetString(), Is.EqualTo("idempotency.key_missing"));
        Assert.That((await ServicedBook.ReadAsync(unknown, HttpStatusCode.UnprocessableEntity)).GetProperty("code").GetString(), Is.EqualTo("input.unknown"));
        Assert.That(await ActionsAsync(approval), Is.EqualTo("approval.requested accountant, approval.approved admin"));
    }

    [TestCase("update camino.approvals set reason = 'another'")]
    [TestCase("update camino.approvals set request = '{}'")]
    [TestCase("update camino.approvals set state = 0, decided_by = null, decided_at = null, refusal = null where state = 3")]
    [TestCase("delete from camino.approvals")]
    [TestCase("truncate camino.approvals cascade")]
    public async Task The_database_keeps_what_was_asked_for_and_decided(string sql)
    {
        var approval = await AskChargeOffAsync(await _book.DisbursedLoanAsync());
        Assert.That((await CodeAsync(_accountant, approval, "withdraw", new { })).Status, Is.EqualTo(HttpStatusCode.OK));
        await using var command = _camino.Source.CreateCommand(sql);

        Assert.That(async () => await command.ExecuteNonQueryAsync(), Throws.TypeOf<PostgresException>().With.Property("SqlState").EqualTo(PostgresErrorCodes.RestrictViolation));
    }

    [Test]
    public async Task The_form_of_a_charge_off_leads_to_the_request_and_the_first_page_counts_it_for_those_who_may_decide()
    {
        await using var own = await RunningCamino.StartAsync(withAsync: false);
        var book = new ServicedBook(own);
        await book.PrepareAsync();
        var loan = await book.DisbursedLoanAsync();
        using var accountant = await SignedInAsync("accountant", own);
        using var admin = await SignedInAsync("admin", own);
        using var servicing = await SignedInAsync("servicing", own);
        var form = $"/servicing/{loan}/charge-off";
        Assert.That(await accountant.PageAsync(form), Does.Contain("A second person has to approve it."));

        using var confirmed = await accountant.PostAsync(form, form + "?handler=Confirm", ("key", "one form"), ("version", "2"), ("On", "2026-03-01"));
        var back = confirmed.Headers.Location?.ToString() ?? "";
        var loanPage = await accountant.PageAsync(back);
        var approval = back[(back.IndexOf("asked=", StringComparison.Ordinal) + 6)..];

        Assert.That(loanPage, Does.Contain("This waits for a second person now").And.Contain($"href=\"/approvals/{approval}\""));
        Assert.That(await admin.PageAsync("/"), Does.Contain("request waits for your approval").And.Contain("href=\"/approvals?state=waiting\""));
        Assert.That(await accountant.PageAsync("/"), Does.Not.Contain("waits for your approval"), "nobody waits for oneself");
        Assert.That(await servicing.PageAsync("/"), Does.Not.Contain("waits for your approval"));
        Assert.That(await accountant.PageAsync($"/approvals/{approval}"), Does.Contain("You asked for this").And.Contain("handler=Withdraw").And.Not.Contain("handler=Approve"));
        Assert.That(await admin.PageAsync("/approvals"), Does.Contain($"href=\"/approvals/{approval}\"").And.Contain("Charge off loan"));
        Assert.That(await admin.PageAsync($"/approvals/{approval}"), Does.Contain("handler=Approve").And.Contain("handler=Decline").And.Not.Contain("handler=Withdraw"));
        Assert.That(await servicing.PageAsync("/approvals"), Does.Contain("Nothing waits for a second person"));

        Assert.That(await admin.PageAsync($"/servicing/{loan}"), Does.Contain("This waits for a second person:").And.Contain($"href=\"/approvals/{approval}\""));
        Assert.That(await servicing.PageAsync($"/servicing/{loan}"), Does.Not.Contain("This waits for a second person:"), "who may not do it is not shown it");

        using var approved = await admin.PostAsync($"/approvals/{approval}", $"/approvals/{approval}?handler=Approve", ("version", "2"));
        Assert.That(approved.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That((await book.GetAsync($"/api/v1/loans/{loan}")).GetProperty("balances").GetProperty("status").GetString(), Is.EqualTo("chargedOff"));
        using var spanish = new StaffBrowser(own.OfficeAddress);
        spanish.Client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("es");
        (await spanish.SignInAsync("admin")).Dispose();
        Assert.That(WebUtility.HtmlDecode(await spanish.PageAsync($"/approvals/{approval}")), Does.Contain("Castigar el préstamo").And.Contain("Aprobada").And.Contain("Lo decidió"));
    }

    [Test]
    public async Task The_list_shows_what_waits_first_a_page_at_a_time()
    {
        await using var own = await RunningCamino.StartAsync(withAsync: false);
        await FillAsync(own, 1, 120);
        using var admin = await own.ApiOfAsync("admin");
        var seen = new List<(string State, Guid Id)>();
        for (var address = "/api/v1/approvals"; address is not null;)
        {
            var page = await GetAsync(admin, address);
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(item => (item.GetProperty("state").GetString() ?? "", item.GetProperty("id").GetGuid())));
            address = page.GetProperty("next").GetString();
        }

        Assert.That(seen, Has.Count.EqualTo(120).And.Unique);
        Assert.That(seen.Select(one => one.State), Is.EqualTo(Enumerable.Repeat("waiting", 60).Concat(Enumerable.Repeat("withdrawn", 60))));
        Assert.That(seen.Take(60).Select(one => one.Id.ToString()), Is.Ordered.Descending);
        await FillAsync(own, 121, 20_000);
        await using (var analyze = own.Source.CreateCommand("analyze camino.approvals"))
            await analyze.ExecuteNonQueryAsync();
        await using var deep = ListApprovals.Page(own.Source, new ApprovalFilter(), [.. ApprovalKinds.All.Select(one => one.Kind)], Guid.NewGuid(), new Camino.Web.ListCursor("decided", seen[^10].Id, Backward: false));
        Assert.That(await QueryPlan.OfAsync(deep), Does.Not.Match(@"(?m)^ *(->  )?Sort  \(cost"));
    }

    [Test]
    public async Task The_chain_of_the_audit_trail_holds_through_all_of_it()
    {
        var approval = await AskChargeOffAsync(await _book.DisbursedLoanAsync());
        await _camino.ApproveAsync(approval);

        Assert.That((await new VerifyAudit(_camino.Source).RunAsync(CancellationToken.None)).Fault, Is.Null);
    }

    /// <summary>Requests with ids in a row, the first 60 of them waiting.</summary>
    private static async Task FillAsync(RunningCamino camino, int first, int last)
    {
        await using var fill = camino.Source.CreateCommand(
            """
            insert into camino.approvals (id, kind, subject, subject_id, request, reason, asked_by, asked_at, expires_at, state, decided_by, decided_at)
            select t.id, 'loan.charge-off', 'loan', t.id::text, '{"on":"2026-03-01"}', '', u.id, now(), now() + interval '1 hour', case when n <= 60 then 0 else 3 end, case when n <= 60 then null else u.id end, case when n <= 60 then null else now() end
            from generate_series($1, $2) n, lateral (select (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000')::uuid as id) t, (select id from camino.staff_users where user_name = 'accountant@demo.camino.example') u
            """);
        fill.Parameters.Add(new NpgsqlParameter { Value = first });
        fill.Parameters.Add(new NpgsqlParameter { Value = last });
        await fill.ExecuteNonQueryAsync();
    }

    private async Task<Guid> AskChargeOffAsync(Guid loan, HttpClient? by = null)
    {
        using var answer = await _book.SendAsync($"/api/v1/loans/{loan}/charge-off", new { on = "2026-03-01" }, Guid.NewGuid().ToString(), "*", by ?? _accountant);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid();
    }

    /// <summary>A request whose time is over and that nothing has noted as such.</summary>
    private async Task<Guid> ExpiredAsync(Guid loan)
    {
        var id = Guid.CreateVersion7();
        await using var add = _camino.Source.CreateCommand(
            $$"""
            insert into camino.approvals (id, kind, subject, subject_id, version, request, reason, asked_by, asked_at, expires_at)
            select '{{id}}', 'loan.charge-off', 'loan', '{{loan}}', 2, '{"on":"2026-03-01"}', '', id, now() - interval '2 hours', now() - interval '1 hour' from camino.staff_users where user_name = 'accountant@demo.camino.example'
            """);
        await add.ExecuteNonQueryAsync();
        return id;
    }

    private async Task<(Guid Id, HttpClient Client)> PersonAsync(string email, string role)
    {
        var user = await _camino.AddStaffAsync(email, role);
        return (user.Id, await _camino.ApiOfAsync(user));
    }

    private async Task<HttpClient> ProgramAsync(params string[] scopes)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var (_, key) = await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync("a program", new ClientTerms(scopes, ClientTerms.MostAMinute, ClientTerms.MostInBurst, null), null, new StaffActor(null, "test"), CancellationToken.None);
        var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private async Task<StaffBrowser> SignedInAsync(string who, RunningCamino? where = null)
    {
        var browser = new StaffBrowser((where ?? _camino).OfficeAddress);
        (await browser.SignInAsync(who)).Dispose();
        return browser;
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, Guid approval, string act, object body, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/approvals/{approval}/{act}", UriKind.Relative)) { Content = System.Net.Http.Json.JsonContent.Create(body) };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return await client.SendAsync(request);
    }

    private static async Task<JsonElement> DecideAsync(HttpClient client, Guid approval, string act, object body)
    {
        using var answer = await PostAsync(client, approval, act, body, Guid.NewGuid().ToString());
        return await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private static async Task<(HttpStatusCode Status, string? Code)> CodeAsync(HttpClient client, Guid approval, string act, object body)
    {
        using var answer = await PostAsync(client, approval, act, body, Guid.NewGuid().ToString());
        var text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text.StartsWith('{') && JsonSerializer.Deserialize<JsonElement>(text).TryGetProperty("code", out var code) ? code.GetString() : null);
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private async Task<string?> StatusAsync(Guid loan) => (await _book.GetAsync($"/api/v1/loans/{loan}")).GetProperty("balances").GetProperty("status").GetString();

    private async Task<ApprovalState> StateAsync(Guid approval) => (ApprovalState)await _camino.ScalarAsync<short>($"select state from camino.approvals where id = '{approval}'");

    private async Task<string> ActionsAsync(Guid approval) =>
        await _camino.ScalarAsync<string>($"select string_agg(e.action || ' ' || split_part(u.user_name, '@', 1), ', ' order by e.id) from camino.audit_entries e join camino.staff_users u on u.id = e.user_id where e.subject = 'approval' and e.subject_id = '{approval}'") ?? "";
}
