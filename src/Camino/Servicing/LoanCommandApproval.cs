using System.Globalization;
using Camino.Approvals;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Resources;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>A command on a loan that waits for a second person.</summary>
public abstract class LoanCommandApproval(LoanCommand command, RunLoanCommand loans) : IApprovalKind
{
    /// <inheritdoc/>
    public string Name => "loan." + command.Name;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts)
    {
        var input = approval.Read<CommandInput>();
        var on = Show.Date(DateOnly.ParseExact(input.On ?? "", "yyyy-MM-dd", CultureInfo.InvariantCulture));
        return command.Type switch
        {
            LoanEventType.Waive => texts["Approvals.Say.Waive", Amount(input), texts.Or("Serviced.Portion." + Capital(input.Portion), input.Portion ?? ""), subject, on],
            LoanEventType.WriteOff => texts["Approvals.Say.WriteOff", Amount(input), subject, on],
            _ => texts["Approvals.Say.ChargeOff", subject, on],
        };
    }

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct)
    {
        try
        {
            var preview = await loans.TryAsync(LoanOf(approval), command, approval.Read<CommandInput>(), ct);
            var (before, after) = (preview.Before, preview.After);
            return new ApprovalChange(
                [
                    new(texts["Loan.Status"], texts.Name(before.Status), texts.Name(after.Status)),
                    Line("Serviced.PrincipalOwed", before.Owed.Principal, after.Owed.Principal),
                    Line("Serviced.InterestOwed", before.Owed.Interest + before.AccruedInterest, after.Owed.Interest + after.AccruedInterest),
                    Line("Serviced.Portion.Fee", before.Owed.Fee, after.Owed.Fee),
                    Line("Serviced.Portion.Penalty", before.Owed.Penalty, after.Owed.Penalty),
                    Line("Serviced.PastDue", before.PastDue, after.PastDue),
                    .. preview.Entries.Select(entry => new ApprovalLine(texts["Approvals.Posted", texts.Account(entry.Account)], Show.None, Show.Money(Math.Abs(entry.Amount)) + " " + texts[entry.Amount > 0m ? "Serviced.Debit" : "Serviced.CreditSide"])),
                ],
                preview.Version, null);
        }
        catch (RefusedException refused)
        {
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, refused));
        }

        ApprovalLine Line(string name, Money was, Money becomes) => new(texts[name], Show.Money(was.Dollars), Show.Money(becomes.Dollars));
    }

    /// <inheritdoc/>
    public async Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => await loans.RunApprovedAsync(LoanOf(approval), command, approval.Read<CommandInput>(), approval, run, ct);

    private static Guid LoanOf(Approval approval) => Guid.Parse(approval.SubjectId);

    private static string Amount(CommandInput input) => Show.Money(InputText.Amount("amount", input.Amount).Dollars);

    private static string Capital(string? word) => word?.Trim() is { Length: > 0 } text ? char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant() : "";
}

/// <summary>A loan is charged off; always by two people.</summary>
public sealed class ChargeOffApproval(RunLoanCommand run) : LoanCommandApproval(LoanCommand.ChargeOff, run);

/// <summary>A small rest is written off; always by two people.</summary>
public sealed class WriteOffApproval(RunLoanCommand run) : LoanCommandApproval(LoanCommand.WriteOff, run);

/// <summary>More is waived than one person may.</summary>
public sealed class WaiveApproval(RunLoanCommand run) : LoanCommandApproval(LoanCommand.Waive, run);
