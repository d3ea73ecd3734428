using System.Text;
using Camino.Lending;
using Camino.Servicing;
using Camino.Tasks;

namespace Camino.Documents;

/// <summary>What a document is. The values are stored and never change.</summary>
public enum DocumentKind
{
    /// <summary>None of the others.</summary>
    Other = 0,

    /// <summary>Identity card, passport, driver's license.</summary>
    Identity = 1,

    /// <summary>Bank statement.</summary>
    BankStatement = 2,

    /// <summary>Tax return.</summary>
    TaxReturn = 3,

    /// <summary>Balance sheet, profit and loss.</summary>
    Financials = 4,

    /// <summary>Articles, license, registration of the business.</summary>
    Registration = 5,

    /// <summary>Lease of the place of business.</summary>
    Lease = 6,

    /// <summary>Insurance policy.</summary>
    Insurance = 7,

    /// <summary>Contract, note, guarantee, signed.</summary>
    Contract = 8,

    /// <summary>Letter that came or went.</summary>
    Letter = 9,
}

/// <summary>Whether a malware scanner has looked at a version. The values are stored and never change.</summary>
public enum ScanState
{
    /// <summary>It has not looked yet; nobody opens it.</summary>
    Waiting = 0,

    /// <summary>It found nothing.</summary>
    Clean = 1,

    /// <summary>It found something; nobody opens it.</summary>
    Infected = 2,

    /// <summary>There was no scanner when it came.</summary>
    NotScanned = 3,
}

/// <summary>A document as people and programs hand it in, beside the file itself.</summary>
public sealed record DocumentInput
{
    /// <summary>How it is called: 1 to 200 characters; left out: the file's name.</summary>
    public string? Title { get; init; }

    /// <summary>One of <see cref="DocumentKind"/> in camel case; left out: <c>other</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>The day on which it is worth nothing any more, such as 2027-03-01; left out where it does not matter.</summary>
    public string? ExpiresOn { get; init; }
}

/// <summary>Names of files, titles and days, read and checked.</summary>
internal static class DocumentWords
{
    /// <summary>Characters of a file's name that are kept.</summary>
    public const int LongestName = 200;

    /// <exception cref="RefusedException"><c>input.title</c>.</exception>
    public static string Title(string? text, string fileName) => TaskWords.Title(string.IsNullOrWhiteSpace(text) ? Path.GetFileNameWithoutExtension(fileName) : text);

    /// <exception cref="RefusedException"><c>input.kind</c>.</exception>
    public static DocumentKind Kind(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return DocumentKind.Other;
        foreach (var kind in Enum.GetValues<DocumentKind>())
        {
            if (Words.Camel(kind) == text.Trim())
                return kind;
        }

        throw new RefusedException("input.kind", $"kind is one of {string.Join(", ", Enum.GetValues<DocumentKind>().Select(kind => Words.Camel(kind)))}; got {InputText.Short(text)}.");
    }

    /// <exception cref="RefusedException"><c>input.expiresOn</c>.</exception>
    public static DateOnly? ExpiresOn(string? text) => string.IsNullOrWhiteSpace(text) ? null : InputText.Date("expiresOn", text);

    /// <summary>The last part of a path in either style, without control and direction characters, with the ending that its content has.</summary>
    public static string FileName(string? given, ContentKind kind)
    {
        var name = given ?? "";
        name = name[(name.LastIndexOfAny(['/', '\\', ':']) + 1)..];
        name = string.Concat(Imports.StorableText.Of(name).EnumerateRunes().Where(rune => Rune.GetUnicodeCategory(rune) is not (System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format))).Trim();
        var stem = Path.GetFileNameWithoutExtension(name).Trim(' ', '.');
        stem = stem.Length == 0 ? "document" : Imports.Shown.Cut(stem, LongestName - kind.Extension.Length);
        return stem + kind.Extension;
    }
}
