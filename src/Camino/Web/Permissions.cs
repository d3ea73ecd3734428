using System.Security.Claims;
using Camino.People;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Camino.Web;

/// <summary>
/// The permission table: what can be permitted, and which role may do it. Pages, handlers, API endpoints, exports and the commands on loans and jobs each name one of these;
/// an endpoint that names none is closed to everybody. What of it API clients can be given stands in <see cref="Scopes"/>. The names are never changed.
/// </summary>
public static class Permissions
{
    /// <summary>One's own start page, notices and preferences.</summary>
    public const string Own = "own";

    public const string PortfolioRead = "portfolio.read";
    public const string LoansRead = "loans.read";

    /// <summary>Search for anything; what is found of each kind is shown to who may read that kind.</summary>
    public const string SearchRead = "search.read";

    /// <summary>Borrowers with their numbers masked.</summary>
    public const string BorrowersRead = "borrowers.read";

    /// <summary>Add and change borrowers, their numbers and bank accounts.</summary>
    public const string BorrowersChange = "borrowers.change";

    /// <summary>See a tax number in full; each time is in the audit trail.</summary>
    public const string BorrowersReveal = "borrowers.reveal";

    /// <summary>Make two borrowers one, and undo it.</summary>
    public const string BorrowersMerge = "borrowers.merge";

    /// <summary>Loan applications: where each stands, whom it is from, what its checks found.</summary>
    public const string ApplicationsRead = "applications.read";

    /// <summary>Hand an application in.</summary>
    public const string ApplicationsCreate = "applications.create";

    /// <summary>Withdraw, cancel and reopen applications, write down which offer was accepted, hand in and take back bank statements, and have steps of their checks tried again.</summary>
    public const string ApplicationsChange = "applications.change";

    /// <summary>Make and withdraw offers, and decline applications.</summary>
    public const string ApplicationsDecide = "applications.decide";

    /// <summary>The credit policy, what it says about an application, and its checklist.</summary>
    public const string UnderwritingRead = "underwriting.read";

    /// <summary>Change the credit policy and have it published.</summary>
    public const string UnderwritingChange = "underwriting.change";

    /// <summary>Take the list of loans out of the house as a file.</summary>
    public const string LoansExport = "loans.export";

    /// <summary>The serviced book: loans, schedules, letters, payoff quotes.</summary>
    public const string BookRead = "book.read";

    /// <summary>Book a new loan, also from an offer that was accepted.</summary>
    public const string BookLoans = "book.loans";
    public const string BookDisburse = "book.disburse";

    /// <summary>Take in, return, reverse, recover and refund money.</summary>
    public const string BookPayments = "book.payments";
    public const string BookFees = "book.fees";
    public const string BookWaive = "book.waive";

    /// <summary>Change dates, rate, installments.</summary>
    public const string BookTerms = "book.terms";

    /// <summary>Pause interest or the counting of days past due.</summary>
    public const string BookPauses = "book.pauses";

    /// <summary>Write off and charge off.</summary>
    public const string BookChargeOff = "book.charge-off";

    public const string ProductsRead = "products.read";
    public const string ProductsChange = "products.change";
    public const string LedgerRead = "ledger.read";
    public const string LedgerCheck = "ledger.check";

    /// <summary>Ask for entries by hand, and for their reversal; a second person with this right approves.</summary>
    public const string LedgerPost = "ledger.post";

    /// <summary>Close the business day, and resume a close that stopped.</summary>
    public const string DayClose = "day.close";

    public const string ImportsRead = "imports.read";

    /// <summary>Hand in, map, load and cancel.</summary>
    public const string ImportsWrite = "imports.write";

    public const string JobsRead = "jobs.read";

    /// <summary>Ask for jobs, and act on those that one asked for.</summary>
    public const string JobsAct = "jobs.act";

    /// <summary>Act on everybody's jobs, pause queues and kinds, see arguments in full.</summary>
    public const string JobsAll = "jobs.all";

    public const string ServersRead = "servers.read";

    /// <summary>See the settings in effect; secrets are masked.</summary>
    public const string SettingsRead = "settings.read";
    public const string MetricsRead = "metrics.read";
    public const string QuotesUse = "quotes.use";

    /// <summary>Sanctions screening: what was found about whom, and which lists are in force.</summary>
    public const string ScreeningRead = "screening.read";

    /// <summary>Screen a name.</summary>
    public const string ScreeningUse = "screening.use";

    /// <summary>Propose what a hit is, and agree as the second person.</summary>
    public const string ScreeningReview = "screening.review";

    /// <summary>Have all borrowers screened again.</summary>
    public const string ScreeningLists = "screening.lists";

    /// <summary>Requests that wait for a second person: those that one made, and those that one may decide.</summary>
    public const string ApprovalsRead = "approvals.read";

    /// <summary>Take one's own requests back.</summary>
    public const string ApprovalsWithdraw = "approvals.withdraw";

    /// <summary>Approve and decline what others asked for; each act asks for its own permission beside it.</summary>
    public const string ApprovalsDecide = "approvals.decide";

    /// <summary>Read the audit trail.</summary>
    public const string AuditRead = "audit.read";

    /// <summary>Add and disable users, change their roles, hand out links for passwords.</summary>
    public const string PeopleManage = "people.manage";

    /// <summary>See which branches there are.</summary>
    public const string BranchesRead = "branches.read";

    /// <summary>Move borrowers, applications and loans between branches.</summary>
    public const string BranchesMove = "branches.move";

    /// <summary>Add, rename, close and open branches, and bind users and clients to them.</summary>
    public const string BranchesManage = "branches.manage";

    /// <summary>Add, change and disable API clients, and make their keys.</summary>
    public const string ClientsManage = "clients.manage";

