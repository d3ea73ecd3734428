using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Camino.Testing;
using Camino.Tests.Imports.Reading;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>The strings that break programs, through every text column of a file, and back out.</summary>
internal sealed class HostileTextTests
{
    private static readonly string[] s_textColumns = ["BorrowerName", "Street", "City", "LenderName"];
    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task Each_string_in_each_text_column_goes_in_as_it_is_and_comes_out_as_it_went_in()
    {
        var strings = Strings();
        var rows = strings.SelectMany((text, i) => s_textColumns.Select((_, column) => RowWith($"H-{i:0000}-{column}", column, text))).ToArray();
        var import = await _camino.ImportAsync(ImportClient.Template(rows));

        Assert.That(import.Status(), Is.EqualTo("done"));
        Assert.That(import.Number("rejected"), Is.EqualTo(s_textColumns.Length * strings.Count(text => text.Contains('\0', StringComparison.Ordinal))));
        await using var command = _camino.Source.CreateCommand("select number, case right(number, 1) when '0' then borrower_name when '1' then street when '2' then city else lender_name end from camino.loans where number ~ '^H-[0-9]{4}-[0-3]$' order by number");
        await using var stored = await command.ExecuteReaderAsync();
        using (Assert.EnterMultipleScope())
        {
            while (await stored.ReadAsync())
            {
                var number = stored.GetString(0);
                var text = strings[int.Parse(number[2..6], System.Globalization.CultureInfo.InvariantCulture)];
                if (IsPlain(text))
                    Assert.That(stored.IsDBNull(1) ? "" : stored.GetString(1), Is.EqualTo(text), number);
            }
        }
    }

    [Test]
    public async Task Each_string_in_each_other_column_is_told_and_breaks_nothing()
    {
        var header = Camino.Imports.Layouts.TemplateCsv.Split(',');
        var others = Enumerable.Range(0, header.Length).Where(i => !s_textColumns.Contains(header[i])).ToArray();
        var rows = Strings().SelectMany((text, i) => others.Select(column => string.Join(',', header.Select((_, at) => at == column ? Given.Csv(text) : at == 0 ? $"O-{i}-{column}" : at == 13 ? "1.00" : "")))).ToArray();
        var import = await _camino.ImportAsync(ImportClient.Template(rows));

        Assert.That(import.Status(), Is.EqualTo("done"));
        Assert.That(import.Number("rows"), Is.EqualTo(rows.Length).Within(rows.Length / 50), "strings of several lines make lines of their own");
        Assert.That(import.Number("imported") + import.Number("unchanged") + import.Number("corrected") + import.Number("rejected"), Is.EqualTo(import.Number("rows")));
        var download = Encoding.UTF8.GetString(await _camino.RejectedAsync(import));
        Assert.That(download, Does.Not.Contain('\0'));
        foreach (var outcome in new[] { "rejected", "corrected" })
            Assert.That((await _camino.GetAsync($"/imports/{import.GetProperty("importId").GetGuid()}/rows?outcome={outcome}")).GetProperty("items").GetArrayLength(), Is.GreaterThan(0));
    }

    [Test]
    public async Task The_export_of_all_loans_handed_in_again_changes_nothing_and_holds_no_formula()
    {
        var strings = Strings();
        await _camino.ImportAsync(ImportClient.Template([.. strings.SelectMany((text, i) => s_textColumns.Select((_, column) => RowWith($"H-{i:0000}-{column}", column, text)))]));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/loans/export.csv?q=H-0", UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _camino.ApiKey);
        using var answer = await _camino.Api.SendAsync(request);
        var export = await answer.Content.ReadAsByteArrayAsync();
        var again = await _camino.ImportAsync(export, "export.csv");

        var cells = Given.Bytes(export).Rows.Count;
        Assert.That(again.GetProperty("layout").GetString(), Is.EqualTo("camino"));
        Assert.That(again.Counts(), Is.EqualTo(((long)cells, 0L, (long)cells, 0L, 0L)));
        Assert.That(cells, Is.GreaterThan(1_000));
        Assert.That(FirstCharacters(export), Has.None.AnyOf('=', '+', '-', '@', '\t', '\r'));
    }

    [TestCase("../../etc/passwd", "passwd")]
    [TestCase("C:\\files\\loans.csv", "loans.csv")]
    [TestCase("<script>alert(1)</script>.csv", "script>.csv")]
    [TestCase("a\u0000b\u0007.csv", "ab.csv")]
    [TestCase("😀😀.csv", "😀😀.csv")]
    public async Task A_file_name_is_a_name_and_never_a_path(string given, string kept)
    {
        var import = await _camino.ImportAsync(ImportClient.Template(ImportClient.Row("NAME-1")), given);

        Assert.That(import.GetProperty("fileName").GetString(), Is.EqualTo(kept));
        Assert.That(_camino.StoredFiles().Select(Path.GetFileName), Has.All.Match("^[0-9a-f]{32}$"));
    }

    private static string[] Strings() => JsonSerializer.Deserialize<string[]>(File.ReadAllText(Given.Shared("hostile/blns.json"))) ?? [];

    private static string RowWith(string number, int column, string text)
    {
        var cells = ImportClient.Row(number, name: "Maple").Split(',');
        var header = Camino.Imports.Layouts.TemplateCsv.Split(',');
        cells[Array.IndexOf(header, s_textColumns[column])] = Given.Csv(text);
        return string.Join(',', cells);
    }

    /// <summary>Nothing in it that a stated rule changes: invisible characters, blanks at the ends or doubled, more than 100 characters, the guard of our own downloads.</summary>
    private static bool IsPlain(string text) =>
        text.Length <= 100
        && text.Trim() == text
        && !text.Contains("  ", StringComparison.Ordinal)
        && text.EnumerateRunes().All(rune => !Rune.IsControl(rune) && Rune.GetUnicodeCategory(rune) is not (System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.PrivateUse or System.Globalization.UnicodeCategory.OtherNotAssigned or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator or System.Globalization.UnicodeCategory.SpaceSeparator) || rune.Value == ' ')
        && text.IsNormalized()
        && !(text.Length > 1 && text[0] == '\'' && "=+-@".Contains(text[1], StringComparison.Ordinal));

    private static IEnumerable<char> FirstCharacters(byte[] csv)
    {
        using var parser = new StringReader(Encoding.UTF8.GetString(csv).TrimStart('\uFEFF'));
        var text = parser.ReadToEnd();
        var quoted = false;
        var atStart = true;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (atStart && c == '"')
            {
                quoted = true;
                yield return text[i + 1];
                atStart = false;
            }
            else if (quoted)
            {
                if (c == '"' && i + 1 < text.Length && text[i + 1] == '"')
                    i++;
                else if (c == '"')
                    quoted = false;
            }
            else if (c is ',' or '\n')
            {
                atStart = true;
            }
            else if (c != '\r')
            {
                if (atStart)
                    yield return c;
                atStart = false;
            }
        }
    }
}
