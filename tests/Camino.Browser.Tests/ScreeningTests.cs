using System.Text;
using Camino.Screening;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>A name is screened, and two people decide what was found.</summary>
internal sealed class ScreeningTests : BrowserTest
{
    [Test]
    public async Task A_name_is_screened_one_person_clears_the_hit_with_a_reason_and_another_agrees()
    {
        await ImportAsync();
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

    private static async Task ImportAsync()
    {
        const string rest = ",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,";
        var folder = Directory.CreateTempSubdirectory("camino-lists-");
        foreach (var (file, text) in new[]
        {
            ("sdn.csv", $"1,\"VELASQUEZ IBARRA, Tomas\",\"individual\",\"TEST\"{rest}\"DOB 14 Mar 1961; nationality Colombia.\""), ("alt.csv", ""), ("add.csv", ""), ("sdn_comments.csv", ""),
            ("cons_prim.csv", $"900,\"QUIMERA EXPORTADORA S.A. DE C.V.\",-0- ,\"TEST\"{rest}-0- "), ("cons_alt.csv", ""), ("cons_add.csv", ""), ("cons_comments.csv", ""),
        })
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, file), text, Encoding.Latin1);
        await using var scope = Site.Camino.Office.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<ImportLists>().RunAsync(await ListFiles.FromFolderAsync(folder.FullName, CancellationToken.None), null, CancellationToken.None);
        folder.Delete(recursive: true);
    }
}
