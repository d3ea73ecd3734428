using System.Globalization;
using System.Text.RegularExpressions;

namespace Camino.Imports;

/// <summary>What staff say about the columns of a file, while it is being said: suggested, taken from a saved mapping, or as filled in.</summary>
public sealed partial class MappingForm
{
    private static readonly (LoanField Field, string[] Names)[] Known =
    [
        (LoanField.LoanNumber, ["loannumber", "contract", "contractnumber", "contrato", "loanno", "loannr", "loannrchkdgt", "loanid", "number", "fain", "accountnumber", "account", "numero", "numeroprestamo"]),
        (LoanField.BorrowerName, ["borrowername", "borrname", "borrower", "businessname", "recipient", "name", "customer", "customername", "company", "nombre"]),
        (LoanField.Street, ["street", "address", "borrstreet", "address1", "streetaddress", "direccion"]),
        (LoanField.City, ["city", "borrcity", "town", "ciudad"]),
        (LoanField.State, ["state", "borrstate", "st", "estado"]),
        (LoanField.Zip, ["zip", "zipcode", "borrzip", "zcta", "postalcode", "postcode"]),
        (LoanField.County, ["county", "projectcounty", "condado"]),
        (LoanField.CountyFips, ["fips", "countyfips"]),
        (LoanField.CongressionalDistrict, ["cd", "congress", "congressionaldistrict"]),
        (LoanField.UrbanRural, ["urbanrural"]),
        (LoanField.LenderName, ["lender", "lendername", "bank", "bankname", "banco"]),
        (LoanField.LenderState, ["lenderstate", "bankstate"]),
        (LoanField.Naics, ["naics", "naicscode", "industrycode"]),
        (LoanField.IndustryTitle, ["industry", "naicsdescription", "industrytitle", "industria"]),
        (LoanField.BusinessType, ["businesstype", "legalform", "entitytype"]),
        (LoanField.BusinessAge, ["businessage", "newexist"]),
        (LoanField.FranchiseCode, ["franchisecode", "franchise"]),
        (LoanField.NonProfit, ["nonprofit"]),
        (LoanField.ApprovedOn, ["approvedon", "approvaldate", "dateapproved", "date", "fechaaprobacion", "fecha"]),
        (LoanField.ApprovalFiscalYear, ["approvalfy", "approvalfiscalyear", "fiscalyear", "fy"]),
        (LoanField.DisbursedOn, ["disbursedon", "disbursementdate", "firstdisbursementdate", "fundeddate", "fundingdate", "funded", "fundedon", "desembolso"]),
        (LoanField.ChargedOffOn, ["chargedoffon", "chgoffdate", "chargeoffdate"]),
        (LoanField.PaidInFullOn, ["paidinfullon", "paidinfulldate", "payoffdate", "closeddate"]),
        (LoanField.TermMonths, ["termmonths", "term", "terminmonths", "months", "plazo"]),
        (LoanField.Employees, ["employees", "noemp", "numberofemployees", "empleados"]),
        (LoanField.JobsCreated, ["jobscreated", "createjob"]),
        (LoanField.JobsRetained, ["jobsretained", "retainedjob", "jobs", "jobssupported"]),
        (LoanField.Revolving, ["revolving", "revlinecr", "revolverstatus"]),
        (LoanField.LowDocumentation, ["lowdoc", "lowdocumentation"]),
        (LoanField.FixedRate, ["fixedrate", "fixedorvariableinterestind"]),
        (LoanField.InterestRatePercent, ["interestratepercent", "interestrate", "initialinterestrate", "rate", "apr", "tasa"]),
        (LoanField.ProcessingMethod, ["processingmethod"]),
        (LoanField.Status, ["status", "loanstatus", "misstatus", "estatus"]),
        (LoanField.Disbursed, ["disbursed", "disbursementgross", "amountdisbursed", "fundedamount", "principal", "loanamount", "amount", "monto", "importe"]),
        (LoanField.Approved, ["approved", "grappv", "grossapproval", "approvedamount", "amountapproved", "originalamount"]),
        (LoanField.Guaranteed, ["guaranteed", "sbaappv", "sbaguaranteedapproval", "guaranteedamount"]),
        (LoanField.ChargedOff, ["chargedoff", "chgoffpringr", "grosschargeoffamount", "chargeoffamount"]),
        (LoanField.Balance, ["balance", "balancegross", "outstandingbalance", "outstanding", "currentbalance", "owed", "saldo"]),
        (LoanField.AmountRange, ["loanrange", "amountrange", "range"]),
    ];

    /// <summary>For each column of the file what it is; null where it is left out.</summary>
    public IReadOnlyList<LoanField?> Fields { get; private init; } = [];

    public LoanSource Source { get; private init; }

    public DateStyle Dates { get; private init; }

    public bool DecimalComma { get; private init; }

    /// <summary>Name under which it is kept; null keeps it for one file.</summary>
    public string? SaveAs { get; private init; }

