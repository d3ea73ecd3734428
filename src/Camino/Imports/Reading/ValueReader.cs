using System.Globalization;
using System.Text;

namespace Camino.Imports;

/// <summary>Reads single values, and reports what it had to change, drop or refuse.</summary>
internal sealed class ValueReader
{
    /// <summary>Dollars as findings show them.</summary>
    public static readonly CompositeFormat Usd = CompositeFormat.Parse("{0:0.00}");

    private const int MostTerm = 1_200;

    private static readonly (TextChange Change, string Code)[] TextFindings =
    [
        (TextChange.Unreadable, FindingCodes.TextUnreadable),
        (TextChange.Invisible, FindingCodes.TextInvisible),
        (TextChange.Entity, FindingCodes.TextEntity),
        (TextChange.Mojibake, FindingCodes.TextMojibake),
        (TextChange.Apostrophe, FindingCodes.TextApostrophe),
        (TextChange.Cut, FindingCodes.TextCut),
    ];

    private readonly LayoutOptions _options;
    private readonly TextRepair _repair;
    private readonly string?[] _zips = new string?[100_000];
    private readonly TextPool _pool = new();
    private readonly TextCleaner _text;

    public ValueReader(LayoutOptions options)
    {
        _options = options;
        _repair = options.RepairText ? TextRepair.Published : TextRepair.None;
        _text = new TextCleaner(_pool);
    }

    /// <summary>Where findings go.</summary>
    public RowFindings Findings { get; set; } = new();

    /// <summary>Text as it is, cleaned but without a report.</summary>
    public string? Clean(ReadOnlySpan<byte> cell, int most, out TextChange change) =>
        _text.Clean(cell, most, TextRepair.None, pooled: false, out change);

    public decimal? Money(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        var reading = MoneyText.Read(cell, _options.DecimalComma, out var amount);
        switch (reading)
        {
            case MoneyReading.Exact when amount < 0m:
                Findings.Reject(FindingCodes.MoneyNegative, use.Column, cell, "0.00");
                return amount;
            case MoneyReading.Exact:
                return amount;
            case MoneyReading.Rounded when amount < 0m:
                Findings.Reject(FindingCodes.MoneyNegative, use.Column, cell, "0.00");
                return amount;
            case MoneyReading.Rounded:
                Findings.Correct(FindingCodes.MoneyRounded, use.Column, cell, string.Format(CultureInfo.InvariantCulture, Usd, amount));
                return amount;
            case MoneyReading.Ambiguous:
                Findings.Reject(FindingCodes.MoneyAmbiguous, use.Column, cell);
                return null;
            case MoneyReading.TooLarge:
                Findings.Reject(FindingCodes.MoneyTooLarge, use.Column, cell, "999999999999.99");
                return null;
            default:
                if (CodeText.IsNoAnswer(cell))
                    Findings.Drop(FindingCodes.MoneyWord, use.Column, cell);
                else
                    Findings.Reject(FindingCodes.MoneyUnreadable, use.Column, cell);
                return null;
        }
    }

    public DateOnly? Date(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (_options.EpochIsUnknown && cell.StartsWith("1970-01-01"u8))
        {
            Findings.Drop(FindingCodes.DateEpoch, use.Column, cell);
            return null;
        }

        switch (DateText.Read(cell, _options.Dates, out var date))
        {
            case DateReading.Exact:
                return date;
            case DateReading.OutOfRange:
                Findings.Drop(FindingCodes.DateOutOfRange, use.Column, cell, "1953-01-01 to 2100-12-31");
                return null;
            default:
                if (!CodeText.IsNoAnswer(cell))
                    Findings.Drop(FindingCodes.DateUnreadable, use.Column, cell);
                return null;
        }
    }

