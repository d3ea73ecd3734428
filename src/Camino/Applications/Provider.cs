using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Camino.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Applications;

/// <summary>An outside service that checks ask, or that sends messages.</summary>
/// <param name="Name">As limits and exchanges call it: <c>credit</c>.</param>
/// <param name="Address">Null: it is not asked, and its steps are not planned.</param>
/// <param name="Key">What it knows this lender by.</param>
/// <param name="Timeout">The longest that one question may take.</param>
/// <param name="AtOnce">Questions at the same time, of all servers together.</param>
/// <param name="Rest">For how long nobody of a process asks after five failures in a row.</param>
/// <param name="PerMinute">Questions that begin within any minute, of all servers together; a second attempt counts.</param>
public sealed record Provider(string Name, Uri? Address, string Key, TimeSpan Timeout, TimeSpan Rest, int AtOnce, int PerMinute)
{
    /// <summary>The bound that the queue holds it to.</summary>
    internal JobLimit Limit => new("provider:" + Name, AtOnce, PerMinute, TimeSpan.FromMinutes(1));
}

/// <summary>The outside services of this lender.</summary>
public sealed record Providers(Provider Registry, Provider Credit, Provider Identity, Provider Email, Provider Text)
{
    /// <summary>Whose a bank account is.</summary>
    public Provider Account { get; init; } = Nobody("account");

    /// <summary>Has offers signed.</summary>
    public Provider Signature { get; init; } = Nobody("signature");

    /// <summary>Reads documents.</summary>
    public Provider Reading { get; init; } = Nobody("reading");

    /// <summary>The mail server that takes e-mails; null: <see cref="Email"/> is asked over HTTP. Where it is set, <see cref="Email"/> has its address and bounds.</summary>
    public Messages.SmtpServer? Smtp { get; init; }

    /// <summary>The service that sends messages of a channel.</summary>
    public Provider Of(Messages.MessageChannel channel) => channel == Messages.MessageChannel.Email ? Email : Text;

    /// <summary>None is asked.</summary>
    public static Providers None { get; } = new(Nobody("registry"), Nobody("credit"), Nobody("identity"), Nobody("email"), Nobody("text"));

    private static Provider Nobody(string name) => new(name, null, "", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(15), 1, 60);
}

/// <summary>Who asks an outside service: where the exchange is kept.</summary>
public enum Asker
{
    /// <summary>A step of the checks.</summary>
    Step,

    /// <summary>A message that is to be sent.</summary>
    Message,

    /// <summary>The reading of a document.</summary>
    Reading,

    /// <summary>An envelope that is to be signed.</summary>
    Envelope,
}

/// <summary>An outside service did not answer as it should; the queue asks again.</summary>
/// <param name="what">A code for staff, such as <c>credit answered 500</c>; never what was asked or answered.</param>
public sealed class ProviderFailedException(string what, Exception? inner = null) : Exception(what, inner);

/// <summary>Lets an outside service rest that fails again and again, so that a dead one costs no attempts and no time: after five failures in a row nobody of this process asks for a while, then one, and all when that one is answered.</summary>
public sealed class ProviderRest(TimeProvider clock)
{
    private const int Failures = 5;

    private readonly ConcurrentDictionary<string, State> _states = new(StringComparer.Ordinal);

    /// <summary>How long to wait before asking; null: ask.</summary>
    public TimeSpan? Wait(Provider provider)
    {
        var state = _states.GetOrAdd(provider.Name, _ => new State());
        lock (state)
        {
            if (state.Failures < Failures)
                return null;
            var now = clock.GetUtcNow();
            if (now < state.Until)
                return state.Until - now;
            state.Until = now + provider.Rest; // this one tries for all
            return null;
        }
    }

    /// <summary>What became of a question.</summary>
    public void Note(Provider provider, bool answered)
    {
        var state = _states.GetOrAdd(provider.Name, _ => new State());
        lock (state)
        {
            state.Failures = answered ? 0 : state.Failures + 1;
            if (state.Failures == Failures)
                state.Until = clock.GetUtcNow() + provider.Rest;
        }
    }

