using System.Text;
using Camino.Imports;
using NUnit.Framework;

namespace Camino.Tests.Imports.Reading;

/// <summary>Quotation marks, line ends and widths that do not fit: damage costs one row, never the file, and never mixes two loans.</summary>
public sealed class RecordTests
{
    private const string Header = "LoanNumber,BorrowerName,City,Approved\n";

    [Test]
    public void Quoted_values_may_hold_delimiters_quotation_marks_and_line_ends()
    {
        var rows = Given.Text(Header + "L-1,\"Smith, \"\"Jones\"\" & Sons\",\"New\r\nYork\",\"25,000.00\"\r\nL-2,B,C,2.00\r\n").Rows;

        Assert.That(rows[0].Facts.BorrowerName, Is.EqualTo("Smith, \"Jones\" & Sons"));
        Assert.That(rows[0].Facts.City, Is.EqualTo("New York"));
        Assert.That(rows[0].Facts.Approved, Is.EqualTo(25_000.00m));
        Assert.That(rows[0].Outcome, Is.EqualTo(RowOutcome.Accepted));
        Assert.That(rows[1].Line, Is.EqualTo(4));
    }

    [Test]
    public void A_quotation_mark_inside_an_unquoted_value_is_text()
    {
        var row = Given.Text(Header + "L-1,Joe \"The Barber\" Miller,5\" Street,1.00\n").Rows.Single();

        Assert.That(row.Facts.BorrowerName, Is.EqualTo("Joe \"The Barber\" Miller"));
        Assert.That(row.Facts.City, Is.EqualTo("5\" Street"));
        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Accepted));
    }

    [Test]
    public void An_undoubled_quotation_mark_inside_a_quoted_value_is_text_and_reported()
    {
        var row = Given.Text(Header + "L-1,\"MAE\"S CORNER, INC\",Springfield,1.00\n").Rows.Single();

        Assert.That(row.Facts.BorrowerName, Is.EqualTo("MAE\"S CORNER, INC"));
        Assert.That(row.Facts.Approved, Is.EqualTo(1.00m));
        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Corrected));
        Assert.That(row.Findings.Single().Code, Is.EqualTo(FindingCodes.QuoteStray));
    }

    [TestCase("L-2,\"B,C,2.00\nL-3,D,E,3.00\nL-4,F,G,4.00\n", TestName = "An_unclosed_quote_costs_its_line_when_no_other_quote_follows")]
    [TestCase("L-2,\"B,C,2.00\nL-3,\"D\",E,3.00\nL-4,F,G,4.00\n", TestName = "An_unclosed_quote_costs_its_line_when_the_next_line_is_quoted")]
    [TestCase("L-2,\"B,C,2.00\nL-3,D,\"\",3.00\nL-4,F,G,4.00\n", TestName = "An_unclosed_quote_costs_its_line_when_an_empty_quoted_value_follows")]
    [TestCase("L-2,\"B,C,2.00\nL-3,D,\",\",3.00\nL-4,F,G,4.00\n", TestName = "An_unclosed_quote_costs_its_line_when_a_quoted_comma_follows")]
    [TestCase("L-2,B,C,\"2.00\nL-3,D,E,3.00\nL-4,F,G,4.00\n", TestName = "An_unclosed_quote_in_the_last_column_costs_its_line")]
    [TestCase("\"L-2,B,C,2.00\nL-3,D,E,\"3.00\"\nL-4,F,G,4.00\n", TestName = "An_unclosed_quote_in_the_first_column_costs_its_line")]
    public void An_unclosed_quote_costs_its_line(string rest)
    {
        var rows = Given.Text(Header + "L-1,A,B,1.00\n" + rest).Rows;

        Assert.That(rows.Select(row => row.Outcome), Is.EqualTo(new[] { RowOutcome.Accepted, RowOutcome.Rejected, RowOutcome.Accepted, RowOutcome.Accepted }));
        Assert.That(rows.Select(row => row.Line), Is.EqualTo(new[] { 2L, 3L, 4L, 5L }));
        Assert.That(rows[1].Findings.Single().Code, Is.EqualTo(FindingCodes.QuoteUnclosed));
        Assert.That(rows[2].Facts is { Number: "L-3", Approved: 3.00m }, Is.True);
        Assert.That(rows[3].Facts is { Number: "L-4", Approved: 4.00m }, Is.True);
    }

    [Test]
    public void Every_line_with_an_unclosed_quote_is_rejected_on_its_own()
    {
        var text = new StringBuilder(Header);
        for (var i = 0; i < 3_000; i++)
            text.Append("L-").Append(i).Append(i % 3 == 0 ? ",\"B,C,2.00\n" : ",B,C,2.00\n");

        var reading = Given.Text(text.ToString());

        Assert.That(reading.Count(RowOutcome.Rejected), Is.EqualTo(1_000));
        Assert.That(reading.Count(RowOutcome.Accepted), Is.EqualTo(2_000));
    }

    [Test]
    public void A_value_of_more_than_fifty_lines_is_taken_for_an_unclosed_quote()
    {
        var value = string.Join('\n', Enumerable.Repeat("x", 60));

        var rows = Given.Text(Header + $"L-1,\"{value}\",C,1.00\nL-2,B,C,2.00\n").Rows;

        Assert.That(rows[0].Findings.Single().Code, Is.EqualTo(FindingCodes.QuoteUnclosed));
        Assert.That(rows[^1].Facts.Number, Is.EqualTo("L-2"));
        Assert.That(rows.SkipLast(1), Has.All.Property(nameof(PortfolioRow.Outcome)).EqualTo(RowOutcome.Rejected));
    }

    [Test]
    public void Too_few_and_too_many_cells_are_rejected_with_their_count_and_the_loan_they_belong_to()
    {
        var rows = Given.Text(Header + "L-1,A,B\nL-2,A,B,1.00,extra\nL-3,A,B,1.00,,\n").Rows;

        Assert.That(rows[0].Findings.Single(), Is.EqualTo(new Finding(FindingCodes.TooFewColumns, "", "3", "4", null)));
        Assert.That(rows[1].Findings.Single(), Is.EqualTo(new Finding(FindingCodes.TooManyColumns, "", "5", "4", null)));
        Assert.That(rows[0].Facts.Number, Is.EqualTo("L-1"));
        Assert.That(rows[0].Raw, Is.EqualTo("L-1,A,B"));
        Assert.That(rows[2].Outcome, Is.EqualTo(RowOutcome.Accepted), "empty cells at the end are no cells");
    }

    [Test]
    public void A_row_of_empty_cells_is_rejected_and_not_lost()
    {
        var row = Given.Text(Header + ",,,\n").Rows.Single();

        Assert.That(row.Findings.Single().Code, Is.EqualTo(FindingCodes.RowBlank));
    }

    [Test]
    public void A_NUL_byte_rejects_its_row_and_names_its_column()
    {
        var rows = Given.Text(Header + "L-1,Blue\0Heron,B,1.00\nL-2,A,B,2.00\nL-3,A,B,3.00\n").Rows;

        Assert.That(rows[0].Outcome, Is.EqualTo(RowOutcome.Rejected));
        Assert.That(rows[0].Findings[0].Column, Is.EqualTo("BorrowerName"));
        Assert.That(rows[0].Findings[0].Value, Is.EqualTo("Blue\\u0000Heron"));
        Assert.That(rows[0].Facts.Approved, Is.EqualTo(1.00m), "amounts of rejected rows are still added up");
        Assert.That(rows[1].Outcome, Is.EqualTo(RowOutcome.Accepted));
    }

    [Test]
    public void A_line_of_fifty_megabytes_is_rejected_with_its_number_and_memory_stays_flat()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var file = new StreamWriter(path))
            {
                file.Write(Header + "L-1,A,B,1.00\nL-2,");
                var part = new string('x', 1 << 20);
                for (var i = 0; i < 50; i++)
                    file.Write(part);

                file.Write(",B,2.00\nL-3,A,B,3.00\n");
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            var rows = Given.File(path).Rows;
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

            Assert.That(rows.Select(row => (row.Line, row.Outcome)), Is.EqualTo(new[]
            {
                (2L, RowOutcome.Accepted), (3L, RowOutcome.Rejected), (4L, RowOutcome.Accepted),
            }));
            Assert.That(rows[1].Findings.Single().Code, Is.EqualTo(FindingCodes.RecordTooLong));
            Assert.That(rows[1].Raw, Has.Length.EqualTo(64 << 10));
            Assert.That(allocated, Is.LessThan(20 << 20));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void A_record_beyond_the_limit_is_rejected_wherever_the_limit_falls()
    {
        var limits = new ReaderLimits { MaxRecordBytes = 500_000 };
        var text = Header + $"L-1,A,{new string('x', 600_000)},1.00\nL-2,\"{new string('y', 600_000)}\",B,1.00\nL-3,A,B,3.00\n";

        var rows = Given.Text(text, limits: limits).Rows;

        Assert.That(rows.Select(row => row.Outcome), Is.EqualTo(new[] { RowOutcome.Rejected, RowOutcome.Rejected, RowOutcome.Accepted }));
        Assert.That(rows.Select(row => row.Line), Is.EqualTo(new[] { 2L, 3L, 4L }));
    }

    [Test]
    public void Records_read_the_same_wherever_the_buffer_ends()
    {
        var text = new StringBuilder(Header);
        for (var i = 0; i < 40_000; i++)
            text.Append("L-").Append(i).Append(",\"Name, \"\"").Append('x', i % 37).Append("\"\"\",\"Two\r\nlines\",").Append(i % 1000).Append(".25\r\n");

        var reading = Given.Text(text.ToString());

        Assert.That(reading.Rows, Has.Count.EqualTo(40_000));
        Assert.That(reading.Count(RowOutcome.Accepted), Is.EqualTo(40_000));
        Assert.That(reading.Sum(facts => facts.Approved), Is.EqualTo((40 * 499_500m) + (40_000 * 0.25m)));
        Assert.That(reading.Rows[^1].Line, Is.EqualTo(2 + (39_999 * 2)));
    }

    [Test]
    public void Skipping_records_goes_on_exactly_where_reading_would_have()
    {
        var path = Given.Shared("loans/sba-7a-raw-8000.csv");
        var all = Given.File(path).Rows;
        using var reader = PortfolioReader.Open(path, "a.csv", ReaderLimits.Default);

        reader.Skip(5_000);
        var row = new PortfolioRow();
        var found = reader.TryRead(row);

        Assert.That(found, Is.True);
        Assert.That((row.RecordNumber, row.Line, row.Facts.ContentHash), Is.EqualTo((5_001L, all[5_000].Line, all[5_000].Facts.ContentHash)));

        reader.Skip(1_000_000);
        Assert.That(reader.TryRead(row), Is.False);
    }

    [Test]
    public void A_row_is_used_again_without_a_trace_of_the_one_before()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, Header + "L-1,A,B,-5\nL-2,,,\n");
            using var reader = PortfolioReader.Open(path, "a.csv", ReaderLimits.Default);
            var row = new PortfolioRow();
            reader.TryRead(row);
            reader.TryRead(row);

            Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Accepted));
            Assert.That(row.Findings, Is.Empty);
            Assert.That(row.Raw, Is.Empty);
            Assert.That(row.Facts is { Number: "L-2", BorrowerName: null, City: null, Approved: null }, Is.True);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
