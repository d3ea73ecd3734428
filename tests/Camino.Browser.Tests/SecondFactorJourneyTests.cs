using Camino.Host.Configuration;
using Camino.People;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The first sign-in of somebody who moves money: scan, confirm, keep the recovery codes, and come in with a code from then on.</summary>
internal sealed class SecondFactorJourneyTests : BrowserTest
{
    [Test]
    public async Task Somebody_who_moves_money_sets_the_phone_up_first_and_comes_in_with_a_recovery_code_later()
    {
        await using var house = await RunningCamino.StartAsync(withAsync: false, secondFactor: SecondFactorMode.Required);
        var page = await OpenAsync(user: null, address: house.OfficeAddress.ToString());
        await page.GotoAsync("/loans?state=TX");
        await SignInTests.SignInAsync(page, "servicing@demo.camino.example", RunningCamino.Password);
        await Expect(page).ToHaveURLAsync(house.OfficeAddress + "second-factor");
        await Expect(page.GetByRole(AriaRole.Note)).ToContainTextAsync("Your roles move money");
        await Access.CheckAsync(page, "second factor to set up");

        await page.GetByRole(AriaRole.Button, new() { Name = "Begin" }).ClickAsync();
        await Expect(page.Locator("svg.qr")).ToBeVisibleAsync();
        await Access.CheckAsync(page, "second factor with its picture");
        await PictureAsync(page, "second-factor-scan");
        await page.SetViewportSizeAsync(320, 640);
        Assert.That(await IsTooWideAsync(page), Is.False);
        await PictureAsync(page, "second-factor-scan-phone");
        await page.SetViewportSizeAsync(1400, 900);
        var key = StaffBrowser.FromBase32((await page.Locator("[data-key]").InnerTextAsync()).Replace(" ", "", StringComparison.Ordinal));

        await page.GetByLabel("Code").FillAsync("000000");
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not the code that the app shows now");
        await page.GetByLabel("Code").FillAsync(Totp.Code(key, Totp.StepOf(DateTimeOffset.UtcNow)));
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync();
        await Expect(page.Locator(".recovery-codes li")).ToHaveCountAsync(SecondFactors.Codes);
        await Access.CheckAsync(page, "recovery codes");
        await PictureAsync(page, "second-factor-codes");
        var code = await page.Locator(".recovery-codes li").First.InnerTextAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "I have kept them" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Silas Moreau");

        var other = await OpenAsync(user: null, language: "es", address: house.OfficeAddress.ToString());
        await other.GotoAsync("/loans?state=TX");
        await SignInTests.SignInAsync(other, "servicing@demo.camino.example", RunningCamino.Password);
        await Expect(other.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Un paso más");
        await Access.CheckAsync(other, "second step of the sign-in");
        await PictureAsync(other, "sign-in-code-es");
        await other.Locator("#Code").FillAsync(code);
        await LeaveAsync(other, () => other.Locator("main button").ClickAsync());
        await Expect(other).ToHaveURLAsync(house.OfficeAddress + "loans?state=TX");
    }
}
