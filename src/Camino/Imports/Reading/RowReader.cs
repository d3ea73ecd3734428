using System.Globalization;
using System.Text;

namespace Camino.Imports;

/// <summary>Turns the cells of a record into the facts of a loan by the rules of docs/imports.md.</summary>
/// <remarks>
/// Three treatments. A spelling of the same value is normalised without a word. A value that is wrong but does not matter to sums or to which
/// loan it is, is corrected or dropped, with a finding. An amount or a number that cannot be trusted rejects the row.
/// </remarks>
internal sealed class RowReader
{
    private const int KeptRaw = 64 << 10;
    private const int MostNumber = 40;
    private const int MostCount = 9_999_999;
    private const int MostTerm = 1_200;
    private static readonly CompositeFormat Usd = CompositeFormat.Parse("{0:0.00}");

    private readonly Layout _layout;
    private readonly ColumnUse[] _uses;
    private readonly bool[] _demographic;
    private readonly int _width;
    private readonly int _nameColumn;
    private readonly TextRepair _textRepair;
    private readonly TextRepair _nameRepair;
    private readonly string?[] _zips = new string?[100_000];
    private readonly TextPool _pool = new();
    private readonly TextCleaner _text;
    private readonly ContentHash _hash = new();
    private RowFindings _findings = new();
    private readonly ReaderLimits _limits;
    private int _countyFips;

    public RowReader(FileShape shape, Layout layout, ReaderLimits limits)
    {
        _layout = layout;
        _limits = limits;
        _uses = [.. layout.Columns];
        _demographic = [.. shape.Header.Select(Headings.IsDemographic)];
        _width = Width(shape.Header);
        _nameColumn = Array.Find(_uses, use => use.Field == LoanField.BorrowerName)?.Index ?? -1;
        _textRepair = layout.Options.RepairText ? TextRepair.Published : TextRepair.None;
        _nameRepair = layout.Options.RepairText && layout.Source == LoanSource.Sba ? TextRepair.Published | TextRepair.Apostrophes : _textRepair;
        _text = new TextCleaner(_pool);
    }

    /// <summary>Columns up to the last that has a heading: what a record must have. Empty headings at the end are allowed, and so are empty cells there.</summary>
    public static int Width(IReadOnlyList<string> header)
    {
        var width = header.Count;
        while (width > 0 && header[width - 1].Length == 0)
            width--;

        return width;
    }

    /// <summary>Columns in which a value cannot run over several lines, because it is no text.</summary>
    public static bool[] SingleLineColumns(FileShape shape, Layout layout)
    {
        var single = new bool[shape.Header.Count];
        foreach (var use in layout.Columns)
            single[use.Index] = LoanFields.Kind(use.Field) is not (LoanValueKind.Text or LoanValueKind.Code);

        return single;
    }

    /// <summary>Fills a row from the record that the splitter stands on.</summary>
    public void Read(RecordSplitter record, RecordKind kind, PortfolioRow row)
    {
        var facts = row.Facts;
        facts.Clear();
        facts.Source = _layout.Source;
        _findings.Clear();
        _countyFips = 0;
        row.Line = record.Line;

        if (kind == RecordKind.Record)
            ReadCells(record, facts);
        else if (kind == RecordKind.QuoteUnclosed)
            _findings.Reject(FindingCodes.QuoteUnclosed, "", record.Raw);
        else
            _findings.Reject(FindingCodes.RecordTooLong, "", record.Raw, _limits.MaxRecordBytes.ToString(CultureInfo.InvariantCulture));

        if (!_findings.Rejects)
            facts.ContentHash = _hash.Of(facts);

        row.Outcome = _findings.Rejects ? RowOutcome.Rejected : _findings.Corrects ? RowOutcome.Corrected : RowOutcome.Accepted;
        row.Findings = _findings.List;
        row.Raw = row.Outcome == RowOutcome.Accepted ? "" : Raw(record);
    }

