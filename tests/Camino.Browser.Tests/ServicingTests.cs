using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The pages of the lender's own loans: usable by everybody.</summary>
internal sealed class ServicingTests : BrowserTest
{
    [OneTimeSetUp]
    public static async Task BookAsync()
    {
        var book = new ServicedBook(Site.Camino);
        await book.PrepareAsync();
        var late = await book.DisbursedLoanAsync();
        await book.OkAsync(late, "record-payment", new { on = "2026-02-01", amount = "500.00", note = "by check" });
        var wrong = await book.OkAsync(late, "record-payment", new { on = "2026-02-10", amount = "99.00" });
        await book.OkAsync(late, "reverse", new { on = "2026-02-11", of = wrong.GetProperty("event").GetString() });
        await book.OkAsync(late, "charge-fee", new { on = "2026-02-12", amount = "30.00", portion = "fee" });
    }

    [TestCase("/servicing")]
    [TestCase("/servicing/new")]
    [TestCase("/products")]
    [TestCase("/products/edit")]
    [TestCase("/books")]
    public async Task A_page_of_the_book_suits_everybody_in_both_languages_and_themes(string path)
    {
        foreach (var (language, theme) in ((string, string)[])[("en", "light"), ("es", "dark")])
        {
            var page = await OpenAsync("admin", language: language, theme: theme);
            await page.GotoAsync(path);
            await Expect(page.Locator("main h1")).ToBeVisibleAsync();
            await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", language);
            Assert.That(await page.Locator("main").InnerTextAsync(), Does.Not.Contain("Serviced.").And.Not.Contain("Products.").And.Not.Contain("Books."), "A text is missing.");
            await Access.CheckAsync(page, $"{path} ({language})");
            Assert.That(await IsTooWideAsync(page), Is.False, $"{path} ({language}) scrolls sideways at 1400 pixels.");
            await PictureAsync(page, $"book-{path.Trim('/').Replace('/', '-')}-desk-{language}-{theme}");
            await page.SetViewportSizeAsync(320, 640);
            Assert.That(await IsTooWideAsync(page), Is.False, $"{path} ({language}) scrolls sideways at 320 pixels.");
            if (language == "en")
                await PictureAsync(page, $"book-{path.Trim('/').Replace('/', '-')}-phone");
        }
    }
}
