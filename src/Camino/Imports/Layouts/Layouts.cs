namespace Camino.Imports;

/// <summary>The layouts that Camino knows. A file is recognised by its columns, never by its name; their order does not matter.</summary>
public static class Layouts
{
    /// <summary>Name of the template's layout.</summary>
    public const string CaminoName = "camino";

    /// <summary>Header line of Camino's own template, without a line end.</summary>
    public const string TemplateCsv =
        "LoanNumber,BorrowerName,Street,City,State,Zip,LenderName,Naics,ApprovedOn,DisbursedOn,TermMonths,Employees,InterestRatePercent,"
        + "Approved,Disbursed,Guaranteed,ChargedOff,ChargedOffOn,PaidInFullOn,Balance,Status";

    /// <summary>One invented row that fits the template, without a line end.</summary>
    public const string TemplateExampleCsv =
        "L-000123,Blue Heron Bakery LLC,12 Example Street,Springfield,IL,62701,Camino,311811,2025-03-14,2025-03-20,36,4,11.75,"
        + "25000.00,25000.00,,,,,18250.40,Open";

    private static readonly (string Column, LoanField Field)[] SbaStudy =
    [
        ("LoanNr_ChkDgt", LoanField.LoanNumber), ("Name", LoanField.BorrowerName), ("City", LoanField.City), ("State", LoanField.State),
        ("Zip", LoanField.Zip), ("Bank", LoanField.LenderName), ("BankState", LoanField.LenderState), ("NAICS", LoanField.Naics),
        ("ApprovalDate", LoanField.ApprovedOn), ("ApprovalFY", LoanField.ApprovalFiscalYear), ("Term", LoanField.TermMonths),
        ("NoEmp", LoanField.Employees), ("NewExist", LoanField.BusinessAge), ("CreateJob", LoanField.JobsCreated),
        ("RetainedJob", LoanField.JobsRetained), ("FranchiseCode", LoanField.FranchiseCode), ("UrbanRural", LoanField.UrbanRural),
        ("RevLineCr", LoanField.Revolving), ("LowDoc", LoanField.LowDocumentation), ("ChgOffDate", LoanField.ChargedOffOn),
        ("DisbursementDate", LoanField.DisbursedOn), ("DisbursementGross", LoanField.Disbursed), ("BalanceGross", LoanField.Balance),
        ("MIS_Status", LoanField.Status), ("ChgOffPrinGr", LoanField.ChargedOff), ("GrAppv", LoanField.Approved), ("SBA_Appv", LoanField.Guaranteed),
    ];

    private static readonly Known Sba7a = new(
        "sba-7a", LoanSource.Sba, new LayoutOptions { ZeroIsNoAnswer = true, RepairText = true }, SbaStudy,
        ["LoanNr_ChkDgt", "Name", "ApprovalDate", "DisbursementGross", "ChgOffPrinGr", "GrAppv", "SBA_Appv", "MIS_Status"]);

    private static readonly Known SbaCase = Sba7a with
    {
        Name = "sba-case",
        Options = new LayoutOptions { ZeroIsNoAnswer = true, RepairText = true, Dates = DateStyle.DaysFrom1960 },
    };

    private static readonly Known SbaFoia = new(
        "sba-foia-7a", LoanSource.Sba, new LayoutOptions { RepairText = true },
        [
            ("BorrName", LoanField.BorrowerName), ("BorrStreet", LoanField.Street), ("BorrCity", LoanField.City), ("BorrState", LoanField.State),
            ("BorrZip", LoanField.Zip), ("BankName", LoanField.LenderName), ("BankState", LoanField.LenderState), ("GrossApproval", LoanField.Approved),
            ("SBAGuaranteedApproval", LoanField.Guaranteed), ("ApprovalDate", LoanField.ApprovedOn), ("ApprovalFY", LoanField.ApprovalFiscalYear),
            ("ApprovalFiscalYear", LoanField.ApprovalFiscalYear), ("FirstDisbursementDate", LoanField.DisbursedOn),
            ("ProcessingMethod", LoanField.ProcessingMethod), ("InitialInterestRate", LoanField.InterestRatePercent),
            ("FixedorVariableInterestInd", LoanField.FixedRate), ("TermInMonths", LoanField.TermMonths), ("NaicsCode", LoanField.Naics),
            ("NaicsDescription", LoanField.IndustryTitle), ("FranchiseCode", LoanField.FranchiseCode), ("ProjectCounty", LoanField.County),
            ("CongressionalDistrict", LoanField.CongressionalDistrict), ("BusinessType", LoanField.BusinessType), ("BusinessAge", LoanField.BusinessAge),
            ("LoanStatus", LoanField.Status), ("PaidInFullDate", LoanField.PaidInFullOn), ("ChargeOffDate", LoanField.ChargedOffOn),
            ("GrossChargeOffAmount", LoanField.ChargedOff), ("RevolverStatus", LoanField.Revolving),
        ],
        ["BorrName", "BorrState", "BankName", "GrossApproval", "ApprovalDate", "LoanStatus"]);

