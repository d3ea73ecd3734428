namespace Camino.Loans;

/// <summary>
/// One loan of the portfolio as it was handed over: who, where, how much, and how it went. Written by imports in bulk and read by lists
/// straight into view records; the schedule, payments and ledger of a serviced loan hang on its id.
/// </summary>
public sealed class Loan
{
    /// <summary>Camino's own id, ordered by time of booking.</summary>
    public Guid Id { get; private set; }

    /// <summary>Where the number is unique; with <see cref="Number"/> the business key.</summary>
    public Imports.LoanSource Source { get; private set; }

    /// <summary>The loan's number at its source, 1 to 40 characters.</summary>
    public string Number { get; private set; } = "";

    /// <summary>Business or person that owes; up to 200 characters.</summary>
    public string? BorrowerName { get; private set; }

    public string? Street { get; private set; }
    public string? City { get; private set; }

    /// <summary>Two letters, USPS.</summary>
    public string? State { get; private set; }

    /// <summary>Five digits.</summary>
    public string? Zip { get; private set; }

    public string? LenderName { get; private set; }
    public string? LenderState { get; private set; }

    /// <summary>Six digits, as given; the year of the code list is not.</summary>
    public string? Naics { get; private set; }

    /// <summary>What the file called the industry, where it said so.</summary>
    public string? IndustryTitle { get; private set; }

    public DateOnly? ApprovedOn { get; private set; }
    public DateOnly? DisbursedOn { get; private set; }
    public DateOnly? ChargedOffOn { get; private set; }
    public DateOnly? PaidInFullOn { get; private set; }

    /// <summary>US federal fiscal year of approval (1 October to 30 September).</summary>
    public int? ApprovalFiscalYear { get; private set; }

    /// <summary>The fiscal year that the file states, else the one that its date of approval lies in.</summary>
    public int? Vintage => ApprovalFiscalYear ?? ApprovedOn?.AddMonths(3).Year;

    /// <summary>Months, 0 to 999.</summary>
    public int? TermMonths { get; private set; }

    public int? Employees { get; private set; }
    public int? JobsCreated { get; private set; }
    public int? JobsRetained { get; private set; }
    public string? BusinessAge { get; private set; }
    public string? BusinessType { get; private set; }
    public string? FranchiseCode { get; private set; }
    public string? UrbanRural { get; private set; }
    public string? County { get; private set; }
    public string? CongressionalDistrict { get; private set; }
    public string? ProcessingMethod { get; private set; }
    public bool? Revolving { get; private set; }
    public bool? LowDocumentation { get; private set; }
    public bool? NonProfit { get; private set; }
    public bool? FixedRate { get; private set; }

    /// <summary>Percent a year.</summary>
    public decimal? InterestRatePercent { get; private set; }

    public Imports.LoanStatus Status { get; private set; }

    /// <summary>Dollars paid out.</summary>
    public decimal? Disbursed { get; private set; }

    /// <summary>Dollars approved by the lender.</summary>
    public decimal? Approved { get; private set; }

    /// <summary>Dollars guaranteed by the SBA.</summary>
    public decimal? Guaranteed { get; private set; }

    /// <summary>Dollars of principal charged off.</summary>
    public decimal? ChargedOff { get; private set; }

    /// <summary>Dollars still owed.</summary>
    public decimal? Balance { get; private set; }

    /// <summary>Lower end of the published range, where only a range is known (PPP of $150,000 and more).</summary>
    public decimal? AmountFrom { get; private set; }

    /// <summary>Upper end of the published range.</summary>
    public decimal? AmountTo { get; private set; }

    /// <summary>What lists sort and sum by: disbursed, else approved, else the lower end of the range. Computed by the database.</summary>
    public decimal? Amount { get; private set; }

    /// <summary>Fingerprint of all facts: the same content again changes nothing.</summary>
    public Guid ContentHash { get; private set; }

    /// <summary>The import that wrote this state.</summary>
    public Guid ImportId { get; private set; }

    /// <summary>Line of that import's file.</summary>
    public long ImportLine { get; private set; }

    /// <summary>When this state was stored.</summary>
    public DateTimeOffset StoredAt { get; private set; }
}

/// <summary>A state that a later import replaced; kept so that every change of the portfolio can be shown.</summary>
public sealed class LoanVersion
{
    public long Id { get; private set; }
    public Guid LoanId { get; private set; }

    /// <summary>The import that replaced this state.</summary>
    public Guid ReplacedByImportId { get; private set; }

    public DateTimeOffset ReplacedAt { get; private set; }

    /// <summary>The whole replaced row as JSON.</summary>
    public string Facts { get; private set; } = "{}";
}

/// <summary>The words of a loan's borrower, for search; kept by <see cref="IndexNames"/>.</summary>
public sealed class LoanName
{
    public Guid LoanId { get; private set; }
    public NpgsqlTypes.NpgsqlTsVector? Words { get; private set; }
}
