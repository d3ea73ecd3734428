using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>A person writes a note, makes a task of it, does it, and the pages on the way suit everybody.</summary>
internal sealed class TaskJourneyTests : BrowserTest
{
    [Test]
    public async Task A_note_and_a_task_about_a_borrower_are_written_found_and_done()
    {
        var page = await OpenAsync("admin");
        await page.GotoAsync("/borrowers/edit");
        await page.FillAsync("#Name", "Morning Glory Bakery LLC");
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        var borrower = new Uri(page.Url).AbsolutePath;

        await page.ClickAsync("summary:has-text('Write a note')");
        await page.FillAsync("#note-text", "The owner prefers to be called after four.\n@officer knows her.");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Save" }).First.ClickAsync());
        await Expect(page.Locator(".note-lines")).ToContainTextAsync("called after four");
        await page.GetByRole(AriaRole.Link, new() { Name = "New task" }).ClickAsync();
        await page.FillAsync("#title", "Ask for the new lease");
        await page.FillAsync("#due", DateTime.UtcNow.AddDays(3).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Add task" }).ClickAsync());
        var task = new Uri(page.Url).AbsolutePath;
        await Expect(page.Locator("main")).ToContainTextAsync("Morning Glory Bakery LLC");

        await page.GotoAsync("/");
        await Expect(page.Locator("main")).ToContainTextAsync("Ask for the new lease");
        foreach (var (path, picture) in ((string, string)[])[("/tasks", "tasks"), ("/tasks/new", "task-new"), (task, "task"), (borrower, "borrower-follow-up"), ("/notes" + borrower.Replace("borrowers", "borrower", StringComparison.Ordinal), "notes"), ("/tasks?whose=asked&state=over", "tasks-over")])
            await SuitsEverybodyAsync(path, picture);

        await page.GotoAsync(task);
        await page.FillAsync("#outcome", "Lease until 2031.");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "It is done" }).ClickAsync());
        await Expect(page.Locator(".line")).ToContainTextAsync("Lease until 2031.");
        await page.GotoAsync("/tasks");
        await Expect(page.Locator("main")).Not.ToContainTextAsync("Ask for the new lease");
    }
}
