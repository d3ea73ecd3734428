using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Camino.Clients;
using Camino.Data;
using Camino.People;
using Camino.Servicing;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Papers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>A loan that was paid on time is renewed: from its page or the API over offer, papers and booking to the day on which the new loan's money pays it off. The product asks for two months, three days late still count.</summary>
internal sealed class RenewalTests
{
    private RunningCamino _camino = null!;
    private OfferedApplications _applications = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _applications = await OfferedApplications.PrepareAsync(_camino);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _applications.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task What_is_left_of_the_old_loan_is_paid_with_the_money_of_the_new_one_and_taken_back_with_it()
    {
        var old = await PaidLoanAsync("Lighthouse Tacos LLC");
        var status = await _camino.GetAsync($"/loans/{old}/renewal");
        var key = Guid.NewGuid().ToString();
        using var asked = await RenewAsync(old, key);
        using var repeated = await RenewAsync(old, key);
        using var again = await RenewAsync(old, Guid.NewGuid().ToString());
        var id = (await ServicedBook.ReadAsync(asked, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", now => now == 3);

        Assert.That((status.GetProperty("mayRenew").GetBoolean(), status.GetProperty("onTimeMonths").GetInt32(), status.GetProperty("onTimeSince").GetString(), status.GetProperty("askedMonths").GetInt32()), Is.EqualTo((true, 2, "2026-03-02", 2)));
        Assert.That((repeated.StatusCode, repeated.Headers.Contains("Idempotency-Replayed"), await again.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.Accepted, true, "renewal.waiting")));
        Assert.That(await _camino.ScalarAsync<string>($"select name || ' ' || language || ' ' || city || ' ' || amount || ' ' || purpose from camino.applications where id = '{id}'"), Is.EqualTo("Lighthouse Tacos LLC es Oakland 30000.00 A second truck"));
        Assert.That(await _camino.ScalarAsync<string>($"select name || ' ' || share_percent || ' ' || is_guarantor || ' ' || birth_date from camino.application_owners where application_id = '{id}'"), Is.EqualTo("Rosa Delgado Fuentes 100.000 true 1961-03-14"), "the date of birth comes from the application before");
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_contacts where application_id = '{id}'"), Is.EqualTo(2));
        Assert.That((await _camino.GetAsync($"/loans/{old}/renewal")).GetProperty("application").GetProperty("id").GetGuid(), Is.EqualTo(id));

        using var tooLittle = await _applications.ActAsync(id, "offers/preview", Terms("10000.00"), _applications.Underwriter);
        using var preview = await _applications.ActAsync(id, "offers/preview", Terms("30000.00"), _applications.Underwriter);
        using var made = await _applications.ActAsync(id, "offers", Terms("30000.00"), _applications.Underwriter);
        using var accepted = await _applications.ActAsync(id, "offers/1/accept", new { how = "phone" });
        using var forAnother = await _applications.ActAsync(id, "book", new { isNew = true });
        using var booked = await _applications.ActAsync(id, "book", new { });
        var loan = (await ServicedBook.ReadAsync(booked, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        using var second1 = await RenewAsync(old, Guid.NewGuid().ToString());
        var splits = (await ServicedBook.ReadAsync(preview, HttpStatusCode.OK)).GetProperty("renewal");
        var payoff = splits.GetProperty("paidOff").GetString();

        Assert.That(await tooLittle.ProblemCodeAsync(), Is.EqualTo("offer.renewal"));
        Assert.That(await second1.ProblemCodeAsync(), Is.EqualTo("renewal.waiting"), "booked, it is renewed by that loan and no other");
        Assert.That((made.StatusCode, accepted.StatusCode, await forAnother.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.Created, HttpStatusCode.OK, "application.borrower")));
        Assert.That(await _camino.ScalarAsync<long>($"select count(distinct borrower_id) from camino.loan_borrowers where loan_id in ('{old}', '{loan}')"), Is.EqualTo(1));
        Assert.That((await _camino.GetAsync($"/applications/{id}/offers/1")).GetProperty("renewal").GetRawText(), Is.EqualTo(splits.GetRawText()), "what was offered is what was shown");

        var before = await _camino.GetAsync($"/loans/{old}");
        await _applications.Book.RefusedAsync(loan, "disburse", new { on = "2026-05-15", amount = "30000.00" });
        var short1 = await _applications.Book.RefusedAsync(loan, "disburse", new { on = "2026-05-16", amount = "1000.00" });
        using var shown = await _applications.Book.SendAsync($"/api/v1/loans/{loan}/disburse/preview", new { on = "2026-05-16", amount = "30000.00" }, null, null);
        var handedOut = await _applications.Book.OkAsync(loan, "disburse", new { on = "2026-05-16", amount = "30000.00" });
        var paid = await _camino.GetAsync($"/loans/{old}");

        Assert.That(short1.GetProperty("code").GetString(), Is.EqualTo("renewal.payoff"));
        Assert.That((await ServicedBook.ReadAsync(shown, HttpStatusCode.OK)).GetProperty("renewal").GetProperty("paidOff").GetString(), Is.EqualTo(payoff));
        Assert.That((handedOut.GetProperty("renewal").GetProperty("paidOff").GetString(), handedOut.GetProperty("renewal").GetProperty("loanId").GetGuid()), Is.EqualTo((payoff, old)));
        Assert.That((Balance(paid, "status"), Balance(paid, "owed"), Balance(paid, "credit")), Is.EqualTo(("paidOff", "0.00", "0.00")));
        Assert.That((await _camino.GetAsync($"/loans/{old}/renewal")).GetProperty("renewedBy").GetProperty("id").GetGuid(), Is.EqualTo(loan));
        Assert.That((await _camino.GetAsync($"/loans/{loan}/renewal")).GetProperty("paidOff").GetString(), Is.EqualTo(payoff));
        Assert.That(await CashAsync(old, loan), Is.EqualTo(-decimal.Parse(handedOut.GetProperty("renewal").GetProperty("handedOut").GetString() ?? "", CultureInfo.InvariantCulture)), "of the day's cash only what the borrower got is gone");

        var event1 = await _camino.ScalarAsync<string>($"select paid_event from camino.loan_renewals where loan_id = '{loan}'");
        var alone = await _applications.Book.RefusedAsync(old, "reverse", new { of = event1 });
        var taken = await _applications.Book.OkAsync(loan, "reverse", new { of = handedOut.GetProperty("event").GetString() });
        var broughtBack = await _applications.Book.RefusedAsync(loan, "reverse", new { of = taken.GetProperty("event").GetString() });
        var paidAgain = await _applications.Book.RefusedAsync(old, "reverse", new { of = await _camino.ScalarAsync<string>($"select max(sequence)::text from camino.loan_events where loan_id = '{old}'") });
        var open = await _camino.GetAsync($"/loans/{old}");
        var second = await _applications.Book.OkAsync(loan, "disburse", new { on = "2026-05-16", amount = "30000.00" });

        Assert.That(alone.GetProperty("code").GetString(), Is.EqualTo("renewal.paid"));
        Assert.That((broughtBack.GetProperty("code").GetString(), paidAgain.GetProperty("code").GetString()), Is.EqualTo(("renewal.reversed", "renewal.reversed")), "taken back twice, an event would count on one of the two loans alone");
        Assert.That((Balance(open, "status"), Balance(open, "owed")), Is.EqualTo((Balance(before, "status"), payoff)), "taken back, the old loan is owed again");
        Assert.That(second.GetProperty("renewal").GetProperty("paidOff").GetString(), Is.EqualTo(payoff));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by id) from camino.audit_entries where subject_id = '{old}' and id > (select id from camino.audit_entries where subject_id = '{old}' and action = 'loan.renew')"), Is.EqualTo("loan.record-payment loan.reverse loan.record-payment"));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from (select loan_id, account from camino.ledger_entries group by 1, 2 having sum(amount) <> (select b.amount from camino.loan_balances b where b.loan_id = ledger_entries.loan_id and b.account = ledger_entries.account)) x"), Is.Zero);
    }

    [Test]
    public async Task Staff_ask_for_it_on_the_loans_page_and_see_why_not_yet()
    {
        var id = await _applications.OfferedAsync("Copper Basin Laundry LLC");
        var loan = await HandedOutAsync(id);
        using var officer = await _applications.StaffAsync("officer");
        using var viewer = await _applications.StaffAsync("viewer");
        var early = await officer.PageAsync($"/servicing/{loan}");
        using var tooEarly = await officer.PostAsync($"/servicing/{loan}/renew", $"/servicing/{loan}/renew", ("Amount", "30000.00"), ("key", "early"));
        await PayAsync(loan, "2026-04-15");
        await PayAsync(loan, "2026-05-15");
        await _applications.Book.SetTodayAsync("2026-05-16");
        var ready = await officer.PageAsync($"/servicing/{loan}");
        var form = await officer.PageAsync($"/servicing/{loan}/renew");
        using var wrong = await officer.PostAsync($"/servicing/{loan}/renew", $"/servicing/{loan}/renew", ("Amount", "-5"), ("key", "wrong"));
        using var asked = await officer.PostAsync($"/servicing/{loan}/renew", $"/servicing/{loan}/renew", ("Amount", "30000.00"), ("TermMonths", "24"), ("CreditConsent", "true"), ("key", "asked"));
        var application = await officer.PageAsync(asked.Headers.Location?.ToString() ?? "");
        using var closed = await viewer.GetAsync($"/servicing/{loan}/renew");

        Assert.That(early, Does.Contain("0 months, since Mar 2, 2026").And.Contain("2 months, each installment at most 3 days late").And.Not.Contain("Ask for the renewal"));
        Assert.That(await tooEarly.Content.ReadAsStringAsync(), Does.Contain("has been paid on time for 0 whole months"));
        Assert.That(ready, Does.Contain("Ask for the renewal").And.Contain($"/servicing/{loan}/renew"));
        Assert.That(form, Does.Contain("25000").And.Contain("Payoff"));
        Assert.That(await wrong.Content.ReadAsStringAsync(), Does.Contain("message-bad").And.Contain("-5"));
        Assert.That(asked.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(application, Does.Contain("Copper Basin Laundry LLC").And.Contain($"/servicing/{loan}"));
        Assert.That(closed.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task Asked_for_many_times_at_once_it_is_one_application_and_handed_out_at_once_it_is_paid_off_once()
    {
        var old = await PaidLoanAsync("Many Hands Catering LLC");
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => RenewAsync(old, Guid.NewGuid().ToString())));
        var taken = answers.Single(answer => answer.StatusCode == HttpStatusCode.Accepted);
        var id = (await ServicedBook.ReadAsync(taken, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
        foreach (var answer in answers)
            answer.Dispose();
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", now => now == 3);
        using var made = await _applications.ActAsync(id, "offers", Terms("30000.00"), _applications.Underwriter);
        using var accepted = await _applications.ActAsync(id, "offers/1/accept", new { how = "phone" });
        using var booked = await _applications.ActAsync(id, "book", new { });
        var loan = (await ServicedBook.ReadAsync(booked, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        var disbursed = await Task.WhenAll(Enumerable.Range(0, 6).Select(n => _applications.Book.CommandAsync(n % 2 == 0 ? loan : old, n % 2 == 0 ? "disburse" : "charge-fee", n % 2 == 0 ? new { on = "2026-05-16", amount = "30000.00" } : new { on = "2026-05-16", amount = "1.00", portion = "fee" })));
        var codes = disbursed.Select(answer => answer.StatusCode).ToList();
        foreach (var answer in disbursed)
            answer.Dispose();

        Assert.That(codes.Where((_, n) => n % 2 == 0).Count(code => code == HttpStatusCode.Created), Is.EqualTo(1), "the others would hand out more than was agreed");
        Assert.That(codes, Has.None.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.loan_events where loan_id = '{old}' and (body::jsonb -> 'event' ->> 'type') = 'pay'"), Is.EqualTo(3), "two installments and one payoff");
    }

    [Test]
    public async Task A_program_asks_by_its_scopes_and_what_the_borrower_chose_for_letters_goes_along()
    {
        var old = await PaidLoanAsync("Quiet Harbor Marine LLC");
        await _camino.ScalarAsync<object>($"update camino.borrowers set contact_by = 'mail' where id = (select borrower_id from camino.loan_borrowers where loan_id = '{old}')");
        using var program = await ClientAsync("loans:read", "applications:create", "applications:read");
        using var half = await ClientAsync("applications:create");
        using var looked = await program.GetAsync(new Uri($"/api/v1/loans/{old}/renewal", UriKind.Relative));
        using var asked = await _applications.Book.SendAsync($"/api/v1/loans/{old}/renewal", new { amount = "30000.00" }, "p1", null, program);
        using var blind = await _applications.Book.SendAsync($"/api/v1/loans/{old}/renewal", new { amount = "30000.00" }, "p2", null, half);
        var id = (await ServicedBook.ReadAsync(asked, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
        using var seen = await program.GetAsync(new Uri($"/api/v1/applications/{id}", UriKind.Relative));

        Assert.That((looked.StatusCode, blind.StatusCode, seen.StatusCode), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.Forbidden, HttpStatusCode.OK)));
        Assert.That(await _camino.ScalarAsync<bool>($"select not email and not text from camino.application_contact_choices where application_id = '{id}'"), Is.True);
    }

    [Test]
    public async Task A_credit_that_the_product_keeps_is_refunded_first_and_an_ended_application_is_not_opened_beside_another()
    {
        var old = await CreditedLoanAsync();
        using var first = await RenewAsync(old, Guid.NewGuid().ToString());
        var id = (await ServicedBook.ReadAsync(first, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", now => now == 3);
        using var credited = await _applications.ActAsync(id, "offers/preview", Terms("30000.00", "2026-03-01"), _applications.Underwriter);
        await _applications.Book.OkAsync(old, "refund", new { on = "2026-03-01", amount = "300.00" });
        using var refunded = await _applications.ActAsync(id, "offers/preview", Terms("30000.00", "2026-03-01"), _applications.Underwriter);
        using var withdrawn = await _applications.ActAsync(id, "withdraw", new { reason = "Later" });
        using var second = await RenewAsync(old, Guid.NewGuid().ToString());
        using var reopened = await _applications.ActAsync(id, "reopen", new { reason = "After all" });

        Assert.That((await credited.ProblemCodeAsync(), refunded.StatusCode), Is.EqualTo(("renewal.credit", HttpStatusCode.OK)));
        Assert.That((withdrawn.StatusCode, second.StatusCode, await reopened.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.Accepted, "renewal.waiting")));
    }

    [Test]
    public async Task The_papers_say_in_both_languages_what_is_paid_off_and_what_is_left()
    {
        var old = await PaidLoanAsync("Paper Crane Gifts LLC");
        using var asked = await RenewAsync(old, Guid.NewGuid().ToString());
        var id = (await ServicedBook.ReadAsync(asked, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", now => now == 3);
        using var made = await _applications.ActAsync(id, "offers", Terms("30000.00"), _applications.Underwriter);
        await _camino.UntilAsync<long>($"select count(*) from camino.application_papers where application_id = '{id}' and state = 1", now => now == 4);
        var number = await _camino.ScalarAsync<string>($"select number from camino.serviced_loans where id = '{old}'");
        var payoff = await _camino.ScalarAsync<decimal>($"select payoff from camino.offer_payoffs where application_id = '{id}'");
        var (english, spanish) = (PdfText.Of(await OfferAsync(id, "en")), PdfText.Of(await OfferAsync(id, "es")));

        Assert.That(english.ReplaceLineEndings(" "), Does.Contain($"Pays off loan {number}").And.Contain(payoff.ToString("$#,##0.00", CultureInfo.InvariantCulture)).And.Contain((30_000m - payoff).ToString("$#,##0.00", CultureInfo.InvariantCulture)));
        Assert.That(spanish.ReplaceLineEndings(" "), Does.Contain($"Liquida el préstamo {number}").And.Contain(payoff.ToString("$#,##0.00", CultureInfo.InvariantCulture)));
    }

    private async Task<byte[]> OfferAsync(Guid id, string language)
    {
        var document = await _camino.ScalarAsync<Guid>($"select document_id from camino.application_papers where application_id = '{id}' and template like 'offer.%' and language = '{language}'");
        return await _camino.Api.GetByteArrayAsync(new Uri($"/api/v1/documents/{document}/versions/1/content", UriKind.Relative));
    }

    private static object Terms(string principal, string disburseOn = "2026-05-16") => new { product = ServicedBook.Product, principal, annualRatePercent = "14.5", payments = 24, disburseOn };

    private async Task<HttpClient> ClientAsync(params string[] scopes)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var (_, key) = await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync(string.Join(' ', scopes), new ClientTerms(scopes, 6_000, 600, null, null), null, new StaffActor(null, "test"), CancellationToken.None);
        var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>Of a product that keeps what is paid too much as a credit: paid up on 2026-03-01, with $300.00 more.</summary>
    private async Task<Guid> CreditedLoanAsync()
    {
        await using (var scope = _camino.Office.Services.CreateAsyncScope())
        {
            var by = (await scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.SingleAsync(user => user.UserName == "officer@demo.camino.example")).Id;
            var product = await scope.ServiceProvider.GetRequiredService<AddProduct>().RunAsync("KEEPS", "Keeps a credit", """{"surplus":"credit","renewal":{"onTimeMonths":2,"graceDays":3}}""", """{"principalFrom":"500.00","principalTo":"50000.00","rateFrom":"0","rateTo":"60","paymentsFrom":1,"paymentsTo":60,"terms":{"method":"equalPayment","dayCount":"actual/365","unit":"month","every":1}}""", by, CancellationToken.None);
            await scope.ServiceProvider.GetRequiredService<PublishProduct>().RunAsync(product.Id, by, CancellationToken.None);
        }

        using var booked = await _applications.Book.SendAsync("/api/v1/loans", new { product = "KEEPS", borrowerName = "Thrifty Kiln Pottery LLC", principal = "12000.00", annualRatePercent = "12", payments = 12, disburseOn = "2026-01-01" }, Guid.NewGuid().ToString(), "*");
        var loan = (await ServicedBook.ReadAsync(booked, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        await _applications.Book.OkAsync(loan, "disburse", new { on = "2026-01-01", amount = "12000.00" });
        foreach (var (on, more) in new[] { ("2026-02-01", 0m), ("2026-03-01", 300m) })
        {
            var row = (await _camino.GetAsync($"/loans/{loan}/schedule?on={on}")).GetProperty("installments").EnumerateArray().First(one => one.GetProperty("dueOn").GetString() == on);
            var amount = decimal.Parse(row.GetProperty("outstanding").GetString() ?? "", CultureInfo.InvariantCulture) + more;
            await _applications.Book.OkAsync(loan, "record-payment", new { on, amount = amount.ToString("0.00", CultureInfo.InvariantCulture) });
        }

        await _camino.ScalarAsync<object>($"insert into camino.borrower_contacts (borrower_id, position, kind, value, digits) select borrower_id, 1, 1, '510-555-4455', '5105554455' from camino.loan_borrowers where loan_id = '{loan}'");
        return loan;
    }

    private Task<HttpResponseMessage> RenewAsync(Guid loan, string key) =>
        _applications.Book.SendAsync($"/api/v1/loans/{loan}/renewal", new { amount = "30000.00", termMonths = 24, purpose = "A second truck", annualRevenue = "410000.00", creditConsent = true }, key, null);

    private static string? Balance(JsonElement loan, string name) => loan.GetProperty("balances").GetProperty(name).GetString();

    private Task<decimal> CashAsync(Guid old, Guid loan) => _camino.ScalarAsync<decimal>($"select coalesce(sum(e.amount), 0) from camino.ledger_entries e join camino.ledger_transactions t on t.id = e.transaction_id where e.loan_id in ('{old}', '{loan}') and e.account = 'Cash' and t.effective_on = '2026-05-16'");

    /// <summary>Handed out on 2026-03-02, paid on the first two due dates; it is 2026-05-16.</summary>
    private async Task<Guid> PaidLoanAsync(string name)
    {
        var loan = await HandedOutAsync(await _applications.OfferedAsync(name));
        await PayAsync(loan, "2026-04-15");
        await PayAsync(loan, "2026-05-15");
        await _applications.Book.SetTodayAsync("2026-05-16");
        return loan;
    }

    private async Task<Guid> HandedOutAsync(Guid application)
    {
        using var accepted = await _applications.ActAsync(application, "offers/1/accept", new { how = "phone" });
        using var booked = await _applications.ActAsync(application, "book", new { });
        var loan = (await ServicedBook.ReadAsync(booked, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        await _applications.Book.SetTodayAsync("2026-03-02");
        await _applications.Book.OkAsync(loan, "disburse", new { on = "2026-03-02", amount = "25000.00" });
        return loan;
    }

    private async Task PayAsync(Guid loan, string on)
    {
        await _applications.Book.SetTodayAsync(on);
        var row = (await _camino.GetAsync($"/loans/{loan}/schedule?on={on}")).GetProperty("installments").EnumerateArray().First(one => one.GetProperty("dueOn").GetString() == on);
        await _applications.Book.OkAsync(loan, "record-payment", new { on, amount = row.GetProperty("outstanding").GetString() });
    }
}
