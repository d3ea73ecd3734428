using Camino.Host.Configuration;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The settings in effect, with a file that was changed since the start: usable by everybody.</summary>
internal sealed class SettingsLookTests : BrowserTest
{
    [Test]
    public async Task The_settings_suit_everybody_in_both_languages_and_themes()
    {
        var folder = Directory.CreateTempSubdirectory("camino-settings-").FullName;
        var file = Path.Combine(folder, "appsettings.BackOffice.json");
        var text = """{ "Role": "BackOffice", "Web": { "Urls": "http://127.0.0.1:0" }, "Files": { "Folder": "files" }, "Log": { "Level": "Warning" } }""";
        await File.WriteAllTextAsync(file, text);
        var settings = HostConfig.Read(file, new Dictionary<string, string> { ["CAMINO_Database__ConnectionString"] = Site.Camino.ConnectionString, ["CAMINO_SignIn__SecondFactor"] = "Optional" });
        await using var office = await Site.Camino.StartOfficeAsync(settings, file);
        await File.WriteAllTextAsync(file, text.Replace("\"Level\"", "\"Levell\"", StringComparison.Ordinal));
        var address = new Uri(RunningCamino.AddressOf(office), "/settings").ToString();

        foreach (var (language, theme) in ((string, string)[])[("en", "light"), ("es", "dark")])
        {
            var page = await OpenAsync("admin", language: language, theme: theme);
            await page.GotoAsync(address);
            await Expect(page.Locator("main h1")).ToHaveTextAsync(language == "en" ? "Settings" : "Configuración");
            await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Log:Levell");
            await Access.CheckAsync(page, $"/settings ({language})");
            Assert.That(await IsTooWideAsync(page), Is.False);
            await PictureAsync(page, $"settings-desk-{language}-{theme}");
            await page.SetViewportSizeAsync(320, 640);
            Assert.That(await IsTooWideAsync(page), Is.False);
            await PictureAsync(page, $"settings-phone-{language}");
        }

        await office.StopAsync();
        Directory.Delete(folder, recursive: true);
    }
}
