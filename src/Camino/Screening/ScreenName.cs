using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Screening;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Screening;

/// <summary>A screening as it is stored.</summary>
internal sealed record StoredScreening(Guid Id, int ListNumber, ScreenedParty Asked, int Threshold, DateTimeOffset At, Guid? By)
{
    public Guid? RunId { get; init; }
    public Guid? LoanId { get; init; }
}

/// <summary>Why a hit is one: what the page explains.</summary>
public sealed record HitExplanation(IReadOnlyList<WordMatch> Words, IReadOnlyList<Evidence> Evidence, string EntryName, string Programme, PartyKind Kind, string Remarks, ListedNameKind NameKind)
{
    internal static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };
}

/// <summary>Screens one name against the lists in force and keeps what was found, with its explanation.</summary>
public sealed class ScreenName(CaminoDb db, CurrentWatchList lists, ScreeningOptions options, TimeProvider clock)
{
    /// <summary>Longest name, in characters.</summary>
    public const int LongestName = 300;

    private const int LongestCountry = 100;

    /// <param name="threshold">Least score, 60 to 100; null: as the configuration says.</param>
    /// <returns>The screening's id.</returns>
    /// <exception cref="RefusedException"><c>screening.name</c>, <c>screening.country</c>, <c>screening.birth_date</c>, <c>screening.threshold</c>, <c>screening.no_list</c>.</exception>
    public async Task<Guid> RunAsync(ScreenedParty asked, int? threshold, Guid by, CancellationToken ct)
    {
        Check(asked);
        var loaded = await lists.GetAsync(ct);
        var hits = loaded.List.Search(asked, threshold ?? options.Threshold);
        var screening = new StoredScreening(Guid.CreateVersion7(), loaded.Number, asked, threshold ?? options.Threshold, clock.GetUtcNow(), by);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await StoreAsync((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction(), screening, [.. hits.Select(hit => (hit, (byte[]?)null))], ct);
        db.AuditEntries.Add(new AuditEntry(screening.At, by, "screening.asked", "screening", screening.Id.ToString(), JsonSerializer.Serialize(new { list = loaded.Number, screening.Threshold, hits = hits.Count })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return screening.Id;
    }

    private static void Check(ScreenedParty asked)
    {
        Refuse.If(asked.Name.Length is 0 or > LongestName, "screening.name", $"A name has 1 to {LongestName} characters; got {asked.Name.Length}.");
        Refuse.If(asked.Name.Contains('\0', StringComparison.Ordinal) || NameWords.Of(asked.Name, asked.Kind).Words.Count == 0, "screening.name", "A name has at least one letter or digit; this one has none.");
        Refuse.If(asked.Country.Length > LongestCountry || asked.Country.Contains('\0', StringComparison.Ordinal), "screening.country", $"A country has at most {LongestCountry} characters; got {asked.Country.Length}.");
        Refuse.If(asked.BirthDate is { Year: < 1850 or > 2100 }, "screening.birth_date", "A date of birth is in the years 1850 to 2100.");
    }

    /// <summary>Stores a screening and its hits in the caller's transaction.</summary>
    internal static async Task StoreAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, StoredScreening screening, IReadOnlyList<(ScreeningHit Hit, byte[]? Key)> hits, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("insert into camino.screenings (id, list_number, run_id, loan_id, asked_at, asked_by, name, kind, birth_date, country, threshold, best, hits) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
        {
            Parameters =
            {
                new() { Value = screening.Id }, new() { Value = screening.ListNumber }, Id(screening.RunId), Id(screening.LoanId), new() { Value = screening.At }, Id(screening.By), new() { Value = screening.Asked.Name }, new() { Value = (short)screening.Asked.Kind },
                new() { Value = screening.Asked.BirthDate is { } born ? born : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Date }, new() { Value = screening.Asked.Country }, new() { Value = (short)screening.Threshold },
                new() { Value = (short)hits.Select(one => one.Hit.Score).DefaultIfEmpty(0).Max() }, new() { Value = hits.Count },
            },
        });
        foreach (var (hit, key) in hits)
        {
            var why = new HitExplanation(hit.Words, hit.Evidence, hit.Party.Names[0].Text, hit.Party.Programme, hit.Party.Kind, hit.Party.Remarks, hit.Name.Kind);
            batch.BatchCommands.Add(new NpgsqlBatchCommand("insert into camino.screening_hits (id, screening_id, list, entry, score, name_score, listed_name, why, match_key) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (match_key) where match_key is not null do nothing")
            {
                Parameters =
                {
                    new() { Value = Guid.CreateVersion7() }, new() { Value = screening.Id }, new() { Value = hit.Party.List }, new() { Value = hit.Party.Number }, new() { Value = (short)hit.Score }, new() { Value = (short)hit.NameScore }, new() { Value = hit.Name.Text },
                    new() { Value = JsonSerializer.Serialize(why, HitExplanation.Json), NpgsqlDbType = NpgsqlDbType.Jsonb }, new() { Value = key is null ? DBNull.Value : key, NpgsqlDbType = NpgsqlDbType.Bytea },
                },
            });
        }

        await batch.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlParameter Id(Guid? id) => new() { Value = id is { } there ? there : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid };
}
