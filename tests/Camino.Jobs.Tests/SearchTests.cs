namespace Camino.Jobs.Tests;

/// <summary>Lists by filter, and commands on many.</summary>
internal sealed class SearchTests
{
    private Bed _bed = null!;

    [SetUp]
    public async Task MakeAsync() => _bed = await Bed.MakeAsync();

    [TearDown]
    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Test]
    public async Task Jobs_are_found_by_each_filter()
    {
        await _bed.StartServerAsync();
        _bed.Probe.On("bad", (job, _) => throw new JobAbandonedException($"loan {job.JobId} has no borrower 17"));
        var plain = await _bed.EnqueueAsync(new Act("plain"), new JobOptions { Tags = ["month-end", "branch-4"], RequestedBy = "user-1" });
        var bad = await _bed.EnqueueAsync(new Act("bad"), new JobOptions { Tags = ["month-end"] });
        var held = await _bed.EnqueueAsync(new BriefAct("held"), new JobOptions { After = [bad], UniqueKey = "loan 4711" });
        var later = await _bed.EnqueueAsync(new BriefAct("later"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddDays(1), Queue = "bulk" });
        await _bed.WaitForAsync(plain, JobState.Done);
        await _bed.WaitForAsync(bad, JobState.Failed);

        await FindsAsync(new JobFilter(), later, held, bad, plain);
        await FindsAsync(new JobFilter { Tag = "month-end" }, bad, plain);
        await FindsAsync(new JobFilter(JobState.Held), held);
        await FindsAsync(new JobFilter(JobState.Scheduled), later);
        await FindsAsync(new JobFilter(Queue: "bulk"), later);
        await FindsAsync(new JobFilter(Kind: "test.brief-act"), later, held);
        await FindsAsync(new JobFilter { UniqueKey = "loan 4711" }, held);
        await FindsAsync(new JobFilter { RequestedBy = "user-1" }, plain);
        await FindsAsync(new JobFilter { Text = "LATE" }, later);
        await FindsAsync(new JobFilter { Text = "no borrower" }, bad);
        await FindsAsync(new JobFilter { Text = "100%" });
        await FindsAsync(new JobFilter { From = DateTimeOffset.UtcNow.AddHours(1) });
        await FindsAsync(new JobFilter { Unacknowledged = true }, bad);

        var cause = (await _bed.Store.CausesAsync()).Single();
        Assert.That(cause, Is.EqualTo(new JobCause("loan # has no borrower #", "test.act", 1, cause.FirstAt, cause.LastAt, bad)));
        await FindsAsync(new JobFilter { Cause = cause.Cause }, bad);
        var detail = await _bed.JobAsync(held);
        Assert.That(detail.WaitsFor, Is.EqualTo(new[] { bad }));
        Assert.That((await _bed.JobAsync(plain)).Tags, Is.EqualTo(new[] { "branch-4", "month-end" }));
        Assert.That(async () => await _bed.Store.ListAsync(new JobFilter { Text = "x" }), Throws.ArgumentException.With.Message.Contains("Text has 1 characters; it must have 2 to 200"));

        async Task FindsAsync(JobFilter filter, params Guid[] ids)
        {
            Assert.That((await _bed.Store.ListAsync(filter)).Jobs.Select(job => job.Id), Is.EqualTo(ids), filter.ToString());
            Assert.That((await _bed.Store.CountAsync(filter)).Count, Is.EqualTo(ids.Length), filter.ToString());
        }
    }

    [Test]
    public async Task Pages_lead_through_live_and_finished_jobs_without_gap_or_double()
    {
        var ids = await _bed.EnqueueManyAsync(Enumerable.Range(0, 250).Select(n => new Act($"{n}")), new JobOptions { Tags = ["all"] });
        await _bed.Store.ApplyAsync(new JobCommand(JobAction.Cancel, "user-1"), ids.Where((_, n) => n % 3 == 0).ToList());
        foreach (var filter in new[] { new JobFilter(), new JobFilter { Tag = "all" }, new JobFilter { Text = "name" } })
        {
            var seen = new List<Guid>();
            Guid? next = null;
            do
            {
                var page = await _bed.Store.ListAsync(filter, next, take: 40);
                seen.AddRange(page.Jobs.Select(job => job.Id));
                next = page.Next;
            }
            while (next is not null);
            Assert.That(seen, Is.EqualTo(ids.OrderDescending()), filter.ToString());
        }
    }

    [Test]
    public async Task A_look_that_ends_before_its_page_is_full_goes_on_where_it_ended()
    {
        await _bed.RunAsync("""
            INSERT INTO jobs.finished (id, due_at, enqueued_at, version, attempt, max_attempts, state, queue, kind, args)
            SELECT (lpad(to_hex(n), 12, '0') || '70008000000000000000')::uuid, now(), now(), 1, 1, 1, 'done', CASE WHEN n = 7 THEN 'rare' ELSE 'common' END, 'test.act', '{}'
            FROM generate_series(1, 120000) n
            """);
        var pages = 0;
        var found = 0;
        Guid? next = null;
        do
        {
            var page = await _bed.Store.ListAsync(new JobFilter(Queue: "rare"), next);
            found += page.Jobs.Count;
            next = page.Next;
            pages++;
            Assert.That(page.Cut, Is.EqualTo(next is not null));
        }
        while (next is not null);

        Assert.That((found, pages), Is.EqualTo((1, 3)));
    }

    [Test]
    public async Task A_command_on_all_that_match_leaves_the_others_alone_and_says_how_many()
    {
        var mine = await _bed.EnqueueManyAsync(Enumerable.Repeat(new Act("x"), 1200), new JobOptions { Tags = ["mine"] });
        var other = await _bed.EnqueueAsync(new Act("x"));
        var filter = new JobFilter { Tag = "mine" };
        Assert.That((await _bed.Store.CountAsync(filter)).Count, Is.EqualTo(1200));

        long matched = 0, done = 0;
        Guid? below = Guid.CreateVersion7();
        // Ids are ordered by their millisecond.
        await Task.Delay(5);
        var late = await _bed.EnqueueAsync(new Act("x"), new JobOptions { Tags = ["mine"] });
        while (below is { } from)
        {
            var step = await _bed.Store.ApplyNextAsync(new JobCommand(JobAction.Cancel, "user-1", "entered twice"), filter, from);
            (matched, done, below) = (matched + step.Matched, done + step.Done, step.Cursor);
        }
        Assert.That((matched, done), Is.EqualTo((1200L, 1200L)));
        Assert.That((await _bed.JobAsync(mine[700])).Cancellation?.Reason, Is.EqualTo("entered twice"));
        Assert.That((await _bed.JobAsync(other)).State, Is.EqualTo(JobState.Waiting));
        Assert.That((await _bed.JobAsync(late)).State, Is.EqualTo(JobState.Waiting));
    }

    [Test]
    public async Task Many_are_retried_but_only_one_of_those_with_the_same_key()
    {
        var first = await _bed.EnqueueAsync(new Act("a"), new JobOptions { UniqueKey = "k" });
        await _bed.Store.RequestCancelAsync(first, "user-1", reason: null);
        var second = await _bed.EnqueueAsync(new Act("b"), new JobOptions { UniqueKey = "k" });
        await _bed.Store.RequestCancelAsync(second, "user-1", reason: null);
        var third = await _bed.EnqueueAsync(new Act("c"));
        await _bed.Store.RequestCancelAsync(third, "user-1", reason: null);

        var all = await _bed.Store.ApplyAsync(new JobCommand(JobAction.Retry, "user-2"), [first, second, third]);
        Assert.That((all.Matched, all.Done, all.Refused), Is.EqualTo((3L, 2L, 1L)));
        Assert.That(await _bed.Store.RetryAsync(second, "user-2"), Is.EqualTo(JobCommandOutcome.KeyTaken));
    }

    [Test]
    public async Task A_due_time_is_changed_also_of_a_job_that_is_held()
    {
        var parent = await _bed.EnqueueAsync(new Act("parent"), new JobOptions { DueAt = DateTimeOffset.UtcNow.AddDays(1) });
        var held = await _bed.EnqueueAsync(new Act("held"), new JobOptions { After = [parent] });
        var due = new DateTimeOffset(2099, 5, 1, 12, 0, 0, TimeSpan.Zero);
        Assert.That(await _bed.Store.ChangeDueAsync(held, due, "user-1"), Is.EqualTo(JobCommandOutcome.Done));
        Assert.That(await _bed.Store.RunNowAsync(held, "user-1"), Is.EqualTo(JobCommandOutcome.WrongState));
        Assert.That(await _bed.Store.RunNowAsync(parent, "user-1"), Is.EqualTo(JobCommandOutcome.Done));

        Assert.That((await _bed.JobAsync(held)).DueAt, Is.EqualTo(due));
        Assert.That((await _bed.JobAsync(held)).State, Is.EqualTo(JobState.Held));
        Assert.That((await _bed.JobAsync(parent)).State, Is.EqualTo(JobState.Waiting));
        Assert.That(
            async () => await _bed.Store.ApplyAsync(new JobCommand(JobAction.ChangeDue, "user-1"), [held]), Throws.ArgumentException.With.Message.Contains("DueAt is missing"));
    }

    [Test]
    public async Task A_job_knows_which_job_asked_for_it()
    {
        await _bed.StartServerAsync();
        Guid child = default;
        _bed.Probe.On("parent", async (_, _) => child = await _bed.EnqueueAsync(new Act("child")));
        var parent = await _bed.EnqueueAsync(new Act("parent"));
        await _bed.WaitForAsync(parent, JobState.Done);
        await _bed.WaitForAsync(child, JobState.Done);

        Assert.That((await _bed.JobAsync(child)).ParentId, Is.EqualTo(parent));
        Assert.That((await _bed.JobAsync(parent)).Children, Is.EqualTo(new[] { child }));
        Assert.That((await _bed.Store.ListAsync(new JobFilter { ParentId = parent })).Jobs.Single().Id, Is.EqualTo(child));
    }
}
