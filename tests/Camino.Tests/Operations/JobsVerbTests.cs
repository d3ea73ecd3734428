using System.Text.Json;
using Camino.Testing;
using Camino.Tests.Hosting;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Operations;

/// <summary>The job board for operators: real processes of <c>camino jobs</c> against a running system.</summary>
internal sealed class JobsVerbTests
{
    private RunningCamino _camino = null!;
    private Configs _configs = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _configs = new Configs();
        _camino = await RunningCamino.StartAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _configs.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public async Task Failed_jobs_are_listed_shown_grouped_and_acted_on_one_by_one_or_all_at_once_with_a_reason()
    {
        var ids = await FailAsync(3);
        var list = await DoneAsync("list", "--state", "failed", "--kind", "imports.check");
        Assert.That(list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Guid.Parse(line.AsSpan(0, 36))), Is.EqualTo(ids.OrderDescending()));
        var page = JsonSerializer.Deserialize<JsonElement>((await DoneAsync("list", "--state", "failed", "--take", "2", "--json")).Output);
        Assert.That((page.GetProperty("jobs").GetArrayLength(), page.GetProperty("next").GetGuid()), Is.EqualTo((2, ids[1])));
        Assert.That((await DoneAsync("show", $"{ids[0]}")).Output, Does.Contain($"imports.check {ids[0]}: Failed, queue bulk, attempt 3 of 3").And.Contain("error The file 1 is broken"));
        Assert.That((await DoneAsync("causes")).Output, Does.Contain("The file # is broken"));

