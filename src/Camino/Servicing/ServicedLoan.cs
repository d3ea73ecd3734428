using Camino.Lending.Delinquency;
using Camino.Lending.Loans;

namespace Camino.Servicing;

/// <summary>
/// One loan of the lender's own book: what was agreed, and its balances as they were last read. The truth is its list of events; everything here that
/// can change is the result of a replay and says as of when. Changed through <see cref="LoanInHand"/> only.
/// </summary>
public sealed class ServicedLoan
{
    private ServicedLoan()
    {
    }

    /// <param name="borrowerName">1 to 200 characters.</param>
    /// <param name="terms">The agreed terms in the stable form of <see cref="StoredForm"/>.</param>
    /// <param name="bookedOn">Business date.</param>
    internal ServicedLoan(string borrowerName, Guid productId, int productVersion, string terms, ScheduleTerms agreed, DateOnly maturesOn, DateOnly bookedOn, DateTimeOffset at, Guid by)
    {
        Id = Guid.CreateVersion7();
        BorrowerName = borrowerName;
        ProductId = productId;
        ProductVersion = productVersion;
        Terms = terms;
        Principal = agreed.Principal.Dollars;
        RatePercent = agreed.Rate.Percent;
        MaturesOn = maturesOn;
        BookedOn = bookedOn;
        BookedAt = at;
        BookedBy = by;
        AsOf = bookedOn;
        Version = 1;
    }

    public Guid Id { get; private set; }

    /// <summary>Given by the database: <c>L-100001</c>.</summary>
    public string Number { get; private set; } = "";

    public string BorrowerName { get; private set; } = "";

    /// <summary>The words of the borrower's name, for search. Computed by the database.</summary>
    public NpgsqlTypes.NpgsqlTsVector? Words { get; private set; }

    public Guid ProductId { get; private set; }

    public int ProductVersion { get; private set; }

    /// <summary>The agreed terms: JSON.</summary>
    public string Terms { get; private set; } = "{}";

    /// <summary>Dollars agreed.</summary>
    public decimal Principal { get; private set; }

    /// <summary>Percent a year, as agreed.</summary>
    public decimal RatePercent { get; private set; }

    /// <summary>Business date of the booking.</summary>
    public DateOnly BookedOn { get; private set; }

    public DateTimeOffset BookedAt { get; private set; }

    public Guid BookedBy { get; private set; }

    /// <summary>Counts the changes; a command says which one it looked at.</summary>
    public int Version { get; private set; }

    /// <summary>How many events there are.</summary>
    public int Events { get; private set; }

    /// <summary>The business date of the reading below.</summary>
    public DateOnly AsOf { get; private set; }

    public LoanStatus Status { get; private set; }

    public decimal PrincipalOwed { get; private set; }

    /// <summary>Interest due and unpaid; <see cref="AccruedInterest"/> is not in it.</summary>
    public decimal InterestOwed { get; private set; }

    public decimal FeesOwed { get; private set; }

    public decimal PenaltiesOwed { get; private set; }

    /// <summary>Interest accrued and not yet due.</summary>
    public decimal AccruedInterest { get; private set; }

    /// <summary>All that is owed with interest to the day. Computed by the database.</summary>
    public decimal Owed { get; private set; }

    /// <summary>Money of the borrower that is not used.</summary>
    public decimal Credit { get; private set; }

    /// <summary>Principal and interest past due.</summary>
    public decimal PastDue { get; private set; }

    public int DaysPastDue { get; private set; }

    public Bucket Bucket { get; private set; }

    public decimal ChargedOff { get; private set; }

    public decimal Recovered { get; private set; }

    public int Restructures { get; private set; }

    /// <summary>What the ledger's account for principal must come to, as the loan has it; compared with the entries every night. The three below likewise.</summary>
    public decimal PrincipalReceivable { get; private set; }

    public decimal InterestReceivable { get; private set; }

    public decimal FeesReceivable { get; private set; }

    public decimal PenaltiesReceivable { get; private set; }

    /// <summary>The next due date after <see cref="AsOf"/>; null when there is none.</summary>
    public DateOnly? NextDueOn { get; private set; }

    /// <summary>What will be due then.</summary>
    public decimal? NextDue { get; private set; }

    public DateOnly MaturesOn { get; private set; }

    /// <summary>Set when the nightly close could not read the loan; cleared by the next reading that works.</summary>
    public DateTimeOffset? SetAsideAt { get; private set; }

    /// <summary>Code and sentence of what went wrong.</summary>
    public string? SetAsideReason { get; private set; }

    /// <summary>Stores a reading.</summary>
    /// <param name="receivable">What the ledger must hold of each portion.</param>
    internal void Read(LoanState state, Portions receivable, int events)
    {
        PrincipalReceivable = receivable.Principal.Dollars;
        InterestReceivable = receivable.Interest.Dollars;
        FeesReceivable = receivable.Fee.Dollars;
        PenaltiesReceivable = receivable.Penalty.Dollars;
        AsOf = state.On;
        Status = state.Status;
        PrincipalOwed = state.Owed.Principal.Dollars;
        InterestOwed = state.Owed.Interest.Dollars;
        FeesOwed = state.Owed.Fee.Dollars;
        PenaltiesOwed = state.Owed.Penalty.Dollars;
        AccruedInterest = state.AccruedInterest.Dollars;
        Credit = state.Credit.Dollars;
        PastDue = state.PastDue.Dollars;
        DaysPastDue = state.DaysPastDue;
        Bucket = Buckets.Of(state.DaysPastDue);
        ChargedOff = state.ChargedOff.Dollars;
        Recovered = state.Recovered.Dollars;
        Restructures = state.Restructures;
        Events = events;
        var next = state.Rows.FirstOrDefault(static row => !row.IsDue && row.Outstanding.Total.Cents > 0);
        var isOpen = state.Status is LoanStatus.Current or LoanStatus.PastDue;
        NextDueOn = isOpen && next.Number > 0 ? next.DueOn : null;
        NextDue = isOpen && next.Number > 0 ? next.Outstanding.Total.Dollars : null;
        if (state.Rows.Count > 0)
            MaturesOn = state.Rows[^1].DueOn;
        SetAsideAt = null;
        SetAsideReason = null;
    }

    /// <summary>A day passed for a loan that nothing was handed out on.</summary>
    internal void Wait(DateOnly on)
    {
        AsOf = on;
        SetAsideAt = null;
        SetAsideReason = null;
    }

    /// <summary>One more change.</summary>
    internal void Count() => Version++;

    /// <summary>The close goes on without this loan.</summary>
    /// <param name="reason">Code and sentence, at most 500 characters; never personal data.</param>
    internal void SetAside(DateTimeOffset at, string reason)
    {
        SetAsideAt = at;
        SetAsideReason = reason.Length > 500 ? reason[..500] : reason;
    }
}
