using Camino.Testing;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Local;

/// <summary>The databases that all other tests stand on.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class TestDatabaseTests
{
    [Test]
    public async Task A_copy_holds_what_the_template_was_given()
    {
        await using var database = await TestDatabase.CreateAsync("tables", CreateTableAsync);

        Assert.That(await ScalarAsync(database.ConnectionString, "SELECT name FROM borrower"), Is.EqualTo("Cafe Ñandú"));
    }

    [Test]
    public async Task Copies_do_not_see_each_other()
    {
        await using var first = await TestDatabase.CreateAsync("tables", CreateTableAsync);
        await using var second = await TestDatabase.CreateAsync("tables", CreateTableAsync);

        await RunAsync(first.ConnectionString, "DELETE FROM borrower");

        Assert.That(await ScalarAsync(second.ConnectionString, "SELECT count(*) FROM borrower"), Is.EqualTo(1L));
    }

    [Test]
    public async Task A_template_is_prepared_once_however_many_ask_at_once()
    {
        var prepared = 0;
        var databases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TestDatabase.CreateAsync("counted", async connectionString =>
        {
            Interlocked.Increment(ref prepared);
            await CreateTableAsync(connectionString);
        })));

        Assert.That(prepared, Is.EqualTo(1));
        Assert.That(databases.Select(database => database.ConnectionString).Distinct().Count(), Is.EqualTo(8));
        foreach (var database in databases)
            await database.DisposeAsync();
    }

    [Test]
    public async Task A_template_with_a_forgotten_connection_can_still_be_copied()
    {
        NpgsqlConnection? forgotten = null;
        await using var database = await TestDatabase.CreateAsync("forgotten connection", async connectionString =>
        {
            await CreateTableAsync(connectionString);
            forgotten = new NpgsqlConnection(connectionString);
            await forgotten.OpenAsync();
        });

        Assert.That(await ScalarAsync(database.ConnectionString, "SELECT count(*) FROM borrower"), Is.EqualTo(1L));
        if (forgotten is not null)
            await forgotten.DisposeAsync();
    }

    [Test]
    public async Task A_disposed_database_is_gone_even_with_open_connections()
    {
        var database = await TestDatabase.CreateAsync("tables", CreateTableAsync);
        await using var open = new NpgsqlConnection(database.ConnectionString);
        await open.OpenAsync();
        var name = open.Database;

        await database.DisposeAsync();

        await using var other = await TestDatabase.CreateAsync("tables", CreateTableAsync);
        Assert.That(await ScalarAsync(other.ConnectionString, $"SELECT count(*) FROM pg_database WHERE datname = '{name}'"), Is.EqualTo(0L));
    }

    [Test]
    public async Task Databases_are_in_UTF8_and_sort_by_code_point()
    {
        await using var database = await TestDatabase.CreateAsync("tables", CreateTableAsync);

        Assert.That(await ScalarAsync(database.ConnectionString, "SHOW server_encoding"), Is.EqualTo("UTF8"));
        Assert.That(
            await ScalarAsync(database.ConnectionString, "SELECT string_agg(word, ' ' ORDER BY word) FROM unnest(ARRAY['é', 'a', 'Z']) AS word"),
            Is.EqualTo("Z a é"));
        Assert.That(await ScalarAsync(database.ConnectionString, "SELECT upper('ñandú')"), Is.EqualTo("ÑANDÚ"));
    }

    private static Task CreateTableAsync(string connectionString) =>
        RunAsync(connectionString, "CREATE TABLE borrower (name text); INSERT INTO borrower VALUES ('Cafe Ñandú')");

    private static async Task RunAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