    private void ReadCells(RecordSplitter record, LoanFacts facts)
    {
        if (record.Raw.Contains((byte)0))
            FindNul(record);

        var width = record.CellCount;
        while (width > _width && width <= _limits.MaxColumns && record.Cell(width - 1).Trim(" \t"u8).IsEmpty)
            width--;

        var shifted = false;
        if (width == _width + 1 && IsSplitName(record))
            shifted = true;
        else if (width != _width)
            RejectWidth(record, facts);

        if (width != _width && !shifted)
            return;

        if (record.HasStrayQuote)
            _findings.Correct(FindingCodes.QuoteStray, "", "\""u8, "\"\"");

        foreach (var use in _uses)
        {
            var cell = record.Cell(shifted && use.Index > _nameColumn ? use.Index + 1 : use.Index);
            if (shifted && use.Index == _nameColumn)
                ReadSplitName(record, use, facts);
            else if (!cell.IsEmpty)
                Read(use, cell, facts);
        }

        if (facts.State is null && _countyFips > 0)
            facts.State = PlaceText.StateOfCounty(_countyFips);

        Identify(record, facts);
        if (!_findings.Rejects)
            Compare(facts);
    }

    private void Read(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts)
    {
        switch (use.Field)
        {
            case LoanField.LoanNumber:
                ReadNumber(use, cell, facts);
                return;
            case LoanField.BorrowerName:
                facts.BorrowerName = Text(use, cell, 200, _nameRepair, pooled: false);
                return;
            case LoanField.Street:
                facts.Street = Text(use, cell, 200, _textRepair, pooled: false);
                return;
            case LoanField.City:
                facts.City = Text(use, cell, 100, _textRepair, pooled: true);
                return;
            case LoanField.LenderName:
                facts.LenderName = Text(use, cell, 200, _textRepair, pooled: true);
                return;
            case LoanField.IndustryTitle:
                facts.IndustryTitle = Text(use, cell, 200, _textRepair, pooled: true);
                return;
            case LoanField.County:
                facts.County = Code(use, cell, 100);
                return;
            default:
                var trimmed = Unguard(cell.Trim(" \t"u8));
                if (!trimmed.IsEmpty)
                    ReadValue(use, trimmed, facts);
                return;
        }
    }

    private void ReadValue(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts)
    {
        switch (use.Field)
        {
            case LoanField.Disbursed:
                facts.Disbursed = Money(use, cell);
                break;
            case LoanField.Approved:
                facts.Approved = Money(use, cell);
                break;
            case LoanField.Guaranteed:
                facts.Guaranteed = Money(use, cell);
                break;
            case LoanField.ChargedOff:
                facts.ChargedOff = Money(use, cell);
                break;
            case LoanField.Balance:
                facts.Balance = Money(use, cell);
                break;
            case LoanField.AmountRange:
                ReadRange(use, cell, facts);
                break;
            case LoanField.ApprovedOn:
                facts.ApprovedOn = Date(use, cell);
                break;
            case LoanField.DisbursedOn:
                facts.DisbursedOn = Date(use, cell);
                break;
            case LoanField.ChargedOffOn:
                facts.ChargedOffOn = Date(use, cell);
                break;
            case LoanField.PaidInFullOn:
                facts.PaidInFullOn = Date(use, cell);
                break;
            case LoanField.State:
                facts.State = State(use, cell);
                break;
            case LoanField.LenderState:
                facts.LenderState = State(use, cell);
                break;
            case LoanField.Zip:
                facts.Zip = Zip(use, cell);
                break;
            case LoanField.CountyFips:
                _countyFips = CodeText.TryCount(cell, out var fips) ? (int)Math.Clamp(fips, 0, 99_999) : 0;
                break;
            case LoanField.Naics:
                facts.Naics = Naics(use, cell);
                break;
            case LoanField.ApprovalFiscalYear:
                facts.ApprovalFiscalYear = FiscalYear(use, cell);
                break;
            case LoanField.TermMonths:
                facts.TermMonths = Term(use, cell);
                break;
            case LoanField.Employees:
                facts.Employees = Count(use, cell, 0, MostCount);
                break;
            case LoanField.JobsCreated:
                facts.JobsCreated = Count(use, cell, 0, MostCount);
                break;
            case LoanField.JobsRetained:
                facts.JobsRetained = Count(use, cell, 0, MostCount);
                break;
            default:
                ReadCode(use, cell, facts);
                break;
        }
    }

