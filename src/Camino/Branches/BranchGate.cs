using Camino.Lending;
using Camino.Tasks;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Npgsql;

namespace Camino.Branches;

/// <summary>What an address is to somebody who is bound to branches.</summary>
public enum BranchRule
{
    /// <summary>There is nothing of a branch there.</summary>
    Free,

    /// <summary>What answers there shows and does only what the scope lets through.</summary>
    Limits,

    /// <summary>About the whole house: closed to whoever is bound.</summary>
    House,

    /// <summary>About the one thing whose id stands in the address: another branch's is not there.</summary>
    One,
}

/// <summary>What an id in an address is of.</summary>
public enum BranchThing
{
    None,
    Borrower,
    Application,

    /// <summary>Of the own book.</summary>
    Loan,

    /// <summary>Of a portfolio.</summary>
    PortfolioLoan,
    Task,
    Note,
    Document,
    Approval,

    /// <summary>Seen by whoever asked for it.</summary>
    Job,

    /// <summary>The address names the kind beside the id.</summary>
    Named,
}

/// <summary>
/// The table of addresses for whoever is bound to branches: of the patterns that an address begins with, the longest decides. What stands in none is closed to them; a test compares it with every route there is.
/// </summary>
public static class BranchRoutes
{
    private static readonly (string Pattern, BranchRule Rule, BranchThing Thing)[] s_table =
    [
        ("/", BranchRule.Limits, BranchThing.None),
        .. Same(BranchRule.Free, "/developers", "/error", "/filters", "/metrics", "/notices", "/password", "/preferences", "/second-factor", "/sessions", "/shortcuts", "/products", "/servers", "/settings", "/underwriting"),
        .. Same(BranchRule.Free, "/api/v1/products", "/api/v1/quotes", "/api/v1/servers", "/api/v1/settings", "/api/v1/business-day", "/api/v1/webhooks", "/api/v1/jobs/echo", "/api/v1/underwriting"),
        .. Same(BranchRule.Limits, "/applications", "/approvals", "/borrowers", "/loans", "/search", "/servicing", "/tasks", "/reports/applications", "/reports/applications.csv", "/branches/move"),
        .. Same(BranchRule.Limits, "/api/v1/applications", "/api/v1/approvals", "/api/v1/borrowers", "/api/v1/loans", "/api/v1/search", "/api/v1/tasks", "/api/v1/reports/applications", "/api/v1/branches"),
        .. Same(BranchRule.House, "/audit", "/books", "/branches", "/clients", "/imports", "/jobs", "/people", "/portfolio", "/screening"),
        .. Same(BranchRule.House, "/api/v1/audit", "/api/v1/imports", "/api/v1/jobs", "/api/v1/job-causes", "/api/v1/job-servers", "/api/v1/queues", "/api/v1/kinds", "/api/v1/schedules", "/api/v1/ledger", "/api/v1/business-day/close", "/api/v1/business-day/resume"),
        .. Same(BranchRule.House, "/api/v1/screenings", "/api/v1/screening-hits", "/api/v1/screening-runs", "/api/v1/watch-lists", "/api/v1/branches/{id}", "/api/v1/underwriting/policies/{number}/trial"),
        One("/applications/{id}", BranchThing.Application), One("/api/v1/applications/{id}", BranchThing.Application),
        One("/approvals/{id}", BranchThing.Approval), One("/api/v1/approvals/{id}", BranchThing.Approval),
        One("/borrowers/{id}", BranchThing.Borrower), One("/borrowers/edit/{id}", BranchThing.Borrower), One("/api/v1/borrowers/{id}", BranchThing.Borrower),
        One("/branches/move/{subject}/{id}", BranchThing.Named),
        One("/documents/{id}", BranchThing.Document), One("/documents/about/{subject}/{id}", BranchThing.Named), One("/api/v1/documents/{id}", BranchThing.Document),
        One("/jobs/{id}", BranchThing.Job), One("/api/v1/jobs/{id}", BranchThing.Job),
        One("/loans/{id}", BranchThing.PortfolioLoan), One("/servicing/{id}", BranchThing.Loan), One("/api/v1/loans/{id}", BranchThing.Loan),
        One("/notes/{subject}/{id}", BranchThing.Named), One("/api/v1/notes/{id}", BranchThing.Note),
        One("/tasks/{id}", BranchThing.Task), One("/api/v1/tasks/{id}", BranchThing.Task),
    ];

    /// <summary>What the table says of a route; null: it says nothing, and the route is closed.</summary>
    /// <param name="pattern">As it was mapped: <c>/api/v1/loans/{id:guid}/payoff</c>.</param>
    public static (BranchRule Rule, BranchThing Thing)? Of(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        var asked = Parts(pattern);
        if (asked.Length == 0)
            return (s_table[0].Rule, s_table[0].Thing);
        var best = s_table.Where(line => Parts(line.Pattern) is { Length: > 0 } parts && parts.Length <= asked.Length && parts.SequenceEqual(asked.Take(parts.Length), StringComparer.Ordinal)).OrderByDescending(line => Parts(line.Pattern).Length).FirstOrDefault();
        return best.Pattern is null ? null : (best.Rule, best.Thing);
    }

    private static (string, BranchRule, BranchThing)[] Same(BranchRule rule, params string[] patterns) => [.. patterns.Select(pattern => (pattern, rule, BranchThing.None))];

