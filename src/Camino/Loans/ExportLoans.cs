using System.Globalization;
using System.Text;
using Camino.Branches;
using Camino.Imports;
using Camino.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Npgsql;

namespace Camino.Loans;

/// <summary>Streams the filtered list of loans as CSV with the headings of Camino's own template, so that it can be corrected and handed in again: loans of other sources are changed by files of their own and rejected then.</summary>
public static class ExportLoans
{
    /// <summary>Rows of one file at most; the page says so.</summary>
    public const int MaxRows = 1_000_000;

    private const int FlushEveryChars = 64 * 1024;

    private static readonly string[] ExtraHeadings = ["Source", "AmountFrom", "AmountTo"];

    /// <summary><c>GET /loans/export.csv</c> with the filter of the page's address.</summary>
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/loans/export.csv", GetAsync).RequireAuthorization(Permissions.LoansExport).ExcludeFromDescription();

    private static async Task GetAsync(HttpContext context, NpgsqlDataSource source, BranchScope scope, TimeProvider clock)
    {
        var ct = context.RequestAborted;
        // as long as the request may last, which ends the statement with it: a file over a slow line takes longer than the database's user is given for one statement
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var unlimited = new NpgsqlCommand("set local statement_timeout = 0; set local plan_cache_mode = force_custom_plan", connection, transaction))
            await unlimited.ExecuteNonQueryAsync(ct);
        await using var command = LoanSql.Export(connection, LoanFilter.FromQuery(context.Request.Query) with { Branches = scope.Seen }, MaxRows);
        command.Transaction = transaction;
        await using var rows = await command.ExecuteReaderAsync(ct);
        var name = $"loans-{clock.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.csv";
        context.Response.ContentType = "text/csv; charset=utf-8";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}\"";

        // spreadsheets take a file for UTF-8 only when it begins with a mark
        var text = new StringBuilder("\uFEFF", FlushEveryChars + 4096);
        text.Append(CsvText.Line([.. Layouts.TemplateCsv.Split(','), .. ExtraHeadings]));
        var cells = new string?[rows.FieldCount];
        while (await rows.ReadAsync(ct))
        {
            for (var i = 0; i < cells.Length; i++)
                cells[i] = rows.IsDBNull(i) ? null : Cell(rows.GetName(i), rows.GetValue(i));
            text.Append(CsvText.Line(cells));
            if (text.Length >= FlushEveryChars)
                await FlushAsync(context, text, ct);
        }

        await FlushAsync(context, text, ct);
    }

    private static string Cell(string column, object value) => (column, value) switch
    {
        ("status", short status) => ((LoanStatus)status).ToString(),
        ("source", short source) => ((LoanSource)source).ToString(),
        (_, DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        (_, DateTime day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        (_, IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static async Task FlushAsync(HttpContext context, StringBuilder text, CancellationToken ct)
    {
        foreach (var chunk in text.GetChunks())
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(chunk.ToArray()), ct);
        text.Clear();
    }
}
