#if TESTCONTAINERS
using Testcontainers.PostgreSql;

namespace Camino.Testing;

/// <summary>A PostgreSQL in a container, by the library Testcontainers: its own companion container removes it, also when this process is killed.</summary>
internal static class TestContainer
{
    /// <summary>The same as POSTGRES_IMAGE in deploy/images.env.</summary>
    private const string Image = "docker.io/library/postgres:18.4-alpine3.22";

    /// <summary>Starts the container and waits until it answers.</summary>
    public static async Task<(string ConnectionString, string Description)> StartAsync()
    {
        var container = new PostgreSqlBuilder(Image).WithUsername("postgres").WithCommand("-c", "fsync=off", "-c", "max_connections=300", "-c", "max_prepared_transactions=4").Build();
        await container.StartAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => container.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return (container.GetConnectionString(), $"a container of {Image} by Testcontainers, thrown away afterwards");
    }
}
#endif
