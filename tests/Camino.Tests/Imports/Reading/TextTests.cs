using System.Text;
using System.Text.Json;
using Camino.Imports;
using NUnit.Framework;

namespace Camino.Tests.Imports.Reading;

/// <summary>Names of people and businesses stay what they are.</summary>
public sealed class TextTests
{
    private static PortfolioRow Name(string name) =>
        Given.Text("LoanNumber,BorrowerName,Approved\nL-1," + Given.Csv(name) + ",1.00\n").Rows.Single();

    [TestCase("null")]
    [TestCase("NULL")]
    [TestCase("N/A")]
    [TestCase("None")]
    [TestCase("NaN")]
    [TestCase("TRUE")]
    [TestCase("0")]
    [TestCase("1E5 Fitness")]
    [TestCase("=Equal Housing Partners")]
    [TestCase("-Minus 40 Ice")]
    [TestCase("&lt;b&gt; Tags")]
    [TestCase("Joe`s Garage")]
    [TestCase("'Round the Corner")]
    [TestCase("İstanbul Kebap Evi")]
    [TestCase("ﾗｰﾒﾝ太郎")]
    [TestCase("قالی شیراز")]
    [TestCase("👩🏽‍🍳 Mama’s Kitchen")]
    [TestCase("𠮷野家風食堂")]
    public void Names_that_programs_mistake_stay_text(string name)
    {
        var row = Name(name);

        Assert.That(row.Facts.BorrowerName, Is.EqualTo(name));
        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Accepted));
    }

    [TestCase("  Leading and   double  blanks ", "Leading and double blanks")]
    [TestCase("Non\u00A0Breaking\u3000Space", "Non Breaking Space")]
    [TestCase("Tab\tSeparated\nLines", "Tab Separated Lines")]
    [TestCase("Pen\u0303a", "Peña")]
    [TestCase("\u212Bngstrom", "Ångstrom")]
    public void Spelling_is_normalised_without_a_word(string name, string normalised)
    {
        var row = Name(name);

        Assert.That(row.Facts.BorrowerName, Is.EqualTo(normalised));
        Assert.That(row.Outcome, Is.EqualTo(RowOutcome.Accepted));
    }

    [TestCase("Zero\u200BWidth LLC", "ZeroWidth LLC")]
    [TestCase("Soft\u00ADHyphen Inc", "SoftHyphen Inc")]
    [TestCase("BOM\uFEFFInside Inc", "BOMInside Inc")]
    [TestCase("CLL\u202Egnp.exe", "CLLgnp.exe")]
    [TestCase("Bell\u0007 & Co", "Bell & Co")]
    [TestCase("Join\u200Der", "Joiner")]
    public void Invisible_and_direction_characters_are_taken_out_and_reported(string name, string visible)
    {
        var row = Name(name);

        Assert.That(row.Facts.BorrowerName, Is.EqualTo(visible));
        Assert.That(row.Findings.Single().Code, Is.EqualTo(FindingCodes.TextInvisible));
        Assert.That(row.Findings.Single().Value, Does.Contain("\\u"));
    }

    [Test]
    public void A_name_of_more_than_200_characters_is_cut_and_reported()
    {
        var row = Name(new string('Ñ', 300));

        Assert.That(row.Facts.BorrowerName, Is.EqualTo(new string('Ñ', 200)));
        Assert.That(row.Findings.Single() is { Code: FindingCodes.TextCut, Limit: "200" }, Is.True);
    }

    [Test]
    public void A_cut_never_leaves_half_a_character()
    {
        var name = Name(string.Concat(Enumerable.Repeat("👩🏽‍🍳", 60))).Facts.BorrowerName ?? "";

        Assert.That(name.Length, Is.EqualTo(196));
        Assert.That(name.EnumerateRunes().Count(rune => rune == Rune.ReplacementChar), Is.Zero);
    }

    [Test]
    public void The_damage_of_published_files_is_repaired_and_reported_only_there()
    {
        const string Header = "FAIN,Recipient,Amount,Date\n";
        var entity = Given.Text(Header + "1,Rosa&#39;S &Amp; Caf&#Xe9; Llc,1,2020-04-14\n").Rows.Single();
        var mojibake = Given.Text(Header + "1,Children‚Äôs Corner,1,2020-04-14\n").Rows.Single();
        var sba = Given.Text(Given.SbaHeader + "\n" + Given.SbaRow(name: "\"MAE\"\"S CORNER\"") + "\n").Rows.Single();

        Assert.That(entity.Facts.BorrowerName, Is.EqualTo("Rosa'S & Café Llc"));
        Assert.That(entity.Findings.Single().Code, Is.EqualTo(FindingCodes.TextEntity));
        Assert.That(mojibake.Facts.BorrowerName, Is.EqualTo("Children’s Corner"));
        Assert.That(mojibake.Findings.Single().Code, Is.EqualTo(FindingCodes.TextMojibake));
        Assert.That(sba.Facts.BorrowerName, Is.EqualTo("MAE'S CORNER"));
        Assert.That(sba.Findings.Single().Code, Is.EqualTo(FindingCodes.TextApostrophe));
        Assert.That(Name("Rosa&#39;S ‚Äô D\"S").Facts.BorrowerName, Is.EqualTo("Rosa&#39;S ‚Äô D\"S"));
    }

    [Test]
    public void All_hostile_strings_go_through_names_and_each_change_is_reported()
    {
        var strings = JsonSerializer.Deserialize<string[]>(File.ReadAllText(Given.Shared("hostile/blns.json"))) ?? [];
        var csv = new StringBuilder("LoanNumber,BorrowerName,Approved\n");
        for (var i = 0; i < strings.Length; i++)
            csv.Append(i).Append(',').Append(Given.Csv(strings[i])).Append(",1.00\n");

        var rows = Given.Text(csv.ToString()).Rows;

        Assert.That(rows, Has.Count.EqualTo(515));
        Assert.That(rows.Sum(row => row.Facts.Approved), Is.EqualTo(515.00m));
        foreach (var (row, text) in rows.Zip(strings))
        {
            if (row.Outcome == RowOutcome.Accepted)
                Assert.That(row.Facts.BorrowerName ?? "", Is.EqualTo(OneBlankBetweenWords(text.Normalize())), row.Facts.Number);
            else
                Assert.That(row.Findings, Has.All.Matches<Finding>(finding => finding is { Corrects: true, Column: "BorrowerName" }), row.Facts.Number);
        }

        Assert.That(rows.Count(row => row.Outcome == RowOutcome.Rejected), Is.Zero);
        Assert.That(rows.Count(row => row.Outcome == RowOutcome.Accepted), Is.GreaterThan(480));
    }

    [Test]
    public void All_business_names_of_the_reference_file_go_through()
    {
        var path = Given.Shared("reference/business-names-unicode.csv");
        var mapping = Layout.FromMapping("names", ["name", "kind", "note"], new Dictionary<string, LoanField>
        {
            ["name"] = LoanField.BorrowerName,
            ["kind"] = LoanField.BusinessType,
            ["note"] = LoanField.LoanNumber,
        });

        var rows = Given.Text(Numbered(path), mapping).Rows;

        Assert.That(rows, Has.Count.EqualTo(148));
        Assert.That(rows.Count(row => row.Outcome == RowOutcome.Rejected), Is.Zero);
        Assert.That(rows, Has.All.Matches<PortfolioRow>(row => row is { Facts.BorrowerName: not null }));
    }

    private static string OneBlankBetweenWords(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The reference file with a number in place of its last column.</summary>
    private static string Numbered(string path)
    {
        var number = 0;
        var lines = File.ReadAllLines(path).Select(line => number++ == 0 ? "name,kind,note" : string.Join(',', RejectedRowsCsv.Cells(line, ',')
            .Take(2).Select(Given.Csv)) + "," + number.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return string.Join('\n', lines);
    }
}
