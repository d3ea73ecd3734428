using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Camino.Lending.Quotes;

/// <summary>Writes one line of JSON into a pooled buffer. Amounts, dates and rates need no escaping; text goes through the encoder.</summary>
internal ref struct LineWriter
{
    private char[] _buffer;
    private int _length;

    public LineWriter(int capacity)
    {
        _buffer = ArrayPool<char>.Shared.Rent(capacity);
        _length = 0;
    }

    /// <summary>The line written; the writer is finished.</summary>
    public string Finish()
    {
        var line = new string(_buffer, 0, _length);
        Dispose();
        return line;
    }

    public void Dispose()
    {
        if (_buffer.Length == 0)
            return;
        ArrayPool<char>.Shared.Return(_buffer);
        _buffer = [];
    }

    public void Raw(string text)
    {
        Room(text.Length);
        text.CopyTo(_buffer.AsSpan(_length));
        _length += text.Length;
    }

    public void Text(string text)
    {
        Raw("\"");
        Raw(JsonEncodedText.Encode(text).ToString());
        Raw("\"");
    }

    public void Number(int value)
    {
        Room(12);
        value.TryFormat(_buffer.AsSpan(_length), out var written, provider: CultureInfo.InvariantCulture);
        _length += written;
    }

    /// <summary>A decimal in quotes with a fixed number of decimals, already rounded to them.</summary>
    public void Decimals(decimal value, string format)
    {
        Room(64);
        _buffer[_length++] = '"';
        value.TryFormat(_buffer.AsSpan(_length), out var written, format, CultureInfo.InvariantCulture);
        _length += written;
        _buffer[_length++] = '"';
    }

    /// <summary>Cents as dollars in quotes: <c>"1234.56"</c>.</summary>
    public void Amount(long cents)
    {
        Room(26);
        _buffer[_length++] = '"';
        if (cents < 0)
        {
            _buffer[_length++] = '-';
            cents = -cents;
        }

        var (dollars, rest) = Math.DivRem(cents, 100);
        dollars.TryFormat(_buffer.AsSpan(_length), out var written, provider: CultureInfo.InvariantCulture);
        _length += written;
        _buffer[_length++] = '.';
        Digits((int)rest, 2);
        _buffer[_length++] = '"';
    }

    /// <summary>A date in quotes: <c>"2026-03-01"</c>.</summary>
    public void Date(DateOnly date)
    {
        Room(12);
        _buffer[_length++] = '"';
        Digits(date.Year, 4);
        _buffer[_length++] = '-';
        Digits(date.Month, 2);
        _buffer[_length++] = '-';
        Digits(date.Day, 2);
        _buffer[_length++] = '"';
    }

    private void Digits(int value, int count)
    {
        for (var at = count - 1; at >= 0; at--)
        {
            _buffer[_length + at] = (char)('0' + (value % 10));
            value /= 10;
        }

        _length += count;
    }

    private void Room(int more)
    {
        if (_length + more <= _buffer.Length)
            return;
        var larger = ArrayPool<char>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + more));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<char>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
