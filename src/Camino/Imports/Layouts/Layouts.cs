namespace Camino.Imports;

/// <summary>The layouts that Camino knows by their columns.</summary>
public static class Layouts
{
    /// <summary>Header line of Camino's own template, without a line end.</summary>
    public const string TemplateCsv =
        "LoanNumber,BorrowerName,Street,City,State,Zip,LenderName,Naics,ApprovedOn,DisbursedOn,TermMonths,Employees,InterestRatePercent,"
        + "Approved,Disbursed,Guaranteed,ChargedOff,ChargedOffOn,PaidInFullOn,Balance,Status";

    /// <summary>One invented row that fits the template, without a line end.</summary>
    public const string TemplateExampleCsv =
        "L-000123,Blue Heron Bakery LLC,12 Example Street,Springfield,IL,62701,Camino,311811,2025-03-14,2025-03-20,36,4,11.75,"
        + "25000.00,25000.00,,,,,18250.40,Open";
}
