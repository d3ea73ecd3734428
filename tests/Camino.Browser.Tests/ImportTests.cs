using Npgsql;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>A portfolio file from the click that hands it in to the rows that came of it.</summary>
internal sealed partial class ImportTests : BrowserTest
{
    [Test]
    public async Task A_file_is_chosen_checked_looked_at_imported_and_its_rejected_rows_are_downloaded()
    {
        var page = await OpenAsync();
        await page.GotoAsync("/imports");
        await page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = "autumn.csv", MimeType = "text/csv", Buffer = InventedPortfolio.Csv(400, "AUT", dirty: true) });
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(OneImport());
        await Expect(page.GetByText("The dry run is done; nothing is stored yet.")).ToBeVisibleAsync();
        await PictureAsync(page, "import-dry-run");
        Assert.That(await CountAsync("AUT"), Is.Zero);

        await page.GetByRole(AriaRole.Button, new() { Name = "Import these rows" }).DblClickAsync();
        await Expect(page.Locator(".head-sub .chip")).ToHaveTextAsync("Done");
        Assert.That(await CountAsync("AUT"), Is.EqualTo(396), "400 rows, 4 of them with an amount that is none");
        await Expect(page.Locator(".sum, .tiles").First).ToContainTextAsync("400");

        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Rejected rows as CSV" }).ClickAsync());
        var csv = await File.ReadAllTextAsync(await download.PathAsync());
        Assert.That(csv.Split("\r\n", StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(5));
        Assert.That(csv, Does.Contain("twelve thousand"));

        await page.GetByRole(AriaRole.Link, new() { Name = "Loans of this import" }).First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("396 loans");
        await page.GoBackAsync();
        await Expect(page.Locator(".head-sub .chip")).ToHaveTextAsync("Done");
    }

    [Test]
    public async Task The_page_of_a_running_import_moves_by_itself_and_ends_by_itself()
    {
        await Site.Camino.ImportAsync(InventedPortfolio.Csv(2_600, "LIVE"), "live.csv");
        await using var hold = await Site.Camino.Source.OpenConnectionAsync();
        await using var transaction = await hold.BeginTransactionAsync();
        await HoldAsync(hold, "LIVE-002500");

        var page = await OpenAsync();
        var id = await Site.Camino.ReceiveAsync(Changed(InventedPortfolio.Csv(2_600, "LIVE")), "live-changed.csv");
        await page.GotoAsync($"/imports/{id}");
        await page.EvaluateAsync("window.sameDocument = true");
        await Expect(page.Locator("[data-live=rows]")).ToHaveTextAsync("2,000");
        await Expect(page.Locator(".live-percent")).Not.ToHaveTextAsync("0%");
        await Access.CheckAsync(page, "running import");
        await PictureAsync(page, "import-running");

        await transaction.RollbackAsync();
        await Expect(page.Locator(".head-sub .chip")).ToHaveTextAsync("Done");
        Assert.That(await page.EvaluateAsync<bool>("window.sameDocument === true"), Is.True, "The page was loaded again.");
        await PictureAsync(page, "import-done");
        await page.GotoAsync("/notices");
        await Expect(page.Locator(".notice").First).ToContainTextAsync("live-changed.csv");
    }

    [Test]
    public async Task An_import_that_is_cancelled_halfway_says_what_was_stored_and_keeps_just_that()
    {
        await Site.Camino.ImportAsync(InventedPortfolio.Csv(2_600, "HALF"), "half.csv");
        await using var hold = await Site.Camino.Source.OpenConnectionAsync();
        await using var transaction = await hold.BeginTransactionAsync();
        await HoldAsync(hold, "HALF-002500");

        var page = await OpenAsync();
        var id = await Site.Camino.ReceiveAsync(Changed(InventedPortfolio.Csv(2_600, "HALF")), "half-changed.csv");
        await page.GotoAsync($"/imports/{id}");
        await Expect(page.Locator("[data-live=rows]")).ToHaveTextAsync("2,000");
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel import" }).ClickAsync();
        await Expect(page.GetByText("This import was cancelled.")).ToBeVisibleAsync();
        await Expect(page.GetByText("Rows worked")).ToBeVisibleAsync();
        await transaction.RollbackAsync();

        await PictureAsync(page, "import-cancelled");
        Assert.That(await Site.Camino.ScalarAsync<long>("select count(*) from camino.loans where number like 'HALF-%' and employees = 77"), Is.EqualTo(2_000));
    }

    [Test]
    public async Task A_file_with_unknown_columns_is_mapped_by_hand_and_the_mapping_serves_again()
    {
        var page = await OpenAsync();
        var first = await HandInAsync(page, "kitchens.csv", InventedPortfolio.UnknownLayout(40));
        await Expect(page.GetByText("These columns are not known.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Name the columns" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(20);
        await Access.CheckAsync(page, "mapping");
        await PictureAsync(page, "mapping");

        await page.GetByRole(AriaRole.Button, new() { Name = "Check the file with these columns" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("No column is an amount");
        await page.GetByLabel("Contract").SelectOptionAsync("loanNumber");
        await page.GetByLabel("Customer").SelectOptionAsync("borrowerName");
        await page.GetByLabel("Region").SelectOptionAsync("state");
        await page.GetByLabel("Paid out").SelectOptionAsync("disbursed");
        await page.GetByLabel("Opened").SelectOptionAsync("approvedOn");
        await page.GetByLabel("Amounts").SelectOptionAsync("true");
        await page.GetByLabel("Keep this mapping as").FillAsync("Kitchen supplier");
        await PictureAsync(page, "mapping-chosen");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check the file with these columns" }).ClickAsync();
        await Expect(page.GetByText("The dry run is done; nothing is stored yet.")).ToBeVisibleAsync();
        Assert.That(page.Url, Does.EndWith(first));

        await HandInAsync(page, "kitchens-again.csv", InventedPortfolio.UnknownLayout(41));
        await page.GetByRole(AriaRole.Link, new() { Name = "Name the columns" }).ClickAsync();
        await page.GetByLabel("Saved mapping").SelectOptionAsync(new SelectOptionValue { Label = "Kitchen supplier" });
        await page.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await Expect(page.GetByLabel("Paid out")).ToHaveValueAsync("disbursed");
    }

    [Test]
    public async Task A_session_that_ended_in_the_middle_of_a_form_loses_no_word_and_no_file()
    {
        var page = await OpenAsync();
        await HandInAsync(page, "half-filled.csv", InventedPortfolio.UnknownLayout(25));
        await page.GetByRole(AriaRole.Link, new() { Name = "Name the columns" }).ClickAsync();
        await page.GetByLabel("Contract").SelectOptionAsync("loanNumber");
        await page.GetByLabel("Keep this mapping as").FillAsync("Half filled");
        var mapping = page.Url;

        await page.Context.ClearCookiesAsync(new() { Name = "camino.session" });
        await page.GetByRole(AriaRole.Button, new() { Name = "Check the file with these columns" }).ClickAsync();
        await Expect(page.Locator(".message")).ToContainTextAsync("Your session has ended");
        await PictureAsync(page, "session-ended");
        await SignInTests.SignInAsync(page, "officer@demo.camino.example", RunningCamino.Password);
        await Expect(page).ToHaveURLAsync(mapping);
        await Expect(page.GetByLabel("Contract")).ToHaveValueAsync("loanNumber");
        await Expect(page.GetByLabel("Keep this mapping as")).ToHaveValueAsync("Half filled");

        await page.GotoAsync("/imports");
        await page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = "late.csv", MimeType = "text/csv", Buffer = InventedPortfolio.Csv(10, "LATE") });
        await page.Context.ClearCookiesAsync(new() { Name = "camino.session" });
        Tolerate("401");
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Your session has ended");
        await Expect(page.Locator("#file")).Not.ToHaveValueAsync("");
    }

    [Test]
    public async Task A_portfolio_goes_in_by_keyboard_alone()
    {
        var page = await OpenAsync();
        // asked for before the page is there: a browser that is told only with the key may open its own window instead
        var chosen = new TaskCompletionSource<IFileChooser>(TaskCreationOptions.RunContinuationsAsynchronously);
        page.FileChooser += (_, chooser) => chosen.TrySetResult(chooser);
        await page.GotoAsync("/imports");
        await page.Keyboard.PressAsync("Tab");
        Assert.That(await FocusedAsync(page), Is.EqualTo("Skip to content"));
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("main")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator("#file")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        var chooser = await chosen.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await chooser.SetFilesAsync(new FilePayload { Name = "keys.csv", MimeType = "text/csv", Buffer = InventedPortfolio.Csv(30, "KEYS") });
        await page.Keyboard.PressAsync("Tab");
        Assert.That(await FocusedAsync(page), Is.EqualTo("Upload"));
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(OneImport());
        await Expect(page.GetByText("The dry run is done; nothing is stored yet.")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Import these rows" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".head-sub .chip")).ToHaveTextAsync("Done");

        await page.Keyboard.PressAsync("/");
        await Expect(page.Locator("#top-search")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("KEYS-000003");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 result");
    }

    [Test]
    public async Task Without_scripts_a_file_goes_in_and_its_page_comes_up_to_date_by_itself()
    {
        var page = await OpenAsync(script: false);
        await page.GotoAsync("/imports");
        await page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = "plain.csv", MimeType = "text/csv", Buffer = InventedPortfolio.Csv(30, "PLAIN") });
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(OneImport());
        await Expect(page.GetByText("The dry run is done; nothing is stored yet.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Import these rows" }).ClickAsync();
        await Expect(page.Locator(".head-sub .chip")).ToHaveTextAsync("Done");
    }

    private static async Task<string> HandInAsync(IPage page, string name, byte[] content)
    {
        await page.GotoAsync("/imports");
        await page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = name, MimeType = "text/csv", Buffer = content });
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(OneImport());
        return new Uri(page.Url).AbsolutePath;
    }

    /// <summary>Keeps one loan's row for the caller, so that an import stops there.</summary>
    private static async Task HoldAsync(NpgsqlConnection connection, string number)
    {
        await using var command = new NpgsqlCommand("select 1 from camino.loans where number = $1 for update", connection) { Parameters = { new() { Value = number } } };
        Assert.That(await command.ExecuteScalarAsync(), Is.Not.Null);
    }

    /// <summary>The same loans, each with another number of employees.</summary>
    private static byte[] Changed(byte[] csv)
    {
        var lines = System.Text.Encoding.UTF8.GetString(csv).Split("\r\n");
        for (var i = 1; i < lines.Length - 1; i++)
        {
            var cells = lines[i].Split(',');
            cells[11] = "77";
            lines[i] = string.Join(',', cells);
        }
        return System.Text.Encoding.UTF8.GetBytes(string.Join("\r\n", lines));
    }

    [System.Text.RegularExpressions.GeneratedRegex("/imports/[0-9a-f-]{36}$", System.Text.RegularExpressions.RegexOptions.None, 1_000)]
    private static partial System.Text.RegularExpressions.Regex OneImport();

    private static Task<long> CountAsync(string prefix) => Site.Camino.ScalarAsync<long>($"select count(*) from camino.loans where number like '{prefix}-%'");
}
