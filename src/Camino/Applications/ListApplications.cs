using System.Globalization;
using Camino.Branches;
using Camino.Data;
using Camino.Lending.Applications;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Camino.Applications;

/// <summary>Which applications a list shows: exactly what the address says.</summary>
public sealed record ApplicationFilter
{
    /// <summary>Only those that stand there.</summary>
    public ApplicationState? State { get; init; }

    /// <summary>Only those that were taken in at this moment or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only those that were taken in before this moment.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Only those that this client handed in; no part of an address.</summary>
    public Guid? Client { get; init; }

    /// <summary>Only what is seen from these branches, null: everything; no part of an address.</summary>
    public Guid[]? Branches { get; init; }

    public bool IsEmpty => State is null && From is null && Until is null;

    /// <summary>Reads an address; what cannot be read is left out.</summary>
    public static ApplicationFilter FromQuery(IQueryCollection query)
    {
        var address = new ListAddress(query);
        return new ApplicationFilter { State = address.Name<ApplicationState>("state"), From = Moment(address.Text("from")), Until = Moment(address.Text("until")) };
    }

    /// <summary>The same as an address; empty where there is nothing to say.</summary>
    public string ToQuery(string? cursorName = null, string? cursor = null) => new ListAddressWriter().Add("state", State).Add("from", Text(From)).Add("until", Text(Until)).ToQuery(cursorName, cursor);

    private static DateTimeOffset? Moment(string? text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment) && moment.Year is >= 2000 and < 2200 ? moment : null;

    private static string? Text(DateTimeOffset? moment) => moment?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);
}

/// <summary>One line of the list of applications.</summary>
public sealed record ApplicationLine(Guid Id, string Number, string Name, decimal Amount, ApplicationState State, string Channel, string? ExternalId, DateTimeOffset ReceivedAt, DateTimeOffset ChangedAt)
{
    internal ListCursor Cursor(bool backward) => new(null, Id, backward);
}

/// <summary>Reads pages of applications, the newest first, straight into view records, found by keyset.</summary>
public sealed class ListApplications(NpgsqlDataSource source, BranchScope? scope = null)
{
    public async Task<ListPage<ApplicationLine>> RunAsync(ApplicationFilter filter, ListCursor? cursor, CancellationToken ct)
    {
        filter = filter with { Branches = scope?.Seen };
        await using var command = Page(source, filter, cursor);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<ApplicationLine>(ListPage.Size + 1);
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new ApplicationLine(
                rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetDecimal(3), (ApplicationState)rows.GetInt16(4), rows.GetString(5), await rows.IsDBNullAsync(6, ct) ? null : rows.GetString(6), rows.GetFieldValue<DateTimeOffset>(7), rows.GetFieldValue<DateTimeOffset>(8)));
        }

        return ListPage.Cut(lines, await CountAsync(filter, ct), cursor, (line, backward) => line.Cursor(backward));
    }

    /// <summary>The statement of one page and one row more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, ApplicationFilter filter, ListCursor? cursor)
    {
        var command = source.CreateCommand();
        var sql = Conditions(filter, command);
        var descending = cursor is not { Backward: true };
        if (cursor is not null)
            sql.Add($"a.id {KeysetSql.Sign(descending)} @cursor_id", ("cursor_id", cursor.Id));
        command.CommandText = $"select a.id, a.number, a.name, a.amount, a.state, a.channel, a.external_id, a.received_at, a.changed_at from camino.applications a{KeysetSql.Where(sql.Conditions)} order by a.id {KeysetSql.Direction(descending)} limit {KeysetSql.Rows(ListPage.Size + 1)}";
        return command;
    }

    private async Task<int> CountAsync(ApplicationFilter filter, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        command.CommandText = KeysetSql.Count("camino.applications a", Conditions(filter, command).Conditions, ListPage.CountedAtMost);
        return Convert.ToInt32(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    /// <summary>The least id (UUID version 7) that is made at a moment.</summary>
    internal static Guid LeastIdAt(DateTimeOffset moment)
    {
        var milliseconds = moment.ToUnixTimeMilliseconds().ToString("x12", CultureInfo.InvariantCulture);
        return Guid.ParseExact($"{milliseconds[..8]}-{milliseconds[8..]}-7000-8000-000000000000", "D");
    }

    private static KeysetSql Conditions(ApplicationFilter filter, NpgsqlCommand command)
    {
        var sql = new KeysetSql(command);
        if (filter.State is { } state)
            sql.Add("a.state = @state", ("state", (short)state));
        sql.Within(filter.Branches, BranchSql.Row("a"));
        if (filter.Client is { } client)
            sql.Add("a.received_by = @client and a.channel = 'api'", ("client", client));
        // ids are made in the order of time: a minute's slack lets the index find the stretch, the moment itself decides
        if (filter.From is { } from)
            sql.Add("a.id >= @least_id and a.received_at >= @from", ("least_id", LeastIdAt(from.AddMinutes(-1))), ("from", from));
        if (filter.Until is { } until)
            sql.Add("a.id < @most_id and a.received_at < @until", ("most_id", LeastIdAt(until.AddMinutes(1))), ("until", until));
        return sql;
    }
}
