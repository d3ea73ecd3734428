using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Host.Sandbox;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Screening;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Documents;

/// <summary>Documents of applications read by the sandbox on a real port: by themselves and when somebody asks, compared with the application, and kept so that only the pages open it.</summary>
internal sealed class ReadingTests
{
    private WebApplication _sandbox = null!;
    private RunningCamino _camino = null!;
    private InventedLists _lists = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _sandbox = SandboxHost.Build("http://127.0.0.1:0", new SandboxBehaviour(Seed: 5, Milliseconds: 5));
        await _sandbox.StartAsync();
        _camino = await RunningCamino.StartAsync(providers: RunningCamino.AddressOf(_sandbox));
        _lists = new InventedLists();
        await _lists.TakeInAsync(_camino);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _camino.DisposeAsync();
        await _sandbox.DisposeAsync();
        _lists.Dispose();
    }

    [SetUp]
    public void Behave() => Sandbox.Behave(new SandboxBehaviour(Seed: 5, Milliseconds: 5));

    private SandboxServices Sandbox => _sandbox.Services.GetRequiredService<SandboxServices>();

    [Test]
    public async Task A_tax_return_is_read_as_it_comes_and_what_differs_from_the_application_is_pointed_out_once()
    {
        var application = await HandInAsync("Bluestem Prairie Seed LLC");
        var document = await AddAsync(application, "taxReturn", "businessName=Otherwise Holdings Inc", "ein=47-1239999", "account=000440091827", "taxYear=2024", "favoriteColor=green");
        await UntilAsync(document, 2);
        var reading = await ReadingAsync(document);
        using var again = await ReadAsync(document);

        Assert.That(reading.GetProperty("state").GetString(), Is.EqualTo("read"));
        Assert.That(Fields(reading), Is.EqualTo(new[] { "businessName Otherwise Holdings Inc", "ein 9999", "account 1827", "taxYear 2024" }), "of numbers the last four, and nothing that was not asked for");
        Assert.That((Names(reading, "differs"), Names(reading, "agrees")), Is.EqualTo(("businessName ein", "")));
        Assert.That(await again.ProblemCodeAsync(), Is.EqualTo("document.reading"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.tasks where subject_id = '{application}' and said = 'TaskSaid.DocumentDiffers' and state = 0"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.document_readings where sealed is not null and (position(convert_to('Otherwise', 'UTF8') in sealed) > 0 or array_to_string(differs, ' ') ~ 'Otherwise')"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>("select (select count(*) from camino.audit_entries where details::text ~ 'Otherwise|9999') + (select count(*) from jobs.finished where args::text ~ 'Otherwise' or result::text ~ 'Otherwise')"), Is.Zero);
        Assert.That(_camino.LogLines.Where(line => line.Contains("Otherwise", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task What_the_application_says_too_agrees_and_raises_nothing_and_what_the_service_is_not_sure_of_is_left_alone()
    {
        var application = await HandInAsync("Copper Creek Dental, Inc.", account: "440091827");
        var document = await AddAsync(application, "bankStatement", "businessName=COPPER CREEK DENTAL INC", "routing=021000021", "account=00440091827", "ein@30=11-1111111");
        await UntilAsync(document, 2);
        var reading = await ReadingAsync(document);

        Assert.That((Names(reading, "agrees"), Names(reading, "differs")), Is.EqualTo(("businessName routing account", "")));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.tasks where subject_id = '{application}'"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by at, id) from camino.audit_entries where subject_id = '{application}' and action like 'document.%'"), Is.EqualTo("document.added document.read"));
    }

    [Test]
    public async Task Other_kinds_are_read_when_somebody_asks_whatever_the_service_does_and_billed_once()
    {
        var application = await HandInAsync("Harrow Lane Nursery LLC");
        var document = await AddAsync(application, "other", "businessName=Harrow Lane Nursery LLC");
        using var before = await _camino.Api.GetAsync(new Uri($"/api/v1/documents/{document}/reading", UriKind.Relative));
        Sandbox.Forget();
        Sandbox.Behave(new SandboxBehaviour(Seed: 5, Milliseconds: 5, Errors: 0.3, Wrong: 0.3));
        using var viewer = await _camino.ApiOfAsync("viewer");
        using var forbidden = await ReadAsync(document, viewer);
        var key = Guid.NewGuid().ToString();
        using var asked = await ReadAsync(document, key: key);
        using var repeated = await ReadAsync(document, key: key);
        await UntilAsync(document, 2);

        Assert.That((before.StatusCode, forbidden.StatusCode, asked.StatusCode, repeated.Headers.Contains("Idempotency-Replayed")), Is.EqualTo((HttpStatusCode.NoContent, HttpStatusCode.Forbidden, HttpStatusCode.Accepted, true)));
        Assert.That(Sandbox.Figures["reading"].Billed, Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.document_exchanges x join camino.document_readings r on r.id = x.reading_id join camino.document_versions v on v.id = r.version_id where v.document_id = '{document}'"), Is.EqualTo(Sandbox.Figures["reading"].Asked), "every question is kept");
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.audit_entries where subject_id = '{application}' and action = 'document.reading-asked'"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_service_that_forgot_the_file_is_given_it_anew_and_one_that_cannot_read_it_is_asked_again_by_a_person()
    {
        var application = await HandInAsync("Slate Roof Masonry LLC");
        var document = await AddAsync(application, "taxReturn", "businessName=Slate Roof Masonry LLC");
        await _camino.UntilAsync<long>($"select count(*) from camino.document_readings r join camino.document_versions v on v.id = r.version_id where v.document_id = '{document}' and r.handed_at is not null", count => count == 1);
        Sandbox.Forget();
        await UntilAsync(document, 2);
        var unreadable = await AddAsync(application, "taxReturn", null);
        await UntilAsync(unreadable, 3);
        var failed = await ReadingAsync(unreadable);
        using var again = await ReadAsync(unreadable);
        await UntilAsync(unreadable, 3);

        Assert.That(failed.GetProperty("problem").GetString(), Is.EqualTo("The service could not read this document"));
        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
    }

    [Test]
    public async Task What_is_no_picture_or_belongs_to_no_application_is_not_read()
    {
        var application = await HandInAsync("Plain Words LLC");
        var text = await AddAsync(application, "taxReturn", SampleFiles.Text("only words"), "words.txt");
        using var refused = await ReadAsync(text);
        using var nobody = await ReadAsync(Guid.NewGuid());

        Assert.That((await refused.ProblemCodeAsync(), await nobody.ProblemCodeAsync()), Is.EqualTo(("document.not_readable", "document.not_found")));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.document_readings r join camino.document_versions v on v.id = r.version_id where v.document_id = '{text}'"), Is.Zero);
    }

    private static IEnumerable<string> Fields(JsonElement reading) => reading.GetProperty("fields").EnumerateArray().Select(field => $"{field.GetProperty("name").GetString()} {field.GetProperty("value").GetString()}");

    private static string Names(JsonElement reading, string which) => string.Join(' ', reading.GetProperty(which).EnumerateArray().Select(one => one.GetString()));

    private Task UntilAsync(Guid document, int state) => _camino.UntilAsync<long>($"select count(*) from camino.document_readings r join camino.document_versions v on v.id = r.version_id where v.document_id = '{document}' and r.state = {state}", count => count == 1);

    private Task<JsonElement> ReadingAsync(Guid document) => _camino.GetAsync($"/documents/{document}/reading");

    private async Task<HttpResponseMessage> ReadAsync(Guid document, HttpClient? client = null, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/documents/{document}/read", UriKind.Relative)) { Content = JsonContent.Create(new { }) };
        request.Headers.Add("Idempotency-Key", key ?? Guid.NewGuid().ToString());
        return await (client ?? _camino.Api).SendAsync(request);
    }

    private Task<Guid> AddAsync(Guid application, string kind, params string[]? says)
    {
        var lines = says is null ? "% sandbox unreadable" : string.Join('\n', says.Select(line => "% sandbox " + line));
        return AddAsync(application, kind, Encoding.ASCII.GetBytes($"%PDF-1.4\n{lines}\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"), "return.pdf");
    }

    private async Task<Guid> AddAsync(Guid application, string kind, byte[] content, string fileName)
    {
        using var form = new MultipartFormDataContent();
        using var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        form.Add(file, "file", fileName);
        using var word = new StringContent(kind);
        form.Add(word, "kind");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/applications/{application}/documents", UriKind.Relative)) { Content = form };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await _camino.Api.SendAsync(request);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("documentId").GetGuid();
    }

    private async Task<Guid> HandInAsync(string name, string? account = null)
    {
        var phones = new[] { "912 555 0311" };
        object body = account is null
            ? new { name, phones, amount = "5000", ein = "47-1234321" }
            : new { name, phones, amount = "5000", ein = "47-1234321", bankAccount = new { routing = "021000021", account } };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications", UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await _camino.Api.SendAsync(request);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
    }
}
