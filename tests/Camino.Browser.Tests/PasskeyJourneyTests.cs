using Camino.Host.Configuration;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>A passkey from the first sign-in to the next one, with the authenticator that Chromium has for tests.</summary>
internal sealed class PasskeyJourneyTests : BrowserTest
{
    [TestCase("en", "light")]
    [TestCase("es", "dark")]
    public async Task Somebody_who_moves_money_adds_a_passkey_and_comes_in_with_it_alone(string language, string theme)
    {
        await using var house = await RunningCamino.StartAsync(withAsync: false, secondFactor: SecondFactorMode.Required);
        var address = new UriBuilder(house.OfficeAddress) { Host = "localhost" }.Uri.ToString();
        var page = await OpenAsync(user: null, language: language, theme: theme, address: address);
        var protocol = await page.Context.NewCDPSessionAsync(page);
        await protocol.SendAsync("WebAuthn.enable");
        await protocol.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new Dictionary<string, object> { ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true },
        });
        await page.GotoAsync("/loans?state=TX");
        await Expect(page.Locator("form[data-passkey] button")).ToBeVisibleAsync();
        await Access.CheckAsync(page, "sign-in with a passkey offered");
        await PictureAsync(page, $"passkey-sign-in-{language}");
        await page.Locator("form[data-passkey] button").ClickAsync();
        await Expect(page.Locator("[data-passkey-problem]")).ToContainTextAsync(language == "es" ? "No se usó" : "No passkey was used");
        await PictureAsync(page, $"passkey-none-{language}");

        await SignInTests.SignInAsync(page, "servicing@demo.camino.example", RunningCamino.Password);
        await Expect(page).ToHaveURLAsync(address + "second-factor");
        await Expect(page.Locator("#passkeys-title")).ToBeVisibleAsync();
        await Access.CheckAsync(page, "passkeys to set up");
        await PictureAsync(page, $"passkey-set-up-{language}");
        await page.Locator("#name").FillAsync(language == "es" ? "Mi teléfono" : "My phone");
        await LeaveAsync(page, () => page.Locator("form[data-passkey-new] button").ClickAsync());
        await Expect(page.Locator(".recovery-codes li")).ToHaveCountAsync(10);
        await page.GotoAsync("/second-factor");
        await Expect(page.Locator(".passkeys li")).ToContainTextAsync(language == "es" ? "Mi teléfono" : "My phone");
        await MustSuitAsync(page, $"passkeys ({language})", "passkeys", language, theme);
        await page.SetViewportSizeAsync(1400, 900);

        await page.Locator("#name").FillAsync("Again");
        await page.Locator("form[data-passkey-new] button").ClickAsync();
        await Expect(page.Locator("[data-passkey-problem]")).ToContainTextAsync(language == "es" ? "ya tiene" : "already");

        await page.Locator(".menu summary").ClickAsync();
        await LeaveAsync(page, () => page.Locator("form[action='/sign-out'] button").ClickAsync());
        await page.GotoAsync("/loans?state=TX");
        await LeaveAsync(page, () => page.Locator("form[data-passkey] button").ClickAsync());
        await Expect(page).ToHaveURLAsync(address + "loans?state=TX");

        await page.Locator(".menu summary").ClickAsync();
        await LeaveAsync(page, () => page.Locator("form[action='/sign-out'] button").ClickAsync());
        await SignInTests.SignInAsync(page, "servicing@demo.camino.example", RunningCamino.Password);
        await Expect(page).ToHaveURLAsync(address + "sign-in/code");
        await Access.CheckAsync(page, "second step with a passkey");
        await PictureAsync(page, $"passkey-second-step-{language}");
        await LeaveAsync(page, () => page.Locator("form[data-passkey] button").ClickAsync());
        await Expect(page.Locator(".side")).ToBeVisibleAsync();
    }
}
