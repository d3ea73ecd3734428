using Camino.Jobs;
using Camino.Operations;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Operations;

/// <summary>What open pages are told.</summary>
internal sealed class JobFeedTests
{
    [Test]
    public async Task A_page_that_is_closed_leaves_nothing_behind()
    {
        await using var camino = await RunningCamino.StartAsync();
        var store = camino.Office.Services.GetRequiredService<JobStore>();
        var feed = new JobFeed(store, TimeProvider.System);
        var id = Guid.CreateVersion7();
        await using (var later = camino.Source.CreateCommand($$"""insert into jobs.job (id, due_at, max_attempts, queue, kind, args) values ('{{id}}', now() + interval '1 day', 1, 'bulk', 'jobs.echo', '{}')"""))
            await later.ExecuteNonQueryAsync();

        using (var page = new CancellationTokenSource())
        {
            await using var news = feed.WatchJobAsync(id, page.Token).GetAsyncEnumerator(page.Token);
            Assert.That(await news.MoveNextAsync(), Is.True);
            Assert.That((news.Current.IsOver, feed.WatchedJobs), Is.EqualTo((false, 1)));
        }

        Assert.That(feed.WatchedJobs, Is.Zero);
    }
}
