using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Camino.Testing;
using Camino.Tests.Imports;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>Bodies that nobody means well by: each is refused in words, none breaks anything, and who takes its time delays nobody else.</summary>
internal sealed class HostileBodyTests
{
    private static readonly Uri Applications = new("/api/v1/applications", UriKind.Relative);

    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync(withAsync: false);

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    // what no parser may take, after the cases that parsers are compared by
    [TestCase("")]
    [TestCase(" ")]
    [TestCase("{")]
    [TestCase("}")]
    [TestCase("{]")]
    [TestCase("{\"name\"")]
    [TestCase("{\"name\":")]
    [TestCase("{\"name\":}")]
    [TestCase("{\"name\":\"A\",}")]
    [TestCase("{,\"name\":\"A\"}")]
    [TestCase("{\"name\":\"A\",,\"amount\":\"5\"}")]
    [TestCase("{\"name\" \"A\"}")]
    [TestCase("{\"name\"::\"A\"}")]
    [TestCase("{name:\"A\"}")]
    [TestCase("{'name':'A'}")]
    [TestCase("{\"name\":\"A\"}}")]
    [TestCase("{\"name\":\"A\"}#")]
    [TestCase("{\"name\":\"A\"}/**/")]
    [TestCase("{/*x*/\"name\":\"A\"}")]
    [TestCase("{\"name\":\"A\"//x\n}")]
    [TestCase("{\"name\":\"\\x41\"}")]
    [TestCase("{\"name\":\"\\u00g0\"}")]
    [TestCase("{\"name\":\"\\u12\"}")]
    [TestCase("{\"name\":\"\\\"}")]
    [TestCase("{\"name\":\"a\nb\"}")]
    [TestCase("{\"name\":\"a\tb\"}")]
    [TestCase("{\"name\":\"a\0b\"}")]
    [TestCase("{\"name\":True}")]
    [TestCase("{\"name\":nul}")]
    [TestCase("{\"name\":undefined}")]
    [TestCase("{\"termMonths\":NaN}")]
    [TestCase("{\"termMonths\":Infinity}")]
    [TestCase("{\"termMonths\":-Infinity}")]
    [TestCase("{\"termMonths\":+1}")]
    [TestCase("{\"termMonths\":01}")]
    [TestCase("{\"termMonths\":-01}")]
    [TestCase("{\"termMonths\":.5}")]
    [TestCase("{\"termMonths\":1.}")]
    [TestCase("{\"termMonths\":1e}")]
    [TestCase("{\"termMonths\":1e+}")]
    [TestCase("{\"termMonths\":0x10}")]
    [TestCase("{\"termMonths\":--1}")]
    [TestCase("{\"termMonths\":1 000}")]
    [TestCase("{\"phones\":[}")]
    [TestCase("{\"phones\":[\"1\",]}")]
    [TestCase("{\"phones\":[,\"1\"]}")]
    [TestCase("{\"phones\":[\"1\"\"2\"]}")]
    [TestCase("{\"phones\":[\"1\"}")]
    [TestCase("[]")]
    [TestCase("[{\"name\":\"A\"}]")]
    [TestCase("\"name\"")]
    [TestCase("null")]
    [TestCase("123")]
    [TestCase("{}{}")]
    [TestCase("{} {}")]
    [TestCase("\u00a0{}")]
    [TestCase("\u2060{}")]
    public async Task What_is_no_JSON_object_is_refused_as_such(string body)
    {
        using var answer = await PostAsync(Encoding.UTF8.GetBytes(body));

        Assert.That((answer.StatusCode, await answer.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "input.not_json")));
    }

    // what parsers may take or leave: here each has one answer
    [TestCase("{\"termMonths\":123456789012345678901234567890}", "input.type")]
    [TestCase("{\"termMonths\":1e400}", "input.type")]
    [TestCase("{\"termMonths\":-1e-400}", "input.type")]
    [TestCase("{\"termMonths\":12.5}", "input.type")]
    [TestCase("{\"name\":\"\\ud800\"}", "input.encoding")]
    [TestCase("{\"name\":\"\\udc00\\ud800\"}", "input.encoding")]
    [TestCase("{\"\\ud800\":1}", "input.encoding")]
    [TestCase("{\"\":1}", "input.name")]
    [TestCase("{\"__proto__\":{\"a\":1}}", "input.unknown")]
    [TestCase("{\"constructor\":1}", "input.unknown")]
    [TestCase("{\"Name\":\"A\"}", "input.unknown")]
    [TestCase("{\"name\":\"A\",\"name\":\"A\"}", "input.duplicate")]
    [TestCase("{\"owners\":[{\"name\":\"A\",\"n\\u0061me\":\"B\"}]}", "input.duplicate")]
    [TestCase("{\"name\":[[[[[[[[[[]]]]]]]]]]}", "input.depth")]
    [TestCase("{\"phones\":{}}", "input.type")]
    [TestCase("{\"phones\":[null]}", "input.type")]
    [TestCase("{\"owners\":[[]]}", "input.type")]
    [TestCase("{\"creditConsent\":\"true\"}", "input.type")]
    [TestCase("{\"address\":\"x\"}", "input.type")]
    public async Task What_parsers_disagree_about_has_one_answer_here(string body, string code)
    {
        using var answer = await PostAsync(Encoding.UTF8.GetBytes(body));

        Assert.That((answer.StatusCode, await answer.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.UnprocessableEntity, code)));
    }

    [Test]
    public async Task A_null_character_in_a_text_is_kept_as_its_picture()
    {
        using var answer = await PostAsync("{\"name\":\"Nul\\u0000Nul\",\"amount\":\"5\",\"phones\":[\"912 555 0101\"]}"u8.ToArray());

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.applications where name = 'Nul\u2400Nul'"), Is.EqualTo(1));
    }

    [Test]
    public async Task Bytes_that_are_no_UTF_8_are_refused_and_a_mark_of_UTF_8_before_the_text_is_passed_over()
    {
        const string Good = "{\"name\":\"Mark First LLC\",\"amount\":\"5000\",\"phones\":[\"912 555 0101\"]}";
        byte[][] wrong =
        [
            Encoding.Unicode.GetBytes(Good), Encoding.BigEndianUnicode.GetBytes(Good), [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Good)], [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(Good)], Encoding.UTF32.GetBytes(Good),
            [.. "{\"name\":\""u8, 0xE9, .. "\"}"u8], [.. "{\"name\":\""u8, 0xC0, 0xAF, .. "\"}"u8], [.. "{\"name\":\""u8, 0xED, 0xA0, 0x80, .. "\"}"u8], [.. "{\"name\":\""u8, 0xF4, 0x90, 0x80, 0x80, .. "\"}"u8], [.. "{\"name\":\""u8, 0xE2, 0x82],
        ];
        var codes = new List<string?>();
        foreach (var body in wrong)
        {
            using var answer = await PostAsync(body);
            Assert.That((int)answer.StatusCode, Is.InRange(400, 499));
            codes.Add(await answer.ProblemCodeAsync());
        }

        using var marked = await PostAsync([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Good)]);
        using var twice = await PostAsync([0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Good)]);

        Assert.That(codes, Is.All.AnyOf("input.encoding", "input.not_json"));
        Assert.That((marked.StatusCode, twice.StatusCode), Is.EqualTo((HttpStatusCode.Accepted, HttpStatusCode.UnprocessableEntity)));
    }

    [Test]
    public async Task Bodies_that_are_far_too_large_or_deep_are_refused_at_once_and_cost_nothing()
    {
        using var large = await PostAsync(new byte[10_000_000]);
        using var deep = await PostAsync(Encoding.UTF8.GetBytes("{\"name\":" + new string('[', 60_000)));
        using var wide = await PostAsync(Encoding.UTF8.GetBytes("{" + string.Join(',', Enumerable.Range(0, 5_000).Select(i => $"\"f{i}\":1")) + "}"));
        using var digits = await PostAsync(Encoding.UTF8.GetBytes("{\"termMonths\":" + new string('9', 60_000) + "}"));

        Assert.That((large.StatusCode, await large.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.RequestEntityTooLarge, "input.too_large")));
        Assert.That((await deep.ProblemCodeAsync(), await wide.ProblemCodeAsync(), await digits.ProblemCodeAsync()), Is.EqualTo(("input.depth", "input.unknown", "input.type")));
        Assert.That((await wide.Content.ReadAsStringAsync()).Length, Is.LessThan(2_000), "an answer is no echo");
    }

    [Test]
    public async Task One_key_sent_twenty_times_at_once_stores_one_application_and_an_altered_body_under_it_none()
    {
        var key = Guid.NewGuid().ToString();
        static byte[] Body(string amount) => Encoding.UTF8.GetBytes($"{{\"name\":\"Replayed LLC\",\"amount\":\"{amount}\",\"phones\":[\"912 555 0101\"]}}");
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PostAsync(Body("5000"), key)));
        using var altered = await PostAsync(Body("5001"), key);
        using var spaced = await PostAsync([.. Body("5000"), .. "  \n"u8], key);
        using var longKey = await PostAsync(Body("5000"), new string('k', 65));
        var ids = new HashSet<Guid>();
        foreach (var answer in answers)
        {
            ids.Add((await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid());
            answer.Dispose();
        }

        Assert.That(ids, Has.Count.EqualTo(1));
        Assert.That(await altered.ProblemCodeAsync(), Is.EqualTo("idempotency.key_reused"));
        Assert.That((spaced.StatusCode, spaced.Headers.Contains("Idempotency-Replayed")), Is.EqualTo((HttpStatusCode.Accepted, true)));
        Assert.That((longKey.StatusCode, await longKey.ProblemCodeAsync()), Is.EqualTo((HttpStatusCode.BadRequest, "idempotency.key")));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.applications where name = 'Replayed LLC'"), Is.EqualTo(1));
    }

    [TestCase("/api/v1/applications", "application/json")]
    [TestCase("/api/v1/applications/bulk", "application/x-ndjson")]
    [CancelAfter(60_000)]
    public async Task Callers_who_send_a_byte_now_and_then_are_cut_off_and_others_are_answered_meanwhile(string path, string type, CancellationToken ct)
    {
        var slow = Enumerable.Range(0, 20).Select(_ => DripAsync(path, type, ct)).ToList();
        for (var i = 0; i < 20; i++)
        {
            using var answer = await _camino.Api.GetAsync(Applications, ct);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }

        var ended = await Task.WhenAll(slow);
        Assert.That(ended, Is.All.True, "the server ended each of them");
        using var after = await PostAsync(Encoding.UTF8.GetBytes("{\"name\":\"After The Drip LLC\",\"amount\":\"5000\",\"phones\":[\"912 555 0101\"]}"));
        Assert.That(after.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
    }

    /// <summary>Sends the head of a request and then a byte every half second, until the server ends it.</summary>
    private async Task<bool> DripAsync(string path, string type, CancellationToken ct)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _camino.OfficeAddress.Port, ct);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {_camino.ApiKey}\r\nIdempotency-Key: {Guid.NewGuid()}\r\nContent-Type: {type}\r\nContent-Length: 60000\r\n\r\n{{"), ct);
        var answer = stream.ReadAsync(new byte[4096], ct).AsTask();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        try
        {
            while (!answer.IsCompleted)
            {
                await timer.WaitForNextTickAsync(ct);
                await stream.WriteAsync(" "u8.ToArray(), ct);
            }

            await answer;
            return true;
        }
        catch (IOException)
        {
            return true; // cut off
        }
    }

    private async Task<HttpResponseMessage> PostAsync(byte[] body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Applications) { Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } } };
        request.Headers.Add("Idempotency-Key", key ?? Guid.NewGuid().ToString());
        return await _camino.Api.SendAsync(request);
    }
}
