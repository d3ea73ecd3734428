using System.Globalization;

namespace Camino.Benchmarks;

/// <summary>What people at their pages notice of an import.</summary>
internal sealed class PagesBench(Bed bed, Report report)
{
    private const int RequestsPerSecond = 20;
    private const double MostTimesIdle = 2;
    private const long FirstNumber = 1_000_000_000;
    private const long FirstNumberOfOtherRows = 5_000_000_000;

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var bed = await Bed.StartAsync(report, ct);
        await new PagesBench(bed, report).RunAsync(ct);
    }

    private async Task RunAsync(CancellationToken ct)
    {
        var rows = report.Quick ? 50_000L : 1_000_000L;
        var duration = TimeSpan.FromSeconds(report.Quick ? 12 : 60);
        var sample = LoanFile.Sample();
        report.Remark($"Rows: {sample.Description}.");
        report.Say($"importing {rows:#,0} rows to look at");
        var there = LoanFile.Write(Path.Combine(bed.Folder, "there.csv"), sample, rows, FirstNumber, gzip: false, ct);
        await bed.EndOfAsync((await bed.HandInAsync(there.Path, dryRun: false, ct)).Id, ct);
        // long enough an import to look at pages while it runs, also on a faster machine
        var other = LoanFile.Write(Path.Combine(bed.Folder, "other.csv"), sample, report.Quick ? 1_000_000 : 5_000_000, FirstNumberOfOtherRows, gzip: false, ct);
        await bed.QuietAsync(ct);
        await bed.RunAsync("checkpoint", ct);

        using var browser = await bed.SignInAsync(ct);
        var loans = await LoanIdsAsync(bed, ct);
        var pages = new (string Page, Func<long, string> Path)[] { ("/loans", _ => "/loans"), ("/loans/{id}", turn => $"/loans/{loans[(int)(turn % loans.Count)]}"), ("/portfolio", _ => "/portfolio") };
        var loop = new OpenLoop(browser, RequestsPerSecond, pages);

        report.Say("warming up");
        await loop.RunAsync(TimeSpan.FromSeconds(report.Quick ? 5 : 15), ct);
        report.Say($"idle, {duration.TotalSeconds:0} s");
        var idle = await loop.RunAsync(duration, ct);

        report.Say($"during an import, {duration.TotalSeconds:0} s");
        var (import, _) = await bed.HandInAsync(other.Path, dryRun: false, ct);
        while ((await bed.ImportAsync(import, ct)).GetProperty("rows").GetInt64() == 0)
            await Task.Delay(20, ct);
        var before = (await bed.ImportAsync(import, ct)).GetProperty("rows").GetInt64();
        var during = await loop.RunAsync(duration, ct);
        var after = await bed.ImportAsync(import, ct);
        report.Check("the import ran as long as the pages were measured", after.GetProperty("status").GetString() == "loading");
        using (var cancelled = await bed.Api.PostAsync(new Uri($"/api/v1/imports/{import}/cancel", UriKind.Relative), null, ct))
            cancelled.EnsureSuccessStatusCode();

        Compare(pages.Select(page => page.Page), idle, during);
        report.Add(new Figure("import", "the import meanwhile", (after.GetProperty("rows").GetInt64() - before) / duration.TotalSeconds, "rows/s"));
        report.Check("every page answered 200 and whole", idle.TrueForAll(sample => sample.Right) && during.TrueForAll(sample => sample.Right));
        report.Remark(string.Create(CultureInfo.InvariantCulture, $"{RequestsPerSecond} requests a second, the three pages in turn, signed in; times run from the moment a request was due, so a slow answer does not hide the wait of the next. {idle.Count / 3} requests of each page idle, {during.Count / 3} during the import; this program and PostgreSQL share the cores with both roles."));
    }

    private void Compare(IEnumerable<string> pages, List<PageTime> idle, List<PageTime> during)
    {
        foreach (var page in pages)
        {
            var quiet = Times(idle, page);
            var busy = Times(during, page);
            report.Add(new Figure($"{page}.idle.p50", $"{page} idle, p50", OpenLoop.Percentile(quiet, 50), "ms"));
            report.Add(new Figure($"{page}.idle.p99", $"{page} idle, p99", OpenLoop.Percentile(quiet, 99), "ms"));
            report.Add(new Figure($"{page}.during.p50", $"{page} during the import, p50", OpenLoop.Percentile(busy, 50), "ms"));
            report.Add(new Figure($"{page}.during.p99", $"{page} during the import, p99", OpenLoop.Percentile(busy, 99), "ms"));
            report.Add(new Figure($"{page}.ratio", "  p99 during as a multiple of idle", OpenLoop.Percentile(busy, 99) / OpenLoop.Percentile(quiet, 99), "x") { AtMost = MostTimesIdle });
        }
    }

    private static List<double> Times(List<PageTime> samples, string page) => [.. samples.Where(sample => sample.Page == page).Select(sample => sample.Milliseconds).Order()];

    /// <summary>Loans to look at, in no order that a cache would like.</summary>
    internal static async Task<List<Guid>> LoanIdsAsync(Bed bed, CancellationToken ct)
    {
        var ids = new List<Guid>();
        await using var command = bed.Database.CreateCommand("select id from camino.loans order by md5(number) limit 1000");
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            ids.Add(reader.GetGuid(0));
        return ids;
    }
}
