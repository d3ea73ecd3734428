using System.Data;
using System.Globalization;
using Camino.Branches;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Applications;

/// <summary>Which applications a report is about: those that were taken in from one day of UTC to another, both counted.</summary>
/// <param name="Client">Only those that this client handed in; no part of an address.</param>
public sealed record ReportPeriod(DateOnly From, DateOnly To, Guid? Client = null)
{
    /// <summary>Days of a report.</summary>
    public const int MostDays = 731;

    /// <summary>Days of the report that opens first, the last of them today.</summary>
    public const int UsualDays = 90;

    /// <summary>What an address says; the last days up to today where it says nothing.</summary>
    /// <exception cref="RefusedException"><c>report.period</c>.</exception>
    public static ReportPeriod FromQuery(IQueryCollection query, DateOnly today)
    {
        var to = Day(query["to"].ToString()) ?? today;
        var from = Day(query["from"].ToString()) ?? to.AddDays(1 - UsualDays);
        Refuse.If(from > to || to.DayNumber - from.DayNumber >= MostDays, "report.period", $"A report is about 1 to {MostDays} days, from the earlier to the later; got {from:yyyy-MM-dd} to {to:yyyy-MM-dd}.");
        return new ReportPeriod(from, to);
    }

    /// <summary>The same as an address.</summary>
    public string ToQuery() => new ListAddressWriter().Add("from", From).Add("to", To).ToString();

    internal DateTimeOffset Begin => new(From, TimeOnly.MinValue, TimeSpan.Zero);

    internal DateTimeOffset End => new(To.AddDays(1), TimeOnly.MinValue, TimeSpan.Zero);

    private static DateOnly? Day(string text)
    {
        if (text.Trim().Length == 0)
            return null;
        var isDay = DateOnly.TryParseExact(text.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is >= 2000 and < 2200;
        return isDay ? day : throw new RefusedException("report.period", $"from and to are days such as 2026-03-01, from 2000 to 2199; got {InputText.Short(text)}.");
    }
}

/// <summary>How many applications came to a state, and how long they stood there.</summary>
/// <param name="Reached">Applications; each once, however often it came there.</param>
/// <param name="Stays">Stays that have ended; those that go on have no time yet.</param>
/// <param name="Half">Half of the stays took so long at most; null: none has ended.</param>
/// <param name="Most">Nine of ten took so long at most.</param>
public sealed record FunnelLine(ApplicationState State, long Reached, long Stays, TimeSpan? Half, TimeSpan? Most);

/// <summary>By what applications are put together.</summary>
public enum ReportGroup
{
    /// <summary>All of them.</summary>
    All,

    /// <summary>The program that handed them in; no name: typed by staff.</summary>
    Client,

    /// <summary>The product that was accepted, else offered last; no name: nothing was offered.</summary>
    Product,

    /// <summary>Who first offered something or declined; no name: nobody has.</summary>
    Officer,
}

/// <summary>What became of some applications, and how long the first decision took.</summary>
/// <param name="Approved">Something was offered.</param>
/// <param name="Declined">Declined without that anything was ever offered.</param>
/// <param name="Open">Not over yet.</param>
/// <param name="DecisionHalf">From being taken in to the first offer or refusal: half took so long at most; null: none was decided.</param>
/// <param name="DecisionMost">Nine of ten took so long at most.</param>
public sealed record ReportLine(ReportGroup Group, string? Name, long Received, long Approved, long Accepted, long Booked, long Declined, long Open, decimal Amount, TimeSpan? DecisionHalf, TimeSpan? DecisionMost)
{
    /// <summary>Approved of all that were decided; null where none was.</summary>
    public decimal? ApprovalRate => Approved + Declined == 0 ? null : (decimal)Approved / (Approved + Declined);
}

/// <summary>The way of applications through the house in a period.</summary>
public sealed record ApplicationReport(ReportPeriod Period, IReadOnlyList<FunnelLine> Funnel, IReadOnlyList<ReportLine> Lines)
{
    /// <summary>All applications together.</summary>
    public ReportLine All => Lines[0];

    /// <summary>Those of one kind of group, the largest first.</summary>
    public IEnumerable<ReportLine> Of(ReportGroup group) => Lines.Where(line => line.Group == group);
}

/// <summary>Reckons the report in two statements, from the applications of the period and their events, found by their ids.</summary>
public sealed class ReportApplications(NpgsqlDataSource source, BranchScope? scope = null)
{
    /// <summary>Lines of a report: all together, and the clients, products and officers with most applications.</summary>
    public const int MostLines = 601;

    /// <summary>Ids are made in the order of time: a minute's slack lets the index find the stretch, the moment itself decides.</summary>
    private const string Chosen =
        """
        with chosen as materialized (
            select a.id, a.received_at, a.received_by, a.channel, a.ended_at, a.amount from camino.applications a
            where a.id >= @least and a.id < @most and a.received_at >= @begin and a.received_at < @end and (@client is null or (a.received_by = @client and a.channel = 'api')) and (@branches is null or a.branch_id is null or a.branch_id = any(@branches))
        )
        """;

