using System.Buffers.Binary;
using System.IO.Compression;

namespace Camino.Imports;

/// <summary>Unpacks gzip, one member after the other, and holds each to the length and check sum behind it.</summary>
/// <remarks>
/// The framework's GZipStream takes a file that is cut off for one that ends: half a portfolio would come in without a word. Here the raw deflate data
/// is unpacked by the framework and header and trailer are read by us. The framework reads ahead and does not say how far it got, so the trailer,
/// whose eight bytes are known by then, is looked for in the last bytes that it was given.
/// </remarks>
/// <exception cref="InvalidDataException">Damaged, cut off, or followed by something else.</exception>
internal sealed class GzipMembers(Stream packed) : Stream
{
    private readonly byte[] _window = new byte[64 << 10];
    private int _next;
    private int _end;
    private int _givenFrom;
    private DeflateStream? _member;
    private uint _crc;
    private uint _length;
    private bool _done;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        while (!_done && buffer.Length > 0)
        {
            if (_member is null)
            {
                ReadHeader();
                _member = new DeflateStream(new Input(this), CompressionMode.Decompress);
                _crc = Crc32.Start;
                _length = 0;
                _givenFrom = _next;
            }

            var count = _member.Read(buffer);
            if (count > 0)
            {
                _crc = Crc32.Append(_crc, buffer[..count]);
                _length = unchecked(_length + (uint)count);
                return count;
            }

            _member.Dispose();
            _member = null;
            FindTrailer();
            _done = !StartsAnother();
        }

        return 0;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _member?.Dispose();

        base.Dispose(disposing);
    }

    private void ReadHeader()
    {
        if (Next() != 0x1F || Next() != 0x8B || Next() != 8)
            throw new InvalidDataException("A gzip member does not start like one.");

        var flags = Next();
        for (var i = 0; i < 6; i++)
            Next();

        if ((flags & 4) != 0)
        {
            for (var extra = Next() | (Next() << 8); extra > 0; extra--)
                Next();
        }

        for (var texts = ((flags >> 3) & 1) + ((flags >> 4) & 1); texts > 0; texts--)
        {
            while (Next() != 0)
            {
                // The name or comment of the file; nobody needs it.
            }
        }

        if ((flags & 2) != 0)
        {
            Next();
            Next();
        }
    }

    private int Next()
    {
        if (_next == _end && !Refill(keepFrom: _end))
            throw new InvalidDataException("The gzip file is cut off in a header.");

        return _window[_next++];
    }

    /// <summary>Goes to behind the trailer that says what this member should have been.</summary>
    private void FindTrailer()
    {
        Span<byte> trailer = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32.End(_crc));
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], _length);
        while (_end - _next < trailer.Length && Refill(_givenFrom))
        {
            // The trailer may stand across the end of what was read so far.
        }

        var last = Math.Min(_end, _next + trailer.Length);
        var at = _window.AsSpan(_givenFrom, last - _givenFrom).IndexOf(trailer);
        if (at < 0)
            throw new InvalidDataException("The gzip file is cut off, or its content does not match its check sum.");

        _next = _givenFrom + at + trailer.Length;
    }

    /// <summary>True before another member; false at the end, where zero bytes may fill a block.</summary>
    private bool StartsAnother()
    {
        while (_next < _end || Refill(_end))
        {
            if (_window[_next] == 0x1F)
                return true;
            if (_window[_next] != 0)
                throw new InvalidDataException("The gzip file goes on with something else.");

            _next++;
        }

        return false;
    }

    /// <summary>Reads on, keeping the bytes from a position of the window; false at the end of the file.</summary>
    private bool Refill(int keepFrom)
    {
        _window.AsSpan(keepFrom, _end - keepFrom).CopyTo(_window);
        _next -= keepFrom;
        _end -= keepFrom;
        _givenFrom = Math.Max(0, _givenFrom - keepFrom);
        var read = packed.Read(_window, _end, _window.Length - _end);
        _end += read;
        return read > 0;
    }

    /// <summary>What the framework's inflater reads from: the window, a part at a time.</summary>
    private sealed class Input(GzipMembers members) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            // It asks again only when it has used up what it got before: that need not be kept. At the end of the file it is kept, for the trailer.
            if (members._next == members._end && !members.Refill(members._givenFrom < members._end ? KeepAtEnd() : members._end))
                return 0;

            var count = Math.Min(buffer.Length, members._end - members._next);
            members._window.AsSpan(members._next, count).CopyTo(buffer);
            members._givenFrom = members._next;
            members._next += count;
            return count;
        }

        /// <summary>The last part given stays until another one is: at most the eight kilobytes that the inflater asks for.</summary>
        private int KeepAtEnd() => Math.Max(members._givenFrom, members._end - (16 << 10));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
