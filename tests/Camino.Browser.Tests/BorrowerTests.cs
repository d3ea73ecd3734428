using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The pages of borrowers: usable by everybody, from adding one to looking at a number in full.</summary>
internal sealed class BorrowerTests : BrowserTest
{
    [TestCase("/borrowers")]
    [TestCase("/borrowers/edit")]
    public Task A_page_of_borrowers_suits_everybody_in_both_languages_and_themes(string path) => SuitsEverybodyAsync(path, path.Trim('/').Replace('/', '-'));

    [Test]
    public async Task A_borrower_is_added_gets_a_tax_number_and_shows_it_in_full_once()
    {
        var page = await OpenAsync("admin");
        await page.GotoAsync("/borrowers/edit");
        await page.FillAsync("#Name", "Tres Lunas Panadería Inc");
        await page.FillAsync("#Phones-0", "(912) 555-0162");
        await page.FillAsync("#Owner-0", "Marisol Vega");
        await page.FillAsync("#Share-0", "100");
        await page.SelectOptionAsync("#Guarantor-0", "true");
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Tres Lunas Panadería Inc");
        var address = new Uri(page.Url).AbsolutePath;

        await page.ClickAsync("summary:has-text('Set a tax number')");
        await page.FillAsync("#identifier-value", "12-3456789");
        await LeaveAsync(page, () => page.ClickAsync("form[action*=Identifier] button"));
        await Expect(page.Locator("main")).ToContainTextAsync("••-•••6789");
        await Expect(page.Locator("main")).Not.ToContainTextAsync("123456789");
        await page.ClickAsync("button:has-text('Show in full')");
        await Expect(page.Locator("main [role=status]")).ToContainTextAsync("123456789");
        await Expect(page.Locator("main .line")).ToContainTextAsync("Tax number shown in full");

        await SuitsEverybodyAsync(address, "borrower");
    }
}
