using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>One large portfolio file from the hand-in to the last row, beside PostgreSQL's own COPY of the same rows on the same server.</summary>
internal sealed class ImportBench(Bed bed, Report report)
{
    private const long FirstNumber = 1_000_000_000;
    private const long FirstNumberOfSecondFile = 5_000_000_000;
    private const double LeastOfCopy = 0.25;
    private const double MostMegabytes = 300;
    private const double MostToAnswer = 0.2;

    public static async Task RunAsync(Report report, CancellationToken ct)
    {
        await using var bed = await Bed.StartAsync(report, ct);
        await new ImportBench(bed, report).RunAsync(ct);
    }

    private async Task RunAsync(CancellationToken ct)
    {
        var rows = report.Quick ? 100_000L : 1_000_000L;
        var sample = LoanFile.Sample();
        report.Remark($"Rows: {sample.Description}.");
        report.Say($"writing {rows:#,0} rows");
        var file = LoanFile.Write(Path.Combine(bed.Folder, "loans-a.csv"), sample, rows, FirstNumber, gzip: false, ct);

        report.Say("dry run");
        var dry = await ImportAsync(file, dryRun: true, ct);
        Check("dry run", dry.End, file);
        report.Add(new Figure("dryRun", "dry run of the new file", rows / dry.Job, "rows/s", $"{Figure.Show(dry.Job)} s"));

        report.Say("import");
        var load = await ImportAsync(file, dryRun: false, ct);
        Check("import", load.End, file);
        await CheckStoredAsync(load.End, ct);
        var analysed = await FollowUpsAsync(ct);

        report.Say("the same file again");
        var again = await ImportAsync(file, dryRun: false, ct);
        Check("second import", again.End, file);
        report.Check("second import: every accepted row is unchanged", Count(again.End, "unchanged") == rows - Count(again.End, "rejected"));
        await bed.QuietAsync(ct);

        var (bare, indexed) = await CopyAsync(ct);
        AddLoad(rows, load, bare, indexed);
        foreach (var (kind, seconds) in analysed)
            report.Add(new Figure($"followUp.{kind}", $"afterwards: {kind}", seconds, "s", "not part of the import's time"));
        report.Add(new Figure("again", "the same file again, all unchanged", rows / again.Job, "rows/s", $"{Figure.Show(again.Job)} s"));

        report.Say("another file, packed");
        var packed = LoanFile.Write(Path.Combine(bed.Folder, "loans-b.csv.gz"), sample, rows, FirstNumberOfSecondFile, gzip: true, ct);
        var gz = await ImportAsync(packed, dryRun: false, ct);
        Check("packed import", gz.End, packed);
        report.Add(new Figure("gz", "import of other rows as .gz, behind the first", rows / gz.Job, "rows/s", $"{Figure.Show(gz.Job)} s") { });
        report.Add(new Figure("gz.ratioToCopy", "  as a part of COPY's speed (no indexes)", bare["csv"] / gz.Job, "x", $"COPY csv {Figure.Show(rows / bare["csv"])} rows/s") { AtLeast = LeastOfCopy });
        report.Add(new Figure("memory.async", "peak memory of the Async Server, whole run", bed.PeakMegabytes("Async"), "MB") { AtMost = MostMegabytes });
        report.Add(new Figure("memory.backOffice", "peak memory of the Back Office, whole run", bed.PeakMegabytes("BackOffice"), "MB") { AtMost = MostMegabytes });
        report.Remark("Memory is VmHWM in megabytes of 1,000,000 bytes: everything resident, shared libraries too.");
    }

    private void AddLoad(long rows, Import load, Dictionary<string, double> bare, Dictionary<string, double> indexed)
    {
        report.Add(new Figure("copy.csv", "PostgreSQL's COPY csv, no indexes", rows / bare["csv"], "rows/s", $"{Figure.Show(bare["csv"])} s"));
        report.Add(new Figure("copy.binary", "PostgreSQL's COPY binary, no indexes", rows / bare["binary"], "rows/s", $"{Figure.Show(bare["binary"])} s"));
        report.Add(new Figure("copy.csv.indexed", "PostgreSQL's COPY csv, indexes of the real table", rows / indexed["csv"], "rows/s", $"{Figure.Show(indexed["csv"])} s"));
        report.Add(new Figure("copy.binary.indexed", "PostgreSQL's COPY binary, indexes of the real table", rows / indexed["binary"], "rows/s", $"{Figure.Show(indexed["binary"])} s"));
        report.Add(new Figure("handIn", "hand-in", load.HandIn, "s"));
        report.Add(new Figure("answer", "  from the last byte sent to the answer", load.Answer, "s") { AtMost = MostToAnswer });
        report.Add(new Figure("load", "import, the job", rows / load.Job, "rows/s", $"{Figure.Show(load.Job)} s"));
        report.Add(new Figure("load.endToEnd", "import, from the first byte handed in", rows / load.EndToEnd, "rows/s", $"{Figure.Show(load.EndToEnd)} s"));
        report.Add(new Figure("load.ratioToCopy", "  as a part of COPY csv, no indexes", bare["csv"] / load.Job, "x") { AtLeast = LeastOfCopy });
        report.Add(new Figure("load.ratioToBinaryCopy", "  as a part of COPY binary, no indexes", bare["binary"] / load.Job, "x"));
        report.Add(new Figure("load.ratioToIndexedCopy", "  as a part of COPY csv with indexes", indexed["csv"] / load.Job, "x"));
        report.Add(new Figure("load.ratioToIndexedBinaryCopy", "  as a part of COPY binary with indexes", indexed["binary"] / load.Job, "x"));
    }

