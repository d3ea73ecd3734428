[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(3)]

namespace Camino.Browser;

/// <summary>What all browser tests share: one running Camino with an invented portfolio, one Chromium. Nothing here is a mock.</summary>
[SetUpFixture]
internal sealed class Site
{
    /// <summary>
    /// Chromium without windows: the same engine at half the processor time of the whole browser, which spends the rest on windows that nobody sees. Where only
    /// the whole one is installed, that.
    /// </summary>
    private static readonly string[] Chromiums = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

    /// <summary>As root, without a graphics card, and without Chromium's own wish to call home.</summary>
    private static readonly string[] Flags =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--force-color-profile=srgb", "--font-render-hinting=none",
    ];

    private static RunningCamino? _camino;
    private static IPlaywright? _playwright;
    private static IBrowser? _browser;

    public const int Loans = 1_600;

    public static RunningCamino Camino => _camino ?? throw new InvalidOperationException("The site was not started.");

    public static IBrowser Browser => _browser ?? throw new InvalidOperationException("The browser was not started.");

    /// <summary>The import that brought the portfolio in; some of its rows were rejected, some corrected.</summary>
    public static Guid FirstImport { get; private set; }

    /// <summary>Where pictures of pages go, for people to look at after a run.</summary>
    public static string Pictures { get; } = Path.Combine(Host.Local.Repository.Root ?? AppContext.BaseDirectory, "artifacts", "screenshots");

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        if (Array.Find(Chromiums, File.Exists) is not { } chromium)
        {
            Assert.Ignore($"There is no {Chromiums[0]} (Debian package chromium-headless-shell), so pages cannot be opened in a browser.");
            return;
        }
        Assertions.SetDefaultExpectTimeout(60_000);
        Directory.CreateDirectory(Pictures);

        var starting = RunningCamino.StartAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = chromium, Args = Flags, Timeout = 120_000 });
        _camino = await starting;

        FirstImport = await Camino.ReceiveAsync(InventedPortfolio.Csv(Loans, "L", dirty: true), "portfolio-2026.csv");
        await Camino.OverAsync(FirstImport);
        await FiguresAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_camino is not null)
            await _camino.DisposeAsync();
    }

    /// <summary>Waits for the job that writes a loan's letters.</summary>
    public static Task LetterAsync(Guid loanId) => AnyAsync($"select count(*) from camino.loan_letters where loan_id = '{loanId}'");

    /// <summary>Waits for the job that reckons the portfolio's figures.</summary>
    private static Task FiguresAsync() => AnyAsync("select count(*) from camino.portfolio_figures");

    private static async Task AnyAsync(string count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await Camino.ScalarAsync<long>(count) == 0)
            await timer.WaitForNextTickAsync(limit.Token);
    }
}
