using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Camino.Audit;

/// <summary>What a look at the whole audit trail found.</summary>
/// <param name="Entries">Entries that are whole, up to the fault where there is one.</param>
/// <param name="Streams">Subjects whose entries are chained.</param>
/// <param name="Older">Entries from before the chain, which nothing covers.</param>
/// <param name="Fault">The first thing that is wrong, with the row that it shows in; null when all is well.</param>
public sealed record AuditVerdict(long Entries, long Streams, long Older, string? Fault);

/// <summary>Reckons every hash of the audit trail anew and compares: what was changed, removed or slipped in past the database's own rules shows, with the row.</summary>
public sealed class VerifyAudit(NpgsqlDataSource source)
{
    /// <summary>One statement, so that entries and heads are of one moment. The text of an entry is what the trigger hashed.</summary>
    private const string Trail =
        """
        select coalesce(e.subject, h.subject), coalesce(e.subject_id, h.subject_id), e.id, e.chain_position, e.chain_hash,
               concat_ws(chr(31), e.id, (extract(epoch from e.at) * 1000000)::bigint, coalesce(e.user_id::text, ''), e.action, e.subject, e.subject_id, e.details, e.origin), h.chain_position, h.chain_hash
        from (select * from camino.audit_entries where chain_position is not null) e
        full join (select * from camino.audit_heads where subject <> '') h on h.subject = e.subject and h.subject_id = e.subject_id
        order by 1, 2, e.chain_position
        """;

    private const string Uncovered =
        """
        select (select count(*) from camino.audit_entries where chain_position is null), (select chain_position from camino.audit_heads where subject = '' and subject_id = ''),
               (select id from camino.audit_entries where chain_position is null order by id desc limit 1)
        """;

    public async Task<AuditVerdict> RunAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var (older, slippedIn) = await OlderAsync(connection, ct);
        if (slippedIn is not null)
            return new AuditVerdict(0, 0, older, slippedIn);

        await using var command = new NpgsqlCommand(Trail, connection) { CommandTimeout = 0 };
        await using var rows = await command.ExecuteReaderAsync(ct);
        var (entries, streams) = (0L, 0L);
        var stream = new Chain("", "", 0, []);
        var (position, hash) = (0L, Array.Empty<byte>());
        while (await rows.ReadAsync(ct))
        {
            if (stream.Subject != rows.GetString(0) || stream.SubjectId != rows.GetString(1))
            {
                if (stream.Ending(position, hash) is { } ending)
                    return new AuditVerdict(entries, streams, older, ending);
                streams++;
                stream = new Chain(rows.GetString(0), rows.GetString(1), await rows.IsDBNullAsync(6, ct) ? 0 : rows.GetInt64(6), await rows.IsDBNullAsync(7, ct) ? [] : rows.GetFieldValue<byte[]>(7));
                position = 0;
                hash = [];
            }

            if (await rows.IsDBNullAsync(2, ct))
                continue; // a head whose entries are all gone; its ending says so
            var stored = rows.GetFieldValue<byte[]>(4);
            if (rows.GetInt64(3) != position + 1)
                return new AuditVerdict(entries, streams, older, FormattableString.Invariant($"Of {stream}, entry {position + 1} is missing; the next one is row {rows.GetGuid(2)}."));
            byte[] text = [.. hash, .. Encoding.UTF8.GetBytes(rows.GetString(5))];
            if (!SHA256.HashData(text).AsSpan().SequenceEqual(stored))
                return new AuditVerdict(entries, streams, older, FormattableString.Invariant($"Of {stream}, entry {position + 1} (row {rows.GetGuid(2)}) was changed: it does not fit its hash."));
            (position, hash) = (position + 1, stored);
            entries++;
        }

        return new AuditVerdict(entries, streams, older, stream.Ending(position, hash));
    }

    /// <summary>Entries without a hash are those from before the chain, and no more than those.</summary>
    private static async Task<(long Older, string? SlippedIn)> OlderAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Uncovered, connection) { CommandTimeout = 0 };
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        var found = row.GetInt64(0);
        var expected = await row.IsDBNullAsync(1, ct) ? 0 : row.GetInt64(1);
        return found == expected ? (found, null)
            : found > expected ? (found, FormattableString.Invariant($"{found} entries carry no hash and {expected} are older than the chain: one was slipped in past it; the newest is row {row.GetGuid(2)}."))
            : (found, FormattableString.Invariant($"{found} entries carry no hash and {expected} are older than the chain: {expected - found} were removed."));
    }

    /// <summary>All entries about one subject, and where their chain should end.</summary>
    private sealed record Chain(string Subject, string SubjectId, long Position, byte[] Hash)
    {
        public string? Ending(long position, byte[] hash) =>
            position != Position ? FormattableString.Invariant($"Of {this}, the last entries are missing: {position} are there, {Position} were written.")
            : !hash.AsSpan().SequenceEqual(Hash) ? FormattableString.Invariant($"Of {this}, the end of the chain was changed.")
            : null;

        public override string ToString() => $"{Subject} {SubjectId}";
    }
}
