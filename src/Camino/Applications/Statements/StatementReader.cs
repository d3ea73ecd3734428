using System.Text;
using Camino.Imports;
using Camino.Lending;
using Camino.Lending.Applications.CashFlows;

namespace Camino.Applications.Statements;

/// <summary>What nobody can tell from a file alone.</summary>
/// <param name="Last4">The last four characters of the account's number, where the file does not name it.</param>
/// <param name="Dates">In which order the file writes dates; null: the whole of them decides.</param>
public sealed record StatementHints(string? Last4, StatementDates? Dates);

/// <summary>The order in which a file writes its dates.</summary>
public enum StatementDates
{
    /// <summary>03/31/2026</summary>
    MonthFirst = 1,

    /// <summary>31/03/2026</summary>
    DayFirst = 2,

    /// <summary>2026-03-31, 20260331 or 31 Mar 2026: there is only one way to read it.</summary>
    Plain = 3,
}

/// <summary>How the amounts of a file say what came in and what went out.</summary>
public enum StatementAmounts
{
    /// <summary>By their sign.</summary>
    BySign = 1,

    /// <summary>By two columns.</summary>
    DebitCredit = 2,

    /// <summary>By a word in another column.</summary>
    Direction = 3,

    /// <summary>By the running balance beside them.</summary>
    Balance = 4,
}

/// <summary>How a file was read, so that people can see whether it was read rightly.</summary>
/// <param name="Format"><c>csv</c>, <c>ofx1</c> or <c>ofx2</c>.</param>
/// <param name="DatesWereTaken">Nothing in the file says in which order its dates are; the usual one was taken.</param>
/// <param name="HasBalance">Whether lines have a running balance.</param>
/// <param name="BalanceAddsUp">Whether each running balance follows from the one before.</param>
/// <param name="Skipped">Lines without a date, which no transaction is.</param>
/// <param name="Rounded">Amounts with fractions of a cent, rounded half to even.</param>
public sealed record StatementShape(string Format, string Encoding, StatementDates Dates, bool DatesWereTaken, StatementAmounts Amounts, bool HasBalance, bool BalanceAddsUp, int Skipped, int Rounded);

/// <summary>One account of a file.</summary>
/// <param name="Currency">Three letters; null where the file does not say.</param>
public sealed record ReadAccount(StatementAccount Account, string? Currency);

/// <summary>A file that was read.</summary>
public sealed record ReadStatement(StatementShape Shape, IReadOnlyList<ReadAccount> Accounts);

/// <summary>Reads a bank's export: CSV of many layouts, OFX 1 (SGML) and OFX 2 (XML). Tells what stands there and guesses nothing; what cannot be read is refused with line, value and limit.</summary>
public static class StatementReader
{
    /// <summary>Bytes of one file.</summary>
    public const int MostBytes = 5 * 1024 * 1024;

    /// <summary>Transactions of one file.</summary>
    public const int MostLines = 20_000;

    /// <summary>Accounts of one file.</summary>
    public const int MostAccounts = 20;

    /// <summary>Days from the first to the last that a statement covers.</summary>
    public const int MostDays = 5_500;

    /// <summary>Characters of one field.</summary>
    public const int LongestField = 1_000;

    /// <summary>Characters of a line's text that are kept.</summary>
    public const int LongestText = 500;

    /// <summary>The largest amount of a line, either way.</summary>
    public const decimal MostAmount = 999_999_999.99m;

    /// <exception cref="RefusedException"><c>statement.*</c>.</exception>
    public static ReadStatement Read(ReadOnlyMemory<byte> file, StatementHints hints)
    {
        var read = Parse(file, hints);
        foreach (var (account, currency) in read.Accounts)
        {
            Refuse.If(account.To.DayNumber - account.From.DayNumber > MostDays, "statement.period", $"A statement covers at most {MostDays} days; this one goes from {account.From:yyyy-MM-dd} to {account.To:yyyy-MM-dd}.");
            Refuse.If(currency is not (null or "USD"), "statement.currency", $"The account is kept in {currency}; cash flow is reckoned in US dollars only.");
        }

        return read;
    }

    /// <summary>What stands in the file, whatever the currency.</summary>
    /// <exception cref="RefusedException"><c>statement.*</c>.</exception>
    internal static ReadStatement Parse(ReadOnlyMemory<byte> file, StatementHints hints)
    {
        Refuse.If(file.Length > MostBytes, "statement.too_large", $"A statement has at most {MostBytes} bytes; this file has {file.Length}.");
        var bytes = file.Span;
        Refuse.If(bytes.StartsWith("%PDF-"u8) || bytes.StartsWith("PK\u0003\u0004"u8) || bytes.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0]), "statement.not_text", "The file is not text; export the statement from the bank as CSV or OFX (also called QFX or Web Connect).");
        var encoding = TextEncoding.Detect(bytes);
        var text = (encoding.Encoding ?? new UTF8Encoding(false)).GetString(bytes[encoding.ByteOrderMark..]).TrimStart('\uFEFF');
        Refuse.If(string.IsNullOrWhiteSpace(text), "statement.empty", "The file is empty.");
        Refuse.If(text.Contains('\0', StringComparison.Ordinal), "statement.not_text", "The file is not text; export the statement from the bank as CSV or OFX (also called QFX or Web Connect).");
        var head = text.AsSpan(0, Math.Min(text.Length, 4_096));
        var isOfx = head.Contains("OFXHEADER", StringComparison.OrdinalIgnoreCase) || head.Contains("<OFX>", StringComparison.OrdinalIgnoreCase);
        return isOfx ? OfxStatement.Read(text, encoding.Name, hints) : CsvStatement.Read(text, encoding.Name, hints);
    }

    /// <summary>Text as it is kept: cleaned, cut, and of every long number only the last four digits, for it may be an account's.</summary>
    internal static string Kept(string text)
    {
        var kept = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var end = i;
            while (end < text.Length && char.IsAsciiDigit(text[end]))
                end++;
            if (end - i >= 8)
                kept.Append('…').Append(text, end - 4, 4);
            else if (end > i)
                kept.Append(text, i, end - i);
            if (end > i)
            {
                i = end;
                continue;
            }

            if (!char.IsControl(text[i]) && !(char.IsWhiteSpace(text[i]) && (kept.Length == 0 || kept[^1] == ' ')))
                kept.Append(char.IsWhiteSpace(text[i]) ? ' ' : text[i]);
            i++;
        }

        return Shown.Cut(StorableText.Of(kept.ToString().Trim()), LongestText).TrimEnd();
    }

    /// <summary>The last four characters of an account's number; null where there are none.</summary>
    internal static string? Last4Of(string? number)
    {
        var plain = string.Concat((number ?? "").Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
        return plain.Length == 0 ? null : plain[^Math.Min(4, plain.Length)..];
    }

    /// <summary>Whole cents; what lies between is rounded half to even.</summary>
    internal static Money Cents(decimal amount, ref int rounded)
    {
        var cents = decimal.Round(amount, 2, MidpointRounding.ToEven);
        rounded += cents == amount ? 0 : 1;
        return new Money(cents);
    }
}
