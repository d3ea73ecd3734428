using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>Bank statements on the page of an application, and the report of applications: handed in without scripts, usable by everybody.</summary>
internal sealed class StatementTests : BrowserTest
{
    [Test]
    public async Task A_statement_is_handed_in_without_scripts_and_its_figures_charts_and_lines_suit_everybody()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications", UriKind.Relative)) { Content = JsonContent.Create(new { name = "Juniper & Sons Roofing LLC", phones = new[] { "912 555 0166" }, amount = "45000" }) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await Site.Camino.Api.SendAsync(request);
        var address = "/applications/" + (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("applicationId").GetGuid();
        var page = await OpenAsync("officer", script: false);
        await page.GotoAsync(address);
        await page.ClickAsync("summary:has-text('Add a statement')");
        await page.SetInputFilesAsync("#statement-file", new FilePayload { Name = "operating-2026.csv", MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(HalfAYear()) });
        await page.FillAsync("#statement-account", "4417");
        await page.ClickAsync("form[action*=AddStatement] button");
        await Expect(page.Locator("section[aria-labelledby=statements-head] .chip").First).ToHaveTextAsync("Read");

        await Expect(page.Locator("path.balance-line")).ToHaveCountAsync(1);
        await Expect(page.Locator("section[aria-labelledby=statements-head]")).ToContainTextAsync("Same debit nearly every day");
        await SuitsEverybodyAsync(address, "application-statements");
        await SuitsEverybodyAsync(address + "/lines", "statement-lines");
        await SuitsEverybodyAsync("/reports/applications", "application-report");
        await page.GotoAsync(address + "/lines?kind=lenders");
        await Expect(page.Locator("tbody tr").First).ToContainTextAsync("HARBOR RECEIVABLES");
    }

    /// <summary>An invented half year of an account that slips below zero now and then, with a daily debit from April on.</summary>
    private static string HalfAYear()
    {
        var text = new StringBuilder("Date,Description,Amount,Balance\n");
        var balance = 6_200m;
        for (var day = new DateOnly(2026, 1, 2); day <= new DateOnly(2026, 6, 30); day = day.AddDays(1))
        {
            if (day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday)
                continue;
            if (day.DayNumber % 4 == 0)
                Add("DEPOSIT CUSTOMER CHECKS", 1_450m + (day.DayNumber % 7 * 310m));
            if (day.DayNumber % 5 == 0)
                Add($"SUPPLY HOUSE {day.DayNumber}", -1_310m - (day.DayNumber % 3 * 220m));
            if (day.Day is 15 or 30)
                Add("PAYROLL", -6_900m);
            if (day.Month >= 4)
                Add($"ACH DEBIT HARBOR RECEIVABLES {day.DayNumber}", -189m);
            if (day.Day == 16 && balance < 0m)
                Add("OVERDRAFT FEE", -36m);

            void Add(string what, decimal amount)
            {
                balance += amount;
                text.Append(CultureInfo.InvariantCulture, $"{day:MM/dd/yyyy},{what},{amount:0.00},{balance:0.00}\n");
            }
        }

        return text.ToString();
    }
}
