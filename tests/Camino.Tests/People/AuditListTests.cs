using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>The audit trail as those read it who may: by who, by what, by when, from where.</summary>
internal sealed class AuditListTests
{
    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync(withAsync: false);

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task An_act_is_found_by_who_what_and_when_with_the_address_it_came_from()
    {
        using var admin = await _camino.ApiOfAsync("admin");
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("officer")).Dispose();
        var officer = await IdOfAsync("officer");
        var today = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

        var begun = await ItemsAsync(admin, $"?by={officer}&action=session.begun&from={today}&until={today}");
        var other = await ItemsAsync(admin, $"?by={officer}&action=session.begun&until=2000-01-01");
        var about = await ItemsAsync(admin, $"?subject=user&id={officer}");

        Assert.That(begun, Has.Count.EqualTo(1));
        Assert.That((begun[0].GetProperty("origin").GetString(), begun[0].GetProperty("byName").GetString(), begun[0].GetProperty("subjectId").GetString()), Is.EqualTo(("127.0.0.1", "Owen Brandt (demo)", officer.ToString())));
        Assert.That(begun[0].GetProperty("details").GetProperty("session").GetString(), Is.Not.Empty);
        Assert.That(other, Is.Empty);
        Assert.That(about.Select(line => line.GetProperty("action").GetString()), Has.Some.EqualTo("user.demo_created").And.Some.EqualTo("session.begun"));
        Assert.That(about.First(line => line.GetProperty("action").GetString() == "user.demo_created").GetProperty("origin").ValueKind, Is.EqualTo(JsonValueKind.Null), "the system has no address");
        Assert.That((await new VerifyAudit(_camino.Source).RunAsync(CancellationToken.None)).Fault, Is.Null, "the hash covers the address");
    }

    [Test]
    public async Task The_address_cannot_be_changed_unseen()
    {
        await using var own = await RunningCamino.StartAsync(withAsync: false);
        using var staff = new StaffBrowser(own.OfficeAddress);
        (await staff.SignInAsync("viewer")).Dispose();
        await using (var command = own.Source.CreateCommand("alter table camino.audit_entries disable trigger user; update camino.audit_entries set origin = '203.0.113.9' where origin is not null"))
            await command.ExecuteNonQueryAsync();

        Assert.That((await new VerifyAudit(own.Source).RunAsync(CancellationToken.None)).Fault, Does.Contain("was changed"));
    }

    [Test]
    public async Task The_page_shows_it_to_those_who_may_and_nothing_odd_in_the_address_breaks_it()
    {
        using var accountant = new StaffBrowser(_camino.OfficeAddress);
        (await accountant.SignInAsync("accountant")).Dispose();
        using var viewer = new StaffBrowser(_camino.OfficeAddress);
        (await viewer.SignInAsync("viewer")).Dispose();
        var page = await accountant.PageAsync("/audit?action=session.begun");
        using var refused = await viewer.GetAsync("/audit");

        Assert.That(page, Does.Contain("session.begun").And.Contain("127.0.0.1").And.Contain("href=\"/people/").And.Not.Contain("user.demo_created"));
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        foreach (var odd in new[] { "?by=nobody", "?from=2026-02-31", "?until=9999-12-31", "?from=0001-01-01", "?after=~", "?id=7", "?action=%00%27--", "?subject=" + new string('x', 500) })
        {
            using var answer = await accountant.GetAsync("/audit" + odd);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), odd);
        }
    }

    [Test]
    public async Task Pages_deep_in_a_long_trail_come_from_indexes()
    {
        await using (var fill = _camino.Source.CreateCommand(
            """
            alter table camino.audit_entries disable trigger user;
            insert into camino.audit_entries (id, at, user_id, action, subject, subject_id, details)
            select camino.new_id(), now(), case when n % 100 = 0 then '019d0000-0000-7000-8000-000000000009'::uuid end, 'plan.act_' || n % 200, 'plan', n::text, '{}' from generate_series(1, 50000) n;
            alter table camino.audit_entries enable trigger user;
            analyze camino.audit_entries
            """))
            await fill.ExecuteNonQueryAsync();
        var list = new ListAudit(_camino.Source);
        var cases = new[]
        {
            (new AuditFilter(), "pk_audit_entries"), (new AuditFilter { Subject = "plan", SubjectId = "77" }, "ix_audit_entries_subject_subject_id_id"), (new AuditFilter { Action = "plan.act_7" }, "ix_audit_entries_action_id"),
            (new AuditFilter { By = Guid.Parse("019d0000-0000-7000-8000-000000000009") }, "ix_audit_entries_user_id_id"),
        };
        foreach (var (filter, index) in cases)
        {
            var first = await list.RunAsync(filter, null, CancellationToken.None);
            var second = await list.RunAsync(filter, first.Next, CancellationToken.None);
            await using var page = ListAudit.Page(_camino.Source, filter, second.Next ?? first.Next);
            if (second.Previous is { } previous)
                Assert.That((await list.RunAsync(filter, previous, CancellationToken.None)).Lines.Select(line => line.Id), Is.EqualTo(first.Lines.Select(line => line.Id)));
            Assert.That(await QueryPlan.OfAsync(page), Does.Contain(index).And.Not.Contain("Seq Scan on audit_entries"));
        }
    }

    private async Task<Guid> IdOfAsync(string name)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        return scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.Single(user => user.Email == $"{name}@demo.camino.example").Id;
    }

    private static async Task<List<JsonElement>> ItemsAsync(HttpClient api, string query) =>
        [.. (await api.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/audit" + query, UriKind.Relative))).GetProperty("items").EnumerateArray()];
}
