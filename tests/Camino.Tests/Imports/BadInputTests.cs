using System.Text;
using Camino.Testing;
using Camino.Tests.Imports.Reading;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>Every kind of bad file through the API, to the row and back: the file or the row is refused with its reason, and what is good goes in.</summary>
internal sealed class BadInputTests
{
    private static readonly string[] s_twoFiles = ["bad.zip", "2", "a.csv, b.csv"];
    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    private static IEnumerable<TestCaseData> WholeFiles()
    {
        var header = Camino.Imports.Layouts.TemplateCsv + "\n";
        var noise = new byte[50_000];
        new Random(1).NextBytes(noise);
        noise[0] = 7;
        yield return Case("no byte at all", [], "import.file.empty");
        yield return Case("a gz of 0 bytes", [], "import.file.empty", "loans.csv.gz");
        yield return Case("a gz of nothing", Given.Gzip(""), "import.file.empty");
        yield return Case("a zip of nothing", Given.Zip(), "import.file.zip_empty");
        yield return Case("a zip with two files", Given.Zip(("a.csv", header), ("b.csv", header)), "import.file.zip_several");
        yield return Case("a bomb in a zip", Given.Zip(("loans.csv", header + new string('0', 64 << 20))), "import.file.zip_bomb");
        yield return Case("a bomb in a gz", Given.Gzip(header + new string('0', 64 << 20)), "import.file.zip_bomb");
        yield return Case("a gz that is cut off", Given.Gzip(ImportClient.Template(ImportClient.Rows(500)))[..^20], "import.file.gzip_damaged");
        yield return Case("noise", noise, "import.file.binary");
        yield return Case("a picture", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13], "import.file.binary");
        yield return Case("a header of 50 MB", Encoding.ASCII.GetBytes(new string('x', 50 << 20)), "import.file.no_delimiter");
    }

    [TestCaseSource(nameof(WholeFiles))]
    public async Task A_file_that_is_no_portfolio_is_refused_as_a_whole_with_its_reason(byte[] file, string code, string name)
    {
        var loans = await _camino.ScalarAsync<long>("select count(*) from camino.loans where number not like 'R-%'");
        var import = await _camino.ImportAsync(file, name);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(import.Status(), Is.EqualTo("failed"));
            Assert.That(import.ErrorCode(), Is.EqualTo(code));
            Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loans where number not like 'R-%'"), Is.EqualTo(loans));
            Assert.That(await _camino.ScalarAsync<string>("select text from camino.notices order by id desc limit 1"), Is.EqualTo("Notice.ImportFailed"));
        }
    }

    [Test]
    public async Task A_zip_with_two_files_names_them()
    {
        var header = Camino.Imports.Layouts.TemplateCsv;
        var import = await _camino.ImportAsync(Given.Zip(("a.csv", header), ("b.csv", header)), "bad.zip");

        Assert.That(import.GetProperty("error").GetProperty("arguments").EnumerateArray().Select(a => a.GetString()), Is.EqualTo(s_twoFiles));
    }

    [Test]
    public async Task A_header_alone_is_a_portfolio_of_no_loans()
    {
        var import = await _camino.ImportAsync(Encoding.UTF8.GetBytes(Camino.Imports.Layouts.TemplateCsv + "\r\n"));

        Assert.That(import.Status(), Is.EqualTo("done"));
        Assert.That(import.Counts(), Is.EqualTo((0, 0, 0, 0, 0)));
    }

    [TestCase("utf-16", true)]
    [TestCase("utf-16", false)]
    [TestCase("utf-16BE", true)]
    [TestCase("utf-32", true)]
    public async Task Text_in_UTF_16_and_UTF_32_is_read_like_any_other(string encoding, bool mark)
    {
        var text = Encoding.GetEncoding(encoding);
        var number = $"ENC-{encoding}-{mark}";
        var content = text.GetBytes(Camino.Imports.Layouts.TemplateCsv + "\n" + ImportClient.Row(number, name: "Panadería Ñandú 株式会社") + "\n");
        var import = await _camino.ImportAsync(mark ? [.. text.GetPreamble(), .. content] : content);

        Assert.That(import.Counts(), Is.EqualTo((1, 1, 0, 0, 0)));
        Assert.That(await _camino.ScalarAsync<string>($"select borrower_name from camino.loans where number = '{number}'"), Is.EqualTo("Panadería Ñandú 株式会社"));
    }

    [Test]
    public async Task A_quotation_mark_that_is_never_closed_costs_its_own_row_only()
    {
        var import = await _camino.ImportAsync(ImportClient.Template(
            ImportClient.Row("Q-1", name: "\"Never Closed Bakery"),
            ImportClient.Row("Q-2", name: "Half\" Inch Hardware"),
            ImportClient.Row("Q-3", name: "\"MAE\"S DINER\""),
            ImportClient.Row("Q-4", name: "\"Said \"\"fine\"\", and left\"")));

        Assert.That(import.Counts(), Is.EqualTo((4, 2, 0, 1, 1)));
        Assert.That(Encoding.UTF8.GetString(await _camino.RejectedAsync(import)), Does.Contain("\n2,").And.Contain("import.row.quote_unclosed"));
        Assert.That(await _camino.ScalarAsync<string>("select borrower_name from camino.loans where number = 'Q-4'"), Is.EqualTo("Said \"fine\", and left"));
    }

    [Test]
    public async Task NUL_bytes_reject_their_row_and_are_shown_as_what_they_are()
    {
        var import = await _camino.ImportAsync(ImportClient.Template(ImportClient.Row("N-1", name: "Has\0Nul"), ImportClient.Row("N-2", name: "Says \\u0000 in letters"), ImportClient.Row("N-3")));
        var rows = await _camino.GetAsync($"/imports/{import.GetProperty("importId").GetGuid()}/rows");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(import.Counts(), Is.EqualTo((3, 2, 0, 0, 1)));
            Assert.That(rows.GetProperty("items")[0].GetProperty("line").GetInt64(), Is.EqualTo(2));
            Assert.That(rows.GetProperty("items")[0].GetProperty("findings")[0].GetProperty("code").GetString(), Is.EqualTo("import.row.nul"));
            Assert.That(rows.GetProperty("items")[0].GetProperty("findings")[0].GetProperty("value").GetString(), Is.EqualTo("Has\\u0000Nul"));
            Assert.That(await _camino.ScalarAsync<string>("select borrower_name from camino.loans where number = 'N-2'"), Is.EqualTo("Says \\u0000 in letters"));
        }
    }

    [Test]
    public async Task A_line_of_50_MB_costs_one_row()
    {
        var file = Encoding.ASCII.GetBytes(Camino.Imports.Layouts.TemplateCsv + "\n" + ImportClient.Row("L-1") + "\n" + new string('x', 50 << 20) + "\n" + ImportClient.Row("L-2") + "\n");
        var import = await _camino.ImportAsync(file);

        Assert.That(import.Counts(), Is.EqualTo((3, 2, 0, 0, 1)));
        Assert.That(Encoding.UTF8.GetString(await _camino.RejectedAsync(import)), Does.Contain("\n3,").And.Contain("import.row.too_long"));
    }

    [Test]
    public async Task Rows_with_too_few_or_too_many_columns_are_rejected_with_both_counts()
    {
        var import = await _camino.ImportAsync(ImportClient.Template(ImportClient.Row("C-1") + ",extra,more", "C-2,only two", ImportClient.Row("C-3"), ImportClient.Row("C-4") + ","));
        var rejected = Encoding.UTF8.GetString(await _camino.RejectedAsync(import));

        Assert.That(import.Counts(), Is.EqualTo((4, 2, 0, 0, 2)));
        Assert.That(rejected, Does.Contain("The row has 23 cells, the header 21").And.Contain("The row has 2 cells, the header 21"));
    }

    [Test]
    public async Task A_number_that_comes_again_later_in_a_large_file_is_found_across_chunks()
    {
        var rows = ImportClient.Rows(2_500, "DUP");
        var import = await _camino.ImportAsync(ImportClient.Template([.. rows, rows[3], ImportClient.Row("DUP-000004", 1m), ImportClient.Row("DUP-000005", 1_005m)]));

        Assert.That(import.Counts(), Is.EqualTo((2_503, 2_500, 2, 0, 1)));
        Assert.That(await _camino.ScalarAsync<decimal>("select disbursed from camino.loans where number = 'DUP-000004'"), Is.EqualTo(1_004m));
        Assert.That(import.GetProperty("rejectedSums").GetProperty("disbursed").GetString(), Is.EqualTo("1.00"));
    }

    [Test]
    public async Task Rejected_rows_come_down_safe_to_open_and_go_in_again_once_they_are_put_right()
    {
        var first = await _camino.ImportAsync(ImportClient.Template(
            ImportClient.Row("F-1", name: "=HYPERLINK(\"\"http://example.test\"\")").Replace("100.00,100.00", "abc,100.00", StringComparison.Ordinal),
            "F-2,\"=cmd|' /C calc'!A0\",@street,+city,GA,,-lender,,2024-01-15,,36,,,abc,100.00,,,,,,Open",
            ImportClient.Row("F-3", -15m)));
        var rejected = Encoding.UTF8.GetString(await _camino.RejectedAsync(first));
        var again = await _camino.ImportAsync(Encoding.UTF8.GetBytes(rejected.Replace("abc", "100.00", StringComparison.Ordinal).Replace("'-15", "15", StringComparison.Ordinal)), "corrected.csv");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(first.Counts(), Is.EqualTo((3, 0, 0, 0, 3)));
            foreach (var cell in rejected.Split('\n', ',').Select(cell => cell.TrimStart('"')))
                Assert.That(cell, Does.Not.StartWith("=").And.Not.StartWith("+").And.Not.StartWith("-").And.Not.StartWith("@"));
            Assert.That(again.Counts(), Is.EqualTo((3, 3, 0, 0, 0)));
            Assert.That(await _camino.ScalarAsync<string>("select borrower_name || '|' || street || '|' || city || '|' || lender_name from camino.loans where number = 'F-2'"), Is.EqualTo("=cmd|' /C calc'!A0|@street|+city|-lender"));
            Assert.That(await _camino.ScalarAsync<decimal>("select disbursed from camino.loans where number = 'F-3'"), Is.EqualTo(15m));
        }
    }

    [Test]
    public async Task The_export_of_loans_of_another_source_is_not_taken_for_new_loans()
    {
        await _camino.ImportAsync(Encoding.UTF8.GetBytes(Given.SbaHeader + "\n" + Given.SbaRow() + "\n"));
        var export = await _camino.Api.GetByteArrayAsync(new Uri("/loans/export.csv?q=5000000001", UriKind.Relative));
        var again = await _camino.ImportAsync(export, "export.csv");

        Assert.That(again.Counts(), Is.EqualTo((1, 0, 0, 0, 1)));
        Assert.That(Encoding.UTF8.GetString(await _camino.RejectedAsync(again)), Does.Contain("import.number.foreign").And.Contain("This loan comes from Sba"));
    }

    private static TestCaseData Case(string what, byte[] file, string code, string name = "bad.csv") => new TestCaseData(file, code, name).SetArgDisplayNames(what);
}
