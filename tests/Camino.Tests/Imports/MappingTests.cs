using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>Files whose columns nobody knows: looked at, mapped, kept under a name, used again.</summary>
internal sealed class MappingTests
{
    private const string File1 = "Vertragsnummer;Kunde;Ausgezahlt am;Betrag;Gender\nV-1;Blaue Reiher GmbH;14.04.2020;1.234,50;F\nV-2;Rote Scheune;01.02.2021;99,00;M\nV-3;Grüne Au;01.02.2021;abc;M\n";
    private const string File2 = "Betrag;Kunde;Vertragsnummer;Ausgezahlt am;Gender\n500,00;Vierte;V-4;24.12.2022;F\n";
    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task An_unknown_layout_is_mapped_once_and_the_mapping_is_used_again_for_columns_in_another_order()
    {
        var id = await _camino.ReceiveAsync(Encoding.UTF8.GetBytes(File1), "datev.csv");
        var waiting = await _camino.OverAsync(id);
        var columns = await _camino.GetAsync($"/imports/{id}/columns");
        using var mapped = await MapAsync(id, new
        {
            columns = new Dictionary<string, string> { ["Vertragsnummer"] = "loanNumber", ["Kunde"] = "borrowerName", ["Ausgezahlt am"] = "disbursedOn", ["Betrag"] = "disbursed" },
            dates = "DayFirst",
            decimalComma = true,
            saveAs = "DATEV export",
        });
        var done = await _camino.OverAsync(id);
        var second = await _camino.ImportAsync(Encoding.UTF8.GetBytes(File2), "datev-2.csv", "&mapping=datev%20EXPORT");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(waiting.Status(), Is.EqualTo("needsMapping"));
            Assert.That(columns.GetProperty("preview").GetArrayLength(), Is.EqualTo(3));
            Assert.That(columns.GetProperty("preview")[0].EnumerateArray().Select(cell => cell.GetString()), Is.EqualTo(new[] { "V-1", "Blaue Reiher GmbH", "14.04.2020", "1.234,50", "" }), "answers about sex are not shown");
            Assert.That(columns.GetProperty("delimiter").GetString(), Is.EqualTo(";"));
            Assert.That(mapped.StatusCode, Is.EqualTo(HttpStatusCode.Accepted), await mapped.Content.ReadAsStringAsync());
            Assert.That(done.Counts(), Is.EqualTo((3, 2, 0, 0, 1)));
            Assert.That(done.GetProperty("accepted").GetProperty("disbursed").GetString(), Is.EqualTo("1333.50"));
            Assert.That(done.GetProperty("layout").GetString(), Is.EqualTo("DATEV export"));
            Assert.That(second.Status(), Is.EqualTo("done"));
            Assert.That(second.Counts(), Is.EqualTo((1, 1, 0, 0, 0)));
            Assert.That(await _camino.ScalarAsync<DateOnly>("select disbursed_on from camino.loans where number = 'V-4'"), Is.EqualTo(new DateOnly(2022, 12, 24)));
            Assert.That((await _camino.GetAsync("/imports/mappings")).EnumerateArray().Select(m => m.GetProperty("name").GetString()), Does.Contain("DATEV export"));
        }