    private sealed class State
    {
        public int Failures;
        public DateTimeOffset Until;
    }
}

/// <summary>
/// Asks an outside service one question over HTTP, once: another attempt is the queue's, which holds every start to the service's limits and waits with jitter. The question carries the step's id, so that a
/// service which was asked and not heard gives the same report again and bills it once. Question and answer are kept sealed, whatever the answer was.
/// </summary>
public sealed class ProviderClient(ExchangeVault vault, ProviderRest rest, NpgsqlDataSource source, TimeProvider clock) : IDisposable
{
    /// <summary>Longest answer, in bytes.</summary>
    public const int LongestAnswer = 256 * 1024;

    private const string KeptOfStep = "insert into camino.application_exchanges (id, step_id, provider, asked_at, status, milliseconds, sealed) values ($1, $2, $3, $4, $5, $6, $7)";
    private const string KeptOfMessage = "insert into camino.message_exchanges (id, message_id, provider, asked_at, status, milliseconds, sealed) values ($1, $2, $3, $4, $5, $6, $7)";

    private const string KeptOfReading = "insert into camino.document_exchanges (id, reading_id, provider, asked_at, status, milliseconds, sealed) values ($1, $2, $3, $4, $5, $6, $7)";

    private const string KeptOfEnvelope = "insert into camino.signature_exchanges (id, envelope_id, provider, asked_at, status, milliseconds, sealed) values ($1, $2, $3, $4, $5, $6, $7)";

    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(10);

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(2), ConnectTimeout = TimeSpan.FromSeconds(5) })
    {
        Timeout = Timeout.InfiniteTimeSpan, // each question has its own
        MaxResponseContentBufferSize = LongestAnswer,
    };

    /// <param name="stepId">The step that asks, the message that is to be sent, or the reading.</param>
    /// <param name="asker">Which of them it is.</param>
    /// <param name="reference">What the question is about, where that is not the step: the same reference is the same question, and is billed once.</param>
    /// <param name="kept">What is kept of the question, where that is not all of it.</param>
    /// <returns>The answer, which names the step, message or reading as its reference.</returns>
    /// <exception cref="ProviderFailedException">no answer, or one that is none.</exception>
    /// <exception cref="JobSnoozedException">it rests, or asks to wait.</exception>
    public async Task<JsonElement> AskAsync(Provider provider, string path, Guid stepId, object question, CancellationToken ct, Asker asker = Asker.Step, Guid? reference = null, object? kept = null)
    {
        if (rest.Wait(provider) is { } wait)
            throw new JobSnoozedException(wait + TimeSpan.FromSeconds(1), $"{provider.Name} does not answer at the moment; it is asked again later.");
        var watch = Stopwatch.StartNew();
        var asked = JsonSerializer.Serialize(question, JsonSerializerOptions.Web);
        int? status = null;
        var answer = "";
        try
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(ct);
            time.CancelAfter(provider.Timeout);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(provider.Address ?? throw new InvalidOperationException($"{provider.Name} has no address."), path)) { Content = new StringContent(asked, Encoding.UTF8, "application/json") };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", provider.Key);
            request.Headers.Add("Idempotency-Key", (reference ?? stepId).ToString());
            using var response = await _http.SendAsync(request, time.Token);
            status = (int)response.StatusCode;
            answer = await response.Content.ReadAsStringAsync(time.Token);
            if (response.StatusCode == HttpStatusCode.TooManyRequests)
                throw new JobSnoozedException(WaitOf(response.Headers.RetryAfter), $"{provider.Name} asks to wait.");
            if (!response.IsSuccessStatusCode)
                throw new ProviderFailedException(string.Create(CultureInfo.InvariantCulture, $"{provider.Name} answered {status}"));
            var read = ReadAnswer(provider, reference ?? stepId, answer);
            rest.Note(provider, answered: true);
            return read;
        }
        catch (ProviderFailedException)
        {
            rest.Note(provider, answered: false);
            throw;
        }
        catch (Exception silent) when (silent is HttpRequestException or IOException || (silent is OperationCanceledException && !ct.IsCancellationRequested))
        {
            rest.Note(provider, answered: false);
            throw new ProviderFailedException(silent is OperationCanceledException ? $"{provider.Name} took longer than {provider.Timeout.TotalSeconds:0} s" : $"{provider.Name} cannot be reached", silent);
        }
        finally
        {
            await KeepAsync(KeptOf(asker), provider, stepId, status, watch.Elapsed, kept is null ? asked : JsonSerializer.Serialize(kept, JsonSerializerOptions.Web), answer, CancellationToken.None); // what was asked is kept, also where nobody waits for it any more
        }
    }

    /// <summary>Asks a service that speaks something else than HTTP, once, with the same rest and the same keeping of what was said.</summary>
    /// <param name="askAsync">Answers with a status and words.</param>
    /// <exception cref="ProviderFailedException">no answer, or one that is none.</exception>
    /// <exception cref="JobSnoozedException">it rests.</exception>
    internal async Task AskOtherwiseAsync(Provider provider, Asker asker, Guid id, string asked, Func<CancellationToken, Task<(int Status, string Answer)>> askAsync, CancellationToken ct)
    {
        if (rest.Wait(provider) is { } wait)
            throw new JobSnoozedException(wait + TimeSpan.FromSeconds(1), $"{provider.Name} does not answer at the moment; it is asked again later.");
        var watch = Stopwatch.StartNew();
        int? status = null;
        var answer = "";
        try
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(ct);
            time.CancelAfter(provider.Timeout);
            (status, answer) = await askAsync(time.Token);
            rest.Note(provider, answered: true);
        }
        catch (JobAbandonedException refused)
        {
            answer = refused.Message;
            rest.Note(provider, answered: true);
            throw;
        }
        catch (ProviderFailedException failed)
        {
            answer = failed.Message;
            rest.Note(provider, answered: false);
            throw;
        }
        catch (OperationCanceledException silent) when (!ct.IsCancellationRequested)
        {
            rest.Note(provider, answered: false);
            throw new ProviderFailedException($"{provider.Name} took longer than {provider.Timeout.TotalSeconds:0} s", silent);
        }
        finally
        {
            await KeepAsync(KeptOf(asker), provider, id, status, watch.Elapsed, asked, answer, CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string KeptOf(Asker asker) => asker switch { Asker.Message => KeptOfMessage, Asker.Reading => KeptOfReading, Asker.Envelope => KeptOfEnvelope, _ => KeptOfStep };

    /// <summary>An answer about another question is as good as none.</summary>
    private static JsonElement ReadAnswer(Provider provider, Guid asked, string answer)
    {
        try
        {
            var read = JsonSerializer.Deserialize<JsonElement>(answer);
            if (read.ValueKind == JsonValueKind.Object && read.TryGetProperty("reference", out var reference) && reference.ValueKind == JsonValueKind.String && reference.GetString() == asked.ToString())
                return read;
        }
        catch (JsonException wrong)
        {
            throw new ProviderFailedException($"{provider.Name} answered something else than JSON", wrong);
        }

        throw new ProviderFailedException($"{provider.Name} answered about something else");
    }

    private TimeSpan WaitOf(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - clock.GetUtcNow() : TimeSpan.FromSeconds(5));
        return wait < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : wait > s_longestWait ? s_longestWait : wait;
    }

    private async Task KeepAsync(string sql, Provider provider, Guid stepId, int? status, TimeSpan took, string asked, string answer, CancellationToken ct)
    {
        var whole = await vault.SealAsync(JsonSerializer.Serialize(new { asked, answer }), ct);
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = Guid.CreateVersion7() });
        command.Parameters.Add(new NpgsqlParameter { Value = stepId });
        command.Parameters.Add(new NpgsqlParameter { Value = provider.Name });
        command.Parameters.Add(new NpgsqlParameter { Value = clock.GetUtcNow() - took });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)status ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = (int)took.TotalMilliseconds });
        command.Parameters.Add(new NpgsqlParameter { Value = whole });
        await command.ExecuteNonQueryAsync(ct);
    }
}
