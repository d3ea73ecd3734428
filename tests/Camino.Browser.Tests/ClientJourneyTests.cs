using System.Net.Http.Headers;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>An administrator lets a program in: sees the key once, moves the program to a new one, and finds both on the page.</summary>
internal sealed class ClientJourneyTests : BrowserTest
{
    [Test]
    public async Task A_client_is_added_its_key_is_seen_once_and_rotated_without_script_and_with_it()
    {
        var page = await OpenAsync("admin", script: false);
        await page.GotoAsync("/clients");
        await page.GetByRole(AriaRole.Link, new() { Name = "Add a client" }).ClickAsync();
        await page.Locator("#name").FillAsync("Website of the house");
        await page.GetByLabel("Read serviced loans and products").CheckAsync();
        await page.GetByLabel("Have loans quoted").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add and show the key" }).ClickAsync();
        var first = await page.Locator("[data-key]").InnerTextAsync();
        Assert.That(first, Does.Match("^camino_client_[0-9A-Za-z]{49}$"));
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("shown only this once");
        await PictureAsync(page, "client-key");
        await page.GetByRole(AriaRole.Link, new() { Name = "I have kept the key" }).ClickAsync();
        await Expect(page.Locator("main")).Not.ToContainTextAsync(first);
        await Expect(page.Locator("main")).ToContainTextAsync(first[^4..]);
        var address = new Uri(page.Url).AbsolutePath;
        Assert.That(await OpensAsync(first), Is.True);

        foreach (var (language, theme) in LanguagesAndThemes)
        {
            foreach (var (path, picture) in ((string, string)[])[("/clients", "clients"), ("/clients/add", "client-add"), (address, "client")])
            {
                var other = await OpenAsync("admin", language: language, theme: theme);
                await other.GotoAsync(path);
                await MustSuitAsync(other, $"{path} ({language})", picture, language, theme);
            }
        }

        var scripted = await OpenAsync("admin");
        await scripted.GotoAsync(address);
        await scripted.GetByRole(AriaRole.Button, new() { Name = "Make a new key" }).ClickAsync();
        var second = await scripted.Locator("[data-key]").InnerTextAsync();
        await Access.CheckAsync(scripted, "a new key");
        await PictureAsync(scripted, "client-rotated");
        await scripted.SetViewportSizeAsync(320, 640);
        Assert.That(await IsTooWideAsync(scripted), Is.False);
        await PictureAsync(scripted, "client-rotated-phone");
        Assert.That(second, Is.Not.EqualTo(first));
        Assert.That((await OpensAsync(first), await OpensAsync(second)), Is.EqualTo((true, true)));
        await Expect(scripted.Locator("tbody tr")).ToHaveCountAsync(2);
    }

    [Test]
    public async Task An_endpoint_for_webhooks_is_added_its_secret_is_seen_once_and_its_page_suits_everybody()
    {
        var page = await OpenAsync("admin", script: false);
        await page.GotoAsync("/clients/add");
        await page.Locator("#name").FillAsync("Told of its applications");
        await page.GetByLabel("Have loans quoted").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add and show the key" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "I have kept the key" }).ClickAsync();
        await page.Locator("#url").FillAsync("https://example.com/camino");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add and show the secret" }).ClickAsync();
        Assert.That(await page.Locator("[data-key]").InnerTextAsync(), Does.StartWith("whsec_"));
        await PictureAsync(page, "webhook-secret");
        await page.GetByRole(AriaRole.Link, new() { Name = "https://example.com/camino" }).ClickAsync();
        await Expect(page.Locator("main")).Not.ToContainTextAsync("whsec_");
        var address = new Uri(page.Url).AbsolutePath;
        foreach (var (language, theme) in LanguagesAndThemes)
        {
            foreach (var (path, picture) in ((string, string)[])[(address, "webhook"), (address[..address.IndexOf("/webhooks", StringComparison.Ordinal)], "client-webhooks")])
            {
                var other = await OpenAsync("admin", language: language, theme: theme);
                await other.GotoAsync(path);
                await MustSuitAsync(other, $"{path} ({language})", picture, language, theme);
            }
        }

        await page.GetByRole(AriaRole.Button, new() { Name = "Remove the endpoint" }).ClickAsync();
        await Expect(page.Locator("main")).Not.ToContainTextAsync("https://example.com/camino");
    }

    private static async Task<bool> OpensAsync(string key)
    {
        using var client = new HttpClient { BaseAddress = Site.Camino.OfficeAddress };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await client.GetAsync(new Uri("/api/v1/loans", UriKind.Relative));
        return answer.IsSuccessStatusCode;
    }
}