    /// <summary>Guesses by the headings; each field goes to the heading that fits it best.</summary>
    /// <param name="preview">The first rows; they show how dates and amounts are written.</param>
    public static MappingForm Suggest(IReadOnlyList<string> header, IReadOnlyList<string[]> preview)
    {
        var fields = new LoanField?[header.Count];
        var taken = new HashSet<LoanField>();
        foreach (var exact in new[] { true, false })
        {
            for (var i = 0; i < header.Count; i++)
            {
                if (fields[i] is null && Guess(KeyOf(header[i]), exact) is { } field && taken.Add(field))
                    fields[i] = field;
            }
        }

        var cells = preview.SelectMany(row => row).ToList();
        return new MappingForm
        {
            Fields = fields,
            Dates = cells.Exists(IsDayFirst) ? DateStyle.DayFirst : DateStyle.MonthFirst,
            DecimalComma = cells.Exists(cell => CommaAmount().IsMatch(cell)),
        };
    }

    /// <summary>Takes a layout over to this file by the headings, whatever their order.</summary>
    public static MappingForm From(Layout layout, IReadOnlyList<string> header) => new()
    {
        Fields = [.. header.Select(heading => layout.Columns.FirstOrDefault(use => KeyOf(use.Column) == KeyOf(heading))?.Field)],
        Source = layout.Source,
        Dates = layout.Options.Dates,
        DecimalComma = layout.Options.DecimalComma,
    };

    /// <summary>What was filled in.</summary>
    /// <param name="names">Stable field name for each column; empty where it is left out.</param>
    public static MappingForm Filled(IReadOnlyList<string> header, IReadOnlyList<string?> names, LoanSource source, DateStyle dates, bool decimalComma, string? saveAs) => new()
    {
        Fields = [.. header.Select((_, i) => i < names.Count && LoanFields.TryParse(names[i], out var field) ? (LoanField?)field : null)],
        Source = source,
        Dates = dates,
        DecimalComma = decimalComma,
        SaveAs = string.IsNullOrWhiteSpace(saveAs) ? null : saveAs.Trim(),
    };

    /// <summary>Which texts say what is still wrong; empty when the mapping can be used. A field comes with the text that is about it.</summary>
    public IReadOnlyList<(string Text, LoanField? Field)> Problems()
    {
        var problems = new List<(string, LoanField?)>();
        var chosen = Fields.OfType<LoanField>().ToList();
        // PPP files have no number; theirs is derived from the content
        if (Source != LoanSource.Ppp && !chosen.Contains(LoanField.LoanNumber))
            problems.Add(("Mapping.NeedsNumber", null));
        if (!chosen.Any(field => LoanFields.Kind(field) is LoanValueKind.Money or LoanValueKind.Range))
            problems.Add(("Mapping.NeedsAmount", null));
        problems.AddRange(chosen.GroupBy(field => field).Where(group => group.Count() > 1).Select(group => ("Mapping.Twice", (LoanField?)group.Key)));
        if (SaveAs is { Length: > 60 })
            problems.Add(("Mapping.NameTooLong", null));
        return problems;
    }

    /// <summary>The layout that was said.</summary>
    public Layout ToLayout(IReadOnlyList<string> header) => new(
        SaveAs ?? "custom",
        Source,
        [.. Fields.Select((field, i) => (Field: field, Index: i)).Where(column => column.Field is not null).Select(column => new ColumnUse(column.Index, header[column.Index], column.Field ?? default))],
        new LayoutOptions { Dates = Dates, DecimalComma = DecimalComma });

    /// <summary>14.4.2020, or 14/4/2020 where the first number cannot be a month.</summary>
    private static bool IsDayFirst(string cell)
    {
        var date = DayMonthYear().Match(cell);
        return date.Success && (date.Groups["sign"].Value == "." || int.Parse(date.Groups["first"].ValueSpan, CultureInfo.InvariantCulture) > 12);
    }

    [GeneratedRegex(@"^\s*(?<first>\d{1,2})(?<sign>[./-])\d{1,2}\k<sign>(\d{2}|\d{4})\s*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 100)]
    private static partial Regex DayMonthYear();

    [GeneratedRegex(@"^\D{0,3}\d{1,3}(\.\d{3})*,\d{2}\s*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 100)]
    private static partial Regex CommaAmount();

    private static LoanField? Guess(string key, bool exact)
    {
        if (key.Length < 2)
            return null;
        foreach (var (field, names) in Known)
        {
            if (exact ? names.Contains(key) : names.Any(name => name.Length >= 5 && (key.StartsWith(name, StringComparison.Ordinal) || key.EndsWith(name, StringComparison.Ordinal))))
                return field;
        }

        return null;
    }

    private static string KeyOf(string heading) => string.Concat(heading.Where(char.IsLetterOrDigit)).ToLower(CultureInfo.InvariantCulture);
}
