using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Camino.Jobs.Tests;

internal sealed class PoolerTests
{
    [Test]
    public async Task Everything_works_behind_a_transaction_pooler()
    {
        await using var bed = await Bed.MakeAsync();
        await using var pooler = await PgBouncer.StartAsync(bed.ConnectionString);
        await using var source = NpgsqlDataSource.Create(pooler.ConnectionString);
        var store = new JobStore(source, bed.Client);
        var gate = new Gate();
        bed.Probe.On("long", (_, ct) => gate.PassAsync(ct));
        var host = await bed.StartServerAsync(pooler: pooler.ConnectionString);
        var state = host.Services.GetRequiredService<IJobServerState>();

        Guid cancelled;
        await using (var connection = await source.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await bed.Writer.EnqueueManyAsync(connection, transaction, Enumerable.Range(0, 2000).Select(number => new Count(number)));
            cancelled = await bed.Writer.EnqueueAsync(connection, transaction, new Act("long"), new JobOptions { UniqueKey = "k" });
            await transaction.CommitAsync();
        }
        await gate.Reached;
        Assert.That(await store.RequestCancelAsync(cancelled, "user-1", "through the pooler"), Is.EqualTo(JobCommandOutcome.Requested));
        await bed.DrainedAsync();
        await Bed.UntilAsync(() => Task.FromResult(state is { Running: true, Listening: true }), () => "the listener to hear");

        Assert.That(await bed.ScalarAsync<long>("SELECT count(*) FROM effect"), Is.EqualTo(2000));
        Assert.That(await bed.ScalarAsync<long>("SELECT count(DISTINCT number) FROM effect"), Is.EqualTo(2000));
        Assert.That((await store.GetAsync(cancelled))?.State, Is.EqualTo(JobState.Cancelled));
        Assert.That((await store.ListAsync(new JobFilter(), take: 200)).Jobs, Has.Count.EqualTo(200));
    }
}
