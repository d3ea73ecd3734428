namespace Camino.Imports;

/// <summary>Reads a portfolio file from disk as a stream of rows. Memory stays flat at any size. Not safe for several threads.</summary>
public sealed class PortfolioReader : IDisposable, IAsyncDisposable
{
    private readonly FileStream _file;

    private PortfolioReader(FileStream file, FileShape shape)
    {
        _file = file;
        Shape = shape;
    }

    /// <summary>What the file turned out to be.</summary>
    public FileShape Shape { get; }

    /// <summary>Bytes of the file on disk that have been taken, for progress: packed bytes where it is packed.</summary>
    public long BytesRead => _file.Position;

    /// <summary>Bytes of the file on disk.</summary>
    public long FileLength => _file.Length;

    /// <summary>Opens a file and finds out what it is. Reads at most the first megabyte of its text.</summary>
    /// <param name="path">Where it lies.</param>
    /// <param name="fileName">What staff called it; only used in messages.</param>
    /// <param name="limits">See <see cref="ReaderLimits.Default"/>.</param>
    /// <param name="mapping">What staff said about the columns; null: detect.</param>
    /// <exception cref="ImportFileException">The file as a whole cannot be read.</exception>
    public static PortfolioReader Open(string path, string fileName, ReaderLimits limits, Layout? mapping = null) =>
        throw new NotSupportedException($"{fileName} at {path}: {limits} {mapping}");

    /// <summary>Reads the next record into <paramref name="row"/>; false at the end of the file.</summary>
    /// <exception cref="ImportFileException">The file turns out to be damaged, or larger than allowed, further in.</exception>
    /// <exception cref="InvalidOperationException"><see cref="FileShape.Layout"/> is null: nobody has said which column is what.</exception>
    public bool TryRead(PortfolioRow row) => throw new NotSupportedException(row.Raw);

    /// <summary>Passes over records without reading their values: the way to go on from a checkpoint.</summary>
    /// <param name="records">How many; going past the end is not an error.</param>
    /// <exception cref="ImportFileException">As in <see cref="TryRead"/>.</exception>
    public void Skip(long records) => throw new NotSupportedException(records.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _file.DisposeAsync();
}
