namespace Camino.Lending.Loans;

/// <content>What the ledger needs beside the state.</content>
public sealed partial class LoanAccount
{
    /// <summary>All that was handed out by the date and not taken back; $0.00 for a loan that is pending.</summary>
    public Money HandedOut => _installments.Count == 0 ? Money.Zero : _terms.Principal;
}
