using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Camino.Applications.Papers;
using Camino.Testing;
using Camino.Tests.Imports;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Papers;

/// <summary>Offers, letters, notices and contracts as PDF: made on the Async Server in both languages, kept for good. The business date is 2026-03-01.</summary>
internal sealed class PaperTests
{
    private RunningCamino _camino = null!;
    private OfferedApplications _applications = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _applications = await OfferedApplications.PrepareAsync(_camino);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _applications.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task An_offer_makes_its_disclosure_and_letter_in_both_languages_with_the_same_figures_which_are_those_of_the_offer()
    {
        var id = await _applications.OfferedAsync("Juniper Street Bakery LLC");
        var papers = await MadeAsync(id, 4);
        var details = (await _camino.GetAsync($"/applications/{id}/offers/1")).GetProperty("figures");
        var english = await FileAsync(papers, "offer", "en");
        var spanish = await FileAsync(papers, "offer", "es");
        var (read, leido) = (PdfText.Of(english), PdfText.Of(spanish));

        Assert.That(PdfText.FiguresOf(english), Has.Count.GreaterThan(100));
        Assert.That(PdfText.FiguresOf(spanish), Is.EqualTo(PdfText.FiguresOf(english)), "both say the same figures");
        Assert.That(PdfText.FiguresOf(await FileAsync(papers, "approval", "es")), Is.EqualTo(PdfText.FiguresOf(await FileAsync(papers, "approval", "en"))));
        foreach (var row in details.GetProperty("installments").EnumerateArray())
            Assert.That(read, Does.Contain($"{Shown(row.GetProperty("due").GetString())} {Shown(row.GetProperty("balance").GetString())}"));
        Assert.That(read, Does.Contain("Loan offer and disclosure").And.Contain("Juniper Street Bakery LLC").And.Contain("$25,000.00").And.Contain("State disclosure: CA").And.Contain("10 CCR 910-955").And.Contain("Apr 15, 2026").And.Contain("March 15, 2026").And.Contain("24 monthly payments").And.Contain("Guarantors Rosa Delgado Fuentes").And.Contain("Guarantee."));
        Assert.That(leido, Does.Contain("Oferta de préstamo y divulgación").And.Contain("Divulgación estatal: CA").And.Contain("15 abr 2026").And.Contain("15 de marzo de 2026").And.Contain("24 pagos mensuales").And.Contain("Fianza."));
        var about = PdfText.AboutOf(spanish);
        Assert.That((about.Title, about.Language, about.IsTagged), Is.EqualTo(("Oferta de préstamo y divulgación", "es-US", true)));
    }

