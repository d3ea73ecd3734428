namespace Camino.Imports;

/// <summary>What a zip's directory says about its file; checked when the last byte has been read.</summary>
internal sealed record ExpectedContent(long Length, uint Crc);

/// <summary>
/// Reads unpacked bytes and stops as soon as they become too many, too many for their packed size, or damaged. Owns the streams below except the file.
/// </summary>
internal sealed class GuardedStream(
    Stream content, FileStream? packed, string fileName, string damagedCode, ReaderLimits limits, ExpectedContent? expected = null, IDisposable? archive = null)
    : Stream
{
    private long _read;
    private uint _crc = Crc32.Start;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var count = ReadContent(buffer);
        _read += count;
        if (_read > limits.MaxExpandedBytes)
            throw Problems.TooLarge(fileName, limits);
        if (packed is not null && _read > limits.RatioCountsFromBytes && _read / Math.Max(1, packed.Position) > limits.MaxRatio)
            throw Problems.Bomb(fileName, limits);

        if (expected is { } whole && buffer.Length > 0)
            CheckAgainstDirectory(buffer[..count], whole);

        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && packed is not null)
        {
            content.Dispose();
            archive?.Dispose();
        }

        base.Dispose(disposing);
    }

    private int ReadContent(Span<byte> buffer)
    {
        try
        {
            return content.Read(buffer);
        }
        catch (InvalidDataException damage)
        {
            throw Problems.Damaged(damagedCode, fileName, damage);
        }
        catch (EndOfStreamException damage)
        {
            throw Problems.Damaged(damagedCode, fileName, damage);
        }
    }

    private void CheckAgainstDirectory(ReadOnlySpan<byte> bytes, ExpectedContent whole)
    {
        _crc = Crc32.Append(_crc, bytes);
        if (_read > whole.Length || (bytes.Length == 0 && (_read != whole.Length || Crc32.End(_crc) != whole.Crc)))
            throw Problems.Damaged(damagedCode, fileName, inner: null);
    }
}
