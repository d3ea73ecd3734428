using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Applications.Underwriting;
using Camino.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>The credit policy, what it says about an application, the checklist, and an offer against the recommendation: usable by everybody.</summary>
internal sealed class UnderwritingLookTests : BrowserTest
{
    [Test]
    public async Task Policy_assessment_checklist_and_override_suit_everybody_in_both_languages_and_themes()
    {
        await LoanBook.OpenAsync();
        await SanctionsLists.ImportedAsync();
        // nothing that other tests on the same site would run into: their offers are smaller, and nothing is declined by points
        var document = (await SeedPolicy.DocumentAsync(CancellationToken.None)).Replace("\"from\": \"0.00\"", "\"from\": \"20000.00\"", StringComparison.Ordinal).Replace("\"declineBelow\": 340", "\"declineBelow\": 100", StringComparison.Ordinal);
        await KeepAsync(document, publish: true);
        var id = await HandInAsync();

        var page = await OpenAsync("admin");
        await page.GotoAsync($"/applications/{id}");
        await Expect(page.Locator("#evaluation")).ToContainTextAsync("Less than six months in business");
        await page.Locator("#evaluation summary").First.ClickAsync();
        await Expect(page.Locator("#checklist")).ToContainTextAsync("ticked by: Loan officer, Underwriter");
        var officer = await OpenAsync("officer");
        await officer.GotoAsync($"/applications/{id}");
        await LeaveAsync(officer, () => officer.Locator("#checklist form button:has-text('Tick')").First.ClickAsync());
        await Expect(officer.Locator("#checklist")).ToContainTextAsync("Open again");
        await SuitsEverybodyAsync($"/applications/{id}", "application-assessed");
        await SuitsEverybodyAsync($"/applications/{id}/evaluations/1", "evaluation");

        await KeepAsync(document.Replace("\"approveFrom\": 520", "\"approveFrom\": 540", StringComparison.Ordinal).Replace("\"below\": \"500\"", "\"below\": \"520\"", StringComparison.Ordinal), publish: false);
        var draft = await Site.Camino.ScalarAsync<int>("select max(number) from camino.credit_policies");
        await SuitsEverybodyAsync("/underwriting", "policies");
        await SuitsEverybodyAsync($"/underwriting/{draft}", "policy-draft");
        await SuitsEverybodyAsync("/underwriting/edit", "policy-edit");

        await page.GotoAsync($"/applications/{id}/offers/new");
        await page.GetByLabel("Principal").FillAsync("9000");
        await page.GetByLabel("Interest rate").FillAsync("12");
        await page.GetByLabel("Installments", new() { Exact = true }).FillAsync("12");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Show the schedule" }).ClickAsync());
        await Expect(page.Locator("main")).ToContainTextAsync("Against the recommendation");
        await MustSuitAsync(page, "an offer against the recommendation", "offer-override", "en", "light");
        await page.SetViewportSizeAsync(1400, 900);
        await page.GetByLabel("Why").SelectOptionAsync("guarantee");
        await page.GetByLabel("In your own words").FillAsync("A second owner guarantees");
        await LeaveAsync(page, () => page.GetByRole(AriaRole.Button, new() { Name = "Make this offer" }).ClickAsync());
        await Expect(page.Locator("main")).ToContainTextAsync("Additional guarantee: A second owner guarantees");
    }

    private static async Task KeepAsync(string document, bool publish)
    {
        await using var scope = Site.Camino.Office.Services.CreateAsyncScope();
        var by = (await scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.FirstAsync(user => user.UserName == "admin@demo.camino.example")).Id;
        await scope.ServiceProvider.GetRequiredService<SavePolicyDraft>().RunAsync(document, "Stricter about credit scores", null, by, CancellationToken.None);
        if (publish)
            await scope.ServiceProvider.GetRequiredService<PublishPolicy>().RunAsync(by, CancellationToken.None);
    }

    /// <summary>A young business with a month of statements.</summary>
    private static async Task<Guid> HandInAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications", UriKind.Relative))
        {
            Content = JsonContent.Create(new { name = "Saffron Street Catering LLC", phones = new[] { "415-555-0179" }, amount = "24000.00", termMonths = 18, annualRevenue = "140000.00", startedOn = DateTime.UtcNow.AddMonths(-4).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) }),
        };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await Site.Camino.Api.SendAsync(request);
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("applicationId").GetGuid();
        await UntilAsync(async () => await Site.Camino.ScalarAsync<short>($"select state from camino.applications where id = '{id}'") == 3);
        using var body = new StringContent("Date,Description,Amount,Balance\n2026-01-02,Opening,100.00,5000.00\n2026-01-12,Rapid Advance Funding,-600.00,4400.00\n2026-01-30,Sales,9000.00,13400.00\n", Encoding.UTF8, "text/csv");
        (await Site.Camino.Api.PostAsync(new Uri($"/api/v1/applications/{id}/statements?fileName=january.csv", UriKind.Relative), body)).Dispose();
        await UntilAsync(async () => await Site.Camino.ScalarAsync<long>($"select count(*) from camino.application_evaluations where application_id = '{id}'") >= 2);
        return id;
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await isSo())
            await timer.WaitForNextTickAsync(limit.Token);
    }
}
