using System.Text.Json.Nodes;
using Camino.Host.Configuration;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>In by the company's identity provider and out again, and what the page says while the provider is away.</summary>
internal sealed class CompanySignInJourneyTests : BrowserTest
{
    [TestCase("en", "light")]
    [TestCase("es", "dark")]
    public async Task Somebody_comes_in_by_the_company_and_is_told_at_the_end_that_the_session_there_goes_on(string language, string theme)
    {
        await using var provider = await StubProvider.StartAsync();
        provider.Person = new JsonObject { ["sub"] = "vera", ["email"] = "viewer@demo.camino.example", ["email_verified"] = true };
        await using var house = await RunningCamino.StartAsync(withAsync: false);
        await using var office = await house.StartSecondOfficeAsync(change: settings => settings.SignIn.Provider = new CompanyProviderSettings { Authority = provider.Issuer, ClientId = StubProvider.ClientId, ClientSecret = StubProvider.ClientSecret, Name = "Lender One" });
        var address = RunningCamino.AddressOf(office).ToString();
        var page = await OpenAsync(user: null, language: language, theme: theme, address: address);
        await page.GotoAsync("/loans?state=TX");
        await Access.CheckAsync(page, "sign-in with a provider");
        await PictureAsync(page, $"company-sign-in-{language}");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Link, new() { Name = "Lender One" }).ClickAsync());
        await Expect(page).ToHaveURLAsync(address + "loans?state=TX");

        await page.Locator(".menu summary").ClickAsync();
        await LeaveAsync(page, () => page.Locator("form[action='/sign-out'] button").ClickAsync());
        await Expect(page.GetByRole(AriaRole.Status).First).ToContainTextAsync("Lender One");
        await Access.CheckAsync(page, "signed out here, not there");
        await PictureAsync(page, $"company-left-{language}");

        provider.Person["email_verified"] = false;
        provider.Person["sub"] = "somebody else";
        await LeaveAsync(page, () => page.Locator("a[href^='/sign-in/company']").Last.ClickAsync());
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Lender One");
        await PictureAsync(page, $"company-unknown-{language}");
        await page.SetViewportSizeAsync(320, 640);
        Assert.That(await IsTooWideAsync(page), Is.False);
        await office.StopAsync();
    }

    [TestCase("en", "dark")]
    [TestCase("es", "light")]
    public async Task Where_passwords_are_closed_the_button_is_the_way_in_and_one_administrator_has_another(string language, string theme)
    {
        await using var house = await RunningCamino.StartAsync(withAsync: false);
        await using var office = await house.StartSecondOfficeAsync(change: settings => settings.SignIn.Provider = new CompanyProviderSettings { Authority = "http://127.0.0.1:9", ClientId = "camino", ClientSecret = "unused", Name = "Lender One", LocalSignIn = false, LocalAdministrator = "admin@demo.camino.example" });
        var address = RunningCamino.AddressOf(office).ToString();
        var page = await OpenAsync(user: null, language: language, theme: theme, address: address);
        await page.GotoAsync("/sign-in");
        await Expect(page.Locator("#Password")).ToHaveCountAsync(0);
        await Access.CheckAsync(page, "sign-in with passwords closed");
        await PictureAsync(page, $"company-only-{language}");
        await LeaveAsync(page, () => page.Locator("a[href^='/sign-in/company']").ClickAsync());
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Lender One");
        await PictureAsync(page, $"company-away-{language}");

        await LeaveAsync(page, () => page.Locator("a[href*='Local=true']").ClickAsync());
        await Access.CheckAsync(page, "the administrator's way in");
        await PictureAsync(page, $"company-administrator-{language}");
        await page.Locator("#Email").FillAsync("admin@demo.camino.example");
        await page.Locator("#Password").FillAsync(RunningCamino.Password);
        await LeaveAsync(page, () => page.Locator("form.fields button").First.ClickAsync());
        await Expect(page.Locator(".side")).ToBeVisibleAsync();
        await office.StopAsync();
    }
}
