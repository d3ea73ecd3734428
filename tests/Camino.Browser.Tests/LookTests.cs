using System.Net.Http.Json;
using System.Text.Json;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>Every page, as wide as a desk and as narrow as a phone, in both languages and both themes: usable by everybody, and nothing sticks out.</summary>
internal sealed class LookTests : BrowserTest
{
    private static readonly string[] Pages = ["/", "/portfolio", "/loans", "loan", "/imports", "import", "/jobs", "/jobs/all", "/jobs/errors", "/jobs/recurring", "job", "/notices", "/sessions", "/password", "/second-factor", "/shortcuts", "/people", "/people/add", "person", "/books/journal", "/books/journal/new", "entry", "/audit", "/error/404", "/error/403"];

    [TestCaseSource(nameof(Pages))]
    public async Task A_page_suits_everybody_in_both_languages_and_themes(string path)
    {
        Tolerate("status of 40");
        var address = await AddressAsync(path);
        foreach (var (language, theme) in ((string, string)[])[("en", "light"), ("es", "dark")])
        {
            var page = await OpenAsync("admin", language: language, theme: theme);
            await page.GotoAsync(address);
            await Expect(page.Locator("main h1")).ToBeVisibleAsync();
            await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", language);
            await Access.CheckAsync(page, $"{path} ({language})");
            Assert.That(await IsTooWideAsync(page), Is.False, $"{path} ({language}) scrolls sideways at 1400 pixels.");
            await PictureAsync(page, $"{NameOf(path)}-desk-{language}-{theme}");

            await page.SetViewportSizeAsync(320, 640);
            Assert.That(await IsTooWideAsync(page), Is.False, $"{path} ({language}) scrolls sideways at 320 pixels.");
            if (language == "en")
                await PictureAsync(page, $"{NameOf(path)}-phone");
        }
    }

    [Test]
    public async Task What_would_not_suit_everybody_is_found()
    {
        var page = await OpenAsync(user: null);
        await page.SetContentAsync("<html lang='en'><title>t</title><main><h1>h</h1><img src='data:,'><p style='color:#999;background:#aaa'>pale</p></main>");
        var wrong = await Access.WrongAsync(page, only: null);
        Assert.That(wrong, Has.One.StartsWith("image-alt: <img").And.One.StartsWith("color-contrast: <p"));
        Assert.That(await Access.WrongAsync(page, ["color-contrast"]), Has.One.Items.And.One.StartsWith("color-contrast"));
    }

    [TestCase("/sign-in")]
    [TestCase("/set-password")]
    public async Task What_is_open_to_everybody_suits_everybody(string path)
    {
        foreach (var language in (string[])["en", "es"])
        {
            var page = await OpenAsync(user: null, language: language);
            await page.GotoAsync(path);
            await Access.CheckAsync(page, $"{path} ({language})");
            await PictureAsync(page, $"{NameOf(path)}-desk-{language}");
            await page.SetViewportSizeAsync(320, 640);
            Assert.That(await IsTooWideAsync(page), Is.False);
            await PictureAsync(page, $"{NameOf(path)}-phone-{language}");
        }
    }

    /// <summary>The picture in the README. Set CAMINO_PICTURES to the folder that it should replace it in (docs/pictures).</summary>
    [Test]
    public async Task The_portfolio_makes_the_picture_of_the_README()
    {
        var page = await OpenAsync("officer", width: 1280, theme: "light");
        await page.GotoAsync("/portfolio");
        await page.SetViewportSizeAsync(1280, 860);
        var folder = Environment.GetEnvironmentVariable("CAMINO_PICTURES") is { Length: > 0 } given ? given : Site.Pictures;
        var file = Path.Combine(folder, "portfolio.png");
        Directory.CreateDirectory(folder);
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = file });
        Assert.That(new FileInfo(file).Length, Is.InRange(20_000, 300_000));
    }

    private static async Task<string> AddressAsync(string path) => path switch
    {
        "loan" => "/loans/" + await Site.Camino.ScalarAsync<Guid>("select id from camino.loans where number = 'L-000007'"),
        "import" => $"/imports/{Site.FirstImport}",
        "job" => "/jobs/" + await Site.Camino.ScalarAsync<Guid>("select id from jobs.finished where kind = 'imports.load' order by id limit 1"),
        "person" => "/people/" + await Site.Camino.ScalarAsync<Guid>("select id from camino.staff_users where user_name = 'viewer@demo.camino.example'"),
        "entry" => $"/books/journal/{await EntryAsync()}",
        _ => path,
    };

    /// <summary>An entry by hand that a second person approved.</summary>
    private static async Task<Guid> EntryAsync()
    {
        using var accountant = await Site.Camino.ApiOfAsync("accountant");
        object[] lines = [new { account = "ProvisionForLosses", debit = "12500.00" }, new { account = "BankCharges", debit = "45.50" }, new { account = "AllowanceForLosses", credit = "12500.00" }, new { account = "Cash", credit = "45.50" }];
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/ledger/entries", UriKind.Relative)) { Content = JsonContent.Create(new { memo = "Provision of the first quarter, and what the bank charged for wires", lines }) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await accountant.SendAsync(request);
        var approval = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("approvalId").GetGuid();
        await Site.Camino.ApproveAsync(approval);
        return await Site.Camino.ScalarAsync<Guid>($"select id from camino.journal_entries where approval_id = '{approval}'");
    }

    private static string NameOf(string path) => path == "/" ? "home" : path.Trim('/').Replace('/', '-');
}
