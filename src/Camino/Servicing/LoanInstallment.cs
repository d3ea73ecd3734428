using Camino.Lending.Loans;

namespace Camino.Servicing;

/// <summary>One installment as the loan's last reading has it: as of <see cref="ServicedLoan.AsOf"/>. Amounts of installments to come are projected.</summary>
public sealed class LoanInstallment
{
    private LoanInstallment()
    {
    }

    internal LoanInstallment(Guid loanId, InstallmentState state)
    {
        LoanId = loanId;
        Number = state.Number;
        Read(state);
    }

    public Guid LoanId { get; private set; }

    public int Number { get; private set; }

    public DateOnly DueOn { get; private set; }

    public bool IsDue { get; private set; }

    public decimal DuePrincipal { get; private set; }

    public decimal DueInterest { get; private set; }

    public decimal DueFee { get; private set; }

    public decimal DuePenalty { get; private set; }

    public decimal PaidPrincipal { get; private set; }

    public decimal PaidInterest { get; private set; }

    public decimal PaidFee { get; private set; }

    public decimal PaidPenalty { get; private set; }

    public decimal WaivedPrincipal { get; private set; }

    public decimal WaivedInterest { get; private set; }

    public decimal WaivedFee { get; private set; }

    public decimal WaivedPenalty { get; private set; }

    /// <summary>Stores a reading; equal values change nothing.</summary>
    internal void Read(InstallmentState state)
    {
        DueOn = state.DueOn;
        IsDue = state.IsDue;
        (DuePrincipal, DueInterest, DueFee, DuePenalty) = Parts(state.Due);
        (PaidPrincipal, PaidInterest, PaidFee, PaidPenalty) = Parts(state.Paid);
        (WaivedPrincipal, WaivedInterest, WaivedFee, WaivedPenalty) = Parts(state.Waived);
    }

    private static (decimal Principal, decimal Interest, decimal Fee, decimal Penalty) Parts(Portions of) =>
        (of.Principal.Dollars, of.Interest.Dollars, of.Fee.Dollars, of.Penalty.Dollars);
}
