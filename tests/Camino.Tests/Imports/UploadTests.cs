using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>How a file gets in: the ways to send it, who may, how large, and what is left when the sender goes away.</summary>
internal sealed partial class UploadTests
{
    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync(withAsync: false);

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [TestCase("text/csv")]
    [TestCase("application/x-www-form-urlencoded")] // what curl --data-binary says when it is told nothing
    [TestCase("application/gzip")]
    [TestCase(null)]
    public async Task A_raw_body_is_the_file_whatever_its_content_type_says(string? contentType)
    {
        using var body = new ByteArrayContent(ImportClient.Template(ImportClient.Row("A-1")));
        body.Headers.ContentType = contentType is null ? null : new MediaTypeHeaderValue(contentType);
        using var answer = await _camino.Api.PostAsync(new Uri("/api/v1/imports?fileName=loans.csv", UriKind.Relative), body);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(answer.Headers.Location?.ToString(), Does.StartWith("/api/v1/imports/"));
        Assert.That(await _camino.ScalarAsync<string>("select file_name from camino.imports order by id desc limit 1"), Is.EqualTo("loans.csv"));
    }

    [TestCase("attachment; filename=\"spring.csv\"", "spring.csv")]
    [TestCase("attachment; filename*=UTF-8''pr%C3%A9stamos.csv", "préstamos.csv")]
    [TestCase(null, "unnamed.csv")]
    public async Task A_raw_body_may_say_its_name_in_a_header_or_not_at_all(string? disposition, string name)
    {
        using var body = new ByteArrayContent(ImportClient.Template(ImportClient.Row("A-1")));
        if (disposition is not null)
            body.Headers.TryAddWithoutValidation("Content-Disposition", disposition);
        using var answer = await _camino.Api.PostAsync(new Uri("/api/v1/imports", UriKind.Relative), body);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(await _camino.ScalarAsync<string>("select file_name from camino.imports order by id desc limit 1"), Is.EqualTo(name));
    }

    [TestCase("dryRun", 2)]
    [TestCase("load", 1)]
    [TestCase("review", 0)]
    public async Task A_form_carries_file_and_plan(string plan, int stored)
    {
        using var form = new MultipartFormDataContent { { new StringContent(plan), "plan" }, { new ByteArrayContent(ImportClient.Template(ImportClient.Row("A-1"))), "file", "form.csv" } };
        using var answer = await _camino.Api.PostAsync(new Uri("/api/v1/imports", UriKind.Relative), form);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(await _camino.ScalarAsync<short>("select plan from camino.imports order by id desc limit 1"), Is.EqualTo(stored));
        Assert.That(await _camino.ScalarAsync<string>("select file_name from camino.imports order by id desc limit 1"), Is.EqualTo("form.csv"));
    }

    [Test]
    public async Task A_form_without_a_file_is_refused_by_name()
    {
        using var form = new MultipartFormDataContent { { new StringContent("load"), "plan" } };
        using var answer = await _camino.Api.PostAsync(new Uri("/api/v1/imports", UriKind.Relative), form);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That(answer.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
        Assert.That(await answer.ProblemCodeAsync(), Is.EqualTo("import.no_file"));
        Assert.That(answer.Headers.GetValues("X-Request-Id").Single(), Has.Length.EqualTo(32), "also an error has the id under which the log has it");
    }

    [Test]
    public async Task Someone_who_only_reads_can_neither_hand_in_nor_decide_and_sees_everything_else()
    {
        var id = await _camino.ReceiveAsync(ImportClient.Template(ImportClient.Row("A-1")));
        using var viewer = await _camino.ApiOfAsync("viewer");
        var files = _camino.StoredFiles().Count;
        foreach (var path in new[] { "/api/v1/imports?fileName=a.csv", $"/api/v1/imports/{id}/load", $"/api/v1/imports/{id}/cancel", $"/api/v1/imports/{id}/mapping" })
        {
            using var answer = await viewer.PostAsync(new Uri(path, UriKind.Relative), new ByteArrayContent([1, 2, 3]));
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden), path);
        }

