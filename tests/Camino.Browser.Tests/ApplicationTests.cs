using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The pages of applications: usable by everybody, from a call to the last event.</summary>
internal sealed class ApplicationTests : BrowserTest
{
    [TestCase("/applications")]
    [TestCase("/applications/new")]
    public Task A_page_of_applications_suits_everybody_in_both_languages_and_themes(string path) => SuitsEverybodyAsync(path, path.Trim('/').Replace('/', '-'));

    [Test]
    public async Task An_application_is_typed_in_a_second_one_is_warned_of_and_one_is_withdrawn()
    {
        var page = await OpenAsync("admin");
        await TypeAsync(page, "Saltmarsh Kite Workshop LLC");
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Saltmarsh Kite Workshop LLC");
        var address = new Uri(page.Url).AbsolutePath;

        await TypeAsync(page, "SALTMARSH KITE WORKSHOP");
        await Expect(page.Locator("[data-found]")).ToContainTextAsync("same name");
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        await Expect(page.Locator("#seen")).ToBeVisibleAsync();

        await page.GotoAsync(address);
        await page.ClickAsync("summary:has-text('Withdraw')");
        await page.FillAsync("#reason-Withdraw", "Found another lender");
        await LeaveAsync(page, () => page.ClickAsync("form[action*=Withdraw] button"));
        await Expect(page.Locator("main .line")).ToContainTextAsync("Found another lender");
        await SuitsEverybodyAsync(address, "application");
    }

    private static async Task TypeAsync(IPage page, string name)
    {
        await page.GotoAsync("/applications/new");
        await page.FillAsync("#Name", name);
        await page.FillAsync("#Phone-0", "(912) 555-0119");
        await page.FillAsync("#Amount", "18000");
        await page.FillAsync("#Owner-0", "Marisol Vega");
        await page.FillAsync("#Share-0", "100");
        await page.SelectOptionAsync("#Guarantor-0", "true");
        await page.FillAsync("#TaxNumber-0", "123-45-6789");
        await page.PressAsync("#TaxNumber-0", "Tab");
    }
}
