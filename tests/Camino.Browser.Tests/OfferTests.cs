using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>From a call to a booked loan, on pages alone.</summary>
internal sealed class OfferTests : BrowserTest
{
    [Test]
    public async Task An_application_is_offered_a_loan_takes_it_and_the_loan_is_booked_with_the_schedule_that_was_shown()
    {
        await LoanBook.OpenAsync();
        await SanctionsLists.ImportedAsync();
        var page = await OpenAsync("admin");
        await page.GotoAsync("/applications/new");
        await page.FillAsync("#Name", "Quiet Harbor Bindery LLC");
        await page.FillAsync("#Phone-0", "(912) 555-0188");
        await page.FillAsync("#Amount", "12000");
        await page.FillAsync("#State", "CA");
        await page.FillAsync("#Owner-0", "Delia Montero Rey");
        await page.FillAsync("#Share-0", "100");
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        var address = new Uri(page.Url).AbsolutePath;
        await Expect(page.Locator(".head .chip")).ToHaveTextAsync("In underwriting");

        await LeaveAsync(page, () => page.GetByRole(AriaRole.Link, new() { Name = "New offer" }).ClickAsync());
        await page.GetByLabel("Interest rate").FillAsync("12");
        await page.GetByLabel("Installments", new() { Exact = true }).FillAsync("12");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Show the schedule" }).ClickAsync());
        var rows = await page.Locator("tbody tr").AllInnerTextsAsync();
        Assert.That(rows, Has.Count.EqualTo(12));
        await Expect(page.Locator("main")).ToContainTextAsync("Disclosure of CA");
        await Access.CheckAsync(page, "preview of an offer");
        Assert.That(await IsTooWideAsync(page), Is.False);
        await PictureAsync(page, "offer-preview");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Make this offer" }).DblClickAsync());

        await Expect(page.Locator(".head .chip")).ToHaveTextAsync("Offer made");
        await Expect(page.Locator("section[aria-labelledby=offers-head] tbody tr")).ToHaveCountAsync(1);
        await page.ClickAsync("summary:has-text('Accept offer 1')");
        await SuitsEverybodyAsync(address, "application-offered");
        await page.GetByLabel("How the applicant said so").SelectOptionAsync("inPerson");
        await page.GetByLabel("Note", new() { Exact = true }).FillAsync("At the counter");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Accept offer 1" }).ClickAsync());
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Book the loan" }).DblClickAsync());

        await Expect(page.Locator(".head .chip")).ToHaveTextAsync("Booked");
        await LeaveAsync(page, () => page.Locator("section[aria-labelledby=offers-head] a.mono").ClickAsync());
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Quiet Harbor Bindery LLC");
        Assert.That(await page.Locator("section[aria-labelledby=schedule-head] tbody tr").AllInnerTextsAsync(), Is.EqualTo(rows), "The loan has the schedule that was shown.");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Link, new() { Name = "Application A-" }).ClickAsync());
        Assert.That(new Uri(page.Url).AbsolutePath, Is.EqualTo(address));
        Assert.That(await Site.Camino.ScalarAsync<long>("select count(*) from camino.serviced_loans where borrower_name = 'Quiet Harbor Bindery LLC'"), Is.EqualTo(1));
        await SuitsEverybodyAsync(address + "/offers/1", "offer");
        await SuitsEverybodyAsync(address + "/offers/new", "offer-new");
    }
}
