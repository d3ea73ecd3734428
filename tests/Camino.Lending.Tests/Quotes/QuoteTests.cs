using System.Text.Json;
using System.Text.Json.Nodes;
using Camino.Lending.Quotes;
using Camino.Lending.Tests.Loans;

namespace Camino.Lending.Tests.Quotes;

public class QuoteTests
{
    private const string Terms =
        """{"principal":"12000.00","annualRatePercent":"12","method":"equalPayment","dayCount":"30/360","disbursements":[{"on":"2026-01-01","amount":"12000.00"}],"every":1,"unit":"month","payments":12}""";

    private static readonly Dictionary<string, string> _good = new()
    {
        ["schedule"] = """{"id":"s1","rounding":{"mode":"half-up","multiple":"0.01"},"days":null,""" + Terms[1..],
        ["apr"] = """{"id":"a1","advances":[{"on":"1978-01-10","amount":"5000"}],"payments":[{"on":"1978-02-10","amount":"230","count":24,"every":1,"unit":"month"}]}""",
        ["dayCount"] = """{"id":"d1","from":"2003-11-01","to":"2004-05-01","convention":"actual/actual","frequency":2}""",
        ["xirr"] = """{"id":"x1","flows":[{"on":"2009-01-01","amount":"-100"},{"on":"2010-01-01","amount":"110"}]}""",
        ["servicing"] = $$"""{"id":"v1","product":{"surplus":"nextInstallment","lateFee":{"amount":"25.00","graceDays":10} },"terms":{{Terms}},"events":[{"on":"2026-02-01","type":"pay","amount":"1066.19"},{"on":"2026-02-04","type":"return","of":"1","bankCode":"R01"}],"asOf":["2026-03-01"],"explain":true}""",
        ["payoff"] = $$"""{"id":"p1","terms":{{Terms}},"events":[{"on":"2026-02-01","type":"pay","amount":"1066.19"}],"on":"2026-02-11"}""",
    };

    public static IEnumerable<string> Kinds => Quote.Kinds;

    [TestCaseSource(nameof(Kinds))]
    public void A_good_line_is_answered_with_its_id(string what)
    {
        var answer = JsonNode.Parse(Quote.Answer(what, _good[what]))?.AsObject();

        Assert.That(answer?["error"], Is.Null, answer?.ToJsonString());
        Assert.That(answer?["id"]?.GetValue<string>(), Does.EndWith("1"));
    }

    [Test]
    public void A_payoff_line_gives_amount_per_diem_and_good_through() =>
        Assert.That(Quote.Answer("payoff", _good["payoff"]),
            Does.StartWith("""{"id":"p1","on":"2026-02-11","amount":"11093.29","perDiem":"3.95","goodThrough":"2026-02-21","""));

