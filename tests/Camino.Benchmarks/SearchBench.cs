using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>The search of everything among a million borrowers with their owners, asked as people ask: through the API, one question after the other, no two alike.</summary>
internal sealed class SearchBench(Bed bed, Report report, int borrowers)
{
    private const int Batch = 50_000;
    private const double MostMilliseconds = 100;

    private static readonly Option<int> s_borrowers = new("--borrowers") { Description = "How many, 1,000 to 10,000,000; 1,000,000 by default, 50,000 with --quick.", DefaultValueFactory = _ => 0 };

    /// <summary>A name of invented syllables, a family or a place, a trade and a form; every tenth has letters with accents.</summary>
    internal const string Fill =
        """
        with made as (
            select camino.new_id() as id, n, array['ba','co','du','fe','gi','hu','ja','ko','lu','mi','no','pe','qui','ro','su','ta','ve','wi','xo','ya','zu','bra','cle','dro','fri','gla','plo','sta','tri','cho'] s,
                array['García','Smith','Núñez','Johnson','Peña','Williams','Muñoz','Brown','López','Miller','Harbor','River','Canyon','Prairie','Summit','Valley','Lakeside','Coastal','Northern','Golden'] f,
                array['Bakery','Trucking','Dental Care','Roofing','Landscaping','Plumbing','Auto Repair','Construction','Cleaning Services','Restaurant','Hair Studio','Consulting'] t,
                array['LLC','Inc','Co','Corp',''] form, ('x' || left(md5(n::text), 8))::bit(32)::bigint as h
            from generate_series($1::int, $2::int) n
        ), named as (
            select id, n, h, s[1 + h % 30] || s[1 + (h / 30) % 30] || s[1 + (h / 900) % 30] || case when n % 10 = 0 then 'ñé' else '' end as word, f[1 + (h / 27000) % 20] as family, f[1 + (h / 540000) % 20] as other, t[1 + (h / 7) % 12] as trade, form[1 + (h / 11) % 5] as form from made
        ), kept as (
            insert into camino.borrowers (id, name, created_at) select id, btrim(initcap(word) || ' ' || family || ' ' || trade || ' ' || form), now() from named
        ), owned as (
            insert into camino.borrower_owners (id, borrower_id, position, name, is_guarantor) select camino.new_id(), id, 1, initcap(reverse(left(word, 6))) || ' ' || other, true from named
        ), called as (
            insert into camino.borrower_contacts (borrower_id, position, kind, value, digits)
            select id, 1, 1, lpad((2000000000 + n)::text, 10, '0'), lpad((2000000000 + n)::text, 10, '0') from named union all select id, 2, 2, 'office' || n || '@example.com', null from named
        )
        insert into camino.borrower_identifiers (id, borrower_id, kind, sealed, hash, last4, set_at, set_by) select camino.new_id(), id, 3, '', sha256(n::text::bytea), lpad((h % 10000)::text, 4, '0'), now(), id from named
        """;

    /// <summary>The verb with its option.</summary>
    public static Command Verb() => BenchVerb.Create("search", "Search among 1,000,000 borrowers with owners: right names, misspelt ones, without accents, last four, phone, e-mail, loan number.", async (report, parsed, ct) =>
    {
        var borrowers = parsed.GetValue(s_borrowers) is var given and not 0 ? given : report.Quick ? 50_000 : 1_000_000;
        if (borrowers is < 1_000 or > 10_000_000)
            throw new BenchFailedException(string.Create(CultureInfo.InvariantCulture, $"--borrowers is 1,000 to 10,000,000; got {borrowers}."));
        await using var bed = await Bed.StartAsync(report, ct);
        await new SearchBench(bed, report, borrowers).RunAsync(ct);
    }, s_borrowers);

