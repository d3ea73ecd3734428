using System.Threading.Channels;

namespace Camino.Imports;

/// <summary>Rows that are worked in one transaction; the objects are used again for a later chunk.</summary>
internal sealed class RowChunk(int capacity)
{
    private readonly PortfolioRow[] _rows = new PortfolioRow[capacity];
    private readonly bool[] _repeats = new bool[capacity];

    /// <summary>Rows filled.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the stored file that were read when the chunk was full.</summary>
    public long BytesRead { get; private set; }

    public ReadOnlySpan<PortfolioRow> Rows => _rows.AsSpan(0, Count);

    public PortfolioRow this[int index] => _rows[index];

    /// <summary>True when the same loan with the same content stood in the file before.</summary>
    public bool IsRepeat(int index) => _repeats[index];

    /// <summary>Fills the chunk from the reader; false when nothing was left.</summary>
    /// <param name="skip">Records that an earlier run committed: their numbers are noted, the rows are passed over.</param>
    /// <param name="most">Rows at most.</param>
    public bool Fill(PortfolioReader reader, SeenNumbers seen, long skip, int most, CancellationToken ct)
    {
        Count = 0;
        var sinceLook = 0;
        while (Count < Math.Min(most, _rows.Length))
        {
            if (++sinceLook % 256 == 0)
                ct.ThrowIfCancellationRequested();
            var row = _rows[Count] ??= new PortfolioRow();
            if (!reader.TryRead(row))
                break;
            var before = row.Outcome == RowOutcome.Rejected ? Seen.First : seen.Add(row.Facts);
            if (row.RecordNumber <= skip)
                continue;
            _repeats[Count] = before == Seen.SameContent;
            if (before == Seen.OtherContent)
                Reject(row, reader);
            Count++;
        }

        BytesRead = reader.BytesRead;
        return Count > 0;
    }

    /// <summary>Which of two contents is the right one cannot be known: the first was taken, the second is shown.</summary>
    private static void Reject(PortfolioRow row, PortfolioReader reader)
    {
        var column = reader.Shape.Layout?.Columns.FirstOrDefault(c => c.Field == LoanField.LoanNumber)?.Column ?? "";
        row.Outcome = RowOutcome.Rejected;
        row.Findings = [new Finding(FindingCodes.NumberTwice, column, row.Facts.Number, null, null)];
        row.Raw = reader.RawOfLast();
    }
}

/// <summary>Reads the file on one thread while the rows before it are stored on another. At most three chunks are in memory.</summary>
internal sealed class RowChunks : IAsyncDisposable
{
    private const int Buffers = 3;
    private readonly Channel<RowChunk> _full = Channel.CreateBounded<RowChunk>(Buffers);
    private readonly Channel<RowChunk> _free = Channel.CreateBounded<RowChunk>(Buffers);
    private readonly CancellationTokenSource _stop;
    private readonly Task _reading;
    private readonly StepBack _pace;

    /// <param name="pace">How many rows a chunk has at most.</param>
    public RowChunks(PortfolioReader reader, StepBack pace, long skip, CancellationToken ct)
    {
        _pace = pace;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        for (var i = 0; i < Buffers; i++)
            _free.Writer.TryWrite(new RowChunk(pace.Rows));
        _reading = Task.Run(() => ReadAsync(reader, skip, _stop.Token), CancellationToken.None);
    }

    /// <summary>Chunk after chunk; give each back with <see cref="Return"/>. What stopped the reading is thrown here.</summary>
    public IAsyncEnumerable<RowChunk> AllAsync(CancellationToken ct) => _full.Reader.ReadAllAsync(ct);

    public void Return(RowChunk chunk) => _free.Writer.TryWrite(chunk);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        _stop.Dispose();
    }

    private async Task ReadAsync(PortfolioReader reader, long skip, CancellationToken ct)
    {
        var seen = new SeenNumbers();
        try
        {
            while (true)
            {
                var chunk = await _free.Reader.ReadAsync(ct);
                if (!chunk.Fill(reader, seen, skip, _pace.Rows, ct))
                    break;
                await _full.Writer.WriteAsync(chunk, ct);
            }

            _full.Writer.Complete();
        }
        catch (Exception any)
        {
            // handed to the consumer, which throws it
            _full.Writer.Complete(any);
        }
    }
}
