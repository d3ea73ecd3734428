using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>A person adds a picture to a borrower, looks at it, and the pages suit everybody.</summary>
internal sealed class DocumentJourneyTests : BrowserTest
{
    /// <summary>A picture of 120 by 80 points.</summary>
    private static async Task<byte[]> PictureAsync()
    {
        var page = await Site.Browser.NewPageAsync();
        await page.SetViewportSizeAsync(120, 80);
        await page.SetContentAsync("<body style='background:linear-gradient(135deg,#2b6,#26b)'></body>");
        var picture = await page.ScreenshotAsync();
        await page.CloseAsync();
        return picture;
    }

    [Test]
    public async Task A_document_is_added_to_a_borrower_seen_and_taken_off()
    {
        var page = await OpenAsync("admin");
        await page.GotoAsync("/borrowers/edit");
        await page.FillAsync("#Name", "Juniper Street Pottery LLC");
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        var borrower = new Uri(page.Url).AbsolutePath;
        await page.GetByRole(AriaRole.Link, new() { Name = "Add a document, see all" }).ClickAsync();
        var list = new Uri(page.Url).AbsolutePath;
        await page.SetInputFilesAsync("#file", new FilePayload { Name = "shop window.png", MimeType = "image/png", Buffer = await PictureAsync() });
        await page.SelectOptionAsync("#kind", "registration");
        await page.FillAsync("#expires", "2031-12-31");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Add document" }).ClickAsync());
        var document = new Uri(page.Url).AbsolutePath;
        await Expect(page.Locator("main h1")).ToHaveTextAsync("shop window");
        Assert.That(await page.Locator(".document-picture").EvaluateAsync<int>("picture => picture.naturalWidth"), Is.EqualTo(120), "the picture is shown");

        foreach (var (path, picture) in ((string, string)[])[(list, "documents"), (document, "document"), (borrower, "borrower-documents")])
            await SuitsEverybodyAsync(path, picture);

        await page.ClickAsync("summary:has-text('Take off')");
        await page.FillAsync("#reason", "Belongs to another borrower");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Take off" }).ClickAsync());
        await Expect(page.Locator("main")).ToContainTextAsync("No documents yet");
    }

    [Test]
    public async Task An_applicant_is_asked_for_documents_and_both_pages_suit_everybody()
    {
        var page = await OpenAsync("admin");
        await page.GotoAsync("/applications/new");
        await page.FillAsync("#Name", "Willow Creek Nursery LLC");
        await page.FillAsync("#Phone-0", "(912) 555-0187");
        await page.FillAsync("#Amount", "12000");
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Willow Creek Nursery LLC");
        var application = new Uri(page.Url).AbsolutePath;
        await page.GotoAsync(application + "/ask");
        await page.GetByLabel("Bank statement").CheckAsync();
        await page.FillAsync("#note", "The last three months, all pages.");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Make the link" }).ClickAsync());
        var link = new Uri(await page.Locator("[data-link]").InnerTextAsync()).PathAndQuery;
        await PictureAsync(page, "ask-link");
        await SuitsEverybodyAsync(application + "/ask", "ask");

        var applicant = await OpenAsync(user: null);
        await applicant.GotoAsync(link);
        await Access.CheckAsync(applicant, "/upload");
        await applicant.SetViewportSizeAsync(320, 640);
        Assert.That(await IsTooWideAsync(applicant), Is.False);
        await PictureAsync(applicant, "upload-phone");
        await applicant.SetInputFilesAsync("#file", new FilePayload { Name = "march.png", MimeType = "image/png", Buffer = await PictureAsync() });
        await LeaveAsync(applicant, () => applicant.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync());
        await Expect(applicant.GetByRole(AriaRole.Status)).ToContainTextAsync("the file is here");
    }
}
