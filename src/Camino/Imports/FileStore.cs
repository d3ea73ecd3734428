using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Camino.Lending;

namespace Camino.Imports;

/// <summary>What was stored of an upload.</summary>
/// <param name="Key">Key in the store.</param>
/// <param name="SizeBytes">Bytes as they came.</param>
/// <param name="Sha256">Of those bytes.</param>
public sealed record StoredFile(string Key, long SizeBytes, byte[] Sha256);

/// <summary>Settings of <see cref="FileStore"/>.</summary>
/// <param name="Folder">A folder that both roles see.</param>
/// <param name="MaxBytes">Bytes of one file at most.</param>
public sealed record FileStoreOptions(string Folder, long MaxBytes);

/// <summary>The store itself failed, for another reason than a full disk: an operator has to look at it.</summary>
public sealed class FileStoreException(string message, Exception inner) : Exception(message, inner);

/// <summary>
/// Keeps uploaded files in a folder that both roles see. A file is streamed to a part file, flushed to the disk piece by piece (so that little is left
/// to flush after the last byte), and gets its name only when it is whole: a name in the store is always a complete file.
/// </summary>
public sealed class FileStore(FileStoreOptions options)
{
    private const int BufferBytes = 128 * 1024;
    private const long FlushEveryBytes = 32L * 1024 * 1024;

    /// <summary>Bytes of one file at most.</summary>
    public long MaxBytes => options.MaxBytes;

    private string Incoming => Path.Combine(options.Folder, "incoming");

    private string Imports => Path.Combine(options.Folder, "imports");

    /// <summary>Streams <paramref name="content"/> to the disk; whatever goes wrong, nothing half is left.</summary>
    /// <param name="expectedBytes">Bytes that the sender announces, where it does: what cannot fit is refused before the first byte is taken.</param>
    /// <param name="most">Bytes at most, where that is less than <see cref="MaxBytes"/>.</param>
    /// <exception cref="RefusedException"><c>import.file.too_large</c>, <c>import.disk_full</c>.</exception>
    /// <exception cref="FileStoreException">The folder cannot be written.</exception>
    public async Task<StoredFile> SaveAsync(Guid id, Stream content, long? expectedBytes, CancellationToken ct, long? most = null)
    {
        var part = Path.Combine(Incoming, $"{id:N}.part");
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var (size, hash) = await WriteAsync(part, content, expectedBytes, Math.Min(most ?? options.MaxBytes, options.MaxBytes), buffer, ct);
            var key = KeyOf(id);
            OnDisk(() => File.Move(part, PathOf(key)));
            return new StoredFile(key, size, hash);
        }
        catch
        {
            if (File.Exists(part))
                File.Delete(part);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The key under which the file of that id is stored.</summary>
    public static string KeyOf(Guid id) => $"imports/{id:N}";

    /// <summary>Where the file of that key lies on this machine.</summary>
    public string PathOf(string key) => Path.Combine(options.Folder, key.Replace('/', Path.DirectorySeparatorChar));

    /// <summary>Takes a file out of the store; one that is not there is no error.</summary>
    public void Delete(string key)
    {
        if (File.Exists(PathOf(key)))
            File.Delete(PathOf(key));
    }

    /// <summary>Removes what uploads left that were killed in the middle.</summary>
    /// <param name="before">Part files last written before it; a running upload writes all the time.</param>
    /// <returns>How many there were.</returns>
    public int DeletePartsBefore(DateTimeOffset before)
    {
        var count = 0;
        foreach (var part in FilesIn(Incoming).Where(file => file.LastWriteTimeUtc < before.UtcDateTime))
        {
            part.Delete();
            count++;
        }

        return count;
    }

    /// <summary>Every whole file: the id of its import, its key, and when it was stored.</summary>
    public IEnumerable<(Guid Id, string Key, DateTimeOffset StoredAt)> All()
    {
        foreach (var file in FilesIn(Imports))
        {
            if (Guid.TryParseExact(file.Name, "N", out var id))
                yield return (id, $"imports/{file.Name}", new DateTimeOffset(file.LastWriteTimeUtc));
        }
    }

    private static IEnumerable<FileInfo> FilesIn(string folder) => Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles() : [];

    /// <summary>What the sender does wrong is thrown as it is; what the disk does wrong is named.</summary>
    private async Task<(long Size, byte[] Hash)> WriteAsync(string part, Stream content, long? expectedBytes, long most, byte[] buffer, CancellationToken ct)
    {
        await using var file = OnDisk(() =>
        {
            Directory.CreateDirectory(Incoming);
            Directory.CreateDirectory(Imports);
            if (expectedBytes > new DriveInfo(Path.GetFullPath(options.Folder)).AvailableFreeSpace)
                throw Full();
            return new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous);
        });
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long size = 0;
        long flushed = 0;
        int read;
        while ((read = await content.ReadAsync(buffer, ct)) > 0)
        {
            size += read;
            Refuse.If(size > most, "import.file.too_large", string.Create(CultureInfo.InvariantCulture, $"The file is larger than {most} bytes, the limit of one file; split it."));
            hash.AppendData(buffer, 0, read);
            try
            {
                await file.WriteAsync(buffer.AsMemory(0, read), ct);
            }
            catch (IOException wrong)
            {
                throw Named(wrong);
            }

            if (size - flushed >= FlushEveryBytes)
            {
                flushed = size;
                OnDisk(() => RandomAccess.FlushToDisk(file.SafeFileHandle));
            }
        }

        OnDisk(() => RandomAccess.FlushToDisk(file.SafeFileHandle));
        return (size, hash.GetHashAndReset());
    }

    private static void OnDisk(Action act) => OnDisk(() =>
    {
        act();
        return true;
    });

    private static T OnDisk<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw Named(wrong);
        }
    }

    private static Exception Named(Exception wrong) => IsDiskFull(wrong) ? Full() : new FileStoreException("The folder for files handed in (Files:Folder) cannot be written.", wrong);

    private static RefusedException Full() => new("import.disk_full", "The server's disk is full; the file was not stored and nothing was changed. Try again when there is room.");

    /// <summary>ENOSPC, EDQUOT or EFBIG on Unix, ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL on Windows.</summary>
    private static bool IsDiskFull(Exception wrong) => wrong is IOException && wrong.HResult is 28 or 122 or 27 or unchecked((int)0x80070070) or unchecked((int)0x80070027);
}
