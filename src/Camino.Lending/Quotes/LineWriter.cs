using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Camino.Lending.Quotes;

/// <summary>Writes lines of JSON as UTF-8 into one pooled buffer. Amounts, dates and rates need no escaping; text goes through the encoder.</summary>
internal sealed class LineWriter : IDisposable
{
    private byte[] _buffer;
    private int _length;

    public LineWriter(int capacity)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(capacity);
        _length = 0;
    }

    /// <summary>What is written so far.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>Where the next byte goes; <see cref="Truncate"/> takes back what was written since.</summary>
    public int Position => _length;

    public void Dispose()
    {
        if (_buffer.Length == 0)
            return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    /// <summary>Takes back what was written since a position.</summary>
    public void Truncate(int position) => _length = position;

    public void Raw(ReadOnlySpan<byte> utf8)
    {
        Room(utf8.Length);
        utf8.CopyTo(_buffer.AsSpan(_length));
        _length += utf8.Length;
    }

    public void Raw(string text)
    {
        Room(Encoding.UTF8.GetMaxByteCount(text.Length));
        _length += Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length));
    }

    public void Text(string text)
    {
        Raw("\""u8);
        Raw(JsonEncodedText.Encode(text).EncodedUtf8Bytes);
        Raw("\""u8);
    }

    public void Number(int value)
    {
        Room(12);
        if ((uint)value < 10)
        {
            _buffer[_length++] = (byte)('0' + value);
            return;
        }

        value.TryFormat(_buffer.AsSpan(_length), out var written, provider: CultureInfo.InvariantCulture);
        _length += written;
    }

    /// <summary>A decimal in quotes with a fixed number of decimals, already rounded to them.</summary>
    public void Decimals(decimal value, string format)
    {
        Room(64);
        _buffer[_length++] = (byte)'"';
        value.TryFormat(_buffer.AsSpan(_length), out var written, format, CultureInfo.InvariantCulture);
        _length += written;
        _buffer[_length++] = (byte)'"';
    }

    /// <summary>Cents as dollars in quotes: <c>"1234.56"</c>.</summary>
    public void Amount(long cents)
    {
        Room(26);
        _buffer[_length++] = (byte)'"';
        if (cents < 0)
        {
            _buffer[_length++] = (byte)'-';
            cents = -cents;
        }

        var (dollars, rest) = Math.DivRem((ulong)cents, 100);
        var digits = 1;
        for (var left = dollars; left >= 10; left /= 10)
            digits++;
        for (var at = digits - 1; at >= 0; at--)
        {
            var (tens, one) = Math.DivRem(dollars, 10);
            _buffer[_length + at] = (byte)('0' + one);
            dollars = tens;
        }

        _length += digits;
        _buffer[_length++] = (byte)'.';
        Digits((int)rest, 2);
        _buffer[_length++] = (byte)'"';
    }

    /// <summary>A date in quotes: <c>"2026-03-01"</c>.</summary>
    public void Date(DateOnly date)
    {
        Room(12);
        _buffer[_length++] = (byte)'"';
        Digits(date.Year, 4);
        _buffer[_length++] = (byte)'-';
        Digits(date.Month, 2);
        _buffer[_length++] = (byte)'-';
        Digits(date.Day, 2);
        _buffer[_length++] = (byte)'"';
    }

    private void Digits(int value, int count)
    {
        for (var at = count - 1; at >= 0; at--)
        {
            _buffer[_length + at] = (byte)('0' + (value % 10));
            value /= 10;
        }

        _length += count;
    }

    private void Room(int more)
    {
        if (_length + more <= _buffer.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + more));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
