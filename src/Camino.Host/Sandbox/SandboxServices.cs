using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Camino.Host.Sandbox;

/// <summary>How the sandbox behaves. Shares are 0 to 1, of all questions.</summary>
/// <param name="Seed">The same seed: the same report to the same question, and the same fate of the first, second, third question to a service, always.</param>
/// <param name="Milliseconds">Median of the time that an answer takes; one in a hundred takes ten times as long.</param>
/// <param name="Errors">Answered 500.</param>
/// <param name="Wrong">Answered with something else than JSON, or about another question.</param>
/// <param name="PerSecond">Questions a second; those beyond are answered 429 with Retry-After. 0: as many as come.</param>
internal sealed record SandboxBehaviour(int Seed = 1, int Milliseconds = 40, double Errors = 0, double Wrong = 0, int PerSecond = 0);

/// <summary>What was asked of one service so far.</summary>
/// <param name="MostInMinute">Most questions that began within any 60 seconds.</param>
internal sealed record SandboxFigures(long Asked, long Billed, long Repeated, long Errors, long Wrong, long Throttled, long Down, int MostAtOnce, int MostInMinute);

/// <summary>Invented outside services that behave like real ones: business registry, credit bureau, identity check, bank accounts, reading of documents, signatures, e-mail and text messages. Reports are made of the question and the seed; nothing is stored but in memory.</summary>
internal sealed partial class SandboxServices(SandboxBehaviour behaviour, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Service> _services = new(StringComparer.Ordinal);

    private readonly ConcurrentQueue<JsonElement> _messages = new();

    private readonly ConcurrentDictionary<string, Envelope> _envelopes = new(StringComparer.Ordinal);

    private static readonly HttpClient s_http = new();

    private CallbackTarget? _callback;

    private readonly ConcurrentDictionary<string, Handed> _handed = new(StringComparer.Ordinal);

    public SandboxBehaviour Behaviour { get; private set; } = behaviour;

    /// <summary>The newest messages that were taken, each once; they go nowhere.</summary>
    public IReadOnlyList<JsonElement> Messages => [.. _messages];

    public static void Map(WebApplication app)
    {
        app.MapPost("/registry/v1/search", (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "registry", "registry"));
        app.MapPost("/credit/v1/businesses", (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "credit", "credit"));
        app.MapPost("/credit/v1/persons", (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "credit", "credit"));
        app.MapPost("/identity/v1/checks", (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "identity", "identity"));
        app.MapPost("/account/v1/checks", (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "account", "account"));
        app.MapPost("/reading/v1/documents", (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "reading", "document"));
        app.MapPost("/reading/v1/results", (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "reading", "result"));
        foreach (var act in new[] { "envelopes", "status", "void" })
            app.MapPost("/signature/v1/" + act, (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "signature", "signature." + act));
        app.MapGet("/sandbox/envelopes", (SandboxServices sandbox) => sandbox._envelopes.Select(pair => new { reference = pair.Key, pair.Value.Status }));
        app.MapPost("/sandbox/envelopes/{reference}", (string reference, EnvelopeAct act, SandboxServices sandbox, CancellationToken ct) => sandbox.ActAsync(reference, act, ct));
        app.MapPut("/sandbox/callback", (CallbackTarget target, SandboxServices sandbox) => sandbox.CallBackTo(target));
        app.MapPost("/email/v1/messages", (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "email", "message"));
        app.MapPost("/text/v1/messages", (HttpContext context, SandboxServices sandbox) => sandbox.AnswerAsync(context, "text", "message"));
        app.MapGet("/sandbox/messages", (SandboxServices sandbox) => sandbox.Messages);
        app.MapPost("/sandbox/outage", (OutageRequest outage, SandboxServices sandbox) => sandbox.Outage(outage));
        app.MapPut("/sandbox/behaviour", (SandboxBehaviour wanted, SandboxServices sandbox) => sandbox.Behave(wanted));
        app.MapDelete("/sandbox/figures", (SandboxServices sandbox) => sandbox.Forget());
        app.MapGet("/sandbox/figures", (SandboxServices sandbox) => sandbox.Figures);
        app.MapGet("/health/ready", () => "ready");
    }

    /// <param name="Service">As its address begins: <c>credit</c>; null: all.</param>
    internal sealed record OutageRequest(string? Service, int Seconds);

    public IReadOnlyDictionary<string, SandboxFigures> Figures => _services.ToDictionary(pair => pair.Key, pair => pair.Value.Figures, StringComparer.Ordinal);

    /// <summary>Nothing is answered for so long: connections are cut off.</summary>
    public IResult Outage(OutageRequest outage)
    {
        foreach (var name in outage.Service is { } one ? [one] : new[] { "registry", "credit", "identity", "account", "reading", "signature", "email", "text" })
            Of(name).DownUntil = clock.GetUtcNow().AddSeconds(Math.Clamp(outage.Seconds, 0, 3_600));
        return Results.NoContent();
    }

    /// <summary>From now on it behaves so.</summary>
    public void Behave(SandboxBehaviour wanted) => Behaviour = wanted;

    /// <summary>As if nobody had asked anything yet.</summary>
    public void Forget()
    {
        _services.Clear();
        _handed.Clear();
    }

    private Service Of(string name) => _services.GetOrAdd(name, _ => new Service());

    private async Task AnswerAsync(HttpContext context, string name, string kind)
    {
        var service = Of(name);
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        var question = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body, cancellationToken: context.RequestAborted);
        var number = service.Begin();
        try
        {
            if (clock.GetUtcNow() < service.DownUntil)
            {
                Interlocked.Increment(ref service.Down);
                context.Abort();
                return;
            }

            if (Behaviour.PerSecond > 0 && service.IsTooMany(clock.GetUtcNow(), Behaviour.PerSecond))
            {
                Interlocked.Increment(ref service.Throttled);
                context.Response.Headers.RetryAfter = "1";
                context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                return;
            }

            var dice = new Dice(Behaviour.Seed, name, number);
            await Task.Delay(dice.Time(Behaviour.Milliseconds), clock, context.RequestAborted);
            if (dice.Next() < Behaviour.Errors)
            {
                Interlocked.Increment(ref service.Errors);
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                return;
            }

            var isNew = kind is not ("result" or "signature.status" or "signature.void") && service.Bill(key);
            if (dice.Next() < Behaviour.Wrong)
            {
                Interlocked.Increment(ref service.Wrong);
                await (dice.Next() < 0.5 ? context.Response.WriteAsync("<html>Service temporarily unavailable", context.RequestAborted) : context.Response.WriteAsJsonAsync(Report(kind, Guid.Empty.ToString(), question), context.RequestAborted));
                return;
            }

            if (kind == "message" && isNew)
                Take(question);
            context.Response.Headers["Idempotency-Replayed"] = isNew ? "false" : "true";
            await context.Response.WriteAsJsonAsync(Report(kind, key, question), context.RequestAborted);
        }
        finally
        {
            service.End();
        }
    }

    private void Take(JsonElement message)
    {
        const int Kept = 100;
        _messages.Enqueue(message.Clone());
        while (_messages.Count > Kept)
            _messages.TryDequeue(out _);
    }

    /// <summary>The same question and seed: the same report.</summary>
    private object Report(string kind, string reference, JsonElement question)
    {
        var dice = new Dice(Behaviour.Seed, question.ToString(), 0);
        return kind switch
        {
            "message" => new { reference, status = "accepted" },
            "registry" => new { reference, status = dice.Next() switch { < 0.9 => "active", < 0.95 => "inactive", _ => "notFound" } },
            "identity" => new { reference, outcome = dice.Next() switch { < 0.92 => "match", < 0.97 => "partial", _ => "noMatch" } },
            "signature.envelopes" => TakeEnvelope(reference, question),
            "signature.status" => EnvelopeOf(reference),
            "signature.void" => Void(reference),
            "document" => HandIn(reference, question),
            "result" => ResultOf(reference),
            "account" => Account(reference, question, dice),
            _ => (object)new { reference, score = 480 + (int)(dice.Next() * 360), openLoans = (int)(dice.Next() * 6), latePayments = (int)(dice.Next() * dice.Next() * 8) },
        };
    }

    /// <summary>The last four digits 0001 to 0003 always get the same answer, so that each can be tried; of the others nine in ten are the holder's.</summary>
    private static AccountReport Account(string reference, JsonElement question, Dice dice) => question.GetProperty("account").GetString()?[^4..] switch
    {
        "0001" => new(reference, "closed", null),
        "0002" => new(reference, "notFound", null),
        "0003" => new(reference, "nameDiffers", 10 + (int)(dice.Next() * 40)),
        _ => dice.Next() < 0.9 ? new(reference, "verified", 85 + (int)(dice.Next() * 16)) : new(reference, "nameDiffers", 10 + (int)(dice.Next() * 40)),
    };

    private sealed record AccountReport(string Reference, string Outcome, int? NameMatch);

    /// <param name="Does">signed, declined, expired, or forgotten.</param>
    /// <param name="Callbacks">How often it says so; 0: it is silent.</param>
    /// <param name="Sha256">Of what was signed; null: of what was handed in.</param>
    internal sealed record EnvelopeAct(string Does, int Callbacks = 1, string Name = "Rosa Delgado Fuentes", string? Sha256 = null);

    /// <param name="Address">Where the Back Office takes callbacks.</param>
    internal sealed record CallbackTarget(Uri Address, string Secret);

    /// <summary>From now on whoever is asked to sign answers there.</summary>
    public void CallBackTo(CallbackTarget target) => _callback = target;

    /// <summary>The applicant does something with an envelope, and the service says so.</summary>
    public async Task<IResult> ActAsync(string reference, EnvelopeAct act, CancellationToken ct)
    {
        if (!_envelopes.TryGetValue(reference, out var envelope))
            return Results.NotFound();
        if (act.Does == "forgotten")
            _envelopes.TryRemove(reference, out _);
        else
            _envelopes[reference] = envelope with { Status = act.Does, Name = act.Name, Signed = act.Sha256 ?? envelope.Sha256 };
        for (var i = 0; i < act.Callbacks && _callback is not null; i++)
            await CallBackAsync(_callback, reference, act.Does, ct);
        return Results.NoContent();
    }

    private async Task CallBackAsync(CallbackTarget target, string reference, string status, CancellationToken ct)
    {
        var (id, timestamp, body) = (Guid.CreateVersion7().ToString(), clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), JsonSerializer.Serialize(new { reference, status }));
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Address) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.TryAddWithoutValidation("webhook-signature", "v1," + Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(target.Secret), Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}"))));
        using var answer = await s_http.SendAsync(request, ct);
    }

    private Standing TakeEnvelope(string reference, JsonElement question)
    {
        if (reference != Guid.Empty.ToString())
            _envelopes.TryAdd(reference, new Envelope("sent", question.GetProperty("document").GetProperty("sha256").GetString() ?? "", "", ""));
        return new Standing(reference, "sent");
    }

    private object EnvelopeOf(string reference) => !_envelopes.TryGetValue(reference, out var envelope) ? new { reference, status = "unknown" }
        : envelope.Status != "signed" ? new { reference, status = envelope.Status }
        : new { reference, status = "signed", signature = new { name = envelope.Name, address = "203.0.113.7", agent = "Sandbox Signatures", sha256 = envelope.Signed, certificate = "Invented proof of " + reference } };

    private Standing Void(string reference)
    {
        if (_envelopes.TryGetValue(reference, out var envelope) && envelope.Status == "sent")
            _envelopes[reference] = envelope with { Status = "voided" };
        return new Standing(reference, _envelopes.TryGetValue(reference, out var now) ? now.Status : "unknown");
    }

    /// <param name="Status">sent, signed, declined, expired or voided.</param>
    /// <param name="Sha256">Of what was handed in.</param>
    /// <param name="Signed">Of what was signed.</param>
    private sealed record Envelope(string Status, string Sha256, string Name, string Signed);

    private Standing HandIn(string reference, JsonElement question)
    {
        if (reference != Guid.Empty.ToString())
            _handed.TryAdd(reference, new Handed(question.GetProperty("content").GetString() ?? ""));
        return new Standing(reference, "accepted");
    }

    private sealed record Standing(string Reference, string Status);

    /// <summary>The first question comes too early. Then it says what stands in the file as <c>sandbox businessName=Blue Heron LLC</c>, so that whoever tries it out says what is read; of others it invents something.</summary>
    private object ResultOf(string reference)
    {
        if (!_handed.TryGetValue(reference, out var handed))
            return new { reference, status = "unknown" };
        if (Interlocked.Increment(ref handed.Asked) == 1)
            return new { reference, status = "reading" };
        var dice = new Dice(Behaviour.Seed, handed.Content, 0);
        var text = Encoding.UTF8.GetString(Convert.FromBase64String(handed.Content));
        if (text.Contains("sandbox unreadable", StringComparison.Ordinal))
            return new { reference, status = "unreadable" };
        var said = Said().Matches(text).Select(match => new { name = match.Groups["name"].Value, value = match.Groups["value"].Value.Trim(), confidence = match.Groups["sure"].Success ? int.Parse(match.Groups["sure"].Value, CultureInfo.InvariantCulture) : 80 + (int)(dice.Next() * 20) }).ToList();
        return new
        {
            reference,
            status = "done",
            fields = said.Count > 0 ? said : [new { name = "businessName", value = "Invented Business " + (int)(dice.Next() * 1_000), confidence = 40 + (int)(dice.Next() * 20) }, new { name = "taxYear", value = (2020 + (int)(dice.Next() * 5)).ToString(CultureInfo.InvariantCulture), confidence = 90 }],
        };
    }

    [GeneratedRegex(@"sandbox (?<name>\w{1,40})(@(?<sure>\d{1,3}))?=(?<value>[^\r\n]{1,200})", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 5_000)]
    private static partial Regex Said();

    /// <summary>A document that was handed in.</summary>
    private sealed class Handed(string content)
    {
        public int Asked;

        public string Content { get; } = content;
    }

    private sealed class Service
    {
        private readonly ConcurrentDictionary<string, bool> _billed = new(StringComparer.Ordinal);
        private readonly Lock _gate = new();
        private long _asked, _repeated, _second, _inSecond;
        private readonly Queue<long> _lastMinute = new();
        private int _atOnce, _mostAtOnce, _mostInMinute;

        public long Errors;
        public long Wrong;
        public long Throttled;
        public long Down;

        public DateTimeOffset DownUntil { get; set; }

        public SandboxFigures Figures => new(Interlocked.Read(ref _asked), _billed.Count, Interlocked.Read(ref _repeated), Interlocked.Read(ref Errors), Interlocked.Read(ref Wrong), Interlocked.Read(ref Throttled), Interlocked.Read(ref Down), _mostAtOnce, _mostInMinute);

        /// <returns>The number of the question: 1 for the first.</returns>
        public long Begin()
        {
            lock (_gate)
            {
                _mostAtOnce = Math.Max(_mostAtOnce, ++_atOnce);
                var now = Environment.TickCount64;
                while (_lastMinute.TryPeek(out var oldest) && now - oldest >= 60_000)
                    _lastMinute.Dequeue();
                _lastMinute.Enqueue(now);
                _mostInMinute = Math.Max(_mostInMinute, _lastMinute.Count);
            }

            return Interlocked.Increment(ref _asked);
        }

        public void End()
        {
            lock (_gate)
                _atOnce--;
        }

        /// <summary>A report that was made once is given again and not billed.</summary>
        public bool Bill(string key)
        {
            if (_billed.TryAdd(key, true))
                return true;
            Interlocked.Increment(ref _repeated);
            return false;
        }

        public bool IsTooMany(DateTimeOffset now, int most)
        {
            lock (_gate)
            {
                var second = now.ToUnixTimeSeconds();
                if (second != _second)
                    (_second, _inSecond) = (second, 0);
                return ++_inSecond > most;
            }
        }
    }

    /// <summary>Numbers from 0 up to 1 that follow from seed, text and number alone.</summary>
    private sealed class Dice(int seed, string text, long number)
    {
        private readonly byte[] _hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed} {number} {text}")));
        private int _at;

        public double Next() => BitConverter.ToUInt32(_hash, 4 * (_at++ % 8)) / 4_294_967_296.0;

        /// <summary>Half of all near the median, a long tail.</summary>
        public TimeSpan Time(int median)
        {
            var share = Next();
            return TimeSpan.FromMilliseconds(share > 0.99 ? median * 10 : median * (0.5 + share));
        }
    }
}
