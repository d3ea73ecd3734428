using System.Net;
using System.Text.Json;
using Camino.Applications;
using Camino.Data;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Screening;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>From underwriting to a loan: offers, acceptance and booking through the API and the pages, on a real database. The business date is 2026-03-01.</summary>
internal sealed class OfferTests
{
    private const string Offered = "2026-03-01";

    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;
    private InventedLists _lists = null!;
    private HttpClient _underwriter = null!;
    private int _people;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync(Offered);
        _lists = new InventedLists();
        _underwriter = await _camino.ApiOfAsync("underwriter");
        await _lists.TakeInAsync(_camino);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _underwriter.Dispose();
        await _camino.DisposeAsync();
        _lists.Dispose();
    }

    [Test]
    public async Task An_accepted_offer_becomes_a_loan_with_the_same_schedule_line_by_line_and_the_applicant_its_borrower()
    {
        var id = await UnderwritingAsync("Juniper Street Bakery LLC");
        using var tried = await _book.SendAsync($"/api/v1/applications/{id}/offers/preview", Terms(), null, null, _underwriter);
        var preview = await ServicedBook.ReadAsync(tried, HttpStatusCode.OK);
        var key = Guid.NewGuid().ToString();
        var first = await MakeAsync(id, Terms(), "\"3-1\"", key);
        using var repeated = await _book.SendAsync($"/api/v1/applications/{id}/offers", Terms(), key, "\"3-1\"", _underwriter);
        var second = await MakeAsync(id, Terms(principal: "18000.00"), "\"4-1\"");
        var details = await _camino.GetAsync($"/applications/{id}/offers/1");
        using var accepted = await ActAsync(id, "offers/1/accept", new { how = "phone", note = "Said so to Ana" }, "\"5-1\"");
        var taken = await ServicedBook.ReadAsync(accepted, HttpStatusCode.OK);
        using var booked = await ActAsync(id, "book", new { }, "\"6-1\"");
        var answer = await ServicedBook.ReadAsync(booked, HttpStatusCode.Created);
        var loan = answer.GetProperty("loanId").GetGuid();
        var task = await _camino.GetAsync($"/applications/{id}");
        var offers = (await _camino.GetAsync($"/applications/{id}/offers")).GetProperty("items");
        var schedule = await _camino.GetAsync($"/loans/{loan}/schedule");

        Assert.That((first.GetProperty("step").GetString(), first.GetProperty("offer").GetInt32(), first.GetProperty("version").GetInt32()), Is.EqualTo(("offered", 1, 4)));
        Assert.That((repeated.StatusCode, repeated.Headers.Contains("Idempotency-Replayed")), Is.EqualTo((HttpStatusCode.Created, true)));
        Assert.That((second.GetProperty("step").GetString(), second.GetProperty("offer").GetInt32()), Is.EqualTo(("offered", 2)));
        Assert.That((taken.GetProperty("step").GetString(), taken.GetProperty("version").GetInt32()), Is.EqualTo(("accepted", 6)));
        Assert.That((task.GetProperty("state").GetString(), task.GetProperty("step").GetString(), task.GetProperty("loanId").GetGuid()), Is.EqualTo(("DONE", "booked", loan)));
        Assert.That(offers.EnumerateArray().Select(one => one.GetProperty("state").GetString()), Is.EqualTo(new[] { "accepted", "closed" }));
        Assert.That((offers[0].GetProperty("expiresOn").GetString(), offers[0].GetProperty("acceptedBy").GetString()), Is.EqualTo(("2026-03-15", "phone")));

        var planned = Rows(preview.GetProperty("figures").GetProperty("installments"));
        Assert.That(planned, Has.Count.EqualTo(24));
        Assert.That(planned[0], Does.StartWith("1 2026-04-15 "));
        Assert.That(Rows(details.GetProperty("figures").GetProperty("installments")), Is.EqualTo(planned), "what was stored is what was shown");
        Assert.That(schedule.GetProperty("installments").EnumerateArray().Select(row => $"{row.GetProperty("number")} {row.GetProperty("dueOn").GetString()} {Amount(row, "principal")} {Amount(row, "interest")} {Amount(row, "total")}"), Is.EqualTo(planned), "what was booked is what was offered");
        Assert.That(preview.GetProperty("figures").GetProperty("form").GetProperty("state").GetString(), Is.EqualTo("CA"));
        Assert.That(offers[0].GetProperty("aprPercent").GetString(), Is.EqualTo(preview.GetProperty("figures").GetProperty("aprPercent").GetString()));

        var borrower = await _camino.ScalarAsync<Guid>($"select borrower_id from camino.loan_borrowers where loan_id = '{loan}' and own_book");
        Assert.That(await _camino.ScalarAsync<string>($"select b.name || '|' || b.trade_name || '|' || b.language || '|' || a.city from camino.borrowers b join camino.borrower_addresses a on a.borrower_id = b.id where b.id = '{borrower}'"), Is.EqualTo("Juniper Street Bakery LLC|Juniper|es|Oakland"));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(kind || ' ' || position || ' ' || value, ', ' order by position) from camino.borrower_contacts where borrower_id = '{borrower}'"), Does.Match(@"^1 1 \S+, 2 21 office@example\.com$"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.borrower_identifiers b join camino.application_identifiers a on a.hash = b.hash and a.sealed = b.sealed and a.kind = b.kind and a.owner_id is not distinct from b.owner_id where b.borrower_id = '{borrower}' and a.application_id = '{id}'"), Is.EqualTo(2));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(name || ' ' || share_percent || ' ' || is_guarantor, ', ') from camino.borrower_owners where borrower_id = '{borrower}'"), Is.EqualTo("Rosa Delgado Fuentes 100.000 true"));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by action) from camino.audit_entries where subject_id in ('{id}', '{loan}', '{borrower}') and action <> 'application.paper-made'"), Is.EqualTo("application.booked application.offer-accepted application.offer-made application.offer-made application.received borrower.added loan.book"));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(move || ' ' || actor_kind, ', ' order by sequence) from camino.application_events where application_id = '{id}' and sequence > 3"), Is.EqualTo("4 2, 4 2, 6 2, 7 2"));
        Assert.That(await _camino.ScalarAsync<long>("select (select count(*) from camino.audit_entries where details::text ~* 'juniper|delgado|ana') + (select count(*) from camino.handled_requests where answer::text ~* 'juniper|delgado')"), Is.Zero);
        Assert.That(_camino.LogLines.Where(line => line.Contains("Juniper", StringComparison.Ordinal)), Is.Empty);
        Assert.That(async () => await _camino.ScalarAsync<object>($"update camino.application_offers set principal = 1 where application_id = '{id}'"), Throws.InstanceOf<PostgresException>().With.Message.Contains("written once"));
    }

    [Test]
    public async Task What_does_not_fit_is_refused_with_what_was_given_and_the_limit()
    {
        var id = await UnderwritingAsync("Cobalt Door Works LLC");
        foreach (var (terms, code, sentence) in new[]
        {
            (Terms(principal: "60000.00"), "book.principal", "This product lends $500.00 to $50,000.00; got $60,000.00."),
            (Terms(rate: "61"), "book.rate", "0 % to 60 % a year; got 61 %."),
            (Terms(payments: 61), "book.payments", "1 to 60 installments; got 61."),
            (Terms(disburseOn: "2026-02-28"), "input.disburseOn", "disburseOn is 2026-03-01, the business date, to 2026-05-30; got 2026-02-28."),
            (Terms(validDays: 31), "input.validDays", "validDays is 1 to 30; got 31."),
            (Terms(product: "NONE"), "product.not_found", "There is no product NONE."),
            (Terms(productVersion: 9), "product.version", "version 9 was looked at, 1 is published now"),
        })
        {
            using var preview = await _book.SendAsync($"/api/v1/applications/{id}/offers/preview", terms, null, null, _underwriter);
            using var made = await _book.SendAsync($"/api/v1/applications/{id}/offers", terms, Guid.NewGuid().ToString(), "*", _underwriter);
            Assert.That(await preview.Content.ReadAsStringAsync(), Does.Contain(code).And.Contain(sentence));
            Assert.That(await made.Content.ReadAsStringAsync(), Does.Contain(code).And.Contain(sentence));
        }

        using var officer = await ActAsync(id, "offers", Terms(), "*");
        using var stale = await _book.SendAsync($"/api/v1/applications/{id}/offers", Terms(), Guid.NewGuid().ToString(), "\"2-1\"", _underwriter);
        using var early = await ActAsync(id, "book", new { }, "*");
        await MakeAsync(id, Terms(), "*");
        using var unknown = await ActAsync(id, "offers/7/accept", new { how = "paper" }, "*");
        using var silent = await ActAsync(id, "offers/1/accept", new { how = "dream" }, "*");
        using var blind = await ActAsync(id, "offers/1/accept", new { how = "paper" }, null);
        using var by = await ActAsync(id, "offers/1/withdraw", new { reason = "x" }, "*");
        using var unread = await ActAsync(id, "offers/1/accept", new { how = "paper", amount = "1" }, "*");

        Assert.That((officer.StatusCode, stale.StatusCode, early.StatusCode), Is.EqualTo((HttpStatusCode.Forbidden, HttpStatusCode.PreconditionFailed, HttpStatusCode.Conflict)));
        Assert.That((unknown.StatusCode, silent.StatusCode, blind.StatusCode, by.StatusCode), Is.EqualTo((HttpStatusCode.NotFound, HttpStatusCode.UnprocessableEntity, HttpStatusCode.PreconditionRequired, HttpStatusCode.Forbidden)));
        Assert.That(await silent.Content.ReadAsStringAsync(), Does.Contain("how is phone, paper or inPerson; got dream."));
        Assert.That(await unread.ProblemCodeAsync(), Is.EqualTo("input.unknown"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_offers where application_id = '{id}'"), Is.EqualTo(1));
    }

    [Test]
    public async Task An_offer_runs_out_with_the_business_date_and_when_the_last_one_does_underwriting_goes_on()
    {
        var id = await UnderwritingAsync("Sundown Kayak Rental LLC");
        await MakeAsync(id, Terms(validDays: 3), "*");
        await MakeAsync(id, Terms(validDays: 10), "*");
        try
        {
            await _book.SetTodayAsync("2026-03-05");
            await ExpireAsync(id, "select count(*) from camino.application_offers where application_id = '{0}' and state = 4", 1);
            using var late = await ActAsync(id, "offers/1/accept", new { how = "phone" }, "*");
            var between = await _camino.GetAsync($"/applications/{id}");
            await _book.SetTodayAsync("2026-03-12");
            using var later = await ActAsync(id, "offers/2/accept", new { how = "phone" }, "*");
            await ExpireAsync(id, "select count(*) from camino.applications where id = '{0}' and state = 3", 1);

            Assert.That(await late.ProblemCodeAsync(), Is.EqualTo("offer.state"));
            Assert.That(between.GetProperty("step").GetString(), Is.EqualTo("offered"), "one still stands");
            Assert.That(await later.Content.ReadAsStringAsync(), Does.Contain("offer.expired").And.Contain("could be accepted until 2026-03-11; the business date is 2026-03-12"));
            Assert.That(await _camino.ScalarAsync<string>($"select move || ' ' || actor_kind || ' ' || reason from camino.application_events where application_id = '{id}' order by sequence desc limit 1"), Is.EqualTo("5 1 Every offer ran out"));
        }
        finally
        {
            await _book.SetTodayAsync(Offered);
        }
    }

    [Test]
    public async Task One_of_several_offers_is_taken_back_and_with_the_last_one_underwriting_goes_on()
    {
        var id = await UnderwritingAsync("Plumeria Print Studio LLC");
        await MakeAsync(id, Terms(), "*");
        await MakeAsync(id, Terms(principal: "9000.00"), "*");
        using var one = await ActAsync(id, "offers/1/withdraw", new { reason = "Rate was wrong" }, "*", _underwriter);
        using var gone = await ActAsync(id, "offers/1/accept", new { how = "inPerson" }, "*");
        using var mute = await ActAsync(id, "offers/2/withdraw", new { }, "*", _underwriter);
        using var last = await ActAsync(id, "offers/2/withdraw", new { reason = "All of it anew" }, "*", _underwriter);
        using var none = await ActAsync(id, "offers/2/accept", new { how = "inPerson" }, "*");

        Assert.That((await ServicedBook.ReadAsync(one, HttpStatusCode.OK)).GetProperty("step").GetString(), Is.EqualTo("offered"));
        Assert.That((gone.StatusCode, await gone.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.Conflict, "offer.state")));
        Assert.That(await mute.ProblemCodeAsync(), Is.EqualTo("application.reason"));
        Assert.That((await ServicedBook.ReadAsync(last, HttpStatusCode.OK)).GetProperty("step").GetString(), Is.EqualTo("underwriting"));
        Assert.That(await none.ProblemCodeAsync(), Is.EqualTo("application.state"));
    }

    [Test]
    public async Task Who_is_declined_is_told_one_to_four_principal_reasons_by_their_codes()
    {
        var id = await UnderwritingAsync("Brass Anchor Diner LLC");
        using var none = await ActAsync(id, "decline", new { reason = "Too thin" }, "*", _underwriter);
        using var five = await ActAsync(id, "decline", new { reason = "Too thin", reasons = new[] { "cashFlow", "revenue", "collateral", "bankruptcy", "identity" } }, "*", _underwriter);
        using var other = await ActAsync(id, "decline", new { reason = "Too thin", reasons = new[] { "cashFlow", "mood" } }, "*", _underwriter);
        using var declined = await ActAsync(id, "decline", new { reason = "Too thin", reasons = new[] { "cashFlow", "revenue" } }, "*", _underwriter);
        using var staff = await StaffAsync("underwriter");

        Assert.That(await none.Content.ReadAsStringAsync(), Does.Contain("input.reasons").And.Contain("reasons has 1 to 4 codes, the principal reasons of the decision; got 0."));
        Assert.That(await five.Content.ReadAsStringAsync(), Does.Contain("got 5."));
        Assert.That(await other.Content.ReadAsStringAsync(), Does.Contain("1 of those given are none"));
        Assert.That((await ServicedBook.ReadAsync(declined, HttpStatusCode.OK)).GetProperty("step").GetString(), Is.EqualTo("declined"));
        Assert.That(await _camino.ScalarAsync<string[]>($"select adverse_reasons from camino.application_events where application_id = '{id}' and move = 8"), Is.EqualTo(new[] { "cashFlow", "revenue" }));
        Assert.That(await staff.PageAsync($"/applications/{id}"), Does.Contain("Cash flow is not enough for the amount asked for").And.Contain("Too thin"));
    }

    [Test]
    public async Task What_is_declined_or_withdrawn_leaves_no_offer_open()
    {
        var id = await UnderwritingAsync("Harvest Moon Florist LLC");
        await MakeAsync(id, Terms(), "*");
        using var withdrawn = await ActAsync(id, "withdraw", new { reason = "Found another lender" }, "*");
        using var reopened = await ActAsync(id, "reopen", new { reason = "Came back" }, "*");

        Assert.That((await ServicedBook.ReadAsync(reopened, HttpStatusCode.OK)).GetProperty("step").GetString(), Is.EqualTo("underwriting"));
        Assert.That(await _camino.ScalarAsync<short>($"select state from camino.application_offers where application_id = '{id}'"), Is.EqualTo(5));
    }

    [Test]
    public async Task Booked_many_times_at_once_on_two_servers_it_becomes_one_loan_and_one_borrower()
    {
        var id = await AcceptedAsync("Twin Pines Carpentry LLC");
        var second = await _camino.StartSecondOfficeAsync();
        using var other = new HttpClient { BaseAddress = RunningCamino.AddressOf(second) };
        other.DefaultRequestHeaders.Authorization = _camino.Api.DefaultRequestHeaders.Authorization;
        var key = Guid.NewGuid().ToString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => _book.SendAsync($"/api/v1/applications/{id}/book", new { }, n < 4 ? key : Guid.NewGuid().ToString(), n % 4 == 3 ? "*" : "\"5-1\"", n % 2 == 0 ? null : other)));
        var codes = await Task.WhenAll(answers.Where(answer => answer.StatusCode != HttpStatusCode.Created).Select(answer => answer.ProblemCodeAsync()));
        var loans = await Task.WhenAll(answers.Where(answer => answer.StatusCode == HttpStatusCode.Created).Select(async answer => (await ServicedBook.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("loanId").GetGuid()));
        foreach (var answer in answers)
            answer.Dispose();
        await second.StopAsync();
        await second.DisposeAsync();

        Assert.That(loans.Distinct().Count(), Is.EqualTo(1));
        Assert.That(codes.Distinct(), Is.SubsetOf(new[] { "application.version", "application.state", "application.borrower" }));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.serviced_loans where borrower_name = 'Twin Pines Carpentry LLC'"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.borrowers where name = 'Twin Pines Carpentry LLC'"), Is.EqualTo(1));
        Assert.That(async () => await _camino.ScalarAsync<object>($"insert into camino.application_loans select application_id, loan_id, 1, now(), booked_by from camino.application_loans where application_id = '{id}'"), Throws.InstanceOf<PostgresException>().With.Property("SqlState").EqualTo(PostgresErrorCodes.UniqueViolation));
    }

    [Test]
    public async Task Nothing_is_offered_to_who_may_be_on_a_sanctions_list_until_two_people_say_that_it_is_somebody_else()
    {
        var id = await UnderwritingAsync("Lantern Bay Imports LLC", owner: "Tomás Velásquez Ibarra");
        using var refused = await _book.SendAsync($"/api/v1/applications/{id}/offers", Terms(), Guid.NewGuid().ToString(), "*", _underwriter);
        using var preview = await _book.SendAsync($"/api/v1/applications/{id}/offers/preview", Terms(), null, null, _underwriter);
        var hit = await _camino.ScalarAsync<Guid>($"select h.id from camino.screening_hits h join camino.application_steps s on s.result -> 'screenings' ? h.screening_id::text where s.application_id = '{id}'");
        using var admin = await _camino.ApiOfAsync("admin");
        using var proposed = await _book.SendAsync($"/api/v1/screening-hits/{hit}/propose", new { outcome = "clear", reason = "Born in 1990, the other in 1961" }, null, null, _underwriter);
        using var half = await _book.SendAsync($"/api/v1/applications/{id}/offers", Terms(), Guid.NewGuid().ToString(), "*", _underwriter);
        using var agreed = await _book.SendAsync($"/api/v1/screening-hits/{hit}/agree", new { }, null, null, admin);
        await MakeAsync(id, Terms(), "*");
        using var accepted = await ActAsync(id, "offers/1/accept", new { how = "paper" }, "*");
        await SqlAsync($"update camino.screening_hits set state = 4 where id = '{hit}'");
        using var confirmed = await ActAsync(id, "book", new { }, "*");

        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("application.sanctions").And.Contain("1 possible matches with a sanctions list wait for two people"));
        Assert.That((await preview.ProblemCodeAsync(), await half.ProblemCodeAsync()), Is.EqualTo(("application.sanctions", "application.sanctions")));
        Assert.That((proposed.StatusCode, agreed.StatusCode, accepted.StatusCode), Is.EqualTo((HttpStatusCode.NoContent, HttpStatusCode.NoContent, HttpStatusCode.OK)));
        Assert.That(await confirmed.Content.ReadAsStringAsync(), Does.Contain("application.sanctions").And.Contain("two people said so"));
    }

    [Test]
    public async Task Who_is_a_borrower_already_is_chosen_and_not_made_twice()
    {
        var first = await AcceptedAsync("Ridgeline Outfitters LLC", ein: "47-7654321");
        using var one = await ActAsync(first, "book", new { }, "*");
        var borrower = await _camino.ScalarAsync<Guid>($"select borrower_id from camino.loan_borrowers where loan_id = '{(await ServicedBook.ReadAsync(one, HttpStatusCode.Created)).GetProperty("loanId").GetGuid()}'");
        var again = await AcceptedAsync("Ridgeline Outfitters", ein: "47-7654321");
        using var open = await ActAsync(again, "book", new { }, "*");
        using var wrong = await ActAsync(again, "book", new { borrowerId = Guid.NewGuid() }, "*");
        using var both = await ActAsync(again, "book", new { borrowerId = borrower, isNew = true }, "*");
        using var nonsense = await ActAsync(again, "book", new { borrowerId = "them" }, "*");
        using var chosen = await ActAsync(again, "book", new { borrowerId = borrower }, "*");
        var loan = (await ServicedBook.ReadAsync(chosen, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();

        Assert.That(await open.Content.ReadAsStringAsync(), Does.Contain("application.borrower").And.Contain("1 borrowers with the same tax number are known"));
        Assert.That((await wrong.ProblemCodeAsync(), await both.ProblemCodeAsync(), await nonsense.ProblemCodeAsync()), Is.EqualTo(("application.borrower", "application.borrower", "input.borrowerId")));
        Assert.That(await _camino.ScalarAsync<Guid>($"select borrower_id from camino.loan_borrowers where loan_id = '{loan}'"), Is.EqualTo(borrower));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.borrowers where name like 'Ridgeline Outfitters%'"), Is.EqualTo(1));
    }

    [Test]
    public async Task Staff_offer_accept_and_book_by_page_and_loan_and_application_lead_to_each_other()
    {
        var id = await UnderwritingAsync("Marigold Print Shop LLC");
        var page = $"/applications/{id}";
        using var underwriter = await StaffAsync("underwriter");
        using var officer = await StaffAsync("officer");
        (string, string)[] typed = [("Product", ServicedBook.Product), ("Principal", "12000.00"), ("AnnualRatePercent", "12"), ("Payments", "12"), ("DisburseOn", "2026-03-02"), ("ValidDays", "14"), ("key", Guid.NewGuid().ToString("N")), ("version", "3")];
        var form = await underwriter.PageAsync(page + "/offers/new");
        using var wrong = await underwriter.PostAsync(page + "/offers/new", page + "/offers/new?handler=Preview", [.. typed.Where(field => field.Item1 != "Payments"), ("Payments", "90")]);
        using var preview = await underwriter.PostAsync(page + "/offers/new", page + "/offers/new?handler=Preview", typed);
        using var made = await underwriter.PostAsync(page + "/offers/new", page + "/offers/new?handler=Confirm", [.. typed, ("ProductVersion", "1")]);
        using var twice = await underwriter.PostAsync(page + "/offers/new", page + "/offers/new?handler=Confirm", [.. typed, ("ProductVersion", "1")]);
        var offered = await officer.PageAsync(page);
        var offer = await officer.PageAsync(page + "/offers/1");
        using var accepted = await officer.PostAsync(page, page + "?handler=AcceptOffer", ("number", "1"), ("How", "inPerson"), ("Note", "At the counter"), ("key", "a1"), ("version", "4"));
        using var stale = await officer.PostAsync(page, page + "?handler=Book", ("key", "b1"), ("version", "4"));
        using var booked = await officer.PostAsync(page, page + "?handler=Book", ("key", "b2"), ("version", "5"));
        var shown = await officer.PageAsync(page);
        var loan = await _camino.ScalarAsync<Guid>($"select loan_id from camino.application_loans where application_id = '{id}'");
        var number = await _camino.ScalarAsync<string>($"select number from camino.applications where id = '{id}'");
        using var missing = await officer.GetAsync(page + "/offers/2");

        Assert.That(form, Does.Contain("25000").And.Contain("2026-03-01"));
        Assert.That(await wrong.Content.ReadAsStringAsync(), Does.Contain("1 to 60 installments; got 90"));
        Assert.That(await preview.Content.ReadAsStringAsync(), Does.Contain("Disclosure of CA (10 CCR 910-955)").And.Contain("Average monthly cost").And.Contain("Make this offer"));
        Assert.That((made.StatusCode, twice.StatusCode), Is.EqualTo((HttpStatusCode.Redirect, HttpStatusCode.Redirect)), "pressed twice, one offer is made");
        Assert.That(offered, Does.Contain("Offer 1").And.Contain("Accept offer 1").And.Not.Contain("Take offer 1 back").And.Not.Contain("Offer 2"));
        Assert.That(offer, Does.Contain("Finance charge").And.Contain("$12,000.00"));
        Assert.That((accepted.StatusCode, booked.StatusCode, missing.StatusCode), Is.EqualTo((HttpStatusCode.Redirect, HttpStatusCode.Redirect, HttpStatusCode.NotFound)));
        Assert.That(await stale.Content.ReadAsStringAsync(), Does.Contain("has changed"));
        Assert.That(shown, Does.Contain($"/servicing/{loan}").And.Contain("It became the loan"));
        Assert.That(await officer.PageAsync($"/servicing/{loan}"), Does.Contain(page).And.Contain($"Application {number}"));
    }

    [Test]
    public async Task Offers_of_an_application_and_those_that_ran_out_come_from_indexes()
    {
        await SqlAsync(
            """
            insert into camino.applications (id, state, version, channel, name, language, amount, credit_consent, received_at, received_by, changed_at, expires_at)
            select camino.new_id(), 4, 4, 'api', 'Offer plan ' || n, 'en', 1000, false, now(), camino.new_id(), now(), now() + interval '30 days' from generate_series(1, 10000) n;
            insert into camino.application_offers (id, application_id, number, state, product_id, product_version, terms, principal, rate_percent, payments, payment, finance_charge, total_payments, apr_percent, matures_on, place_state, offered_on, expires_on, made_at, made_by)
            select camino.new_id(), a.id, 1, 1, v.product_id, v.number, '{}', 1000, 12, 12, 90, 80, 1080, 14, '2027-03-01', '', '2026-03-01', '2026-03-31', now(), camino.new_id() from camino.applications a cross join camino.product_versions v where a.name like 'Offer plan %';
            analyze camino.applications, camino.application_offers
            """);
        await using var lapsing = _camino.Source.CreateCommand(ExpireApplications.Handler.Lapsing.Replace("{0}", "$1", StringComparison.Ordinal).Replace("{1}", "$2", StringComparison.Ordinal));
        lapsing.Parameters.Add(new NpgsqlParameter { Value = new DateOnly(2026, 3, 1) });
        lapsing.Parameters.Add(new NpgsqlParameter { Value = 200 });
        await using var of = ShowOffers.Command(_camino.Source, Guid.NewGuid());

        Assert.That(await QueryPlan.OfAsync(lapsing), Does.Contain("ix_application_offers_open").And.Not.Contain("Seq Scan"));
        Assert.That(await QueryPlan.OfAsync(of), Does.Contain("ux_application_offers_application_id_number").And.Not.Contain("Seq Scan on application_offers"));
    }

    private static object Terms(string product = ServicedBook.Product, string principal = "25000.00", string rate = "14.5", int payments = 24, string disburseOn = "2026-03-02", int? validDays = null, int? productVersion = null) =>
        new { product, productVersion, principal, annualRatePercent = rate, payments, disburseOn, firstDueOn = "2026-04-15", validDays };

    private static List<string> Rows(JsonElement installments) =>
        [.. installments.EnumerateArray().Select(row => $"{row.GetProperty("number")} {row.GetProperty("dueOn").GetString()} {row.GetProperty("principal").GetString()} {row.GetProperty("interest").GetString()} {row.GetProperty("due").GetString()}")];

    private static string? Amount(JsonElement row, string portion) => row.GetProperty("due").GetProperty(portion).GetString();

    private Task<HttpResponseMessage> ActAsync(Guid id, string act, object body, string? ifMatch, HttpClient? client = null) => _book.SendAsync($"/api/v1/applications/{id}/{act}", body, Guid.NewGuid().ToString(), ifMatch, client);

    private async Task<JsonElement> MakeAsync(Guid id, object terms, string ifMatch, string? key = null)
    {
        using var answer = await _book.SendAsync($"/api/v1/applications/{id}/offers", terms, key ?? Guid.NewGuid().ToString(), ifMatch, _underwriter);
        return await ServicedBook.ReadAsync(answer, HttpStatusCode.Created);
    }

    /// <summary>An application whose checks are over; each has a phone and tax numbers of its own.</summary>
    private async Task<Guid> UnderwritingAsync(string name, string? ein = null, string owner = "Rosa Delgado Fuentes")
    {
        var n = 1000 + Interlocked.Increment(ref _people);
        using var answer = await _book.SendAsync("/api/v1/applications", new
        {
            name,
            tradeName = name.Split(' ')[0],
            language = "es",
            phones = new[] { $"510-555-{n}" },
            emails = new[] { "office@example.com" },
            address = new { street = "1 Pier St", city = "Oakland", state = "CA", zip = "94607" },
            ein = ein ?? $"47-123{n}",
            amount = "25000.00",
            termMonths = 24,
            owners = new[] { new { name = owner, sharePercent = "100", isGuarantor = true, birthDate = "1961-03-14", taxNumber = $"123-45-{n}" } },
        }, Guid.NewGuid().ToString(), null);
        var id = (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", state => state == 3);
        return id;
    }

    private async Task<Guid> AcceptedAsync(string name, string? ein = null)
    {
        var id = await UnderwritingAsync(name, ein);
        await MakeAsync(id, Terms(), "*");
        using var accepted = await ActAsync(id, "offers/1/accept", new { how = "phone" }, "*");
        await ServicedBook.ReadAsync(accepted, HttpStatusCode.OK);
        return id;
    }

    private async Task ExpireAsync(Guid id, string until, long count)
    {
        await using (var scope = _camino.Office.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
            db.Enqueue(new ExpireApplications());
            await db.SaveChangesAsync();
        }

        await _camino.UntilAsync<long>(until.Replace("{0}", id.ToString(), StringComparison.Ordinal), now => now == count);
    }

    private async Task<StaffBrowser> StaffAsync(string user)
    {
        var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync(user)).Dispose();
        return staff;
    }

    private async Task SqlAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
