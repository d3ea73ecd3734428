namespace Camino.Jobs.Tests;

/// <summary>Many servers as processes of their own; they take a machine for themselves, so nothing of this suite runs beside them.</summary>
[NonParallelizable]
internal sealed class ManyProcessesTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task Twenty_processes_on_five_thousand_jobs_leave_every_effect_exactly_once()
    {
        const int jobs = 5000;
        var workers = Enumerable.Range(1, 20).Select(server => Worker.Start(_bed.ConnectionString, $"process {server}")).ToList();
        try
        {
            await Bed.UntilAsync(async () => await _bed.ScalarAsync<long>("SELECT count(DISTINCT name) FROM jobs.server") == 20, () => "all to be there", seconds: 120);
            await _bed.EnqueueManyAsync(Enumerable.Range(0, jobs).Select(number => new Count(number)));
            await _bed.DrainedAsync(seconds: 120);
        }
        finally
        {
            foreach (var worker in workers)
            {
                worker.Kill();
                await worker.WaitForExitAsync();
                worker.Dispose();
            }
        }

        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM effect"), Is.EqualTo(jobs));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(DISTINCT number) FROM effect"), Is.EqualTo(jobs));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(*) FROM jobs.finished WHERE state = 'done'"), Is.EqualTo(jobs));
        Assert.That(await _bed.ScalarAsync<long>("SELECT count(DISTINCT server) FROM effect"), Is.GreaterThan(1));
    }
}
