using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Jobs;

/// <summary>
/// The one LISTEN connection of a process. It is a hint and nothing more: it may be down, half-open or deaf (behind a transaction pooler) and every job is
/// still found by polling. A connection that looks alive has to hear its own voice every 15 seconds.
/// </summary>
internal sealed class WakeListener(NpgsqlDataSource source, string channel, Action<string?> onWork, Action onCancel, Releaser releaser, ILogger logger)
{
    private const string Echo = "!echo:";
    private static readonly TimeSpan EchoEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan EchoWithin = TimeSpan.FromSeconds(5);

    private readonly string _me = Guid.CreateVersion7().ToString("N");
    private bool _heardMyself;

    /// <summary>True while the connection hears.</summary>
    public bool Up { get; private set; }

    public async Task LoopAsync(CancellationToken ct)
    {
        var failures = 0;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(() => failures = 0, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (Up || failures == 0)
                    JobLog.ListenerDown(logger, e);
            }
            finally
            {
                Up = false;
            }
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(30_000, 250 * Math.Pow(2, Math.Min(failures++, 10)))), ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task ListenAsync(Action onUp, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        connection.Notification += (_, heard) => Hear(heard.Payload);
        await ExecuteAsync(connection, $"LISTEN {channel}", ct);
        while (true)
        {
            _heardMyself = false;
            await ExecuteAsync(connection, $"SELECT pg_notify('{channel}', '{Echo}{_me}')", ct);
            using (var within = CancellationTokenSource.CreateLinkedTokenSource(ct))
            {
                within.CancelAfter(EchoWithin);
                while (!_heardMyself)
                    await WaitAsync(connection, within.Token, ct);
            }
            if (!Up)
            {
                Up = true;
                onUp();
                JobLog.Listening(logger, channel);
                // What was committed while nobody listened.
                onWork(null);
            }
            using var until = CancellationTokenSource.CreateLinkedTokenSource(ct);
            until.CancelAfter(EchoEvery);
            try
            {
                while (true)
                    await connection.WaitAsync(until.Token);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                // Time for the next echo.
            }
        }
    }

    private static async Task WaitAsync(NpgsqlConnection connection, CancellationToken within, CancellationToken ct)
    {
        try
        {
            await connection.WaitAsync(within);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException("The listening connection does not hear its own notification; is it behind a transaction pooler?", e);
        }
    }

    private void Hear(string payload)
    {
        if (payload == "!cancel")
            onCancel();
        else if (payload == "!all")
            onWork(null);
        else if (payload == JobWriter.WakeAfter)
            releaser.OnWaiting();
        else if (payload == JobWriter.WakeLimit)
            releaser.OnLimited();
        else if (!payload.StartsWith('!'))
            onWork(payload);
        else if (payload.StartsWith(Echo, StringComparison.Ordinal) && payload.AsSpan(Echo.Length).SequenceEqual(_me))
            _heardMyself = true;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string text, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(text, connection) { CommandTimeout = 5 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
