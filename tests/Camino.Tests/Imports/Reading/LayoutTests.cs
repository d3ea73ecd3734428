using System.Text.Json;
using Camino.Imports;
using NUnit.Framework;

namespace Camino.Tests.Imports.Reading;

/// <summary>Files are known by their columns; staff can say what other columns are.</summary>
public sealed class LayoutTests
{
    private static readonly string[] Unknown = ["Ref", "Customer", "Out", "Paid on", "Gender"];

    [Test]
    public void The_names_of_the_known_layouts_are_stable() => Assert.That(
        Layouts.All.Select(layout => layout.Name),
        Is.EqualTo(new[] { "sba-7a", "sba-case", "sba-foia-7a", "ppp-150k-plus", "ppp-up-to-150k", "ppp-state", "eidl", "camino" }));

    [Test]
    public void Every_known_layout_recognises_its_own_columns_in_any_order()
    {
        foreach (var layout in Layouts.All.Where(layout => layout.Name != "sba-case"))
        {
            string[] header = [.. layout.Columns.Select(use => use.Column).Reverse(), "Something else"];
            Assert.That(Layouts.Detect(header, [])?.Name, Is.EqualTo(layout.Name));
        }
    }

    [Test]
    public void The_template_and_its_example_fit_each_other()
    {
        var reading = Given.Text(Layouts.TemplateCsv + "\n" + Layouts.TemplateExampleCsv + "\n");

        Assert.That(reading.Layout, Is.EqualTo("camino"));
        Assert.That(reading.Shape.IgnoredColumns, Is.Empty);
        Assert.That(reading.Rows.Single().Outcome, Is.EqualTo(RowOutcome.Accepted));
        Assert.That(reading.Rows.Single().Facts is { Number: "L-000123", Status: LoanStatus.Open, Balance: 18_250.40m, TermMonths: 36 }, Is.True);
    }

    [Test]
    public void A_row_of_the_present_SBA_file_is_read_and_keeps_its_number_when_its_status_changes()
    {
        const string Header = "AsOfDate,Program,LocationID,BorrName,BorrStreet,BorrCity,BorrState,BorrZip,BankName,GrossApproval,SBAGuaranteedApproval,"
            + "ApprovalDate,ApprovalFY,FirstDisbursementDate,ProcessingMethod,InitialInterestRate,FixedorVariableInterestInd,TermInMonths,NaicsCode,"
            + "NaicsDescription,BusinessType,BusinessAge,LoanStatus,PaidInFullDate,ChargeOffDate,GrossChargeOffAmount,RevolverStatus\n";
        const string Row = "20250331,7A,1,Blue Heron Bakery LLC,12 Example Street,Springfield,IL,62701,Example Bank,150000,75000,02/11/2021,2021,"
            + "03/01/2021,SBA Express,5.5,V,120,311811,Retail Bakeries,CORPORATION,\"Startup, Loan Funds will Open Business\",";

        var open = Given.Text(Header + Row + "EXEMPT,,,0,1\n");
        var paid = Given.Text(Header + Row + "PIF,01/31/2025,,0,1\n");

        var facts = open.Rows.Single().Facts;
        Assert.That(open.Layout, Is.EqualTo("sba-foia-7a"));
        Assert.That(open.Rows.Single().Findings, Is.Empty);
        Assert.That(
            facts is
            {
                Approved: 150_000m, Guaranteed: 75_000m, TermMonths: 120, Revolving: true, FixedRate: false, InterestRatePercent: 5.5m, BusinessAge: "new",
            },
            Is.True);
        Assert.That(facts.Number, Does.Match("^FOIA-[0-9A-F]{20}$"));
        Assert.That(paid.Rows.Single().Facts.Number, Is.EqualTo(facts.Number));
        Assert.That(paid.Rows.Single().Facts.ContentHash, Is.Not.EqualTo(facts.ContentHash));
    }

    [Test]
    public void A_mapping_survives_being_saved_and_fits_a_file_whose_columns_stand_in_another_order()
    {
        var mapping = Layout.FromMapping(
            "Our old system",
            Unknown,
            new Dictionary<string, LoanField> { ["Ref"] = LoanField.LoanNumber, ["Out"] = LoanField.Balance, ["Paid on"] = LoanField.DisbursedOn },
            new LayoutOptions { DecimalComma = true, Dates = DateStyle.DayFirst });
        var saved = JsonSerializer.Serialize(mapping);
        var loaded = JsonSerializer.Deserialize<Layout>(saved);

        var reading = Given.Text("Paid on;Out;Customer;Ref\n31.12.2024;1.250,50;Blue Heron;A-1\n", loaded);

        Assert.That(saved, Does.Contain("\"loanNumber\"").And.Contain("\"DayFirst\"").And.Contain("\"Camino\""));
        Assert.That(JsonSerializer.Serialize(loaded), Is.EqualTo(saved));
        Assert.That(reading.Layout, Is.EqualTo("Our old system"));
        Assert.That(reading.Rows.Single().Facts is { Number: "A-1", Balance: 1_250.50m, BorrowerName: null }, Is.True);
        Assert.That(reading.Rows.Single().Facts.DisbursedOn, Is.EqualTo(Given.Day("2024-12-31")));
    }

