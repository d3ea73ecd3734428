using System.Diagnostics.Metrics;
using Camino.Host.Configuration;
using Camino.Host.Releases;

namespace Camino.Host.Limits;

/// <summary>
/// Takes on so many requests at once, lets some wait for a short while, and answers the rest with 503 and Retry-After at once: a flood ends in clear answers and not in
/// time-outs, and what was taken on is still answered in time. Every request has its time; after it, its statements are cancelled. Health is never shed.
/// </summary>
internal sealed class OverloadGate : IDisposable
{
    /// <summary>Seconds after which asking again makes sense.</summary>
    private const int RetryAfterSeconds = 2;

    private readonly RequestDelegate _next;
    private readonly LimitsSettings _limits;
    private readonly SemaphoreSlim _places;
    private readonly SemaphoreSlim _transfers;
    private readonly SemaphoreSlim _listeners;
    private readonly TimeProvider _clock;
    private readonly Meter _meter;
    private readonly Counter<long> _shed;
    private readonly Counter<long> _late;
    private int _waiting;

    public OverloadGate(RequestDelegate next, HostSettings settings, TimeProvider clock, IMeterFactory meters)
    {
        _next = next;
        _limits = settings.Limits;
        _transfers = new SemaphoreSlim(_limits.Transfers, _limits.Transfers);
        _listeners = new SemaphoreSlim(_limits.Listeners, _limits.Listeners);
        _clock = clock;
        _places = new SemaphoreSlim(_limits.Concurrent, _limits.Concurrent);
        _meter = meters.Create("Camino");
        _shed = _meter.CreateCounter<long>("camino.requests.shed", "{request}", "Requests answered with 503 because too many were in work.");
        _late = _meter.CreateCounter<long>("camino.requests.timed_out", "{request}", "Requests cancelled because their time was over.");
        _meter.CreateObservableGauge("camino.requests.in_work", () => _limits.Concurrent - _places.CurrentCount, "{request}", "Requests in work.");
        _meter.CreateObservableGauge("camino.requests.listening", () => _limits.Listeners - _listeners.CurrentCount, "{request}", "Open lines on which pages and programs hear of progress.");
        _meter.CreateObservableGauge("camino.requests.waiting", () => Volatile.Read(ref _waiting), "{request}", "Requests that wait for a place.");
        _meter.CreateObservableGauge("camino.requests.limit", () => _limits.Concurrent, "{request}", "Requests that may be in work at once.");
    }

    public async Task InvokeAsync(HttpContext context)
    {
        switch (RouteClasses.Of(context.Request))
        {
            case RouteClass.Always:
                await _next(context);
                return;
            case RouteClass.Listening:
                await ListenAsync(context);
                return;
            case RouteClass.Transfer:
                // it holds a connection of the web server and little else, for long: it takes no place of the short ones
                await TransferAsync(context);
                return;
        }

        if (!await TakeAsync(context.RequestAborted))
        {
            _shed.Add(1);
            await Shed.AnswerAsync(context, RetryAfterSeconds, "server.busy", "Too many requests are in work; nothing of this one was done. Ask again in a moment.");
            return;
        }

        try
        {
            await InTimeAsync(context, TimeSpan.FromSeconds(_limits.RequestSeconds));
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose()
    {
        _places.Dispose();
        _transfers.Dispose();
        _listeners.Dispose();
        _meter.Dispose();
    }

    private async Task TransferAsync(HttpContext context)
    {
        // waiting would be no use: a transfer takes minutes
        if (!await _transfers.WaitAsync(0, context.RequestAborted))
        {
            _shed.Add(1);
            await Shed.AnswerAsync(context, RetryAfterSeconds, "server.transfers", FormattableString.Invariant($"{_limits.Transfers} files are being sent or fetched, as many as there may be at once; nothing of this one was taken. Try again in a moment."));
            return;
        }

        try
        {
            await InTimeAsync(context, TimeSpan.FromSeconds(_limits.TransferSeconds));
        }
        finally
        {
            _transfers.Release();
        }
    }

    /// <summary>It works only when something changes, and lasts until the other side has heard enough.</summary>
    private async Task ListenAsync(HttpContext context)
    {
        if (!await _listeners.WaitAsync(0, context.RequestAborted))
        {
            _shed.Add(1);
            await Shed.AnswerAsync(context, RetryAfterSeconds, "server.listeners", FormattableString.Invariant($"{_limits.Listeners} lines are open, as many as there may be at once. Ask without waiting, or again in a moment."));
            return;
        }

        try
        {
            await _next(context);
        }
        finally
        {
            _listeners.Release();
        }
    }

    private async Task<bool> TakeAsync(CancellationToken ct)
    {
        if (await _places.WaitAsync(0, ct))
            return true;
        if (Interlocked.Increment(ref _waiting) > _limits.Waiting)
        {
            Interlocked.Decrement(ref _waiting);
            return false;
        }

        try
        {
            return await _places.WaitAsync(_limits.WaitMilliseconds, ct);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async Task InTimeAsync(HttpContext context, TimeSpan time)
    {
        var client = context.RequestAborted;
        using var over = new CancellationTokenSource(time, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(client, over.Token);
        context.RequestAborted = either.Token;
        try
        {
            await _next(context);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !client.IsCancellationRequested && !context.Response.HasStarted)
        {
            _late.Add(1);
            context.RequestAborted = client;
            context.Response.Clear();
            await Shed.AnswerAsync(context, RetryAfterSeconds, "request.too_long", FormattableString.Invariant($"The request took longer than {time.TotalSeconds:0} s and was cancelled; what it had begun was rolled back."));
        }
        finally
        {
            context.RequestAborted = client;
        }
    }
}