    private async Task RunAsync(CancellationToken ct)
    {
        await bed.QuietAsync(ct);
        report.Say(string.Create(CultureInfo.InvariantCulture, $"adding {borrowers:#,0} borrowers"));
        var started = Stopwatch.GetTimestamp();
        for (var from = 1; from <= borrowers; from += Batch)
        {
            await using var fill = bed.Database.CreateCommand(Fill);
            fill.Parameters.Add(new NpgsqlParameter { Value = from });
            fill.Parameters.Add(new NpgsqlParameter { Value = Math.Min(borrowers, from + Batch - 1) });
            await fill.ExecuteNonQueryAsync(ct);
        }

        report.Add(new Figure("fill", "borrowers with owner, contacts and number added, all indexes kept", borrowers / Stopwatch.GetElapsedTime(started).TotalSeconds, "borrowers/s"));
        report.Say("vacuum");
        await bed.RunAsync("vacuum analyze camino.borrowers, camino.borrower_owners, camino.borrower_contacts, camino.borrower_identifiers, camino.search_words", ct);
        await bed.RunAsync("checkpoint", ct);
        var count = report.Quick ? 60 : 300;
        var sample = await SampleAsync(count, ct);
        var accented = await SampleAsync(count, ct, "name ~ '[ñé]{2}'");
        var loan = await bed.ScalarAsync<string>("select number from camino.serviced_loans limit 1", ct);
        await AskAsync("warm", null, sample.Take(20).Select(one => (one.Name, (Guid?)one.Id)), ct);

        await AskAsync("name", "the whole name", sample.Select(one => (one.Name, (Guid?)one.Id)), ct);
        await AskAsync("words", "two words of it, in another order", sample.Select(one => ($"{Part(one.Name, 1)} {Part(one.Name, 0)}", (Guid?)null)), ct);
        await AskAsync("typo", "two letters of the first word exchanged", sample.Select(one => (Exchanged(one.Name), (Guid?)null)), ct);
        await AskAsync("accents", "accents left out", accented.Select(one => (Plain(one.Name), (Guid?)one.Id)), ct);
        await AskAsync("begin", "the first four letters, as typed", sample.Select(one => (one.Name[..4], (Guid?)null)), ct);
        await AskAsync("common", "words that a twentieth of the names have", sample.Select(one => ($"{Part(one.Name, 1)} {Part(one.Name, 2)}", (Guid?)null)), ct);
        await AskAsync("owner", "an owner's name", sample.Select(one => (one.Owner, (Guid?)one.Id)), ct);
        await AskAsync("last4", "last four of a tax number", sample.Select(one => (one.Last4, (Guid?)null)), ct);
        await AskAsync("phone", "a phone", sample.Select(one => (one.Phone, (Guid?)one.Id)), ct);
        await AskAsync("email", "an e-mail address", sample.Select(one => ($"office{one.Phone[1..].TrimStart('0')}@example.com", (Guid?)one.Id)), ct);
        await AskAsync("number", "the number of a loan", Enumerable.Repeat((loan, (Guid?)null), count), ct);
        report.Remark("Every question goes through the API of the Back Office, one after the other, and reads all five kinds; times are what the asker waits. Loans are few: their numbers come from unique indexes whose depth hardly changes.");
    }

    /// <param name="what">Null: only to warm up.</param>
    /// <param name="questions">With the borrower that must be among the hits; null where others may come before it.</param>
    private async Task AskAsync(string key, string? what, IEnumerable<(string Text, Guid? Id)> questions, CancellationToken ct)
    {
        var times = new List<double>();
        var (asked, missed) = (0, 0);
        foreach (var (text, id) in questions)
        {
            var started = Stopwatch.GetTimestamp();
            using var answer = await bed.Api.PostAsJsonAsync(new Uri("/api/v1/search", UriKind.Relative), new { query = text }, ct);
            var found = await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            asked++;
            if (answer.StatusCode != HttpStatusCode.OK || found.GetProperty("groups").GetArrayLength() == 0 || (id is { } wanted && !found.ToString().Contains(wanted.ToString(), StringComparison.Ordinal)))
                missed++;
        }

        if (what is null)
            return;
        times.Sort();
        report.Add(new Figure(key + ".p50", what + ", p50", OpenLoop.Percentile(times, 50), "ms"));
        report.Add(new Figure(key + ".p99", "  p99", OpenLoop.Percentile(times, 99), "ms", missed == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{missed} of {asked} not found")) { AtMost = MostMilliseconds });
        report.Check($"{what}: nine of ten are found", missed * 10 <= asked);
    }

    private async Task<List<(Guid Id, string Name, string Owner, string Last4, string Phone)>> SampleAsync(int count, CancellationToken ct, string condition = "true")
    {
        var found = new List<(Guid Id, string Name, string Owner, string Last4, string Phone)>();
        await using var command = bed.Database.CreateCommand(
            $"""
            select b.id, b.name, o.name, i.last4, c.digits
            from (select id, name from camino.borrowers where {condition} order by md5(id::text) limit 2000) b
            join camino.borrower_owners o on o.borrower_id = b.id join camino.borrower_identifiers i on i.borrower_id = b.id join camino.borrower_contacts c on c.borrower_id = b.id and c.position = 1
            where c.digits like '2%' limit {count.ToString(CultureInfo.InvariantCulture)}
            """);
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
            found.Add((rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetString(4)));
        return found.Count > 0 ? found : throw new BenchFailedException("No borrower was added.");
    }

    private static string Part(string name, int at) => name.Split(' ')[at];

    private static string Exchanged(string name) => $"{name[0]}{name[1]}{name[3]}{name[2]}{name[4..]}";

    private static string Plain(string name) => string.Concat(name.Normalize(System.Text.NormalizationForm.FormD).Where(c => CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark));
}
