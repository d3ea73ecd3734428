using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Branches;
using Npgsql;

namespace Camino.Borrowers;

/// <summary>A number that is kept encrypted, as everybody may see it.</summary>
/// <param name="OwnerId">Whose it is; null for the borrower's own.</param>
public sealed record IdentifierView(Guid Id, Guid? OwnerId, string Kind, string Last4)
{
    /// <summary><c>•••-••-1234</c></summary>
    [JsonIgnore]
    public string Masked => (Kind == "ein" ? "••-•••" : "•••-••-") + Last4;
}

public sealed record OwnerView(Guid Id, string Name, decimal? SharePercent, bool IsGuarantor);

public sealed record AddressView(string? Street, string? City, string? State, string? Zip)
{
    /// <summary>In one line.</summary>
    [JsonIgnore]
    public string Line => string.Join(", ", new[] { Street, City, string.Join(' ', new[] { State, Zip }.Where(part => part is not null)) }.Where(part => !string.IsNullOrEmpty(part)));
}

public sealed record BankAccountView(Guid Id, string Holder, string Routing, string Last4, bool IsVerified, Guid AddedBy);

/// <summary>A loan of a borrower.</summary>
/// <param name="OwnBook">Serviced here; else one of the portfolio.</param>
/// <param name="Amount">Principal in dollars.</param>
public sealed record BorrowerLoan(Guid Id, bool OwnBook, string Number, decimal? Amount, short Status);

/// <summary>Something that was done to a borrower or to one of its loans.</summary>
/// <param name="Action">As the audit trail calls it: <c>borrower.changed</c>.</param>
/// <param name="LoanId">Null where it is about the borrower itself.</param>
/// <param name="Fields">What was changed, by name.</param>
public sealed record TimelineEntry(Guid Id, DateTimeOffset At, string? By, string Action, Guid? LoanId, IReadOnlyList<string> Fields);

/// <summary>All that is kept about a borrower; numbers are masked.</summary>
/// <param name="Loans">Up to <see cref="ShowBorrower.MostLoans"/>, newest first.</param>
public sealed record BorrowerView(
    Guid Id, int Version, string Name, string? TradeName, string Kind, string Language, string ContactBy, IReadOnlyList<string> Phones, IReadOnlyList<string> Emails, IReadOnlyList<AddressView> Addresses,
    IReadOnlyList<OwnerView> Owners, IReadOnlyList<BankAccountView> BankAccounts, IReadOnlyList<IdentifierView> Identifiers, IReadOnlyList<BorrowerLoan> Loans, DateTimeOffset CreatedAt, DateTimeOffset? ChangedAt);

/// <summary>Reads one borrower with everything that hangs on it in one query, and what happened in a second.</summary>
public sealed class ShowBorrower(NpgsqlDataSource source, BranchScope scope)
{
    /// <summary>Loans shown at most.</summary>
    public const int MostLoans = 100;

    /// <summary>Entries of the timeline on one page.</summary>
    public const int TimelinePage = 30;

    private const string All =
        """
        select b.id, b.version, b.name, b.trade_name, b.kind, b.language, b.contact_by, b.created_at, b.changed_at,
            coalesce((select array_agg(c.value order by c.position) from camino.borrower_contacts c where c.borrower_id = b.id and c.kind = 1), '{}'),
            coalesce((select array_agg(c.value order by c.position) from camino.borrower_contacts c where c.borrower_id = b.id and c.kind = 2), '{}'),
            coalesce((select jsonb_agg(jsonb_build_object('street', a.street, 'city', a.city, 'state', a.state, 'zip', a.zip) order by a.position) from camino.borrower_addresses a where a.borrower_id = b.id), '[]')::text,
            coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'sharePercent', o.share_percent, 'isGuarantor', o.is_guarantor) order by o.position, o.id) from camino.borrower_owners o where o.borrower_id = b.id), '[]')::text,
            coalesce((select jsonb_agg(jsonb_build_object('id', a.id, 'holder', a.holder, 'routing', a.routing, 'last4', a.last4, 'isVerified', a.verified_at is not null, 'addedBy', a.added_by) order by a.id) from camino.borrower_accounts a where a.borrower_id = b.id), '[]')::text,
            coalesce((select jsonb_agg(jsonb_build_object('id', i.id, 'ownerId', i.owner_id, 'kind', case i.kind when 1 then 'ssn' when 2 then 'itin' else 'ein' end, 'last4', i.last4) order by i.id) from camino.borrower_identifiers i where i.borrower_id = b.id), '[]')::text,
            coalesce((select jsonb_agg(jsonb_build_object('id', k.loan_id, 'ownBook', k.own_book, 'number', coalesce(s.number, l.number), 'amount', coalesce(s.principal, l.amount), 'status', coalesce(s.status, l.status)) order by k.loan_id desc)
                from (select * from camino.loan_borrowers k where k.borrower_id = b.id{0} order by k.loan_id desc limit 100) k
                left join camino.serviced_loans s on k.own_book and s.id = k.loan_id
                left join camino.loans l on not k.own_book and l.id = k.loan_id
                where coalesce(s.id, l.id) is not null), '[]')::text
        from camino.borrowers b where b.id = $1 and b.merged_into is null{1}
        """;

