namespace Camino.Imports;

/// <summary>Where a loan number is unique: a loan is identified by its source and its number.</summary>
/// <remarks>Stored as smallint: never renumber, never reuse.</remarks>
public enum LoanSource
{
    /// <summary>Camino's own numbers.</summary>
    Camino = 0,

    /// <summary>Loan numbers of the SBA's 7(a) programme: ten digits with a check digit.</summary>
    Sba = 1,

    /// <summary>Paycheck Protection Program. Its files have no number; one is derived from the content (docs/imports.md).</summary>
    Ppp = 2,

    /// <summary>Economic injury disaster loans; the federal award number (FAIN) is the number.</summary>
    Eidl = 3,
}

/// <summary>Where a loan stands, as the file says it.</summary>
/// <remarks>Stored as smallint: never renumber, never reuse.</remarks>
public enum LoanStatus
{
    /// <summary>The file does not say, or says something that is not known.</summary>
    Unknown = 0,

    /// <summary>Committed, disbursed and not closed (SBA: EXEMPT, COMMIT).</summary>
    Open = 1,

    /// <summary>Paid in full (SBA: P I F, PIF).</summary>
    PaidInFull = 2,

    /// <summary>Charged off (SBA: CHGOFF).</summary>
    ChargedOff = 3,

    /// <summary>Cancelled before it was disbursed (SBA: CANCLD).</summary>
    Cancelled = 4,
}

/// <summary>One loan as the portfolio stores it. Null means: the file does not say.</summary>
/// <remarks>
/// Mutable, and refilled: <see cref="PortfolioReader.TryRead"/> clears and fills the facts of the row that the caller hands in. Who wants to keep a
/// loan hands in another row the next time; the strings may be kept, they never change.
/// Amounts are US dollars with at most two decimals, 0.00 to 999,999,999,999.99; only a rejected row can hold others.
/// </remarks>
public sealed class LoanFacts
{
    public LoanSource Source { get; set; }

    /// <summary>At most 40 characters; empty only in a rejected row.</summary>
    public string Number { get; set; } = "";

    /// <summary>At most 200 characters, NFC, one blank between words.</summary>
    public string? BorrowerName { get; set; }

    /// <summary>At most 200 characters.</summary>
    public string? Street { get; set; }

    /// <summary>At most 100 characters.</summary>
    public string? City { get; set; }

    /// <summary>Postal code of a state, territory or military post: two capital letters.</summary>
    public string? State { get; set; }

    /// <summary>Five digits.</summary>
    public string? Zip { get; set; }

    /// <summary>At most 100 characters.</summary>
    public string? County { get; set; }

    /// <summary>At most 20 characters, such as <c>01</c> or <c>MT-00</c>.</summary>
    public string? CongressionalDistrict { get; set; }

    /// <summary><c>urban</c> or <c>rural</c>.</summary>
    public string? UrbanRural { get; set; }

    /// <summary>At most 200 characters.</summary>
    public string? LenderName { get; set; }

    /// <summary>Two capital letters.</summary>
    public string? LenderState { get; set; }

    /// <summary>Industry: six digits of the North American Industry Classification System, any edition.</summary>
    public string? Naics { get; set; }

    /// <summary>At most 200 characters.</summary>
    public string? IndustryTitle { get; set; }

    /// <summary>Legal form as the file names it; at most 60 characters.</summary>
    public string? BusinessType { get; set; }

    /// <summary><c>existing</c> or <c>new</c>.</summary>
    public string? BusinessAge { get; set; }

    /// <summary>At most 20 characters; null also where the SBA writes 0 or 1 for "no franchise".</summary>
    public string? FranchiseCode { get; set; }

    /// <summary>At most 60 characters.</summary>
    public string? ProcessingMethod { get; set; }

    public DateOnly? ApprovedOn { get; set; }

    public DateOnly? DisbursedOn { get; set; }

    public DateOnly? ChargedOffOn { get; set; }

    public DateOnly? PaidInFullOn { get; set; }

    /// <summary>Federal fiscal year (October to September) of the approval.</summary>
    public int? ApprovalFiscalYear { get; set; }

    /// <summary>1 to 1,200.</summary>
    public int? TermMonths { get; set; }

    /// <summary>0 to 9,999,999.</summary>
    public int? Employees { get; set; }

    /// <summary>0 to 9,999,999.</summary>
    public int? JobsCreated { get; set; }

    /// <summary>0 to 9,999,999.</summary>
    public int? JobsRetained { get; set; }

    public bool? Revolving { get; set; }

    public bool? LowDocumentation { get; set; }

    public bool? NonProfit { get; set; }

    /// <summary>True: fixed, false: variable.</summary>
    public bool? FixedRate { get; set; }

    /// <summary>Percent a year, 0 to 100, at most six decimals: 5.75 is 5.75 %.</summary>
    public decimal? InterestRatePercent { get; set; }

    public LoanStatus Status { get; set; }

    /// <summary>Paid out to the borrower, dollars.</summary>
    public decimal? Disbursed { get; set; }

    /// <summary>Approved by the lender, dollars.</summary>
    public decimal? Approved { get; set; }

    /// <summary>The part of the approval that the SBA guarantees, dollars.</summary>
    public decimal? Guaranteed { get; set; }

    /// <summary>Principal charged off, dollars.</summary>
    public decimal? ChargedOff { get; set; }

    /// <summary>Principal still open, dollars.</summary>
    public decimal? Balance { get; set; }

    /// <summary>Lower end where the file gives the amount only as a range (PPP of $150,000 and more), dollars.</summary>
    public decimal? AmountFrom { get; set; }

    /// <summary>Upper end of that range, dollars.</summary>
    public decimal? AmountTo { get; set; }

    /// <summary>
    /// The first 16 bytes of SHA-256 over the canonical encoding of all facts above, source and number included. Two rows with the same hash say the same
    /// about the same loan, whatever their files' spelling. Empty in a rejected row.
    /// </summary>
    public Guid ContentHash { get; set; }

    /// <summary>Makes every fact unknown.</summary>
    public void Clear()
    {
        Source = LoanSource.Camino;
        Number = "";
        BorrowerName = Street = City = State = Zip = County = CongressionalDistrict = UrbanRural = null;
        LenderName = LenderState = Naics = IndustryTitle = BusinessType = BusinessAge = FranchiseCode = ProcessingMethod = null;
        ApprovedOn = DisbursedOn = ChargedOffOn = PaidInFullOn = null;
        ApprovalFiscalYear = TermMonths = Employees = JobsCreated = JobsRetained = null;
        Revolving = LowDocumentation = NonProfit = FixedRate = null;
        InterestRatePercent = Disbursed = Approved = Guaranteed = ChargedOff = Balance = AmountFrom = AmountTo = null;
        Status = LoanStatus.Unknown;
        ContentHash = Guid.Empty;
    }
}