    private void ReadCode(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts)
    {
        var known = true;
        switch (use.Field)
        {
            case LoanField.Revolving:
                known = CodeText.TryFlag(cell, _layout.Options.ZeroIsNoAnswer, out var revolving);
                facts.Revolving = revolving;
                break;
            case LoanField.LowDocumentation:
                known = CodeText.TryFlag(cell, _layout.Options.ZeroIsNoAnswer, out var lowDocumentation);
                facts.LowDocumentation = lowDocumentation;
                break;
            case LoanField.NonProfit:
                known = CodeText.TryFlag(cell, _layout.Options.ZeroIsNoAnswer, out var nonProfit);
                facts.NonProfit = nonProfit;
                break;
            case LoanField.FixedRate:
                known = CodeText.TryFixedRate(cell, out var isFixed);
                facts.FixedRate = isFixed;
                break;
            case LoanField.UrbanRural:
                known = CodeText.TryUrbanRural(cell, out var place);
                facts.UrbanRural = place;
                break;
            case LoanField.BusinessAge:
                known = CodeText.TryBusinessAge(cell, out var age);
                facts.BusinessAge = age;
                break;
            case LoanField.Status:
                if (!CodeText.TryStatus(cell, out var status))
                    _findings.Drop(FindingCodes.StatusUnknown, use.Column, cell);
                facts.Status = status;
                break;
            case LoanField.InterestRatePercent:
                facts.InterestRatePercent = Percent(use, cell);
                break;
            case LoanField.BusinessType:
                facts.BusinessType = Code(use, cell, 60) is var type && type == "Sole Oroprietor" ? "Sole Proprietor" : type;
                break;
            case LoanField.FranchiseCode:
                facts.FranchiseCode = _layout.Source == LoanSource.Sba && (cell.SequenceEqual("0"u8) || cell.SequenceEqual("1"u8)) ? null : Code(use, cell, 20);
                break;
            case LoanField.ProcessingMethod:
                facts.ProcessingMethod = Code(use, cell, 60);
                break;
            case LoanField.CongressionalDistrict:
                facts.CongressionalDistrict = District(use, cell);
                break;
            default:
                throw new InvalidOperationException($"No rule reads {use.Field}.");
        }

        if (!known)
            _findings.Drop(FindingCodes.CodeUnknown, use.Column, cell);
    }

    /// <summary>SBA numbers have ten digits; a spreadsheet takes leading zeros off and adds a decimal, both are put right. Others are taken as text.</summary>
    private void ReadNumber(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts)
    {
        var number = _text.Clean(Unguard(cell), 2 * MostNumber, TextRepair.None, pooled: false, out var change);
        if (number is null)
            return;

        facts.Number = number.Length > MostNumber ? number[..MostNumber] : number;
        if (number.Length > MostNumber)
        {
            _findings.Reject(FindingCodes.NumberTooLong, use.Column, cell, MostNumber.ToString(CultureInfo.InvariantCulture));
            return;
        }

        if ((change & TextChange.Unreadable) != TextChange.None || LostDigits(number))
            _findings.Reject(FindingCodes.NumberUnreadable, use.Column, cell);
        else if (_layout.Source == LoanSource.Sba)
            ReadSbaNumber(use, cell, facts, number);
        else if (change != TextChange.None)
            _findings.Correct(FindingCodes.TextInvisible, use.Column, cell, number);
    }

    private void ReadSbaNumber(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts, string number)
    {
        if (number.EndsWith(".0", StringComparison.Ordinal))
            number = number[..^2];

        if (number.Length is 0 or > 10 || number.AsSpan().ContainsAnyExceptInRange('0', '9') || !number.AsSpan().ContainsAnyInRange('1', '9'))
            _findings.Reject(FindingCodes.NumberUnreadable, use.Column, cell, "10 digits");
        else
            facts.Number = number.PadLeft(10, '0');
    }

    /// <summary>1.000014E+09: a spreadsheet has replaced a long number by its first digits.</summary>
    private static bool LostDigits(string number)
    {
        var e = number.AsSpan().IndexOfAny('E', 'e');
        return e > 2 && number[1] is '.' or ',' && e + 2 < number.Length && number[e + 1] == '+'
            && !number.AsSpan(2, e - 2).ContainsAnyExceptInRange('0', '9') && !number.AsSpan(e + 2).ContainsAnyExceptInRange('0', '9');
    }

    private void Identify(RecordSplitter record, LoanFacts facts)
    {
        if (facts.Number.Length > 0 || _findings.Rejects)
            return;

        if (IsBlank(record))
            _findings.Reject(FindingCodes.RowBlank, "", default);
        else if (_layout.HasNumber)
            _findings.Reject(FindingCodes.NumberMissing, Array.Find(_uses, use => use.Field == LoanField.LoanNumber)?.Column ?? "", default);
        else
            facts.Number = _hash.NumberFor(facts);
    }

