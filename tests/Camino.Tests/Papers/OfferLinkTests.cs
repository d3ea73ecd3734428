using System.Net;
using System.Text.RegularExpressions;
using System.Web;
using Camino.Testing;
using Camino.Tests.Imports;
using NUnit.Framework;

namespace Camino.Tests.Papers;

/// <summary>Accepting an offer by its link: without signing in, once, with evidence of what was signed. The business date is 2026-03-01.</summary>
internal sealed partial class OfferLinkTests
{
    private const string Browser = "Mozilla/5.0 (TestPhone)";

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
    public async Task An_applicant_reads_the_offer_signs_it_and_the_contract_shows_the_evidence()
    {
        var id = await OfferedAsync("Juniper Street Bakery LLC");
        var link = await LinkAsync(id);
        using var applicant = new StaffBrowser(_camino.OfficeAddress, Browser);
        var page = HttpUtility.HtmlDecode(await applicant.PageAsync(link));
        using var shown = await applicant.GetAsync(link.Replace("/offer?", "/offer/document?", StringComparison.Ordinal) + "&kind=offer");
        var offer = await shown.Content.ReadAsByteArrayAsync();
        using var early = await applicant.GetAsync(link.Replace("/offer?", "/offer/document?", StringComparison.Ordinal) + "&kind=contract");
        using var nameless = await SignAsync(applicant, link, "", true);
        using var unwilling = await SignAsync(applicant, link, "Rosa Delgado", false);
        using var signed = await SignAsync(applicant, link, "Rosa Delgado Fuentes", true);
        var thanks = HttpUtility.HtmlDecode(await applicant.PageAsync(link));
        await _camino.UntilAsync<long>($"select count(*) from camino.application_papers where application_id = '{id}' and kind = 3 and state = 1", count => count == 2);
        using var contract = await applicant.GetAsync(link.Replace("/offer?", "/offer/document?", StringComparison.Ordinal) + "&kind=contract");
        var text = PdfText.Of(await contract.Content.ReadAsByteArrayAsync()).ReplaceLineEndings(" ");
        using var officer = await _applications.StaffAsync("officer");
        var offers = (await _camino.GetAsync($"/applications/{id}/offers")).GetProperty("items")[0];
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(offer));

