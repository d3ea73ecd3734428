using System.Buffers;
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

    /// <summary>Streams <paramref name="content"/> to the disk; whatever goes wrong, nothing half is left.</summary>
    /// <exception cref="RefusedException"><c>import.file.too_large</c>, <c>import.disk_full</c>.</exception>
    public async Task<StoredFile> SaveAsync(Guid id, Stream content, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.Combine(options.Folder, "incoming"));
        Directory.CreateDirectory(Path.Combine(options.Folder, "imports"));
        var part = Path.Combine(options.Folder, "incoming", $"{id:N}.part");
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long size = 0;
            long flushed = 0;
            await using (var file = new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous))
            {
                int read;
                while ((read = await content.ReadAsync(buffer, ct)) > 0)
                {
                    size += read;
                    Refuse.If(size > options.MaxBytes, "import.file.too_large", FormattableString.Invariant($"The file is larger than {options.MaxBytes} bytes, the limit of one import; split it."));
                    hash.AppendData(buffer, 0, read);
                    await file.WriteAsync(buffer.AsMemory(0, read), ct);
                    if (size - flushed >= FlushEveryBytes)
                    {
                        flushed = size;
                        RandomAccess.FlushToDisk(file.SafeFileHandle);
                    }
                }

                RandomAccess.FlushToDisk(file.SafeFileHandle);
            }

            var key = $"imports/{id:N}";
            File.Move(part, PathOf(key));
            return new StoredFile(key, size, hash.GetHashAndReset());
        }
        catch (Exception any)
        {
            File.Delete(part);
            if (any is IOException full && IsDiskFull(full))
                throw new RefusedException("import.disk_full", "The server's disk is full; the file was not stored and nothing was changed. Try again when there is room.");
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Where the file of that key lies on this machine.</summary>
    public string PathOf(string key) => Path.Combine(options.Folder, key.Replace('/', Path.DirectorySeparatorChar));

    /// <summary>Keys of files of one of the store's folders that were last written before a moment.</summary>
    public IEnumerable<string> Leftovers(string folder, DateTimeOffset before)
    {
        var path = Path.Combine(options.Folder, folder);
        return Directory.Exists(path)
            ? Directory.EnumerateFiles(path).Where(file => File.GetLastWriteTimeUtc(file) < before.UtcDateTime).Select(file => $"{folder}/{Path.GetFileName(file)}")
            : [];
    }

    /// <summary>Removes a file; true when it was there.</summary>
    public bool Remove(string key)
    {
        var path = PathOf(key);
        if (!File.Exists(path))
            return false;
        File.Delete(path);
        return true;
    }

    /// <summary>ENOSPC or EDQUOT on Unix, ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL on Windows.</summary>
    private static bool IsDiskFull(IOException wrong) => wrong.HResult is 28 or 122 or unchecked((int)0x80070070) or unchecked((int)0x80070027);
}
