using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The pages of the lender's own loans: usable by everybody.</summary>
internal sealed class ServicingTests : BrowserTest
{
    private static Guid _late;

    [OneTimeSetUp]
    public static async Task BookAsync() => _late = await LoanBook.LateLoanAsync();

    [TestCase("/servicing")]
    [TestCase("/servicing/new")]
    [TestCase("/products")]
    [TestCase("/products/edit")]
    [TestCase("/books")]
    public Task A_page_of_the_book_suits_everybody_in_both_languages_and_themes(string path) => SuitsEverybodyAsync(path, "book-" + path.Trim('/').Replace('/', '-'));

    [Test]
    public Task The_page_of_a_loan_suits_everybody_in_both_languages_and_themes() => SuitsEverybodyAsync($"/servicing/{_late}", "loan");

    [Test]
    public Task The_form_for_a_renewal_suits_everybody_in_both_languages_and_themes() => SuitsEverybodyAsync($"/servicing/{_late}/renew", "renewal");

    [TestCase("record-payment")]
    [TestCase("reverse")]
    [TestCase("waive")]
    [TestCase("restructure")]
    public async Task A_command_and_what_it_would_change_suit_everybody_in_both_languages_and_themes(string command)
    {
        foreach (var (language, theme) in LanguagesAndThemes)
        {
            var page = await OpenAsync("admin", language: language, theme: theme);
            await page.GotoAsync($"/servicing/{_late}/{command}");
            if (command == "restructure")
            {
                await page.FillAsync("#Count", "18");
                await page.FillAsync("#Until", "2026-04-01");
            }
            else if (command == "waive")
            {
                await page.FillAsync("#Amount", "10.00");
            }

            await LeaveAsync(page, () => page.ClickAsync(".command-form button"));
            await Expect(page.Locator("#preview-head")).ToBeVisibleAsync();
            await MustSuitAsync(page, $"{command} ({language})", $"command-{command}", language, theme);
        }
    }

    [Test]
    public async Task A_letter_suits_everybody_in_both_languages_and_themes()
    {
        await Site.LetterAsync(_late);
        foreach (var (language, theme) in LanguagesAndThemes)
        {
            var page = await OpenAsync("officer", language: language, theme: theme);
            await page.GotoAsync($"/servicing/{_late}");
            await LeaveAsync(page, () => page.Locator("section[aria-labelledby=letters-head] a").First.ClickAsync());
            await Expect(page.Locator("article.letter")).ToBeVisibleAsync();
            await MustSuitAsync(page, $"letter ({language})", "letter", language, theme);
            if (language == "en")
            {
                await OnPaperAsync(page);
                await PictureAsync(page, "letter-on-paper");
            }
        }
    }

    [Test]
    public async Task On_paper_a_loan_has_its_figures_its_schedule_and_its_history_and_no_controls()
    {
        var page = await OpenAsync();
        await page.GotoAsync($"/servicing/{_late}");
        await OnPaperAsync(page);
        await Expect(page.Locator(".side")).ToBeHiddenAsync();
        await Expect(page.Locator("main .tiles")).ToBeVisibleAsync();
        await Expect(page.Locator("section[aria-labelledby=schedule-head] tbody tr")).ToHaveCountAsync(12);
        await Expect(page.Locator("section[aria-labelledby=schedule-head] tbody tr").Last).ToBeVisibleAsync();
        await Expect(page.Locator("main form:visible, main button:visible")).ToHaveCountAsync(0);
        Assert.That(await IsTooWideAsync(page), Is.False, "The paper is too narrow.");
        await PictureAsync(page, "loan-serviced-on-paper");
    }

    private static async Task OnPaperAsync(IPage page)
    {
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await page.SetViewportSizeAsync(794, 1123);
    }
}
