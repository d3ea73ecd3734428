using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using Camino.Host.Local;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Local;

/// <summary>The server that `camino up` keeps its data in: started, stopped, killed and started again, on this machine's real PostgreSQL.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LocalPostgresTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("camino-local-").FullName;

    [TearDown]
    public async Task RemoveFolderAsync()
    {
        await using (await StartAsync())
        {
            // Whatever a test left running is found and stopped.
        }

        if (File.Exists(Path.Combine(Server, "elsewhere")))
            Directory.Delete(await File.ReadAllTextAsync(Path.Combine(Server, "elsewhere")), recursive: true);
        Directory.Delete(_folder, recursive: true);
    }

    private string Server => Path.Combine(_folder, "pg");

    [Test]
    public async Task A_second_start_finds_the_data_on_the_same_port()
    {
        string first;
        await using (var server = await StartAsync())
        {
            first = server.ConnectionString("camino");
            await LocalDatabase.CreateWhenMissingAsync(first, CancellationToken.None);
            await RunAsync(first, "CREATE TABLE loan (number text); INSERT INTO loan VALUES ('L-1')");
        }

        await using var again = await StartAsync();

        Assert.That(again.ConnectionString("camino"), Is.EqualTo(first));
        Assert.That(await ScalarAsync(first, "SELECT number FROM loan"), Is.EqualTo("L-1"));
        Assert.That(await LocalDatabase.CreateWhenMissingAsync(first, CancellationToken.None), Is.False);
    }

    [Test]
    public async Task A_server_that_a_killed_run_left_behind_is_taken_over()
    {
        var left = await StartAsync();

        await using var next = await StartAsync();

        Assert.That(next.TakenOver, Is.True);
        Assert.That(next.ConnectionString("postgres"), Is.EqualTo(left.ConnectionString("postgres")));
    }

    [Test]
    public async Task After_a_kill_of_the_server_committed_rows_are_there_again()
    {
        var killed = await StartAsync(durable: true);
        await RunAsync(killed.ConnectionString("postgres"), "CREATE TABLE loan (number text); INSERT INTO loan VALUES ('L-1')");
        NpgsqlConnection.ClearAllPools();
        using (var process = Process.GetProcessById(await PidAsync()))
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        await using var next = await StartAsync(durable: true);

        Assert.That(next.TakenOver, Is.False);
        Assert.That(await ScalarAsync(next.ConnectionString("postgres"), "SELECT number FROM loan"), Is.EqualTo("L-1"));
    }

    [Test]
    public async Task A_pid_file_whose_number_another_program_now_has_is_no_obstacle()
    {
        await using (await StartAsync())
        {
            // Makes the data.
        }

        await File.WriteAllTextAsync(PidFile, $"{Environment.ProcessId}\n{Server}/data\n0\n1\n\n127.0.0.1\n");

        await using var next = await StartAsync();

        Assert.That(next.TakenOver, Is.False);
        Assert.That(await ScalarAsync(next.ConnectionString("postgres"), "SELECT 1"), Is.EqualTo(1));
    }

    [Test]
    public async Task When_the_port_is_taken_by_somebody_else_another_one_is_used()
    {
        await using (await StartAsync())
        {
            // Remembers a port.
        }

        var port = int.Parse(await File.ReadAllTextAsync(Path.Combine(Server, "port")), CultureInfo.InvariantCulture);
        using var somebody = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, port);
        somebody.Start();

        await using var next = await StartAsync();

        Assert.That(new NpgsqlConnectionStringBuilder(next.ConnectionString("postgres")).Port, Is.Not.EqualTo(port));
        Assert.That(await ScalarAsync(next.ConnectionString("postgres"), "SELECT 1"), Is.EqualTo(1));
    }

    [Test]
    public async Task What_an_initialization_killed_in_the_middle_left_is_replaced()
    {
        Directory.CreateDirectory(Path.Combine(Server, "unfinished", "data"));
        await File.WriteAllTextAsync(Path.Combine(Server, "unfinished", "data", "PG_VERSION"), "15");

        await using var server = await StartAsync();

        Assert.That(await ScalarAsync(server.ConnectionString("postgres"), "SELECT 1"), Is.EqualTo(1));
    }

    [Test]
    public async Task The_password_is_needed_and_only_its_owner_can_read_it()
    {
        await using var server = await StartAsync(durable: true);

        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString("postgres")) { Password = "guess", Pooling = false }.ConnectionString;
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(wrong, "SELECT 1"));
        Assert.That(refused?.SqlState, Is.EqualTo(PostgresErrorCodes.InvalidPassword));
        Assert.That(File.GetUnixFileMode(Path.Combine(Server, "password")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(await ScalarAsync(server.ConnectionString("postgres"), "SHOW listen_addresses"), Is.EqualTo("127.0.0.1"));
        Assert.That(await ScalarAsync(server.ConnectionString("postgres"), "SHOW fsync"), Is.EqualTo("on"));
    }

    [Test]
    public async Task A_folder_that_others_may_not_enter_serves_as_well()
    {
        File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        await using var server = await StartAsync();

        Assert.That(await ScalarAsync(server.ConnectionString("postgres"), "SELECT 1"), Is.EqualTo(1));
    }

    [Test]
    public async Task Data_of_a_version_that_is_not_here_are_refused_with_what_to_do()
    {
        var data = Path.Combine(Server, "data");
        Directory.CreateDirectory(data);
        await File.WriteAllTextAsync(Path.Combine(data, "PG_VERSION"), "9");

        var refused = await Assert.ThrowsAsync<LocalStartException>(StartAsync);

        Assert.That(refused?.Message, Does.Contain("written by PostgreSQL 9").And.Contain("Install PostgreSQL 9"));
        Directory.Delete(data, recursive: true);
    }

    private string PidFile =>
        Path.Combine(File.Exists(Path.Combine(Server, "elsewhere")) ? File.ReadAllText(Path.Combine(Server, "elsewhere")) : Server, "data", "postmaster.pid");

    private async Task<int> PidAsync() => int.Parse((await File.ReadAllLinesAsync(PidFile))[0], CultureInfo.InvariantCulture);

    private Task<LocalPostgres> StartAsync() => StartAsync(durable: false);

    private Task<LocalPostgres> StartAsync(bool durable) =>
        LocalPostgres.StartAsync(
            new LocalPostgresOptions
            {
                Folder = Server,
                PackageFolder = Path.Combine(Repository.Root ?? "", ".camino", "postgres"),
                Say = TestContext.Progress.WriteLine,
                ThrowAway = !durable,
            },
            CancellationToken.None);

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
