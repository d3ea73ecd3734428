using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>An applicant without an account reads an offer by its link, signs and accepts it, and finds the contract.</summary>
internal sealed class OfferLinkJourneyTests : BrowserTest
{
    [Test]
    public async Task An_offer_is_sent_by_a_link_signed_on_a_phone_and_its_contract_is_there()
    {
        await LoanBook.OpenAsync();
        await SanctionsLists.ImportedAsync();
        var page = await OpenAsync("admin");
        await page.GotoAsync("/applications/new");
        await page.FillAsync("#Name", "Lupine Meadow Florist LLC");
        await page.FillAsync("#Phone-0", "(912) 555-0164");
        await page.FillAsync("#Amount", "12000");
        await page.FillAsync("#State", "NY");
        await page.FillAsync("#Owner-0", "Delia Montero Rey");
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        var address = new Uri(page.Url).AbsolutePath;
        await Expect(page.Locator(".head .chip")).ToHaveTextAsync("In underwriting");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Link, new() { Name = "New offer" }).ClickAsync());
        await page.GetByLabel("Interest rate").FillAsync("12");
        await page.GetByLabel("Installments", new() { Exact = true }).FillAsync("12");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Show the schedule" }).ClickAsync());
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Make this offer" }).ClickAsync());
        await Expect(page.Locator("#papers a")).ToHaveCountAsync(4, new() { Timeout = 60_000 });
        await SuitsEverybodyAsync(address, "application-papers");
        await page.GotoAsync(address + "/offers/1");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Make the link" }).ClickAsync());
        var link = new Uri(await page.Locator("[data-link]").InnerTextAsync()).PathAndQuery;
        await PictureAsync(page, "offer-link-made");
        await SuitsEverybodyAsync(address + "/offers/1", "offer-with-link");

        var applicant = await OpenAsync(user: null, language: "es");
        await applicant.GotoAsync(link);
        await Access.CheckAsync(applicant, "/offer");
        await PictureAsync(applicant, "offer-open");
        await applicant.SetViewportSizeAsync(320, 640);
        await applicant.ClickAsync("summary");
        Assert.That(await IsTooWideAsync(applicant), Is.False);
        await PictureAsync(applicant, "offer-open-phone");
        await applicant.CheckAsync("input[name=consent]");
        await applicant.FillAsync("#name", "Delia Montero Rey");
        await LeaveAsync(applicant, () => applicant.GetByRole(AriaRole.Button, new() { Name = "Firmar y aceptar la oferta" }).DblClickAsync());
        await Expect(applicant.Locator("h1")).ToHaveTextAsync("Usted aceptó la oferta");
        await Expect(applicant.GetByRole(AriaRole.Link, new() { Name = "Abrir el contrato" })).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Access.CheckAsync(applicant, "/offer, accepted");
        await PictureAsync(applicant, "offer-accepted-phone");
        await applicant.GotoAsync("/offer?token=nothing&lang=es");
        await Access.CheckAsync(applicant, "/offer, gone");
        await PictureAsync(applicant, "offer-gone-phone");
    }
}
