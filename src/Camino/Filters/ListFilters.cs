using Camino.Branches;
using Npgsql;

namespace Camino.Filters;

/// <summary>A kept filter of a list.</summary>
/// <param name="Query">The address behind the list's own, with its question mark.</param>
/// <param name="IsOwn">The reader kept it, and may change it.</param>
/// <param name="IsDefault">The list opens with it, for the reader.</param>
/// <param name="SharedWith">The branch whose people see it.</param>
/// <param name="Branch">Its label.</param>
/// <param name="IsForAll">Everybody sees it.</param>
/// <param name="Owner">Who kept it.</param>
public sealed record FilterLine(Guid Id, string Name, string Query, bool IsOwn, bool IsDefault, Guid? SharedWith, string? Branch, bool IsForAll, string Owner);

/// <summary>Reads the filters that somebody kept, and those that others share with the reader.</summary>
public sealed class ListFilters(NpgsqlDataSource source, BranchScope scope)
{
    /// <summary>Of others shown at most.</summary>
    public const int MostShared = 30;

    private const string All =
        """
        (select f.id, f.name, f.query, true, f.is_default, f.shared_with, r.code || ' ' || r.name, f.all_staff, '' from camino.saved_filters f left join camino.branches r on r.id = f.shared_with where f.owner_id = $1 and f.list = $2 order by lower(f.name))
        union all
        (select f.id, f.name, f.query, false, false, f.shared_with, r.code || ' ' || r.name, f.all_staff, u.display_name from camino.saved_filters f join camino.staff_users u on u.id = f.owner_id left join camino.branches r on r.id = f.shared_with
            where f.list = $2 and f.owner_id <> $1 and (f.all_staff or f.shared_with = any($3)) and u.lockout_end is distinct from 'infinity' order by lower(f.name), f.id limit 30)
        """;

    /// <summary>The reader's own by name, then those of others.</summary>
    public async Task<IReadOnlyList<FilterLine>> RunAsync(FilterList list, Guid reader, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(list);
        await using var command = source.CreateCommand(All);
        command.Parameters.Add(new NpgsqlParameter { Value = reader });
        command.Parameters.Add(new NpgsqlParameter { Value = list.Name });
        command.Parameters.Add(new NpgsqlParameter { Value = scope.Seen ?? [] });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<FilterLine>();
        while (await rows.ReadAsync(ct))
        {
            // what an earlier release kept is read as this one understands it
            lines.Add(new FilterLine(
                rows.GetGuid(0), rows.GetString(1), list.Canonical(rows.GetString(2)), rows.GetBoolean(3), rows.GetBoolean(4), await rows.IsDBNullAsync(5, ct) ? null : rows.GetGuid(5), await rows.IsDBNullAsync(6, ct) ? null : rows.GetString(6),
                rows.GetBoolean(7), rows.GetString(8)));
        }

        return lines;
    }
}
