using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Camino.Documents;
using Camino.Tasks;
using Camino.Testing;
using Camino.Tests.Imports;
using NUnit.Framework;

namespace Camino.Tests.Documents;

/// <summary>Documents: handed in, looked through, opened by who may, and kept.</summary>
internal sealed partial class DocumentTests
{
    private RunningCamino _camino = null!;
    private HttpClient _officer = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _officer = await _camino.ApiOfAsync("officer");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _officer.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task A_document_gets_versions_is_opened_as_it_was_and_each_opening_is_in_the_trail()
    {
        var borrower = await BorrowerAsync("Blue Door Bookshop LLC");
        var key = Guid.NewGuid().ToString();
        var added = await AddAsync(_officer, $"/borrowers/{borrower}/documents", SampleFiles.Pdf, "C:\\Users\\ana\\Lease of Ana.exe", HttpStatusCode.Created, key, ("title", "Lease"), ("kind", "lease"), ("expiresOn", "2031-12-31"));
        var repeated = await AddAsync(_officer, $"/borrowers/{borrower}/documents", SampleFiles.Pdf, "C:\\Users\\ana\\Lease of Ana.exe", HttpStatusCode.Created, key, ("title", "Lease"), ("kind", "lease"), ("expiresOn", "2031-12-31"));
        var id = added.GetProperty("documentId").GetGuid();
        await AddAsync(_officer, $"/documents/{id}/versions", SampleFiles.Png, "page one.jpeg", HttpStatusCode.Created);
        var view = await GetAsync(_officer, $"/documents/{id}");
        using var first = await _officer.GetAsync(new Uri($"/api/v1/documents/{id}/versions/1/content", UriKind.Relative));

        Assert.That(repeated.GetProperty("documentId").GetGuid(), Is.EqualTo(id));
        Assert.That(view.GetProperty("versions").EnumerateArray().Select(one => one.GetProperty("fileName").GetString()), Is.EqualTo((string[])["page one.png", "Lease of Ana.pdf"]));
        Assert.That(await first.Content.ReadAsByteArrayAsync(), Is.EqualTo(SampleFiles.Pdf));
        Assert.That(first.Content.Headers.ContentDisposition?.DispositionType, Is.EqualTo("attachment"));
        Assert.That((first.Content.Headers.ContentType?.MediaType, first.Headers.GetValues("X-Content-Type-Options").Single(), first.Headers.CacheControl?.NoStore), Is.EqualTo(("application/pdf", "nosniff", true)));
        Assert.That(await _camino.ScalarAsync<string[]>($"select array_agg(action order by id) from camino.audit_entries where subject = 'borrower' and subject_id = '{borrower}'"), Is.EqualTo((string[])["borrower.added", "document.added", "document.version_added", "document.downloaded"]));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.audit_entries where subject_id = '{borrower}' and (details::text like '%Lease%' or details::text like '%Ana%')"), Is.Zero, "names stay out of the trail");
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.document_puts"), Is.Zero);
        Assert.That(Directory.EnumerateFiles(Path.Combine(_camino.FilesFolder, "documents"), "*", SearchOption.AllDirectories).Count(), Is.GreaterThanOrEqualTo(2));
    }

