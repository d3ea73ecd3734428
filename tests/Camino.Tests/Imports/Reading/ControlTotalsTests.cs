using System.Globalization;
using System.Text.Json;
using Camino.Imports;
using NUnit.Framework;

namespace Camino.Tests.Imports.Reading;

/// <summary>The real files, against their control totals: to the row and to the cent.</summary>
public sealed class ControlTotalsTests
{
    private static readonly Dictionary<string, Func<LoanFacts, decimal?>> Sums = new()
    {
        ["sum DisbursementGross"] = facts => facts.Disbursed,
        ["sum GrAppv"] = facts => facts.Approved,
        ["sum SBA_Appv"] = facts => facts.Guaranteed,
        ["sum ChgOffPrinGr"] = facts => facts.ChargedOff,
        ["sum BalanceGross"] = facts => facts.Balance,
        ["sum Amount"] = facts => facts.Approved,
        ["sum LoanAmount"] = facts => facts.Approved,
        ["sum Jobs"] = facts => facts.JobsRetained,
        ["sum JobsRetained"] = facts => facts.JobsRetained,
    };

    [TestCase("sba-7a-raw-8000.csv", "sba-7a", 7_652, 348, 0)]
    [TestCase("sba-case-california-2101.csv", "sba-case", 2_041, 60, 0)]
    [TestCase("ppp-mt-150k-plus-2196.csv", "ppp-150k-plus", 2_194, 2, 0)]
    [TestCase("ppp-mt-up-to-150k-every-4th-5227.csv", "ppp-up-to-150k", 5_227, 0, 0)]
    [TestCase("ga-ppp-savannah-6854.csv", "ppp-state", 6_803, 51, 0)]
    [TestCase("ga-ppp-hinesville-464.csv", "ppp-state", 463, 1, 0)]
    [TestCase("ga-eidl-savannah-5467.csv", "eidl", 72, 5_393, 2)]
    [TestCase("ga-eidl-hinesville-561.csv", "eidl", 6, 555, 0)]
    public void Every_shared_file_is_recognised_and_adds_up_to_its_control_totals(string file, string layout, int accepted, int corrected, int rejected)
    {
        var reading = Given.File(Given.Shared("loans/" + file));
        using var totals = JsonDocument.Parse(File.ReadAllText(Given.Shared("loans/control-totals.json")));
        var control = totals.RootElement.GetProperty(file);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(reading.Layout, Is.EqualTo(layout));
            Assert.That(reading.Rows, Has.Count.EqualTo(control.GetProperty("rows").GetInt32()));
            Assert.That(reading.Count(RowOutcome.Accepted), Is.EqualTo(accepted));
            Assert.That(reading.Count(RowOutcome.Corrected), Is.EqualTo(corrected));
            Assert.That(reading.Count(RowOutcome.Rejected), Is.EqualTo(rejected));
            foreach (var total in control.EnumerateObject().Where(total => Sums.ContainsKey(total.Name)))
                Assert.That(reading.Sum(Sums[total.Name]), Is.EqualTo(decimal.Parse(total.Value.GetString() ?? "", CultureInfo.InvariantCulture)), total.Name);
        }
    }

    [Test]
    public void The_dirt_of_the_SBA_file_is_found_as_often_as_it_was_counted()
    {
        var reading = Given.File(Given.Shared("loans/sba-7a-raw-8000.csv"));
        var facts = reading.Rows.Select(row => row.Facts).ToList();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(facts.Count(loan => loan.Naics is null), Is.EqualTo(1_587), "NAICS 0");
            Assert.That(facts.Count(loan => loan.Status == LoanStatus.PaidInFull), Is.EqualTo(6_520));
            Assert.That(facts.Count(loan => loan.Status == LoanStatus.ChargedOff), Is.EqualTo(1_462));
            Assert.That(facts.Count(loan => loan.Status == LoanStatus.Unknown), Is.EqualTo(18));
            Assert.That(facts.Count(loan => loan.BusinessAge == "existing"), Is.EqualTo(5_421));
            Assert.That(facts.Count(loan => loan.BusinessAge == "new"), Is.EqualTo(2_543));
            Assert.That(facts.Count(loan => loan.UrbanRural == "urban"), Is.EqualTo(3_816));
            Assert.That(facts.Count(loan => loan.Revolving == true), Is.EqualTo(2_801));
            Assert.That(facts.Count(loan => loan.LowDocumentation == true), Is.EqualTo(775));
            Assert.That(facts.Count(loan => loan.Zip is null), Is.EqualTo(5), "four are 0, one is 8");
            Assert.That(facts.Count(loan => loan.DisbursedOn is null), Is.EqualTo(14));
            Assert.That(facts.Count(loan => loan.LenderName is null), Is.EqualTo(5));
            Assert.That(facts.Count(loan => loan.Employees == 0), Is.EqualTo(36));
            Assert.That(facts.Min(loan => loan.ApprovedOn), Is.EqualTo(Given.Day("1971-08-13")));
            Assert.That(facts.Max(loan => loan.ApprovedOn), Is.EqualTo(Given.Day("2006-02-17")));
            Assert.That(facts.Max(loan => loan.ChargedOffOn), Is.EqualTo(Given.Day("2014-08-29")));
            Assert.That(reading.Findings(FindingCodes.TermZero), Is.EqualTo(15));
            Assert.That(reading.Findings(FindingCodes.PaidWithChargeOff), Is.EqualTo(64));
            Assert.That(reading.Findings(FindingCodes.ChargeOffAboveDisbursed), Is.EqualTo(18));
            Assert.That(reading.Findings(FindingCodes.ChargeOffUndated), Is.EqualTo(1));
            Assert.That(reading.Findings(FindingCodes.DisbursedBeforeApproved), Is.EqualTo(4));
            Assert.That(reading.Findings(FindingCodes.CodeUnknown), Is.EqualTo(333), "revolving: 330 T, a back-tick, a comma; low documentation: one C");
        }
    }

    [Test]
    public void A_Danish_copy_of_a_loan_has_the_same_content_as_the_original_where_no_name_was_damaged()
    {
        var original = Given.File(Given.Shared("loans/sba-7a-raw-8000.csv")).Rows.ToDictionary(row => row.Facts.Number, row => row.Facts);
        var danish = Given.File(Given.Shared("loans/sba-7a-semicolon-danish-excel-500.csv"));

        var changed = danish.Rows.Where(row => row.Facts.ContentHash != original[row.Facts.Number].ContentHash).ToList();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(danish.Shape.Delimiter, Is.EqualTo(';'));
            Assert.That(danish.Rows, Has.Count.EqualTo(500));
            Assert.That(danish.Count(RowOutcome.Rejected), Is.Zero);
            Assert.That(danish.Findings(FindingCodes.NameSplit), Is.EqualTo(4));
            Assert.That(changed, Has.Count.EqualTo(6), "four names had lost their apostrophe when they were divided, two hold it elsewhere");
            foreach (var row in danish.Rows)
            {
                Assert.That(row.Facts.Disbursed, Is.EqualTo(original[row.Facts.Number].Disbursed), row.Facts.Number);
                Assert.That(row.Facts.Approved, Is.EqualTo(original[row.Facts.Number].Approved), row.Facts.Number);
                Assert.That(row.Facts.City, Is.EqualTo(original[row.Facts.Number].City), row.Facts.Number);
            }
        }
    }

    [Test]
    public void Day_numbers_of_the_case_file_count_from_1960()
    {
        var first = Given.File(Given.Shared("loans/sba-case-california-2101.csv")).Rows[0].Facts;

        Assert.That(first.ApprovedOn, Is.EqualTo(Given.Day("2001-04-09"))); // day 15074
    }

    [Test]
    public void Loans_without_a_number_get_one_of_their_own_and_the_same_at_every_reading()
    {
        var path = Given.Shared("loans/ppp-mt-up-to-150k-every-4th-5227.csv");

        var once = Given.File(path).Rows.Select(row => row.Facts.Number).ToList();
        var again = Given.File(path).Rows.Select(row => row.Facts.Number).ToList();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(once.Distinct().Count(), Is.EqualTo(5_227));
            Assert.That(once, Has.All.Match("^PPP-[0-9A-F]{20}$"));
            Assert.That(again, Is.EqualTo(once));
        }
    }

    [Test]
    public void Ranges_keep_both_ends_and_no_amount()
    {
        var rows = Given.File(Given.Shared("loans/ppp-mt-150k-plus-2196.csv")).Rows;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(rows.Count(row => row.Facts is { AmountFrom: 150_000m, AmountTo: 350_000m, Approved: null }), Is.EqualTo(1_380));
            Assert.That(rows.Count(row => row.Facts is { AmountFrom: 5_000_000m, AmountTo: 10_000_000m }), Is.EqualTo(10));
        }
    }

    [Test]
    public void Answers_about_race_sex_and_veteran_status_are_not_taken_in_and_not_shown()
    {
        var reading = Given.File(Given.Shared("loans/ga-ppp-savannah-6854.csv"));

        var corrected = reading.Rows.First(row => row.Raw.Length > 0);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(reading.Shape.IgnoredColumns, Is.SupersetOf(new[] { "RaceEthnicity", "Gender", "Veteran" }));
            Assert.That(reading.Shape.Preview, Has.All.Matches<string[]>(row => row is { } && row[7].Length + row[8].Length + row[9].Length == 0));
            Assert.That(RejectedRowsCsv.Cells(corrected.Raw, ',').Skip(7).Take(3), Is.EqualTo(new[] { "", "", "" }));
        }
    }

    [Test]
    public void A_county_code_tells_the_state_where_no_column_does()
    {
        var rows = Given.File(Given.Shared("loans/ga-ppp-hinesville-464.csv")).Rows;

        Assert.That(rows.Select(row => row.Facts.State).Distinct(), Is.EqualTo(new[] { "GA" }));
    }

    [Test]
    public void Business_types_are_put_right_and_lose_nobody()
    {
        var types = Given.File(Given.Shared("loans/ga-ppp-savannah-6854.csv")).Rows.CountBy(row => row.Facts.BusinessType ?? "").ToDictionary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(types["Sole Proprietor"], Is.EqualTo(842));
            Assert.That(types["LLC"], Is.EqualTo(2_371));
            Assert.That(types[""], Is.EqualTo(2));
        }
    }
}
