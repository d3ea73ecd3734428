using System.CommandLine;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>What people at their pages wait for among a million borrowers and loans: idle, beside a bare endpoint that asks the database three questions, and while an import runs.</summary>
internal sealed class PagesBench(Bed bed, Report report, int perSecond)
{
    private const int Batch = 50_000;
    private const double MostMilliseconds = 100;
    private const double MostTransferred = 150_000;
    private const long FirstNumber = 1_000_000_000;
    private const long FirstNumberOfOtherRows = 5_000_000_000;
    private const string Bare = "bare endpoint, three questions";

    private static readonly Option<int> s_rate = new("--rate") { Description = "Requests a second, 1 to 2,000; 200 by default, 40 with --quick.", DefaultValueFactory = _ => 0 };

    /// <summary>The verb with its option.</summary>
    public static Command Verb() => BenchVerb.Create("pages", "Page times at a fixed rate of requests among 1,000,000 borrowers and loans: idle, beside a bare endpoint, and during an import.", async (report, parsed, ct) =>
    {
        var rate = parsed.GetValue(s_rate) is var given and not 0 ? given : report.Quick ? 40 : 200;
        if (rate is < 1 or > 2_000)
            throw new BenchFailedException(string.Create(CultureInfo.InvariantCulture, $"--rate is 1 to 2,000; got {rate}."));
        await using var bed = await Bed.StartAsync(report, ct);
        await new PagesBench(bed, report, rate).RunAsync(ct);
    }, s_rate);

    private async Task RunAsync(CancellationToken ct)
    {
        var rows = report.Quick ? 50_000 : 1_000_000;
        var duration = TimeSpan.FromSeconds(report.Quick ? 12 : 60);
        var sample = LoanFile.Sample();
        report.Remark($"Rows: {sample.Description}.");
        report.Say($"importing {rows:#,0} loans to look at");
        var there = LoanFile.Write(Path.Combine(bed.Folder, "there.csv"), sample, rows, FirstNumber, gzip: false, ct);
        await bed.EndOfAsync((await bed.HandInAsync(there.Path, dryRun: false, ct)).Id, ct);
        // long enough an import to look at pages while it runs, also on a faster machine
        var other = LoanFile.Write(Path.Combine(bed.Folder, "other.csv"), sample, report.Quick ? 1_000_000 : 5_000_000, FirstNumberOfOtherRows, gzip: false, ct);
        await FillBorrowersAsync(rows, ct);
        await bed.QuietAsync(ct);
        report.Say("vacuum");
        await bed.RunAsync("vacuum analyze", ct);
        await bed.RunAsync("checkpoint", ct);
        var (loansThere, borrowersThere) = (await bed.ScalarAsync<long>("select count(*) from camino.loans", ct), await bed.ScalarAsync<long>("select count(*) from camino.borrowers", ct));
        report.Remark(string.Create(CultureInfo.InvariantCulture, $"{loansThere:#,0} loans, {borrowersThere:#,0} borrowers."));

        var browsers = await bed.SignAllInAsync(ct);
        var pages = await PagesAsync(ct);
        await FirstViewAsync(ct);
        var loop = new OpenLoop(browsers, perSecond, pages);
        report.Say("warming up");
        await loop.RunAsync(TimeSpan.FromSeconds(report.Quick ? 5 : 20), ct);
        report.Say($"idle, {duration.TotalSeconds:0} s");
        var idle = await loop.RunAsync(duration, ct);

        report.Say($"the bare endpoint, {duration.TotalSeconds:0} s");
        var bare = await BareAsync(duration, ct);

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

        Compare(pages.Select(page => page.Page), idle, during, bare);
        report.Add(new Figure("import", "the import meanwhile", (after.GetProperty("rows").GetInt64() - before) / duration.TotalSeconds, "rows/s"));
        foreach (var browser in browsers)
            browser.Dispose();
        report.Check("every page answered 200 and whole", idle.TrueForAll(one => one.Right) && during.TrueForAll(one => one.Right));
        report.Remark(string.Create(CultureInfo.InvariantCulture, $"{perSecond} requests a second, {pages.Count} pages in turn, {browsers.Count} people signed in; times run from the moment a request was due, so a slow answer does not hide the wait of the next. This program, the bare endpoint in it, and PostgreSQL share the cores with both roles."));
    }

