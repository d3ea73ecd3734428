namespace Camino.Host.Configuration;

/// <summary>Who lends, as contracts and letters say it.</summary>
public sealed class LenderSettings
{
    /// <summary>The name that stands on contracts and letters.</summary>
    [SameInBoth]
    [Matching(@"^[^\p{C}]{1,100}$", "1 to 100 characters")]
    public string Name { get; set; } = "Camino";

    /// <summary>The postal address: lines, separated by semicolons.</summary>
    [SameInBoth]
    [Matching(@"^[^\p{C}]{1,300}$", "1 to 300 characters, lines separated by semicolons")]
    public string? Address { get; set; }

    /// <summary>Where applicants call.</summary>
    [SameInBoth]
    [Matching(@"^[0-9 ()+.\-]{7,30}$", "a telephone number of 7 to 30 characters")]
    public string? Phone { get; set; }

    /// <summary>The federal agency that administers compliance with the Equal Credit Opportunity Act concerning this lender, with its address: 12 CFR 1002, Appendix A.</summary>
    [SameInBoth]
    [Matching(@"^[^\p{C}]{1,300}$", "1 to 300 characters")]
    public string Agency { get; set; } = "Federal Trade Commission, Equal Credit Opportunity, Washington, DC 20580.";

    /// <summary>Name, address and toll-free number of the credit bureau whose reports are used, as notices of adverse action must say: 15 USC 1681m.</summary>
    [SameInBoth]
    [Matching(@"^[^\p{C}]{1,300}$", "1 to 300 characters")]
    public string? CreditBureau { get; set; }
}
