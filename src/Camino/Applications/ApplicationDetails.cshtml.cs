using Camino.Applications.Messages;
using Camino.Applications.Papers;
using Camino.Applications.Statements;
using Camino.Applications.Underwriting;
using Camino.Approvals;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Applications;

/// <summary>One application on one page: who asks for what, how far the checks are, who may be the same, what happened, and what can be done.</summary>
[Authorize(Permissions.ApplicationsRead)]
public sealed class ApplicationDetailsPage(
    ShowApplication show, ShowOffers offers, ShowRenewal renewals, FindDuplicates find, MoveApplication move, RetryStep retry, AcceptOffer accept, WithdrawOffer withdraw, BookApplication book, GiveBankAccount giveAccount, ShowStatements statements, ReceiveStatement receive,
    RemoveStatement remove, ShowPapers papers, RetryPaper retryPaper, ShowMessages messages, WriteApplicant write, ShowEvaluation evaluations, EvaluateApplication evaluate, ShowDecisions decisions, ShowChecklist checklist, TickItem tick, ListApprovals approvals, ShowApproval showApproval, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private ApplicationView? _view;

    public ApplicationView View => _view ?? throw new InvalidOperationException("The application was not read.");

    public IReadOnlyList<DuplicateView> Duplicates { get; private set; } = [];

    public IReadOnlyList<OfferLine> Offers { get; private set; } = [];

    /// <summary>The loan that it became.</summary>
    public NumberedLink? Loan { get; private set; }

    /// <summary>The loan that it is to renew; null when it renews none.</summary>
    public NumberedLink? Renews { get; private set; }

    /// <summary>Borrowers that the loan may belong to; a renewal is its borrower's.</summary>
    public IReadOnlyList<DuplicateView> Borrowers => Renews is null ? [.. Duplicates.Where(one => one.Number is null)] : [];

    /// <summary>Its bank statements and what they come to.</summary>
    public StatementsView Statements { get; private set; } = new([], null, null);

    /// <summary>What Camino wrote about it.</summary>
    public IReadOnlyList<PaperLine> Papers { get; private set; } = [];

    /// <summary>What the applicant was written.</summary>
    public MessagesView Messages { get; private set; } = new([], new ContactChoices(true, true));

    /// <summary>What the credit policy says about it; null until it was evaluated, and for who may not see it.</summary>
    public EvaluationView? Evaluation { get; private set; }

    /// <summary>Codes of the principal reasons that the assessment gives, the principal one first: what the form for a refusal begins with. Empty where it recommends to approve.</summary>
    public IReadOnlyList<string> Suggested => Evaluation?.Stored.Result.Reasons ?? [];

    /// <summary>What it needs before an offer and before booking; empty without a policy, and for who may not see it.</summary>
    public IReadOnlyList<ChecklistLine> Checklist { get; private set; } = [];

    /// <summary>What was decided on which evaluation, by the sequence of the event.</summary>
    public IReadOnlyDictionary<int, DecisionLine> Decisions { get; private set; } = new Dictionary<int, DecisionLine>();

    /// <summary>What was just asked for and waits for a second person.</summary>
    public Guid? Asked { get; private set; }

    /// <summary>What waits for a second person and the reader asked for or may decide.</summary>
    public IReadOnlyList<(Guid Id, string Says)> Waiting { get; private set; } = [];

    public string? Problem { get; private set; }

    /// <summary>Made with the page's forms: pressed twice, one is carried out.</summary>
    public string Key { get; } = Guid.CreateVersion7().ToString("N");

    /// <summary>Whether jobs are at it, so that the page looks again by itself.</summary>
    public bool IsMoving => View.State is ApplicationState.Received || View.Task.Steps.Any(step => step.State == "running" || (step.State == "waiting" && step.Problem is null)) || Statements.Statements.Any(one => one.IsMoving) || Papers.Any(one => one.State == PaperState.Waiting) || Messages.Messages.Any(one => one.State == MessageState.Queued);

    /// <summary>What the reader may do to it now.</summary>
    public IReadOnlyList<ApplicationMove> Moves
    {
        get
        {
            var course = new ApplicationCourse(View.State, View.Task.Version, false, View.Task.ChangedAt, View.Task.ExpiresAt);
            return [.. course.MovesOf(ActorKind.Staff).Where(one => MoveApplication.Moves.Contains(one) && User.May(ApplicationApi.PermissionOf(one)))];
        }
    }

    public Task<IActionResult> OnGetAsync(Guid id, Guid? asked, CancellationToken ct)
    {
        Asked = asked;
        return LookAsync(id, ct);
    }

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostWithdrawAsync(Guid id, string? reason, string? key, int? version, CancellationToken ct) => DoAsync(id, () => move.RunAsync(id, ApplicationMove.Withdraw, reason, By(key, version ?? 0), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostCancelAsync(Guid id, string? reason, string? key, int? version, CancellationToken ct) => DoAsync(id, () => move.RunAsync(id, ApplicationMove.Cancel, reason, By(key, version ?? 0), ct), ct);

    [Needs(Permissions.ApplicationsDecide)]
    public Task<IActionResult> OnPostDeclineAsync(Guid id, string? reason, string[]? reasons, string? key, int? version, CancellationToken ct) => DoAsync(id, () => move.RunAsync(id, ApplicationMove.Decline, reason, By(key, version ?? 0), ct, reasons), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostReopenAsync(Guid id, string? reason, string? key, int? version, CancellationToken ct) => DoAsync(id, () => move.RunAsync(id, ApplicationMove.Reopen, reason, By(key, version ?? 0), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostRetryAsync(Guid id, Guid stepId, string? key, CancellationToken ct) => DoAsync(id, () => retry.RunAsync(id, stepId, By(key, null), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostAccountAsync(Guid id, Borrowers.BankAccountInput input, string? key, CancellationToken ct) => DoAsync(id, () => giveAccount.RunAsync(id, input, By(key, null), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostSendNoticeAsync(Guid id, int number, string? key, CancellationToken ct) =>
        DoAsync(id, () => write.RunAsync(id, new MessageInput(MessageKind.Decline, MessageChannel.Email, number, null, null), By(key, null), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostRetryMessageAsync(Guid id, Guid messageId, string? key, CancellationToken ct) => DoAsync(id, () => write.RetryAsync(id, messageId, By(key, null), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostChooseAsync(Guid id, bool email, bool text, CancellationToken ct) => DoAsync(id, () => write.ChooseAsync(id, new ContactChoices(email, text), User.Id(), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostRetryPaperAsync(Guid id, Guid paperId, string? key, CancellationToken ct) => DoAsync(id, () => retryPaper.RunAsync(id, paperId, By(key, null), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostAcceptOfferAsync(Guid id, int number, AcceptInput input, string? key, int? version, CancellationToken ct) => DoAsync(id, () => accept.RunAsync(id, number, input, By(key, version ?? 0), ct), ct);

    [Needs(Permissions.ApplicationsDecide)]
    public Task<IActionResult> OnPostWithdrawOfferAsync(Guid id, int number, string? reason, string? key, int? version, CancellationToken ct) => DoAsync(id, () => withdraw.RunAsync(id, number, reason, By(key, version ?? 0), ct), ct);

    /// <param name="borrower">The id of one that is known, <c>new</c>, or nothing where nobody may be the same.</param>
    [Needs(Permissions.BookLoans)]
    public Task<IActionResult> OnPostBookAsync(Guid id, string? borrower, string? key, int? version, CancellationToken ct) =>
        DoAsync(id, () => book.RunAsync(id, new BookApplicationInput { BorrowerId = borrower == "new" ? null : BookApplicationInput.BorrowerOf(borrower), IsNew = borrower == "new" }, By(key, version ?? 0), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostAddStatementAsync(Guid id, IFormFile? file, string? account, string? dates, CancellationToken ct) => DoAsync(id, () => AddStatementAsync(id, file, account, dates, ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostRemoveStatementAsync(Guid id, Guid statementId, CancellationToken ct) => DoAsync(id, () => remove.RunAsync(id, statementId, User.Id(), ct), ct);

    [Needs(Permissions.ApplicationsDecide)]
    public Task<IActionResult> OnPostEvaluateAsync(Guid id, CancellationToken ct) => DoAsync(id, () => evaluate.RunAsync(id, User.Id(), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostTickAsync(Guid id, string? item, string? key, CancellationToken ct) => DoAsync(id, () => tick.RunAsync(id, item ?? "", TickAct.Tick, null, By(key, null), ct), ct);

    [Needs(Permissions.ApplicationsChange)]
    public Task<IActionResult> OnPostTakeBackAsync(Guid id, string? item, string? key, CancellationToken ct) => DoAsync(id, () => tick.RunAsync(id, item ?? "", TickAct.TakeBack, null, By(key, null), ct), ct);

    [Needs(Permissions.ApplicationsDecide)]
    public Task<IActionResult> OnPostWaiveAsync(Guid id, string? item, string? reason, string? key, CancellationToken ct) => DoAsync(id, () => tick.RunAsync(id, item ?? "", TickAct.Waive, reason, By(key, null), ct), ct);

    /// <summary>Why something was done: what people wrote as it is, what Camino says in the reader's language.</summary>
    public static string Why(EventLine line, string reason) => line.ActorKind == ActorKind.System ? Refusals.Find(reason) : reason;

    /// <summary>Who did something, in the reader's language.</summary>
    public string Who(EventLine line) => line.Actor ?? texts["ActorKind." + line.ActorKind].Value;

    /// <summary>What an outside service answered, in the reader's language; null where it says nothing by itself.</summary>
    public string? Found(StepView step)
    {
        if (step.Result is not { } result)
            return null;
        if (result.TryGetProperty("score", out var score))
            return texts["CheckFound.score", score.GetInt32(), result.GetProperty("openLoans").GetInt32(), result.GetProperty("latePayments").GetInt32()];
        if (result.TryGetProperty("nameMatch", out var match) && match.ValueKind == System.Text.Json.JsonValueKind.Number)
            return texts["CheckFound.NameMatch", texts["CheckFound." + result.GetProperty("outcome").GetString()].Value, match.GetInt32()];
        return result.TryGetProperty("status", out var one) || result.TryGetProperty("outcome", out one) ? texts["CheckFound." + one.GetString()].Value : null;
    }

    private AskedBy By(string? key, int? version) => new(User.Id(), key ?? Guid.CreateVersion7().ToString("N"), version);

    private async Task AddStatementAsync(Guid id, IFormFile? file, string? account, string? dates, CancellationToken ct)
    {
        Refuse.If(file is null, "statement.no_file", "No file was chosen; choose one and send again.");
        await using var content = file.OpenReadStream();
        await receive.RunAsync(id, new HandedInStatement(content, file.FileName, account, dates) { ExpectedBytes = file.Length }, User.Id(), ct);
    }

    private async Task<IActionResult> LookAsync(Guid id, CancellationToken ct)
    {
        _view = await show.RunAsync(id, ct);
        if (_view is null)
            return NotFound();
        Duplicates = await find.OfApplicationAsync(id, ct);
        Offers = await offers.RunAsync(id, ct);
        Statements = await statements.RunAsync(id, ct);
        Papers = await papers.RunAsync(id, ct);
        Messages = await messages.RunAsync(id, ct);
        if (User.May(Permissions.UnderwritingRead))
        {
            Evaluation = await evaluations.RunAsync(id, ct);
            Checklist = await checklist.RunAsync(id, new Money(View.Amount), ct);
            Decisions = (await decisions.RunAsync(id, ct)).ToDictionary(one => one.Sequence);
        }

        Waiting = [.. (await approvals.WaitingAsync("application", id.ToString(), User, ct)).Where(one => one.Approval.Id != Asked).Select(one => (one.Approval.Id, showApproval.Say(one)))];
        Renews = await renewals.OfApplicationAsync(id, ct);
        Loan = View.Task.LoanId is null ? null : await offers.LoanAsync(id, ct);
        return Page();
    }

    private async Task<IActionResult> DoAsync(Guid id, Func<Task> act, CancellationToken ct)
    {
        try
        {
            await act();
            return Redirect($"/applications/{id}");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            return await LookAsync(id, ct);
        }
    }
}
