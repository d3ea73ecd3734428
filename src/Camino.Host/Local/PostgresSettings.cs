using System.Globalization;

namespace Camino.Host.Local;

/// <summary>The server settings for a developer's machine, written anew at each start, so that a newer build brings its own.</summary>
internal static class PostgresSettings
{
    public const string FileName = "camino.conf";

    /// <summary>What is the same for data to keep and data to throw away.</summary>
    private static readonly (string Name, string Value)[] Common =
    [
        ("listen_addresses", "'127.0.0.1'"),
        ("unix_socket_directories", "''"),
        ("password_encryption", "'scram-sha-256'"),
        ("shared_buffers", "256MB"),
        ("max_wal_size", "2GB"),
        ("wal_compression", "on"),
        ("random_page_cost", "1.1"),
        ("jit", "off"),
        ("timezone", "'UTC'"),
        ("log_timezone", "'UTC'"),
        ("lc_messages", "'C'"),
        ("logging_collector", "off"),
        ("idle_in_transaction_session_timeout", "'120s'"), // a transaction that its client forgot must not pin dead rows for ever; in production, deploy/postgres/roles.sql says it for each user
    ];

    private static readonly (string Name, string Value)[] Durable =
    [
        ("max_connections", "120"),
        ("fsync", "on"),
    ];

    /// <summary>A crash of the machine may destroy the data; a crash of the server does not.</summary>
    private static readonly (string Name, string Value)[] ThrowAway =
    [
        ("max_connections", "300"), // fixtures run side by side, each with its own small pool
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
    ];

    /// <param name="port">Port on the loopback address, 1 to 65535.</param>
    /// <param name="smallSharedMemory">Whether /dev/shm has too little room for parallel queries (containers give it 64 MB).</param>
    public static string Text(int port, bool throwAway, bool smallSharedMemory)
    {
        var lines = Common
            .Concat(throwAway ? ThrowAway : Durable)
            .Append(("port", port.ToString(CultureInfo.InvariantCulture)))
            .Concat(smallSharedMemory ? [("dynamic_shared_memory_type", "mmap")] : [])
            .Select(setting => $"{setting.Item1} = {setting.Item2}\n");
        return "# Written by camino at each start: changes here are lost.\n" + string.Concat(lines);
    }
}
