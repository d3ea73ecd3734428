using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Camino.Testing;

namespace Camino.Benchmarks;

/// <summary>The nightly close of many loans, on an ordinary night and on one at whose end interest is posted for every loan, beside bare updates of as many rows.</summary>
internal sealed partial class CloseBench(Report report)
{
    private const int Batch = 50; // as the close has it

    public static Task RunAsync(Report report, CancellationToken ct) => new CloseBench(report).RunAsync(ct);

    private async Task RunAsync(CancellationToken ct)
    {
        var loans = report.Quick ? 4_000 : 20_000;
        await using var bed = await Bed.StartAsync(report, ct);
        await bed.QuietAsync(ct);
        report.Say($"copying one loan {loans} times");
        var model = await bed.ScalarAsync<string>("select id::text from camino.serviced_loans where borrower_name like 'Copper Kettle%'", ct);
        var events = await bed.ScalarAsync<long>($"select count(*) from camino.loan_events where loan_id = '{model}'", ct);
        await ManyLoans.CopyAsync(bed.Database, Guid.Parse(model), loans, ct);
        using var office = await bed.SignInAsync(ct);

        var update = await UpdateAsync(bed, loans, ct);
        report.Add(new Figure("update", "bare update of as many rows, 50 to a transaction, one connection", loans / update, "rows/s"));
        var plain = await CloseAsync(bed, office, "an ordinary night", ct);
        // on to the last days of the month, so that the next close posts the month's interest
        var today = await TodayAsync(bed, ct);
        var last = new DateOnly(today.Year, today.Month, DateTime.DaysInMonth(today.Year, today.Month)).AddDays(-1);
        await bed.RunAsync($"update camino.business_day set today = '{last:yyyy-MM-dd}'", ct);
        var posting = await CloseAsync(bed, office, "a night that posts", ct);
        Add("plain", "close of an ordinary night", plain, update, loans);
        Add("posting", "close of a night that posts interest for each loan", posting, update, loans);
        report.Check("every loan reached the business date", await bed.ScalarAsync<long>("select count(*) from camino.serviced_loans where as_of < (select today from camino.business_day)", ct) == 0);
        report.Check("no loan was set aside", await bed.ScalarAsync<long>("select count(*) from camino.serviced_loans where set_aside_at is not null", ct) == 0);
        report.Check("the last close posted for each loan", await bed.ScalarAsync<long>("select count(distinct loan_id) from camino.ledger_transactions where posted_on = (select today from camino.business_day)", ct) >= loans);
        report.Check("the ledger comes to zero", await bed.ScalarAsync<decimal>("select sum(amount) from camino.ledger_entries", ct) == 0m);
        report.Remark($"Copies of one invented loan of 24 months with {events} events; one Async Server of {Environment.ProcessorCount} cores' usual slots, PostgreSQL durable on the same machine. From the press of the button to the end of the last chunk.");
    }

    private void Add(string key, string what, double seconds, double update, int loans) => report.Add(new Figure(
        key, what, loans / seconds, "loans/s", string.Create(CultureInfo.InvariantCulture, $"{update / seconds:0.000} of the bare update; a million loans in {1_000_000 * seconds / loans / 60:0} min")));

    /// <summary>What nobody can be faster than: the same rows, locked, updated and committed, and nothing else.</summary>
    private async Task<double> UpdateAsync(Bed bed, int loans, CancellationToken ct)
    {
        report.Say("bare updates");
        await bed.RunAsync("create table public.peer as select row_number() over (order by id)::int as n, as_of, days_past_due, accrued_interest, terms from camino.serviced_loans; alter table public.peer add primary key (n); analyze public.peer", ct);
        var started = Stopwatch.GetTimestamp();
        await using (var connection = await bed.Database.OpenConnectionAsync(ct))
        {
            await using var update = connection.CreateCommand();
            update.CommandText = "update public.peer set as_of = as_of + 1, accrued_interest = accrued_interest + 0.01 where n > $1 and n <= $2";
            update.Parameters.Add(new() { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });
            update.Parameters.Add(new() { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });
            await update.PrepareAsync(ct);
            for (var done = 0; done < loans; done += Batch)
            {
                (update.Parameters[0].Value, update.Parameters[1].Value) = (done, done + Batch);
                await update.ExecuteNonQueryAsync(ct);
            }
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await bed.RunAsync("drop table public.peer", ct);
        return seconds;
    }

    private async Task<double> CloseAsync(Bed bed, HttpClient office, string night, CancellationToken ct)
    {
        report.Say(night);
        var today = await TodayAsync(bed, ct);
        var started = Stopwatch.GetTimestamp();
        var page = await office.GetStringAsync(new Uri("/books", UriKind.Relative), ct);
        using var form = new FormUrlEncodedContent([new("__RequestVerificationToken", WebUtility.HtmlDecode(TokenField().Match(page).Groups["value"].Value)), new("closes", today.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))]);
        using var answer = await office.PostAsync(new Uri("/books?handler=Close", UriKind.Relative), form, ct);
        if ((int)answer.StatusCode is not (302 or 303))
            throw new BenchFailedException($"The close answered {(int)answer.StatusCode}.");
        while (await bed.ScalarAsync<long>("select count(*) from camino.close_runs where finished_at is null", ct) > 0)
            await Task.Delay(20, ct);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<DateOnly> TodayAsync(Bed bed, CancellationToken ct) =>
        DateOnly.ParseExact(await bed.ScalarAsync<string>("select to_char(today, 'YYYY-MM-DD') from camino.business_day", ct), "yyyy-MM-dd", CultureInfo.InvariantCulture);

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"(?<value>[^\"]+)\"", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex TokenField();
}