    private decimal? Money(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        var reading = MoneyText.Read(cell, _layout.Options.DecimalComma, out var amount);
        switch (reading)
        {
            case MoneyReading.Exact when amount < 0m:
                _findings.Reject(FindingCodes.MoneyNegative, use.Column, cell, "0.00");
                return amount;
            case MoneyReading.Exact:
                return amount;
            case MoneyReading.Rounded when amount < 0m:
                _findings.Reject(FindingCodes.MoneyNegative, use.Column, cell, "0.00");
                return amount;
            case MoneyReading.Rounded:
                _findings.Correct(FindingCodes.MoneyRounded, use.Column, cell, string.Format(CultureInfo.InvariantCulture, Usd, amount));
                return amount;
            case MoneyReading.Ambiguous:
                _findings.Reject(FindingCodes.MoneyAmbiguous, use.Column, cell);
                return null;
            case MoneyReading.TooLarge:
                _findings.Reject(FindingCodes.MoneyTooLarge, use.Column, cell, "999999999999.99");
                return null;
            default:
                if (CodeText.IsNoAnswer(cell))
                    _findings.Drop(FindingCodes.MoneyWord, use.Column, cell);
                else
                    _findings.Reject(FindingCodes.MoneyUnreadable, use.Column, cell);
                return null;
        }
    }

    private void ReadRange(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts)
    {
        if (AmountRangeText.TryRead(cell, out var from, out var to))
            (facts.AmountFrom, facts.AmountTo) = (from, to);
        else
            _findings.Reject(FindingCodes.RangeUnreadable, use.Column, cell);
    }

    private DateOnly? Date(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (_layout.Options.EpochIsUnknown && cell.StartsWith("1970-01-01"u8))
        {
            _findings.Drop(FindingCodes.DateEpoch, use.Column, cell);
            return null;
        }

        switch (DateText.Read(cell, _layout.Options.Dates, out var date))
        {
            case DateReading.Exact:
                return date;
            case DateReading.OutOfRange:
                _findings.Drop(FindingCodes.DateOutOfRange, use.Column, cell, "1953-01-01 to 2100-12-31");
                return null;
            default:
                if (!CodeText.IsNoAnswer(cell))
                    _findings.Drop(FindingCodes.DateUnreadable, use.Column, cell);
                return null;
        }
    }

    private int? Count(ColumnUse use, ReadOnlySpan<byte> cell, int least, int most)
    {
        if (!CodeText.TryCount(cell, out var count))
        {
            if (!CodeText.IsNoAnswer(cell))
                _findings.Drop(FindingCodes.CountUnreadable, use.Column, cell);
            return null;
        }

        if (count >= least && count <= most)
            return (int)count;

        _findings.Drop(FindingCodes.CountOutOfRange, use.Column, cell, string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"));
        return null;
    }

    private int? Term(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (CodeText.TryCount(cell, out var term) && term == 0)
        {
            _findings.Drop(FindingCodes.TermZero, use.Column, cell, "1 to 1200");
            return null;
        }

        return Count(use, cell, 1, MostTerm);
    }

    /// <summary>1976A is the quarter between two definitions of the fiscal year; it is counted with 1976.</summary>
    private int? FiscalYear(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (cell.Length != 5 || !char.IsAsciiLetter((char)cell[4]))
            return Count(use, cell, 1953, 2100);

        var year = Count(use, cell[..4], 1953, 2100);
        if (year is { } known)
            _findings.Correct(FindingCodes.FiscalYearLetter, use.Column, cell, known.ToString(CultureInfo.InvariantCulture));
        return year;
    }

    private decimal? Percent(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        var number = cell.TrimEnd("% "u8);
        Span<char> text = stackalloc char[24];
        if (number.Length > text.Length || !Ascii.IsValid(number))
            number = default;

        Encoding.ASCII.GetChars(number, text);
        text = text[..number.Length];
        if (_layout.Options.DecimalComma)
            text.Replace(',', '.');

        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var rate))
        {
            if (!CodeText.IsNoAnswer(cell))
                _findings.Drop(FindingCodes.RateUnreadable, use.Column, cell);
            return null;
        }

        if (rate is >= 0m and <= 100m)
            return decimal.Round(rate, 6) + 0.000000m;