    private async Task FillBorrowersAsync(int borrowers, CancellationToken ct)
    {
        report.Say(string.Create(CultureInfo.InvariantCulture, $"adding {borrowers:#,0} borrowers"));
        for (var from = 1; from <= borrowers; from += Batch)
        {
            await using var fill = bed.Database.CreateCommand(SearchBench.Fill);
            fill.Parameters.Add(new NpgsqlParameter { Value = from });
            fill.Parameters.Add(new NpgsqlParameter { Value = Math.Min(borrowers, from + Batch - 1) });
            await fill.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>What people and programs look at, each at places that no cache would like.</summary>
    private async Task<IReadOnlyList<(string Page, Func<long, string> Path)>> PagesAsync(CancellationToken ct)
    {
        var loans = await LoanIdsAsync(bed, ct);
        var borrowers = await IdsAsync("select id from camino.borrowers where merged_into is null order by md5(id::text) limit 1000", ct);
        var serviced = await IdsAsync("select id from camino.serviced_loans order by id limit 1000", ct);
        return
        [
            ("/", _ => "/"),
            ("/loans", _ => "/loans"),
            ("/loans, a page in the middle", turn => $"/loans?after=~{At(loans, turn)}"),
            ("/loans/{id}", turn => $"/loans/{At(loans, turn)}"),
            ("/borrowers", _ => "/borrowers"),
            ("/borrowers/{id}", turn => $"/borrowers/{At(borrowers, turn)}"),
            ("/servicing", _ => "/servicing"),
            ("/servicing/{id}", turn => $"/servicing/{At(serviced, turn)}"),
            ("/applications", _ => "/applications"),
            ("/portfolio", _ => "/portfolio"),
        ];
    }

    /// <summary>What a browser that knows nothing transfers for its first page: the page with its styles and scripts, compressed.</summary>
    private async Task FirstViewAsync(CancellationToken ct)
    {
        using var handler = new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None, UseCookies = true };
        using var plain = new HttpClient(handler) { BaseAddress = bed.Api.BaseAddress };
        var page = await (await GetAsync(plain, "/sign-in", "identity", ct)).Content.ReadAsStringAsync(ct);
        var bytes = (await (await GetAsync(plain, "/sign-in", "br", ct)).Content.ReadAsByteArrayAsync(ct)).LongLength;
        foreach (var part in page.Split('"').Where(text => text.StartsWith('/') && (text.Contains(".css", StringComparison.Ordinal) || text.Contains(".js", StringComparison.Ordinal) || text.Contains(".woff2", StringComparison.Ordinal) || text.Contains(".svg", StringComparison.Ordinal))).Distinct())
            bytes += (await (await GetAsync(plain, part.Split('#')[0], "br", ct)).Content.ReadAsByteArrayAsync(ct)).LongLength;
        report.Add(new Figure("first-view", "a first view, with styles and scripts", bytes, "bytes") { AtMost = MostTransferred });
    }

    private static async Task<HttpResponseMessage> GetAsync(HttpClient client, string path, string encoding, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative)) { Headers = { { "Accept-Encoding", encoding } } };
        return await client.SendAsync(request, ct);
    }

    /// <summary>The least that a framework endpoint with three questions needs: a session, a list, a borrower.</summary>
    private async Task<List<PageTime>> BareAsync(TimeSpan duration, CancellationToken ct)
    {
        var borrowers = await IdsAsync("select id from camino.borrowers where merged_into is null order by md5(id::text) limit 1000", ct);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapGet("/{id:guid}", async (Guid id, CancellationToken aborted) =>
        {
            await using var connection = await bed.Database.OpenConnectionAsync(aborted);
            var answer = new List<object>();
            foreach (var sql in new[] { "select id, user_name, email, display_name from camino.staff_users limit 1", "select id, name, sort_name from camino.borrowers where merged_into is null order by sort_name, id limit 50", "select id, name, trade_name, language from camino.borrowers where id = $1" })
            {
                await using var command = new NpgsqlCommand(sql, connection);
                if (sql.Contains("$1", StringComparison.Ordinal))
                    command.Parameters.Add(new NpgsqlParameter { Value = id });
                await using var found = await command.ExecuteReaderAsync(aborted);
                while (await found.ReadAsync(aborted))
                    answer.Add(found.GetValue(1));
            }

            return Results.Text("<html>" + string.Join('\n', answer) + "</html>", "text/html");
        });
        await app.StartAsync(ct);
        using var client = new HttpClient { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.First() ?? throw new BenchFailedException("The bare endpoint has no address.")) };
        var loop = new OpenLoop([client], perSecond, [(Bare, turn => $"/{At(borrowers, turn)}")]);
        await loop.RunAsync(TimeSpan.FromSeconds(5), ct);
        var times = await loop.RunAsync(duration, ct);
        await app.StopAsync(ct);
        return times;
    }

    private void Compare(IEnumerable<string> pages, List<PageTime> idle, List<PageTime> during, List<PageTime> bare)
    {
        var limit = Times(bare, Bare);
        report.Add(new Figure("bare.p50", Bare + ", p50", OpenLoop.Percentile(limit, 50), "ms"));
        report.Add(new Figure("bare.p99", Bare + ", p99", OpenLoop.Percentile(limit, 99), "ms"));
        var (allIdle, allDuring) = (All(idle), All(during));
        report.Add(new Figure("all.idle.p50", "all pages idle, p50", OpenLoop.Percentile(allIdle, 50), "ms"));
        report.Add(new Figure("all.idle.p99", "all pages idle, p99", OpenLoop.Percentile(allIdle, 99), "ms") { AtMost = MostMilliseconds });
        report.Add(new Figure("all.idle.ratio", "  p50 as a multiple of the bare endpoint's", OpenLoop.Percentile(allIdle, 50) / OpenLoop.Percentile(limit, 50), "x"));
        report.Add(new Figure("all.during.p50", "all pages during the import, p50", OpenLoop.Percentile(allDuring, 50), "ms"));
        report.Add(new Figure("all.during.p99", "all pages during the import, p99", OpenLoop.Percentile(allDuring, 99), "ms") { AtMost = MostMilliseconds });
        foreach (var page in pages)
        {
            var (quiet, busy) = (Times(idle, page), Times(during, page));
            report.Add(new Figure($"{page}.idle.p50", $"{page} idle, p50", OpenLoop.Percentile(quiet, 50), "ms"));
            report.Add(new Figure($"{page}.idle.p99", $"{page} idle, p99", OpenLoop.Percentile(quiet, 99), "ms") { AtMost = MostMilliseconds });
            report.Add(new Figure($"{page}.during.p99", $"{page} during the import, p99", OpenLoop.Percentile(busy, 99), "ms") { AtMost = MostMilliseconds });
        }
    }

    private static List<double> All(List<PageTime> samples) => [.. samples.Select(sample => sample.Milliseconds).Order()];

    private static List<double> Times(List<PageTime> samples, string page) => [.. samples.Where(sample => sample.Page == page).Select(sample => sample.Milliseconds).Order()];

    private static Guid At(List<Guid> ids, long turn) => ids[(int)(turn % ids.Count)];

    /// <summary>Loans to look at, in no order that a cache would like.</summary>
    internal static Task<List<Guid>> LoanIdsAsync(Bed bed, CancellationToken ct) => IdsAsync(bed, "select id from camino.loans order by md5(number) limit 1000", ct);

    private Task<List<Guid>> IdsAsync(string sql, CancellationToken ct) => IdsAsync(bed, sql, ct);

    private static async Task<List<Guid>> IdsAsync(Bed bed, string sql, CancellationToken ct)
    {
        var ids = new List<Guid>();
        await using var command = bed.Database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            ids.Add(reader.GetGuid(0));
        return ids.Count > 0 ? ids : throw new BenchFailedException($"Nothing came of {sql}");
    }
}
