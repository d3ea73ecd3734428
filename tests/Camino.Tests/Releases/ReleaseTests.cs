using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Data;
using Camino.Host;
using Camino.Lending;
using Camino.Releases;
using Camino.Testing;
using Camino.Tests.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Releases;

/// <summary>Which release has the work, and what becomes of the one that lost it.</summary>
[Parallelizable]
public sealed class ReleaseTests
{
    private static long Mine => Math.Max(1, Release.Number);

    [Test]
    public async Task Every_start_of_either_role_is_shown_with_its_release_and_its_last_sign_of_life()
    {
        await using var camino = await RunningCamino.StartAsync();

        var servers = await SeenAsync(camino, s => s.GetProperty("processes").GetArrayLength() == 2);

        Assert.That(servers.GetProperty("processes").EnumerateArray().Select(p => p.GetProperty("role").GetString()), Is.EquivalentTo(["BackOffice", "Async"]));
        Assert.That(servers.GetProperty("processes").EnumerateArray().Select(p => p.GetProperty("pid").GetInt32()), Is.All.EqualTo(Environment.ProcessId));
        Assert.That(servers.GetProperty("releases")[0].GetProperty("number").GetInt64(), Is.EqualTo(Release.Number));
        Assert.That(servers.GetProperty("releases")[0].GetProperty("schemaNewest").GetInt32(), Is.EqualTo(SchemaWindow.NewestAccepted));
        Assert.That(servers.GetProperty("fence").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public async Task A_process_that_drains_says_so_until_it_ends()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await using var office = await camino.StartSecondOfficeAsync(behindProxy: true, settings => (settings.Web.DrainSeconds, settings.Web.WarmUpSeconds) = (3, 0));
        await SeenAsync(camino, s => s.GetProperty("processes").GetArrayLength() == 2);

        office.Lifetime.StopApplication(); // as SIGTERM does
        var stopped = office.StopAsync();
        await UntilAsync(async () => await camino.ScalarAsync<long>("select count(*) from camino.processes where state = 'draining'") == 1);
        await stopped;

        Assert.That(await camino.ScalarAsync<string>("select string_agg(state, ' ' order by state) from camino.processes"), Is.EqualTo("ended serving"));
    }

    [Test]
    public async Task A_role_whose_processes_could_ask_for_more_connections_than_there_are_says_so_in_its_log()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        Assert.That(camino.LogLines, Has.None.Contains("More connections than there are"));
        await using var office = await camino.StartSecondOfficeAsync(change: settings => settings.Database.MaxReplicas = 500);

        await UntilAsync(() => Task.FromResult(camino.LogLines.Any(line => line.Contains("More connections than there are", StringComparison.Ordinal) && line.Contains("connection budget: BackOffice 500 x", StringComparison.Ordinal))));
    }

    [Test]
    public async Task A_retired_Back_Office_refuses_writes_with_Retry_After_fails_its_readiness_and_comes_back_after_a_rollback()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await SeenAsync(camino, s => s.GetProperty("processes").GetArrayLength() == 1);
        await MoveAsync(camino, move => move.PromoteAsync(Mine, "test", evenIfNobodyLives: true, CancellationToken.None));
        await MoveAsync(camino, move => move.PromoteAsync(Mine + 1, "test", evenIfNobodyLives: true, CancellationToken.None));

        await UntilAsync(async () => await StatusAsync(camino, "/health/ready") == HttpStatusCode.ServiceUnavailable);
        using (var refused = await camino.Api.PostAsJsonAsync("/api/v1/jobs/echo", new { text = "late" }))
        {
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
            Assert.That(refused.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(ReleaseRetiredException.RetryAfterSeconds)));
            Assert.That((await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString(), Is.EqualTo("release.retired"));
        }

        Assert.That(await StatusAsync(camino, "/api/v1/queues"), Is.EqualTo(HttpStatusCode.OK), "what is read stays readable");
        Assert.That(await StatusAsync(camino, "/health/live"), Is.EqualTo(HttpStatusCode.OK), "a retired process is no dead one");

