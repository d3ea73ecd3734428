using System.Net.Http.Json;
using System.Text.Json;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The pages of branches, of duplicates and of saved filters, as wide as a desk and as narrow as a phone, in both languages and themes.</summary>
internal sealed class BranchLookTests : BrowserTest
{
    private static Guid s_one;
    private static Guid s_two;

    [OneTimeSetUp]
    public static async Task PrepareAsync()
    {
        using var admin = await Site.Camino.ApiOfAsync("admin");
        s_one = await AddAsync(admin, new { name = "Harborview Candle Works LLC", tradeName = "Harborview", branch = "SAV", phones = new[] { "(912) 555-0161" }, owners = new[] { new { name = "Olga Ferreira", sharePercent = "60", isGuarantor = true } }, addresses = new[] { new { street = "1 Pier St", city = "Savannah", state = "GA", zip = "31401" } } });
        s_two = await AddAsync(admin, new { name = "Harborview Candle Works Inc", language = "es", phones = new[] { "912-555-0161", "(912) 555-0162" }, emails = new[] { "office@harborview.example" }, owners = new[] { new { name = "Tomas Ferreira", sharePercent = "40", isGuarantor = false } } });
        await using var command = Site.Camino.Source.CreateCommand(
            """
            insert into camino.saved_filters (id, owner_id, list, name, query, all_staff, is_default, created_at)
            select gen_random_uuid(), u.id, 'loans', v.name, v.query, v.shared, false, now() from camino.staff_users u, (values ('Georgia, largest first', '?state=GA&sort=amount', false), ('Charged off', '?status=chargedoff', false)) v (name, query, shared)
            where u.user_name = 'admin@demo.camino.example' on conflict do nothing
            """);
        await command.ExecuteNonQueryAsync();
    }

    [TestCase("branches", "/branches")]
    [TestCase("branch", "/branches/{SAV}")]
    [TestCase("branch-move", "/branches/move/borrower/{one}")]
    [TestCase("branch-person", "/people/{branch}")]
    [TestCase("branch-borrower", "/borrowers/{one}")]
    [TestCase("duplicates", "/borrowers/{one}/duplicates")]
    [TestCase("merge", "/borrowers/{one}/merge/{two}")]
    [TestCase("filter-bar", "/loans?state=GA&sort=amount")]
    [TestCase("filters", "/filters?of=loans&query=%3Fstate%3DFL")]
    public async Task A_page_suits_everybody_in_both_languages_and_themes(string name, string path)
    {
        var address = path.Replace("{one}", s_one.ToString(), StringComparison.Ordinal).Replace("{two}", s_two.ToString(), StringComparison.Ordinal)
            .Replace("{SAV}", (await Site.Camino.ScalarAsync<Guid>("select id from camino.branches where code = 'SAV'")).ToString(), StringComparison.Ordinal)
            .Replace("{branch}", (await Site.Camino.ScalarAsync<Guid>("select id from camino.staff_users where user_name = 'branch@demo.camino.example'")).ToString(), StringComparison.Ordinal);
        foreach (var (language, theme) in ((string, string)[])[("en", "light"), ("es", "dark")])
        {
            var page = await OpenAsync("admin", language: language, theme: theme, width: 1280);
            await page.GotoAsync(address);
            await Expect(page.Locator("main h1")).ToBeVisibleAsync();
            await Access.CheckAsync(page, $"{path} ({language})");
            Assert.That(await IsTooWideAsync(page), Is.False, $"{path} ({language}) scrolls sideways at 1280 pixels.");
            await PictureAsync(page, $"{name}-desk-{language}");
            await page.SetViewportSizeAsync(320, 640);
            Assert.That(await IsTooWideAsync(page), Is.False, $"{path} ({language}) scrolls sideways at 320 pixels.");
            await PictureAsync(page, $"{name}-phone-{language}");
        }
    }

    [Test]
    public async Task Whoever_is_bound_to_a_branch_finds_a_home_without_what_is_about_the_whole_house()
    {
        var page = await OpenAsync("branch", width: 1280);
        await page.GotoAsync("/");
        await Access.CheckAsync(page, "/ (bound)");
        await Expect(page.Locator("nav.places a[href='/portfolio']")).ToHaveCountAsync(0);
        await PictureAsync(page, "branch-home");
    }

    private static async Task<Guid> AddAsync(HttpClient client, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/borrowers", UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await client.SendAsync(request);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("borrowerId").GetGuid();
    }
}
