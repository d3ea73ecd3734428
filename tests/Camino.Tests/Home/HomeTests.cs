using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.Home;

/// <summary>The first page: what waits today by what a person may do, and what runs for that person.</summary>
internal sealed class HomeTests
{
    [Test]
    public async Task Each_role_sees_the_work_that_it_may_do_and_nobody_elses_running_jobs()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await using (var fill = camino.Source.CreateCommand(
            """
            insert into jobs.finished (id, due_at, enqueued_at, started_at, finished_at, version, attempt, max_attempts, state, queue, kind, error, args)
            select gen_random_uuid(), now(), now(), now(), now(), 1, 3, 3, 'failed', 'bulk', 'imports.check', 'It broke', '{}' from generate_series(1, 1200);
            insert into jobs.job (id, max_attempts, queue, kind, args, lease, server_id, claimed_at, attempt, requested_by)
            select gen_random_uuid(), 3, 'bulk', kind, '{}', gen_random_uuid(), gen_random_uuid(), now(), 1, (select u.id::text from camino.staff_users u where u.user_name = who || '@demo.camino.example')
            from (values ('imports.load', 'admin'), ('imports.check', 'viewer')) as v(kind, who)
            """))
            await fill.ExecuteNonQueryAsync();

        var admin = await PageAsync(camino, "admin");
        var viewer = await PageAsync(camino, "viewer");

        Assert.That(admin, Does.Contain("href=\"/jobs/errors\"").And.Contain("1,000&#x2B;").And.Contain("failed jobs nobody has dealt with"));
        Assert.That(admin, Does.Contain("Running for you").And.Contain("Load an import").And.Not.Contain("Check an import"));
        Assert.That(viewer, Does.Not.Contain("/jobs/errors").And.Contain("Check an import").And.Not.Contain("Load an import"));
    }

    [Test]
    public async Task The_page_of_shortcuts_lists_the_places_that_a_person_may_go_to()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);

        var admin = await PageAsync(camino, "admin", "/shortcuts");
        var viewer = await PageAsync(camino, "viewer", "/shortcuts");

        Assert.That(admin, Does.Contain("Go to Screening").And.Contain("<kbd>g</kbd>"));
        Assert.That(viewer, Does.Contain("Go to Loans").And.Not.Contain("Go to Screening"));
        Assert.That(viewer, Does.Contain("data-places=\"h/ p/portfolio l/loans"));
    }

    private static async Task<string> PageAsync(RunningCamino camino, string name, string path = "/")
    {
        using var browser = new StaffBrowser(camino.OfficeAddress);
        (await browser.SignInAsync($"{name}@demo.camino.example", RunningCamino.Password)).Dispose();
        return await browser.PageAsync(path);
    }
}
