using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The lender's own loans: booked, handed out, paid, taken back, and every page of them usable by everybody.</summary>
internal sealed class ServicingTests : BrowserTest
{
    private static ServicedBook? _book;
    private static Guid _late;

    [OneTimeSetUp]
    public static async Task BookAsync()
    {
        _book = new ServicedBook(Site.Camino);
        await _book.PrepareAsync();
        _late = await _book.DisbursedLoanAsync();
        await _book.OkAsync(_late, "record-payment", new { on = "2026-02-01", amount = "500.00", note = "by check" });
        var wrong = await _book.OkAsync(_late, "record-payment", new { on = "2026-02-10", amount = "99.00" });
        await _book.OkAsync(_late, "reverse", new { on = "2026-02-11", of = wrong.GetProperty("event").GetString() });
        await _book.OkAsync(_late, "charge-fee", new { on = "2026-02-12", amount = "30.00", portion = "fee" });
    }

    [Test]
    public async Task A_loan_is_booked_handed_out_paid_and_a_payment_taken_back()
    {
        var page = await OpenAsync("officer");
        await page.GotoAsync("/servicing");
        await page.GetByRole(AriaRole.Link, new() { Name = "Book a loan" }).ClickAsync();
        await page.GetByLabel("Borrower", new() { Exact = true }).FillAsync("Paper Lantern Printing LLC");
        await page.GetByLabel("Principal", new() { Exact = true }).FillAsync("8000");
        await page.Locator("#AnnualRatePercent").FillAsync("12");
        await page.GetByLabel("Installments", new() { Exact = true }).FillAsync("8");
        await page.GetByLabel("Hand out on").FillAsync("2026-01-15");
        await page.GetByRole(AriaRole.Button, new() { Name = "Schedule after it" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(8);
        await PictureAsync(page, "servicing-book-preview");
        await page.GetByRole(AriaRole.Button, new() { Name = "Book this loan" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Paper Lantern Printing LLC");
        await Expect(page.Locator("main")).ToContainTextAsync("Not disbursed");
        var loan = page.Url;

        await page.GetByRole(AriaRole.Link, new() { Name = "Disburse" }).ClickAsync();
        await page.GetByLabel("Counts from").FillAsync("2026-01-15");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show what would change" }).ClickAsync();
        await Expect(page.Locator("tr.is-new").First).ToContainTextAsync("Principal owed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm: Disburse" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status).First).ToContainTextAsync("Done: Disburse");

        await page.GetByRole(AriaRole.Link, new() { Name = "Record payment" }).ClickAsync();
        await page.GetByLabel("Counts from").FillAsync("2026-02-15");
        await page.GetByLabel("Amount").FillAsync("1045.00");
        await page.GetByLabel("Note (optional)").FillAsync("wire");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show what would change" }).ClickAsync();
        await Expect(page.Locator("main")).ToContainTextAsync("Loans receivable");
        await PictureAsync(page, "servicing-payment-preview");
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm: Record payment" }).ClickAsync();
        await Expect(page.Locator("#history-head ~ .scroll tbody tr").First).ToContainTextAsync("$1,045.00");

        await page.GetByRole(AriaRole.Link, new() { Name = "Take back" }).First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Show what would change" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm: Take back" }).ClickAsync();
        await Expect(page.Locator("tr.is-void")).ToContainTextAsync("$1,045.00");
        await Expect(page.Locator("main .tiles")).ToContainTextAsync("$8,000.00");
        Assert.That(page.Url, Does.StartWith(loan.Split('?')[0]));
        await PictureAsync(page, "servicing-taken-back");
    }

    [Test]
    public async Task A_form_that_was_sent_twice_is_carried_out_once_also_without_script()
    {
        var id = await Started().DisbursedLoanAsync();
        var page = await OpenAsync("officer", script: false);
        await page.GotoAsync($"/servicing/{id}/record-payment");
        await page.GetByLabel("Amount").FillAsync("100.00");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show what would change" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm: Record payment" }).ClickAsync();
        await page.GoBackAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm: Record payment" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Status).First).ToContainTextAsync("Done: Record payment");
        Assert.That(await Site.Camino.ScalarAsync<long>($"select count(*) from camino.loan_events where loan_id = '{id}'"), Is.EqualTo(2));
    }

    [Test]
    public async Task The_payoff_of_another_day_is_worked_out_and_the_balance_explained()
    {
        var page = await OpenAsync("viewer");
        await page.GotoAsync($"/servicing/{_late}");
        await page.GetByLabel("Paid on").FillAsync("2026-03-15");
        await page.GetByRole(AriaRole.Button, new() { Name = "Work out" }).ClickAsync();
        await Expect(page.Locator(".payoff-sum")).ToContainTextAsync("Mar 15, 2026");
        await Expect(page.Locator("#why-head").Locator("xpath=ancestor::section")).ToContainTextAsync("A payment was received.");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Record payment" })).ToHaveCountAsync(0);
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await page.SetViewportSizeAsync(794, 1123);
        await PictureAsync(page, "servicing-on-paper");
    }

    [TestCase("/servicing")]
    [TestCase("loan")]
    [TestCase("restructure")]
    [TestCase("/servicing/new")]
    [TestCase("/products")]
    [TestCase("/products/edit")]
    [TestCase("/books")]
    public async Task A_page_of_the_book_suits_everybody_in_both_languages_and_themes(string path)
    {
        var address = path switch { "loan" => $"/servicing/{_late}", "restructure" => $"/servicing/{_late}/restructure", _ => path };
        foreach (var (language, theme) in ((string, string)[])[("en", "light"), ("es", "dark")])
        {
            var page = await OpenAsync("admin", language: language, theme: theme);
            await page.GotoAsync(address);
            if (path == "restructure")
            {
                await page.Locator("#Count").FillAsync("18");
                await page.Locator("#Until").FillAsync("2026-04-01");
                await page.Locator("main form button").First.ClickAsync();
                await Expect(page.Locator("#preview-head")).ToBeVisibleAsync();
            }

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

    private static ServicedBook Started() => _book ?? throw new InvalidOperationException("The book was not prepared.");
}
