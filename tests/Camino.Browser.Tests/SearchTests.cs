using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>Finding anything from anywhere: by the slash key, by arrow keys, and without scripts.</summary>
internal sealed class SearchTests : BrowserTest
{
    private const string Name = "Zócalo Quetzal Bakery LLC";

    [Test]
    public async Task A_borrower_is_found_from_any_page_by_keys_alone_although_the_name_is_misspelt()
    {
        var id = await AddAsync(Name);
        var page = await OpenAsync();
        await page.GotoAsync("/imports");
        await page.Keyboard.PressAsync("/");
        await Expect(page.Locator("#top-search")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("zocalo quetzl");
        await Expect(page.Locator(".top-found a.hit")).ToContainTextAsync(Name);
        await PictureAsync(page, "search-typed", whole: false);

        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator(".top-found")).ToBeHiddenAsync();
        await page.Keyboard.TypeAsync("l");
        await Expect(page.Locator(".top-found a.hit")).ToContainTextAsync(Name);
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.Locator(".top-found a.hit")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowUp");
        await Expect(page.Locator("#top-search")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await LeaveAsync(page, () => page.Keyboard.PressAsync("Enter"));
        await Expect(page.Locator("main h1")).ToHaveTextAsync(Name);
        Assert.That(page.Url, Does.EndWith($"/borrowers/{id}"));
    }

    [Test]
    public async Task Two_keys_lead_to_a_place_and_a_question_mark_to_the_list_of_them_but_not_while_typing()
    {
        var page = await OpenAsync();
        await page.GotoAsync("/imports");
        await page.Keyboard.PressAsync("g");
        await LeaveAsync(page, () => page.Keyboard.PressAsync("l"));
        Assert.That(new Uri(page.Url).AbsolutePath, Is.EqualTo("/loans"));
        await page.WaitForLoadStateAsync(LoadState.Load);
        await page.Keyboard.PressAsync("/");
        await Expect(page.Locator("#top-search")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("gj?");
        await Expect(page.Locator("#top-search")).ToHaveValueAsync("gj?");
        await page.Keyboard.PressAsync("Escape");
        await page.EvaluateAsync("document.activeElement.blur()");
        await LeaveAsync(page, () => page.Keyboard.PressAsync("?"));
        Assert.That(new Uri(page.Url).AbsolutePath, Is.EqualTo("/shortcuts"));
        await Expect(page.Locator("main kbd").First).ToBeVisibleAsync();
    }

    [Test]
    public async Task Without_scripts_the_field_leads_to_the_results_and_the_address_says_nothing_of_them()
    {
        await AddAsync("Tordo Azul Upholstery");
        var page = await OpenAsync(script: false);
        await page.GotoAsync("/loans");
        await page.FillAsync("#top-search", "tordo azul");
        await page.PressAsync("#top-search", "Enter");
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 result");
        Assert.That(new Uri(page.Url).PathAndQuery, Is.EqualTo("/search"));
        await page.ClickAsync("main a.hit");
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Tordo Azul Upholstery");
    }

    [Test]
    public Task The_page_of_the_search_suits_everybody_in_both_languages_and_themes() => SuitsEverybodyAsync("/search", "search");

    [Test]
    public async Task Its_results_suit_everybody_in_both_languages_and_themes()
    {
        await AddAsync("Garza Blanca Fencing Inc");
        foreach (var (language, theme) in LanguagesAndThemes)
        {
            var page = await OpenAsync("admin", language: language, theme: theme);
            await page.GotoAsync("/search");
            await page.FillAsync("#q", "garza blanca");
            await page.PressAsync("#q", "Enter");
            await Expect(page.Locator("main a.hit")).ToBeVisibleAsync();
            await MustSuitAsync(page, $"results ({language})", "search-results", language, theme);
        }
    }

    private static Task<Guid> AddAsync(string name) => Site.Camino.ScalarAsync<Guid>($"insert into camino.borrowers (id, name) values (camino.new_id(), '{name}') returning id");
}
