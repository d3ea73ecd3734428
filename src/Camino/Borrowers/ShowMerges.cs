using Camino.Branches;
using Npgsql;

namespace Camino.Borrowers;

/// <summary>One merge into a borrower.</summary>
/// <param name="GoneName">As the one that went is called.</param>
/// <param name="State"><c>merged</c>, <c>undone</c>, or <c>settled</c>: it can be undone no more.</param>
/// <param name="Loans">How many loans moved.</param>
public sealed record MergeLine(Guid Id, Guid GoneId, string GoneName, string Reason, DateTimeOffset MergedAt, string? MergedBy, DateTimeOffset UndoUntil, string State, DateTimeOffset? UndoneAt, int Loans);

/// <summary>Somebody who may be the same borrower.</summary>
/// <param name="Why">What is the same: <c>name</c>, <c>phone</c>, <c>taxNumber</c>.</param>
/// <param name="Loans">How many loans are linked, counted up to 100.</param>
public sealed record BorrowerTwin(Guid Id, string Name, string? Place, int Loans, IReadOnlyList<string> Why);

/// <summary>Reads who may be the same borrower, and what was merged into one.</summary>
public sealed class ShowMerges(NpgsqlDataSource source, BranchScope scope, TimeProvider clock)
{
    /// <summary>Found at most.</summary>
    public const int Most = 20;

    private const int MostMerges = 50;

    /// <summary>Each way from its index: the first of those whose name begins so, the contacts with the same digits, the keyed hashes of the same kind of number.</summary>
    private const string Twins =
        """
        with me as (
            select b.id, b.name, camino.core_words(b.name) as core, array(select c.digits from camino.borrower_contacts c where c.borrower_id = b.id and c.digits is not null) as phones,
                array(select i.hash from camino.borrower_identifiers i where i.borrower_id = b.id and i.kind <> 3) as persons, array(select i.hash from camino.borrower_identifiers i where i.borrower_id = b.id and i.kind = 3) as businesses
            from camino.borrowers b where b.id = $1 and b.merged_into is null
        ), found (id, why) as (
            (select b.id, 'name' from me cross join lateral (select b.id, b.name from camino.borrowers b where b.merged_into is null and b.sort_name >= me.core and b.sort_name < me.core || U&'\+10FFFF' and camino.core_words(b.name) = me.core limit 100) b)
            union all (select c.borrower_id, 'phone' from camino.borrower_contacts c where c.digits = any((select phones from me)::text[]) limit 100)
            union all (select i.borrower_id, 'taxNumber' from camino.borrower_identifiers i where i.hash = any((select persons from me)::bytea[]) and i.kind <> 3 or i.hash = any((select businesses from me)::bytea[]) and i.kind = 3 limit 100)
        )
        select t.id, t.name, nullif(concat_ws(', ', a.city, a.state), ''), (select count(*) from (select from camino.loan_borrowers k where k.borrower_id = t.id limit 100) l)::int, t.why
        from (
            select b.id, b.name, array_agg(distinct f.why order by f.why) as why from found f join camino.borrowers b on b.id = f.id
            where b.merged_into is null and b.id <> $1{0} group by b.id, b.name order by count(distinct f.why) desc, b.id limit 20
        ) t left join camino.borrower_addresses a on a.borrower_id = t.id and a.position = 1
        order by cardinality(t.why) desc, t.id
        """;

    private const string Merges =
        """
        select m.id, m.gone_id, g.name, m.reason, m.merged_at, coalesce(u.display_name, c.name), m.undo_until, m.undone_at, jsonb_array_length(m.record -> 'Loans')
        from camino.borrower_merges m join camino.borrowers g on g.id = m.gone_id left join camino.staff_users u on u.id = m.merged_by left join camino.api_clients c on c.id = m.merged_by
        where m.survivor_id = $1 order by m.id desc limit $2
        """;

    /// <summary>Who may be the same; null: there is no such borrower.</summary>
    public async Task<IReadOnlyList<BorrowerTwin>?> DuplicatesAsync(Guid id, CancellationToken ct)
    {
        await using var command = Command(source, id, scope.Seen);
        var found = new List<BorrowerTwin>();
        await using (var rows = await command.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
                found.Add(new BorrowerTwin(rows.GetGuid(0), rows.GetString(1), await rows.IsDBNullAsync(2, ct) ? null : rows.GetString(2), rows.GetInt32(3), rows.GetFieldValue<string[]>(4)));
        }

        if (found.Count > 0)
            return found;
        await using var there = source.CreateCommand("select exists (select from camino.borrowers where id = $1 and merged_into is null)");
        there.Parameters.Add(new NpgsqlParameter { Value = id });
        return (bool)(await there.ExecuteScalarAsync(ct) ?? false) ? found : null;
    }

    /// <summary>What was merged into a borrower, the newest first.</summary>
    public async Task<IReadOnlyList<MergeLine>> RunAsync(Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Merges);
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.Parameters.Add(new NpgsqlParameter { Value = MostMerges });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var (lines, now) = (new List<MergeLine>(), clock.GetUtcNow());
        while (await rows.ReadAsync(ct))
        {
            var (until, undone) = (rows.GetFieldValue<DateTimeOffset>(6), await rows.IsDBNullAsync(7, ct) ? (DateTimeOffset?)null : rows.GetFieldValue<DateTimeOffset>(7));
            lines.Add(new MergeLine(
                rows.GetGuid(0), rows.GetGuid(1), rows.GetString(2), rows.GetString(3), rows.GetFieldValue<DateTimeOffset>(4), await rows.IsDBNullAsync(5, ct) ? null : rows.GetString(5), until,
                undone is not null ? "undone" : now >= until ? "settled" : "merged", undone, rows.GetInt32(8)));
        }

        return lines;
    }

    /// <summary>Into whom a borrower went, where that one is seen; null: into nobody.</summary>
    public async Task<Guid?> SurvivorOfAsync(Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select s.id from camino.borrowers b join camino.borrowers s on s.id = b.merged_into where b.id = $1" + BranchSql.And(scope.Seen, BranchSql.Row("s", "$2")));
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.AddNextBranches(scope.Seen);
        return await command.ExecuteScalarAsync(ct) is Guid survivor ? survivor : null;
    }

    /// <summary>The statement that looks for the same borrower, for the test of its plan.</summary>
    internal static NpgsqlCommand Command(NpgsqlDataSource source, Guid id, Guid[]? branches)
    {
        var command = source.CreateCommand(Twins.Replace("{0}", BranchSql.And(branches, BranchSql.Row("b", "$2")), StringComparison.Ordinal));
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.AddNextBranches(branches);
        return command;
    }
}
