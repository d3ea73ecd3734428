using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Camino.Testing;
using Camino.Tests.Imports.Reading;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>The real files from the hand-in to the row, against their control totals.</summary>
internal sealed class ControlTotalsEndToEndTests
{
    private static readonly (string Control, string Amount)[] s_sums =
    [
        ("sum DisbursementGross", "disbursed"), ("sum GrAppv", "approved"), ("sum SBA_Appv", "guaranteed"), ("sum ChgOffPrinGr", "chargedOff"), ("sum Amount", "approved"), ("sum LoanAmount", "approved"),
    ];

    private RunningCamino _camino = null!;

    [SetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [TestCase("sba-7a-raw-8000.csv", "sba-7a", 8_000)]
    [TestCase("sba-case-california-2101.csv", "sba-case", 2_101)]
    [TestCase("ppp-mt-150k-plus-2196.csv", "ppp-150k-plus", 2_196)]
    [TestCase("ppp-mt-up-to-150k-every-4th-5227.csv", "ppp-up-to-150k", 5_227)]
    [TestCase("ga-ppp-savannah-6854.csv", "ppp-state", 6_854)]
    [TestCase("ga-ppp-hinesville-464.csv", "ppp-state", 464)]
    [TestCase("ga-eidl-savannah-5467.csv", "eidl", 5_465)]
    [TestCase("ga-eidl-hinesville-561.csv", "eidl", 561)]
    public async Task A_shared_file_agrees_with_its_control_totals_to_the_cent_and_row_and_changes_nothing_the_second_time(string file, string layout, int loans)
    {
        var content = await File.ReadAllBytesAsync(Given.Shared("loans/" + file));
        using var totals = JsonDocument.Parse(await File.ReadAllTextAsync(Given.Shared("loans/control-totals.json")));
        var control = totals.RootElement.GetProperty(file);
        var rows = control.GetProperty("rows").GetInt64();

        var dry = await _camino.ImportAsync(content, file, "&dryRun=true");
        var load = await _camino.ImportAsync(content, file);
        var again = await _camino.ImportAsync(content, file);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(load.GetProperty("layout").GetString(), Is.EqualTo(layout));
            Assert.That(dry.Counts(), Is.EqualTo(load.Counts()));
            Assert.That(load.Number("rows"), Is.EqualTo(rows));
            Assert.That(load.Number("imported") + load.Number("corrected"), Is.EqualTo(loans));
            Assert.That(again.Counts(), Is.EqualTo((rows, 0L, rows - load.Number("rejected"), 0L, load.Number("rejected"))));
            Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loans"), Is.EqualTo(loans));
            Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loan_versions"), Is.Zero);
            foreach (var (name, amount) in s_sums.Where(sum => control.TryGetProperty(sum.Control, out _)))
            {
                var expected = decimal.Parse(control.GetProperty(name).GetString() ?? "", CultureInfo.InvariantCulture);
                Assert.That(Sum(load, "accepted", amount) + Sum(load, "rejectedSums", amount), Is.EqualTo(expected), name);
                Assert.That(await StoredAsync(amount), Is.EqualTo(Sum(load, "accepted", amount)), $"{amount} in the table");
            }
        }
    }

    [Test]
    public async Task The_same_portfolio_plain_packed_and_zipped_is_one_portfolio()
    {
        var path = Given.Shared("loans/sba-7a-raw-8000.csv");
        var content = await File.ReadAllBytesAsync(path);
        using var zipped = new MemoryStream();
        using (var zip = new ZipArchive(zipped, ZipArchiveMode.Create, leaveOpen: true))
            await zip.CreateEntryFromFileAsync(path, "folder/SBAnational.csv");

        var first = await _camino.ImportAsync(Given.Gzip(content), "loans.csv.gz");
        var second = await _camino.ImportAsync(zipped.ToArray(), "loans.zip");
        var third = await _camino.ImportAsync(content, "named.like.nothing");

        Assert.That(first.Counts(), Is.EqualTo((8_000, 7_652, 0, 348, 0)));
        Assert.That(second.Counts(), Is.EqualTo((8_000, 0, 8_000, 0, 0)));
        Assert.That(third.Counts(), Is.EqualTo((8_000, 0, 8_000, 0, 0)));
    }

    [Test]
    public async Task The_Danish_copy_changes_only_the_loans_whose_names_it_damaged()
    {
        await _camino.ImportAsync(await File.ReadAllBytesAsync(Given.Shared("loans/sba-7a-raw-8000.csv")));
        var danish = await _camino.ImportAsync(await File.ReadAllBytesAsync(Given.Shared("loans/sba-7a-semicolon-danish-excel-500.csv")));

        Assert.That(danish.Counts(), Is.EqualTo((500, 2, 494, 4, 0)));
        Assert.That(danish.Number("changed"), Is.EqualTo(6));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loans"), Is.EqualTo(8_000));
        Assert.That(await _camino.ScalarAsync<decimal>("select sum(approved) from camino.loans"), Is.EqualTo(1_016_196_509.00m));
    }

    private static decimal Sum(JsonElement import, string sums, string amount) => decimal.Parse(import.GetProperty(sums).GetProperty(amount).GetString() ?? "", CultureInfo.InvariantCulture);

    private async Task<decimal> StoredAsync(string amount) => await _camino.ScalarAsync<decimal>($"select sum({(amount == "chargedOff" ? "charged_off" : amount)}) from camino.loans");
}
