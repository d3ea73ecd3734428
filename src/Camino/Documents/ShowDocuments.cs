using Camino.Data;
using Camino.Tasks;
using Npgsql;

namespace Camino.Documents;

/// <summary>One line of a list of documents: what it is, with its newest version.</summary>
public sealed record DocumentLine(Guid Id, SubjectKind Subject, Guid SubjectId, DocumentKind Kind, string Title, DateOnly? ExpiresOn, int Number, string FileName, string MediaType, long Bytes, ScanState Scan, DateTimeOffset AddedAt, string? AddedByName, DateTimeOffset ReadAt, bool IsFromApplicant)
{
    /// <summary>Nobody opens what was not looked at yet, or is dangerous.</summary>
    public bool CanBeOpened => Scan is ScanState.Clean or ScanState.NotScanned;
}

/// <summary>One version of a document.</summary>
/// <param name="ScanFound">What the scanner calls it; null for nothing.</param>
public sealed record VersionLine(int Number, string FileName, string MediaType, long Bytes, string Sha256, ScanState Scan, string? ScanFound, DateTimeOffset AddedAt, string? AddedByName)
{
    /// <inheritdoc cref="DocumentLine.CanBeOpened"/>
    public bool CanBeOpened => Scan is ScanState.Clean or ScanState.NotScanned;
}

/// <summary>A document with its versions, the newest first.</summary>
public sealed record DocumentView(DocumentLine Line, IReadOnlyList<VersionLine> Versions);

/// <summary>Reads documents; those that were removed are left out.</summary>
public sealed class ShowDocuments(NpgsqlDataSource source)
{
    /// <summary>Documents of one page.</summary>
    public const int PageSize = 50;

    private const string Columns =
        """
        select d.id, d.subject, d.subject_id, d.kind, d.title, d.expires_on, v.number, v.file_name, v.media_type, v.bytes, v.scan, v.added_at,
            coalesce((select u.display_name from camino.staff_users u where u.id = v.added_by), (select c.name from camino.api_clients c where c.id = v.added_by)), now(), d.request_id is not null
        """;

    private const string Newest = "join lateral (select * from camino.document_versions v where v.document_id = d.id order by v.number desc limit 1) v on true";

    /// <param name="after">The last id of the page before; null for the first page.</param>
    /// <returns>The newest first; up to one more than asked for, so that the caller knows whether there is a next one.</returns>
    public async Task<IReadOnlyList<DocumentLine>> RunAsync(SubjectKind subject, Guid subjectId, Guid? after, CancellationToken ct, int most = PageSize)
    {
        await using var command = Page(source, subject, subjectId, after, most);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<DocumentLine>();
        while (await rows.ReadAsync(ct))
            lines.Add(LineOf(rows));
        return lines;
    }

    /// <summary>One document with all of its versions, or null.</summary>
    public async Task<DocumentView?> FindAsync(Guid id, CancellationToken ct)
    {
        await using var batch = source.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"{Columns} from camino.documents d {Newest} where d.id = $1 and d.removed_at is null") { Parameters = { new() { Value = id } } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            select v.number, v.file_name, v.media_type, v.bytes, encode(v.sha256, 'hex'), v.scan, v.scan_found, v.added_at,
                coalesce((select u.display_name from camino.staff_users u where u.id = v.added_by), (select c.name from camino.api_clients c where c.id = v.added_by))
            from camino.document_versions v where v.document_id = $1 order by v.number desc
            """)
        { Parameters = { new() { Value = id } } });
        await using var rows = await batch.ExecuteReaderAsync(ct);
        if (!await rows.ReadAsync(ct))
            return null;
        var line = LineOf(rows);
        await rows.NextResultAsync(ct);
        var versions = new List<VersionLine>();
        while (await rows.ReadAsync(ct))
            versions.Add(VersionOf(rows));
        return new DocumentView(line, versions);
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, SubjectKind subject, Guid subjectId, Guid? after, int most)
    {
        var command = source.CreateCommand(
            $"""
            {Columns} from (select * from camino.documents d where d.subject = $1 and d.subject_id = $2 and d.removed_at is null and ($3::uuid is null or d.id < $3) order by d.id desc limit {KeysetSql.Rows(most + 1)}) d
            {Newest} order by d.id desc
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = (short)subject });
        command.Parameters.Add(new NpgsqlParameter { Value = subjectId });
        command.Parameters.Add(new NpgsqlParameter { Value = after is { } id ? id : DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid });
        return command;
    }

    private static DocumentLine LineOf(NpgsqlDataReader rows) => new(
        rows.GetGuid(0), (SubjectKind)rows.GetInt16(1), rows.GetGuid(2), (DocumentKind)rows.GetInt16(3), rows.GetString(4), rows.IsDBNull(5) ? null : rows.GetFieldValue<DateOnly>(5), rows.GetInt32(6), rows.GetString(7), rows.GetString(8),
        rows.GetInt64(9), (ScanState)rows.GetInt16(10), rows.GetFieldValue<DateTimeOffset>(11), rows.IsDBNull(12) ? null : rows.GetString(12), rows.GetFieldValue<DateTimeOffset>(13), rows.GetBoolean(14));

    private static VersionLine VersionOf(NpgsqlDataReader rows) => new(
        rows.GetInt32(0), rows.GetString(1), rows.GetString(2), rows.GetInt64(3), rows.GetString(4), (ScanState)rows.GetInt16(5), rows.IsDBNull(6) ? null : rows.GetString(6), rows.GetFieldValue<DateTimeOffset>(7), rows.IsDBNull(8) ? null : rows.GetString(8));
}
