using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;

namespace Camino.Browser;

/// <summary>Asks axe whether everybody can use a page.</summary>
internal static class Access
{
    private static readonly AxeRunOptions Colours = new() { RunOnly = new RunOnlyOptions { Type = "rule", Values = ["color-contrast"] } };

    /// <summary>Every rule, on the page as it stands; then the colours once more in dark: nothing else depends on the theme.</summary>
    public static async Task CheckAsync(IPage page, string what)
    {
        var theme = await page.EvaluateAsync<string>("document.documentElement.dataset.theme");
        await FindAsync(page, what, theme, null);
        if (theme == "dark")
            return;
        await page.EvaluateAsync("document.documentElement.dataset.theme = 'dark'");
        await FindAsync(page, what, "dark", Colours);
        await page.EvaluateAsync("theme => { document.documentElement.dataset.theme = theme; }", theme);
    }

    private static async Task FindAsync(IPage page, string what, string theme, AxeRunOptions? options)
    {
        var found = options is null ? await page.RunAxe() : await page.RunAxe(options);
        Assert.That(
            found.Violations.SelectMany(rule => rule.Nodes.Select(node => $"{rule.Id}: {node.Html} ({string.Join("; ", node.Any.Select(check => check.Message))})")),
            Is.Empty,
            $"{what}, {theme}");
    }
}