    [Test]
    public void A_mapping_that_cannot_work_is_refused_with_its_reason()
    {
        static string Code(Dictionary<string, LoanField> fields) =>
            Assert.Throws<ImportFileException>(() => Layout.FromMapping("mine", Unknown, fields))?.Code ?? "";

        Assert.That(Code(new() { ["Out"] = LoanField.Balance }), Is.EqualTo("import.mapping.number_missing"));
        Assert.That(Code(new() { ["Nowhere"] = LoanField.LoanNumber }), Is.EqualTo("import.mapping.column_unknown"));
        Assert.That(Code(new() { ["Ref"] = LoanField.LoanNumber, ["Out"] = LoanField.LoanNumber }), Is.EqualTo("import.mapping.field_twice"));
        Assert.That(Code(new() { ["Ref"] = LoanField.LoanNumber, ["Gender"] = LoanField.BusinessType }), Is.EqualTo("import.mapping.demographic"));
    }

    [Test]
    public void A_mapping_whose_column_is_missing_in_the_file_is_refused()
    {
        var mapping = Layout.FromMapping("mine", Unknown, new Dictionary<string, LoanField> { ["Ref"] = LoanField.LoanNumber });

        Assert.That(
            () => Given.Text("Number,Customer\n1,Blue Heron\n", mapping),
            Throws.TypeOf<ImportFileException>().With.Property("Code").EqualTo("import.mapping.column_unknown"));
    }

    [Test]
    public void A_file_without_a_layout_opens_but_its_rows_cannot_be_read()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "Ref,Customer\n1,Blue Heron\n");
            using var reader = PortfolioReader.Open(path, "a.csv", ReaderLimits.Default);

            Assert.That(reader.Shape.Layout, Is.Null);
            Assert.That(() => reader.TryRead(new PortfolioRow()), Throws.InvalidOperationException);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void Every_field_has_a_stable_name_that_leads_back_to_it()
    {
        foreach (var field in LoanFields.All)
        {
            Assert.That(LoanFields.TryParse(LoanFields.Name(field), out var found) && found == field, Is.True);
            Assert.That(char.IsLower(LoanFields.Name(field)[0]), Is.True);
        }

        Assert.That(LoanFields.TryParse("nonsense", out _), Is.False);
    }

    [Test]
    public void Rejected_rows_are_written_so_that_no_spreadsheet_runs_them_and_can_be_handed_in_again()
    {
        var reading = Given.Text("LoanNumber,BorrowerName,Approved\n=1+1,@Home Care,-5\n");
        var row = reading.Rows.Single();

        var csv = RejectedRowsCsv.Header(reading.Shape) + RejectedRowsCsv.Line(row.Line, "Approved is below zero", row.Raw, reading.Shape.Delimiter);
        var again = Given.Text(csv.Replace("'-5", "5", StringComparison.Ordinal)).Rows.Single();

        Assert.That(csv, Is.EqualTo(
            "Rejected line,Rejected because,LoanNumber,BorrowerName,Approved\r\n2,Approved is below zero,'=1+1,'@Home Care,'-5\r\n"));
        Assert.That(again.Outcome, Is.EqualTo(RowOutcome.Accepted));
        Assert.That(again.Facts is { Number: "=1+1", BorrowerName: "@Home Care", Approved: 5.00m }, Is.True);
    }

    [TestCase("plain", "plain")]
    [TestCase("", "")]
    [TestCase(null, "")]
    [TestCase("a,b", "\"a,b\"")]
    [TestCase("say \"hi\"", "\"say \"\"hi\"\"\"")]
    [TestCase("two\nlines", "\"two\nlines\"")]
    [TestCase("=SUM(A1)", "'=SUM(A1)")]
    [TestCase("+1", "'+1")]
    [TestCase("-1", "'-1")]
    [TestCase("@x", "'@x")]
    [TestCase("\tx", "\"'\tx\"")]
    [TestCase("\rx", "\"'\rx\"")]
    public void A_cell_is_quoted_where_needed_and_never_a_formula(string? value, string cell) => Assert.That(CsvText.Cell(value), Is.EqualTo(cell));
}
