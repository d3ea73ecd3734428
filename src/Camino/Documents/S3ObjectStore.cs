using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Camino.Documents;

/// <summary>Keeps documents in a bucket of an S3-compatible store.</summary>
public sealed class S3ObjectStore : IObjectStore, IDisposable
{
    private readonly AmazonS3Client _client;
    private readonly string _bucket;

    public S3ObjectStore(BucketOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _bucket = options.Name;
        var config = new AmazonS3Config
        {
            ServiceURL = options.Address.ToString(),
            AuthenticationRegion = options.Region,
            ForcePathStyle = true,
            MaxErrorRetry = 3,
            Timeout = TimeSpan.FromSeconds(100),
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED, // not every compatible store knows the newer checksums
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        _client = new AmazonS3Client(new BasicAWSCredentials(options.KeyId, options.Secret), config);
    }

    /// <inheritdoc/>
    public Task PutAsync(string key, Stream content, long bytes, CancellationToken ct) => DoAsync(async () =>
    {
        var request = new PutObjectRequest { BucketName = _bucket, Key = key, InputStream = content, AutoCloseStream = false, AutoResetStreamPosition = false, UseChunkEncoding = false };
        request.Headers.ContentLength = bytes;
        await _client.PutObjectAsync(request, ct);
        return true;
    });

    /// <inheritdoc/>
    public async Task<Stream?> OpenAsync(string key, CancellationToken ct)
    {
        try
        {
            return (await _client.GetObjectAsync(_bucket, key, ct)).ResponseStream;
        }
        catch (AmazonS3Exception missing) when (missing.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
        catch (Exception wrong) when (wrong is AmazonServiceException or AmazonClientException or HttpRequestException)
        {
            throw Named(wrong);
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string key, CancellationToken ct) => DoAsync(async () =>
    {
        await _client.DeleteObjectAsync(_bucket, key, ct);
        return true;
    });

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static async Task DoAsync(Func<Task<bool>> act)
    {
        try
        {
            await act();
        }
        catch (Exception wrong) when (wrong is AmazonServiceException or AmazonClientException or HttpRequestException)
        {
            throw Named(wrong);
        }
    }

    private static ObjectStoreException Named(Exception wrong) => new("The bucket of documents (Documents:Bucket) does not answer as it should.", wrong);
}