    [Test]
    public async Task What_is_wrong_is_refused_and_nothing_is_left_of_it()
    {
        var borrower = await BorrowerAsync("Plain Wrong Trading LLC");
        var path = $"/borrowers/{borrower}/documents";

        await RefusedAsync(path, SampleFiles.Text("<svg/>"), "a.svg", "document.kind", HttpStatusCode.UnsupportedMediaType);
        await RefusedAsync(path, [.. SampleFiles.Png, .. SampleFiles.Zip(("a", [1]))], "a.png", "document.two_kinds", HttpStatusCode.UnprocessableEntity);
        await RefusedAsync(path, new byte[21_000_000], "a.pdf", "document.too_large", HttpStatusCode.RequestEntityTooLarge);
        await RefusedAsync(path, SampleFiles.Pdf, "a.pdf", "input.kind", HttpStatusCode.UnprocessableEntity, ("kind", "house"));
        await RefusedAsync(path, SampleFiles.Pdf, "a.pdf", "input.title", HttpStatusCode.UnprocessableEntity, ("title", new string('x', 201)));
        await RefusedAsync(path, SampleFiles.Pdf, "a.pdf", "input.expiresOn", HttpStatusCode.UnprocessableEntity, ("expiresOn", "soon"));
        await RefusedAsync($"/borrowers/{Guid.NewGuid()}/documents", SampleFiles.Pdf, "a.pdf", "borrower.not_found", HttpStatusCode.NotFound);
        await RefusedAsync($"/documents/{Guid.NewGuid()}/versions", SampleFiles.Pdf, "a.pdf", "document.not_found", HttpStatusCode.NotFound);
        Assert.That((await GetAsync(_officer, path)).GetProperty("items").GetArrayLength(), Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.document_puts p where exists (select from camino.document_versions v where v.object_key = p.object_key)"), Is.Zero);
    }

    [Test]
    public async Task Who_takes_a_document_off_says_why_and_its_file_stays()
    {
        var borrower = await BorrowerAsync("Second Thoughts LLC");
        var id = (await AddAsync(_officer, $"/borrowers/{borrower}/documents", SampleFiles.Jpeg, "id.jpg", HttpStatusCode.Created)).GetProperty("documentId").GetGuid();
        using var without = await SendAsync(_officer, $"/documents/{id}/remove", new { reason = "" });
        using var removed = await SendAsync(_officer, $"/documents/{id}/remove", new { reason = "wrong person" });
        using var gone = await _officer.GetAsync(new Uri($"/api/v1/documents/{id}/versions/1/content", UriKind.Relative));
        var stored = await _camino.ScalarAsync<string>($"select object_key from camino.document_versions where document_id = '{id}'") ?? "";

        Assert.That((without.StatusCode, removed.StatusCode, gone.StatusCode), Is.EqualTo((HttpStatusCode.UnprocessableEntity, HttpStatusCode.OK, HttpStatusCode.NotFound)));
        Assert.That(File.Exists(Path.Combine(_camino.FilesFolder, stored)), Is.True);
    }

    [Test]
    public async Task A_person_adds_looks_and_changes_by_forms()
    {
        var borrower = await BorrowerAsync("Paper Trail Accounting Inc");
        using var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync("officer")).Dispose();
        var address = $"/documents/about/borrower/{borrower}";
        var token = await browser.TokenAsync(address);
        using var refused = await PostFileAsync(browser, address, token, SampleFiles.Text("<html>"), "a.html", ("Title", "My <b>lease</b>"));
        using var added = await PostFileAsync(browser, address, token, SampleFiles.Png, "shop.png", ("Title", "My <b>lease</b>"), ("Kind", "lease"), ("key", "k1"));
        var document = added.Headers.Location?.ToString() ?? "";
        var page = await browser.PageAsync(document);
        using var shown = await browser.GetAsync(document + "/versions/1/view");
        using var changed = await browser.PostAsync(document, document + "?handler=Change", ("key", "k2"), ("Title", "Lease of the shop"), ("Kind", "contract"), ("ExpiresOn", "2030-01-31"));
        var after = await browser.PageAsync($"/borrowers/{borrower}");
        using var viewer = new StaffBrowser(_camino.OfficeAddress);
        (await viewer.SignInAsync("viewer")).Dispose();
        var reading = await viewer.PageAsync(address);

        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("none of the kinds that are taken").And.Contain("My &lt;b&gt;lease&lt;/b&gt;"), "what was typed is still there");
        Assert.That(page, Does.Contain("My &lt;b&gt;lease&lt;/b&gt;").And.Contain($"src=\"{document}/versions/1/view\""));
        Assert.That((shown.Content.Headers.ContentType?.MediaType, shown.Content.Headers.ContentDisposition?.DispositionType), Is.EqualTo(("image/png", "inline")));
        Assert.That(changed.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(after, Does.Contain("Lease of the shop").And.Contain("Good until"));
        Assert.That(reading, Does.Contain("Lease of the shop").And.Not.Contain("type=\"file\""));
    }

