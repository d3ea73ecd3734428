using System.Security.Claims;
using Camino.Approvals;
using Camino.Branches;
using Npgsql;

namespace Camino.Web;

/// <summary>One kind of work that waits for people: how much of it, and where it is done.</summary>
/// <param name="Name">Completes the name of a text: <c>Day.{Name}.One</c> or <c>.Many</c>.</param>
/// <param name="Count">At most <see cref="ReadDay.CountedAtMost"/>.</param>
/// <param name="Address">Where it is done.</param>
public sealed record DayLine(string Name, int Count, string Address);

/// <summary>What waits today, by what a person may do: one statement, of which only the parts that concern the person are carried out.</summary>
public sealed class ReadDay(NpgsqlDataSource source, TimeProvider clock, BranchScope scope)
{
    /// <summary>Counts stop here, so that a long list costs no more than a short one.</summary>
    public const int CountedAtMost = 1_000;

    /// <summary>Not for whoever is bound to branches.</summary>
    private const string House = "";

    /// <summary>Each kind of work: its permission, its address and its count. The condition of each is one that an index answers.</summary>
    private static readonly (string Name, string Permission, string Address, string Sql, string Scope)[] s_work =
    [
        ("Tasks", Permissions.TasksWork, "/tasks", "select 1 from camino.tasks where assignee = @user and state = 0 and due_sort <= (now() at time zone 'America/New_York')::date{0}", BranchSql.About("tasks")),
        ("Unassigned", Permissions.TasksWork, "/tasks?whose=unassigned", "select 1 from camino.tasks where assignee is null and state = 0{0}", BranchSql.About("tasks")),
        ("Approve", Permissions.ApprovalsDecide, "/approvals?state=waiting", "select 1 from camino.approvals where state = 0 and expires_at > @now and asked_by <> @user and not (subject = 'user' and subject_id = @user::text) and kind = any(@kinds){0}", BranchSql.Approval("approvals")),
        ("Decide", Permissions.ApplicationsDecide, "/applications?state=underwriting", "select 1 from camino.applications where state = 3{0}", BranchSql.Row("applications")),
        ("Book", Permissions.BookLoans, "/applications?state=accepted", "select 1 from camino.applications where state = 5{0}", BranchSql.Row("applications")),
        ("FailedApplications", Permissions.ApplicationsChange, "/applications?state=failed", "select 1 from camino.applications where state = 11{0}", BranchSql.Row("applications")),
        ("Hits", Permissions.ScreeningReview, "/screening", "select 1 from camino.screening_hits where state < 3 and (state = 0 or proposed_by is distinct from @user){0}", House),
        ("PastDue", Permissions.BookPayments, "/servicing?sort=late", "select 1 from camino.serviced_loans where days_past_due > 0{0} order by days_past_due desc", BranchSql.Loan("serviced_loans.id")),
        ("FailedJobs", Permissions.JobsAll, "/jobs/errors", "select 1 from jobs.finished where state = 'failed' and acknowledged_at is null{0}", House),
    ];

    /// <summary>What waits for this person, in the order of the table; kinds of which nothing waits are left out.</summary>
    public async Task<IReadOnlyList<DayLine>> RunAsync(ClaimsPrincipal user, CancellationToken ct)
    {
        var seen = scope.Seen;
        var mine = s_work.Where(work => user.May(work.Permission) && (seen is null || work.Scope != House)).ToList();
        if (mine.Count == 0)
            return [];
        await using var command = Command(source, mine.ConvertAll(work => work.Sql.Replace("{0}", BranchSql.And(seen, work.Scope), StringComparison.Ordinal)), user.Id(), ApprovalKinds.DecidedBy(user), clock.GetUtcNow(), seen);
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return [.. mine.Select((work, place) => new DayLine(work.Name, (int)row.GetInt64(place), work.Address)).Where(line => line.Count > 0)];
    }

    /// <summary>The statement of all kinds, for the test of its plan.</summary>
    internal static NpgsqlCommand Command(NpgsqlDataSource source, Guid user, DateTimeOffset now) => Command(source, s_work.Select(work => work.Sql.Replace("{0}", "", StringComparison.Ordinal)), user, [.. ApprovalKinds.All.Select(one => one.Kind)], now);

    private static NpgsqlCommand Command(NpgsqlDataSource source, IEnumerable<string> counts, Guid user, string[] kinds, DateTimeOffset now, Guid[]? branches = null)
    {
        var command = source.CreateCommand($"select {string.Join(", ", counts.Select(count => $"(select count(*) from ({count} limit {CountedAtMost}) c)"))}");
        command.Parameters.AddWithValue("user", user);
        command.Parameters.AddWithValue("kinds", kinds);
        command.Parameters.AddWithValue("now", now);
        command.AddBranches(branches);
        return command;
    }
}
