using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>Finding loans and looking at one.</summary>
internal sealed class LoanTests : BrowserTest
{
    [Test]
    public async Task Loans_are_searched_filtered_sorted_paged_and_opened_and_back_leads_back()
    {
        var page = await OpenAsync();
        // the loans of one import: those that other tests bring in meanwhile would come between
        await page.GotoAsync($"/loans?import={Site.FirstImport}");
        await page.GetByLabel("State", new() { Exact = true }).SelectOptionAsync("TX");
        await page.GetByLabel("Status", new() { Exact = true }).SelectOptionAsync("paidinfull");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Expect(page.Locator("tbody tr").First).ToContainTextAsync("Austin, TX");
        var filtered = page.Url;

        await page.GetByRole(AriaRole.Link, new() { Name = "Amount" }).ClickAsync();
        await Expect(page.Locator("[aria-sort=descending]")).ToContainTextAsync("Amount");
        var amounts = await AmountsAsync(page);
        Assert.That(amounts, Is.Ordered.Descending.And.Count.GreaterThan(20));
        var firstPage = page.Url;

        await page.GetByRole(AriaRole.Link, new() { Name = "Next" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Previous" })).ToBeVisibleAsync();
        var second = await AmountsAsync(page);
        Assert.That(second[0], Is.LessThanOrEqualTo(amounts[^1]));
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Link, new() { Name = "Previous" }).ClickAsync());
        Assert.That(await AmountsAsync(page), Is.EqualTo(amounts));

        await page.Locator("tbody tr th a").First.ClickAsync();
        await Expect(page.Locator("main .tiles")).ToBeVisibleAsync();
        await page.GoBackAsync();
        Assert.That(await AmountsAsync(page), Is.EqualTo(amounts));

        await page.GotoAsync(filtered);
        var export = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Export CSV" }).ClickAsync());
        var lines = (await File.ReadAllTextAsync(await export.PathAsync())).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var count = (await page.GetByRole(AriaRole.Status).InnerTextAsync()).Split(' ')[0];
        Assert.That(lines, Has.Length.EqualTo(int.Parse(count, System.Globalization.NumberStyles.AllowThousands, System.Globalization.CultureInfo.InvariantCulture) + 1));
        Assert.That(firstPage, Does.Contain("sort="));
    }

    [Test]
    public async Task A_loan_is_found_by_its_number_and_by_the_beginning_of_a_word_of_its_borrower()
    {
        var page = await OpenAsync();
        await page.GotoAsync("/loans");
        await page.GetByLabel("Borrower or number", new() { Exact = true }).FillAsync("L-000042");
        await page.GetByLabel("Borrower or number", new() { Exact = true }).PressAsync("Enter");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        var name = await page.Locator("tbody tr th").InnerTextAsync();
        await page.Locator("tbody tr th a").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(name);
        await Expect(page.Locator("main")).ToContainTextAsync("L-000042");

        await page.GotoAsync("/loans");
        await page.GetByLabel("Borrower or number", new() { Exact = true }).FillAsync("pena lant");
        await page.GetByLabel("Borrower or number", new() { Exact = true }).PressAsync("Enter");
        await Expect(page.Locator("tbody tr th").First).ToContainTextAsync("Peña Lantern");

        await page.GetByLabel("Borrower or number", new() { Exact = true }).FillAsync("nobody is called so");
        await page.GetByLabel("Borrower or number", new() { Exact = true }).PressAsync("Enter");
        await Expect(page.GetByText("No loan matches")).ToBeVisibleAsync();
        await PictureAsync(page, "loans-no-match");
    }

    [Test]
    public async Task A_bar_of_the_portfolio_leads_to_its_loans()
    {
        var page = await OpenAsync();
        await page.GotoAsync("/portfolio");
        await page.Locator("#vintages-head").ScrollIntoViewIfNeededAsync();
        await page.Locator("a.column[href='/loans?year=2007']").HoverAsync();
        await Expect(page.Locator(".tip")).ToContainTextAsync("2007");
        await page.Locator("a.column[href='/loans?year=2007']").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("loans");
        await Expect(page.GetByLabel("Fiscal year")).ToHaveValueAsync("2007");
    }

    [Test]
    public async Task On_paper_a_loan_has_its_facts_and_no_controls()
    {
        var page = await OpenAsync();
        await page.GotoAsync("/loans?q=L-000042");
        await page.Locator("tbody tr th a").ClickAsync();
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await Expect(page.Locator(".side")).ToBeHiddenAsync();
        await Expect(page.Locator(".top")).ToBeHiddenAsync();
        await Expect(page.Locator("main .tiles")).ToBeVisibleAsync();
        await page.SetViewportSizeAsync(794, 1123);
        await PictureAsync(page, "loan-on-paper");
        await page.GotoAsync("/portfolio");
        await PictureAsync(page, "portfolio-on-paper");
    }

    private static async Task<IReadOnlyList<decimal>> AmountsAsync(IPage page) =>
        [.. (await page.Locator("tbody tr td:nth-child(7)").AllInnerTextsAsync()).Select(text => decimal.Parse(text, System.Globalization.NumberStyles.Currency, System.Globalization.CultureInfo.GetCultureInfo("en-US")))];
}
