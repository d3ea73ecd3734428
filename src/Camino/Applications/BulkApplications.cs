using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Clients;
using Camino.Jobs;
using Camino.Lending;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Npgsql;

namespace Camino.Applications;

/// <summary>What became of one line of a bulk request.</summary>
/// <param name="Line">1 for the first line of the body.</param>
/// <param name="Status"><c>accepted</c> or <c>rejected</c>.</param>
public sealed record BulkLine(int Line, string Status)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Guid? ApplicationId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Number { get; init; }

    /// <summary>The line was accepted by an earlier request with the same key; nothing was stored now.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Replayed { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BulkProblem? Problem { get; init; }
}

/// <summary>Why a line was rejected, as a single application would have been.</summary>
public sealed record BulkProblem(string Type, string Code, string Detail);

/// <summary>
/// Takes many applications in, one a line. Each line is a transaction of its own and is worked as it arrives, a few side by side; the answers, in the order of the lines, are kept beside memory until the body has ended, so that neither side waits for the other.
/// Their checks stand in the queue of large work, so that applications that come alone go first.
/// </summary>
internal sealed class BulkApplications(IServiceScopeFactory scopes, ClientTurns turns, NpgsqlDataSource source) : IDisposable
{
    /// <summary>Lines of one request.</summary>
    public const int MostLines = 100_000;

    /// <summary>Bytes of one line, as of a single application.</summary>
    public const int LongestLine = JsonBody.MostBytes;

    /// <summary>Bytes of one request.</summary>
    public const long MostBytes = 512L * 1024 * 1024;

    /// <summary>Lines of one request that are worked side by side: while one waits for the disk, the next ones are read.</summary>
    private const int AtOnce = 4;

    /// <summary>How bodies and answers are written.</summary>
    public const string ContentType = "application/x-ndjson";

    private static readonly byte[] s_end = "\n"u8.ToArray();
    private readonly HashSet<Guid> _busy = [];

    /// <summary>Of all requests together: a quarter of the connections, so that those who look at pages find one.</summary>
    private readonly SemaphoreSlim _places = new(Math.Clamp(new NpgsqlConnectionStringBuilder(source.ConnectionString).MaxPoolSize / 4, 1, 8));

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();

