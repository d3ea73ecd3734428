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

    [Test]
    public async Task Limits_continuations_batches_keys_and_recurring_jobs_work_behind_a_transaction_pooler()
    {
        await using var bed = await Bed.MakeAsync();
        await using var pooler = await PgBouncer.StartAsync(bed.ConnectionString);
        await using var source = NpgsqlDataSource.Create(pooler.ConnectionString);
        var (running, most) = (0, 0);
        bed.Probe.On("call", async (_, ct) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Decrement(ref running);
        });
        foreach (var name in (string[])["one", "two"])
            await bed.StartServerAsync(options => options.ServerName = name, pooler.ConnectionString, services => services.AddJobSchedules(schedules => schedules.Add("test.every-second", new Act("tick"), "* * * * * *")));

        await using var connection = await source.OpenConnectionAsync();
        await bed.Writer.EnqueueManyAsync(connection, transaction: null, Enumerable.Repeat(new Act("call"), 40), new JobOptions { Limit = new JobLimit("bureau", AtOnce: 1) });
        var first = await bed.Writer.EnqueueAsync(connection, transaction: null, new Act("first"));
        var second = await bed.Writer.EnqueueAsync(connection, transaction: null, new Act("second"), new JobOptions { After = [first] });
        var end = await bed.Writer.EnqueueBatchAsync(connection, transaction: null, Enumerable.Range(0, 100).Select(_ => bed.Writer.Prepare(new Act("part"))), bed.Writer.Prepare(new Act("end")));
        var keyed = new JobOptions { UniqueKey = "k", UniqueScope = JobUnique.Within, UniqueFor = TimeSpan.FromHours(1) };
        var key = await bed.Writer.EnqueueAsync(connection, transaction: null, new Act("keyed"), keyed);
        Assert.That(await bed.Writer.EnqueueAsync(connection, transaction: null, new Act("keyed"), keyed), Is.EqualTo(key));

        await bed.WaitForAsync(second, JobState.Done, seconds: 30);
        await bed.WaitForAsync(end, JobState.Done, seconds: 30);
        await Bed.UntilAsync(() => Task.FromResult(bed.Probe.Runs.GetValueOrDefault("call") == 40 && bed.Probe.Runs.GetValueOrDefault("tick") >= 2), () => "all calls and two ticks", seconds: 60);
        Assert.That(most, Is.EqualTo(1));
        Assert.That(bed.Probe.Began.ToList().IndexOf("first"), Is.LessThan(bed.Probe.Began.ToList().IndexOf("second")));
        Assert.That((await bed.Store.RecurringRunsAsync("test.every-second")).Select(run => run.PlannedAt), Is.Unique);
    }
}