        foreach (var path in new[] { "/api/v1/imports", $"/api/v1/imports/{id}", $"/api/v1/imports/{id}/rows", $"/api/v1/imports/{id}/rejected", "/api/v1/imports/mappings" })
            Assert.That((await viewer.GetAsync(new Uri(path, UriKind.Relative))).StatusCode, Is.EqualTo(HttpStatusCode.OK), path);
        Assert.That(_camino.StoredFiles(), Has.Count.EqualTo(files));
    }

    [Test]
    public async Task Without_a_key_nothing_is_taken_and_nothing_is_told()
    {
        using var nobody = _camino.Client();
        var files = _camino.StoredFiles().Count;
        using var hand = await nobody.PostAsync(new Uri("/api/v1/imports?fileName=a.csv", UriKind.Relative), new ByteArrayContent(new byte[100_000]));
        using var list = await nobody.GetAsync(new Uri("/api/v1/imports", UriKind.Relative));
        using var page = await nobody.PostAsync(new Uri("/imports/upload?fileName=a.csv", UriKind.Relative), new ByteArrayContent(new byte[100]));

        Assert.That(hand.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(list.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(page.StatusCode, Is.EqualTo(HttpStatusCode.Found).Or.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(_camino.StoredFiles(), Has.Count.EqualTo(files));
    }

    [Test]
    public async Task The_upload_of_the_page_needs_the_token_of_a_page()
    {
        using var browser = await SignedInAsync("officer");
        var files = _camino.StoredFiles().Count;
        using var bare = await browser.PostAsync(new Uri("/imports/upload?fileName=a.csv", UriKind.Relative), new ByteArrayContent(ImportClient.Template()));
        using var formWithout = await browser.PostAsync(new Uri("/imports/upload", UriKind.Relative), new MultipartFormDataContent { { new ByteArrayContent(ImportClient.Template()), "file", "a.csv" } });
        Assert.That(_camino.StoredFiles(), Has.Count.EqualTo(files));

        using var good = new HttpRequestMessage(HttpMethod.Post, new Uri("/imports/upload?fileName=a.csv&plan=dryRun", UriKind.Relative)) { Content = new ByteArrayContent(ImportClient.Template()) };
        good.Headers.Add("X-CSRF-Token", TokenIn(await browser.GetStringAsync(new Uri("/imports", UriKind.Relative))));
        using var taken = await browser.SendAsync(good);
        using var form = new MultipartFormDataContent
        {
            { new StringContent(TokenIn(await browser.GetStringAsync(new Uri("/imports", UriKind.Relative)))), "__RequestVerificationToken" },
            { new ByteArrayContent(ImportClient.Template()), "file", "a.csv" },
        };
        using var formWith = await browser.PostAsync(new Uri("/imports/upload", UriKind.Relative), form);

        Assert.That(bare.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(formWithout.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest), "a page says so");
        Assert.That(taken.StatusCode, Is.EqualTo(HttpStatusCode.Accepted), await taken.Content.ReadAsStringAsync());
        Assert.That(formWith.StatusCode, Is.EqualTo(HttpStatusCode.Found).Or.EqualTo(HttpStatusCode.SeeOther));
        Assert.That(_camino.StoredFiles(), Has.Count.EqualTo(files + 2));
    }

    [Test]
    public async Task A_file_above_the_limit_is_refused_before_it_is_sent_and_leaves_nothing()
    {
        var files = _camino.StoredFiles().Count;
        using var socket = await ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(Head("/api/v1/imports?fileName=large.csv", "Content-Length: 5000000000")));
        var answer = await ReadAsync(socket);

        Assert.That(answer, Does.StartWith("HTTP/1.1 413").And.Contain("import.file.too_large").And.Contain("67108864"));
        Assert.That(_camino.StoredFiles(), Has.Count.EqualTo(files));
    }

    [Test]
    public async Task A_file_that_grows_above_the_limit_while_it_is_sent_is_refused_and_leaves_nothing()
    {
        var files = _camino.StoredFiles().Count;
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/imports?fileName=endless.csv", UriKind.Relative)) { Content = new StreamContent(new Endless(68L << 20)) };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.ConnectionClose = true; // the server drops it after the refusal, and the next request must not be sent on it
        using var answer = await _camino.Api.SendAsync(request);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(await answer.ProblemCodeAsync(), Is.EqualTo("import.file.too_large"));
        Assert.That(_camino.StoredFiles(), Has.Count.EqualTo(files));
    }

    [TestCase("Content-Length: 10000000", "")]
    [TestCase("Transfer-Encoding: chunked", "100000\r\n")]
    [TestCase("Content-Length: 10000000\r\nContent-Type: multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=file; filename=a.csv\r\n\r\n")]
    public async Task A_sender_who_goes_away_in_the_middle_leaves_nothing(string header, string begin)
    {
        var files = _camino.StoredFiles().Count;
        var imports = await _camino.ScalarAsync<long>("select count(*) from camino.imports");
        using (var socket = await ConnectAsync())
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(Head("/api/v1/imports?fileName=gone.csv", header) + begin));
            await socket.SendAsync(new byte[600_000]);
            await UntilAsync(() => Directory.Exists(Path.Combine(_camino.FilesFolder, "incoming")) && Directory.GetFiles(Path.Combine(_camino.FilesFolder, "incoming")).Length > 0);
        }

        await UntilAsync(() => Directory.GetFiles(Path.Combine(_camino.FilesFolder, "incoming")).Length == 0);
        Assert.That(_camino.StoredFiles(), Has.Count.EqualTo(files));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.imports"), Is.EqualTo(imports));
    }

    [Test]
    public async Task A_file_is_in_the_store_exactly_once_with_its_own_bytes()
    {
        var content = ImportClient.Template(ImportClient.Rows(2_000));
        var id = await _camino.ReceiveAsync(content, "kept.csv");
        var import = await _camino.GetAsync($"/imports/{id}");

        Assert.That(await File.ReadAllBytesAsync(Path.Combine(_camino.FilesFolder, "imports", id.ToString("N"))), Is.EqualTo(content));
        Assert.That(import.Number("sizeBytes"), Is.EqualTo(content.Length));
        Assert.That(import.GetProperty("sha256").GetString(), Is.EqualTo(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content))));
    }

    [Test]
    public async Task Someone_else_may_stop_an_import_and_the_one_who_asked_is_told()
    {
        var id = await _camino.ReceiveAsync(ImportClient.Template(ImportClient.Row("A-1")), "stopped.csv");
        using var admin = await _camino.ApiOfAsync("admin");
        using var stopped = await admin.PostAsync($"/api/v1/imports/{id}/cancel");

        Assert.That((await stopped.Content.ReadFromJsonAsync<JsonElement>()).Status(), Is.EqualTo("cancelled"));
        Assert.That(await _camino.ScalarAsync<string>("select text || ' ' || arguments[1] from camino.notices order by id desc limit 1"), Is.EqualTo("Notice.ImportCancelled stopped.csv"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.audit_entries where subject_id = '{id}' and action in ('import.received', 'import.cancelled')"), Is.EqualTo(2));
    }

    [Test]
    public async Task An_import_that_is_not_there_is_told_in_one_form_everywhere()
    {
        var id = Guid.CreateVersion7();
        foreach (var path in new[] { "", "/rows", "/rejected", "/events", "/columns" })
        {
            using var answer = await _camino.Api.GetAsync(new Uri($"/api/v1/imports/{id}{path}", UriKind.Relative));
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound), path);
            Assert.That((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString(), Is.EqualTo("urn:camino:problem:import.not_found"), path);
        }
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _camino.OfficeAddress.Port);
        return socket;
    }

    private string Head(string path, string header) => $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {_camino.ApiKey}\r\n{header}\r\n\r\n";

    private static async Task<string> ReadAsync(Socket socket)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var text = new StringBuilder();
        var buffer = new byte[8192];
        while (!text.ToString().Contains("import.", StringComparison.Ordinal))
        {
            var read = await socket.ReceiveAsync(buffer, limit.Token);
            if (read == 0)
                break;
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        return text.ToString();
    }

    private static async Task UntilAsync(Func<bool> met)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!met())
            await timer.WaitForNextTickAsync(limit.Token);
    }

    private async Task<HttpClient> SignedInAsync(string user)
    {
        var browser = _camino.Client();
        using var form = new FormUrlEncodedContent(
        [
            new("__RequestVerificationToken", TokenIn(await browser.GetStringAsync(new Uri("/sign-in", UriKind.Relative)))),
            new("Email", $"{user}@demo.camino.example"),
            new("Password", RunningCamino.Password),
        ]);
        using var answer = await browser.PostAsync(new Uri("/sign-in", UriKind.Relative), form);
        Assert.That((int)answer.StatusCode, Is.InRange(302, 303));
        return browser;
    }

    private static string TokenIn(string page) => WebUtility.HtmlDecode(Token().Match(page).Groups["value"].Value);

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"(?<value>[^\"]*)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Token();

    /// <summary>So many letters, made while they are read.</summary>
    private sealed class Endless(long length) : Stream
    {
        private long _left = length;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(count, _left);
            buffer.AsSpan(offset, read).Fill((byte)'x');
            _left -= read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override string ToString() => _left.ToString(CultureInfo.InvariantCulture);
    }
}
