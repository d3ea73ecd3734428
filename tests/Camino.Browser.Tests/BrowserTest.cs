using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using NUnit.Framework.Interfaces;

namespace Camino.Browser;

/// <summary>
/// A test that opens pages. Whatever the browser complains about on any of them (script errors, refused content, failed requests) fails the test,
/// unless the test said that it expects it.
/// </summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal abstract partial class BrowserTest
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> Sessions = new(StringComparer.Ordinal);

    private readonly List<IBrowserContext> _contexts = [];
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly List<string> _expected = [];

    /// <summary>Opens a window of its own.</summary>
    /// <param name="user"><c>admin</c>, <c>officer</c>, <c>viewer</c>, or null for nobody.</param>
    /// <param name="width">In CSS pixels; the height follows.</param>
    /// <param name="language"><c>en</c> or <c>es</c>.</param>
    /// <param name="theme"><c>light</c>, <c>dark</c>, or null for the reader's system.</param>
    /// <param name="script">False: the pages' scripts do not run.</param>
    protected async Task<IPage> OpenAsync(string? user = "officer", int width = 1400, string language = "en", string? theme = null, bool script = true, string? address = null)
    {
        var context = await Site.Browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = address ?? Site.Camino.OfficeAddress.ToString(),
            ViewportSize = new ViewportSize { Width = width, Height = width < 600 ? 640 : 900 },
            Locale = language == "es" ? "es-US" : "en-US",
            TimezoneId = "America/Chicago",
            ColorScheme = ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            JavaScriptEnabled = script,
            HasTouch = width < 600,
            AcceptDownloads = true,
            StorageState = user is null ? null : await SessionAsync(user),
        });
        context.SetDefaultTimeout(60_000);
        context.SetDefaultNavigationTimeout(60_000);
        _contexts.Add(context);
        var host = new Uri(address ?? Site.Camino.OfficeAddress.ToString()).Host;
        await context.AddCookiesAsync(
        [
            new Cookie { Name = "camino.lang", Value = language, Domain = host, Path = "/" },
            .. theme is null ? Array.Empty<Cookie>() : [new Cookie { Name = "camino.theme", Value = theme, Domain = host, Path = "/" }],
        ]);
        var page = await context.NewPageAsync();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _complaints.Enqueue($"{message.Type} at {message.Location}: {message.Text}");
        };
        page.PageError += (_, error) => _complaints.Enqueue("script error: " + error);
        page.Response += (_, answer) =>
        {
            if (answer.Status >= 500)
                _complaints.Enqueue($"{answer.Status} from {answer.Request.Method} {answer.Url}");
        };
        return page;
    }

    /// <summary>What the browser will complain about in this test, and rightly: a part of its sentence.</summary>
    protected void Tolerate(string complaint) => _expected.Add(complaint);

    /// <summary>Keeps a picture of the whole page for people to look at.</summary>
    protected static Task PictureAsync(IPage page, string name, bool whole = true) =>
        page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Site.Pictures, name + ".png"), FullPage = whole, Animations = ScreenshotAnimations.Disabled });

    /// <summary>True when the page scrolls sideways: something is wider than the window.</summary>
    protected static Task<bool> IsTooWideAsync(IPage page) => page.EvaluateAsync<bool>("document.documentElement.scrollWidth > window.innerWidth + 1");

    /// <summary>Does something that leads to another document, and waits until that is there.</summary>
    protected static async Task LeaveAsync(IPage page, Func<Task> act)
    {
        await page.EvaluateAsync("document.documentElement.dataset.left = 'true'");
        await act();
        await Assertions.Expect(page.Locator("html:not([data-left]) h1")).ToBeVisibleAsync();
    }

    /// <summary>Both languages and both themes, each once.</summary>
    protected static IReadOnlyList<(string Language, string Theme)> LanguagesAndThemes { get; } = [("en", "light"), ("es", "dark")];

    /// <summary>Opens a page in both languages and themes, wide and narrow: usable by everybody, no text missing, nothing sticks out.</summary>
    protected async Task SuitsEverybodyAsync(string path, string picture)
    {
        foreach (var (language, theme) in LanguagesAndThemes)
        {
            var page = await OpenAsync("admin", language: language, theme: theme);
            await page.GotoAsync(path);
            await Assertions.Expect(page.Locator("main h1")).ToBeVisibleAsync();
            await MustSuitAsync(page, $"{path} ({language})", picture, language, theme);
        }
    }

    /// <summary>The same for a page that is open.</summary>
    protected static async Task MustSuitAsync(IPage page, string what, string picture, string language, string theme)
    {
        await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("lang", language);
        Assert.That(await page.Locator("main").InnerTextAsync(), Does.Not.Contain("Serviced.").And.Not.Contain("Products.").And.Not.Contain("Books.").And.Not.Contain("Borrowers."), "A text is missing.");
        await Access.CheckAsync(page, what);
        Assert.That(await IsTooWideAsync(page), Is.False, $"{what} scrolls sideways at 1400 pixels.");
        await PictureAsync(page, $"{picture}-desk-{language}-{theme}");
        await page.SetViewportSizeAsync(320, 640);
        Assert.That(await IsTooWideAsync(page), Is.False, $"{what} scrolls sideways at 320 pixels.");
        if (language == "en")
            await PictureAsync(page, $"{picture}-phone");
    }

    /// <summary>The words of the element that has the keyboard.</summary>
    protected static Task<string> FocusedAsync(IPage page) =>
        page.EvaluateAsync<string>("(document.activeElement?.innerText || document.activeElement?.labels?.[0]?.innerText || document.activeElement?.getAttribute('aria-label') || document.activeElement?.tagName || '').trim()");

    [TearDown]
    public async Task CloseAsync()
    {
        var failed = TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed;
        foreach (var context in _contexts)
        {
            if (failed && context.Pages.Count > 0)
                await PictureAsync(context.Pages[0], "failed-" + NotInNames().Replace(TestContext.CurrentContext.Test.Name, "-"));
            await context.CloseAsync();
        }
        var unexpected = _complaints.Where(complaint => !_expected.Exists(part => complaint.Contains(part, StringComparison.Ordinal))).ToList();
        if (!failed)
            Assert.That(unexpected, Is.Empty, "The browser complained.");
        else if (unexpected.Count > 0)
            TestContext.Out.WriteLine(string.Join('\n', unexpected));
    }

    /// <summary>Signs a demo user in once for all tests.</summary>
    private static Task<string> SessionAsync(string user) => Sessions.GetOrAdd(user, name => new Lazy<Task<string>>(async () =>
    {
        await using var context = await Site.Browser.NewContextAsync(new BrowserNewContextOptions { BaseURL = Site.Camino.OfficeAddress.ToString() });
        var page = await context.NewPageAsync();
        await page.GotoAsync("/sign-in");
        await page.FillAsync("#Email", $"{name}@demo.camino.example");
        await page.FillAsync("#Password", RunningCamino.Password);
        await page.ClickAsync("main button");
        await Assertions.Expect(page.Locator(".side")).ToBeVisibleAsync();
        return await context.StorageStateAsync();
    })).Value;

    [GeneratedRegex("[^A-Za-z0-9]+", RegexOptions.None, 1_000)]
    private static partial Regex NotInNames();
}
