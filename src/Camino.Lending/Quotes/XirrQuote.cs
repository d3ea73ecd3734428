using System.Globalization;
using System.Text.Json;
using Camino.Lending.Disclosures;

namespace Camino.Lending.Quotes;

/// <summary>The <c>xirr</c> line.</summary>
internal static class XirrQuote
{
    private static readonly string[] _fields = ["id", "flows"];
    private static readonly string[] _flowFields = ["on", "amount"];

    public static void Answer(JsonElement root, LineWriter line)
    {
        var fields = new Fields(root, "", _fields);
        var list = fields.List("flows", 1, Xirr.MaxFlows);
        var flows = new Flow[list.GetArrayLength()];
        var at = 0;
        foreach (var element in list.EnumerateArray())
        {
            var entry = new Fields(element, string.Create(CultureInfo.InvariantCulture, $"flows[{at}]"), _flowFields);
            flows[at++] = new Flow(entry.Date("on"), entry.Amount("amount", -100_000_000_000, 100_000_000_000));
        }

        decimal percent;
        try
        {
            percent = Xirr.Percent(flows);
        }
        catch (RefusedException refused)
        {
            throw new FieldException(refused.Code, refused.Sentence, "flows");
        }

        line.Raw(",\"ratePercent\":"u8);
        line.Decimals(percent, "0.0000000000");
    }
}
