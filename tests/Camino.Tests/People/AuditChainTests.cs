using Camino.Audit;
using Camino.Data;
using Camino.Testing;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>The audit trail against somebody who may do everything in the database.</summary>
internal sealed class AuditChainTests
{
    private const string First = "019d0000-0000-7000-8000-000000000001";
    private const string Second = "019d0000-0000-7000-8000-000000000002";
    private const string Third = "019d0000-0000-7000-8000-000000000003";

    private TestDatabase _database = null!;
    private NpgsqlDataSource _source = null!;

    [SetUp]
    public async Task MakeAsync()
    {
        _database = await TestDatabase.CreateAsync("audit", PrepareAsync);
        _source = NpgsqlDataSource.Create(_database.ConnectionString);
        foreach (var id in (string[])[First, Second, Third])
            await RunAsync(Entry(id, "loan", "7"));
        await RunAsync(Entry("019d0000-0000-7000-8000-000000000004", "job", "7"));
    }

    [TearDown]
    public async Task DropAsync()
    {
        await _source.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Test]
    public async Task An_untouched_trail_is_whole() => Assert.That(await VerdictAsync(), Is.EqualTo(new AuditVerdict(4, 2, 0, null)));

    [TestCase("update camino.audit_entries set action = 'loan.paid'")]
    [TestCase("delete from camino.audit_entries")]
    [TestCase("truncate camino.audit_entries")]
    public async Task The_owner_of_the_table_cannot_change_the_trail_either(string sql)
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(sql));

        Assert.That(refused?.Message, Does.Contain("written once"));
    }

    [TestCase("update camino.audit_entries set details = '{\"amount\":\"9.00\"}' where id = '" + Second + "'", "entry 2 (row " + Second + ") was changed")]
    [TestCase("update camino.audit_entries set user_id = gen_random_uuid() where id = '" + First + "'", "entry 1 (row " + First + ") was changed")]
    [TestCase("delete from camino.audit_entries where id = '" + Second + "'", "entry 2 is missing; the next one is row " + Third)]
    [TestCase("delete from camino.audit_entries where id = '" + Third + "'", "the last entries are missing: 2 are there, 3 were written")]
    [TestCase("delete from camino.audit_entries where subject = 'job'", "Of job 7, the last entries are missing: 0 are there, 1 were written")]
    [TestCase("insert into camino.audit_entries (id, at, action, subject, subject_id, details) values ('019d0000-0000-7000-8000-0000000000aa', now(), 'a', 'loan', '7', '{}')", "slipped in past it; the newest is row 019d0000-0000-7000-8000-0000000000aa")]
    public async Task What_somebody_does_with_the_rules_switched_off_is_found_and_the_row_named(string sql, string found)
    {
        await RunAsync($"alter table camino.audit_entries disable trigger user; {sql}; alter table camino.audit_entries enable trigger user");

        Assert.That((await VerdictAsync()).Fault, Does.Contain(found));
    }

    [Test]
    public async Task Entries_that_are_written_at_the_same_time_stand_one_after_the_other()
    {
        await Task.WhenAll(Enumerable.Range(0, 40).Select(n => RunAsync(Entry(Guid.CreateVersion7().ToString(), "loan", n % 2 == 0 ? "7" : "8"))));

        Assert.That(await VerdictAsync(), Is.EqualTo(new AuditVerdict(44, 3, 0, null)));
    }

    private static string Entry(string id, string subject, string subjectId) =>
        $$"""insert into camino.audit_entries (id, at, user_id, action, subject, subject_id, details) values ('{{id}}', now(), gen_random_uuid(), 'loan.pay', '{{subject}}', '{{subjectId}}', '{"amount":"250.00"}')""";

    private static async Task PrepareAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await Migrator.MigrateAsync(source, options => Camino.Host.Database.Configure(options, source), CancellationToken.None);
    }

    private Task<AuditVerdict> VerdictAsync() => new VerifyAudit(_source).RunAsync(CancellationToken.None);

    private async Task RunAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