    private static readonly Known Eidl = new(
        "eidl", LoanSource.Eidl, new LayoutOptions { RepairText = true, EpochIsUnknown = true },
        [
            ("Date", LoanField.ApprovedOn), ("FAIN", LoanField.LoanNumber), ("Recipient", LoanField.BorrowerName), ("Address", LoanField.Street),
            ("City", LoanField.City), ("FIPS", LoanField.CountyFips), ("County", LoanField.County), ("State", LoanField.State), ("ZCTA", LoanField.Zip),
            ("Congress", LoanField.CongressionalDistrict), ("Amount", LoanField.Approved),
        ],
        ["FAIN", "Recipient", "Amount", "Date"]);

    private static readonly Known Ppp150K = new(
        "ppp-150k-plus", LoanSource.Ppp, new LayoutOptions { RepairText = true },
        [
            ("LoanRange", LoanField.AmountRange), ("BusinessName", LoanField.BorrowerName), ("Address", LoanField.Street), ("City", LoanField.City),
            ("State", LoanField.State), ("Zip", LoanField.Zip), ("NAICSCode", LoanField.Naics), ("BusinessType", LoanField.BusinessType),
            ("NonProfit", LoanField.NonProfit), ("JobsRetained", LoanField.JobsRetained), ("DateApproved", LoanField.ApprovedOn),
            ("Lender", LoanField.LenderName), ("CD", LoanField.CongressionalDistrict),
        ],
        ["LoanRange", "BusinessName", "DateApproved", "Lender"]);

    private static readonly Known PppUpTo150K = new(
        "ppp-up-to-150k", LoanSource.Ppp, new LayoutOptions { RepairText = true },
        [
            ("LoanAmount", LoanField.Approved), ("BusinessName", LoanField.BorrowerName), ("Address", LoanField.Street), ("City", LoanField.City),
            ("State", LoanField.State), ("Zip", LoanField.Zip), ("NAICSCode", LoanField.Naics), ("BusinessType", LoanField.BusinessType),
            ("NonProfit", LoanField.NonProfit), ("JobsRetained", LoanField.JobsRetained), ("DateApproved", LoanField.ApprovedOn),
            ("Lender", LoanField.LenderName), ("CD", LoanField.CongressionalDistrict),
        ],
        ["LoanAmount", "NAICSCode", "DateApproved", "Lender"]);

    private static readonly Known PppState = new(
        "ppp-state", LoanSource.Ppp, new LayoutOptions { RepairText = true, EpochIsUnknown = true },
        [
            ("Date", LoanField.ApprovedOn), ("Recipient", LoanField.BorrowerName), ("BusinessType", LoanField.BusinessType), ("NAICS", LoanField.Naics),
            ("Industry", LoanField.IndustryTitle), ("NonProfit", LoanField.NonProfit), ("Address", LoanField.Street), ("City", LoanField.City),
            ("State", LoanField.State), ("ZCTA", LoanField.Zip), ("FIPS", LoanField.CountyFips), ("County", LoanField.County),
            ("Jobs", LoanField.JobsRetained), ("Amount", LoanField.Approved),
        ],
        ["Date", "Recipient", "BusinessType", "NAICS", "Jobs", "Amount"]);