    public int? Count(ColumnUse use, ReadOnlySpan<byte> cell, int least, int most)
    {
        if (!CodeText.TryCount(cell, out var count))
        {
            if (!CodeText.IsNoAnswer(cell))
                Findings.Drop(FindingCodes.CountUnreadable, use.Column, cell);
            return null;
        }

        if (count >= least && count <= most)
            return (int)count;

        Findings.Drop(FindingCodes.CountOutOfRange, use.Column, cell, string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"));
        return null;
    }

    public int? Term(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (CodeText.TryCount(cell, out var term) && term == 0)
        {
            Findings.Drop(FindingCodes.TermZero, use.Column, cell, "1 to 1200");
            return null;
        }

        return Count(use, cell, 1, MostTerm);
    }

    /// <summary>1976A is the quarter between two definitions of the fiscal year; it is counted with 1976.</summary>
    public int? FiscalYear(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (cell.Length != 5 || !char.IsAsciiLetter((char)cell[4]))
            return Count(use, cell, 1953, 2100);

        var year = Count(use, cell[..4], 1953, 2100);
        if (year is { } known)
            Findings.Correct(FindingCodes.FiscalYearLetter, use.Column, cell, known.ToString(CultureInfo.InvariantCulture));
        return year;
    }

    public decimal? Percent(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        var number = cell.TrimEnd("% "u8);
        Span<char> text = stackalloc char[24];
        if (number.Length > text.Length || !Ascii.IsValid(number))
            number = default;

        Encoding.ASCII.GetChars(number, text);
        text = text[..number.Length];
        if (_options.DecimalComma)
            text.Replace(',', '.');

        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var rate))
        {
            if (!CodeText.IsNoAnswer(cell))
                Findings.Drop(FindingCodes.RateUnreadable, use.Column, cell);
            return null;
        }

        if (rate is >= 0m and <= 100m)
            return decimal.Round(rate, 6) + 0.000000m;

        Findings.Drop(FindingCodes.RateOutOfRange, use.Column, cell, "0 to 100");
        return null;
    }

    public string? State(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        var state = PlaceText.State(cell);
        if (state is null && !CodeText.IsNoAnswer(cell))
            Findings.Drop(FindingCodes.StateUnknown, use.Column, cell);
        return state;
    }

    public string? Zip(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (PlaceText.TryZip(cell, out var zip))
            return zip == 0 ? null : _zips[zip] ??= zip.ToString("00000", CultureInfo.InvariantCulture);

        if (!CodeText.IsNoAnswer(cell))
            Findings.Drop(FindingCodes.ZipUnreadable, use.Column, cell, "00501 to 99999");
        return null;
    }

    public string? Naics(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (cell.EndsWith(".0"u8))
            cell = cell[..^2];
        if (cell.Length == 6 && !cell.ContainsAnyExceptInRange((byte)'0', (byte)'9') && cell[0] != '0')
            return _pool.Ascii(cell);

        if (!cell.SequenceEqual("0"u8) && !CodeText.IsNoAnswer(cell))
            Findings.Drop(FindingCodes.NaicsUnreadable, use.Column, cell, "6 digits");
        return null;
    }

    /// <summary><c>1</c>, <c>1.0</c>, <c>01</c> are one district; <c>MT - 00</c> is written MT-00.</summary>
    public string? District(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (CodeText.TryCount(cell, out var number) && number is >= 0 and <= 99)
            return number.ToString("00", CultureInfo.InvariantCulture);

        return Code(use, cell, 20)?.Replace(" - ", "-", StringComparison.Ordinal);
    }

    public string? Code(ColumnUse use, ReadOnlySpan<byte> cell, int most) =>
        CodeText.IsNoAnswer(cell.Trim((byte)' ')) ? null : Text(use, cell, most, _repair, pooled: true);

    public string? Text(ColumnUse use, ReadOnlySpan<byte> cell, int most, TextRepair repair, bool pooled)
    {
        var text = _text.Clean(cell, most, repair, pooled, out var change);
        if (change != TextChange.None)
            Report(use, cell, text, most, change);

        return text;
    }

    private void Report(ColumnUse use, ReadOnlySpan<byte> cell, string? text, int most, TextChange change)
    {
        foreach (var (one, code) in TextFindings)
        {
            if ((change & one) != TextChange.None)
                Findings.Correct(code, use.Column, cell, text, one == TextChange.Cut ? most.ToString(CultureInfo.InvariantCulture) : null);
        }
    }

    /// <summary>Takes off the apostrophe that <see cref="CsvText"/> puts before = + - @.</summary>
    public static ReadOnlySpan<byte> Unguard(ReadOnlySpan<byte> cell) =>
        cell.Length > 1 && cell[0] == '\'' && CsvText.StartsFormula((char)cell[1]) ? cell[1..] : cell;
}