    [Test]
    public async Task What_is_made_stays_as_it_is_with_hash_template_and_figures_and_is_never_made_again()
    {
        var id = await _applications.OfferedAsync("Frozen Copy Ice Cream LLC");
        var papers = await MadeAsync(id, 4);
        var paper = papers.First(one => one.GetProperty("kind").GetString() == "offer" && one.GetProperty("language").GetString() == "en");
        var (paperId, document) = (paper.GetProperty("id").GetGuid(), paper.GetProperty("documentId").GetGuid());
        var first = await FileAsync(papers, "offer", "en");
        await _camino.RunJobAsync(new MakePaper(paperId));
        var again = await FileAsync(papers, "offer", "en");
        using var version = await _applications.SendFileAsync($"/documents/{document}/versions");
        using var removed = await _applications.Book.SendAsync($"/api/v1/documents/{document}/remove", new { reason = "x" }, Guid.NewGuid().ToString(), null);

        Assert.That(again, Is.EqualTo(first));
        Assert.That(Convert.ToHexStringLower(SHA256.HashData(first)), Is.EqualTo(paper.GetProperty("sha256").GetString()));
        Assert.That(paper.GetProperty("template").GetString(), Is.EqualTo("offer.2"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.documents where subject_id = '{id}'"), Is.EqualTo(4));
        Assert.That((await version.ProblemCodeAsync(), await removed.ProblemCodeAsync()), Is.EqualTo(("document.made", "document.made")));
        Assert.That(await _camino.ScalarAsync<string>($"select round((figures -> 'values' ->> 'principal')::numeric, 2) || ' ' || jsonb_array_length(figures -> 'schedule') from camino.application_papers where id = '{paperId}'"), Is.EqualTo("25000.00 24"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_papers where application_id = '{id}' and figures::text ~* 'frozen|delgado'"), Is.Zero, "whom it is about stands in the paper alone");
        Assert.That(async () => await _camino.ScalarAsync<object>($"update camino.application_papers set template = 'x' where id = '{paperId}'"), Throws.InstanceOf<PostgresException>().With.Message.Contains("written once"));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where details::text ~* 'frozen copy'"), Is.Zero);
    }

    [Test]
    public async Task Who_is_declined_gets_the_notice_of_the_equal_credit_opportunity_act_with_the_reasons_in_both_languages()
    {
        var id = await _applications.UnderwritingAsync("Brass Anchor Diner LLC");
        using var declined = await _applications.ActAsync(id, "decline", new { reason = "Too thin", reasons = new[] { "cashFlow", "timeInBusiness" } }, _applications.Underwriter);
        var papers = await MadeAsync(id, 2);
        var english = PdfText.Of(await FileAsync(papers, "decline", "en"));
        var spanish = PdfText.Of(await FileAsync(papers, "decline", "es"));

        Assert.That(declined.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(english.ReplaceLineEndings(" "), Does.Contain("Cash flow is not enough for the amount asked for").And.Contain("Time in business is too short").And.Contain("Equal Credit Opportunity Act prohibits creditors from discriminating against credit applicants on the basis of race").And.Contain("Federal Trade Commission").And.Not.Contain("Too thin").And.Not.Contain("credit report"));
        Assert.That(spanish.ReplaceLineEndings(" "), Does.Contain("El flujo de efectivo no alcanza").And.Contain("Ley de Igualdad de Oportunidades de Crédito").And.Contain("Federal Trade Commission"));
    }

    [Test]
    public async Task An_accepted_offer_makes_the_contract_with_the_schedule_that_is_booked_and_places_to_sign()
    {
        var id = await _applications.OfferedAsync("Twin Pines Carpentry LLC");
        using var accepted = await _applications.ActAsync(id, "offers/1/accept", new { how = "paper" });
        var papers = await MadeAsync(id, 6);
        using var booked = await _applications.ActAsync(id, "book", new { });
        var loan = (await ServicedBook.ReadAsync(booked, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        var schedule = (await _camino.GetAsync($"/loans/{loan}/schedule")).GetProperty("installments").EnumerateArray().Select(row => row.GetProperty("due").GetProperty("total").GetString()).ToList();
        var english = await FileAsync(papers, "contract", "en");
        var text = PdfText.Of(english);

        Assert.That(PdfText.FiguresOf(await FileAsync(papers, "contract", "es")), Is.EqualTo(PdfText.FiguresOf(english)));
        Assert.That(text, Does.Contain("Promissory note and loan agreement").And.Contain("Signatures").And.Contain("Rosa Delgado Fuentes").And.Contain("on paper").And.Not.Contain("Evidence of the electronic signature"));
        Assert.That(schedule, Has.Count.EqualTo(24));
        Assert.That(schedule.Where(due => !text.Contains(Shown(due), StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task The_page_shows_what_is_being_made_what_is_made_and_what_failed_and_has_it_made_again()
    {
        var id = await _applications.OfferedAsync("Patience Print Works LLC");
        await MadeAsync(id, 4);
        await using (var command = _camino.Source.CreateCommand($"insert into camino.application_papers (id, application_id, kind, number, language, template, state, problem, asked_on, asked_at, asked_by, job_id) select camino.new_id(), application_id, 2, 2, 'es', template, 2, 'IOException', asked_on, asked_at, asked_by, job_id from camino.application_papers where application_id = '{id}' and kind = 2 and language = 'es'"))
            await command.ExecuteNonQueryAsync();
        var broken = await _camino.ScalarAsync<Guid>($"select id from camino.application_papers where application_id = '{id}' and state = 2");
        using var officer = await _applications.StaffAsync("officer");
        var page = await officer.PageAsync($"/applications/{id}");
        var document = await _camino.ScalarAsync<Guid>($"select document_id from camino.application_papers where application_id = '{id}' and kind = 1 and language = 'es'");
        using var opened = await officer.GetAsync($"/documents/{document}/versions/1/view");
        await using (var offer = _camino.Source.CreateCommand($"insert into camino.application_offers select camino.new_id(), application_id, 2, 5, product_id, product_version, terms, principal, rate_percent, payments, payment, finance_charge, total_payments, apr_percent, matures_on, place_state, offered_on, expires_on, made_at, made_by from camino.application_offers where application_id = '{id}'"))
            await offer.ExecuteNonQueryAsync();
        using var retried = await officer.PostAsync($"/applications/{id}", $"/applications/{id}?handler=RetryPaper", ("paperId", broken.ToString()), ("key", "p1"));
        await _camino.UntilAsync<short>($"select state from camino.application_papers where id = '{broken}'", state => state == 1);
        using var twice = await _applications.ActAsync(id, $"papers/{broken}/retry", new { });

        Assert.That(page, Does.Contain("Letters and contract").And.Contain("Offer 1 and disclosure").And.Contain("Could not be made").And.Contain("Make again: Español").And.Contain("IOException"));
        Assert.That((opened.StatusCode, opened.Content.Headers.ContentType?.MediaType, opened.Content.Headers.ContentDisposition?.DispositionType), Is.EqualTo((HttpStatusCode.OK, "application/pdf", "inline")));
        Assert.That(retried.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(await twice.ProblemCodeAsync(), Is.EqualTo("paper.state"));
    }

    [Test]
    public async Task A_notice_after_a_credit_report_names_the_bureau_or_waits_until_somebody_says_which()
    {
        var id = await _applications.UnderwritingAsync("Report Reader Books LLC");
        await using (var command = _camino.Source.CreateCommand($"insert into camino.application_steps (id, application_id, kind, state) values (camino.new_id(), '{id}', {(short)Camino.Applications.CheckKind.BusinessCredit}, 2)"))
            await command.ExecuteNonQueryAsync();
        using var declined = await _applications.ActAsync(id, "decline", new { reason = "Too thin", reasons = new[] { "recentInquiries" } }, _applications.Underwriter);
        await _camino.UntilAsync<long>($"select count(*) from camino.application_papers where application_id = '{id}' and state = 2", count => count == 2);
        using var staff = await _applications.StaffAsync("underwriter");

        Assert.That(await staff.PageAsync($"/applications/{id}"), Does.Contain("set Lender:CreditBureau and try again"));
        Assert.That(PdfText.Of(Camino.Papers.PdfPaper.Write(Camino.Papers.PaperTemplate.Of("decline.1", "en").Fill(PaperTemplateTests.Values()), DateTimeOffset.UnixEpoch)), Does.Contain("Use of a credit report").And.Contain("Bureau"));
    }

    private static string Shown(string? amount) => decimal.Parse(amount ?? "", CultureInfo.InvariantCulture).ToString("$#,0.00", CultureInfo.InvariantCulture);

    /// <summary>All papers, once so many are made.</summary>
    private async Task<IReadOnlyList<JsonElement>> MadeAsync(Guid id, int count)
    {
        await _camino.UntilAsync<long>($"select count(*) from camino.application_papers where application_id = '{id}' and state = 1", made => made == count);
        return [.. (await _camino.GetAsync($"/applications/{id}/papers")).GetProperty("items").EnumerateArray()];
    }

    private async Task<byte[]> FileAsync(IReadOnlyList<JsonElement> papers, string kind, string language)
    {
        var document = papers.Single(one => one.GetProperty("kind").GetString() == kind && one.GetProperty("language").GetString() == language).GetProperty("documentId").GetGuid();
        return await _camino.Api.GetByteArrayAsync(new Uri($"/api/v1/documents/{document}/versions/1/content", UriKind.Relative));
    }
}
