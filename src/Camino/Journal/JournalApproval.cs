using Camino.Approvals;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Journal;

/// <summary>An entry by hand; always by two people, who see each line and what its account holds now.</summary>
public sealed class JournalApproval(PostJournal post, ReadLedger ledger) : IApprovalKind
{
    /// <inheritdoc/>
    public string Name => ApprovalKinds.JournalEntry;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts)
    {
        var frozen = FrozenEntry.Read(approval.Request);
        var total = frozen.Read().Aggregate(Money.Zero, static (sum, line) => sum + Money.Max(line.Amount, Money.Zero));
        return frozen.ReversesNumber is { } number ? texts["Approvals.Say.JournalReversal", number, Show.Money(total.Dollars), Show.Date(frozen.On)] : texts["Approvals.Say.JournalEntry", Show.Money(total.Dollars), Show.Date(frozen.On)];
    }

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct)
    {
        try
        {
            var entry = await post.TryAsync(approval, ct);
            var balances = (await ledger.TrialBalanceAsync(ct)).ToDictionary(line => line.Account, line => line.Debit - line.Credit, StringComparer.Ordinal);
            return new ApprovalChange([.. entry.Lines.Select(line => Line(texts, line, balances.GetValueOrDefault(line.Account)))], null, null);
        }
        catch (RefusedException refused)
        {
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, refused));
        }
    }

    /// <inheritdoc/>
    public Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => post.RunApprovedAsync(approval, run, ct);

    /// <summary>An account before and after, with the side on which it stands.</summary>
    private static ApprovalLine Line(IStringLocalizer<Texts> texts, JournalLine line, decimal balance) =>
        new($"{texts.Account(line.Account)} · {Side(texts, line.Amount.Dollars)}", Side(texts, balance), Side(texts, balance + line.Amount.Dollars));

    private static string Side(IStringLocalizer<Texts> texts, decimal amount) => amount == 0m ? Show.Money(0m) : Show.Money(Math.Abs(amount)) + " " + texts[amount > 0m ? "Serviced.Debit" : "Serviced.CreditSide"];
}
