using Camino.Approvals;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>One command as a form: what is needed, then what exactly would change, then done. Nothing is kept before the reader confirms what they saw.</summary>
[Authorize(Permissions.BookRead)]
public sealed class LoanCommandFormPage(CaminoDb db, RunLoanCommand run, ApprovalOptions approvals, IStringLocalizer<Texts> texts) : PageModel
{
    public LoanCommand Command { get; private set; } = LoanCommand.RecordPayment;

    public LoanInHand Loan { get; private set; } = null!;

    public CommandInput Input { get; private set; } = new();

    /// <summary>Made with the form: pressed twice, the command is still carried out once.</summary>
    public string Key { get; private set; } = "";

    public CommandPreview? Preview { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>Events that can be taken back, the newest first.</summary>
    public IReadOnlyList<LoanEvent> Targets { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(Guid id, string command, string? of, CancellationToken ct)
    {
        if (await ReadAsync(id, command, ct) is { } refused)
            return refused;
        Key = Guid.CreateVersion7().ToString("N");
        Input = new CommandInput { On = Text(Loan.Today), Of = of, Amount = Suggested() };
        return Page();
    }

    [Needs(Permissions.BookRead)]
    public async Task<IActionResult> OnPostPreviewAsync(Guid id, string command, CommandInput input, string? key, CancellationToken ct)
    {
        key ??= Guid.CreateVersion7().ToString("N");
        if (await ReadAsync(id, command, ct) is { } refused)
            return refused;
        (Input, Key) = (input, key);
        await TryAsync(id, ct);
        return Page();
    }

    [Needs(Permissions.BookRead)]
    public async Task<IActionResult> OnPostConfirmAsync(Guid id, string command, CommandInput input, string? key, int version, CancellationToken ct)
    {
        if (key is null)
            return await OnPostPreviewAsync(id, command, input, key, ct);
        if (await ReadAsync(id, command, ct) is { } refused)
            return refused;
        (Input, Key) = (input, key);
        try
        {
            var outcome = await run.RunAsync(id, Command, input, new AskedBy(User.Id(), key, version), ct);
            return RedirectToPage("/Servicing/ServicedDetails", outcome.Asked is { } asked ? new { id, asked = asked.ApprovalId } : new { id, done = Command.Name });
        }
        catch (RefusedException broken)
        {
            // the loan moved on since the preview: show what the command would do now
            db.ChangeTracker.Clear();
            await TryAsync(id, ct);
            Problem = texts.Refused(broken);
            return Page();
        }
    }

    /// <summary>What of the command needs a second person, in words; null: nothing does.</summary>
    public string? SecondPerson => !Command.MayNeedSecondPerson ? null : Command.Type == LoanEventType.Waive ? texts["Approvals.WaiveHint", Show.Money(approvals.WaiveOver)].Value : texts["Approvals.AlwaysHint"].Value;

    public bool Has(CommandFields field) => Command.Has(field);

    /// <summary>What the installments to come are without the command and with it, as the reader writes it.</summary>
    public IReadOnlyList<(string Name, string Was, string Becomes, string Change)> ToCome()
    {
        if (Preview is not { } preview)
            return [];
        var (was, becomes) = (Open(preview.Before), Open(preview.After));
        return
        [
            (texts["Serviced.ToComeCount"], Show.Number(was.Count), Show.Number(becomes.Count), was.Count == becomes.Count ? Show.None : (becomes.Count - was.Count).ToString("+#;-#", System.Globalization.CultureInfo.InvariantCulture)),
            (texts["Serviced.NextDue"], Next(was), Next(becomes), was.Count > 0 && becomes.Count > 0 ? Difference(becomes[0].Outstanding.Total - was[0].Outstanding.Total) : Show.None),
            (texts["Serviced.DueOn"], Date(was, 0), Date(becomes, 0), Moved(was, becomes, 0)),
            (texts["Serviced.MaturesOn"], Date(was, ^1), Date(becomes, ^1), Moved(was, becomes, ^1)),
            (texts["Serviced.ToComeSum"], Sum(preview.Before), Sum(preview.After), Difference(Left(preview.After) - Left(preview.Before))),
        ];

        static List<InstallmentState> Open(LoanState state) => [.. state.Rows.Where(static row => !row.IsDue && row.Outstanding.Total > Money.Zero)];
        static string Next(List<InstallmentState> rows) => rows.Count == 0 ? Show.None : Show.Money(rows[0].Outstanding.Total.Dollars);
        static string Date(List<InstallmentState> rows, Index at) => rows.Count == 0 ? Show.None : Show.Date(rows[at].DueOn);
        static Money Left(LoanState state) => state.Rows.Aggregate(Money.Zero, static (sum, row) => sum + row.Outstanding.Total);
        static string Sum(LoanState state) => Show.Money(Left(state).Dollars);
    }

    private string Moved(List<InstallmentState> was, List<InstallmentState> becomes, Index at)
    {
        var days = was.Count == 0 || becomes.Count == 0 ? 0 : becomes[at].DueOn.DayNumber - was[at].DueOn.DayNumber;
        return days == 0 ? Show.None : texts.Count(days > 0 ? "Serviced.Later" : "Serviced.Sooner", Math.Abs(days));
    }

    /// <summary>An amount with its sign, or a dash.</summary>
    public static string Difference(Money amount) => amount == Money.Zero ? Show.None : (amount > Money.Zero ? "+" : "") + Show.Money(amount.Dollars);

    public string EventText(LoanEvent one) => $"#{one.Key} · {Show.Date(one.On)} · {texts.Name(one.Type)}{(one.Amount > Money.Zero ? " · " + Show.Money(one.Amount.Dollars) : "")}";

    private async Task<IActionResult?> ReadAsync(Guid id, string name, CancellationToken ct)
    {
        if (LoanCommand.Find(name) is not { } command || await db.LoanToLookAtAsync(id, ct) is not { } loan)
            return NotFound();
        (Command, Loan) = (command, loan);
        if (!User.May(command.Permission))
            return Forbid();
        var takenBack = loan.TakenBack();
        Targets = [.. loan.Events.Where(one => !takenBack.ContainsKey(one.Key) && (command.Type != LoanEventType.Return || one.Type is LoanEventType.Pay or LoanEventType.Recover)).Reverse()];
        return null;
    }

    private async Task TryAsync(Guid id, CancellationToken ct)
    {
        try
        {
            Preview = await run.TryAsync(id, Command, Input, ct);
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refused(refused);
        }
    }

    /// <summary>The amount that is most likely meant.</summary>
    private string? Suggested()
    {
        var state = Loan.StateOn(Loan.Today);
        var amount = Command.Type switch
        {
            LoanEventType.Disburse => Loan.HasDisbursements ? Money.Zero : Loan.Terms.Principal,
            LoanEventType.Pay => state.Rows.Where(static row => row.IsDue).Aggregate(Money.Zero, static (sum, row) => sum + row.Outstanding.Total) is var due && due > Money.Zero
                ? due
                : state.Rows.FirstOrDefault(static row => !row.IsDue && row.Outstanding.Total > Money.Zero).Outstanding.Total,
            LoanEventType.Refund => state.Credit,
            _ => Money.Zero,
        };
        return amount > Money.Zero ? Words.Amount(amount.Dollars) : null;
    }

    private static string Text(DateOnly date) => date.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
