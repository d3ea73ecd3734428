using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Camino.Jobs.Tests;

/// <summary>A PgBouncer in transaction mode before one database, from the machine's package; tests that need it say so where it is missing.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private PgBouncer(Process process, string folder, string connectionString)
    {
        _process = process;
        _folder = folder;
        ConnectionString = connectionString;
    }

    public string ConnectionString { get; }

    public static async Task<PgBouncer> StartAsync(string connectionString)
    {
        var program = Find() ?? throw new IgnoreException("PgBouncer is not installed; it is looked for on PATH, in /usr/sbin, and where CAMINO_TEST_PGBOUNCER says.");
        var target = new NpgsqlConnectionStringBuilder(connectionString);
        var port = FreePort();
        var folder = Directory.CreateTempSubdirectory("camino-pgbouncer-").FullName;
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var file = Path.Combine(folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(file, $"""
            [databases]
            {target.Database} = host={target.Host} port={target.Port} dbname={target.Database} user={target.Username} password={target.Password}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 6
            max_client_conn = 200
            server_reset_query =
            ignore_startup_parameters = extra_float_digits
            """);

        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        if (Environment.IsPrivilegedProcess)
        {
            start.ArgumentList.Add("-u");
            start.ArgumentList.Add("nobody");
        }
        start.ArgumentList.Add(file);
        var process = Process.Start(start) ?? throw new InvalidOperationException("PgBouncer did not start.");
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();

        var through = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = port, NoResetOnClose = true, MaxAutoPrepare = 0 }.ConnectionString;
        var bouncer = new PgBouncer(process, folder, through);
        await Bed.UntilAsync(() => CanConnectAsync(through), () => "PgBouncer to answer");
        return bouncer;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string? Find()
    {
        string[] places = [Environment.GetEnvironmentVariable("CAMINO_TEST_PGBOUNCER") ?? "", "/usr/sbin/pgbouncer",
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "pgbouncer"))];
        return places.FirstOrDefault(File.Exists);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<bool> CanConnectAsync(string connectionString)
    {
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync();
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or SocketException)
        {
            return false;
        }
    }
}
