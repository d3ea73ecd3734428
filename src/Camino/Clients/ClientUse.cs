using System.Data.Common;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Clients;

/// <summary>Writes down how often clients asked and when each key was used last: all of them in one statement, every few seconds and at the end of the process, so that no request waits for it.</summary>
public sealed partial class ClientUse(NpgsqlDataSource source, ClientTurns turns, TimeProvider clock, ILogger<ClientUse> log) : BackgroundService
{
    /// <summary>A server that is killed forgets so much at most.</summary>
    public static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(10);

    private const string Write =
        """
        with days as (
            insert into camino.api_client_days as known (client_id, day, requests) select * from unnest($1::uuid[], $2::date[], $3::bigint[])
            on conflict (client_id, day) do update set requests = known.requests + excluded.requests
        ), refusals as (
            insert into camino.api_client_refusals as known (client_id, day, code, refused) select * from unnest($6::uuid[], $7::date[], $8::text[], $9::bigint[])
            on conflict (client_id, day, code) do update set refused = known.refused + excluded.refused
        )
        update camino.api_client_keys k set last_used_at = greatest(k.last_used_at, used.at) from unnest($4::uuid[], $5::timestamptz[]) used (id, at) where k.id = used.id
        """;

    /// <summary>Writes down what this server counted since it did so last.</summary>
    public async Task WriteAsync(CancellationToken ct)
    {
        var counts = turns.HandOver();
        if (counts.IsEmpty)
        {
            turns.Written(counts);
            return;
        }

        try
        {
            // in the order of the clients, so that two servers do not wait for each other
            var days = counts.Requests.OrderBy(one => one.Key.Client).ThenBy(one => one.Key.Day).ToList();
            var keys = counts.Keys.OrderBy(one => one.Key).ToList();
            await using var write = source.CreateCommand(Write);
            write.Parameters.Add(new() { Value = days.Select(one => one.Key.Client).ToArray() });
            write.Parameters.Add(new() { Value = days.Select(one => one.Key.Day).ToArray() });
            write.Parameters.Add(new() { Value = days.Select(one => one.Value).ToArray() });
            write.Parameters.Add(new() { Value = keys.Select(one => one.Key).ToArray() });
            write.Parameters.Add(new() { Value = keys.Select(one => one.Value).ToArray() });
            var refusals = counts.Refusals.OrderBy(one => one.Key.Client).ThenBy(one => one.Key.Day).ThenBy(one => one.Key.Code, StringComparer.Ordinal).ToList();
            write.Parameters.Add(new() { Value = refusals.Select(one => one.Key.Client).ToArray() });
            write.Parameters.Add(new() { Value = refusals.Select(one => one.Key.Day).ToArray() });
            write.Parameters.Add(new() { Value = refusals.Select(one => one.Key.Code).ToArray() });
            write.Parameters.Add(new() { Value = refusals.Select(one => one.Value).ToArray() });
            await write.ExecuteNonQueryAsync(ct);
            turns.Written(counts);
        }
        catch (Exception failed) when (failed is DbException or OperationCanceledException or TimeoutException)
        {
            turns.TakeBack(counts);
            throw;
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2), clock);
        try
        {
            await TryAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // the database does not answer; a stop waits for nobody
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield(); // nothing here may hold up the start
        using var timer = new PeriodicTimer(WriteEvery, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await TryAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the rest is written at the stop
        }
    }

    private async Task TryAsync(CancellationToken ct)
    {
        try
        {
            await WriteAsync(ct);
        }
        catch (Exception failed) when (failed is DbException or TimeoutException)
        {
            LogNotWritten(failed.GetType().Name); // the counts were taken back: the next time tries again
        }
    }

    [LoggerMessage(140, LogLevel.Warning, "How often API clients asked could not be written down now ({Trouble}); it is tried again")]
    private partial void LogNotWritten(string trouble);
}
