using System.Collections.Concurrent;
using Camino.Documents;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace Camino.Tests.Documents;

/// <summary>The store of documents: the same promises whether it is a folder or a bucket.</summary>
[TestFixture("folder")]
[TestFixture("bucket")]
internal sealed class ObjectStoreTests(string kind)
{
    private readonly string _folder = Directory.CreateTempSubdirectory("camino-objects-").FullName;
    private BucketServer? _server;
    private IObjectStore _store = null!;

    [OneTimeSetUp]
    public async Task MakeAsync()
    {
        if (kind == "bucket")
            _server = await BucketServer.StartAsync();
        _store = _server is null ? new FolderObjectStore(_folder) : new S3ObjectStore(_server.Options);
    }

    [OneTimeTearDown]
    public async Task DropAsync()
    {
        (_store as IDisposable)?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task What_was_stored_is_read_as_it_was_and_the_newer_takes_the_place_of_the_older()
    {
        var first = Bytes(3_000_000);
        await PutAsync("documents/2026-01/a", first);
        var read = await ReadAsync("documents/2026-01/a");
        await PutAsync("documents/2026-01/a", [1, 2, 3]);

        Assert.That(read, Is.EqualTo(first));
        Assert.That(await ReadAsync("documents/2026-01/a"), Is.EqualTo((byte[])[1, 2, 3]));
    }

    [Test]
    public async Task What_is_not_there_is_not_found_and_taken_away_without_a_word()
    {
        await PutAsync("documents/2026-01/b", [1]);
        await _store.DeleteAsync("documents/2026-01/b", CancellationToken.None);
        await _store.DeleteAsync("documents/2026-01/b", CancellationToken.None);

        Assert.That(await _store.OpenAsync("documents/2026-01/b", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task An_upload_that_breaks_leaves_nothing_behind()
    {
        await using var broken = new Breaking();

        Assert.That(async () => await _store.PutAsync("documents/2026-01/c", broken, 1_000_000, CancellationToken.None), Throws.InstanceOf<Exception>());
        Assert.That(await _store.OpenAsync("documents/2026-01/c", CancellationToken.None), Is.Null);
        Assert.That(Directory.EnumerateFiles(_folder, "*.part-*", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public void A_store_that_cannot_be_reached_says_so()
    {
        IObjectStore store = kind == "folder" ? new FolderObjectStore("/proc/camino") : new S3ObjectStore(new BucketOptions(new Uri("http://127.0.0.1:1"), "bucket", "us-east-1", "key", "secret"));
        using var content = new MemoryStream([1]);

        Assert.That(async () => await store.PutAsync("documents/d", content, 1, CancellationToken.None), Throws.InstanceOf<ObjectStoreException>());
        (store as IDisposable)?.Dispose();
    }

    private async Task PutAsync(string key, byte[] bytes)
    {
        using var content = new MemoryStream(bytes);
        await _store.PutAsync(key, content, bytes.Length, CancellationToken.None);
    }

    private async Task<byte[]> ReadAsync(string key)
    {
        await using var content = await _store.OpenAsync(key, CancellationToken.None) ?? throw new InvalidOperationException("It is not there.");
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A sender who hangs up in the middle.</summary>
    private sealed class Breaking : Stream
    {
        private int _left = 200_000;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_left <= 0)
                throw new IOException("The line broke.");
            var read = Math.Min(count, _left);
            _left -= read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>As much of an S3-compatible store as documents need: objects of one bucket, for one key.</summary>
    private sealed class BucketServer(WebApplication app) : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<string, byte[]> _objects = new(StringComparer.Ordinal);

        public BucketOptions Options => new(new Uri(app.Urls.First()), "camino-documents", "us-east-1", "test-key", "test-secret");

        public static async Task<BucketServer> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var server = new BucketServer(builder.Build());
            await server.RunAsync();
            return server;
        }

        public async ValueTask DisposeAsync() => await app.DisposeAsync();

        private Task RunAsync()
        {
            app.Run(AnswerAsync);
            return app.StartAsync();
        }

        private async Task AnswerAsync(HttpContext context)
        {
            var path = context.Request.Path.Value ?? "";
            if (!context.Request.Headers.Authorization.ToString().StartsWith("AWS4-HMAC-SHA256 Credential=test-key/", StringComparison.Ordinal) || !path.StartsWith("/camino-documents/", StringComparison.Ordinal))
            {
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                return;
            }

            switch (context.Request.Method)
            {
                case "PUT":
                    using (var bytes = new MemoryStream())
                    {
                        await context.Request.Body.CopyToAsync(bytes);
                        _objects[path] = bytes.ToArray();
                    }

                    context.Response.Headers.ETag = "\"1\"";
                    break;
                case "GET" when _objects.TryGetValue(path, out var found):
                    context.Response.ContentLength = found.Length;
                    await context.Response.Body.WriteAsync(found);
                    break;
                case "DELETE":
                    _objects.TryRemove(path, out _);
                    context.Response.StatusCode = StatusCodes.Status204NoContent;
                    break;
                default:
                    context.Response.StatusCode = StatusCodes.Status404NotFound;
                    break;
            }
        }
    }
}
