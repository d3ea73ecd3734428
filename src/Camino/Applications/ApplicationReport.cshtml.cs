using Camino.Lending;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Applications;

/// <summary>How many applications of a period came how far, how long each step took, and what was decided, by client, product and officer.</summary>
[Authorize(Permissions.ApplicationsRead)]
public sealed class ApplicationReportPage(ReportApplications report, TimeProvider clock, IStringLocalizer<Texts> texts) : PageModel
{
    private ApplicationReport? _report;

    public ApplicationReport Report => _report ?? throw new InvalidOperationException("The report was not reckoned.");

    public string? Problem { get; private set; }

    public async Task OnGetAsync(CancellationToken ct)
    {
        var today = ReportApi.Today(clock);
        var period = new ReportPeriod(today.AddDays(1 - ReportPeriod.UsualDays), today);
        try
        {
            period = ReportPeriod.FromQuery(Request.Query, today);
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refused(refused);
        }

        _report = await report.RunAsync(period, ct);
    }

    /// <summary>Two days and more in days, else as durations are written.</summary>
    public static string Days(IStringLocalizer<Texts> texts, TimeSpan time) => time.TotalDays >= 2 ? texts["ApplicationReport.Days", time.TotalDays.ToString("N1", System.Globalization.CultureInfo.CurrentCulture)].Value : Show.Duration(time);
}
