using System.Net;
using Camino.Host.Health;
using Camino.Testing;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>A Back Office behind a balancer is ready when the pages of every day have run once.</summary>
[Parallelizable]
public sealed class WarmUpTests
{
    [Test]
    public async Task A_new_office_behind_a_balancer_runs_each_page_of_every_day_before_it_is_ready_and_leaves_no_trace()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await using var holder = await camino.Source.OpenConnectionAsync();
        await using var held = await holder.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("lock table camino.applications in access exclusive mode", holder, held))
            await hold.ExecuteNonQueryAsync();
        await using var office = await camino.StartSecondOfficeAsync(behindProxy: true);
        using var balancer = new HttpClient { BaseAddress = RunningCamino.AddressOf(office) };

        var cold = await ReadyAsync(balancer);
        await held.RollbackAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await ReadyAsync(balancer)).Status != HttpStatusCode.OK)
            await Task.Delay(20, limit.Token);
        await office.StopAsync();

        Assert.That(cold.Status, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(cold.Text, Does.Contain("The process warms up."));
        Assert.That(camino.LogLines.Single(line => line.Contains("Warm:", StringComparison.Ordinal)), Does.Contain(FormattableString.Invariant($"Warm: {WarmUp.Addresses.Length} of {WarmUp.Addresses.Length} pages")), "each address is mapped, and each page runs for somebody who is nobody");
        Assert.That(camino.LogLines, Has.None.Contains("warm-up ended early"));
        Assert.That(await camino.ScalarAsync<long>("select count(*) from jobs.job"), Is.Zero);
    }

    [Test]
    public async Task A_page_that_breaks_stays_cold_and_the_others_have_their_turn()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await using (var away = camino.Source.CreateCommand("alter table camino.applications rename to applications_elsewhere"))
            await away.ExecuteNonQueryAsync();
        await using var office = await camino.StartSecondOfficeAsync(behindProxy: true);
        using var balancer = new HttpClient { BaseAddress = RunningCamino.AddressOf(office) };
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await ReadyAsync(balancer)).Status != HttpStatusCode.OK)
            await Task.Delay(20, limit.Token);

        Assert.That(camino.LogLines, Has.Some.Contains("The warm-up left out").And.Contains("PostgresException"));
        var warm = camino.LogLines.Single(line => line.Contains("Warm:", StringComparison.Ordinal));
        Assert.That(warm, Does.Not.Contain("Warm: 0 of").And.Not.Contain(FormattableString.Invariant($"Warm: {WarmUp.Addresses.Length} of")));
    }

    [TestCase("+", "127.0.0.1")]
    [TestCase("0.0.0.0", "127.0.0.1")]
    [TestCase("[::]", "[::1]")]
    [TestCase("10.1.2.3", "10.1.2.3")]
    [TestCase("localhost", "localhost")]
    public void It_asks_itself_where_it_listens(string bound, string asked) => Assert.That(WarmUp.HostOf(bound), Is.EqualTo(asked));

    private static async Task<(HttpStatusCode Status, string Text)> ReadyAsync(HttpClient balancer)
    {
        using var answer = await balancer.GetAsync(new Uri("/health/ready", UriKind.Relative));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
