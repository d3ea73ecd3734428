using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>A charge-off from the accountant's form to the administrator's yes, as both see it.</summary>
internal sealed class ApprovalJourneyTests : BrowserTest
{
    [Test]
    public async Task A_charge_off_that_the_accountant_asks_for_is_approved_by_the_administrator()
    {
        var loan = await LoanBook.LateLoanAsync();
        var accountant = await OpenAsync("accountant");
        await accountant.GotoAsync($"/servicing/{loan}/charge-off");
        await Expect(accountant.Locator("main .lead")).ToContainTextAsync("A second person has to approve it.");
        await accountant.GetByLabel("Note").FillAsync("No answer since December.");
        await LeaveAsync(accountant, () => accountant.ClickAsync(".command-form button"));
        await LeaveAsync(accountant, () => accountant.ClickAsync("section[aria-labelledby=preview-head] form button"));
        await Expect(accountant.GetByRole(AriaRole.Status).First).ToContainTextAsync("This waits for a second person now");
        await PictureAsync(accountant, "approval-asked");
        await LeaveAsync(accountant, () => accountant.GetByRole(AriaRole.Link, new() { Name = "Look at the request" }).ClickAsync());
        await Expect(accountant.GetByRole(AriaRole.Button, new() { Name = "Withdraw the request" })).ToBeVisibleAsync();
        await Expect(accountant.GetByRole(AriaRole.Button, new() { Name = "Approve and carry out" })).ToHaveCountAsync(0);
        var request = new Uri(accountant.Url).AbsolutePath;

        foreach (var (language, theme) in LanguagesAndThemes)
        {
            var look = await OpenAsync("admin", language: language, theme: theme);
            await look.GotoAsync(request);
            await Expect(look.Locator("#change-title")).ToBeVisibleAsync();
            Assert.That(await look.Locator("main").InnerTextAsync(), Does.Not.Contain("Approvals.").And.Not.Contain("ApprovalKind.").And.Not.Contain("ApprovalState."));
            await MustSuitAsync(look, $"request ({language})", "approval", language, theme);
            await look.SetViewportSizeAsync(1400, 900);
            await look.GotoAsync("/approvals");
            await MustSuitAsync(look, $"requests ({language})", "approvals", language, theme);
        }

        var admin = await OpenAsync("admin");
        await admin.GotoAsync("/");
        await Expect(admin.Locator(".tiles-of-links")).ToContainTextAsync("your approval");
        await PictureAsync(admin, "approval-home");
        await admin.GotoAsync(request);
        await Expect(admin.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Charge off loan");
        await admin.GetByLabel("Note").FillAsync("Seen with the collector.");
        await LeaveAsync(admin, () => admin.GetByRole(AriaRole.Button, new() { Name = "Approve and carry out" }).ClickAsync());
        await Expect(admin.Locator(".head-sub .chip")).ToHaveTextAsync("Approved");
        await PictureAsync(admin, "approval-approved");

        await accountant.GotoAsync("/notices");
        await LeaveAsync(accountant, () => accountant.GetByRole(AriaRole.Button, new() { Name = "Approved and carried out: Charge-off." }).First.ClickAsync());
        await Expect(accountant.Locator("main")).ToContainTextAsync("Seen with the collector.");
        await accountant.GotoAsync($"/servicing/{loan}");
        await Expect(accountant.Locator(".head-sub .chip")).ToHaveTextAsync("Charged off");
    }

    [Test]
    public async Task A_request_is_decided_without_any_script()
    {
        var book = await LoanBook.OpenAsync();
        var loan = await book.DisbursedLoanAsync();
        var accountant = await OpenAsync("accountant", script: false);
        await accountant.GotoAsync($"/servicing/{loan}/charge-off");
        await accountant.ClickAsync(".command-form button");
        await accountant.ClickAsync("section[aria-labelledby=preview-head] form button");
        await accountant.GetByRole(AriaRole.Link, new() { Name = "Look at the request" }).ClickAsync();
        await Expect(accountant.Locator("#own-title")).ToBeVisibleAsync();

        var admin = await OpenAsync("admin", script: false);
        await admin.GotoAsync(new Uri(accountant.Url).AbsolutePath);
        await admin.GetByLabel("Reason").FillAsync("They paid this morning.");
        await admin.GetByRole(AriaRole.Button, new() { Name = "Decline" }).ClickAsync();
        await Expect(admin.Locator(".head-sub .chip")).ToHaveTextAsync("Declined");
        await Expect(admin.Locator("main")).ToContainTextAsync("They paid this morning.");
    }
}
