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

    private static async Task<(HttpStatusCode Status, string Text)> ReadyAsync(HttpClient balancer)
    {
        using var answer = await balancer.GetAsync(new Uri("/health/ready", UriKind.Relative));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
