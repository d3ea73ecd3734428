using System.Text.RegularExpressions;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>What servicing staff do all day, from the booking to the correction of a mistake.</summary>
internal sealed class LoanJourneyTests : BrowserTest
{
    [Test]
    public async Task A_loan_is_booked_disbursed_paid_looked_at_and_a_wrong_payment_is_taken_back()
    {
        await LoanBook.OpenAsync();
        var page = await OpenAsync();
        await page.GotoAsync("/servicing");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Link, new() { Name = "Book a loan" }).ClickAsync());

        await page.GetByLabel("Borrower", new() { Exact = true }).FillAsync("Marigold Print Shop LLC");
        await page.GetByLabel("Principal", new() { Exact = true }).FillAsync("12,000.00");
        await page.GetByLabel("Interest rate").FillAsync("12");
        await page.GetByLabel("Installments", new() { Exact = true }).FillAsync("12");
        await page.GetByLabel("Hand out on").FillAsync("2026-01-01");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Show the schedule" }).ClickAsync());
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(12);
        await PictureAsync(page, "journey-book-preview");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Book this loan" }).ClickAsync());

        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Marigold Print Shop LLC");
        await Expect(page.Locator("main")).ToContainTextAsync("No money has been handed out yet");
        await PictureAsync(page, "journey-booked");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Link, new() { Name = "Disburse", Exact = true }).ClickAsync());
        await page.GetByLabel("Counts from").FillAsync("2026-01-01");
        await CarryOutAsync(page, "Disburse");
        await Expect(Tile(page, "Principal owed")).ToHaveTextAsync("$12,000.00");
        await Expect(Tile(page, "Past due")).ToContainTextAsync("28 days late");

        await LeaveAsync(page, () => page.GetByRole(AriaRole.Link, new() { Name = "Record payment", Exact = true }).ClickAsync());
        await Expect(page.GetByLabel("Amount", new() { Exact = true })).Not.ToHaveValueAsync("");
        await page.GetByLabel("Amount", new() { Exact = true }).FillAsync("1100.00");
        await page.GetByLabel("Counts from").FillAsync("2026-02-01");
        await page.GetByLabel("Note").FillAsync("by check");
        await CarryOutAsync(page, "Record payment");

        var schedule = page.Locator("section[aria-labelledby=schedule-head] tbody tr");
        await Expect(schedule.First).ToContainTextAsync("Paid");
        await Expect(page.Locator("section[aria-labelledby=history-head] tbody tr")).ToHaveCountAsync(2);
        await Expect(page.Locator("section[aria-labelledby=history-head]")).ToContainTextAsync("by check");
        await Expect(page.Locator("section[aria-labelledby=why-head]")).ToContainTextAsync("A payment was received.");
        await page.GetByText("Show the entries").ClickAsync();
        var ledger = page.Locator("section[aria-labelledby=ledger-head]");
        await Expect(ledger).ToContainTextAsync("Loans receivable");
        await Expect(ledger).ToContainTextAsync("$1,100.00");
        Assert.That(await SumAsync(ledger, 5), Is.EqualTo(await SumAsync(ledger, 6)), "Debits and credits");
        await PictureAsync(page, "journey-paid");

        await LeaveAsync(page, () => page.Locator("section[aria-labelledby=history-head] tbody tr").First.GetByRole(AriaRole.Link, new() { Name = "Take back" }).ClickAsync());
        await Expect(page.GetByLabel("Entry")).ToHaveValueAsync("2");
        await CarryOutAsync(page, "Take back");
        await Expect(schedule.First).ToContainTextAsync("Unpaid");
        await Expect(page.Locator("tr.is-void")).ToContainTextAsync("Taken back by #3");
        await Expect(Tile(page, "Principal owed")).ToHaveTextAsync("$12,000.00");
        await page.GetByText("Show the entries").ClickAsync();
        await Expect(ledger).ToContainTextAsync("correction");
        Assert.That(await SumAsync(ledger, 5), Is.EqualTo(await SumAsync(ledger, 6)), "Debits and credits");
        await PictureAsync(page, "journey-reversed");
    }

    [Test]
    public async Task A_payment_confirmed_by_a_double_click_is_received_once()
    {
        var loan = await (await LoanBook.OpenAsync()).DisbursedLoanAsync();
        var page = await OpenAsync();
        await PreviewPaymentAsync(page, loan);

        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).DblClickAsync());

        await Expect(page.Locator("section[aria-labelledby=history-head] tbody tr")).ToHaveCountAsync(2);
        Assert.That(await EventsAsync(loan), Is.EqualTo(2));
    }

    [Test]
    public async Task A_payment_confirmed_again_after_the_back_button_is_received_once()
    {
        var loan = await (await LoanBook.OpenAsync()).DisbursedLoanAsync();
        var page = await OpenAsync();
        await PreviewPaymentAsync(page, loan);
        var again = await SendableAsync(page);
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync());

        // what the browser sends when the reader goes back, agrees to send the form again, and confirms a second time
        var answer = await page.EvaluateAsync<string>("async ([address, body]) => (await fetch(address, { method: 'POST', body: new URLSearchParams(body) })).url", again);

        Assert.That(answer, Does.Contain($"/servicing/{loan}?done=record-payment"));
        await page.ReloadAsync();
        await Expect(page.Locator("section[aria-labelledby=history-head] tbody tr")).ToHaveCountAsync(2);
        Assert.That(await EventsAsync(loan), Is.EqualTo(2));
    }

    [Test]
    public async Task A_booking_confirmed_by_a_double_click_books_one_loan()
    {
        await LoanBook.OpenAsync();
        var page = await OpenAsync();
        await page.GotoAsync("/servicing/new");
        await page.GetByLabel("Borrower", new() { Exact = true }).FillAsync("Twice Pressed Laundry Inc");
        await page.GetByLabel("Principal", new() { Exact = true }).FillAsync("5000");
        await page.GetByLabel("Interest rate").FillAsync("10");
        await page.GetByLabel("Installments", new() { Exact = true }).FillAsync("6");
        await LeaveAsync(page, () => page.Locator(".command-form button").ClickAsync());

        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Book this loan" }).DblClickAsync());

        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Twice Pressed Laundry Inc");
        Assert.That(await Site.Camino.ScalarAsync<long>("select count(*) from camino.serviced_loans where borrower_name = 'Twice Pressed Laundry Inc'"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_loan_that_changed_since_the_preview_is_shown_again_before_anything_is_done()
    {
        var book = await LoanBook.OpenAsync();
        var loan = await book.DisbursedLoanAsync();
        var page = await OpenAsync();
        await PreviewPaymentAsync(page, loan);
        await book.OkAsync(loan, "charge-fee", new { on = "2026-02-12", amount = "30.00", portion = "fee" });

        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync());

        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("changed since you looked");
        await Expect(page.Locator("#preview-head")).ToBeVisibleAsync();
        Assert.That(await EventsAsync(loan), Is.EqualTo(2));
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync());
        await Expect(page.GetByRole(AriaRole.Status).First).ToContainTextAsync("Record payment");
        Assert.That(await EventsAsync(loan), Is.EqualTo(3));
    }

    [Test]
    public async Task The_payoff_follows_the_chosen_day_and_refuses_a_day_that_is_past()
    {
        var loan = await (await LoanBook.OpenAsync()).DisbursedLoanAsync();
        var page = await OpenAsync();
        await page.GotoAsync($"/servicing/{loan}");
        var panel = page.Locator("section[aria-labelledby=payoff-head]");
        await Expect(panel.GetByLabel("Paid on")).ToHaveValueAsync("2026-03-01");
        var today = await DollarsAsync(panel.Locator(".payoff-sum strong"));
        var perDay = await DollarsAsync(panel.Locator("dd").Nth(3));

        await panel.GetByLabel("Paid on").FillAsync("2026-03-11");
        await LeaveAsync(page, () => panel.GetByRole(AriaRole.Button, new() { Name = "Work out" }).ClickAsync());

        await Expect(panel.Locator(".payoff-sum")).ToContainTextAsync("Mar 11, 2026");
        Assert.That(await DollarsAsync(panel.Locator(".payoff-sum strong")), Is.EqualTo(today + (10 * perDay)).Within(0.06m));
        await PictureAsync(page, "payoff", whole: false);

        await page.GotoAsync($"/servicing/{loan}?payoff=2026-02-01");
        await Expect(panel.GetByRole(AriaRole.Alert)).ToContainTextAsync("business date");
    }

    [Test]
    public async Task A_restructuring_is_tried_out_before_it_is_done_and_keeps_what_was()
    {
        var loan = await LoanBook.LateLoanAsync();
        var page = await OpenAsync();
        await page.GotoAsync($"/servicing/{loan}");
        await page.Locator(".command-menu summary").ClickAsync();
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Link, new() { Name = "Restructure" }).ClickAsync());

        await TryRestructuringAsync(page, "18");
        var shorter = await DollarsAsync(page.Locator("section[aria-labelledby=preview-head] tr.is-new td:nth-child(6)").Last);
        await TryRestructuringAsync(page, "24");
        var longer = await DollarsAsync(page.Locator("section[aria-labelledby=preview-head] tr.is-new td:nth-child(6)").Last);
        Assert.That(longer, Is.LessThan(shorter), "More installments are lower ones.");
        Assert.That(await EventsAsync(loan), Is.EqualTo(7), "A preview keeps nothing.");

        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync());
        await Expect(page.Locator("section[aria-labelledby=history-head] tbody tr").First).ToContainTextAsync("Restructured");
        await Expect(page.Locator("section[aria-labelledby=why-head]")).ToContainTextAsync("restructured to 24 installments");
        await PictureAsync(page, "journey-restructured");
    }

    [Test]
    public async Task A_payment_is_taken_with_the_keyboard_alone()
    {
        var loan = await (await LoanBook.OpenAsync()).DisbursedLoanAsync();
        var page = await OpenAsync();
        await page.GotoAsync($"/servicing/{loan}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Record payment", Exact = true }).FocusAsync();
        await LeaveAsync(page, () => page.Keyboard.PressAsync("Enter"));

        await page.GetByLabel("Amount", new() { Exact = true }).FocusAsync();
        await page.Keyboard.PressAsync("Control+A");
        await page.Keyboard.TypeAsync("1066.19");
        await LeaveAsync(page, () => page.Keyboard.PressAsync("Enter"));
        await Expect(page.Locator("#preview-head")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).FocusAsync();
        await LeaveAsync(page, () => page.Keyboard.PressAsync("Enter"));

        await Expect(page.GetByRole(AriaRole.Status).First).ToContainTextAsync("Done: Record payment");
        await page.Locator(".command-menu summary").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        Assert.That(await FocusedAsync(page), Is.EqualTo("Disburse").Or.EqualTo("Returned payment"));
    }

    [Test]
    public async Task A_refusal_stands_on_the_form_in_the_readers_language_and_keeps_what_was_typed()
    {
        var loan = await (await LoanBook.OpenAsync()).DisbursedLoanAsync();
        var page = await OpenAsync(language: "es");
        await page.GotoAsync($"/servicing/{loan}/waive");
        await page.FillAsync("#Amount", "500.00");
        await page.SelectOptionAsync("#Portion", "fee");
        await LeaveAsync(page, () => page.ClickAsync(".command-form button"));

        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("condonar");
        await Expect(page.Locator("#Amount")).ToHaveValueAsync("500.00");
        await Expect(page.Locator("#preview-head")).ToHaveCountAsync(0);
        await PictureAsync(page, "command-refused-es");
    }

    [Test]
    public async Task Somebody_who_may_only_look_is_offered_no_command()
    {
        var loan = await (await LoanBook.OpenAsync()).DisbursedLoanAsync();
        var page = await OpenAsync("viewer");
        await page.GotoAsync($"/servicing/{loan}");
        await Expect(page.Locator("main .tiles")).ToBeVisibleAsync();
        await Expect(page.Locator("main .command-menu, main .button-main, section[aria-labelledby=history-head] a")).ToHaveCountAsync(0);
        await Expect(page.Locator("section[aria-labelledby=payoff-head]")).ToBeVisibleAsync();
    }

    private static async Task PreviewPaymentAsync(IPage page, Guid loan)
    {
        await page.GotoAsync($"/servicing/{loan}/record-payment");
        await page.FillAsync("#Amount", "250.00");
        await page.FillAsync("#On", "2026-02-01");
        await LeaveAsync(page, () => page.ClickAsync(".command-form button"));
        await Expect(page.Locator("#preview-head")).ToBeVisibleAsync();
    }

    private static async Task TryRestructuringAsync(IPage page, string count)
    {
        await page.FillAsync("#Count", count);
        await page.FillAsync("#Until", "2026-04-01");
        await LeaveAsync(page, () => page.ClickAsync(".command-form button"));
        await Expect(page.Locator("#preview-head")).ToBeVisibleAsync();
        await PictureAsync(page, "restructure-" + count);
    }

    /// <summary>Looks at what would change and confirms it.</summary>
    private static async Task CarryOutAsync(IPage page, string command)
    {
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Show what would change" }).ClickAsync());
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = $"Confirm: {command}" }).ClickAsync());
        await Expect(page.GetByRole(AriaRole.Status).First).ToContainTextAsync($"Done: {command}");
    }

    /// <summary>The confirming form's address and fields, as they would be sent.</summary>
    private static async Task<string[]> SendableAsync(IPage page) =>
        await page.EvaluateAsync<string[]>("() => { const form = document.querySelector('section[aria-labelledby=preview-head] form'); return [form.action, new URLSearchParams(new FormData(form)).toString()]; }");

    private static ILocator Tile(IPage page, string name) => page.Locator(".tile", new() { Has = page.GetByText(name, new() { Exact = true }) }).Locator("dd");

    private static Task<long> EventsAsync(Guid loan) => Site.Camino.ScalarAsync<long>($"select count(*) from camino.loan_events where loan_id = '{loan}'");

    private static async Task<decimal> DollarsAsync(ILocator at) => Parse(await at.InnerTextAsync());

    private static async Task<decimal> SumAsync(ILocator table, int column) => (await table.Locator($"tbody td:nth-child({column})").AllInnerTextsAsync()).Where(text => text.Trim().Length > 0).Sum(Parse);

    private static decimal Parse(string text) => decimal.Parse(Regex.Match(text, @"[\d,]+\.\d\d", RegexOptions.None, TimeSpan.FromSeconds(1)).Value, System.Globalization.NumberStyles.Number, System.Globalization.CultureInfo.InvariantCulture);
}