        var rejected = Encoding.UTF8.GetString(await _camino.RejectedAsync(done)).Replace(",abc,", ",\"7,25\",", StringComparison.Ordinal);
        var corrected = await _camino.ImportAsync(Encoding.UTF8.GetBytes(rejected), "corrected.csv", "&mapping=DATEV%20export");
        Assert.That(corrected.Counts(), Is.EqualTo((1, 1, 0, 0, 0)), "rejected rows of a mapped file go in again with the same mapping");
        Assert.That(await _camino.ScalarAsync<decimal>("select disbursed from camino.loans where number = 'V-3'"), Is.EqualTo(7.25m));
    }

    [TestCase("""{"columns":{"Gender":"businessType","Vertragsnummer":"loanNumber","Betrag":"disbursed"}}""", HttpStatusCode.UnprocessableEntity, "import.mapping.demographic")]
    [TestCase("""{"columns":{"Vertragsnummer":"loanNumber"}}""", HttpStatusCode.UnprocessableEntity, "import.mapping_incomplete")]
    [TestCase("""{"columns":{"Kunde":"loanNumber","Vertragsnummer":"loanNumber","Betrag":"disbursed"}}""", HttpStatusCode.UnprocessableEntity, "import.mapping_incomplete")]
    [TestCase("""{"columns":{"Nobody":"loanNumber"}}""", HttpStatusCode.UnprocessableEntity, "import.mapping.column_unknown")]
    [TestCase("""{"columns":{"Kunde":"shoeSize"}}""", HttpStatusCode.UnprocessableEntity, "import.mapping.field_unknown")]
    [TestCase("""{"mapping":"never saved"}""", HttpStatusCode.NotFound, "import.mapping.not_found")]
    [TestCase("""{"columns":{"Kunde":"borrowerName"},"dates":"Yesterday"}""", HttpStatusCode.BadRequest, "request.bad")]
    [TestCase("not json", HttpStatusCode.BadRequest, "request.bad")]
    public async Task A_mapping_that_cannot_be_is_refused_by_its_reason_and_the_import_goes_on_waiting(string body, HttpStatusCode status, string code)
    {
        var id = await _camino.ReceiveAsync(Encoding.UTF8.GetBytes(File1));
        await _camino.OverAsync(id);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _camino.Api.PostAsync(new Uri($"/api/v1/imports/{id}/mapping", UriKind.Relative), content);

        Assert.That(answer.StatusCode, Is.EqualTo(status), await answer.Content.ReadAsStringAsync());
        Assert.That(await answer.ProblemCodeAsync(), Is.EqualTo(code));
        Assert.That((await _camino.GetAsync($"/imports/{id}")).Status(), Is.EqualTo("needsMapping"));
    }

    [Test]
    public async Task A_mapping_that_does_not_fit_the_file_fails_it_by_the_missing_column_and_another_can_be_said()
    {
        var first = await _camino.ReceiveAsync(Encoding.UTF8.GetBytes("Key;Sum\nK-1;5,00\n"));
        await _camino.OverAsync(first);
        using var saved = await MapAsync(first, new { columns = new Dictionary<string, string> { ["Key"] = "loanNumber", ["Sum"] = "disbursed" }, decimalComma = true, saveAs = "key and sum" });
        await _camino.OverAsync(first);
        var import = await _camino.ImportAsync(Encoding.UTF8.GetBytes("Key;Total\nK-2;6,00\n"), query: "&mapping=key%20and%20sum");

        Assert.That(import.Status(), Is.EqualTo("failed"));
        Assert.That(import.ErrorCode(), Is.EqualTo("import.mapping.column_unknown"));
    }

    [Test]
    public async Task A_name_that_is_not_saved_is_refused_before_anything_is_stored()
    {
        var files = _camino.StoredFiles().Count;
        using var answer = await _camino.Api.PostAsync(new Uri("/api/v1/imports?fileName=a.csv&mapping=nobody", UriKind.Relative), new ByteArrayContent(new byte[1_000]));

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(await answer.ProblemCodeAsync(), Is.EqualTo("import.mapping.not_found"));
        Assert.That(_camino.StoredFiles(), Has.Count.EqualTo(files));
    }

    [Test]
    public async Task Columns_cannot_be_said_once_rows_are_stored()
    {
        var done = await _camino.ImportAsync(ImportClient.Template(ImportClient.Row("M-1")));
        using var answer = await MapAsync(done.GetProperty("importId").GetGuid(), new { columns = new Dictionary<string, string> { ["LoanNumber"] = "loanNumber" } });

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That(await answer.ProblemCodeAsync(), Is.EqualTo("import.not_waiting_for_mapping"));
    }

    private Task<HttpResponseMessage> MapAsync(Guid id, object mapping) => _camino.Api.PostAsync(new Uri($"/api/v1/imports/{id}/mapping", UriKind.Relative), JsonContent.Create(mapping, options: JsonSerializerOptions.Web));
}