    /// <summary>Reads the body and writes the answer.</summary>
    /// <exception cref="RefusedException"><c>input.content_type</c>, <c>input.too_large</c>, <c>bulk.running</c>, <c>idempotency.*</c>; a line is never refused so.</exception>
    public async Task RunAsync(HttpContext context, string key, CancellationToken ct)
    {
        CheckKind(context.Request);
        Refuse.If(key.Length is < 1 or > 64 || key.Any(c => c is < ' ' or > '~'), "idempotency.key", $"An Idempotency-Key has 1 to 64 printable characters; got {key.Length}.");
        var by = context.User.Id();
        lock (_busy)
            Refuse.If(!_busy.Add(by), "bulk.running", "A bulk request of this caller is being worked by this server; send the next one after it.");
        try
        {
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
                limit.MaxRequestBodySize = MostBytes;
            await using var answers = new FileBufferingWriteStream(memoryThreshold: 64 * 1024);
            var client = context.Features.Get<KnownClient>();
            var reader = PipeReader.Create(context.Request.Body, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
            await ReadAsync(reader, new Caller(by, key, client, client is null ? null : turns.LeftToday(client)), answers, ct);
            await reader.CompleteAsync();
            context.Response.ContentType = ContentType;
            context.Response.Headers.CacheControl = "no-store";
            await answers.DrainBufferAsync(context.Response.Body, ct);
        }
        finally
        {
            lock (_busy)
                _busy.Remove(by);
        }
    }

    private async Task ReadAsync(PipeReader reader, Caller caller, Stream answers, CancellationToken ct)
    {
        var inWork = new Queue<Task<BulkLine>>();
        try
        {
            await foreach (var line in LinesAsync(reader, caller, ct))
            {
                inWork.Enqueue(line);
                if (inWork.Count == AtOnce)
                    await WriteAsync(answers, await inWork.Dequeue(), ct);
            }

            while (inWork.TryDequeue(out var line))
                await WriteAsync(answers, await line, ct);
        }
        finally
        {
            // what was begun ends before the request does, also where it is cut off
            await ((Task)Task.WhenAll(inWork)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Every line as it arrives, begun.</summary>
    private async IAsyncEnumerable<Task<BulkLine>> LinesAsync(PipeReader reader, Caller caller, [EnumeratorCancellation] CancellationToken ct)
    {
        var line = 0;
        var skipping = false; // the rest of a line that is too long
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            var buffer = read.Buffer;
            while (NextLine(ref buffer, read.IsCompleted, out var bytes))
            {
                if (skipping)
                {
                    skipping = false;
                    continue;
                }

                line++;
                if (line > MostLines)
                    break;
                if (bytes.Length > LongestLine)
                    yield return Task.FromResult(TooLong(line));
                else if (Trimmed(bytes.ToArray()) is { Length: > 0 } text)
                    yield return TakeAsync(line, text, caller, ct);
            }

            if (!skipping && buffer.Length > LongestLine && line <= MostLines)
            {
                skipping = true;
                line++;
                if (line <= MostLines)
                    yield return Task.FromResult(TooLong(line));
            }

            if (line > MostLines)
            {
                yield return Task.FromResult(Rejected(line, "bulk.lines", $"A bulk request has at most {MostLines} lines; this one and those after it were not looked at."));
                reader.AdvanceTo(read.Buffer.End);
                yield break;
            }

            if (skipping)
                buffer = buffer.Slice(buffer.End);
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
                yield break;
        }
    }

    /// <summary>Cuts the next line off; the last one needs no end.</summary>
    private static bool NextLine(ref ReadOnlySequence<byte> buffer, bool isLast, out ReadOnlySequence<byte> line)
    {
        if (buffer.PositionOf((byte)'\n') is { } end)
        {
            line = buffer.Slice(0, end);
            buffer = buffer.Slice(buffer.GetPosition(1, end));
            return true;
        }

        line = buffer;
        if (!isLast || buffer.Length == 0)
            return false;
        buffer = buffer.Slice(buffer.End);
        return true;
    }

    /// <summary>One line in a scope of its own, so that nothing of it stays in memory.</summary>
    private async Task<BulkLine> TakeAsync(int line, ReadOnlyMemory<byte> text, Caller caller, CancellationToken ct)
    {
        if (caller.Client is { } client)
        {
            if (caller.Left is <= 0)
                return Refused(line, caller, new RefusedException("client.day_over", string.Create(CultureInfo.InvariantCulture, $"This client may make {client.Terms.RequestsADay:N0} requests a day (UTC), each line counting as one, and has made them.")));
            turns.CountLine(client);
            caller.Left--;
        }

        try
        {
            var (input, key) = JsonBody.Read(text).All(body => (ApplicationInput.Fields(body), body.Text("idempotencyKey")));
            using var turn = key is null ? null : caller.TurnOf(key); // before anything is waited for: of two lines with one key, the first is taken
            if (turn is not null)
                await turn.Before;
            await _places.WaitAsync(ct);
            ApplicationAnswer answer;
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                answer = await scope.ServiceProvider.GetRequiredService<ReceiveApplication>().RunAsync(input, fromStaff: false, new AskedBy(caller.By, key ?? KeyOf(caller.Key, line)), ct, JobQueues.Bulk);
            }
            finally
            {
                _places.Release();
            }

            return new BulkLine(line, "accepted") { ApplicationId = answer.ApplicationId, Number = answer.Number, Replayed = answer.IsRepeated };
        }
        catch (RefusedException refused)
        {
            return Refused(line, caller, refused);
        }
    }

    private BulkLine Refused(int line, Caller caller, RefusedException refused)
    {
        if (caller.Client is { } client)
            turns.NoteRefusal(client.Id, refused.Code);
        return Rejected(line, refused.Code, refused.Message);
    }

    /// <summary>The key of a line that has none of its own: the same for the same line of a request that is repeated.</summary>
    private static string KeyOf(string key, int line) => "bulk-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{key}\n{line}"))))[..48];

    private static BulkLine Rejected(int line, string code, string detail) => new(line, "rejected") { Problem = new BulkProblem($"urn:camino:problem:{code}", code, detail) };

    private static BulkLine TooLong(int line) => Rejected(line, "input.too_large", $"A line has at most {LongestLine} bytes; this one has more.");

    /// <summary>Without the end of a line and the spaces of JSON around it; empty lines are passed over.</summary>
    private static ReadOnlyMemory<byte> Trimmed(byte[] bytes)
    {
        var (from, to) = (0, bytes.Length);
        while (to > from && bytes[to - 1] is (byte)' ' or (byte)'\t' or (byte)'\r')
            to--;
        while (from < to && bytes[from] is (byte)' ' or (byte)'\t' or (byte)'\r')
            from++;
        return bytes.AsMemory(from, to - from);
    }

    private static async Task WriteAsync(Stream answers, BulkLine line, CancellationToken ct)
    {
        await answers.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, JsonSerializerOptions.Web), ct);
        await answers.WriteAsync(s_end, ct);
    }

    private static void CheckKind(HttpRequest request)
    {
        var isLines = MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals(ContentType, StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
        Refuse.If(!isLines, "input.content_type", $"Content-Type is {ContentType} in UTF-8; got {InputText.Short(request.ContentType)}.");
        var encoding = request.Headers.ContentEncoding.ToString();
        Refuse.If(encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase), "input.content_type", $"The body is sent as it is, without Content-Encoding; got {InputText.Short(encoding)}.");
        Refuse.If(request.ContentLength is > MostBytes, "input.too_large", $"The body has at most {MostBytes} bytes; got {request.ContentLength}.");
    }

    /// <summary>Who sends the lines.</summary>
    private sealed class Caller(Guid by, string key, KnownClient? client, long? left)
    {
        public Guid By { get; } = by;

        public string Key { get; } = key;

        public KnownClient? Client { get; } = client;

        /// <summary>Lines that may follow today; null: no limit.</summary>
        public long? Left { get; set; } = left;

        private readonly ConcurrentDictionary<string, Turn> _turns = new(StringComparer.Ordinal);

        /// <summary>The place of a line among those in work that have its key.</summary>
        public Turn TurnOf(string key)
        {
            var turn = new Turn(_turns.TryGetValue(key, out var before) ? before.Over : Task.CompletedTask, own => _turns.TryRemove(KeyValuePair.Create(key, own)));
            _turns[key] = turn;
            return turn;
        }
    }

    /// <summary>One line's turn with its key; disposing it lets the next one begin.</summary>
    private sealed class Turn(Task before, Action<Turn> leave) : IDisposable
    {
        private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Ends when the line before is over.</summary>
        public Task Before { get; } = before;

        public Task Over => _over.Task;

        public void Dispose()
        {
            leave(this);
            _over.SetResult();
        }
    }
}
