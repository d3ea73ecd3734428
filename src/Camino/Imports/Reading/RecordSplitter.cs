using System.Diagnostics;

namespace Camino.Imports;

/// <summary>What <see cref="RecordSplitter.Next"/> found.</summary>
internal enum RecordKind
{
    /// <summary>The stream is at its end.</summary>
    End,

    /// <summary>A record; its cells can be read.</summary>
    Record,

    /// <summary>A quoted value was not closed: only the line on which the record began was taken, and it has no cells.</summary>
    QuoteUnclosed,

    /// <summary>A record beyond the limit: its first line was passed over, and it has no cells.</summary>
    TooLong,
}

/// <summary>
/// Divides a stream of UTF-8 into records and cells: RFC 4180, with CR LF, LF or CR as line end.
/// </summary>
/// <remarks>
/// <para>
/// Why not CsvHelper or another library: one quotation mark that is never closed makes them take the rest of the file for one value, and a cell
/// that spans two records can put the number of one loan beside the amounts of another. Here a quoted value that crosses a line end is believed only if
/// nothing speaks against it: it closes within the limits, before a delimiter or a line end; no undoubled quotation mark stands in it; no line in it is
/// by itself a record of the right width; its column may hold several lines. Otherwise the line on which the record began is given out as broken, and
/// reading starts anew on the next line, so that damage costs one row and not the file.
/// </para>
/// <para>
/// Within one line an undoubled quotation mark in a quoted value is text (<c>"MAE"S DINER"</c>), and so is every quotation mark in an unquoted value.
/// </para>
/// <para>
/// It works on bytes, not characters: separators are ASCII, UTF-8 keeps them apart from all else, and most cells (numbers, dates, codes) are never
/// turned into strings. The buffer grows with the record up to the limit and is used again; a longer record is passed over without being held.
/// </para>
/// </remarks>
internal sealed class RecordSplitter(Stream utf8, ReaderLimits limits) : IDisposable
{
    private const int KeptOfLongRecord = 64 << 10;
    private const byte Quote = (byte)'"';
    private const byte Cr = (byte)'\r';
    private const byte Lf = (byte)'\n';

    private readonly int[] _cellStart = new int[limits.MaxColumns + 1];
    private readonly int[] _cellLength = new int[limits.MaxColumns + 1];
    private readonly bool[] _cellInScratch = new bool[limits.MaxColumns + 1];
    private readonly int[] _rawStart = new int[limits.MaxColumns + 2];
    private byte[] _buffer = new byte[256 << 10];
    private byte[] _scratch = new byte[4 << 10];
    private byte[] _longRecord = [];
    private int _scratchUsed;
    private int _start;
    private int _end;
    private bool _eof;
    private int _recordStart;
    private int _recordEnd;
    private bool _rawIsLongRecord;
    private long _nextLine = 1;

    /// <summary>Which byte divides cells.</summary>
    public byte Delimiter { get; set; } = (byte)',';

    /// <summary>Cells that a record should have; 0 while unknown.</summary>
    public int ExpectedColumns { get; set; }

    /// <summary>Columns in which a value may not run over several lines, by position.</summary>
    public bool[] SingleLineColumns { get; set; } = [];

    /// <summary>Line, from 1, on which the last record began.</summary>
    public long Line { get; private set; }

    /// <summary>Cells of the last record; those beyond <see cref="ReaderLimits.MaxColumns"/> are counted but cannot be read.</summary>
    public int CellCount { get; private set; }

    /// <summary>Whether an undoubled quotation mark stood in a quoted value.</summary>
    public bool HasStrayQuote { get; private set; }

    /// <summary>The last record as it stands in the file, without its line end; of a record that was passed over the first 64 KB.</summary>
    public ReadOnlySpan<byte> Raw => _rawIsLongRecord ? _longRecord : _buffer.AsSpan(_recordStart, _recordEnd - _recordStart);

    /// <summary>A cell of the last record, unquoted. Valid until <see cref="Next"/>.</summary>
    public ReadOnlySpan<byte> Cell(int index) =>
        (_cellInScratch[index] ? _scratch : _buffer).AsSpan(_cellStart[index], _cellLength[index]);

    /// <summary>A cell as it stands in the file, quotation marks included.</summary>
    public ReadOnlySpan<byte> RawCell(int index)
    {
        var end = index + 1 < CellCount ? _rawStart[index + 1] - 1 : _recordEnd;
        return _buffer.AsSpan(_rawStart[index], end - _rawStart[index]);
    }

    /// <summary>The bytes ahead without taking them, as many as there are up to <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> Peek(int most)
    {
        while (_end - _start < most && !_eof)
            Fill();

        return _buffer.AsSpan(_start, Math.Min(most, _end - _start));
    }

    /// <summary>Whether the stream ends with what <see cref="Peek"/> has seen.</summary>
    public bool AtEnd => _eof;

