using Camino.Imports;
using Camino.Lending;
using Camino.Resources;
using Microsoft.Extensions.Localization;

namespace Camino.Web;

/// <summary>Texts whose key depends on a value: counts, codes, states.</summary>
public static class TextLookup
{
    /// <summary>The text for one (<c>key.One</c>) or many (<c>key.Many</c>), with the count as {0}.</summary>
    public static string Count(this IStringLocalizer<Texts> texts, string key, long count) =>
        texts[count == 1 ? key + ".One" : key + ".Many", Show.Number(count)];

    /// <summary>What a finding says, as a sentence with its column, value, limit and new value.</summary>
    public static string Sentence(this IStringLocalizer<Texts> texts, Finding finding)
    {
        var text = texts["Finding." + finding.Code, finding.Column, finding.Value ?? "", finding.Limit ?? "", finding.NewValue ?? ""];
        return text.ResourceNotFound ? finding.Code : text.Value;
    }

    /// <summary>What kind of finding it is, in a few words.</summary>
    public static string FindingName(this IStringLocalizer<Texts> texts, string code) => texts.Or("FindingName." + code, code);

    /// <summary>Why a file as a whole could not be worked.</summary>
    public static string FileError(this IStringLocalizer<Texts> texts, string code, IReadOnlyList<string> arguments)
    {
        var values = new object[Math.Max(4, arguments.Count)];
        for (var i = 0; i < values.Length; i++)
            values[i] = i < arguments.Count ? arguments[i] : "";
        var text = texts["Finding." + code, values];
        return text.ResourceNotFound ? code : text.Value;
    }

    /// <summary>A refusal in the reader's language; codes without a text of their own keep the operation's sentence.</summary>
    public static string Refusal(this IStringLocalizer<Texts> texts, RefusedException refused) => texts.Or("Refused." + refused.Code, refused.Message);

    /// <summary>The text of a key made from data, or what stands for it when there is none.</summary>
    public static string Or(this IStringLocalizer<Texts> texts, string key, string otherwise)
    {
        var text = texts[key];
        return text.ResourceNotFound ? otherwise : text.Value;
    }

    /// <summary>Name of an import's status.</summary>
    public static string Of(this IStringLocalizer<Texts> texts, ImportStatus status) => texts["ImportStatus." + status];

    /// <summary>Name of a loan's status.</summary>
    public static string Of(this IStringLocalizer<Texts> texts, LoanStatus status) => texts["LoanStatus." + status];

    /// <summary>Name of a source of loan numbers.</summary>
    public static string Of(this IStringLocalizer<Texts> texts, LoanSource source) => texts["LoanSource." + source];

    /// <summary>Name of a column's meaning.</summary>
    public static string Of(this IStringLocalizer<Texts> texts, LoanField field) => texts["LoanField." + field];

    /// <summary>Name of a layout: a known one in the reader's language, a saved one as staff called it.</summary>
    public static string LayoutName(this IStringLocalizer<Texts> texts, string name) => texts.Or("Layout." + name, name);
}
