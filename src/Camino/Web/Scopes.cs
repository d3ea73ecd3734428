using System.Security.Claims;

namespace Camino.Web;

/// <summary>One scope of API clients.</summary>
/// <param name="Name">Stored with the client and never renamed.</param>
/// <param name="About">What it lets a program do, for the description of the API.</param>
/// <param name="Gives">Permissions of the table.</param>
public sealed record Scope(string Name, string About, params string[] Gives);

/// <summary>
/// The table of scopes: what each lets an API client do. Endpoints go on naming permissions; a client may do what its scopes give and nothing else. A permission stands in one scope at most,
/// so that an operation needs one scope. What stands in none is for people alone: pages, one's own account, people, clients and branches, the audit trail, the settings, the credit policy with what it says about applicants, and decisions: offering something to an applicant or declining, the review of sanctions hits, and approving what others asked for.
/// </summary>
public static class Scopes
{
    /// <summary>All, in the order in which pages offer them.</summary>
    public static IReadOnlyList<Scope> All { get; } =
    [
        new("borrowers:read", "Read borrowers, with their numbers masked.", Permissions.BorrowersRead),
        new("borrowers:write", "Add and change borrowers, their numbers and bank accounts.", Permissions.BorrowersChange),
        new("borrowers:reveal", "See a tax number in full; each time is in the audit trail.", Permissions.BorrowersReveal),
        new("borrowers:merge", "Make two borrowers one, and undo it.", Permissions.BorrowersMerge),
        new("applications:read", "Read loan applications, their state and what their checks found.", Permissions.ApplicationsRead),
        new("applications:create", "Hand loan applications in.", Permissions.ApplicationsCreate),
        new("applications:change", "Withdraw, cancel and reopen applications, write down which offer was accepted, hand in and take back bank statements, and have checks tried again.", Permissions.ApplicationsChange),
        new("loans:read", "Read serviced loans, their schedules, events, payoff quotes and products.", Permissions.BookRead, Permissions.ProductsRead),
        new("loans:book", "Book loans under a published product, and from accepted offers.", Permissions.BookLoans),
        new("loans:disburse", "Pay loans out.", Permissions.BookDisburse),
        new("loans:payments", "Record, return, reverse, recover and refund payments.", Permissions.BookPayments),
        new("loans:fees", "Charge fees.", Permissions.BookFees),
        new("loans:waive", "Waive fees, penalties and interest.", Permissions.BookWaive),
        new("loans:terms", "Change dates, rate and installments, and pause interest or days past due.", Permissions.BookTerms, Permissions.BookPauses),
        new("loans:charge-off", "Write off and charge off.", Permissions.BookChargeOff),
        new("products:write", "Add, change, publish and retire products.", Permissions.ProductsChange),
        new("ledger:read", "Read the ledger and the business date.", Permissions.LedgerRead),
        new("ledger:check", "Have the ledger proved against the loans.", Permissions.LedgerCheck),
        new("ledger:post", "Ask for entries by hand, which people approve.", Permissions.LedgerPost),
        new("day:close", "Close the business day.", Permissions.DayClose),
        new("imports:read", "Read imports and what became of their rows.", Permissions.ImportsRead),
        new("imports:write", "Hand portfolios in, map, load and cancel them.", Permissions.ImportsWrite),
        new("jobs:read", "Read jobs and queues, with arguments of others masked.", Permissions.JobsRead),
        new("jobs:act", "Ask for jobs, and act on those that this client asked for.", Permissions.JobsAct),
        new("jobs:all", "Act on everybody's jobs, pause queues, steer servers.", Permissions.JobsAll),
        new("screening:read", "Read what was found on the sanctions lists, and which are in force.", Permissions.ScreeningRead),
        new("screening:use", "Screen names against the sanctions lists.", Permissions.ScreeningUse),
        new("screening:lists", "Have all borrowers screened again.", Permissions.ScreeningLists),
        new("servers:read", "Read which servers run, and their releases.", Permissions.ServersRead),
        new("metrics:read", "Read the metrics of the running system.", Permissions.MetricsRead),
        new("search:read", "Search; what is found of each kind is shown to a client that may read that kind.", Permissions.SearchRead),
        new("tasks:read", "Read tasks, with what happened to them.", Permissions.TasksRead),
        new("tasks:work", "Make tasks, give them to users, do and cancel them.", Permissions.TasksWork),
        new("notes:read", "Read notes about what the client may read.", Permissions.NotesRead),
        new("notes:write", "Write notes about what the client may read.", Permissions.NotesWrite),
        new("documents:read", "Read documents about what the client may read; each opening is in the audit trail.", Permissions.DocumentsRead),
        new("documents:write", "Add documents and versions, and take them off.", Permissions.DocumentsWrite),
        new("webhooks:manage", "Keep the client's own webhook endpoints, see what was sent to them, and have it sent again.", Permissions.WebhooksManage),
        new("approvals:read", "Read the client's own requests that wait for a second person.", Permissions.ApprovalsRead),
        new("approvals:withdraw", "Take the client's own requests back.", Permissions.ApprovalsWithdraw),
        new("branches:read", "Read which branches there are.", Permissions.BranchesRead),
        new("branches:move", "Move borrowers, applications and loans between branches.", Permissions.BranchesMove),
        new("quotes:use", "Have loans quoted; nothing is stored.", Permissions.QuotesUse),
    ];

    private static readonly Dictionary<string, Scope> s_names = All.ToDictionary(scope => scope.Name, StringComparer.Ordinal);

    private static readonly Dictionary<string, string> s_giving = All.SelectMany(scope => scope.Gives, (scope, permission) => (scope.Name, permission)).ToDictionary(pair => pair.permission, pair => pair.Name, StringComparer.Ordinal);

    /// <summary>Whether there is a scope of this name.</summary>
    public static bool Knows(string name) => s_names.ContainsKey(name);

    /// <summary>The scope that gives a permission; null: it is for people alone.</summary>
    public static string? Giving(string permission) => s_giving.GetValueOrDefault(permission);

    /// <summary>What these scopes give together, as claims of whoever signs in with them. A name that is in the table no more gives nothing.</summary>
    public static IEnumerable<Claim> ClaimsOf(IEnumerable<string> names) =>
        names.SelectMany(name => s_names.TryGetValue(name, out var scope) ? scope.Gives : []).Select(permission => new Claim(Permissions.GivenClaim, permission));
}
