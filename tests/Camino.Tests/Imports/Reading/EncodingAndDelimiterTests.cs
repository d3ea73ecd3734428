using System.Text;
using Camino.Imports;
using NUnit.Framework;

namespace Camino.Tests.Imports.Reading;

/// <summary>The same file in every encoding, with every delimiter and line end, says the same.</summary>
public sealed class EncodingAndDelimiterTests
{
    private const string Text = "LoanNumber,BorrowerName,Approved\r\nL-1,Panadería Peña & Hijos,25000.00\r\nL-2,Café Noël,1200.50\r\n";

    private static IEnumerable<TestCaseData> Encodings()
    {
        yield return new TestCaseData(new UTF8Encoding(false), "utf-8");
        yield return new TestCaseData(new UTF8Encoding(true), "utf-8");
        yield return new TestCaseData(new UnicodeEncoding(false, true), "utf-16le");
        yield return new TestCaseData(new UnicodeEncoding(true, true), "utf-16be");
        yield return new TestCaseData(new UnicodeEncoding(false, false), "utf-16le");
        yield return new TestCaseData(new UnicodeEncoding(true, false), "utf-16be");
        yield return new TestCaseData(new UTF32Encoding(false, true), "utf-32le");
        yield return new TestCaseData(new UTF32Encoding(true, true), "utf-32be");
        yield return new TestCaseData(CodePagesEncodingProvider.Instance.GetEncoding(1252), "windows-1252");
    }

    [TestCaseSource(nameof(Encodings))]
    public void Every_encoding_gives_the_same_loans(Encoding encoding, string name)
    {
        var reading = Given.Bytes([.. encoding.GetPreamble(), .. encoding.GetBytes(Text)]);

        Assert.That(reading.Shape.Encoding, Is.EqualTo(name));
        Assert.That(reading.Rows.Select(row => row.Facts.BorrowerName), Is.EqualTo(new[] { "Panadería Peña & Hijos", "Café Noël" }));
        Assert.That(reading.Rows.Select(row => row.Outcome), Has.All.EqualTo(RowOutcome.Accepted));
    }

    [TestCase(',')]
    [TestCase(';')]
    [TestCase('\t')]
    [TestCase('|')]
    public void Every_delimiter_gives_the_same_loans(char delimiter)
    {
        var reading = Given.Text(Text.Replace(',', delimiter));

        Assert.That(reading.Shape.Delimiter, Is.EqualTo(delimiter));
        Assert.That(reading.Rows.Select(row => row.Facts.ContentHash), Is.EqualTo(Given.Text(Text).Rows.Select(row => row.Facts.ContentHash)));
    }

    [TestCase("\r\n")]
    [TestCase("\n")]
    [TestCase("\r")]
    public void Every_line_end_gives_the_same_loans_with_or_without_a_last_one(string lineEnd)
    {
        var text = Text.Replace("\r\n", lineEnd, StringComparison.Ordinal);

        foreach (var variant in new[] { text, text.TrimEnd() })
        {
            var rows = Given.Text(variant).Rows;
            Assert.That(rows.Select(row => (row.RecordNumber, row.Line)), Is.EqualTo(new[] { (1L, 2L), (2L, 3L) }));
            Assert.That(rows[1].Facts.Approved, Is.EqualTo(1200.50m));
        }
    }

    [Test]
    public void Empty_lines_are_no_records_but_count_as_lines()
    {
        var rows = Given.Text("LoanNumber,BorrowerName,Approved\n\nL-1,A,1.00\n\n   \nL-2,B,2.00\n\n").Rows;

        Assert.That(rows.Select(row => (row.RecordNumber, row.Line)), Is.EqualTo(new[] { (1L, 3L), (2L, 6L) }));
    }

    [Test]
    public void A_first_line_that_names_the_delimiter_is_obeyed()
    {
        var reading = Given.Text("sep=;\r\nLoanNumber;BorrowerName;Approved\r\nL-1;Smith, Jones, and Sons;5.00\r\n");

        Assert.That(reading.Rows.Single().Facts.BorrowerName, Is.EqualTo("Smith, Jones, and Sons"));
        Assert.That(reading.Rows.Single().Line, Is.EqualTo(3));
    }

    [Test]
    public void A_broken_byte_late_in_a_UTF8_file_is_shown_and_reported_on_its_row()
    {
        var good = new StringBuilder("LoanNumber,BorrowerName,Approved\n");
        for (var i = 0; i < 60_000; i++)
            good.Append("L-").Append(i).Append(",Panadería Peña,1.00\n");

        var rows = Given.Bytes([.. Encoding.UTF8.GetBytes(good.ToString()), .. "L-X,Caf"u8, 0xE9, .. " Noel,2.00\n"u8]).Rows;

        Assert.That(rows[^2].Outcome, Is.EqualTo(RowOutcome.Accepted));
        Assert.That(rows[^1].Outcome, Is.EqualTo(RowOutcome.Corrected));
        Assert.That(rows[^1].Findings.Single().Code, Is.EqualTo(FindingCodes.TextUnreadable));
        Assert.That(rows[^1].Facts.BorrowerName, Is.EqualTo("Caf\uFFFD Noel"));
    }

    [Test]
    public void One_broken_byte_does_not_turn_a_UTF8_file_into_Windows_1252()
    {
        var reading = Given.Bytes([.. "LoanNumber,BorrowerName,Approved\nL-1,Peña y Muñoz,1.00\nL-2,Caf"u8, 0xE9, .. ",2.00\n"u8]);

        Assert.That(reading.Shape.Encoding, Is.EqualTo("utf-8"));
        Assert.That(reading.Rows[0].Facts.BorrowerName, Is.EqualTo("Peña y Muñoz"));
    }

    [Test]
    public void Repeated_headings_get_a_number_and_an_empty_last_one_is_allowed()
    {
        var reading = Given.Text("LoanNumber,BorrowerName,Approved,Note,Note,\nL-1,A,1.00,x,y,\n");

        Assert.That(reading.Shape.Header, Is.EqualTo(new[] { "LoanNumber", "BorrowerName", "Approved", "Note", "Note (2)", "" }));
        Assert.That(reading.Shape.IgnoredColumns, Is.EqualTo(new[] { "Note", "Note (2)" }));
        Assert.That(reading.Rows.Single().Outcome, Is.EqualTo(RowOutcome.Accepted));
    }

    [Test]
    public void The_preview_shows_the_first_twenty_records_of_a_file_that_nobody_knows()
    {
        var text = new StringBuilder("Ref,Who,Gender,How much\n");
        for (var i = 1; i <= 30; i++)
            text.Append(i).Append(",Borrower ").Append(i).Append(",F,").Append(i).Append(".00\n");

        var shape = Given.Text(text.ToString()).Shape;

        Assert.That(shape.Layout, Is.Null);
        Assert.That(shape.Preview, Has.Count.EqualTo(20));
        Assert.That(shape.Preview[19], Is.EqualTo(new[] { "20", "Borrower 20", "", "20.00" }));
    }
}
