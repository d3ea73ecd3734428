using System.Text.Json;
using Camino.Lending.Loans;

namespace Camino.Lending.Quotes;

/// <summary>Products and terms as people and programs hand them in: the calculator's words (docs/quote.md), every mistake named by its field.</summary>
public static class BookForm
{
    private static readonly JsonDocumentOptions _strict = new() { MaxDepth = 8 };

    /// <summary>How a product services its loans.</summary>
    /// <exception cref="RefusedException"><c>input.*</c> names the field, <c>product.*</c> a rule that the product breaks.</exception>
    public static LoanProduct ReadProduct(string json) => Read($"{{\"product\":{json}}}", static root =>
    {
        var product = ServicingInput.ReadProduct(new Fields(root, "", ["product"]));
        product.Check();
        return product;
    });

    /// <summary>The agreed terms.</summary>
    /// <exception cref="RefusedException"><c>input.*</c> names the field, <c>schedule.*</c> a rule that the terms break.</exception>
    public static ScheduleTerms ReadTerms(string json) => Read(json, static root =>
    {
        var terms = ScheduleQuote.ReadTerms(root, "");
        terms.Check();
        return terms;
    });

    private static T Read<T>(string json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json, _strict);
            return read(document.RootElement);
        }
        catch (FieldException wrong)
        {
            throw new RefusedException(wrong.Code.Replace("quote.", "input.", StringComparison.Ordinal), wrong.Sentence);
        }
        catch (JsonException)
        {
            throw new RefusedException("input.not_json", "The body is not JSON.");
        }
    }
}
