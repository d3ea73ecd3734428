namespace Camino.Documents;

/// <summary>Keeps documents in a folder that both roles see. A file is written under another name, flushed to the disk, and gets its name when it is whole.</summary>
public sealed class FolderObjectStore(string folder) : IObjectStore
{
    private const int BufferBytes = 128 * 1024;

    /// <inheritdoc/>
    public async Task PutAsync(string key, Stream content, long bytes, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(content);
        var path = PathOf(key);
        var part = path + ".part-" + Guid.CreateVersion7().ToString("N");
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path) ?? folder);
            await using (var file = new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes, FileOptions.Asynchronous))
            {
                await content.CopyToAsync(file, ct);
                await file.FlushAsync(ct);
                RandomAccess.FlushToDisk(file.SafeFileHandle);
                if (file.Length != bytes)
                    throw new ObjectStoreException("Another number of bytes came than was announced.");
            }

            File.Move(part, path, overwrite: true);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new ObjectStoreException("The folder of documents (below Files:Folder) cannot be written.", wrong);
        }
        finally
        {
            if (File.Exists(part))
                File.Delete(part);
        }
    }

    /// <inheritdoc/>
    public Task<Stream?> OpenAsync(string key, CancellationToken ct)
    {
        try
        {
            return Task.FromResult<Stream?>(new FileStream(PathOf(key), FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan));
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new ObjectStoreException("The folder of documents (below Files:Folder) cannot be read.", wrong);
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string key, CancellationToken ct)
    {
        try
        {
            if (File.Exists(PathOf(key)))
                File.Delete(PathOf(key));
            return Task.CompletedTask;
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new ObjectStoreException("The folder of documents (below Files:Folder) cannot be written.", wrong);
        }
    }

    /// <summary>Keys are letters, digits, hyphens and slashes: none leads out of the folder.</summary>
    private string PathOf(string key)
    {
        if (key.Length is 0 or > 200 || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '/') || key.Split('/').Any(part => part.Length == 0))
            throw new ArgumentException("A key has letters, digits, hyphens and slashes.", nameof(key));
        return Path.Combine(folder, key.Replace('/', Path.DirectorySeparatorChar));
    }
}