    private async Task<Import> ImportAsync(LoanFile file, bool dryRun, CancellationToken ct)
    {
        await bed.RunAsync("checkpoint", ct);
        var begun = DateTimeOffset.UtcNow;
        var started = Stopwatch.GetTimestamp();
        var (id, afterLastByte) = await bed.HandInAsync(file.Path, dryRun, ct);
        var handIn = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var end = await bed.EndOfAsync(id, ct);
        var finished = end.GetProperty("finishedAt").GetDateTimeOffset();
        return new Import(end, handIn, afterLastByte, (finished - end.GetProperty("startedAt").GetDateTimeOffset()).TotalSeconds, (finished - begun).TotalSeconds);
    }

    /// <summary>Each format twice, the faster one counts: the peer gets the better chance.</summary>
    private async Task<(Dictionary<string, double> Bare, Dictionary<string, double> Indexed)> CopyAsync(CancellationToken ct)
    {
        report.Say("PostgreSQL's COPY of the same rows");
        var peer = new CopyPeer(bed);
        await peer.PrepareAsync(ct);
        var bare = new Dictionary<string, double>();
        var indexed = new Dictionary<string, double>();
        foreach (var _ in Enumerable.Range(0, 2))
        {
            foreach (var format in new[] { "csv", "binary" })
            {
                bare[format] = Math.Min(bare.GetValueOrDefault(format, double.MaxValue), await peer.MeasureAsync(format, indexed: false, ct));
                indexed[format] = Math.Min(indexed.GetValueOrDefault(format, double.MaxValue), await peer.MeasureAsync(format, indexed: true, ct));
            }
        }

        report.Remark("COPY was measured twice in each form, and its faster time counts. Binary spares PostgreSQL reading text, which an import of a text file cannot spare.");
        return (bare, indexed);
    }

    private async Task<List<(string Kind, double Seconds)>> FollowUpsAsync(CancellationToken ct)
    {
        await bed.QuietAsync(ct);
        var times = new List<(string, double)>();
        await using var command = bed.Database.CreateCommand("select kind, extract(epoch from max(finished_at - started_at))::float8 from jobs.finished where kind in ('loans.index-names', 'portfolio.refresh') group by kind order by kind");
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            times.Add((reader.GetString(0), reader.GetDouble(1)));
        return times;
    }

    /// <summary>Counts add up to the rows of the file, accepted and rejected sums to the file's own.</summary>
    private void Check(string step, JsonElement end, LoanFile file)
    {
        var all = Count(end, "imported") + Count(end, "unchanged") + Count(end, "corrected") + Count(end, "rejected");
        report.Check(string.Create(CultureInfo.InvariantCulture, $"{step}: {Count(end, "imported"):#,0} imported + {Count(end, "unchanged"):#,0} unchanged + {Count(end, "corrected"):#,0} corrected + {Count(end, "rejected"):#,0} rejected = {file.Rows:#,0} rows"), all == file.Rows && Count(end, "rows") == file.Rows);
        foreach (var (name, sum) in new[] { ("disbursed", file.Disbursed), ("approved", file.Approved), ("guaranteed", file.Guaranteed), ("chargedOff", file.ChargedOff) })
        {
            var found = Amount(end.GetProperty("accepted"), name) + Amount(end.GetProperty("rejectedSums"), name);
            report.Check(string.Create(CultureInfo.InvariantCulture, $"{step}: {name} adds up to {sum:#,0.00}"), found == sum);
        }
    }

    /// <summary>What the report says is what the table holds.</summary>
    private async Task CheckStoredAsync(JsonElement end, CancellationToken ct)
    {
        await using var command = bed.Database.CreateCommand("select count(*), sum(disbursed), sum(approved) from camino.loans");
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var right = reader.GetInt64(0) == Count(end, "imported") + Count(end, "corrected") && reader.GetDecimal(1) == Amount(end.GetProperty("accepted"), "disbursed") && reader.GetDecimal(2) == Amount(end.GetProperty("accepted"), "approved");
        report.Check("import: the table holds the rows and the sums that were reported", right);
    }

    private static long Count(JsonElement end, string name) => end.GetProperty(name).GetInt64();

    private static decimal Amount(JsonElement sums, string name) => sums.GetProperty(name).GetString() is { } text ? decimal.Parse(text, CultureInfo.InvariantCulture) : 0m;

    private sealed record Import(JsonElement End, double HandIn, double Answer, double Job, double EndToEnd);
}