    /// <summary>Passes over bytes that <see cref="Peek"/> has shown to be one whole line.</summary>
    public void DropLine(int bytes)
    {
        _start += bytes;
        _nextLine++;
    }

    /// <summary>Finds the next record. Empty lines are not records.</summary>
    public RecordKind Next()
    {
        while (true)
        {
            if (!SkipLineEnds())
                return RecordKind.End;

            _rawIsLongRecord = false;
            Line = _nextLine;
            switch (Scan(out var after, out var lines))
            {
                case Found.NeedMore when _end - _start > limits.MaxRecordBytes:
                    PassOverLine();
                    return RecordKind.TooLong;
                case Found.NeedMore:
                    FillForLongRecord();
                    break;
                case Found.Broken:
                    TakeFirstLine();
                    return RecordKind.QuoteUnclosed;
                case Found.Whole when after - _start > limits.MaxRecordBytes:
                    PassOverLine();
                    return RecordKind.TooLong;
                default:
                    _recordStart = _start;
                    _start = after;
                    _nextLine += lines;
                    if (CellCount == 1 && Cell(0).Trim(" \t\u001A"u8).IsEmpty)
                        break;

                    return RecordKind.Record;
            }
        }
    }

    public void Dispose() => utf8.Dispose();

    private bool SkipLineEnds()
    {
        while (true)
        {
            while (_start < _end)
            {
                var first = _buffer[_start];
                if (first == Cr && _start + 1 == _end && !_eof)
                    break;
                if (first is not (Cr or Lf))
                    return true;

                _start += first == Cr && _start + 1 < _end && _buffer[_start + 1] == Lf ? 2 : 1;
                _nextLine++;
            }

            if (_eof)
                return false;

            Fill();
        }
    }

    private enum Found
    {
        Whole,
        NeedMore,
        Broken,
    }

    /// <summary>Divides what begins at the start of the buffer.</summary>
    private Found Scan(out int after, out int lines)
    {
        CellCount = 0;
        HasStrayQuote = false;
        _scratchUsed = 0;
        after = 0;
        lines = 1;
        var at = _start;
        while (true)
        {
            if (CellCount <= limits.MaxColumns)
                _rawStart[CellCount] = at;

            var found = at < _end && _buffer[at] == Quote ? ScanQuoted(ref at, ref lines) : ScanPlain(ref at);
            if (found != Found.Whole)
                return found;

            CellCount++;
            if (at < _end && _buffer[at] == Delimiter)
            {
                at++;
                if (at == _end && !_eof)
                    return Found.NeedMore;

                continue;
            }

            _recordEnd = at;
            if (at < _end && _buffer[at] == Cr)
            {
                if (at + 1 == _end && !_eof)
                    return Found.NeedMore;

                at += at + 1 < _end && _buffer[at + 1] == Lf ? 2 : 1;
            }
            else if (at < _end)
            {
                at++;
            }

            after = at;
            return lines > 1 && HoldsWholeRecord(_buffer.AsSpan(_start, _recordEnd - _start)) ? Found.Broken : Found.Whole;
        }
    }

    private Found ScanPlain(ref int at)
    {
        var length = _buffer.AsSpan(at, _end - at).IndexOfAny(Delimiter, Cr, Lf);
        if (length < 0)
        {
            if (!_eof)
                return Found.NeedMore;

            length = _end - at;
        }

        SetCell(at, length, inScratch: false);
        at += length;
        return Found.Whole;
    }

    private Found ScanQuoted(ref int at, ref int lines)
    {
        var content = at + 1;
        var from = content;
        var breaks = 0;
        var plain = true;
        while (true)
        {
            var length = _buffer.AsSpan(from, _end - from).IndexOf(Quote);
            breaks += CountLineEnds(_buffer.AsSpan(from, (length < 0 ? _end : from + length) - from));
            if (breaks > 0 && IsBeyondBelief(from + Math.Max(0, length) - content, breaks))
                return Found.Broken;
            if (length < 0)
                return _eof ? Found.Broken : Found.NeedMore;

            var quote = from + length;
            if (quote + 1 == _end && !_eof)
                return Found.NeedMore;

            if (quote + 1 < _end && _buffer[quote + 1] == Quote)
            {
                plain = false;
                from = quote + 2;
                continue;
            }

            var next = quote + 1;
            while (next < _end && _buffer[next] is (byte)' ' or (byte)'\t' && _buffer[next] != Delimiter)
                next++;

            if (next == _end && !_eof)
                return Found.NeedMore;

            if (next == _end || _buffer[next] == Delimiter || _buffer[next] is Cr or Lf)
            {
                lines += breaks;
                SetQuotedCell(content, quote - content, plain);
                at = next;
                return Found.Whole;
            }

            if (breaks > 0)
                return Found.Broken;

            HasStrayQuote = true;
            plain = false;
            from = quote + 1;
        }
    }