    /// <summary>The newest entries about the borrower and about each of its loans, each from the index, then the newest of them all.</summary>
    private const string Happened =
        """
        with subjects (subject, subject_id) as (
            select 'borrower', $1::text
            union all
            select 'borrower', g.id::text from (select id from camino.borrowers where merged_into = $1 order by id desc limit 50) g
            union all
            select 'loan', k.loan_id::text from (select loan_id from camino.loan_borrowers where borrower_id = $1 and own_book{0} order by loan_id desc limit 100) k
        )
        select e.id, e.at, coalesce(u.display_name, c.name), e.action, e.subject, e.subject_id, e.details
        from subjects s cross join lateral (
            select * from camino.audit_entries e where e.subject = s.subject and e.subject_id = s.subject_id and ($2::uuid is null or e.id < $2) order by e.id desc limit $3
        ) e left join camino.staff_users u on u.id = e.user_id left join camino.api_clients c on c.id = e.user_id
        order by e.id desc limit $3
        """;

    /// <summary>The borrower, or null.</summary>
    public async Task<BorrowerView?> RunAsync(Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(All.Replace("{0}", BranchSql.And(scope.Seen, BranchSql.Loan("k.loan_id", "$2")), StringComparison.Ordinal).Replace("{1}", BranchSql.And(scope.Seen, BranchSql.Row("b", "$2")), StringComparison.Ordinal));
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.AddNextBranches(scope.Seen);
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            return null;
        return new BorrowerView(
            row.GetGuid(0), row.GetInt32(1), row.GetString(2), await row.IsDBNullAsync(3, ct) ? null : row.GetString(3), BorrowerWords.Kind(row.GetInt16(4)), row.GetString(5), row.GetString(6),
            row.GetFieldValue<string[]>(9), row.GetFieldValue<string[]>(10), List<AddressView>(row, 11), List<OwnerView>(row, 12), List<BankAccountView>(row, 13), List<IdentifierView>(row, 14), List<BorrowerLoan>(row, 15),
            row.GetFieldValue<DateTimeOffset>(7), await row.IsDBNullAsync(8, ct) ? null : row.GetFieldValue<DateTimeOffset>(8));
    }

    /// <summary>Whose a loan is; null where nobody was written down yet.</summary>
    public async Task<Guid?> OfLoanAsync(Guid loanId, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select k.borrower_id from camino.loan_borrowers k join camino.borrowers b on b.id = k.borrower_id where k.loan_id = $1" + BranchSql.And(scope.Seen, BranchSql.Row("b", "$2")));
        command.Parameters.Add(new NpgsqlParameter { Value = loanId });
        command.AddNextBranches(scope.Seen);
        return (Guid?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>What happened, newest first; one entry more than a page tells that there is a next one.</summary>
    /// <param name="after">The last entry of the page before; null for the first page.</param>
    public async Task<IReadOnlyList<TimelineEntry>> TimelineAsync(Guid id, Guid? after, CancellationToken ct)
    {
        await using var command = Timeline(source, id, after, scope.Seen);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var entries = new List<TimelineEntry>();
        while (await rows.ReadAsync(ct))
        {
            using var details = JsonDocument.Parse(rows.GetString(6));
            entries.Add(new TimelineEntry(
                rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1), await rows.IsDBNullAsync(2, ct) ? null : rows.GetString(2), rows.GetString(3),
                rows.GetString(4) == "loan" ? Guid.Parse(rows.GetString(5)) : null,
                details.RootElement.ValueKind == JsonValueKind.Object && details.RootElement.TryGetProperty("fields", out var fields) && fields.ValueKind == JsonValueKind.Array ? [.. fields.EnumerateArray().Select(field => field.ToString())] : []));
        }

        return entries;
    }

    /// <summary>The statement of one page of the timeline and one row more.</summary>
    internal static NpgsqlCommand Timeline(NpgsqlDataSource source, Guid id, Guid? after, Guid[]? branches = null)
    {
        var command = source.CreateCommand(Happened.Replace("{0}", BranchSql.And(branches, BranchSql.Loan("loan_borrowers.loan_id", "$4")), StringComparison.Ordinal));
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)after ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter { Value = TimelinePage + 1 });
        command.AddNextBranches(branches);
        return command;
    }

    private static List<T> List<T>(NpgsqlDataReader row, int column) => JsonSerializer.Deserialize<List<T>>(row.GetString(column), JsonSerializerOptions.Web) ?? [];
}
