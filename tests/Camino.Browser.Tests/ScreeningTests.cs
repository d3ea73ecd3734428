using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>A name is screened, and two people decide what was found.</summary>
internal sealed class ScreeningTests : BrowserTest
{
    [Test]
    public async Task A_name_is_screened_one_person_clears_the_hit_with_a_reason_and_another_agrees()
    {
        await SanctionsLists.ImportedAsync();
        var underwriter = await OpenAsync("underwriter");
        await underwriter.GotoAsync("/screening");
        await Access.CheckAsync(underwriter, "screening");
        await underwriter.GetByLabel("Name of a person or a business").FillAsync("Tomás Velázquez");
        await underwriter.GetByLabel("Who").SelectOptionAsync("person");
        await underwriter.GetByLabel("Country, in English, if known").FillAsync("Colombia");
        await underwriter.GetByRole(AriaRole.Button, new() { Name = "Screen", Exact = true }).ClickAsync();
        await Expect(underwriter.GetByRole(AriaRole.Heading, new() { Name = "VELASQUEZ IBARRA, Tomas" })).ToBeVisibleAsync();
        await Expect(underwriter.Locator("main")).ToContainTextAsync("Sounds alike");
        await Access.CheckAsync(underwriter, "hit");
        await PictureAsync(underwriter, "screening-hit");

        await underwriter.GetByLabel("Reason").FillAsync("Born in 1990 according to the passport");
        await underwriter.GetByRole(AriaRole.Button, new() { Name = "Somebody else" }).ClickAsync();
        await Expect(underwriter.Locator("main")).ToContainTextAsync("Another person has to agree.");
        await Expect(underwriter.GetByRole(AriaRole.Button, new() { Name = "Agree" })).ToHaveCountAsync(0);

        var admin = await OpenAsync("admin", width: 320, language: "es", theme: "dark");
        await admin.GotoAsync("/screening");
        await admin.GetByRole(AriaRole.Region, new() { Name = "Esperan una decisión" }).GetByRole(AriaRole.Link, new() { Name = "Tomás Velázquez" }).ClickAsync();
        Assert.That(await IsTooWideAsync(admin), Is.False);
        await Access.CheckAsync(admin, "second person");
        await PictureAsync(admin, "screening-second");
        await admin.GetByRole(AriaRole.Button, new() { Name = "Estoy de acuerdo" }).ClickAsync();
        await Expect(admin.Locator("main")).ToContainTextAsync("Descartada");

        await admin.GotoAsync("/screening");
        await Expect(admin.Locator("main")).ToContainTextAsync("Ninguna coincidencia espera una decisión.");
        Assert.That(await IsTooWideAsync(admin), Is.False);
        await PictureAsync(admin, "screening");
    }
}
