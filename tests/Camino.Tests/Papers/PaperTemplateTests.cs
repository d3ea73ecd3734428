using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Camino.Lending.Applications;
using Camino.Papers;
using Camino.Tests.HouseRules;
using NUnit.Framework;

namespace Camino.Tests.Papers;

/// <summary>Templates say the same in both languages, stay what they were once papers were made from them, and become PDFs that every reader can read.</summary>
internal sealed partial class PaperTemplateTests
{
    private static readonly DateTimeOffset At = new(2026, 3, 1, 15, 0, 0, TimeSpan.Zero);

    private static IEnumerable<string> Names => House.Files("src/Camino/Papers/Templates", ".txt").Select(file => Path.GetFileName(file)[..^".en.txt".Length]).Distinct();

    [TestCaseSource(nameof(Names))]
    public void Both_languages_ask_for_the_same_values_in_the_same_lines(string name)
    {
        var (english, spanish) = (Lines(name, "en"), Lines(name, "es"));

        Assert.That(PaperTemplate.Of(name, "es").Places, Is.EquivalentTo(PaperTemplate.Of(name, "en").Places));
        Assert.That(spanish.Select(Shape), Is.EqualTo(english.Select(Shape)));
    }

    [Test]
    public void Every_reason_that_can_be_given_has_its_words()
    {
        foreach (var language in new[] { "en", "es" })
        {
            foreach (var chunk in AdverseReasons.Codes.Chunk(AdverseReasons.Most))
            {
                var text = PaperTemplate.Of("decline.1", language).Fill(Values(reasons: chunk));
                Assert.That(text.Blocks.OfType<PaperItems>().Single().Items, Has.Count.EqualTo(chunk.Length).And.None.Empty);
            }
        }
    }

    [Test]
    public void A_template_that_papers_were_made_from_is_never_changed()
    {
        var now = House.Files("src/Camino/Papers/Templates", ".txt").Select(file => $"{Path.GetFileName(file)} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(File.ReadAllText(file).ReplaceLineEndings("\n"))))}").Order(StringComparer.Ordinal).ToList();
        var approved = File.ReadAllLines(Path.Combine(House.Root, "tests/Camino.Tests/Papers/Templates.approved.txt"));

        Assert.That(now, Is.EqualTo(approved), "Say it otherwise in a new version of the template, add its lines to Templates.approved.txt, and leave the old one as it is.\n" + string.Join('\n', now));
    }

    [TestCase("en", "Title of a paper")]
    [TestCase("es", "Título de un papel, ¿sí? Ñandú")]
    public void A_pdf_says_its_title_language_and_structure_and_gives_its_text_back_exactly(string language, string title)
    {
        var rows = Enumerable.Range(1, 70).Select(n => (IReadOnlyList<string>)[$"{n}", $"{n}.00"]).ToList();
        var pdf = PdfPaper.Write(new PaperText(title, language, "Łódź & Señor — “Lender”", "P {0}/{1}", [new PaperHeading(1, title), new PaperParagraph("Año, “naïve” — 25 € • " + new string('x', 300)), new PaperTable(["No.", "Sum"], rows, ["Total", "2,485.00"])]), At);
        var text = PdfText.Of(pdf);

        Assert.That(PdfText.AboutOf(pdf), Is.EqualTo((title, language + "-US", true, 2)));
        Assert.That(text, Does.Contain(title).And.Contain("Año, “naïve” — 25 € •").And.Contain("Łódź & Señor — “Lender”").And.Contain("P 1/2").And.Contain("P 2/2").And.Contain("Total 2,485.00"));
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        Assert.That(Enumerable.Range(1, 70).Select(n => $"{n} {n}.00").Except(lines), Is.Empty, "no row is lost at the end of a page");
        Assert.That(lines.Count(line => line == "No. Sum"), Is.EqualTo(PdfText.AboutOf(pdf).Pages), "the head of a table stands on every page");
    }

    [Test]
    public void Every_object_of_a_pdf_is_where_its_table_says()
    {
        var pdf = PdfPaper.Write(new PaperText("T", "en", "L", "{0} {1}", [new PaperParagraph("One")]), At);
        var raw = Encoding.Latin1.GetString(pdf);
        var start = Number(Start().Match(raw));
        var offsets = Offset().Matches(raw[start..]).Select(Number).ToList();
        var streams = Stream().Matches(raw).Select(match => raw.AsSpan(match.Index + match.Length + Number(match)).TrimStart("\r\n").StartsWith("endstream")).ToList();

        Assert.That(raw[start..], Does.StartWith("xref"));
        Assert.That(offsets, Has.Count.GreaterThan(10));
        Assert.That(offsets.Where(offset => !Head().IsMatch(raw.AsSpan(offset, 20))), Is.Empty);
        Assert.That(streams, Has.Count.GreaterThan(2).And.All.True);
        Assert.That(raw, Does.Not.Contain("/FlateDecode"), "strict readers find the ends of compressed streams of this library missing");
    }

    [Test]
    public void Fonts_travel_with_their_licence() => Assert.That(File.ReadAllText(Path.Combine(House.Root, "src/Camino/Papers/Fonts/OFL.txt")), Does.Contain("SIL OPEN FONT LICENSE Version 1.1").And.Contain("IBM"));

    internal static PaperValues Values(string[]? reasons = null, bool report = true) => new(
        new Dictionary<string, object?> { ["lender"] = "Camino", ["lenderPhone"] = "800-555-0100", ["agency"] = "FTC", ["number"] = "A-1", ["on"] = new DateOnly(2026, 3, 1), ["receivedOn"] = new DateOnly(2026, 2, 1), ["amount"] = 25_000m, ["report"] = report ? "used" : null, ["bureau"] = "Bureau" },
        new Dictionary<string, IReadOnlyList<string>> { ["lenderLines"] = ["Camino"], ["applicantLines"] = ["Somebody"], ["reasons"] = reasons ?? ["cashFlow"] }, []);

    private static string[] Lines(string name, string language) => File.ReadAllText(Path.Combine(House.Root, $"src/Camino/Papers/Templates/{name}.{language}.txt")).ReplaceLineEndings("\n").Split('\n');

    /// <summary>What a line is, without its words.</summary>
    private static string Shape(string line) => Before().Match(line).Value + string.Concat(Place().Matches(line).Select(match => match.Value).Order(StringComparer.Ordinal));

    private static int Number(Match match) => int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"startxref\s+(?<number>\d+)\s+%%EOF\s*$", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Start();

    [GeneratedRegex(@"(?m)^(?<number>\d{10}) \d{5} n", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Offset();

    [GeneratedRegex(@"/Length (?<number>\d+)[^<>]*>>\s*stream\r?\n", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Stream();

    [GeneratedRegex(@"^\d+ \d+ obj", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Head();

    [GeneratedRegex(@"^([?!]\w+ )?(#+|-|\||=\s\S+|@\w+|title:)?", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Before();

    [GeneratedRegex(@"\{\w+\}", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Place();
}
