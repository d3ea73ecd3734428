using System.Net;
using System.Net.Http.Headers;
using Camino.Applications;
using Camino.Clients;
using Camino.Lending.Applications;
using Camino.People;
using Camino.Testing;
using Camino.Tests.Imports;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Applications;

/// <summary>The report of applications: counts and times that can be reckoned on paper, and what is read for them.</summary>
internal sealed class ReportTests
{
    private RunningCamino _camino = null!;
    private string _clientKey = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false);
        await using (var scope = _camino.Office.Services.CreateAsyncScope())
            (_, _clientKey) = await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync("=Broker", new ClientTerms(["applications:read"], 1_000, 100, null), null, new StaffActor(null, "test"), CancellationToken.None);
        // hours after being taken in: who, by whom, what happened
        await AddAsync("2026-03-02 10:00Z", "client", (2, 1), (3, 3), (4, 27), (5, 51), (6, 75));
        await AddAsync("2026-03-03 10:00Z", "client", (2, 1), (3, 3), (7, 13));
        await AddAsync("2026-03-04 10:00Z", "staff", (2, 1), (3, 5), (4, 15), (3, 20), (7, 40));
        await AddAsync("2026-03-05 10:00Z", "staff", (2, 2));
        await AddAsync("2026-04-01 00:00Z", "staff", (2, 2));
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task Counts_rates_and_times_are_those_of_the_applications_of_the_period()
    {
        var report = await new ReportApplications(_camino.Source).RunAsync(new ReportPeriod(new DateOnly(2026, 3, 1), new DateOnly(2026, 3, 31)), CancellationToken.None);

        Assert.That(report.All, Is.EqualTo(new ReportLine(ReportGroup.All, null, 4, 2, 1, 1, 1, 1, 4000m, TimeSpan.FromHours(15), TimeSpan.FromHours(24.6))));
        Assert.That(report.All.ApprovalRate, Is.EqualTo(2m / 3m));
        Assert.That(report.Funnel.Select(line => (line.State, line.Reached, line.Stays, line.Half?.TotalHours)), Is.EqualTo(new (ApplicationState, long, long, double?)[]
        {
            (ApplicationState.Received, 4, 4, 1), (ApplicationState.Checking, 4, 3, 2), (ApplicationState.Underwriting, 3, 4, 15), (ApplicationState.Offered, 2, 2, 14.5), (ApplicationState.Accepted, 1, 1, 24), (ApplicationState.Booked, 1, 0, null), (ApplicationState.Declined, 2, 0, null),
        }));
        Assert.That(report.Of(ReportGroup.Client).Select(line => (line.Name, line.Received, line.Approved, line.Declined)), Is.EqualTo(new (string?, long, long, long)[] { ("=Broker", 2, 1, 1), (null, 2, 1, 0) }));
        Assert.That(report.Of(ReportGroup.Officer).Sum(line => line.Received), Is.EqualTo(4));
    }

    [Test]
    public async Task Pages_programs_and_the_file_say_the_same_and_a_client_is_told_of_its_own_alone()
    {
        using var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _clientKey);
        var all = await _camino.GetAsync("/reports/applications?from=2026-03-01&to=2026-03-31");
        using var own = await client.GetAsync(new Uri("/api/v1/reports/applications?from=2026-03-01&to=2026-03-31", UriKind.Relative));
        var mine = await ServicedBook.ReadAsync(own, HttpStatusCode.OK);
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("officer")).Dispose();
        var page = WebUtility.HtmlDecode(await staff.PageAsync("/reports/applications?from=2026-03-01&to=2026-03-31"));
        var wrong = WebUtility.HtmlDecode(await staff.PageAsync("/reports/applications?from=2026-03-31&to=2026-03-01"));
        var file = await staff.PageAsync("/reports/applications.csv?from=2026-03-01&to=2026-03-31");
        using var viewer = new StaffBrowser(_camino.OfficeAddress);
        (await viewer.SignInAsync("viewer")).Dispose();

        Assert.That((all.GetProperty("lines")[0].GetProperty("approvalPercent").GetString(), all.GetProperty("lines")[0].GetProperty("decisionHalfSeconds").GetInt64()), Is.EqualTo(("66.7", 54_000L)));
        Assert.That(mine.GetProperty("lines")[0].GetProperty("received").GetInt64(), Is.EqualTo(2));
        Assert.That(mine.GetProperty("lines").EnumerateArray().Select(line => line.GetProperty("group").GetString()), Is.EqualTo(new[] { "all", "product" }));
        Assert.That(page, Does.Contain("66.7%").And.Contain("=Broker").And.Contain("Nothing offered").And.Contain("/reports/applications.csv?from=2026-03-01&to=2026-03-31"));
        Assert.That(wrong, Does.Contain("A report is about 1 to 731 days"));
        Assert.That(file, Does.Contain("Client,'=Broker,2,1,1,1,1,0,2000.00,50.0,").And.Contain("Underwriting,3,4,15.00,"));
        Assert.That(await viewer.PageAsync("/reports/applications"), Does.Not.Contain("applications.csv"));
        Assert.That(await viewer.LeadsToAsync("/reports/applications.csv"), Is.Not.EqualTo("/reports/applications.csv"));
    }

    [TestCase("from=2026-03-40", "days such as 2026-03-01, from 2000 to 2199; got 2026-03-40")]
    [TestCase("from=2020-01-01&to=2026-01-01", "1 to 731 days, from the earlier to the later; got 2020-01-01 to 2026-01-01")]
    public async Task A_period_that_is_none_is_refused(string query, string sentence)
    {
        using var answer = await _camino.Api.GetAsync(new Uri("/api/v1/reports/applications?" + query, UriKind.Relative));

        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("report.period").And.Contain(sentence));
    }

    [Test]
    public async Task Of_many_applications_only_those_of_the_period_are_read()
    {
        await SqlAsync(
            """
            insert into camino.applications (id, state, version, channel, name, language, amount, credit_consent, received_at, received_by, changed_at, expires_at)
            select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid, 3, 3, 'staff', 'Report ' || n, 'en', 1000, false, at, camino.new_id(), at, at + interval '30 days'
            from (select n, timestamptz '2024-01-01Z' + n * interval '20 minutes' as at from generate_series(1, 20000) n) t;
            insert into camino.application_events (application_id, sequence, move, from_state, to_state, actor_kind, at) select id, s, s, nullif(s - 1, 0), s, 1, received_at + s * interval '1 hour' from camino.applications cross join generate_series(1, 3) s where name like 'Report %';
            analyze camino.applications, camino.application_events
            """);
        var period = new ReportPeriod(new DateOnly(2024, 5, 1), new DateOnly(2024, 5, 2));
        await using var connection = await _camino.Source.OpenConnectionAsync();
        await using var funnel = ReportApplications.FunnelCommand(connection, period);
        await using var groups = ReportApplications.GroupsCommand(connection, period);
        var report = await new ReportApplications(_camino.Source).RunAsync(period, CancellationToken.None);

        Assert.That((report.All.Received, report.All.Open), Is.EqualTo((144L, 144L)));
        foreach (var command in new[] { funnel, groups })
            Assert.That(await QueryPlan.OfAsync(command), Does.Contain("pk_applications").And.Contain("pk_application_events").And.Not.Contain("Seq Scan on applications").And.Not.Contain("Seq Scan on application_events"));
    }

    /// <summary>An application with its events, by hours after it was taken in.</summary>
    private async Task AddAsync(string at, string by, params (int To, int Hours)[] events)
    {
        var client = by == "client" ? "(select id from camino.api_clients where name = '=Broker')" : "(select id from camino.staff_users where user_name = 'officer@demo.camino.example')";
        var last = events[^1].To;
        var id = await _camino.ScalarAsync<Guid>(
            $"""
            insert into camino.applications (id, state, version, channel, name, language, amount, credit_consent, received_at, received_by, changed_at, expires_at, ended_at)
            select (lpad(to_hex((extract(epoch from t.at) * 1000)::bigint), 12, '0') || '70008' || substr(md5(random()::text), 1, 15))::uuid, {last}, {events.Length + 1}, '{(by == "client" ? "api" : "staff")}', 'Report', 'en', 1000, false, t.at, {client}, t.at, t.at + interval '30 days', {(last > 5 ? "t.at" : "null")}
            from (select timestamptz '{at}' as at) t returning id
            """);
        var from = 1;
        var rows = new List<string> { $"('{id}'::uuid, 1, 1, null::smallint, 1, 2, null::uuid, timestamptz '{at}')" };
        foreach (var (to, hours) in events)
        {
            rows.Add($"('{id}', {rows.Count + 1}, 3, {from}, {to}, 2, (select id from camino.staff_users where user_name = 'underwriter@demo.camino.example'), timestamptz '{at}' + interval '{hours} hours')");
            from = to;
        }

        await SqlAsync($"insert into camino.application_events (application_id, sequence, move, from_state, to_state, actor_kind, actor_id, at) values {string.Join(", ", rows)}");
    }

    private async Task SqlAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
