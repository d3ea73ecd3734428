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
    private const int MostUnfit = 3;
    private const int MostCount = 9_999_999;

    private readonly Layout _layout;
    private readonly ColumnUse[] _uses;
    private readonly bool[] _demographic;
    private readonly int _width;
    private readonly int _nameColumn;
    private readonly int _sourceColumn;
    private readonly TextRepair _textRepair;
    private readonly TextRepair _nameRepair;
    private readonly ValueReader _values;
    private readonly ContentHash _hash = new();
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
        _sourceColumn = layout.Name == Layouts.CaminoName ? Headings.Find(shape.Header, "Source") : -1;
        _textRepair = layout.Options.RepairText ? TextRepair.Published : TextRepair.None;
        _nameRepair = layout.Options.RepairText && layout.Source == LoanSource.Sba ? TextRepair.Published | TextRepair.Apostrophes : _textRepair;
        _values = new ValueReader(layout.Options);
    }

    /// <summary>Columns up to the last that has a heading: what a record must have. Beyond it empty headings and cells are allowed.</summary>
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
        _values.Findings.Clear();
        _countyFips = 0;
        row.Line = record.Line;

        if (kind == RecordKind.Record)
            ReadCells(record, facts);
        else if (kind == RecordKind.QuoteUnclosed)
            _values.Findings.Reject(FindingCodes.QuoteUnclosed, "", Start(record));
        else
            _values.Findings.Reject(FindingCodes.RecordTooLong, "", Start(record), _limits.MaxRecordBytes.ToString(CultureInfo.InvariantCulture));

        if (!_values.Findings.Rejects)
            facts.ContentHash = _hash.Of(facts);

        row.Outcome = _values.Findings.Rejects ? RowOutcome.Rejected : _values.Findings.Corrects ? RowOutcome.Corrected : RowOutcome.Accepted;
        row.Findings = _values.Findings.List;
        row.Raw = row.Outcome == RowOutcome.Accepted ? "" : Raw(record);
    }

    /// <summary>What a finding shows of a record without cells: nothing where a demographic answer could be in it.</summary>
    private ReadOnlySpan<byte> Start(RecordSplitter record) => _demographic.Contains(true) ? default : record.Raw;

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
            _values.Findings.Correct(FindingCodes.QuoteStray, "", "\""u8, "\"\"");

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

        RefuseShifted();
        RefuseForeign(record);
        Identify(record, facts);
        if (!_values.Findings.Rejects)
            Compare(facts);
    }

    /// <summary>
    /// Our own export names the source of each loan. A number of the SBA in Camino's template would be another loan, with a part of the facts only, and the
    /// portfolio would hold it twice.
    /// </summary>
    private void RefuseForeign(RecordSplitter record)
    {
        if (_sourceColumn < 0)
            return;
        var source = record.Cell(_sourceColumn).Trim(" \t"u8);
        if (Ascii.EqualsIgnoreCase(source, "Sba"u8) || Ascii.EqualsIgnoreCase(source, "Ppp"u8) || Ascii.EqualsIgnoreCase(source, "Eidl"u8))
            _values.Findings.Reject(FindingCodes.SourceForeign, "Source", source);
    }

    private void Read(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts)
    {
        switch (use.Field)
        {
            case LoanField.LoanNumber:
                ReadNumber(use, cell, facts);
                return;
            case LoanField.BorrowerName:
                facts.BorrowerName = _values.Text(use, cell, 200, _nameRepair, pooled: false);
                return;
            case LoanField.Street:
                facts.Street = _values.Text(use, cell, 200, _textRepair, pooled: false);
                return;
            case LoanField.City:
                facts.City = _values.Text(use, cell, 100, _textRepair, pooled: true);
                return;
            case LoanField.LenderName:
                facts.LenderName = _values.Text(use, cell, 200, _textRepair, pooled: true);
                return;
            case LoanField.IndustryTitle:
                facts.IndustryTitle = _values.Text(use, cell, 200, _textRepair, pooled: true);
                return;
            case LoanField.County:
                facts.County = _values.Code(use, cell, 100);
                return;
            default:
                var trimmed = ValueReader.Unguard(cell.Trim(" \t"u8));
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
                facts.Disbursed = _values.Money(use, cell);
                break;
            case LoanField.Approved:
                facts.Approved = _values.Money(use, cell);
                break;
            case LoanField.Guaranteed:
                facts.Guaranteed = _values.Money(use, cell);
                break;
            case LoanField.ChargedOff:
                facts.ChargedOff = _values.Money(use, cell);
                break;
            case LoanField.Balance:
                facts.Balance = _values.Money(use, cell);
                break;
            case LoanField.AmountRange:
                ReadRange(use, cell, facts);
                break;
            case LoanField.ApprovedOn:
                facts.ApprovedOn = _values.Date(use, cell);
                break;
            case LoanField.DisbursedOn:
                facts.DisbursedOn = _values.Date(use, cell);
                break;
            case LoanField.ChargedOffOn:
                facts.ChargedOffOn = _values.Date(use, cell);
                break;
            case LoanField.PaidInFullOn:
                facts.PaidInFullOn = _values.Date(use, cell);
                break;
            case LoanField.State:
                facts.State = _values.State(use, cell);
                break;
            case LoanField.LenderState:
                facts.LenderState = _values.State(use, cell);
                break;
            case LoanField.Zip:
                facts.Zip = _values.Zip(use, cell);
                break;
            case LoanField.CountyFips:
                _countyFips = CodeText.TryCount(cell, out var fips) ? (int)Math.Clamp(fips, 0, 99_999) : 0;
                break;
            case LoanField.Naics:
                facts.Naics = _values.Naics(use, cell);
                break;
            case LoanField.ApprovalFiscalYear:
                facts.ApprovalFiscalYear = _values.FiscalYear(use, cell);
                break;
            case LoanField.TermMonths:
                facts.TermMonths = _values.Term(use, cell);
                break;
            case LoanField.Employees:
                facts.Employees = _values.Count(use, cell, 0, MostCount);
                break;
            case LoanField.JobsCreated:
                facts.JobsCreated = _values.Count(use, cell, 0, MostCount);
                break;
            case LoanField.JobsRetained:
                facts.JobsRetained = _values.Count(use, cell, 0, MostCount);
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
                    _values.Findings.Drop(FindingCodes.StatusUnknown, use.Column, cell);
                facts.Status = status;
                break;
            case LoanField.InterestRatePercent:
                facts.InterestRatePercent = _values.Percent(use, cell);
                break;
            case LoanField.BusinessType:
                facts.BusinessType = _values.Code(use, cell, 60) is var type && type == "Sole Oroprietor" ? "Sole Proprietor" : type;
                break;
            case LoanField.FranchiseCode:
                var none = _layout.Source == LoanSource.Sba && (cell.SequenceEqual("0"u8) || cell.SequenceEqual("1"u8));
                facts.FranchiseCode = none ? null : _values.Code(use, cell, 20);
                break;
            case LoanField.ProcessingMethod:
                facts.ProcessingMethod = _values.Code(use, cell, 60);
                break;
            case LoanField.CongressionalDistrict:
                facts.CongressionalDistrict = _values.District(use, cell);
                break;
            default:
                throw new InvalidOperationException($"No rule reads {use.Field}.");
        }

        if (!known)
            _values.Findings.Drop(FindingCodes.CodeUnknown, use.Column, cell);
    }

    /// <summary>SBA numbers have ten digits; a spreadsheet takes leading zeros off and adds a decimal, both are put right. Others are taken as text.</summary>
    private void ReadNumber(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts)
    {
        var number = _values.Clean(ValueReader.Unguard(cell), 2 * MostNumber, out var change);
        if (number is null)
            return;

        facts.Number = Shown.Cut(number, MostNumber);
        if (number.Length > MostNumber)
        {
            _values.Findings.Reject(FindingCodes.NumberTooLong, use.Column, cell, MostNumber.ToString(CultureInfo.InvariantCulture));
            return;
        }

        if ((change & TextChange.Unreadable) != TextChange.None || LostDigits(number))
            _values.Findings.Reject(FindingCodes.NumberUnreadable, use.Column, cell);
        else if (_layout.Source == LoanSource.Sba)
            ReadSbaNumber(use, cell, facts, number);
        else if (change != TextChange.None)
            _values.Findings.Correct(FindingCodes.TextInvisible, use.Column, cell, number);
    }

    private void ReadSbaNumber(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts, string number)
    {
        if (number.EndsWith(".0", StringComparison.Ordinal))
            number = number[..^2];

        if (number.Length is 0 or > 10 || number.AsSpan().ContainsAnyExceptInRange('0', '9') || !number.AsSpan().ContainsAnyInRange('1', '9'))
            _values.Findings.Reject(FindingCodes.NumberUnreadable, use.Column, cell, "10 digits");
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
        if (facts.Number.Length > 0 || _values.Findings.Rejects)
            return;

        if (IsBlank(record))
            _values.Findings.Reject(FindingCodes.RowBlank, "", default);
        else if (_layout.HasNumber)
            _values.Findings.Reject(FindingCodes.NumberMissing, Array.Find(_uses, use => use.Field == LoanField.LoanNumber)?.Column ?? "", default);
        else
            facts.Number = _hash.NumberFor(facts);
    }

    private void ReadRange(ColumnUse use, ReadOnlySpan<byte> cell, LoanFacts facts)
    {
        if (AmountRangeText.TryRead(cell, out var from, out var to))
            (facts.AmountFrom, facts.AmountTo) = (from, to);
        else
            _values.Findings.Reject(FindingCodes.RangeUnreadable, use.Column, cell);
    }

    /// <summary>Facts that do not fit together. Each may be true (interest is charged off too, a debt is paid after all), so all are kept.</summary>
    private void Compare(LoanFacts facts)
    {
        if (facts.ChargedOff > facts.Disbursed && facts.Disbursed is { } disbursed)
            Note(FindingCodes.ChargeOffAboveDisbursed, LoanField.ChargedOff, facts.ChargedOff ?? 0m, disbursed);
        if (facts.Guaranteed > facts.Approved && facts.Approved is { } approved)
            Note(FindingCodes.GuaranteedAboveApproved, LoanField.Guaranteed, facts.Guaranteed ?? 0m, approved);
        if (facts.Status == LoanStatus.PaidInFull && facts.ChargedOffOn is { } chargedOffOn)
            _values.Findings.Note(FindingCodes.PaidWithChargeOff, Column(LoanField.ChargedOffOn), Iso(chargedOffOn));
        if (facts is { Status: LoanStatus.ChargedOff, ChargedOffOn: null } && Column(LoanField.ChargedOffOn) is { Length: > 0 } column)
            _values.Findings.Note(FindingCodes.ChargeOffUndated, column, "");
        if (facts.DisbursedOn < facts.ApprovedOn && facts is { DisbursedOn: { } paid, ApprovedOn: { } agreed })
            _values.Findings.Note(FindingCodes.DisbursedBeforeApproved, Column(LoanField.DisbursedOn), Iso(paid), Iso(agreed));
    }

    private void Note(string code, LoanField field, decimal value, decimal limit) =>
        _values.Findings.Note(code, Column(field), Dollars(value), Dollars(limit));

    private static string Dollars(decimal amount) => string.Format(CultureInfo.InvariantCulture, ValueReader.Usd, amount);

    private static string Iso(DateOnly date) => date.ToString("O", CultureInfo.InvariantCulture);

    private string Column(LoanField field) => Array.Find(_uses, use => use.Field == field)?.Column ?? "";

    private void FindNul(RecordSplitter record)
    {
        for (var i = 0; i < record.CellCount && i <= _limits.MaxColumns; i++)
        {
            if (!record.Cell(i).Contains((byte)0))
                continue;

            var use = Array.Find(_uses, use => use.Index == i);
            _values.Findings.Reject(FindingCodes.RowNul, use?.Column ?? (i + 1).ToString(CultureInfo.InvariantCulture), record.Cell(i));
            return;
        }
    }

    private void RejectWidth(RecordSplitter record, LoanFacts facts)
    {
        _values.Findings.RejectCount(record.CellCount < _width ? FindingCodes.TooFewColumns : FindingCodes.TooManyColumns, record.CellCount, _width);

        // The first column stands where it should, whatever is wrong further on: it tells staff which loan it is.
        if (_uses.Length > 0 && _uses[0] is { Index: 0, Field: LoanField.LoanNumber } number && record.CellCount > 0)
            ReadNumber(number, record.Cell(0), facts);
    }

    private void RefuseShifted()
    {
        var unfit = 0;
        for (var i = 0; i < _values.Findings.List.Count; i++)
            unfit += FindingCodes.IsUnfit(_values.Findings.List[i].Code) ? 1 : 0;

        if (unfit > MostUnfit)
            _values.Findings.RejectCount(FindingCodes.RowUnfit, unfit, MostUnfit);
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

        var findings = _values.Findings;
        _values.Findings = new RowFindings();
        var trial = new LoanFacts();
        foreach (var use in _uses)
        {
            var cell = record.Cell(use.Index > _nameColumn ? use.Index + 1 : use.Index);
            if (use.Index != _nameColumn && !cell.IsEmpty)
                Read(use, cell, trial);
        }

        var fits = _values.Findings.List.Count == 0;
        _values.Findings = findings;
        return fits;
    }

    private static bool LooksCutOff(ReadOnlySpan<byte> cell) =>
        cell.Length > 1 && (cell[0] == ' ' || (cell[^1] == '"' && cell.Count((byte)'"') == 1));

    private void ReadSplitName(RecordSplitter record, ColumnUse use, LoanFacts facts)
    {
        var first = Encoding.UTF8.GetString(record.Cell(_nameColumn)).Trim();
        var second = Encoding.UTF8.GetString(record.Cell(_nameColumn + 1)).Trim().TrimEnd('"');
        var joined = Encoding.UTF8.GetBytes($"{first}, {second}");
        facts.BorrowerName = _values.Text(use, joined, 200, _nameRepair, pooled: false);
        var asItStands = Encoding.UTF8.GetBytes($"{first} | {Encoding.UTF8.GetString(record.Cell(_nameColumn + 1))}");
        _values.Findings.Correct(FindingCodes.NameSplit, use.Column, asItStands, facts.BorrowerName);
    }

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