    private const string Funnel =
        Chosen +
        """
        , stays as (
            select e.application_id, e.to_state, extract(epoch from lead(e.at) over (partition by e.application_id order by e.sequence) - e.at)::float8 as seconds
            from chosen c join camino.application_events e on e.application_id = c.id where e.from_state is distinct from e.to_state
        )
        select to_state, count(distinct application_id), count(seconds), percentile_cont(0.5) within group (order by seconds), percentile_cont(0.9) within group (order by seconds) from stays group by to_state order by to_state
        """;

    private const string Groups =
        Chosen +
        """
        , decided as (
            select e.application_id, bool_or(e.to_state = 4) as offered, bool_or(e.to_state = 5) as accepted, bool_or(e.to_state = 6) as booked, bool_or(e.to_state = 7) as declined,
                min(e.at) filter (where e.to_state in (4, 7)) as at, (array_agg(e.actor_id order by e.sequence) filter (where e.to_state in (4, 7)))[1] as officer
            from chosen c join camino.application_events e on e.application_id = c.id group by e.application_id
        ), offered as (
            select distinct on (o.application_id) o.application_id, o.product_id from chosen c join camino.application_offers o on o.application_id = c.id order by o.application_id, (o.state = 2) desc, o.number desc
        ), facts as (
            select c.*, case when c.channel = 'api' then c.received_by end as client, o.product_id as product, d.officer, d.offered, d.accepted, d.booked, d.declined, extract(epoch from d.at - c.received_at)::float8 as seconds
            from chosen c left join decided d on d.application_id = c.id left join offered o on o.application_id = c.id
        ), sums as (
            select grouping(client, product, officer) as kind, client, product, officer, count(*) as received, count(*) filter (where offered) as approved, count(*) filter (where accepted) as accepted, count(*) filter (where booked) as booked,
                count(*) filter (where declined and not offered) as declined, count(*) filter (where ended_at is null) as open, sum(amount) as amount, percentile_cont(0.5) within group (order by seconds) as half, percentile_cont(0.9) within group (order by seconds) as most
            from facts group by grouping sets ((), (client), (product), (officer))
        )
        select s.kind, case s.kind when 3 then coalesce(k.name, u.display_name) when 5 then p.code when 6 then w.display_name end, s.received, s.approved, s.accepted, s.booked, s.declined, s.open, s.amount, s.half, s.most
        from sums s left join camino.api_clients k on s.kind = 3 and k.id = s.client left join camino.staff_users u on s.kind = 3 and u.id = s.client left join camino.products p on s.kind = 5 and p.id = s.product
            left join camino.staff_users w on s.kind = 6 and w.id = s.officer
        order by s.kind = 7 desc, s.kind, s.received desc, 2 limit @rows
        """;

    public async Task<ApplicationReport> RunAsync(ReportPeriod period, CancellationToken ct)
    {
        // both from one state of the tables, and planned for this period: a plan for any period would take a year for a minute
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        await using (var plan = new NpgsqlCommand("set local plan_cache_mode = force_custom_plan", connection, snapshot))
            await plan.ExecuteNonQueryAsync(ct);
        var funnel = new List<FunnelLine>();
        await using (var command = FunnelCommand(connection, period, scope?.Seen))
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            while (await row.ReadAsync(ct))
                funnel.Add(new FunnelLine((ApplicationState)row.GetInt16(0), row.GetInt64(1), row.GetInt64(2), Seconds(row, 3), Seconds(row, 4)));
        }

        var lines = new List<ReportLine>();
        await using (var command = GroupsCommand(connection, period, scope?.Seen))
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            while (await row.ReadAsync(ct))
            {
                lines.Add(new ReportLine(
                    GroupOf(row.GetInt32(0)), row.IsDBNull(1) ? null : row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.IsDBNull(8) ? 0m : row.GetDecimal(8), Seconds(row, 9), Seconds(row, 10)));
            }
        }

        return new ApplicationReport(period, funnel, lines);
    }

    /// <summary>The statement of the funnel, for the test of its plan.</summary>
    internal static NpgsqlCommand FunnelCommand(NpgsqlConnection connection, ReportPeriod period, Guid[]? branches = null) => Command(connection, Funnel, period, branches);

    /// <summary>The statement of the groups, for the test of its plan.</summary>
    internal static NpgsqlCommand GroupsCommand(NpgsqlConnection connection, ReportPeriod period, Guid[]? branches = null)
    {
        var command = Command(connection, Groups, period, branches);
        command.Parameters.AddWithValue("rows", MostLines);
        return command;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, ReportPeriod period, Guid[]? branches)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("least", ListApplications.LeastIdAt(period.Begin.AddMinutes(-1)));
        command.Parameters.AddWithValue("most", ListApplications.LeastIdAt(period.End.AddMinutes(1)));
        command.Parameters.AddWithValue("begin", period.Begin);
        command.Parameters.AddWithValue("end", period.End);
        command.Parameters.Add(new NpgsqlParameter("client", NpgsqlDbType.Uuid) { Value = (object?)period.Client ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("branches", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = (object?)branches ?? DBNull.Value });
        return command;
    }

    /// <summary>The bits of what a line is not put together by: client, product, officer.</summary>
    private static ReportGroup GroupOf(int kind) => kind switch { 3 => ReportGroup.Client, 5 => ReportGroup.Product, 6 => ReportGroup.Officer, _ => ReportGroup.All };

    private static TimeSpan? Seconds(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : TimeSpan.FromMilliseconds(Math.Round(row.GetDouble(column) * 1_000));
}
