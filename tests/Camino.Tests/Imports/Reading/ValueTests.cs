using System.Globalization;
using Camino.Imports;
using NUnit.Framework;

namespace Camino.Tests.Imports.Reading;

/// <summary>One rule of docs/imports.md each: normalised, corrected or rejected.</summary>
public sealed class ValueTests
{
    private static readonly LayoutOptions European = new() { DecimalComma = true, Dates = DateStyle.DayFirst };

    private static Layout Mapping(LayoutOptions options, string column, LoanField field) => Layout.FromMapping(
        "mine",
        ["LoanNumber", "BorrowerName", "Employees", column],
        new Dictionary<string, LoanField> { ["LoanNumber"] = LoanField.LoanNumber, [column] = field },
        options);

    [TestCase("25000", "25000.00")]
    [TestCase("\"$60,000.00 \"", "60000.00")]
    [TestCase("\" $149,800 \"", "149800.00")]
    [TestCase("$0.00 ", "0.00")]
    [TestCase(" $ -   ", "0.00")]
    [TestCase("0.5", "0.50")]
    [TestCase(".5", "0.50")]
    [TestCase("1500.000", "1500.00")]
    [TestCase("1500.5000", "1500.50")]
    [TestCase("\"1,234,567.89\"", "1234567.89")]
    [TestCase("+12", "12.00")]
    public void Amounts_are_read_exactly(string text, string amount)
    {
        var row = Given.Cell("Approved", text);

        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Accepted));
        Assert.That(row.Facts.Approved, Is.EqualTo(decimal.Parse(amount, CultureInfo.InvariantCulture)));
    }

    [Test]
    public void The_largest_amount_is_kept_to_the_cent() =>
        Assert.That(Given.Cell("Approved", "\"999,999,999,999.99\"").Facts.Approved, Is.EqualTo(999_999_999_999.99m));

    [TestCase("\"1.250,50\"", "1250.50")]
    [TestCase("\"1250,5\"", "1250.50")]
    [TestCase("1.250.000", "1250000.00")]
    public void A_decimal_comma_is_read_only_where_the_layout_says_so(string text, string amount)
    {
        var european = Given.Cell("Approved", text, Mapping(European, "Approved", LoanField.Approved));

        Assert.That(european.Facts.Approved, Is.EqualTo(decimal.Parse(amount, CultureInfo.InvariantCulture)));
        Assert.That(Given.Cell("Approved", text).Outcome, Is.EqualTo(RowOutcome.Rejected));
    }

    [TestCase("-15000", FindingCodes.MoneyNegative)]
    [TestCase("(1250.50)", FindingCodes.MoneyNegative)]
    [TestCase("-$5", FindingCodes.MoneyNegative)]
    [TestCase("1.500", FindingCodes.MoneyAmbiguous)]
    [TestCase("\"1,50\"", FindingCodes.MoneyUnreadable)]
    [TestCase("\"1,2345\"", FindingCodes.MoneyUnreadable)]
    [TestCase("1.5E+05", FindingCodes.MoneyUnreadable)]
    [TestCase("ten", FindingCodes.MoneyUnreadable)]
    [TestCase("12 000", FindingCodes.MoneyUnreadable)]
    [TestCase("€500", FindingCodes.MoneyUnreadable)]
    [TestCase("$", FindingCodes.MoneyUnreadable)]
    [TestCase(".", FindingCodes.MoneyUnreadable)]
    [TestCase("1000000000000", FindingCodes.MoneyTooLarge)]
    [TestCase("99999999999999999999999999", FindingCodes.MoneyTooLarge)]
    public void Amounts_that_cannot_be_trusted_reject_the_row(string text, string code)
    {
        var row = Given.Cell("Approved", text);

        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Rejected));
        Assert.That(row.Findings.Single().Code, Is.EqualTo(code));
        Assert.That(row.Findings.Single().Column, Is.EqualTo("Approved"));
        Assert.That(row.Facts.ContentHash, Is.EqualTo(Guid.Empty));
    }

    [TestCase("10.125001", "10.13")]
    [TestCase("1000.125", "1000.12")]
    [TestCase("1000.135", "1000.14")]
    public void Fractions_of_a_cent_are_rounded_half_to_even_and_reported(string text, string rounded)
    {
        var row = Given.Cell("Approved", text);

        Assert.That(row.Findings.Single(), Is.EqualTo(new Finding(FindingCodes.MoneyRounded, "Approved", text, null, rounded)));
    }

    [TestCase("28-Feb-97", "1997-02-28")]
    [TestCase("28-feb-97", "1997-02-28")]
    [TestCase("31-maj-59", "2059-05-31")]
    [TestCase("4-okt-60", "1960-10-04")]
    [TestCase("4-Oct-1989", "1989-10-04")]
    [TestCase("4/14/20", "2020-04-14")]
    [TestCase("04/14/2020", "2020-04-14")]
    [TestCase("4/14/2020 0:00", "2020-04-14")]
    [TestCase("2020-04-14", "2020-04-14")]
    [TestCase("2020-04-14T00:00:00Z", "2020-04-14")]
    [TestCase("20200414", "2020-04-14")]
    [TestCase("29-Feb-00", "2000-02-29")]
    [TestCase("1970-01-01", "1970-01-01")]
    public void Dates_are_read_as_the_files_write_them(string text, string iso)
    {
        var row = Given.Cell("ApprovedOn", text);

        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Accepted));
        Assert.That(row.Facts.ApprovedOn, Is.EqualTo(Given.Day(iso)));
    }

    [TestCase("31-Feb-97", FindingCodes.DateUnreadable)]
    [TestCase("14/4/2020", FindingCodes.DateUnreadable)]
    [TestCase("soon", FindingCodes.DateUnreadable)]
    [TestCase("2020-13-01", FindingCodes.DateUnreadable)]
    [TestCase("43935", FindingCodes.DateUnreadable)]
    [TestCase("1900-01-01", FindingCodes.DateOutOfRange)]
    [TestCase("2999-12-31", FindingCodes.DateOutOfRange)]
    public void Dates_that_are_none_are_dropped_and_reported(string text, string code)
    {
        var row = Given.Cell("ApprovedOn", text);

        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Corrected));
        Assert.That(row.Facts.ApprovedOn, Is.Null);
        Assert.That(row.Findings.Single() is { NewValue: "", Value: var value } && value == text, Is.True);
        Assert.That(row.Findings.Single().Code, Is.EqualTo(code));
    }

    [Test]
    public void The_order_of_day_and_month_is_the_layouts()
    {
        var row = Given.Cell("ApprovedOn", "3.4.2020", Mapping(European, "ApprovedOn", LoanField.ApprovedOn));

        Assert.That(row.Facts.ApprovedOn, Is.EqualTo(Given.Day("2020-04-03")));
    }

    [TestCase("940", "00940")]
    [TestCase("31401.0", "31401")]
    [TestCase("02134-1000", "02134")]
    [TestCase("021341000", "02134")]
    public void ZIP_codes_are_spelt_with_five_digits(string text, string zip)
    {
        var row = Given.Cell("Zip", text);

        Assert.That(row.Facts.Zip, Is.EqualTo(zip));
        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Accepted));
    }

    [Test]
    public void A_ZIP_code_of_0_is_none_and_one_that_cannot_be_is_dropped()
    {
        Assert.That(Given.Cell("Zip", "0") is { Outcome: RowOutcome.Accepted, Facts.Zip: null }, Is.True);
        Assert.That(Given.Cell("Zip", "8").Findings.Single().Code, Is.EqualTo(FindingCodes.ZipUnreadable));
        Assert.That(Given.Cell("Zip", "SW1A 1AA").Findings.Single().Code, Is.EqualTo(FindingCodes.ZipUnreadable));
    }

    [TestCase("il", "IL")]
    [TestCase("Illinois", "IL")]
    [TestCase("PR", "PR")]
    [TestCase("AE", "AE")]
    public void States_are_two_letters(string text, string state) => Assert.That(Given.Cell("State", text).Facts.State, Is.EqualTo(state));

    [Test]
    public void A_state_that_is_none_is_dropped() => Assert.That(Given.Cell("State", "ZZ").Findings.Single().Code, Is.EqualTo(FindingCodes.StateUnknown));

    [TestCase("TermMonths", "0", FindingCodes.TermZero)]
    [TestCase("TermMonths", "1201", FindingCodes.CountOutOfRange)]
    [TestCase("TermMonths", "-3", FindingCodes.CountOutOfRange)]
    [TestCase("TermMonths", "7 years", FindingCodes.CountUnreadable)]
    [TestCase("InterestRatePercent", "101", FindingCodes.RateOutOfRange)]
    [TestCase("InterestRatePercent", "prime", FindingCodes.RateUnreadable)]
    [TestCase("Naics", "72", FindingCodes.NaicsUnreadable)]
    [TestCase("Status", "sleeping", FindingCodes.StatusUnknown)]
    public void Facts_that_cannot_be_are_dropped_and_reported(string column, string text, string code)
    {
        var row = Given.Cell(column, text);

        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Corrected));
        Assert.That(row.Findings.Single().Code, Is.EqualTo(code));
    }

    [Test]
    public void Counts_and_rates_are_read_in_the_spellings_of_spreadsheets()
    {
        Assert.That(Given.Cell("TermMonths", "84.0").Facts.TermMonths, Is.EqualTo(84));
        Assert.That(Given.Cell("TermMonths", "\"1,000\"").Facts.TermMonths, Is.EqualTo(1_000));
        Assert.That(Given.Cell("InterestRatePercent", "11.75%").Facts.InterestRatePercent, Is.EqualTo(11.75m));
        Assert.That(Given.Cell("Naics", "722511.0").Facts.Naics, Is.EqualTo("722511"));
        Assert.That(Given.Cell("Naics", "0") is { Outcome: RowOutcome.Accepted, Facts.Naics: null }, Is.True);
    }

    [TestCase("P I F", LoanStatus.PaidInFull)]
    [TestCase("PIF", LoanStatus.PaidInFull)]
    [TestCase("Paid in full", LoanStatus.PaidInFull)]
    [TestCase("CHGOFF", LoanStatus.ChargedOff)]
    [TestCase("CANCLD", LoanStatus.Cancelled)]
    [TestCase("EXEMPT", LoanStatus.Open)]
    [TestCase("COMMIT", LoanStatus.Open)]
    [TestCase("", LoanStatus.Unknown)]
    public void Statuses_are_read_in_the_words_of_the_SBA(string text, LoanStatus status)
    {
        var row = Given.Cell("Status", text);

        Assert.That(row.Facts.Status, Is.EqualTo(status));
        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Accepted));
    }

    [TestCase("N", false, RowOutcome.Accepted)]
    [TestCase("Y", true, RowOutcome.Accepted)]
    [TestCase("0", null, RowOutcome.Accepted)]
    [TestCase("", null, RowOutcome.Accepted)]
    [TestCase("T", null, RowOutcome.Corrected)]
    [TestCase("`", null, RowOutcome.Corrected)]
    [TestCase("\",\"", null, RowOutcome.Corrected)]
    public void Revolving_lines_of_the_SBA_study_are_yes_no_or_unknown(string text, bool? revolving, RowOutcome outcome)
    {
        var row = Given.Text(Given.SbaHeader + "\r\n" + Given.SbaRow(revolving: text) + "\r\n").Rows.Single();

        Assert.That((row.Facts.Revolving, row.Outcome), Is.EqualTo((revolving, outcome)));
    }

    [Test]
    public void A_fiscal_year_with_a_letter_loses_it()
    {
        var row = Given.Text(Given.SbaHeader + "\n" + Given.SbaRow().Replace(",1997,", ",1976A,", StringComparison.Ordinal) + "\n").Rows.Single();

        Assert.That(row.Facts.ApprovalFiscalYear, Is.EqualTo(1976));
        Assert.That(row.Findings.Single().Code, Is.EqualTo(FindingCodes.FiscalYearLetter));
    }

    [TestCase("5000000001", "5000000001")]
    [TestCase("12345678", "0012345678")]
    [TestCase("5000000001.0", "5000000001")]
    public void SBA_numbers_have_ten_digits(string text, string number) =>
        Assert.That(Given.Text(Given.SbaHeader + "\n" + Given.SbaRow(number: text) + "\n").Rows.Single().Facts.Number, Is.EqualTo(number));

    [TestCase("", FindingCodes.NumberMissing)]
    [TestCase("5.000000001E+09", FindingCodes.NumberUnreadable)]
    [TestCase("50000000012", FindingCodes.NumberUnreadable)]
    [TestCase("ABC", FindingCodes.NumberUnreadable)]
    [TestCase("0000000000", FindingCodes.NumberUnreadable)]
    public void A_loan_that_cannot_be_told_from_others_is_rejected(string text, string code)
    {
        var row = Given.Text(Given.SbaHeader + "\n" + Given.SbaRow(number: text) + "\n").Rows.Single();

        Assert.That(row.Findings.Single().Code, Is.EqualTo(code));
        Assert.That(row.Facts.Disbursed, Is.EqualTo(60_000.00m));
    }

    [Test]
    public void A_number_of_Camino_has_at_most_forty_characters()
    {
        Assert.That(Given.Text($"LoanNumber,BorrowerName,Approved\n{new string('7', 40)},A,1.00\n").Rows.Single().Outcome, Is.EqualTo(RowOutcome.Accepted));
        Assert.That(
            Given.Text($"LoanNumber,BorrowerName,Approved\n{new string('7', 41)},A,1.00\n").Rows.Single().Findings.Single().Code,
            Is.EqualTo(FindingCodes.NumberTooLong));
    }

    [Test]
    public void A_name_divided_at_its_comma_is_put_together_when_all_else_then_fits()
    {
        var row = Given.Text(Given.SbaHeader + ",\n" + Given.SbaRow(name: "HERONS NEST,\" INC.\"\"\"") + "\n").Rows.Single();

        Assert.That(row.Facts is { BorrowerName: "HERONS NEST, INC.", City: "SPRINGFIELD", Disbursed: 60_000.00m }, Is.True);
        Assert.That(row.Findings.Single().Code, Is.EqualTo(FindingCodes.NameSplit));
    }

    [TestCase("HERONS NEST,INC", "SPRINGFIELD", "84", TestName = "A_divided_name_without_a_sign_of_it_is_rejected")]
    [TestCase("HERONS NEST, INC", " SPRINGFIELD", "84", TestName = "A_divided_name_that_could_be_a_divided_city_is_rejected")]
    [TestCase("HERONS NEST, INC", "SPRINGFIELD", "never", TestName = "A_divided_name_is_rejected_when_the_rest_does_not_fit")]
    public void A_name_that_may_not_be_the_one_divided_is_rejected(string name, string city, string term)
    {
        var row = Given.Text(Given.SbaHeader + "\n" + Given.SbaRow(name: name, city: city, term: term) + "\n").Rows.Single();

        Assert.That(row.Findings.Single().Code, Is.EqualTo(FindingCodes.TooManyColumns));
    }

    [Test]
    public void A_row_whose_cells_stand_in_the_wrong_columns_is_rejected_even_where_its_amounts_can_be_read()
    {
        var shifted = Given.SbaRow().Replace("BLUE HERON BAKERY,SPRINGFIELD", "BLUE HERON,BAKERY,SPRINGFIELD", StringComparison.Ordinal)
            .Replace(",Y,,28-Feb-99", ",Y,28-Feb-99", StringComparison.Ordinal);

        var row = Given.Text(Given.SbaHeader + "\n" + shifted + "\n").Rows.Single();

        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Rejected));
        Assert.That(row.Findings[^1], Is.EqualTo(new Finding(FindingCodes.RowUnfit, "", "7", "3", null)));
        Assert.That(row.Facts.Disbursed, Is.EqualTo(60_000.00m));
    }
}
