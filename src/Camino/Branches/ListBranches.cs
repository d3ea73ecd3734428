using Npgsql;

namespace Camino.Branches;

/// <summary>Where something is.</summary>
/// <param name="Branch">Null: it is the whole house's.</param>
/// <param name="HasBranches">There are branches at all.</param>
public sealed record Whereabouts(string Name, BranchLine? Branch, bool HasBranches);

/// <summary>Reads branches in the order of their codes; whoever is bound to some reads those.</summary>
public sealed class ListBranches(NpgsqlDataSource source, BranchScope scope)
{
    /// <summary>Branches that are read at most.</summary>
    public const int Most = 500;

    private const string Columns =
        """
        select r.id, r.code, r.name, r.parent_id, p.code, r.closed_at is not null, r.version
        """;

    private const string From = " from camino.branches r left join camino.branches p on p.id = r.parent_id";

    /// <summary>All that are seen, teams behind their branch, with how many are bound to each.</summary>
    public Task<IReadOnlyList<BranchLine>> RunAsync(CancellationToken ct) => ReadAsync(
        Columns + ", (select count(*)::int from camino.staff_branches s where s.branch_id = r.id), (select count(*)::int from camino.api_client_branches c where c.branch_id = r.id)" + From
        + (scope.IsBound ? " where r.id = any($1)" : "") + $" order by coalesce(p.code, r.code), p.code nulls first, r.code limit {Most.ToString(System.Globalization.CultureInfo.InvariantCulture)}", ct);

    /// <summary>Those into which something can be put.</summary>
    public async Task<IReadOnlyList<BranchLine>> OpenAsync(CancellationToken ct) => [.. (await RunAsync(ct)).Where(line => !line.IsClosed)];

    /// <summary>One, or null.</summary>
    public async Task<BranchLine?> OneAsync(Guid id, CancellationToken ct) => (await RunAsync(ct)).FirstOrDefault(line => line.Id == id);

    /// <summary>The branches that a user is bound to.</summary>
    public Task<IReadOnlyList<Guid>> OfStaffAsync(Guid userId, CancellationToken ct) => IdsAsync("select branch_id from camino.staff_branches where user_id = $1", userId, ct);

    /// <summary>The branches that an API client is bound to.</summary>
    public Task<IReadOnlyList<Guid>> OfClientAsync(Guid clientId, CancellationToken ct) => IdsAsync("select branch_id from camino.api_client_branches where client_id = $1", clientId, ct);

    /// <summary>Where a borrower, an application or a loan is; null: there is no such thing, or it is not seen.</summary>
    public async Task<Whereabouts?> OfAsync(BranchThing thing, Guid id, CancellationToken ct)
    {
        var (name, table, branch) = thing switch
        {
            BranchThing.Borrower => ("x.name", "camino.borrowers x", "x.branch_id"),
            BranchThing.Application => ("x.name", "camino.applications x", "x.branch_id"),
            BranchThing.PortfolioLoan => ("x.number", "camino.loans x left join camino.loan_branches k on k.loan_id = x.id", "k.branch_id"),
            _ => ("x.number", "camino.serviced_loans x left join camino.loan_branches k on k.loan_id = x.id", "k.branch_id"),
        };
        await using var command = source.CreateCommand($"{Columns}, 0, 0, {name}, exists (select from camino.branches) from {table} left join camino.branches r on r.id = {branch} left join camino.branches p on p.id = r.parent_id where x.id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            return null;
        var found = await row.IsDBNullAsync(0, ct) ? null : LineOf(row);
        return scope.Sees(found?.Id) ? new Whereabouts(row.GetString(9), found, row.GetBoolean(10)) : null;
    }

    private async Task<IReadOnlyList<BranchLine>> ReadAsync(string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.AddNextBranches(scope.Seen);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<BranchLine>();
        while (await rows.ReadAsync(ct))
            lines.Add(LineOf(rows));
        return lines;
    }

    private async Task<IReadOnlyList<Guid>> IdsAsync(string sql, Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var ids = new List<Guid>();
        while (await rows.ReadAsync(ct))
            ids.Add(rows.GetGuid(0));
        return ids;
    }

    private static BranchLine LineOf(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetGuid(3), row.IsDBNull(4) ? null : row.GetString(4), row.GetBoolean(5), row.GetInt32(6), row.GetInt32(7), row.GetInt32(8));
}