    private static (string, BranchRule, BranchThing) One(string pattern, BranchThing thing) => (pattern, BranchRule.One, thing);

    /// <summary>The segments; a place for a value without what it must be.</summary>
    private static string[] Parts(string pattern) =>
        [.. pattern.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(part => part.StartsWith('{') ? "{" + part.Trim('{', '}').Split(':')[0].TrimEnd('?') + "}" : part)];
}

/// <summary>Stands behind the authorization: to whoever is bound to branches, another branch's ids are answered as ids that are not there, and what is about the whole house is closed.</summary>
public sealed class BranchGate(RequestDelegate next, NpgsqlDataSource source)
{
    private const string House = "This is about the whole house; you are bound to branches. Ask somebody who is not.";

    private static readonly Dictionary<BranchThing, string> s_things = new()
    {
        [BranchThing.Borrower] = $"select from camino.borrowers r where r.id = $1 and {BranchSql.Row("r", "$2")}",
        [BranchThing.Application] = $"select from camino.applications r where r.id = $1 and {BranchSql.Row("r", "$2")}",
        [BranchThing.Loan] = $"select from camino.serviced_loans r where r.id = $1 and {BranchSql.Loan("r.id", "$2")}",
        [BranchThing.PortfolioLoan] = $"select from camino.loans r where r.id = $1 and {BranchSql.Loan("r.id", "$2")}",
        [BranchThing.Task] = $"select from camino.tasks r where r.id = $1 and {BranchSql.About("r", "$2")}",
        [BranchThing.Note] = $"select from camino.notes r where r.id = $1 and {BranchSql.About("r", "$2")}",
        [BranchThing.Document] = $"select from camino.documents r where r.id = $1 and {BranchSql.About("r", "$2")}",
        [BranchThing.Approval] = $"select from camino.approvals r where r.id = $1 and {BranchSql.Approval("r", "$2")}",
        [BranchThing.Job] = "select from jobs.job r where r.id = $1 and r.requested_by = $3 and $2::uuid[] is not null union all select from jobs.finished r where r.id = $1 and r.requested_by = $3",
    };

    /// <summary>Passes on what may be passed on.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Features.Get<ReaderBranches>()?.Seen is not { } seen || context.GetEndpoint() is not RouteEndpoint endpoint || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            await next(context);
            return;
        }

        var (rule, thing) = BranchRoutes.Of(endpoint.RoutePattern.RawText ?? "") ?? (BranchRule.House, BranchThing.None);
        if (rule == BranchRule.House)
        {
            await CloseAsync(context);
            return;
        }

        if (rule == BranchRule.One && context.GetRouteValue("id")?.ToString() is { Length: > 0 } text && Guid.TryParse(text, out var id) && !await IsThereAsync(thing == BranchThing.Named ? NamedBy(context) : thing, id, seen, context))
            return;
        await next(context);
    }

    private static async Task CloseAsync(HttpContext context)
    {
        if (!WebSetup.IsForPrograms(context))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden; // around it, the pages put words
            return;
        }

        await Microsoft.AspNetCore.Http.TypedResults.Problem(House, statusCode: StatusCodes.Status403Forbidden, title: "Refused", type: "urn:camino:problem:branch.house", extensions: new Dictionary<string, object?> { ["code"] = "branch.house" }).ExecuteAsync(context);
    }

    private static BranchThing NamedBy(HttpContext context) => context.GetRouteValue("subject")?.ToString() switch
    {
        "portfolio-loan" => BranchThing.PortfolioLoan,
        { } word when TaskWords.Kind(word) is { } kind => kind switch { SubjectKind.Borrower => BranchThing.Borrower, SubjectKind.Application => BranchThing.Application, _ => BranchThing.Loan },
        _ => BranchThing.None,
    };

    /// <summary>Word for word what an id is answered with that nothing has.</summary>
    private static RefusedException NotThere(BranchThing thing, Guid id) => thing switch
    {
        BranchThing.Borrower => new RefusedException("borrower.not_found", $"There is no borrower {id}."),
        BranchThing.Application => new RefusedException("application.not_found", $"There is no application {id}."),
        BranchThing.Task => new RefusedException("task.not_found", $"There is no task {id}."),
        BranchThing.Note => new RefusedException("note.not_found", $"There is no note {id}."),
        BranchThing.Document => new RefusedException("document.not_found", $"There is no document {id}."),
        BranchThing.Approval => new RefusedException("approval.not_found", $"There is no request {id} that is yours or that you may decide."),
        BranchThing.Job => new RefusedException("job.not_found", $"There is no job {id}."),
        _ => new RefusedException("loan.not_found", $"There is no loan {id}."),
    };

    /// <summary>Answered as an id that nothing has, where it is not.</summary>
    private async Task<bool> IsThereAsync(BranchThing thing, Guid id, Guid[] seen, HttpContext context)
    {
        if (!s_things.TryGetValue(thing, out var look))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return false;
        }

        await using var command = source.CreateCommand($"select exists ({look})");
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.AddNextBranches(seen);
        if (thing == BranchThing.Job)
            command.Parameters.Add(new NpgsqlParameter { Value = context.User.Id().ToString() });
        if ((bool)(await command.ExecuteScalarAsync(context.RequestAborted) ?? false))
            return true;
        if (WebSetup.IsForPrograms(context))
            throw NotThere(thing, id);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return false;
    }
}