    [TestCase("schedule", "principal", "\"-1\"", "quote.out_of_range", "principal")]
    [TestCase("schedule", "principal", "\"12000.001\"", "quote.too_precise", "principal")]
    [TestCase("schedule", "principal", "12000", "quote.not_text", "principal")]
    [TestCase("schedule", "principal", "\"1e4\"", "quote.not_decimal", "principal")]
    [TestCase("schedule", "annualRatePercent", "\"1000.1\"", "quote.out_of_range", "annualRatePercent")]
    [TestCase("schedule", "method", "\"magic\"", "quote.not_a_choice", "method")]
    [TestCase("schedule", "payments", "0", "quote.out_of_range", "payments")]
    [TestCase("schedule", "payments", "12.5", "quote.not_integer", "payments")]
    [TestCase("schedule", "disbursements", "[]", "quote.out_of_range", "disbursements")]
    [TestCase("schedule", "disbursements", "[{\"on\":\"2026-02-30\",\"amount\":\"12000.00\"}]", "quote.not_date", "disbursements[0].on")]
    [TestCase("schedule", "disbursements", "[{\"on\":\"2026-02-01\",\"amount\":\"1.00\"}]", "quote.out_of_range", "disbursements")]
    [TestCase("schedule", "gracePrincipal", "12", "quote.out_of_range", "gracePrincipal")]
    [TestCase("schedule", "days", "[1,16]", "quote.out_of_range", "days")]
    [TestCase("schedule", "rounding", "{\"mode\":\"half-down\"}", "quote.not_a_choice", "rounding.mode")]
    [TestCase("schedule", "colour", "1", "quote.unknown_field", "colour")]
    [TestCase("schedule", "firstDueOn", "\"2026-01-01\"", "quote.out_of_range", "firstDueOn")]
    [TestCase("apr", "payments", "[{\"on\":\"1978-02-10\",\"amount\":\"1\"}]", "apr.no_answer", "payments")]
    [TestCase("apr", "payments", "[{\"on\":\"1977-02-10\",\"amount\":\"9000\"}]", "quote.out_of_range", "payments[0].on")]
    [TestCase("dayCount", "to", "\"2003-10-31\"", "quote.out_of_range", "to")]
    [TestCase("dayCount", "convention", "\"31/360\"", "quote.not_a_choice", "convention")]
    [TestCase("xirr", "flows", "[{\"on\":\"2009-01-01\",\"amount\":\"-100\"}]", "xirr.no_answer", "flows")]
    [TestCase("servicing", "events", "[{\"on\":\"2026-02-01\",\"type\":\"pay\"}]", "quote.missing", "events[0].amount")]
    [TestCase("servicing", "events", "[{\"on\":\"2026-02-01\",\"type\":\"return\",\"of\":\"9\",\"bankCode\":\"R01\"}]", "event.of", "events")]
    [TestCase("servicing", "events", "[{\"on\":\"2026-02-01\",\"type\":\"return\",\"of\":\"9\",\"bankCode\":\"X01\"}]", "event.bankCode", "events[0].bankCode")]
    [TestCase("servicing", "asOf", "[]", "quote.out_of_range", "asOf")]
    [TestCase("payoff", "on", "\"soon\"", "quote.not_date", "on")]
    public void Nonsense_gets_an_error_that_names_the_field(string what, string field, string value, string code, string expected)
    {
        var line = JsonNode.Parse(_good[what])?.AsObject() ?? [];
        line[field] = JsonNode.Parse(value);

        var error = JsonNode.Parse(Quote.Answer(what, line.ToJsonString()))?["error"];
        Assert.That(error?["code"]?.GetValue<string>(), Is.EqualTo(code));
        Assert.That(error?["field"]?.GetValue<string>(), Is.EqualTo(expected));
        Assert.That(error?["message"]?.GetValue<string>(), Is.Not.Empty);
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("\"text\"")]
    [TestCase("{")]
    [TestCase("{\"id\":\"\\ud800\"}")]
    [TestCase("{\"\\ud800\":1}")]
    [TestCase("{\"id\":{}}")]
    [TestCase("{\"id\":1,\"id\":2}")]
    [TestCase("[[[[[[[[[[[[[[]]]]]]]]]]]]]]")]
    public void A_line_that_is_no_question_gets_an_error(string line)
    {
        foreach (var what in Quote.Kinds)
            Assert.That(JsonNode.Parse(Quote.Answer(what, line))?["error"]?["code"]?.GetValue<string>(), Does.StartWith("quote."));
        Assert.That(JsonNode.Parse(Quote.Answer("future", line))?["error"], Is.Not.Null);
    }

    [Test]
    public void Damaged_lines_never_throw_and_are_always_answered_in_JSON() => RandomLoans.ForAll(6_000, random =>
    {
        var what = Quote.Kinds[random.Next(Quote.Kinds.Count)];
        var line = _good[what].ToCharArray();
        const string damaged = "0123456789-.\"{}[],:eE truefalsn\\u\ud800";
        for (var damage = random.Next(1, 4); damage > 0; damage--)
            line[random.Next(line.Length)] = damaged[random.Next(damaged.Length)];

        using var answer = JsonDocument.Parse(Quote.Answer(what, new string(line)));
        Assert.That(answer.RootElement.TryGetProperty("id", out _), Is.True);
    });

    [Test]
    public void Swapped_values_never_throw_and_are_always_answered_in_JSON() => RandomLoans.ForAll(6_000, random =>
    {
        string[] values = ["null", "true", "0", "-1", "1e300", "99999999999999999999", "\"\"", "\"0\"", "\"99999999999999999999\"", "\"2299-12-31\"", "\"1900-01-01\"", "[]", "{}", "\"pay\"", "1200", "\"100000000.00\"", "\"1000\"", "\"0.01\""];
        var what = Quote.Kinds[random.Next(Quote.Kinds.Count)];
        var node = JsonNode.Parse(_good[what]);
        for (var swaps = random.Next(1, 4); swaps > 0; swaps--)
            Swap(node, random, JsonNode.Parse(values[random.Next(values.Length)]));

        using var answer = JsonDocument.Parse(Quote.Answer(what, node?.ToJsonString() ?? "null"));
        Assert.That(answer.RootElement.TryGetProperty("id", out _), Is.True);
    });

    private static void Swap(JsonNode? node, Random random, JsonNode? value)
    {
        while (true)
        {
            if (node is JsonObject { Count: > 0 } entries)
            {
                var name = entries.ElementAt(random.Next(entries.Count)).Key;
                if (entries[name] is not (JsonObject or JsonArray) || random.Next(4) == 0)
                {
                    entries[name] = value;
                    return;
                }

                node = entries[name];
            }
            else if (node is JsonArray { Count: > 0 } list)
            {
                node = list[random.Next(list.Count)];
            }
            else
            {
                return;
            }
        }
    }
}
