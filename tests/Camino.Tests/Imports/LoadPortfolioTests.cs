using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>From the file to the row and back to the answer, through both roles.</summary>
internal sealed class LoadPortfolioTests
{
    private RunningCamino _camino = null!;

    [SetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task Every_row_of_a_file_ends_with_one_outcome_and_its_money_is_stored_to_the_cent()
    {
        var import = await _camino.ImportAsync(Template(
            "A-1,Harbor Bakery LLC,1 Pier St,Savannah,GA,31401,Camino,311811,2024-01-15,2024-02-01,36,4,11.75,25000.00,25000.00,0.00,0.00,,,18250.40,Open",
            "A-2,Quiet Elm Books Inc,2 Elm St,Macon,GA,31201,Camino,451211,2023-03-10,2023-03-20,24,2,9.5,12000.10,12000.10,,1500.05,2024-01-31,,0.00,Charged off",
            "A-3,Broken Amount Co,,,GA,,,,,,,,,abc,5.00,,,,,,Open"));

        Assert.Multiple(() =>
        {
            Assert.That(import.GetProperty("status").GetString(), Is.EqualTo("done"));
            Assert.That(Counts(import), Is.EqualTo((3, 2, 0, 0, 1)));
            Assert.That(import.GetProperty("accepted").GetProperty("disbursed").GetString(), Is.EqualTo("37000.10"));
            Assert.That(import.GetProperty("accepted").GetProperty("chargedOff").GetString(), Is.EqualTo("1500.05"));
            Assert.That(import.GetProperty("rejectedSums").GetProperty("disbursed").GetString(), Is.EqualTo("5.00"));
        });
        Assert.That(await _camino.ScalarAsync<decimal>("select sum(disbursed) from camino.loans"), Is.EqualTo(37000.10m));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loan_versions"), Is.Zero);
    }

    [Test]
    public async Task The_same_file_again_changes_nothing()
    {
        var file = Template(Rows(250));
        var first = await _camino.ImportAsync(file);
        var second = await _camino.ImportAsync(file);

        Assert.Multiple(() =>
        {
            Assert.That(Counts(first), Is.EqualTo((250, 250, 0, 0, 0)));
            Assert.That(Counts(second), Is.EqualTo((250, 0, 250, 0, 0)));
            Assert.That(second.GetProperty("accepted").GetProperty("disbursed").GetString(), Is.EqualTo(first.GetProperty("accepted").GetProperty("disbursed").GetString()));
        });
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loans"), Is.EqualTo(250));
    }

    [Test]
    public async Task A_changed_row_replaces_the_loan_and_keeps_what_was_there()
    {
        await _camino.ImportAsync(Template(Row("A-1", 100m), Row("A-2", 200m)));
        var import = await _camino.ImportAsync(Template(Row("A-1", 100m), Row("A-2", 250m)));

        Assert.That(Counts(import), Is.EqualTo((2, 1, 1, 0, 0)));
        Assert.That(import.GetProperty("changed").GetInt64(), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<decimal>("select disbursed from camino.loans where number = 'A-2'"), Is.EqualTo(250m));
        Assert.That(await _camino.ScalarAsync<string>("select facts ->> 'disbursed' from camino.loan_versions"), Is.EqualTo("200.00"));
    }

    [Test]
    public async Task A_number_that_comes_twice_counts_once_when_equal_and_is_rejected_when_different()
    {
        var import = await _camino.ImportAsync(Template(Row("A-1", 100m), Row("A-1", 100m), Row("A-2", 200m), Row("A-2", 201m)));
        var again = await _camino.ImportAsync(Template(Row("A-1", 100m), Row("A-1", 100m), Row("A-2", 200m), Row("A-2", 201m)));
        var rejected = await _camino.Api.GetStringAsync(new Uri($"/api/v1/imports/{import.GetProperty("importId").GetGuid()}/rejected", UriKind.Relative));

        Assert.Multiple(() =>
        {
            Assert.That(Counts(import), Is.EqualTo((4, 2, 1, 0, 1)));
            Assert.That(Counts(again), Is.EqualTo((4, 0, 3, 0, 1)));
            Assert.That(import.GetProperty("rejectedSums").GetProperty("disbursed").GetString(), Is.EqualTo("201.00"));
            Assert.That(rejected, Does.Contain("import.number.twice").And.Contain("5,").And.Contain("A-2"));
        });
        Assert.That(await _camino.ScalarAsync<decimal>("select sum(disbursed) from camino.loans"), Is.EqualTo(300m));
    }

    [Test]
    public async Task Two_imports_of_one_file_at_once_do_not_double()
    {
        var file = Template(Rows(5_000));
        var both = await Task.WhenAll(_camino.ImportAsync(file), _camino.ImportAsync(file));

        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loans"), Is.EqualTo(5_000));
        Assert.That(both.Sum(i => i.GetProperty("imported").GetInt64()), Is.EqualTo(5_000));
        Assert.That(both.Sum(i => i.GetProperty("unchanged").GetInt64()), Is.EqualTo(5_000));
    }

    [Test]
    public async Task A_dry_run_tells_what_would_happen_and_stores_no_loan()
    {
        await _camino.ImportAsync(Template(Row("A-1", 100m), Row("A-2", 200m)));
        var import = await _camino.ImportAsync(Template(Row("A-1", 100m), Row("A-2", 250m), Row("A-3", 300m), Row("A-3", 300m), Row("A-3", 301m)), query: "&dryRun=true");

        Assert.Multiple(() =>
        {
            Assert.That(import.GetProperty("status").GetString(), Is.EqualTo("checked"));
            Assert.That(Counts(import), Is.EqualTo((5, 2, 2, 0, 1)));
            Assert.That(import.GetProperty("new").GetInt64(), Is.EqualTo(1));
            Assert.That(import.GetProperty("changed").GetInt64(), Is.EqualTo(1));
        });
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loans"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_reviewed_import_waits_for_a_person_and_then_loads()
    {
        var id = await _camino.ReceiveAsync(Template(Rows(20)), query: "&review=true");
        var seen = await _camino.OverAsync(id);
        using var load = await _camino.Api.PostAsync(new Uri($"/api/v1/imports/{id}/load", UriKind.Relative), null);
        var done = await _camino.OverAsync(id);

        Assert.Multiple(() =>
        {
            Assert.That(seen.GetProperty("status").GetString(), Is.EqualTo("checked"));
            Assert.That(load.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
            Assert.That(done.GetProperty("status").GetString(), Is.EqualTo("done"));
            Assert.That(Counts(done), Is.EqualTo((20, 20, 0, 0, 0)));
        });
    }

    [Test]
    public async Task Columns_that_nobody_knows_wait_for_a_person()
    {
        var import = await _camino.ImportAsync("kennung;betrag\n1;2\n"u8.ToArray());

        Assert.That(import.GetProperty("status").GetString(), Is.EqualTo("needsMapping"));
        Assert.That(await _camino.ScalarAsync<string>("select text from camino.notices"), Is.EqualTo("Notice.ImportNeedsMapping"));
    }

    [TestCase("", "import.file.empty")]
    [TestCase("\u0089PNG\r\n\u001a\n\0\0\0\rIHDR", "import.file.binary")]
    public async Task A_file_that_cannot_be_worked_fails_with_its_reason(string content, string code)
    {
        var import = await _camino.ImportAsync(Encoding.Latin1.GetBytes(content));

        Assert.That(import.GetProperty("status").GetString(), Is.EqualTo("failed"));
        Assert.That(import.GetProperty("error").GetProperty("code").GetString(), Is.EqualTo(code));
    }

    [Test]
    public async Task A_cancelled_import_leaves_exactly_what_it_reports()
    {
        await _camino.DisposeAsync();
        _camino = await RunningCamino.StartAsync(chunkRows: 100);
        var id = await _camino.ReceiveAsync(Template(Rows(40_000)));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await _camino.ScalarAsync<long>("select count(*) from camino.loans") == 0)
            limit.Token.ThrowIfCancellationRequested();
        using var cancel = await _camino.Api.PostAsync(new Uri($"/api/v1/imports/{id}/cancel", UriKind.Relative), null);
        using var twice = await _camino.Api.PostAsync(new Uri($"/api/v1/imports/{id}/cancel", UriKind.Relative), null);
        var over = await _camino.OverAsync(id);
        var job = await _camino.ScalarAsync<Guid>("select job_id from camino.imports");
        while ((await _camino.Api.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/jobs/{job}", UriKind.Relative), limit.Token)).GetProperty("state").GetString() == "running")
            limit.Token.ThrowIfCancellationRequested();

        Assert.That(over.GetProperty("status").GetString(), Is.EqualTo("cancelled"));
        Assert.That(twice.StatusCode, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loans"), Is.EqualTo(over.GetProperty("rows").GetInt64()).And.LessThan(40_000).And.GreaterThan(0));
    }

    [Test]
    public async Task The_person_who_asked_is_told_and_the_portfolio_is_drawn_anew()
    {
        await _camino.ImportAsync(Template(Rows(30)), "spring.csv");

        Assert.That(await _camino.ScalarAsync<string>("select text || ' ' || arguments[1] from camino.notices"), Is.EqualTo("Notice.ImportDone spring.csv"));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await _camino.ScalarAsync<object>("select loans from camino.portfolio_figures where dimension = 'total'") is not 30L)
            limit.Token.ThrowIfCancellationRequested();
        while (await _camino.ScalarAsync<long>("select count(*) from camino.loan_names") != 30)
            limit.Token.ThrowIfCancellationRequested();
        Assert.That(await _camino.ScalarAsync<decimal>("select disbursed from camino.portfolio_figures where dimension = 'total'"), Is.EqualTo(await _camino.ScalarAsync<decimal>("select sum(disbursed) from camino.loans")));
    }

    [Test]
    public async Task No_name_of_a_borrower_is_written_to_the_log()
    {
        await _camino.ImportAsync(Template("A-1,Zebrafinch Unmistakable Traders,,,GA,,,,,,,,,1.00,1.00,,,,,,Open", "A-2,Zebrafinch Rejected Traders,,,GA,,,,,,,,,x,1.00,,,,,,Open"), "Zebrafinch.csv");
        using var search = await _camino.Api.GetAsync(new Uri("/loans?q=Zebrafinch", UriKind.Relative));

        Assert.That(_camino.LogLines, Is.Not.Empty);
        Assert.That(_camino.LogLines.Where(line => line.Contains("Zebrafinch", StringComparison.OrdinalIgnoreCase)), Is.Empty);
    }

    [Test]
    public async Task One_trace_id_leads_from_the_request_to_the_last_line_of_its_job()
    {
        using var body = new ByteArrayContent(Template(Rows(3)));
        using var answer = await _camino.Api.PostAsync(new Uri("/api/v1/imports?fileName=trace.csv", UriKind.Relative), body);
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("importId").GetGuid();
        await _camino.OverAsync(id);
        var trace = answer.Headers.GetValues("X-Request-Id").Single();

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!_camino.LogLines.Any(line => line.Contains(trace, StringComparison.Ordinal) && line.Contains("imports.load", StringComparison.Ordinal) && line.Contains("done in", StringComparison.Ordinal)))
            limit.Token.ThrowIfCancellationRequested();
        Assert.That(_camino.LogLines.Any(line => line.Contains(trace, StringComparison.Ordinal) && line.Contains("/api/v1/imports", StringComparison.Ordinal)));
    }

    private static (long Rows, long Imported, long Unchanged, long Corrected, long Rejected) Counts(JsonElement import) =>
        (Number(import, "rows"), Number(import, "imported"), Number(import, "unchanged"), Number(import, "corrected"), Number(import, "rejected"));

    private static long Number(JsonElement import, string name) => import.GetProperty(name).GetInt64();

    private static byte[] Template(params string[] rows) => Encoding.UTF8.GetBytes(Camino.Imports.Layouts.TemplateCsv + "\n" + string.Join('\n', rows) + "\n");

    private static string Row(string number, decimal disbursed) => string.Create(CultureInfo.InvariantCulture, $"{number},Maple Row Traders,,,GA,,,,2024-01-15,,36,,,{disbursed:0.00},{disbursed:0.00},,,,,,Open");

    private static string[] Rows(int count) => [.. Enumerable.Range(1, count).Select(i => Row(string.Create(CultureInfo.InvariantCulture, $"R-{i:000000}"), 1_000m + i))];
}
