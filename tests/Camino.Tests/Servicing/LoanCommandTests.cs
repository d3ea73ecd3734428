using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Camino.People;
using Camino.Servicing;
using Camino.Testing;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>What a program does to a loan through the API, down to the row and the ledger.</summary>
internal sealed class LoanCommandTests
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
    public async Task A_booked_loan_owes_nothing_until_money_is_handed_out()
    {
        var id = await _book.BookedLoanAsync();

        var refused = await _book.RefusedAsync(id, "record-payment", new { on = "2026-02-01", amount = "100.00" });
        var loan = await _book.GetAsync($"/api/v1/loans/{id}");

        Assert.That(refused.GetProperty("code").GetString(), Is.EqualTo("loan.not_disbursed"));
        Assert.That(loan.GetProperty("balances").GetProperty("status").GetString(), Is.EqualTo("pending"));
        Assert.That(loan.GetProperty("balances").GetProperty("owed").GetString(), Is.EqualTo("0.00"));
        await _book.MustBeRightAsync(id);
    }

    [Test]
    public async Task A_payment_pays_interest_before_principal_and_its_receipt_is_written()
    {
        var id = await _book.DisbursedLoanAsync();

        var paid = await _book.OkAsync(id, "record-payment", new { on = "2026-02-01", amount = "1066.19" });

        // 12,000.00 x 12 % x 31/365 = 122.30 for January, and what accrued in February on the rest
        Assert.That(await _book.SumAsync(id, "Cash"), Is.EqualTo(-12_000.00m + 1_066.19m));
        Assert.That(paid.GetProperty("balances").GetProperty("asOf").GetString(), Is.EqualTo("2026-03-01"));
        await _book.MustBeRightAsync(id);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (await _camino.ScalarAsync<long>($"select count(*) from camino.loan_letters where loan_id = '{id}'") == 0)
            await timer.WaitForNextTickAsync(limit.Token);
        Assert.That(await _camino.ScalarAsync<string>($"select facts ->> 'amount' from camino.loan_letters where loan_id = '{id}'"), Is.EqualTo("1066.19"));
    }

    [Test]
    public async Task The_same_key_and_body_gets_the_same_answer_and_another_body_is_refused()
    {
        var id = await _book.DisbursedLoanAsync();
        var body = new { on = "2026-02-01", amount = "500.00" };

        using var first = await _book.CommandAsync(id, "record-payment", body, "lockbox 17");
        using var second = await _book.CommandAsync(id, "record-payment", body, "lockbox 17", ifMatch: "\"1\"");
        using var third = await _book.CommandAsync(id, "record-payment", new { on = "2026-02-01", amount = "500.01" }, "lockbox 17");

        Assert.That(await first.Content.ReadAsStringAsync(), Is.EqualTo(await second.Content.ReadAsStringAsync()));
        Assert.That(second.Headers.Contains("Idempotency-Replayed"), Is.True);
        Assert.That((await ServicedBook.ReadAsync(third, HttpStatusCode.UnprocessableEntity)).GetProperty("code").GetString(), Is.EqualTo("idempotency.key_reused"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.loan_events where loan_id = '{id}' and type = 10"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_command_says_which_version_of_the_loan_it_looked_at()
    {
        var id = await _book.DisbursedLoanAsync();

        using var without = await _book.SendAsync($"/api/v1/loans/{id}/record-payment", new { amount = "10.00" }, "no version", null);
        using var old = await _book.CommandAsync(id, "record-payment", new { amount = "10.00" }, ifMatch: "\"1\"");
        using var seen = await _camino.Api.GetAsync(new Uri($"/api/v1/loans/{id}", UriKind.Relative));
        using var right = await _book.CommandAsync(id, "record-payment", new { amount = "10.00" }, ifMatch: seen.Headers.ETag?.Tag ?? "");
        using var withoutKey = await _book.SendAsync($"/api/v1/loans/{id}/record-payment", new { amount = "10.00" }, null, "*");

        Assert.That((await ServicedBook.ReadAsync(without, HttpStatusCode.PreconditionRequired)).GetProperty("code").GetString(), Is.EqualTo("loan.version_missing"));
        Assert.That((await ServicedBook.ReadAsync(old, HttpStatusCode.PreconditionFailed)).GetProperty("code").GetString(), Is.EqualTo("loan.version"));
        Assert.That(right.StatusCode, Is.EqualTo(HttpStatusCode.Created));
        Assert.That((await ServicedBook.ReadAsync(withoutKey, HttpStatusCode.BadRequest)).GetProperty("code").GetString(), Is.EqualTo("idempotency.key_missing"));
    }

    [Test]
    public async Task A_returned_payment_is_due_again_from_its_first_due_date_with_the_banks_code()
    {
        var id = await _book.DisbursedLoanAsync();
        var before = await _book.GetAsync($"/api/v1/loans/{id}/schedule");
        var paid = await _book.OkAsync(id, "record-payment", new { on = "2026-02-01", amount = "1066.19" });

        await _book.OkAsync(id, "return-payment", new { on = "2026-02-20", of = paid.GetProperty("event").GetString(), bankCode = "R01" });

        var after = await _book.GetAsync($"/api/v1/loans/{id}/schedule");
        Assert.That(after.GetProperty("daysPastDue").GetInt32(), Is.EqualTo(before.GetProperty("daysPastDue").GetInt32()));
        Assert.That(after.GetProperty("owed").GetProperty("fee").GetString(), Is.EqualTo("15.00"));
        Assert.That(after.GetProperty("owed").GetProperty("principal").GetString(), Is.EqualTo("12000.00"));
        Assert.That(await _book.SumAsync(id, "Cash"), Is.EqualTo(-12_000.00m));
        await _book.MustBeRightAsync(id);
    }

    [Test]
    public async Task Every_command_and_the_booking_want_a_key_and_every_command_the_version_that_was_looked_at()
    {
        var id = await _book.DisbursedLoanAsync();

        foreach (var command in LoanCommand.All)
        {
            var path = $"/api/v1/loans/{id}/{command.Name}";
            using var admin = await _camino.ApiOfAsync("admin");
            using var withoutKey = await _book.SendAsync(path, new { }, null, "*", admin);
            using var withoutVersion = await _book.SendAsync(path, new { }, "one key", null, admin);
            using var outdated = await _book.SendAsync(path, new { }, "one key", "\"1\"", admin);
            using var longKey = await _book.SendAsync(path, new { }, new string('k', 65), "*", admin);
            Assert.That(
                (withoutKey.StatusCode, withoutVersion.StatusCode, outdated.StatusCode, longKey.StatusCode),
                Is.EqualTo((HttpStatusCode.BadRequest, HttpStatusCode.PreconditionRequired, HttpStatusCode.PreconditionFailed, HttpStatusCode.BadRequest)), command.Name);
        }

        using var booking = await _book.SendAsync("/api/v1/loans", new { product = ServicedBook.Product }, null, null);
        Assert.That((await ServicedBook.ReadAsync(booking, HttpStatusCode.BadRequest)).GetProperty("code").GetString(), Is.EqualTo("idempotency.key_missing"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.loan_events where loan_id = '{id}'"), Is.EqualTo(1), "Nothing was recorded.");
    }

    [Test]
    public async Task Every_command_leaves_a_loan_that_a_replay_agrees_with()
    {
        var id = await _book.DisbursedLoanAsync();
        await _book.OkAsync(id, "record-payment", new { on = "2026-02-01", amount = "1066.19" });
        await _book.OkAsync(id, "charge-fee", new { on = "2026-02-03", amount = "30.00", portion = "fee" });
        await _book.OkAsync(id, "waive", new { on = "2026-02-04", amount = "10.00", portion = "fee" });
        await _book.OkAsync(id, "change-rate", new { on = "2026-02-05", annualRatePercent = "10.5" });
        await _book.OkAsync(id, "extend", new { on = "2026-02-06", count = 2 });
        await _book.OkAsync(id, "skip-installment", new { on = "2026-02-07" });
        await _book.OkAsync(id, "move-due-date", new { on = "2026-02-08", until = "2026-04-10" });
        await _book.OkAsync(id, "reamortize", new { on = "2026-02-09" });
        await _book.OkAsync(id, "pause-interest", new { on = "2026-02-10", until = "2026-02-12" });
        await _book.OkAsync(id, "pause-delinquency", new { on = "2026-02-10", until = "2026-02-28" });
        var wrong = await _book.OkAsync(id, "record-payment", new { on = "2026-02-15", amount = "99.00" });
        await _book.OkAsync(id, "reverse", new { on = "2026-02-16", of = wrong.GetProperty("event").GetString() });
        await _book.MustBeRightAsync(id);

        await _book.OkAsync(id, "restructure", new { on = "2026-02-20", count = 18, until = "2026-04-01" });
        await _book.MustBeRightAsync(id);

        await _book.OkAsync(id, "record-payment", new { on = "2026-02-21", amount = "20000.00" });
        await _book.MustBeRightAsync(id);
        var credit = (await _book.GetAsync($"/api/v1/loans/{id}")).GetProperty("balances").GetProperty("credit").GetString();
        await _book.OkAsync(id, "refund", new { on = "2026-02-25", amount = credit });

        var loan = (await _book.GetAsync($"/api/v1/loans/{id}")).GetProperty("balances");
        Assert.That(loan.GetProperty("status").GetString(), Is.EqualTo("paidOff"));
        await _book.MustBeRightAsync(id);
    }

    [Test]
    public async Task A_charged_off_loan_takes_recoveries_and_no_payments()
    {
        var id = await _book.DisbursedLoanAsync();
        using var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await _book.KeyOfAsync(StaffRoles.Administrator));

        using var byOfficer = await _book.CommandAsync(id, "charge-off", new { on = "2026-03-01" });
        using var byAdministrator = await _book.SendAsync($"/api/v1/loans/{id}/charge-off", new { on = "2026-03-01" }, Guid.NewGuid().ToString(), "*", client);
        var asked = await ServicedBook.ReadAsync(byAdministrator, HttpStatusCode.Accepted);
        await _camino.ApproveAsync(asked.GetProperty("approvalId").GetGuid());
        var payment = await _book.RefusedAsync(id, "record-payment", new { amount = "50.00" });
        await _book.OkAsync(id, "recover", new { amount = "50.00" });

        Assert.That(byOfficer.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(payment.GetProperty("code").GetString(), Is.EqualTo("loan.charged_off"));
        Assert.That(await _book.SumAsync(id, "LoansReceivable"), Is.Zero);
        Assert.That(await _book.SumAsync(id, "Recoveries"), Is.EqualTo(-50.00m));
        await _book.MustBeRightAsync(id);
    }

    [TestCase("record-payment", """{"amount":"0.00"}""", "input.amount")]
    [TestCase("record-payment", """{"amount":"12.345"}""", "input.amount")]
    [TestCase("record-payment", """{"amount":"12.00","on":"2026-03-02"}""", "event.future")]
    [TestCase("record-payment", """{"amount":"12.00","count":3}""", "input.count")]
    [TestCase("record-payment", """{"amount":"12.00","amounts":"3"}""", "input.not_json")]
    [TestCase("waive", """{"amount":"9999.00","portion":"fee"}""", "waive.over_owed")]
    [TestCase("waive", """{"amount":"9.00","portion":"all"}""", "input.portion")]
    [TestCase("refund", """{"amount":"1.00"}""", "refund.over_credit")]
    [TestCase("recover", """{"amount":"1.00"}""", "loan.not_charged_off")]
    [TestCase("disburse", """{"amount":"0.01"}""", "disburse.over_principal")]
    [TestCase("reverse", """{"of":"77"}""", "event.of")]
    [TestCase("return-payment", """{"of":"1","bankCode":"R99"}""", "event.bankCode")]
    [TestCase("restructure", """{"count":0,"until":"2026-05-01"}""", "event.count")]
    [TestCase("change-rate", """{"annualRatePercent":"1001"}""", "rate.out_of_range")]
    public async Task What_makes_no_sense_is_refused_with_a_code_and_changes_nothing(string command, string body, string code)
    {
        var id = await _book.DisbursedLoanAsync();

        var refused = await _book.RefusedAsync(id, command, JsonSerializer.Deserialize<JsonElement>(body));

        Assert.That(refused.GetProperty("code").GetString(), Is.EqualTo(code), refused.ToString());
        Assert.That((await _book.GetAsync($"/api/v1/loans/{id}")).GetProperty("version").GetInt32(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_preview_shows_what_would_change_and_keeps_nothing()
    {
        var id = await _book.DisbursedLoanAsync();

        using var answer = await _book.SendAsync($"/api/v1/loans/{id}/record-payment/preview", new { on = "2026-02-01", amount = "1066.19" }, null, null);
        var preview = await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
        var done = await _book.OkAsync(id, "record-payment", new { on = "2026-02-01", amount = "1066.19" });

        Assert.That(preview.GetProperty("after").GetProperty("owed").GetProperty("principal").GetString(), Is.EqualTo(done.GetProperty("balances").GetProperty("principal").GetString()));
        Assert.That(preview.GetProperty("entries").GetArrayLength(), Is.GreaterThan(1));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.loan_events where loan_id = '{id}'"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_payoff_quote_paid_on_its_day_pays_the_loan_off()
    {
        var id = await _book.DisbursedLoanAsync();

        var quote = await _book.GetAsync($"/api/v1/loans/{id}/payoff?on=2026-03-01");
        var paid = await _book.OkAsync(id, "record-payment", new { on = "2026-03-01", amount = quote.GetProperty("amount").GetString() });

        Assert.That(paid.GetProperty("balances").GetProperty("status").GetString(), Is.EqualTo("paidOff"));
        await _book.MustBeRightAsync(id);
    }

    [TestCase("update camino.loan_events set amount = 1")]
    [TestCase("delete from camino.loan_events")]
    [TestCase("truncate camino.loan_events cascade")]
    [TestCase("update camino.ledger_entries set amount = amount")]
    [TestCase("delete from camino.ledger_transactions")]
    [TestCase("truncate camino.ledger_entries")]
    [TestCase("update camino.audit_entries set action = 'nothing'")]
    [TestCase("truncate camino.audit_entries")]
    [TestCase("update camino.product_versions set rules = '{}'")]
    [TestCase("delete from camino.product_versions")]
    public async Task The_database_refuses_to_change_what_is_written_once(string sql)
    {
        await _book.DisbursedLoanAsync();
        await using var command = _camino.Source.CreateCommand(sql);

        var refused = await Assert.ThrowsAsync<PostgresException>(async () => await command.ExecuteNonQueryAsync());

        Assert.That(refused?.SqlState, Is.EqualTo(PostgresErrorCodes.RestrictViolation).Or.EqualTo(PostgresErrorCodes.ForeignKeyViolation));
    }

    [TestCase("insert into camino.ledger_entries (transaction_id, line, loan_id, account, amount, posted_on) select id, 90, loan_id, 'Cash', 5, posted_on from camino.ledger_transactions limit 1")]
    [TestCase("insert into camino.ledger_transactions (id, loan_id, posted_on, effective_on, act, event_key, is_correction, recorded_at) select gen_random_uuid(), id, as_of, as_of, 'Pay', '', false, now() from camino.serviced_loans limit 1")]
    public async Task The_database_refuses_a_ledger_transaction_that_does_not_come_to_zero(string sql)
    {
        await _book.DisbursedLoanAsync();
        await using var command = _camino.Source.CreateCommand(sql);

        var refused = await Assert.ThrowsAsync<PostgresException>(async () => await command.ExecuteNonQueryAsync());

        Assert.That(refused?.SqlState, Is.EqualTo(PostgresErrorCodes.CheckViolation));
    }

    [Test]
    public async Task Whoever_only_looks_may_change_nothing()
    {
        var id = await _book.DisbursedLoanAsync();
        using var viewer = _camino.Client();
        viewer.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await _book.KeyOfAsync(StaffRoles.Viewer));

        using var paid = await _book.SendAsync($"/api/v1/loans/{id}/record-payment", new { amount = "5.00" }, "viewer", "*", viewer);
        using var closed = await _book.SendAsync("/api/v1/business-day/close", new { closes = "2026-03-01" }, null, null, viewer);
        using var seen = await viewer.GetAsync(new Uri($"/api/v1/loans/{id}", UriKind.Relative));

        Assert.That((paid.StatusCode, closed.StatusCode, seen.StatusCode), Is.EqualTo((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.OK)));
    }
}
