using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Tests.Hosting;
using Camino.Tests.Webhooks;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>The four users of the database: each can do its work, and nothing else.</summary>
[Parallelizable]
public sealed class DatabaseUserTests
{
    private const string Csv = "LoanNumber,BorrowerName,State,ApprovalDate,LoanAmount\n1001,Ada Test LLC,TX,2024-01-15,25000\n1002,Bo Test LLC,CA,2024-02-15,50000\n";
    private const string EndedProcesses = "select count(*) from camino.processes where state = 'ended'";

    private OwnedDatabase _database = null!;

    [OneTimeSetUp]
    public async Task MakeDatabaseAsync() => _database = await OwnedDatabase.CreateAsync();

    [OneTimeTearDown]
    public async Task DropDatabaseAsync() => await _database.DisposeAsync();

    [TestCase("camino_web", "create table camino.mine (id int)")]
    [TestCase("camino_web", "alter table camino.loans add column mine int")]
    [TestCase("camino_web", "drop table camino.loans")]
    [TestCase("camino_web", "update camino.audit_entries set action = ''")]
    [TestCase("camino_web", "delete from camino.audit_entries")]
    [TestCase("camino_web", "truncate camino.audit_entries")]
    [TestCase("camino_web", "update camino.audit_heads set chain_position = 0")]
    [TestCase("camino_async", "delete from camino.audit_heads")]
    [TestCase("camino_web", "update jobs.fence set lowest = 1")]
    [TestCase("camino_web", "insert into jobs.fence (lowest, highest, moved_by) values (1, 1, 'me')")]
    [TestCase("camino_web", "update camino.releases set promoted_at = now()")]
    [TestCase("camino_web", "delete from jobs.server")]
    [TestCase("camino_web", "select * from camino.async_demand()")]
    [TestCase("camino_web", "create temporary table t (id int)")]
    [TestCase("camino_web", "create table public.t (id int)")]
    [TestCase("camino_async", "select * from camino.api_keys")]
    [TestCase("camino_async", "select * from camino.data_protection_keys")]
    [TestCase("camino_async", "update camino.staff_users set email = ''")]
    [TestCase("camino_async", "delete from camino.audit_entries")]
    [TestCase("camino_async", "update jobs.fence set lowest = 1")]
    [TestCase("camino_async", "create table camino.mine (id int)")]
    [TestCase("camino_async", "update camino.staff_sessions set ended_at = null, ended_why = null")]
    [TestCase("camino_async", "insert into camino.staff_sessions (id, user_id, begun_at, last_seen_at, address, agent) values (gen_random_uuid(), gen_random_uuid(), now(), now(), '', '')")]
    [TestCase("camino_readonly", "select * from camino.staff_sessions")]
    [TestCase("camino_readonly", "select * from camino.staff_users")]
    [TestCase("camino_async", "select * from camino.borrower_identifiers")]
    [TestCase("camino_async", "select * from camino.field_keys")]
    [TestCase("camino_readonly", "select * from camino.borrower_accounts")]
    [TestCase("camino_readonly", "select * from camino.application_identifiers")]
    [TestCase("camino_async", "select * from camino.application_identifiers")]
    [TestCase("camino_readonly", "select * from camino.application_accounts")]
    [TestCase("camino_async", "select sealed from camino.application_accounts")]
    [TestCase("camino_async", "update camino.application_accounts set routing = ''")]
    [TestCase("camino_readonly", "select * from camino.application_statement_lines")]
    [TestCase("camino_readonly", "select * from camino.application_cash_flows")]
    [TestCase("camino_web", "update camino.application_events set reason = null")]
    [TestCase("camino_async", "update camino.api_clients set scopes = null")]
    [TestCase("camino_readonly", "select * from camino.api_client_keys")]
    [TestCase("camino_readonly", "select * from camino.api_keys")]
    [TestCase("camino_async", "select * from camino.api_clients")]
    [TestCase("camino_async", "delete from camino.webhook_secrets")]
    [TestCase("camino_async", "insert into camino.webhook_keys (number, key) values (2, '')")]
    [TestCase("camino_web", "update camino.approvals set request = '{}'")]
    [TestCase("camino_web", "delete from camino.approvals")]
    [TestCase("camino_readonly", "select * from camino.application_evaluations")]
    [TestCase("camino_web", "update camino.application_evaluations set score = 1")]
    [TestCase("camino_web", "delete from camino.application_decisions")]
    [TestCase("camino_async", "update camino.credit_policies set note = ''")]
    [TestCase("camino_async", "update camino.approvals set decided_by = asked_by")]
    [TestCase("camino_async", "insert into camino.approvals (id) values (gen_random_uuid())")]
    [TestCase("camino_readonly", "select * from camino.webhook_secrets")]
    [TestCase("camino_readonly", "select * from camino.webhook_keys")]
    [TestCase("camino_readonly", "set transaction read write; delete from jobs.job")]
    [TestCase("camino_readonly", "set transaction read write; insert into camino.audit_entries (id, at, action, subject, subject_id, details) values (gen_random_uuid(), now(), '', '', '', '{}')")]
    public async Task A_user_is_refused_what_is_not_its_work(string user, string sql)
    {
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(user, sql));