    private static readonly Known Camino = new(
        CaminoName, LoanSource.Camino, new LayoutOptions(),
        [
            ("LoanNumber", LoanField.LoanNumber), ("BorrowerName", LoanField.BorrowerName), ("Street", LoanField.Street), ("City", LoanField.City),
            ("State", LoanField.State), ("Zip", LoanField.Zip), ("LenderName", LoanField.LenderName), ("Naics", LoanField.Naics),
            ("ApprovedOn", LoanField.ApprovedOn), ("DisbursedOn", LoanField.DisbursedOn), ("TermMonths", LoanField.TermMonths),
            ("Employees", LoanField.Employees), ("InterestRatePercent", LoanField.InterestRatePercent), ("Approved", LoanField.Approved),
            ("Disbursed", LoanField.Disbursed), ("Guaranteed", LoanField.Guaranteed), ("ChargedOff", LoanField.ChargedOff),
            ("ChargedOffOn", LoanField.ChargedOffOn), ("PaidInFullOn", LoanField.PaidInFullOn), ("Balance", LoanField.Balance), ("Status", LoanField.Status),
        ],
        ["LoanNumber"]);

    /// <summary>
    /// The known layouts, with their columns in the publisher's order: <c>sba-7a</c>, <c>sba-case</c>, <c>sba-foia-7a</c>, <c>ppp-150k-plus</c>,
    /// <c>ppp-up-to-150k</c>, <c>ppp-state</c>, <c>eidl</c>, <c>camino</c>. The names are stored with every import: never rename.
    /// </summary>
    public static IReadOnlyList<Layout> All { get; } =
        [.. new[] { Sba7a, SbaCase, SbaFoia, Ppp150K, PppUpTo150K, PppState, Eidl, Camino }.Select(known => known.AsLayout())];

    /// <summary>Recognises a file by its headings.</summary>
    /// <param name="header">Headings, trimmed.</param>
    /// <param name="sample">First records; they tell apart layouts that differ only in how dates are written.</param>
    /// <returns>The layout bound to this header, or null.</returns>
    public static Layout? Detect(IReadOnlyList<string> header, IReadOnlyList<string[]> sample)
    {
        if (Sba7a.Fits(header))
            return (DatesAreDayNumbers(header, sample) ? SbaCase : Sba7a).Bind(header);

        foreach (var known in (ReadOnlySpan<Known>)[SbaFoia, Eidl, Ppp150K, PppUpTo150K, PppState])
        {
            if (known.Fits(header))
                return known.Bind(header);
        }

        return LooksLikeTemplate(header) ? Camino.Bind(header) : null;
    }

    /// <summary>By the first approval date that is there; without one by the column that only the case file has.</summary>
    private static bool DatesAreDayNumbers(IReadOnlyList<string> header, IReadOnlyList<string[]> sample)
    {
        var column = Headings.Find(header, "ApprovalDate");
        foreach (var row in sample)
        {
            if (column < row.Length && row[column].Trim() is { Length: > 0 } date)
                return date.All(char.IsAsciiDigit);
        }

        return Headings.Find(header, "Selected") >= 0;
    }

    /// <summary>The loan number, two more of its headings, and at least half of all headings known: other files number their loans too.</summary>
    private static bool LooksLikeTemplate(IReadOnlyList<string> header)
    {
        var known = Camino.Bind(header).Columns.Count;
        return Camino.Fits(header) && known >= 3 && known * 2 >= header.Count(heading => heading.Length > 0);
    }

    private sealed record Known(
        string Name, LoanSource Source, LayoutOptions Options, (string Column, LoanField Field)[] Columns, string[] Required)
    {
        public bool Fits(IReadOnlyList<string> header) => Required.All(column => Headings.Find(header, column) >= 0);

        public Layout AsLayout() => new(Name, Source, [.. Columns.Select((column, i) => new ColumnUse(i, column.Column, column.Field))], Options);

        /// <summary>Takes the columns that are there; a field that has two names counts once.</summary>
        public Layout Bind(IReadOnlyList<string> header)
        {
            var columns = new List<ColumnUse>();
            foreach (var (column, field) in Columns)
            {
                var index = Headings.Find(header, column);
                if (index >= 0 && columns.TrueForAll(used => used.Field != field))
                    columns.Add(new ColumnUse(index, header[index], field));
            }

            columns.Sort((a, b) => a.Index.CompareTo(b.Index));
            return new Layout(Name, Source, columns, Options);
        }
    }
}
