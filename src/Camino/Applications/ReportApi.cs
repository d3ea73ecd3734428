using System.Globalization;
using System.Text;
using Camino.Clients;
using Camino.Imports;
using Camino.Servicing;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Camino.Applications;

/// <summary>The report of applications for programs and as a file.</summary>
public static class ReportApi
{
    /// <summary>Adds the endpoint to <c>/api/v1</c>.</summary>
    public static void MapReportApi(this IEndpointRouteBuilder api) =>
        api.MapGet("/reports/applications", GetAsync).RequireAuthorization(Permissions.ApplicationsRead).WithSummary("How applications of a period went through the house: states, times, decisions; a client is told of those that it handed in")
            .Asks("from", "The first day (UTC) on which they were taken in, such as 2026-03-01; left out, 90 days up to the last.").Asks("to", "The last day; left out, today.");

    /// <summary><c>GET /reports/applications.csv</c> with the period of the page's address.</summary>
    public static void MapReportDownload(this IEndpointRouteBuilder pages) => pages.MapGet("/reports/applications.csv", DownloadAsync).RequireAuthorization(Permissions.LoansExport).ExcludeFromDescription();

    /// <param name="HalfSeconds">Half of the stays that ended took so long at most.</param>
    /// <param name="NineOfTenSeconds">Nine of ten took so long at most.</param>
    public sealed record FunnelView(string State, long Reached, long Stays, long? HalfSeconds, long? NineOfTenSeconds)
    {
        public static FunnelView Of(FunnelLine line) => new(Words.Camel(line.State), line.Reached, line.Stays, Whole(line.Half), Whole(line.Most));
    }

    /// <param name="Group"><c>all</c>, <c>client</c>, <c>product</c> or <c>officer</c>.</param>
    /// <param name="Name">Null: typed by staff, nothing offered, or nobody decided.</param>
    /// <param name="ApprovalPercent">Approved of all that were decided, with one decimal; null where none was.</param>
    /// <param name="DecisionHalfSeconds">From being taken in to the first offer or refusal.</param>
    public sealed record ReportLineView(string Group, string? Name, long Received, long Approved, long Accepted, long Booked, long Declined, long Open, string Amount, string? ApprovalPercent, long? DecisionHalfSeconds, long? DecisionNineOfTenSeconds)
    {
        public static ReportLineView Of(ReportLine line) => new(
            Words.Camel(line.Group), line.Name, line.Received, line.Approved, line.Accepted, line.Booked, line.Declined, line.Open, Words.Amount(line.Amount), Percent(line.ApprovalRate), Whole(line.DecisionHalf), Whole(line.DecisionMost));
    }

    public sealed record ReportView(DateOnly From, DateOnly To, IReadOnlyList<FunnelView> Funnel, IReadOnlyList<ReportLineView> Lines);

    private static async Task<Ok<ReportView>> GetAsync(HttpContext context, ReportApplications report, TimeProvider clock, CancellationToken ct)
    {
        var client = context.Features.Get<KnownClient>();
        var found = await report.RunAsync(ReportPeriod.FromQuery(context.Request.Query, Today(clock)) with { Client = client?.Id }, ct);
        // who decides is no business of a program
        var lines = found.Lines.Where(line => client is null || line.Group is not (ReportGroup.Client or ReportGroup.Officer));
        return TypedResults.Ok(new ReportView(found.Period.From, found.Period.To, [.. found.Funnel.Select(FunnelView.Of)], [.. lines.Select(ReportLineView.Of)]));
    }

    private static async Task<IResult> DownloadAsync(HttpContext context, ReportApplications report, TimeProvider clock, CancellationToken ct)
    {
        var found = await report.RunAsync(ReportPeriod.FromQuery(context.Request.Query, Today(clock)), ct);
        return Results.File(Encoding.UTF8.GetBytes(Csv(found)), "text/csv; charset=utf-8", string.Create(CultureInfo.InvariantCulture, $"applications-{found.Period.From:yyyy-MM-dd}-{found.Period.To:yyyy-MM-dd}.csv"));
    }

    /// <summary>Both tables one below the other; no cell can become a formula.</summary>
    internal static string Csv(ApplicationReport report)
    {
        var text = new StringBuilder("\uFEFF"); // spreadsheets take a file for UTF-8 only when it begins with a mark
        text.Append(CsvText.Line(["Group", "Name", "Received", "Approved", "Accepted", "Booked", "Declined", "Open", "Amount", "ApprovalPercent", "DecisionHoursP50", "DecisionHoursP90"]));
        foreach (var line in report.Lines)
            text.Append(CsvText.Line([line.Group.ToString(), line.Name, Number(line.Received), Number(line.Approved), Number(line.Accepted), Number(line.Booked), Number(line.Declined), Number(line.Open), Words.Amount(line.Amount), Percent(line.ApprovalRate), Hours(line.DecisionHalf), Hours(line.DecisionMost)]));
        text.Append("\r\n").Append(CsvText.Line(["State", "Reached", "StaysEnded", "HoursP50", "HoursP90"]));
        foreach (var line in report.Funnel)
            text.Append(CsvText.Line([line.State.ToString(), Number(line.Reached), Number(line.Stays), Hours(line.Half), Hours(line.Most)]));
        return text.ToString();
    }

    internal static DateOnly Today(TimeProvider clock) => DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string? Percent(decimal? share) => share is { } part ? (part * 100m).ToString("0.0", CultureInfo.InvariantCulture) : null;

    private static string? Hours(TimeSpan? time) => time?.TotalHours.ToString("0.00", CultureInfo.InvariantCulture);

    private static long? Whole(TimeSpan? time) => time is { } span ? (long)Math.Round(span.TotalSeconds) : null;
}