    [Test]
    public async Task What_a_crash_left_in_the_store_is_swept_and_what_expires_becomes_a_task()
    {
        var borrower = await BorrowerAsync("Old Papers LLC");
        var soon = DateOnly.FromDateTime(DateTime.UtcNow.AddDays(10)).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        await AddAsync(_officer, $"/borrowers/{borrower}/documents", SampleFiles.Pdf, "insurance.pdf", HttpStatusCode.Created, null, ("kind", "insurance"), ("expiresOn", soon));
        var stray = Path.Combine(_camino.FilesFolder, "documents", "2026-01", "stray");
        Directory.CreateDirectory(Path.GetDirectoryName(stray) ?? "");
        await File.WriteAllTextAsync(stray, "left");
        await ExecuteAsync("insert into camino.document_puts (object_key, at) values ('documents/2026-01/stray', now() - interval '2 days')");
        await _camino.RunJobAsync(new SweepDocuments());
        await _camino.RunJobAsync(new SweepDocuments());

        Assert.That(File.Exists(stray), Is.False);
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.document_puts where object_key = 'documents/2026-01/stray'"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.tasks where subject_id = '{borrower}' and said = 'TaskSaid.DocumentExpires' and due_on = '{soon}'"), Is.EqualTo(1), "one task, however often the night comes");
    }

    [Test]
    public async Task An_applicant_hands_documents_in_by_a_link_that_tells_nothing_and_ends()
    {
        using var handed = await SendAsync(_officer, "/applications", new { name = "Maple Street Motors LLC", amount = "9000.00", language = "es", phones = new[] { "912 555 0102" } });
        var application = (await ServicedBook.ReadAsync(handed, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("officer")).Dispose();
        var address = $"/applications/{application}/ask";
        using var none = await staff.PostAsync(address, address, ("Note", "Las tres últimas"));
        using var made = await staff.PostAsync(address, address, ("Kinds", "bankStatement"), ("Kinds", "identity"), ("Note", "Los tres últimos meses"), ("Days", "7"));
        var page = await made.Content.ReadAsStringAsync();
        var link = WebUtility.HtmlDecode(Link().Match(page).Groups["link"].Value);
        using var applicant = new StaffBrowser(_camino.OfficeAddress);
        var token = await applicant.TokenAsync(link);
        var asked = WebUtility.HtmlDecode(await applicant.PageAsync(link));
        using var sent = await PostFileAsync(applicant, link, token, SampleFiles.Pdf, "enero.pdf", ("kind", "bankStatement"), ("key", "a1"));
        using var twice = await PostFileAsync(applicant, link, token, SampleFiles.Pdf, "enero.pdf", ("kind", "bankStatement"), ("key", "a1"));
        using var other = await PostFileAsync(applicant, link, token, SampleFiles.Pdf, "lease.pdf", ("kind", "lease"), ("key", "a2"));
        using var wrong = await PostFileAsync(applicant, link, token, SampleFiles.Text("<svg/>"), "a.svg", ("kind", "identity"), ("key", "a3"));
        var documents = (await GetAsync(_officer, $"/applications/{application}/documents")).GetProperty("items");
        var request = await _camino.ScalarAsync<Guid>($"select id from camino.document_requests where application_id = '{application}'");
        var seen = WebUtility.HtmlDecode(await staff.PageAsync(address));
        using var ended = await staff.PostAsync(address, address + "?handler=End", ("requestId", request.ToString()));
        using var late = await applicant.GetAsync(link);
        using var lateFile = await PostFileAsync(applicant, link, token, SampleFiles.Pdf, "b.pdf", ("kind", "identity"), ("key", "a4"));

        Assert.That(await none.Content.ReadAsStringAsync(), Does.Contain("1 to 10 kinds of documents; got 0").And.Contain("Las tres"));
        Assert.That(asked, Does.Contain("Estado de cuenta").And.Contain("Los tres últimos meses").And.Contain("Entregar documentos").And.Not.Contain("Maple Street"));
        Assert.That(sent.Headers.Location?.ToString(), Does.StartWith("/upload?token=").And.EndsWith("kept=true"));
        Assert.That(documents.GetArrayLength(), Is.EqualTo(1), "pressed twice, kept once");
        Assert.That(WebUtility.HtmlDecode(await other.Content.ReadAsStringAsync()), Does.Contain("se recibió lease"));
        Assert.That(WebUtility.HtmlDecode(await wrong.Content.ReadAsStringAsync()), Does.Contain("no es de ningún tipo que se acepte"));
        Assert.That(seen, Does.Contain("Bank statement ✓").And.Contain("End the link").And.Not.Contain(link), "the link is shown once");
        Assert.That(await _camino.ScalarAsync<string>($"select n.text from camino.notices n join camino.staff_users u on u.id = n.user_id where u.email = 'officer@demo.camino.example' and n.link = '/applications/{application}#documents'"), Is.EqualTo("Notice.DocumentReceived"));
        Assert.That(await late.Content.ReadAsStringAsync(), Does.Contain("Este enlace ya no funciona").And.Not.Contain("type=\"file\""));
        Assert.That(await lateFile.Content.ReadAsStringAsync(), Does.Contain("Este enlace ya no funciona"));
        Assert.That(await _camino.ScalarAsync<string[]>($"select array_agg(action order by id) from camino.audit_entries where subject_id = '{application}' and action like 'document%'"), Is.EqualTo((string[])["document_request.made", "document.added", "document_request.ended"]));
        Assert.That(_camino.LogLines.Where(line => line.Contains(link.Split('=', '&')[1], StringComparison.Ordinal)), Is.Empty, "the link's secret is in no log");
    }

    [Test]
    public async Task A_page_of_documents_comes_from_an_index()
    {
        await ExecuteAsync("insert into camino.documents (id, subject, subject_id, kind, title, added_at, added_by) select camino.new_id(), 1 + n % 3, gen_random_uuid(), 0, 'x', now(), gen_random_uuid() from generate_series(1, 5000) n; analyze camino.documents");
        await using var page = ShowDocuments.Page(_camino.Source, SubjectKind.Borrower, Guid.NewGuid(), Guid.NewGuid(), ShowDocuments.PageSize);

        Assert.That(await QueryPlan.OfAsync(page), Does.Contain("ix_documents_subject"));
    }

    [TestCase("stream: OK\0", null)]
    [TestCase("stream: Eicar-Test-Signature FOUND\0", "Eicar-Test-Signature")]
    public async Task The_scanner_is_asked_in_its_own_words(string answer, string? found)
    {
        var (port, got) = AnswerOnce(answer);
        using var content = new MemoryStream(SampleFiles.Pdf);

        Assert.That(await Scanner.FindAsync("127.0.0.1", port, content, CancellationToken.None), Is.EqualTo(found));
        Assert.That(await got, Is.EqualTo((byte[])[.. "zINSTREAM\0"u8, 0, 0, 0, (byte)SampleFiles.Pdf.Length, .. SampleFiles.Pdf, 0, 0, 0, 0]));
    }

    [TestCase("INSTREAM size limit exceeded. ERROR\0")]
    [TestCase("")]
    public void A_scanner_that_says_nothing_clear_is_asked_again(string answer)
    {
        var (port, _) = AnswerOnce(answer);
        using var content = new MemoryStream(SampleFiles.Pdf);

        Assert.That(async () => await Scanner.FindAsync("127.0.0.1", port, content, CancellationToken.None), Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Nobody_opens_what_was_not_looked_at_or_is_dangerous()
    {
        var borrower = await BorrowerAsync("Careful Hands LLC");
        var id = (await AddAsync(_officer, $"/borrowers/{borrower}/documents", SampleFiles.Pdf, "a.pdf", HttpStatusCode.Created)).GetProperty("documentId").GetGuid();
        var codes = new List<string?>();
        foreach (var scan in (ScanState[])[ScanState.Waiting, ScanState.Infected])
        {
            await ExecuteAsync($"update camino.document_versions set scan = {(int)scan} where document_id = '{id}'");
            using var answer = await _officer.GetAsync(new Uri($"/api/v1/documents/{id}/versions/1/content", UriKind.Relative));
            codes.Add((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
        }

        Assert.That(codes, Is.EqualTo((string[])["document.not_scanned", "document.infected"]));
    }

    /// <summary>One conversation in clamd's protocol: reads up to the empty piece, then answers.</summary>
    private static (int Port, Task<byte[]> Got) AnswerOnce(string answer)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (((IPEndPoint)listener.LocalEndpoint).Port, ListenAsync());

        async Task<byte[]> ListenAsync()
        {
            using (listener)
            {
                using var client = await listener.AcceptTcpClientAsync();
                await using var line = client.GetStream();
                using var got = new MemoryStream();
                var buffer = new byte[4_096];
                while (!got.ToArray().AsSpan().EndsWith((ReadOnlySpan<byte>)[0, 0, 0, 0]))
                {
                    var read = await line.ReadAsync(buffer);
                    if (read == 0)
                        break;
                    got.Write(buffer, 0, read);
                }

                await line.WriteAsync(Encoding.ASCII.GetBytes(answer));
                return got.ToArray();
            }
        }
    }

    private async Task<Guid> BorrowerAsync(string name)
    {
        using var answer = await SendAsync(_officer, "/borrowers", new { name });
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("borrowerId").GetGuid();
    }

    private async Task RefusedAsync(string path, byte[] content, string fileName, string code, HttpStatusCode status, params (string Name, string Value)[] fields)
    {
        var problem = await AddAsync(_officer, path, content, fileName, status, null, fields);

        Assert.That(problem.GetProperty("code").GetString(), Is.EqualTo(code), problem.ToString());
    }

    private static async Task<JsonElement> AddAsync(HttpClient client, string path, byte[] content, string fileName, HttpStatusCode wanted, string? key = null, params (string Name, string Value)[] fields)
    {
        using var form = Form(content, fileName, fields);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1" + path, UriKind.Relative)) { Content = form };
        request.Headers.Add("Idempotency-Key", key ?? Guid.NewGuid().ToString());
        using var answer = await client.SendAsync(request);
        return await ServicedBook.ReadAsync(answer, wanted);
    }

    private static async Task<HttpResponseMessage> PostFileAsync(StaffBrowser browser, string path, string token, byte[] content, string fileName, params (string Name, string Value)[] fields)
    {
        using var form = Form(content, fileName, [("__RequestVerificationToken", token), .. fields]);
        return await browser.Client.PostAsync(new Uri(path, UriKind.Relative), form);
    }

    private static MultipartFormDataContent Form(byte[] content, string fileName, IEnumerable<(string Name, string Value)> fields)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
            form.Add(new StringContent(value), name);
        var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("text/html"); // what a sender says of a file counts for nothing
        form.Add(file, "file", fileName);
        return form;
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1" + path, UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        return await client.SendAsync(request);
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path) => await client.GetFromJsonAsync<JsonElement>(new Uri("/api/v1" + path, UriKind.Relative));

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    [GeneratedRegex("data-link>https?://[^/]+(?<link>/upload[?]token=[0-9a-f]{64}&amp;lang=es)<", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Link();
}
