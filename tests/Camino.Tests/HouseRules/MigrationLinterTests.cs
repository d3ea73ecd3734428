using Camino.Host;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>Release N runs on schema N and N+1, so a migration only adds; what takes away comes a release later.</summary>
public sealed class MigrationLinterTests
{
    /// <summary>The schema of the first release that is deployed anywhere. What led to it never met a running older release; every migration after it is checked.</summary>
    private const string FirstRelease = "20261127000000";

    [Test]
    public void Every_migration_since_the_first_release_only_adds_and_locks_nothing_for_long()
    {
        using var db = new DesignTime().CreateDbContext([]);
        var migrator = db.GetService<IMigrator>();
        var faults = new List<string>();
        string? before = null;
        foreach (var migration in db.Database.GetMigrations())
        {
            if (string.CompareOrdinal(migration, FirstRelease) > 0)
                faults.AddRange(MigrationLinter.Check(migrator.GenerateScript(before, migration)).Select(fault => $"{migration}: {fault.Rule}: {fault.Statement}"));
            before = migration;
        }

        Assert.That(faults, Is.Empty, "The release before this one still runs while a migration runs. Add first; take away a release later.");
    }

    [TestCase("drop", "ALTER TABLE camino.loans DROP COLUMN state")]
    [TestCase("drop", "drop table camino.loans")]
    [TestCase("drop", "drop index concurrently if exists camino.ix_a; create index concurrently ix_b on camino.loans (state)")]
    [TestCase("rename", "alter table camino.loans rename column state to region")]
    [TestCase("type-change", "ALTER TABLE camino.loans ALTER COLUMN number TYPE bigint")]
    [TestCase("not-null-without-check", "alter table camino.loans alter column state set not null")]
    [TestCase("column-not-null-without-default", "alter table camino.loans add column region text not null")]
    [TestCase("foreign-key-without-not-valid", "alter table camino.loans add constraint fk foreign key (import_id) references camino.imports (id)")]
    [TestCase("check-without-not-valid", "alter table camino.loans add constraint ck check (balance >= 0)")]
    [TestCase("index-without-concurrently", "create index on camino.loans (state)")]
    [TestCase("index-without-concurrently", "CREATE UNIQUE INDEX ix_a ON camino.loans (state)")]
    [TestCase("backfill-beside-ddl", "alter table camino.loans add column region text; update camino.loans set region = state")]
    [TestCase("own-lock-timeout", "set lock_timeout = 0")]
    public void What_hurts_a_running_release_is_found(string rule, string script) =>
        Assert.That(MigrationLinter.Check(script).Select(fault => fault.Rule), Is.EqualTo([rule]));

    [TestCase("create table camino.regions (id int not null); create index on camino.regions (id); alter table camino.regions add constraint fk foreign key (id) references camino.loans (id)")]
    [TestCase("alter table camino.loans add column region text")]
    [TestCase("alter table camino.loans add column region text not null default ''")]
    [TestCase("create index concurrently ix on camino.loans (state)")]
    [TestCase("drop index concurrently if exists camino.ix_a; create index concurrently ix_a on camino.loans (state)")]
    [TestCase("alter table camino.loans add constraint ck check (balance >= 0) not valid")]
    [TestCase("alter table camino.loans validate constraint ck; alter table camino.loans alter column balance set not null")]
    [TestCase("create function camino.f() returns int language sql as $$ update camino.loans set state = '' returning 1 $$; update camino.schema_info set version = 9")]
    public void What_a_running_release_does_not_notice_is_let_through(string script) =>
        Assert.That(MigrationLinter.Check(script), Is.Empty);
}
