using Camino.People;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>Who comes in, who does not, and what is left behind after going.</summary>
internal sealed class SignInTests : BrowserTest
{
    [Test]
    public async Task The_first_administrator_follows_the_link_once_comes_in_and_is_locked_out_after_wrong_passwords()
    {
        await using var fresh = await RunningCamino.StartAsync(withAsync: false, withPeople: false);
        await using var scope = fresh.Office.Services.CreateAsyncScope();
        var token = await scope.ServiceProvider.GetRequiredService<OfferFirstAdminLink>().RunAsync(CancellationToken.None);
        var page = await OpenAsync(user: null, address: fresh.OfficeAddress.ToString());

        await page.GotoAsync($"/first-admin?token={token}");
        await Access.CheckAsync(page, "first administrator");
        await PictureAsync(page, "first-admin");
        await page.GetByLabel("Your name").FillAsync("Ines Okafor");
        await page.GetByLabel("E-mail").FillAsync("ines@lender.example");
        await page.GetByLabel("Password", new() { Exact = true }).FillAsync("mesa lantern orchard");
        await page.GetByLabel("Password again").FillAsync("mesa lantern orchid");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create account" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The two passwords differ");
        await Expect(page.GetByLabel("Your name")).ToHaveValueAsync("Ines Okafor");

        await page.GetByLabel("Password", new() { Exact = true }).FillAsync("mesa lantern orchard");
        await page.GetByLabel("Password again").FillAsync("mesa lantern orchard");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create account" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(fresh.OfficeAddress + "sign-in");

        await SignInAsync(page, "ines@lender.example", "mesa lantern orchard");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Hello, Ines Okafor");
        await page.GotoAsync("/imports");
        await Expect(page.GetByText("No file was handed in yet")).ToBeVisibleAsync();
        foreach (var empty in (string[])["/", "/portfolio", "/loans", "/imports", "/jobs", "/notices"])
        {
            await page.GotoAsync(empty);
            await Expect(page.Locator(".empty, .tiles").First).ToBeVisibleAsync();
            await Access.CheckAsync(page, "empty " + empty);
            await PictureAsync(page, "empty" + (empty == "/" ? "-home" : empty.Replace('/', '-')));
        }

        var second = await OpenAsync(user: null, address: fresh.OfficeAddress.ToString());
        await second.GotoAsync($"/first-admin?token={token}");
        await second.GetByLabel("Your name").FillAsync("Somebody Else");
        await second.GetByLabel("E-mail").FillAsync("else@lender.example");
        await second.GetByLabel("Password", new() { Exact = true }).FillAsync("mesa lantern orchard");
        await second.GetByLabel("Password again").FillAsync("mesa lantern orchard");
        await second.GetByRole(AriaRole.Button, new() { Name = "Create account" }).ClickAsync();
        await Expect(second.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();

        await second.GotoAsync("/sign-in");
        string? refusal = null;
        for (var i = 0; i < 10; i++)
        {
            await SignInAsync(second, "ines@lender.example", "a wrong password");
            await Expect(second.GetByRole(AriaRole.Alert)).ToContainTextAsync("That did not work");
            refusal ??= await second.GetByRole(AriaRole.Alert).InnerTextAsync();
        }
        await SignInAsync(second, "ines@lender.example", "mesa lantern orchard");
        await Expect(second.GetByRole(AriaRole.Alert)).ToHaveTextAsync(refusal ?? "");
    }

    [Test]
    public async Task Signing_in_leads_where_the_reader_wanted_to_go_and_signing_out_leaves_nothing_behind()
    {
        var page = await OpenAsync(user: null);
        await page.GotoAsync("/loans?state=TX");
        await Expect(page).ToHaveTitleAsync("Sign in · Camino");

        await SignInAsync(page, "viewer@demo.camino.example", "not the password");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("That did not work");
        await Expect(page.GetByLabel("E-mail")).ToHaveValueAsync("viewer@demo.camino.example");
        await Expect(page.GetByLabel("Password")).ToHaveValueAsync("");
        await PictureAsync(page, "sign-in-refused");

        await SignInAsync(page, "viewer@demo.camino.example", RunningCamino.Password);
        await Expect(page).ToHaveURLAsync(Site.Camino.OfficeAddress + "loans?state=TX");

        await page.Locator(".menu summary").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(Site.Camino.OfficeAddress + "sign-in");
        await page.GoBackAsync();
        await Expect(page).ToHaveTitleAsync("Sign in · Camino");
    }

    [Test]
    public async Task Language_and_appearance_are_the_readers_and_stay()
    {
        var page = await OpenAsync(user: null);
        await page.GotoAsync("/sign-in");
        await page.GetByRole(AriaRole.Button, new() { Name = "Español" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Iniciar sesión");
        await page.GetByRole(AriaRole.Button, new() { Name = "Oscuro" }).ClickAsync();
        await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await PictureAsync(page, "sign-in-es-dark");

        await SignInAsync(page, "officer@demo.camino.example", RunningCamino.Password);
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "es");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await page.GotoAsync("/loans?sort=amount");
        await page.Locator(".menu summary").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "English" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(Site.Camino.OfficeAddress + "loans?sort=amount");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "en");
    }

    [Test]
    public async Task A_viewer_sees_everything_and_is_offered_nothing_to_change()
    {
        var page = await OpenAsync("viewer");
        await page.GotoAsync("/imports");
        await Expect(page.Locator("table")).ToBeVisibleAsync();
        await Expect(page.Locator("input[type=file]")).ToHaveCountAsync(0);

        await page.GotoAsync($"/imports/{Site.FirstImport}");
        await Expect(page.Locator("main form")).ToHaveCountAsync(0);
    }

    internal static async Task SignInAsync(IPage page, string email, string password)
    {
        await page.Locator("#Email").FillAsync(email);
        await page.Locator("#Password").FillAsync(password);
        await LeaveAsync(page, () => page.Locator("main button").First.ClickAsync());
    }
}