        Assert.That(page, Does.Contain("Su oferta de préstamo").And.Contain("$25,000.00").And.Contain("Juniper Street Bakery LLC").And.Contain("Acepto recibir la oferta").And.Contain(hash));
        Assert.That((shown.StatusCode, shown.Content.Headers.ContentType?.MediaType, shown.Headers.CacheControl?.NoStore, shown.Content.Headers.ContentDisposition?.DispositionType), Is.EqualTo((HttpStatusCode.OK, "application/pdf", true, "inline")));
        Assert.That(PdfText.Of(offer), Does.Contain("Oferta de préstamo y divulgación"));
        Assert.That(early.StatusCode, Is.EqualTo(HttpStatusCode.Redirect), "there is no contract yet");
        Assert.That(HttpUtility.HtmlDecode(await nameless.Content.ReadAsStringAsync()), Does.Contain("Nombre: de 2 a 100 caracteres; se recibieron 0."));
        Assert.That(HttpUtility.HtmlDecode(await unwilling.Content.ReadAsStringAsync()), Does.Contain("Marque la casilla").And.Contain("Rosa Delgado"));
        Assert.That(signed.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(thanks, Does.Contain("Usted aceptó la oferta").And.Not.Contain("Firmar y aceptar"));
        Assert.That(text, Does.Contain("Constancia de la firma electrónica").And.Contain("Rosa Delgado Fuentes").And.Contain(hash[..40]).And.Contain(Browser).And.Contain("127.0.0.1").And.Contain("consent.1").And.Contain("con firma electrónica").And.Contain("Acepto recibir la oferta").And.Not.Contain("Firmas"));
        Assert.That((offers.GetProperty("state").GetString(), offers.GetProperty("acceptedBy").GetString()), Is.EqualTo(("accepted", "link")));
        Assert.That(await _camino.ScalarAsync<string>($"select move || ' ' || actor_kind from camino.application_events where application_id = '{id}' order by sequence desc limit 1"), Is.EqualTo("6 4"));
        Assert.That(await _camino.ScalarAsync<string>($"select encode(s.sha256, 'hex') || ' ' || s.consent || ' ' || s.language from camino.application_signatures s where s.application_id = '{id}'"), Is.EqualTo(hash + " consent.1 es"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_signatures s where encode(s.sealed_name, 'escape') like '%Rosa%' or encode(s.sealed_from, 'escape') like '%127.0%'"), Is.Zero, "sealed");
        Assert.That(await _camino.ScalarAsync<long>("select (select count(*) from camino.audit_entries where details::text ~* 'rosa|delgado') + (select count(*) from camino.application_papers where figures::text ~* 'rosa|delgado|juniper|testphone')"), Is.Zero);
        Assert.That(_camino.LogLines.Where(line => line.Contains("Delgado", StringComparison.Ordinal) || line.Contains(HttpUtility.ParseQueryString(link[link.IndexOf('?', StringComparison.Ordinal)..])["token"] ?? "-", StringComparison.Ordinal)), Is.Empty, "neither names nor links in the log");
        Assert.That(await officer.PageAsync("/notices"), Does.Contain("The applicant accepted offer 1"));
        Assert.That(async () => await _camino.ScalarAsync<object>($"delete from camino.application_signatures where application_id = '{id}'"), Throws.Exception.With.Message.Contains("written once"));
    }

    [Test]
    public async Task Pressed_many_times_in_two_tabs_the_offer_is_accepted_once()
    {
        var id = await OfferedAsync("Double Click Dairy LLC");
        var link = await LinkAsync(id);
        using var one = new StaffBrowser(_camino.OfficeAddress);
        using var two = new StaffBrowser(_camino.OfficeAddress);
        var forms = await Task.WhenAll(FormAsync(one, link), FormAsync(two, link));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => PostAsync(n % 2 == 0 ? one : two, forms[n % 2], "Rosa Delgado", true)));
        var codes = answers.Select(answer => answer.StatusCode).ToList();
        foreach (var answer in answers)
            answer.Dispose();

        Assert.That(codes, Is.All.EqualTo(HttpStatusCode.Redirect));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_events where application_id = '{id}' and move = 6"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_signatures where application_id = '{id}'"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_papers where application_id = '{id}' and kind = 3"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_link_that_was_changed_ended_replaced_or_whose_offer_is_gone_gets_a_calm_page_and_nothing_else()
    {
        var id = await OfferedAsync("Calm Pages Press LLC");
        var first = await LinkAsync(id);
        using var applicant = new StaffBrowser(_camino.OfficeAddress);
        var form = await FormAsync(applicant, first);
        var second = await LinkAsync(id);
        var replaced = await CalmAsync(applicant, first);
        using var late = await PostAsync(applicant, form, "Rosa Delgado", true);
        var changed = await CalmAsync(applicant, second.Replace("token=", "token=A", StringComparison.Ordinal));
        var none = await CalmAsync(applicant, "/offer");
        var tooLong = await CalmAsync(applicant, "/offer?token=" + new string('a', 3_000));
        using var file = await applicant.GetAsync(first.Replace("/offer?", "/offer/document?", StringComparison.Ordinal) + "&kind=offer");
        using var officer = await _applications.StaffAsync("officer");
        using var ended = await officer.PostAsync($"/applications/{id}/offers/1", $"/applications/{id}/offers/1?handler=EndLink");
        var over = await CalmAsync(applicant, second);
        var third = await LinkAsync(id);
        using var withdrawn = await _applications.ActAsync(id, "offers/1/withdraw", new { reason = "Rate was wrong" }, _applications.Underwriter);
        var gone = await CalmAsync(applicant, third);
        using var refused = await _applications.ActAsync(id, "offers/1/link", new { });

        Assert.That((replaced, changed, none, tooLong, over, gone), Is.EqualTo((true, true, true, true, true, true)));
        Assert.That((late.StatusCode, file.StatusCode), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.Redirect)));
        Assert.That(HttpUtility.HtmlDecode(await late.Content.ReadAsStringAsync()), Does.Contain("Este enlace ya no funciona").And.Not.Contain("Calm Pages"));
        Assert.That(await refused.ProblemCodeAsync(), Is.EqualTo("offer.state"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_signatures where application_id = '{id}'"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by id) from camino.audit_entries where subject_id = '{id}' and action like 'offer_link.%'"), Is.EqualTo("offer_link.made offer_link.opened offer_link.made offer_link.ended offer_link.made"));
    }

    [Test]
    public async Task An_offer_whose_last_day_is_over_is_not_accepted_whatever_the_link_says()
    {
        var id = await _applications.UnderwritingAsync("Last Day Lumber LLC");
        await _applications.OfferAsync(id, validDays: 1);
        await OfferMadeAsync(id);
        var link = await LinkAsync(id);
        using var applicant = new StaffBrowser(_camino.OfficeAddress);
        var form = await FormAsync(applicant, link);
        try
        {
            await _applications.Book.SetTodayAsync("2026-03-03");
            using var late = await PostAsync(applicant, form, "Rosa Delgado", true);
            Assert.That(HttpUtility.HtmlDecode(await late.Content.ReadAsStringAsync()), Does.Contain("Este enlace ya no funciona"));
            Assert.That(await CalmAsync(applicant, link), Is.True);
        }
        finally
        {
            await _applications.Book.SetTodayAsync("2026-03-01");
        }
    }

    [Test]
    public async Task Staff_hand_out_the_link_by_page_it_is_shown_once_and_that_it_was_opened_is_seen()
    {
        var id = await OfferedAsync("Shown Once Shoes LLC");
        using var officer = await _applications.StaffAsync("officer");
        using var viewer = await _applications.StaffAsync("viewer");
        var page = $"/applications/{id}/offers/1";
        using var made = await officer.PostAsync(page, page + "?handler=Link");
        var shown = HttpUtility.HtmlDecode(await made.Content.ReadAsStringAsync());
        var link = Link().Match(shown).Value;
        using var applicant = new StaffBrowser(_camino.OfficeAddress);
        await applicant.PageAsync(link);
        var after = await officer.PageAsync(page);
        using var forbidden = await viewer.PostAsync(page, page + "?handler=Link");

        Assert.That(link, Does.StartWith("/offer?token=").And.EndWith("&lang=es"));
        Assert.That(after, Does.Contain("The link works").And.Contain("opened").And.Not.Contain("token="));
        Assert.That(forbidden.StatusCode, Is.Not.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task An_offer_that_was_made_before_there_were_papers_gets_its_own_with_the_link()
    {
        var id = await OfferedAsync("Early Bird Bagels LLC");
        await using (var offer = _camino.Source.CreateCommand($"insert into camino.application_offers select camino.new_id(), application_id, 2, 1, product_id, product_version, terms, principal, rate_percent, payments, payment, finance_charge, total_payments, apr_percent, matures_on, place_state, offered_on, expires_on, made_at, made_by from camino.application_offers where application_id = '{id}'"))
            await offer.ExecuteNonQueryAsync();
        using var made = await _applications.ActAsync(id, "offers/2/link", new { });
        await _camino.UntilAsync<long>($"select count(*) from camino.application_papers where application_id = '{id}' and kind = 1 and number = 2 and state = 1", count => count == 2);

        Assert.That(made.StatusCode, Is.EqualTo(HttpStatusCode.Created));
    }

    [Test]
    public async Task Where_no_service_sends_messages_the_page_says_so_and_keeps_the_link_sealed()
    {
        var id = await OfferedAsync("No Postman Plumbing LLC");
        using var officer = await _applications.StaffAsync("officer");
        using var sent = await officer.PostAsync($"/applications/{id}/offers/1", $"/applications/{id}/offers/1?handler=Send", ("channel", "Email"), ("key", "k1"));
        await _camino.UntilAsync<short>($"select state from camino.application_messages where application_id = '{id}'", state => state == 2);
        var message = await _camino.ScalarAsync<Guid>($"select id from camino.application_messages where application_id = '{id}'");
        var page = await officer.PageAsync($"/applications/{id}");
        using var again = await officer.PostAsync($"/applications/{id}", $"/applications/{id}?handler=RetryMessage", ("messageId", message.ToString()), ("key", "m1"));

        Assert.That(page, Does.Contain("No service that sends such messages is set up").And.Contain("Failed"));
        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_messages where application_id = '{id}' and position(convert_to('offer', 'UTF8') in sealed_link) > 0"), Is.Zero);
    }

    private async Task<Guid> OfferedAsync(string name)
    {
        var id = await _applications.OfferedAsync(name);
        await OfferMadeAsync(id);
        return id;
    }

    private Task OfferMadeAsync(Guid id) => _camino.UntilAsync<long>($"select count(*) from camino.application_papers where application_id = '{id}' and kind = 1 and state = 1", count => count == 2);

    private async Task<string> LinkAsync(Guid id)
    {
        using var made = await _applications.ActAsync(id, "offers/1/link", new { });
        return (await ServicedBook.ReadAsync(made, HttpStatusCode.Created)).GetProperty("path").GetString() ?? "";
    }

    private static async Task<bool> CalmAsync(StaffBrowser applicant, string link)
    {
        using var answer = await applicant.GetAsync(link);
        var page = HttpUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
        return answer.StatusCode == HttpStatusCode.OK && answer.Headers.CacheControl?.NoStore == true && (page.Contains("Este enlace ya no funciona", StringComparison.Ordinal) || page.Contains("This link does not work any more", StringComparison.Ordinal)) && !page.Contains("$25,000.00", StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> SignAsync(StaffBrowser applicant, string link, string name, bool consent) => await PostAsync(applicant, await FormAsync(applicant, link), name, consent);

    /// <summary>What stands hidden in the form.</summary>
    private static async Task<List<KeyValuePair<string, string>>> FormAsync(StaffBrowser applicant, string link)
    {
        var page = await applicant.PageAsync(link);
        return [.. Hidden().Matches(page).Select(match => KeyValuePair.Create(HttpUtility.HtmlDecode(match.Groups["name"].Value), HttpUtility.HtmlDecode(match.Groups["value"].Value))).DistinctBy(field => field.Key)];
    }

    private static async Task<HttpResponseMessage> PostAsync(StaffBrowser applicant, List<KeyValuePair<string, string>> form, string name, bool consent)
    {
        using var content = new FormUrlEncodedContent([.. form, KeyValuePair.Create("name", name), .. consent ? new[] { KeyValuePair.Create("consent", "true") } : []]);
        return await applicant.Client.PostAsync(new Uri("/offer?lang=es", UriKind.Relative), content);
    }

    [GeneratedRegex("<input[^>]*?(?:type=\"hidden\"[^>]*?)?name=\"(?<name>Token|Lang|sha256|__RequestVerificationToken)\"[^>]*?value=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Hidden();

    [GeneratedRegex("/offer\\?token=[\\w-]+&lang=\\w\\w", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Link();
}