        Assert.That(refusal?.SqlState, Is.EqualTo(PostgresErrorCodes.InsufficientPrivilege), refusal?.MessageText);
    }

    [Test]
    public async Task The_reader_sees_loans_jobs_and_what_the_autoscaler_asks()
    {
        Assert.That(await ScalarAsync("camino_readonly", "select count(*) from camino.loans"), Is.TypeOf<long>());
        Assert.That(await ScalarAsync("camino_readonly", "select count(*) from jobs.job"), Is.TypeOf<long>());
        Assert.That(await ScalarAsync("camino_readonly", "select in_flight + due_soon + ready from camino.async_demand()"), Is.TypeOf<long>());
    }

    [Test]
    public async Task The_autoscaler_hears_of_waiting_soon_due_and_running_work()
    {
        await using var database = await OwnedDatabase.CreateAsync();
        await using var connection = new NpgsqlConnection(database.Administrator);
        await connection.OpenAsync();
        await using (var add = new NpgsqlCommand(
            """
            insert into jobs.job (id, due_at, max_attempts, queue, kind, args, lease, server_id) values
                (gen_random_uuid(), now() - interval '90 seconds', 1, 'urgent', 'a.b', '{}', null, null),
                (gen_random_uuid(), now() - interval '10 seconds', 1, 'bulk', 'a.b', '{}', null, null),
                (gen_random_uuid(), now() + interval '30 seconds', 1, 'bulk', 'a.b', '{}', null, null),
                (gen_random_uuid(), now() + interval '1 hour', 1, 'bulk', 'a.b', '{}', null, null),
                (gen_random_uuid(), now(), 1, 'bulk', 'a.b', '{}', gen_random_uuid(), gen_random_uuid())
            """, connection))
            await add.ExecuteNonQueryAsync();
        await using var ask = new NpgsqlCommand("select oldest_seconds, ready, due_soon, in_flight from camino.async_demand()", connection);
        await using var answer = await ask.ExecuteReaderAsync();
        await answer.ReadAsync();

        Assert.That(answer.GetDouble(0), Is.GreaterThanOrEqualTo(90).And.LessThan(600));
        Assert.That((answer.GetInt64(1), answer.GetInt64(2), answer.GetInt64(3)), Is.EqualTo((2L, 1L, 1L)));
    }

    [TestCase("camino_web", "statement_timeout", "5min")]
    [TestCase("camino_web", "idle_in_transaction_session_timeout", "1min")]
    [TestCase("camino_async", "idle_in_transaction_session_timeout", "5min")]
    [TestCase("camino_readonly", "default_transaction_read_only", "on")]
    [TestCase("camino_readonly", "statement_timeout", "1min")]
    public async Task A_user_brings_its_limits_along(string user, string setting, string value) =>
        Assert.That(await ScalarAsync(user, $"select current_setting('{setting}')"), Is.EqualTo(value));

    [Test]
    public async Task Both_roles_do_their_work_as_their_own_users_and_an_import_goes_through_from_end_to_end()
    {
        using var configs = new Configs();
        var address = CaminoProcess.FreeAddress();
        var office = configs.Of("BackOffice", urls: address.ToString().TrimEnd('/'));
        var files = ("CAMINO_Files__Folder", Path.Combine(configs.Folder, "files"));
        var seed = await CaminoProcess.RunAsync(_database.Environment("camino_web", files), "seed-demo", "--config", office, "--data", configs.Folder);
        Assert.That(seed.Code, Is.Zero, seed.ToString());
        var key = JsonSerializer.Deserialize<JsonElement>(seed.Output).GetProperty("apiKey").GetString();

        var endedBefore = await ScalarAsync("camino_readonly", EndedProcesses);
        await using var web = CaminoProcess.Start(_database.Environment("camino_web", files), "run", "--config", office);
        await using var work = CaminoProcess.Start(_database.Environment("camino_async", files), "run", "--config", configs.Of("Async"));
        using var api = new HttpClient { BaseAddress = address };
        api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        await UntilAsync(async () => await StatusAsync(api, "/health/ready") == HttpStatusCode.OK);
        using var body = new StringContent(Csv);
        using var taken = await api.PostAsync(new Uri("/api/v1/imports?fileName=loans.csv", UriKind.Relative), body);
        Assert.That(taken.StatusCode, Is.EqualTo(HttpStatusCode.Accepted), await taken.Content.ReadAsStringAsync());
        var id = (await taken.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("importId").GetGuid();
        var import = default(JsonElement);
        await UntilAsync(async () => (import = await api.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/imports/{id}", UriKind.Relative))).GetProperty("isOver").GetBoolean() || import.GetProperty("status").GetString() is "needsMapping" or "failed");
        web.AskToStop();
        work.AskToStop();
        var (webEnded, workEnded) = (await web.EndAsync(), await work.EndAsync());

        Assert.That(webEnded.Output + workEnded.Output, Does.Not.Contain("42501").And.Not.Contain("permission denied"));
        Assert.That((webEnded.Code, workEnded.Code), Is.EqualTo((0, 0)));
        Assert.That(import.GetProperty("status").GetString(), Is.EqualTo("done").Or.EqualTo("needsMapping"), import.ToString());
        Assert.That(await ScalarAsync("camino_readonly", EndedProcesses), Is.EqualTo(Convert.ToInt64(endedBefore, CultureInfo.InvariantCulture) + 2));
    }

    [Test]
    public async Task A_notice_to_a_program_is_signed_and_told_by_the_user_that_works_the_queue()
    {
        using var configs = new Configs();
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = 410; // it is disabled, and administrators are told
            return Task.CompletedTask;
        };
        var allow = ("CAMINO_Webhooks__AllowPrivateAddresses", "true");
        var office = configs.Of("BackOffice");
        Task<Ended> DoAsync(params string[] arguments) => CaminoProcess.RunAsync(_database.Environment("camino_web", allow), [.. arguments, "--config", office]);
        Assert.That((await DoAsync("client", "add", "Told", "--scopes", "webhooks:manage", "--result-days", "30")).Code, Is.Zero);
        var added = await DoAsync("webhook", "add", "Told", "--url", receiver.At("/told").ToString());
        Assert.That(added.Code, Is.Zero, added.ToString());
        var id = await ScalarAsync("camino_readonly", "select id from camino.webhook_endpoints");
        Assert.That((await DoAsync("webhook", "test", "Told", id?.ToString() ?? "")).Code, Is.Zero);
        await using var work = CaminoProcess.Start(_database.Environment("camino_async", allow), "run", "--config", configs.Of("Async"));
        var got = await receiver.UntilAsync("/told", _ => true, 1);
        await UntilAsync(async () => await ScalarAsync("camino_readonly", "select disabled_why from camino.webhook_endpoints") is short);
        work.AskToStop();
        var ended = await work.EndAsync();

        Assert.That(got[0].IsSignedBy(added.Output.Trim()), Is.True);
        Assert.That(ended.Output, Does.Not.Contain("42501"));
        Assert.That(await ScalarAsync("camino_async", "select count(*) from camino.api_clients where result_days = 30"), Is.EqualTo(1));
    }

    private async Task RunAsync(string user, string sql)
    {
        await using var connection = new NpgsqlConnection(_database.Of(user));
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<object?> ScalarAsync(string user, string sql)
    {
        await using var connection = new NpgsqlConnection(_database.Of(user));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private static async Task<HttpStatusCode?> StatusAsync(HttpClient api, string path)
    {
        try
        {
            using var answer = await api.GetAsync(new Uri(path, UriKind.Relative));
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!await condition())
            await Task.Delay(100, limit.Token);
    }
}
