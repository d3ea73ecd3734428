using Deque.AxeCore.Commons;

namespace Camino.Browser;

/// <summary>Asks axe whether everybody can use a page.</summary>
/// <remarks>
/// axe runs in the page itself and only what is wrong comes back. The package's own way opens a blank page for every run and brings all that is right over too,
/// which takes several times as long; it would be needed for frames, and no page has one.
/// </remarks>
internal static class Access
{
    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    private const string Run = """
        async only => {
          const found = await axe.run(document, { resultTypes: ['violations'], ...(only ? { runOnly: { type: 'rule', values: only } } : {}) });
          return found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html} (${node.any.map(check => check.message).join('; ')})`));
        }
        """;

    private static readonly string[] Colours = ["color-contrast"];

    /// <summary>Every rule, on the page as it stands; then the colours once more in dark: nothing else depends on the theme.</summary>
    public static async Task CheckAsync(IPage page, string what)
    {
        Assert.That(page.Frames, Has.Count.EqualTo(1), $"{what} has a frame, into which axe does not look here.");
        var theme = await page.EvaluateAsync<string>("document.documentElement.dataset.theme");
        Assert.That(await WrongAsync(page, only: null), Is.Empty, $"{what}, {theme}");
        if (theme == "dark")
            return;
        await page.EvaluateAsync("document.documentElement.dataset.theme = 'dark'");
        Assert.That(await WrongAsync(page, Colours), Is.Empty, $"{what}, dark");
        await page.EvaluateAsync("theme => { document.documentElement.dataset.theme = theme; }", theme);
    }

    /// <summary>What is wrong, a sentence an element.</summary>
    /// <param name="page">Without frames.</param>
    /// <param name="only">The rules to ask; null: all.</param>
    public static async Task<string[]> WrongAsync(IPage page, string[]? only)
    {
        await page.EvaluateAsync(Axe);
        return await page.EvaluateAsync<string[]>(Run, only);
    }
}