        Assert.That((await DoneAsync("acknowledge", $"{ids[0]}", "--reason", "seen with the bank")).Output, Is.EqualTo("1 done, 0 refused."));
        Assert.That((await DoneAsync("acknowledge", "--all", "--state", "failed", "--dry-run")).Output, Is.EqualTo("3 jobs match."));
        var all = await DoneAsync("acknowledge", "--all", "--state", "failed", "--reason", "all of that file", "--json");
        Assert.That((await RunAsync(["acknowledge", "--all", "--state", "failed", "--reason", "all of that file"])).Error, Does.Contain("(approval.waiting)"));
        var approved = await _camino.ApproveAsync(JsonSerializer.Deserialize<JsonElement>(all.Output).GetProperty("approvalId").GetGuid());
        var job = approved.GetProperty("approval").GetProperty("answer").GetProperty("jobId").GetGuid();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await _camino.ScalarAsync<long>($"select count(*) from jobs.finished where id = '{job}' and state = 'done'") == 0)
            await Task.Delay(25, limit.Token);
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from jobs.finished where state = 'failed' and acknowledged_at is null"), Is.Zero);
        Assert.That(
            await _camino.ScalarAsync<string>("select string_agg(distinct action || ': ' || (details ->> 'reason'), '; ') from camino.audit_entries where action like 'job%acknowledge%'"),
            Is.EqualTo("job.acknowledged: seen with the bank; jobs.bulk_acknowledge: all of that file"));
    }

    [Test]
    public async Task Queues_servers_and_recurring_jobs_are_listed_and_steered()
    {
        await DoneAsync("pause", "queue", "urgent", "--reason", "the bureau is closed");
        Assert.That((await DoneAsync("queues")).Output, Does.Match("urgent .*, paused"));
        await DoneAsync("resume", "queue", "urgent", "--reason", "it is open again");
        Assert.That((await DoneAsync("queues")).Output, Does.Not.Contain("paused"));

        var server = JsonSerializer.Deserialize<JsonElement>((await DoneAsync("servers", "--json")).Output).EnumerateArray().Single(one => one.GetProperty("state").GetString() == "running");
        Assert.That(server.GetProperty("role").GetString(), Is.EqualTo("async"));
        var id = server.GetProperty("id").GetString() ?? "";
        Assert.That((await DoneAsync("server", "quiet", id, "--reason", "its disk is replaced")).Output, Does.Contain("is quieted."));
        await DoneAsync("server", "work", id, "--reason", "the disk is new");

        var entry = JsonSerializer.Deserialize<JsonElement>((await DoneAsync("recurring", "list", "--json")).Output)[0].GetProperty("name").GetString() ?? "";
        Assert.That((await DoneAsync("recurring", "disable", entry, "--reason", "audit week")).Output, Is.EqualTo($"{entry} is disabled."));
        Assert.That((await DoneAsync("recurring", "list", entry)).Output, Does.Contain("disabled: audit week"));
        await DoneAsync("recurring", "enable", entry, "--reason", "audit is over");
        Assert.That((await DoneAsync("recurring", "run", entry, "--reason", "wanted now")).Output, Does.Match($"^{entry} runs as job [0-9a-f-]{{36}}\\.$"));
        Assert.That(
            await _camino.ScalarAsync<string>("select string_agg(action, ' ' order by id) from camino.audit_entries where subject in ('queue', 'server', 'schedule')"),
            Is.EqualTo("queue.paused queue.resumed server.quieted server.resumed schedule.disabled schedule.enabled schedule.run"));
    }

    [TestCase("retry", "(job.none_chosen)")]
    [TestCase("retry|0197b6a0-0000-7000-8000-000000000001|--reason|because", "(job.not_found)")]
    [TestCase("retry|0197b6a0-0000-7000-8000-000000000001|--reason|x", "(job.reason)")]
    [TestCase("retry|--all|--state|faild|--reason|because", "state of a filter cannot be faild.")]
    [TestCase("change-due|0197b6a0-0000-7000-8000-000000000001|--reason|because", "(job.due_missing)")]
    [TestCase("show|0197b6a0-0000-7000-8000-000000000001", "There is no job 0197b6a0-0000-7000-8000-000000000001.")]
    [TestCase("pause|queue|No such|--reason|because", "(job.name)")]
    [TestCase("recurring|run|none.such|--reason|because", "(schedule.not_found)")]
    [TestCase("server|quiet|nobody|--reason|because", "No job server nobody is alive.")]
    [TestCase("retry|--all|--state|failed|--reason|because|--user|nobody@lender.example", "(job.nobody)")]
    public async Task What_an_operator_gets_wrong_is_one_sentence_and_changes_nothing(string arguments, string said)
    {
        var ended = await RunAsync(arguments.Split('|'));

        Assert.That(ended.Code, Is.EqualTo(1), ended.ToString());
        Assert.That(ended.Output, Is.Empty);
        Assert.That(ended.ErrorLines, Has.Count.EqualTo(1), ended.Error);
        Assert.That(ended.Error, Does.Contain(said));
    }

    private async Task<Ended> DoneAsync(params string[] arguments)
    {
        var ended = await RunAsync(arguments);
        Assert.That(ended.Code, Is.Zero, ended.ToString());
        return ended;
    }

    private Task<Ended> RunAsync(string[] arguments) =>
        CaminoProcess.RunAsync(new Dictionary<string, string?> { ["CAMINO_Database__ConnectionString"] = _camino.ConnectionString }, ["jobs", .. arguments, "--config", _configs.Of("BackOffice")]);

    private async Task<Guid[]> FailAsync(int count)
    {
        var ids = Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7()).Order().ToArray();
        await using var command = _camino.Source.CreateCommand("""
            insert into jobs.finished (id, due_at, enqueued_at, started_at, finished_at, version, attempt, max_attempts, state, queue, kind, error, args)
            select id, now(), now(), now(), now(), 1, 3, 3, 'failed', 'bulk', 'imports.check', 'The file ' || n || ' is broken', '{"importId":"0197b6a0-0000-7000-8000-000000000001"}' from unnest($1) with ordinality as one(id, n)
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = ids });
        await command.ExecuteNonQueryAsync();
        return ids;
    }
}
