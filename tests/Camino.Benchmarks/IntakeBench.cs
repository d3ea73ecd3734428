using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Camino.Benchmarks;

/// <summary>How soon an application of a program is taken in: alone, while another program floods the server, and while one sends a bulk request, with the Async Server at work on all of them.</summary>
internal sealed class IntakeBench(Bed bed, Report report)
{
    private const int PerSecond = 20;
    private const int FloodPerSecond = 200;
    private const double MostMilliseconds = 50;
    private static readonly string[] s_words = ["Juniper", "Harbor", "Cedar", "Willow", "Granite", "Heron", "Copper", "Prairie", "Lantern", "Meadow", "Falcon", "Orchard"];
    private int _number;

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var bed = await Bed.StartAsync(report, ct);
        await new IntakeBench(bed, report).RunAsync(ct);
    }

    private async Task RunAsync(CancellationToken ct)
    {
        var duration = TimeSpan.FromSeconds(report.Quick ? 8 : 60);
        var lines = report.Quick ? 2_000 : 100_000;
        using var broker = await bed.ProgramAsync("Broker", 100_000, 10_000, ct);
        using var flood = await bed.ProgramAsync("Flood", 600, 60, ct);
        using var bulk = await bed.ProgramAsync("Marketplace", 100_000, 10_000, ct);
        var loop = new OpenLoop([broker], PerSecond, _ => ("application", Request(Application())), (status, _) => status == HttpStatusCode.Accepted);
        report.Say("warming up");
        await loop.RunAsync(TimeSpan.FromSeconds(report.Quick ? 3 : 15), ct);

        report.Say("one row inserted and committed, over and over: the least that anything that is kept can take");
        var bare = await BareAsync(report.Quick ? 200 : 1_000, ct);
        report.Add(new Figure("bare.p50", "a bare row, inserted and committed, p50", OpenLoop.Percentile(bare, 50), "ms"));

        report.Say(string.Create(CultureInfo.InvariantCulture, $"{PerSecond} applications a second, {duration.TotalSeconds:0} s"));
        Add("alone", "alone", await loop.RunAsync(duration, ct), bare);

        report.Say(string.Create(CultureInfo.InvariantCulture, $"another program sends {FloodPerSecond} a second"));
        var taken = 0;
        var flooding = new OpenLoop([flood], FloodPerSecond, _ => ("flood", Request(Application())), (status, _) =>
        {
            if (status == HttpStatusCode.Accepted)
                Interlocked.Increment(ref taken);
            return status is HttpStatusCode.Accepted or HttpStatusCode.TooManyRequests;
        }).RunAsync(duration, ct);
        Add("flood", "beside a flood", await loop.RunAsync(duration, ct), bare);
        var flooded = await flooding;
        report.Check("every request of the flood was taken in or told to wait", flooded.TrueForAll(one => one.Right));
        report.Add(new Figure("flood.taken", "of the flood taken in, by its limit of 600 a minute and 60 at once", taken / duration.TotalSeconds, "a second"));

        report.Say(string.Create(CultureInfo.InvariantCulture, $"one request with {lines:#,0} lines"));
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var sending = BulkAsync(bulk, lines, ct);
        var beside = new List<PageTime>();
        while (!sending.IsCompleted)
            beside.AddRange(await loop.RunAsync(TimeSpan.FromSeconds(2), ct));
        var (accepted, seconds) = await sending;
        report.Check(string.Create(CultureInfo.InvariantCulture, $"all {lines:#,0} lines of the bulk request were accepted"), accepted == lines);
        report.Add(new Figure("bulk.lines", string.Create(CultureInfo.InvariantCulture, $"a bulk request of {lines:#,0} lines"), lines / seconds, "lines/s", string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s")));
        Add("bulk", "beside the bulk request", beside, bare);
        report.Remark("Both roles, the outside services of `camino up`, PostgreSQL and this program share the cores, and the Async Server works the checks of what was taken in meanwhile; times run from the moment a request was due.");
    }

    private void Add(string key, string where, List<PageTime> times, List<double> bare)
    {
        var sorted = times.Select(time => time.Milliseconds).Order().ToList();
        report.Check($"every application {where} was answered 202", times.TrueForAll(time => time.Right));
        report.Add(new Figure($"{key}.p50", $"an application taken in {where}, p50", OpenLoop.Percentile(sorted, 50), "ms", string.Create(CultureInfo.InvariantCulture, $"{OpenLoop.Percentile(sorted, 50) / OpenLoop.Percentile(bare, 50):0.0} times a bare row")) { AtMost = MostMilliseconds });
        report.Add(new Figure($"{key}.p99", "  p99", OpenLoop.Percentile(sorted, 99), "ms") { AtMost = MostMilliseconds });
    }

    private async Task<List<double>> BareAsync(int rows, CancellationToken ct)
    {
        await bed.RunAsync("create table public.bare (id uuid primary key, body text)", ct);
        var times = new List<double>();
        await using var connection = await bed.Database.OpenConnectionAsync(ct);
        for (var i = 0; i < rows; i++)
        {
            await using var insert = new Npgsql.NpgsqlCommand("insert into public.bare values (gen_random_uuid(), repeat('x', 500))", connection);
            var began = Stopwatch.GetTimestamp();
            await insert.ExecuteNonQueryAsync(ct);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        times.Sort();
        return times;
    }

    /// <returns>How many lines were accepted, and the seconds from the first byte sent to the last one of the answer.</returns>
    private async Task<(int Accepted, double Seconds)> BulkAsync(HttpClient client, int lines, CancellationToken ct)
    {
        var body = new StringBuilder();
        for (var i = 0; i < lines; i++)
            body.Append(JsonSerializer.Serialize(Application())).Append('\n');
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications/bulk", UriKind.Relative)) { Content = new StringContent(body.ToString(), Encoding.UTF8, "application/x-ndjson") };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        client.Timeout = TimeSpan.FromHours(1);
        var began = Stopwatch.GetTimestamp();
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        var accepted = 0;
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(ct));
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            if (line.Contains("\"accepted\"", StringComparison.Ordinal))
                accepted++;
        }

        return (accepted, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    private static HttpRequestMessage Request(object application)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications", UriKind.Relative)) { Content = JsonContent.Create(application) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        return request;
    }

    /// <summary>An invented one that is like no other.</summary>
    private object Application()
    {
        var number = Interlocked.Increment(ref _number);
        return new
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{s_words[number % s_words.Length]} {s_words[number / s_words.Length % s_words.Length]} {number} LLC"),
            phones = new[] { string.Create(CultureInfo.InvariantCulture, $"512 {200 + (number / 10_000)} {number % 10_000:0000}") },
            amount = "25000.00",
            ein = string.Create(CultureInfo.InvariantCulture, $"47-{number % 10_000_000:0000000}"),
            creditConsent = true,
            owners = new[] { new { name = "Rosa Diaz", sharePercent = "100", isGuarantor = true, birthDate = "1980-01-02", taxNumber = string.Create(CultureInfo.InvariantCulture, $"{123 + (number / 9_999)}-45-{1 + (number % 9_999):0000}") } },
        };
    }
}
