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
        Assert.That(await SchemaWindow.ReadAsync(connection, CancellationToken.None), Is.EqualTo(SchemaWindow.Newest));
        Assert.That(SchemaWindow.Refusal(SchemaWindow.Newest, "x.json"), Is.Null);
        Assert.That(SchemaWindow.Refusal(SchemaWindow.NewestAccepted, "x.json"), Is.Null);
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
        Assert.That(SchemaWindow.Refusal(version, "x.json"), Does.Contain(advice).And.Contain($"version {version}"));
}
