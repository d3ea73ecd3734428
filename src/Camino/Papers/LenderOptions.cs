namespace Camino.Papers;

/// <summary>Who lends, as papers say it.</summary>
/// <param name="Address">Lines of an envelope; may be empty.</param>
/// <param name="Agency">The federal agency that watches over this lender's compliance with the Equal Credit Opportunity Act, with its address.</param>
/// <param name="CreditBureau">The credit bureau whose reports are used, with address and toll-free number; empty: not said yet.</param>
public sealed record LenderOptions(string Name, IReadOnlyList<string> Address, string Phone, string Agency, string CreditBureau);