    /// <summary>The webhook endpoints of the client that asks, and what was sent to them. Staff see them with <see cref="ClientsManage"/>.</summary>
    public const string WebhooksManage = "webhooks.manage";

    /// <summary>Tasks of everybody, with what happened to them.</summary>
    public const string TasksRead = "tasks.read";

    /// <summary>Make tasks, give them to somebody, write about them, do and cancel them.</summary>
    public const string TasksWork = "tasks.work";

    /// <summary>Notes about what somebody may read: borrowers, applications, loans.</summary>
    public const string NotesRead = "notes.read";

    /// <summary>Write notes, and take the own ones off.</summary>
    public const string NotesWrite = "notes.write";

    /// <summary>Documents about what somebody may read; each opening is in the audit trail.</summary>
    public const string DocumentsRead = "documents.read";

    /// <summary>Add documents and versions, change what is said about them, take them off.</summary>
    public const string DocumentsWrite = "documents.write";

    private static readonly string[] s_reading = [Own, PortfolioRead, LoansRead, BorrowersRead, ApplicationsRead, BookRead, ProductsRead, LedgerRead, ImportsRead, JobsRead, ServersRead, QuotesUse, SearchRead, TasksRead, NotesRead, DocumentsRead, ApprovalsRead, BranchesRead, UnderwritingRead];

    /// <summary>Every permission, in the order of the table.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Own, PortfolioRead, LoansRead, LoansExport, BorrowersRead, BorrowersChange, BorrowersReveal, BookRead, BookLoans, BookDisburse, BookPayments, BookFees, BookWaive, BookTerms, BookPauses, BookChargeOff, ProductsRead, ProductsChange, LedgerRead, LedgerCheck, LedgerPost,
        DayClose, ImportsRead, ImportsWrite, JobsRead, JobsAct, JobsAll, ServersRead, MetricsRead, QuotesUse, AuditRead, PeopleManage, ScreeningRead, ScreeningUse, ScreeningReview, ScreeningLists,
        ApplicationsRead, ApplicationsCreate, ApplicationsChange, ApplicationsDecide, ClientsManage, SearchRead, WebhooksManage, TasksRead, TasksWork, NotesRead, NotesWrite, DocumentsRead, DocumentsWrite, SettingsRead,
        ApprovalsRead, ApprovalsWithdraw, ApprovalsDecide, BranchesRead, BranchesMove, BranchesManage, BorrowersMerge, UnderwritingRead, UnderwritingChange,
    ];

    private static readonly string[] s_working = [TasksWork, NotesWrite, DocumentsWrite, JobsAct];

    private static readonly Dictionary<string, HashSet<string>> s_roles = new(StringComparer.Ordinal)
    {
        [StaffRoles.Viewer] = [.. s_reading],
        [StaffRoles.Officer] = [.. s_reading, .. s_working, LoansExport, BorrowersChange, BookLoans, ImportsWrite, ScreeningRead, ScreeningUse, ApplicationsCreate, ApplicationsChange],
        [StaffRoles.Underwriter] = [.. s_reading, .. s_working, LoansExport, BorrowersChange, BorrowersReveal, BorrowersMerge, BookTerms, ScreeningRead, ScreeningUse, ScreeningReview, ApplicationsCreate, ApplicationsChange, ApplicationsDecide, ApprovalsWithdraw, ApprovalsDecide],
        [StaffRoles.Servicing] = [.. s_reading, .. s_working, LoansExport, BorrowersChange, BorrowersReveal, BorrowersMerge, BookDisburse, BookPayments, BookFees, BookWaive, BookTerms, BookPauses, LedgerCheck, ApprovalsWithdraw, ApprovalsDecide, BranchesMove],
        [StaffRoles.Collections] = [.. s_reading, .. s_working, LoansExport, BorrowersChange, BookPayments, BookWaive, BookPauses, ApprovalsWithdraw, ApprovalsDecide],
        [StaffRoles.Accountant] = [.. s_reading, .. s_working, LoansExport, LedgerCheck, LedgerPost, DayClose, BookChargeOff, AuditRead, ScreeningRead, ApprovalsWithdraw, ApprovalsDecide],
        [StaffRoles.Administrator] = [.. All],
    };

    private static readonly HashSet<string> s_none = [];

    /// <summary>Claim of somebody without roles: one permission. An API client has those of its scopes, and who must set up a second factor the one to do so.</summary>
    public const string GivenClaim = "camino.scope"; // stands in cookies: never rename

    /// <summary>What a role may do; nothing for a role that is not in the table.</summary>
    public static IReadOnlySet<string> Of(string role) => s_roles.TryGetValue(role, out var permissions) ? permissions : s_none;

    /// <summary>Whether the table lets somebody do something: by one of the roles, or given by itself. Pages show by it, the server decides by it.</summary>
    public static bool May(this ClaimsPrincipal user, string permission)
    {
        ArgumentNullException.ThrowIfNull(user);
        return user.HasClaim(GivenClaim, permission) || user.Claims.Any(claim => claim.Type == ClaimTypes.Role && Of(claim.Value).Contains(permission));
    }

    /// <summary>One policy for each permission. What names none is closed; an address that leads nowhere is answered as such to whoever is signed in.</summary>
    public static void AddTo(AuthorizationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var permission in All)
            options.AddPolicy(permission, policy => policy.RequireAuthenticatedUser().RequireAssertion(context => context.User.May(permission)));
        options.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireAssertion(context => context.Resource is HttpContext http && LeadsNowhere(http.GetEndpoint())).Build();
    }

    /// <summary>No endpoint, or the framework's own that answers for files that are not there.</summary>
    private static bool LeadsNowhere(Endpoint? endpoint) => endpoint is null or RouteEndpoint { RoutePattern.RawText: "{**path:file}" };
}