        _findings.Drop(FindingCodes.RateOutOfRange, use.Column, cell, "0 to 100");
        return null;
    }

    private string? State(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        var state = PlaceText.State(cell);
        if (state is null && !CodeText.IsNoAnswer(cell))
            _findings.Drop(FindingCodes.StateUnknown, use.Column, cell);
        return state;
    }

    private string? Zip(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (PlaceText.TryZip(cell, out var zip))
            return zip == 0 ? null : _zips[zip] ??= zip.ToString("00000", CultureInfo.InvariantCulture);

        if (!CodeText.IsNoAnswer(cell))
            _findings.Drop(FindingCodes.ZipUnreadable, use.Column, cell, "00501 to 99999");
        return null;
    }

    private string? Naics(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (cell.EndsWith(".0"u8))
            cell = cell[..^2];
        if (cell.Length == 6 && !cell.ContainsAnyExceptInRange((byte)'0', (byte)'9') && cell[0] != '0')
            return _pool.Ascii(cell);

        if (!cell.SequenceEqual("0"u8) && !CodeText.IsNoAnswer(cell))
            _findings.Drop(FindingCodes.NaicsUnreadable, use.Column, cell, "6 digits");
        return null;
    }

    /// <summary><c>1</c>, <c>1.0</c>, <c>01</c> are one district; <c>MT - 00</c> is written MT-00.</summary>
    private string? District(ColumnUse use, ReadOnlySpan<byte> cell)
    {
        if (CodeText.TryCount(cell, out var number) && number is >= 0 and <= 99)
            return number.ToString("00", CultureInfo.InvariantCulture);

        return Code(use, cell, 20)?.Replace(" - ", "-", StringComparison.Ordinal);
    }

    private string? Code(ColumnUse use, ReadOnlySpan<byte> cell, int most) =>
        CodeText.IsNoAnswer(cell.Trim((byte)' ')) ? null : Text(use, cell, most, _textRepair, pooled: true);

    private string? Text(ColumnUse use, ReadOnlySpan<byte> cell, int most, TextRepair repair, bool pooled)
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
                _findings.Correct(code, use.Column, cell, text, one == TextChange.Cut ? most.ToString(CultureInfo.InvariantCulture) : null);
        }
    }

    private static readonly (TextChange Change, string Code)[] TextFindings =
    [
        (TextChange.Unreadable, FindingCodes.TextUnreadable),
        (TextChange.Invisible, FindingCodes.TextInvisible),
        (TextChange.Entity, FindingCodes.TextEntity),
        (TextChange.Mojibake, FindingCodes.TextMojibake),
        (TextChange.Apostrophe, FindingCodes.TextApostrophe),
        (TextChange.Cut, FindingCodes.TextCut),
    ];

    /// <summary>Facts that do not fit together. Each may be true (interest is charged off too, a debt is paid after all), so all are kept.</summary>
    private void Compare(LoanFacts facts)
    {
        if (facts.ChargedOff > facts.Disbursed && facts.Disbursed is { } disbursed)
            Note(FindingCodes.ChargeOffAboveDisbursed, LoanField.ChargedOff, facts.ChargedOff ?? 0m, disbursed);
        if (facts.Guaranteed > facts.Approved && facts.Approved is { } approved)
            Note(FindingCodes.GuaranteedAboveApproved, LoanField.Guaranteed, facts.Guaranteed ?? 0m, approved);
        if (facts.Status == LoanStatus.PaidInFull && facts.ChargedOffOn is { } chargedOffOn)
            _findings.Note(FindingCodes.PaidWithChargeOff, Column(LoanField.ChargedOffOn), Iso(chargedOffOn));
        if (facts is { Status: LoanStatus.ChargedOff, ChargedOffOn: null } && Column(LoanField.ChargedOffOn) is { Length: > 0 } column)
            _findings.Note(FindingCodes.ChargeOffUndated, column, "");
        if (facts.DisbursedOn < facts.ApprovedOn && facts is { DisbursedOn: { } paid, ApprovedOn: { } agreed })
            _findings.Note(FindingCodes.DisbursedBeforeApproved, Column(LoanField.DisbursedOn), Iso(paid), Iso(agreed));
    }

    private void Note(string code, LoanField field, decimal value, decimal limit) => _findings.Note(
        code, Column(field), string.Format(CultureInfo.InvariantCulture, Usd, value), string.Format(CultureInfo.InvariantCulture, Usd, limit));

    private static string Iso(DateOnly date) => date.ToString("O", CultureInfo.InvariantCulture);

    private string Column(LoanField field) => Array.Find(_uses, use => use.Field == field)?.Column ?? "";

    private void FindNul(RecordSplitter record)
    {
        for (var i = 0; i < record.CellCount && i <= _limits.MaxColumns; i++)
        {
            if (!record.Cell(i).Contains((byte)0))
                continue;

            var use = Array.Find(_uses, use => use.Index == i);
            _findings.Reject(FindingCodes.RowNul, use?.Column ?? (i + 1).ToString(CultureInfo.InvariantCulture), record.Cell(i));
            return;
        }
    }

    private void RejectWidth(RecordSplitter record, LoanFacts facts)
    {
        _findings.RejectCount(record.CellCount < _width ? FindingCodes.TooFewColumns : FindingCodes.TooManyColumns, record.CellCount, _width);

        // The first column stands where it should, whatever is wrong further on: it tells staff which loan it is.
        if (_uses.Length > 0 && _uses[0] is { Index: 0, Field: LoanField.LoanNumber } number && record.CellCount > 0)
            ReadNumber(number, record.Cell(0), facts);
    }

    private static bool IsBlank(RecordSplitter record)
    {
        for (var i = 0; i < record.CellCount; i++)
        {
            if (!record.Cell(i).Trim(" \t"u8).IsEmpty)
                return false;
        }

        return true;
    }

    /// <summary>
    /// Whether the one cell too many is the second half of a name that was divided at its comma. It is believed only where that half shows it (it starts
    /// with a blank or ends with a lone quotation mark), the next cell does not, and every later cell then reads without a finding.
    /// </summary>
    private bool IsSplitName(RecordSplitter record)
    {
        if (!_layout.Options.RepairText || _nameColumn < 0 || _nameColumn + 2 >= record.CellCount)
            return false;

        if (!LooksCutOff(record.Cell(_nameColumn + 1)) || LooksCutOff(record.Cell(_nameColumn + 2)))
            return false;

        var findings = _findings;
        _findings = new RowFindings();
        var trial = new LoanFacts();
        foreach (var use in _uses)
        {
            var cell = record.Cell(use.Index > _nameColumn ? use.Index + 1 : use.Index);
            if (use.Index != _nameColumn && !cell.IsEmpty)
                Read(use, cell, trial);
        }

        var fits = _findings.List.Count == 0;
        _findings = findings;
        return fits;
    }

    private static bool LooksCutOff(ReadOnlySpan<byte> cell) =>
        cell.Length > 1 && (cell[0] == ' ' || (cell[^1] == '"' && cell.Count((byte)'"') == 1));

    private void ReadSplitName(RecordSplitter record, ColumnUse use, LoanFacts facts)
    {
        var first = Encoding.UTF8.GetString(record.Cell(_nameColumn)).Trim();
        var second = Encoding.UTF8.GetString(record.Cell(_nameColumn + 1)).Trim().TrimEnd('"');
        var joined = Encoding.UTF8.GetBytes($"{first}, {second}");
        facts.BorrowerName = Text(use, joined, 200, _nameRepair, pooled: false);
        var asItStands = Encoding.UTF8.GetBytes($"{first} | {Encoding.UTF8.GetString(record.Cell(_nameColumn + 1))}");
        _findings.Correct(FindingCodes.NameSplit, use.Column, asItStands, facts.BorrowerName);
    }

    /// <summary>Takes off the apostrophe that <see cref="CsvText"/> puts before = + - @.</summary>
    private static ReadOnlySpan<byte> Unguard(ReadOnlySpan<byte> cell) =>
        cell.Length > 1 && cell[0] == '\'' && CsvText.StartsFormula((char)cell[1]) ? cell[1..] : cell;

    /// <summary>The record as it stands, with demographic answers blanked out where the columns can be told apart.</summary>
    internal string Raw(RecordSplitter record)
    {
        if (record.CellCount < _width || !_demographic.Contains(true))
            return Kept(record.Raw);

        var raw = new StringBuilder();
        for (var i = 0; i < record.CellCount && i < _limits.MaxColumns && raw.Length < KeptRaw; i++)
        {
            if (i > 0)
                raw.Append((char)record.Delimiter);
            if (i >= _demographic.Length || !_demographic[i])
                raw.Append(Kept(record.RawCell(i)));
        }

        return raw.Length > KeptRaw ? raw.ToString(0, KeptRaw) : raw.ToString();
    }

    private static string Kept(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, KeptRaw)]);
}
