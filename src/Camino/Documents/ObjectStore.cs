namespace Camino.Documents;

/// <summary>Where the bytes of documents are kept, outside of what the web server serves. Keys are made by Camino alone: <c>documents/0193…</c>.</summary>
public interface IObjectStore
{
    /// <summary>Stores an object, whole or not at all. The same key again replaces it.</summary>
    /// <param name="content">Read from where it stands to its end.</param>
    /// <param name="bytes">How many bytes that are.</param>
    /// <exception cref="ObjectStoreException">It could not be stored.</exception>
    Task PutAsync(string key, Stream content, long bytes, CancellationToken ct);

    /// <summary>Opens an object for reading; null where there is none.</summary>
    /// <exception cref="ObjectStoreException">It could not be read.</exception>
    Task<Stream?> OpenAsync(string key, CancellationToken ct);

    /// <summary>Takes an object away; one that is not there is no error.</summary>
    /// <exception cref="ObjectStoreException">It could not be taken away.</exception>
    Task DeleteAsync(string key, CancellationToken ct);
}

/// <summary>The store of documents failed: an operator has to look at it.</summary>
public sealed class ObjectStoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Which store documents are kept in, and how large they may be.</summary>
/// <param name="Folder">A folder that both roles see; null: an S3-compatible store.</param>
/// <param name="Bucket">The S3-compatible store; null: the folder.</param>
/// <param name="MaxBytes">Bytes of one file at most.</param>
/// <param name="Scanner">Where a malware scanner (clamd) listens, as host and port; null: nobody scans.</param>
/// <param name="ExpiryDays">So many days before a document expires a task is made of it.</param>
public sealed record DocumentOptions(string? Folder, BucketOptions? Bucket, long MaxBytes, (string Host, int Port)? Scanner, int ExpiryDays)
{
    /// <summary>Documents of these kinds of an application are read by the outside service as they come.</summary>
    public IReadOnlySet<DocumentKind> ReadKinds { get; init; } = new HashSet<DocumentKind>();
}

/// <summary>A bucket of an S3-compatible store.</summary>
/// <param name="Address">Where the store answers; the bucket's name stands in the path.</param>
/// <param name="Region">As the store signs it: <c>us-east-1</c>.</param>
public sealed record BucketOptions(Uri Address, string Name, string Region, string KeyId, string Secret);