        await MoveAsync(camino, async move => Assert.That(await move.RollbackAsync(null, "test", CancellationToken.None), Is.EqualTo(Mine)));
        await UntilAsync(async () => await StatusAsync(camino, "/health/ready") == HttpStatusCode.OK);
        using var taken = await camino.Api.PostAsJsonAsync("/api/v1/jobs/echo", new { text = "again" });
        Assert.That(taken.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        Assert.That(await camino.ScalarAsync<long>("select count(*) from camino.audit_entries where action in ('release.promoted', 'release.rolled_back')"), Is.EqualTo(3));
    }

    [Test]
    public async Task A_save_of_a_retired_release_is_refused_in_its_own_transaction_whatever_the_process_remembers()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await MoveAsync(camino, move => move.PromoteAsync(Mine + 1, "test", evenIfNobodyLives: true, CancellationToken.None));
        await using var scope = camino.Office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        db.AuditEntries.Add(new Audit.AuditEntry(DateTimeOffset.UnixEpoch, null, "test.late", "test", "1"));

        Assert.That(() => db.SaveChangesAsync(), Throws.TypeOf<ReleaseRetiredException>());
        Assert.That(() => db.SaveChanges(), Throws.TypeOf<ReleaseRetiredException>());
        Assert.That(await camino.ScalarAsync<long>("select count(*) from camino.audit_entries where action = 'test.late'"), Is.Zero);
    }

    [Test]
    public async Task Ten_releases_approved_in_random_order_end_with_the_newest_and_never_go_back()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        var order = Enumerable.Range(1, 10).Select(n => Mine + n).ToArray();
        new Random(4711).Shuffle(order);

        await Task.WhenAll(order.Select(async release =>
        {
            try
            {
                await MoveAsync(camino, move => move.AdmitAsync(release, "test", CancellationToken.None));
                await MoveAsync(camino, move => move.PromoteAsync(release, "test", evenIfNobodyLives: true, CancellationToken.None));
            }
            catch (RefusedException late)
            {
                Assert.That(late.Code, Is.EqualTo("release.not_newer"));
            }
        }));

        Assert.That(await camino.ScalarAsync<long>("select lowest from jobs.fence"), Is.EqualTo(Mine + 10));
        Assert.That(await camino.ScalarAsync<long>("select highest from jobs.fence"), Is.EqualTo(Mine + 10));
        Assert.That(() => MoveAsync(camino, move => move.GuardAsync(Mine + 9, isRollback: false, CancellationToken.None)), Throws.TypeOf<RefusedException>());
    }

    [Test]
    public async Task A_release_that_is_being_tried_works_beside_the_current_one_and_a_rollback_ends_the_trial()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await SeenAsync(camino, s => s.GetProperty("processes").GetArrayLength() == 1);
        await MoveAsync(camino, move => move.PromoteAsync(Mine, "test", evenIfNobodyLives: true, CancellationToken.None));

        await MoveAsync(camino, move => move.AdmitAsync(Mine + 1, "test", CancellationToken.None));
        Assert.That(await StateAsync(camino, Mine), Is.EqualTo("current"));
        Assert.That(await StateAsync(camino, Mine + 1), Is.EqualTo("current"));
        Assert.That(await StateAsync(camino, Mine + 2), Is.EqualTo("waiting"));

        await MoveAsync(camino, move => move.RollbackAsync(null, "test", CancellationToken.None));
        Assert.That(await StateAsync(camino, Mine), Is.EqualTo("current"));
        Assert.That(await StateAsync(camino, Mine + 1), Is.EqualTo("retired"));
    }

    [Test]
    public async Task A_move_that_would_leave_nobody_at_work_or_no_way_back_is_refused_in_words()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await SeenAsync(camino, s => s.GetProperty("processes").GetArrayLength() == 1);

        Assert.That(await CodeAsync(camino, move => move.RollbackAsync(null, "test", CancellationToken.None)), Is.EqualTo("release.nothing_before"));
        Assert.That(await CodeAsync(camino, move => move.PromoteAsync(Mine + 1, "test", evenIfNobodyLives: false, CancellationToken.None)), Is.EqualTo("release.nobody"));
        Assert.That(await CodeAsync(camino, move => move.PromoteAsync(0, "test", evenIfNobodyLives: true, CancellationToken.None)), Is.EqualTo("release.number"));
        Assert.That(await CodeAsync(camino, move => move.RetireAsync(Mine + 7, "test", CancellationToken.None)), Is.EqualTo("release.unknown"));
        await MoveAsync(camino, move => move.PromoteAsync(Mine + 5, "test", evenIfNobodyLives: true, CancellationToken.None));
        Assert.That(await CodeAsync(camino, move => move.RetireAsync(Mine + 5, "test", CancellationToken.None)), Is.EqualTo("release.current"));
        Assert.That(await CodeAsync(camino, move => move.RollbackAsync(Mine + 4, "test", CancellationToken.None)), Is.EqualTo("release.unknown"), "no process of it ever said which schema it reads");
    }

    [Test]
    public async Task A_retired_Async_Server_that_nobody_stopped_takes_nothing_says_so_and_ends_itself()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        using var configs = new Configs();
        var file = configs.Of("Async");
        var mine = new Dictionary<string, string?>(StringComparer.Ordinal) { ["CAMINO_Database__ConnectionString"] = camino.ConnectionString, ["CAMINO_RELEASE"] = "3", ["CAMINO_Jobs__RetireSeconds"] = "2", ["CAMINO_Log__Format"] = "Json" };
        await using var server = CaminoProcess.Start(mine, "run", "--config", file);
        await UntilAsync(async () => await camino.ScalarAsync<long>("select count(*) from camino.processes where takes_work and release_number = 3") == 1);

        var promoted = await CaminoProcess.RunAsync(mine, "release", "promote", "4", "--even-if-nobody-lives", "--by", "test", "--config", file);
        Assert.That(promoted.Code, Is.Zero, promoted.ToString());
        using var job = await camino.Api.PostAsJsonAsync("/api/v1/jobs/echo", new { text = "for a newer one" });
        await server.SaysAsync("release 4 has taken over");
        var ended = await server.EndAsync();

        Assert.That(ended.Code, Is.Zero, ended.ToString());
        Assert.That(ended.Output, Does.Contain("it ends itself"));
        Assert.That(await camino.ScalarAsync<long>("select count(*) from jobs.job where lease is null"), Is.EqualTo(1), "the job waits for the release that has the work");
        var list = await CaminoProcess.RunAsync(mine, "release", "list", "--config", file);
        Assert.That(list.Output, Does.Contain("fence: 4 to 4").And.Match("process +3  ended +Async"));
    }

    private static async Task MoveAsync(RunningCamino camino, Func<MoveFence, Task> move)
    {
        var options = new DbContextOptionsBuilder<CaminoDb>();
        Camino.Host.Database.Configure(options, camino.Source);
        await using var db = new CaminoDb(options.Options);
        await move(new MoveFence(db, TimeProvider.System));
    }

    private static async Task<string> CodeAsync(RunningCamino camino, Func<MoveFence, Task> move)
    {
        var refusal = await Assert.ThrowsAsync<RefusedException>(() => MoveAsync(camino, move));
        return refusal?.Code ?? "";
    }

    private static async Task<string?> StateAsync(RunningCamino camino, long release) =>
        await camino.ScalarAsync<string>(FormattableString.Invariant($"select camino.release_state({release})"));

    private static async Task<HttpStatusCode> StatusAsync(RunningCamino camino, string path)
    {
        using var answer = await camino.Api.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }

    private static async Task<JsonElement> SeenAsync(RunningCamino camino, Func<JsonElement, bool> seen)
    {
        var servers = default(JsonElement);
        await UntilAsync(async () => seen(servers = await camino.Api.GetFromJsonAsync<JsonElement>("/api/v1/servers")));
        return servers;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!await condition())
            await Task.Delay(50, limit.Token);
    }
}
