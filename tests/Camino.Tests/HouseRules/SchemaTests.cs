using Camino.Data;
using Camino.Host;
using Camino.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>Model, migrations and schema window say the same.</summary>
public sealed class SchemaTests
{
    [Test]
    public void The_model_has_no_change_that_no_migration_makes()
    {
        using var db = new DesignTime().CreateDbContext([]);

        Assert.That(db.Database.HasPendingModelChanges(), Is.False, "Run: dotnet ef migrations add NAME --project src/Camino --startup-project src/Camino.Host --output-dir Data/Migrations");
    }

    [Test]
    public async Task The_migrations_leave_the_newest_version_of_the_window()
    {
        await using var database = await TestDatabase.CreateAsync("empty", _ => Task.CompletedTask);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);

        var applied = await Migrator.MigrateAsync(source, options => Database.Configure(options, source), CancellationToken.None);

        await using var connection = await source.OpenConnectionAsync();
        Assert.That(applied, Has.Count.EqualTo(SchemaWindow.Newest), "each migration raises the version by one: set SchemaWindow.Newest, and camino.schema_info in the migration");
        Assert.That(await SchemaWindow.ReadAsync(connection, CancellationToken.None), Is.EqualTo(new SchemaState(SchemaWindow.Newest, Contracted: 0)));
        Assert.That(SchemaWindow.Refusal(new SchemaState(SchemaWindow.Newest, SchemaWindow.Newest), "x.json"), Is.Null);
        Assert.That(SchemaWindow.Refusal(new SchemaState(SchemaWindow.NewestAccepted, 0), "x.json"), Is.Null);
    }

    [Test]
    public async Task A_second_migration_has_nothing_to_do()
    {
        await using var database = await TestDatabase.CreateAsync("empty", _ => Task.CompletedTask);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await Migrator.MigrateAsync(source, options => Database.Configure(options, source), CancellationToken.None);

        Assert.That(await Migrator.MigrateAsync(source, options => Database.Configure(options, source), CancellationToken.None), Is.Empty);
    }

    [TestCase(0, "camino migrate --config x.json")]
    [TestCase(SchemaWindow.NewestAccepted + 1, "deploy a newer release")]
    public void A_version_outside_the_window_is_refused_with_what_to_do(int version, string advice) =>
        Assert.That(SchemaWindow.Refusal(new SchemaState(version, 0), "x.json"), Does.Contain(advice).And.Contain($"version {version}"));

    [Test]
    public void A_schema_from_which_a_newer_release_took_something_away_is_refused() =>
        Assert.That(SchemaWindow.Refusal(new SchemaState(SchemaWindow.NewestAccepted, SchemaWindow.NewestAccepted), "x.json"), Does.Contain("was taken away").And.Contain("deploy a newer release"));

    [Test]
    public void Every_contract_step_has_a_name_of_its_own_and_belongs_to_a_version_of_this_release()
    {
        Assert.That(ContractSteps.All.Select(step => step.Name), Is.Unique.And.All.Match("^[a-z0-9-]{1,60}$"));
        Assert.That(ContractSteps.All.Select(step => step.Version), Is.Ordered.And.All.InRange(1, SchemaWindow.Newest));
        foreach (var step in ContractSteps.All)
            Assert.That(MigrationLinter.Check(step.Sql).Select(fault => fault.Rule), Is.SubsetOf(new[] { "drop", "rename", "not-null-without-check" }), $"{step.Name}: a contract step takes away, and fills nothing");
    }
}
