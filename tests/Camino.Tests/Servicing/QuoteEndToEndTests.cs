using System.Net;
using System.Text;
using System.Text.Json;
using Camino.Lending.Quotes;
using Camino.Testing;
using Camino.Tests.Hosting;
using Camino.Tests.HouseRules;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>The calculator as programs reach it: at the command line and in the API, both with the engine's own answers.</summary>
internal sealed class QuoteEndToEndTests
{
    private static RunningCamino s_camino = null!;

    [OneTimeSetUp]
    public static async Task StartAsync() => s_camino = await RunningCamino.StartAsync(withAsync: false);

    [OneTimeTearDown]
    public static async Task StopAsync() => await s_camino.DisposeAsync();

    private static IReadOnlyList<string> Kinds => Quote.Kinds;

    [TestCaseSource(nameof(Kinds))]
    public async Task The_api_answers_lines_in_their_order_as_on_file(string what)
    {
        var (asked, answered) = Golden(what);
        using var body = new StringContent(string.Join('\n', asked), Encoding.UTF8, "application/x-ndjson");
        using var answer = await s_camino.Api.PostAsync(new Uri($"/api/v1/quotes/{what}", UriKind.Relative), body);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo(answered));

        using var one = new StringContent(asked[0], Encoding.UTF8, "application/json");
        using var single = await s_camino.Api.PostAsync(new Uri($"/api/v1/quotes/{what}", UriKind.Relative), one);
        Assert.That(await single.Content.ReadAsStringAsync(), Is.EqualTo(answered[0]));
        Assert.That(single.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/json"));
    }

    [TestCaseSource(nameof(Kinds))]
    public async Task The_command_line_answers_lines_in_their_order_as_on_file_and_ends_with_0(string what)
    {
        var (asked, answered) = Golden(what);

        var ended = await CaminoProcess.ReadingAsync(string.Join('\n', asked), "quote", what);

        Assert.That(ended.Code, Is.Zero, ended.ToString());
        Assert.That(ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo(answered));
    }

    [Test]
    public async Task Nonsense_between_good_lines_is_answered_in_its_place()
    {
        const string Good = """{"id":"good","flows":[{"on":"2026-01-01","amount":"-100"},{"on":"2027-01-01","amount":"110"}]}""";

        var ended = await CaminoProcess.ReadingAsync($"{Good}\n\nno json\n[]\n{{\"id\":7,\"flows\":\"none\"}}\r\n{{\"id\":\"x\",\"flow\":[]}}\n{Good}", "quote", "xirr");

        Assert.That(ended.Code, Is.Zero, ended.ToString());
        var lines = ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        Assert.That(lines.Select(line => line.TryGetProperty("error", out var error) ? error.GetProperty("code").GetString() : line.GetProperty("ratePercent").GetString()), Is.EqualTo(
            (string[])["10.0000000000", "quote.not_json", "quote.not_object", "quote.not_list", "quote.unknown_field", "10.0000000000"]));
        Assert.That(lines[3].GetProperty("id").GetInt32(), Is.EqualTo(7));
        Assert.That(lines[3].GetProperty("error").GetProperty("field").GetString(), Is.EqualTo("flows"));
    }

    [Test]
    public async Task A_calculator_that_there_is_not_is_refused_in_both()
    {
        var ended = await CaminoProcess.ReadingAsync("{}", "quote", "horoscope");
        using var body = new StringContent("{}", Encoding.UTF8, "application/json");
        using var answer = await s_camino.Api.PostAsync(new Uri("/api/v1/quotes/horoscope", UriKind.Relative), body);

        Assert.That(ended.Code, Is.Not.Zero);
        Assert.That(ended.Error, Does.Contain("horoscope").And.Contain("schedule"));
        Assert.That((await ServicedBook.ReadAsync(answer, HttpStatusCode.NotFound)).GetProperty("code").GetString(), Is.EqualTo("quote.not_found"));
    }

    private static (string[] Asked, string[] Answered) Golden(string what)
    {
        var folder = Path.Combine(House.Root, "tests/Camino.Lending.Tests/Golden");
        return (File.ReadAllLines(Path.Combine(folder, $"{what}.in.jsonl")), File.ReadAllLines(Path.Combine(folder, $"{what}.out.jsonl")));
    }
}