    private bool IsBeyondBelief(int bytes, int breaks) =>
        bytes > limits.MaxQuotedBytes
        || breaks >= limits.MaxQuotedLines
        || (CellCount < SingleLineColumns.Length && SingleLineColumns[CellCount]);

    private void SetCell(int start, int length, bool inScratch)
    {
        if (CellCount > limits.MaxColumns)
            return;

        _cellStart[CellCount] = start;
        _cellLength[CellCount] = length;
        _cellInScratch[CellCount] = inScratch;
    }

    private void SetQuotedCell(int start, int length, bool plain)
    {
        if (plain)
        {
            SetCell(start, length, inScratch: false);
            return;
        }

        if (_scratch.Length < _scratchUsed + length)
            Array.Resize(ref _scratch, Math.Max(_scratch.Length * 2, _scratchUsed + length));

        var source = _buffer.AsSpan(start, length);
        var target = _scratch.AsSpan(_scratchUsed);
        var used = 0;
        while (true)
        {
            var quote = source.IndexOf(Quote);
            var run = quote < 0 ? source.Length : quote + 1;
            source[..run].CopyTo(target[used..]);
            used += run;
            if (quote < 0)
                break;

            source = source[(run < source.Length && source[run] == Quote ? run + 1 : run)..];
        }

        SetCell(_scratchUsed, used, inScratch: true);
        _scratchUsed += used;
    }

    /// <summary>
    /// Whether a line inside a value of several lines is a record of its own, which an unclosed quotation mark has swallowed. The last line counts only
    /// where the value is not in the first column, since otherwise a good record ends with a line as wide as a record.
    /// </summary>
    private bool HoldsWholeRecord(ReadOnlySpan<byte> record)
    {
        if (ExpectedColumns < 2)
            return false;

        var firstLine = record.IndexOfAny(Cr, Lf);
        var valueInFirstColumn = _rawStart[1] - _start > firstLine;
        var rest = record[firstLine..];
        while (true)
        {
            rest = rest[(rest.StartsWith("\r\n"u8) ? 2 : 1)..];
            var length = rest.IndexOfAny(Cr, Lf);
            if (length < 0)
                return !valueInFirstColumn && Width(rest) >= ExpectedColumns;
            if (Width(rest[..length]) >= ExpectedColumns)
                return true;

            rest = rest[length..];
        }
    }

    /// <summary>Cells of one line, quotation marks respected.</summary>
    private int Width(ReadOnlySpan<byte> line)
    {
        var width = 1;
        var quoted = false;
        foreach (var one in line)
        {
            if (one == Quote)
                quoted = !quoted;
            else if (one == Delimiter && !quoted)
                width++;
        }

        return width;
    }

    private static int CountLineEnds(ReadOnlySpan<byte> text)
    {
        var count = 0;
        while (true)
        {
            var at = text.IndexOfAny(Cr, Lf);
            if (at < 0)
                return count;

            count++;
            text = text[(at + (text[at] == Cr && at + 1 < text.Length && text[at + 1] == Lf ? 2 : 1))..];
        }
    }

    /// <summary>Takes the first line of what begins at the start of the buffer, which holds its end or the end of the stream.</summary>
    private void TakeFirstLine()
    {
        CellCount = 0;
        var length = _buffer.AsSpan(_start, _end - _start).IndexOfAny(Cr, Lf);
        _recordStart = _start;
        _recordEnd = length < 0 ? _end : _start + length;

        // The line end itself is taken, and counted, by SkipLineEnds.
        _start = _recordEnd;
    }

    /// <summary>Passes over one line of any length without holding it.</summary>
    private void PassOverLine()
    {
        CellCount = 0;
        _longRecord = _buffer.AsSpan(_start, Math.Min(KeptOfLongRecord, _end - _start)).ToArray();
        _rawIsLongRecord = true;
        var firstEnd = _longRecord.AsSpan().IndexOfAny(Cr, Lf);
        if (firstEnd >= 0)
            _longRecord = _longRecord[..firstEnd];

        while (true)
        {
            var length = _buffer.AsSpan(_start, _end - _start).IndexOfAny(Cr, Lf);
            if (length >= 0)
            {
                _start += length;
                return;
            }

            _start = _end;
            if (_eof)
                return;

            Fill();
        }
    }

    /// <summary>Reads on; a record that is already long is not scanned again for every few bytes that a stream gives.</summary>
    private void FillForLongRecord()
    {
        do
        {
            Fill();
        }
        while (!_eof && _end < _buffer.Length && _end - _start > KeptOfLongRecord);
    }

    /// <summary>Moves what is not yet taken to the front, grows the buffer if that filled it, and reads on.</summary>
    private void Fill()
    {
        Debug.Assert(!_eof, "There is nothing after the end.");
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);

        var read = utf8.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _eof = read == 0;
    }
}
