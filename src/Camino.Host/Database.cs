using Camino.Data;
using Camino.Host.Configuration;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Camino.Host;

/// <summary>The one data source of the process, made from the settings.</summary>
internal static class Database
{
    /// <summary>Connections to the configured server, at most <see cref="DatabaseSettings.MaxPoolSize"/>.</summary>
    public static NpgsqlDataSource Connect(HostSettings settings, string purpose)
    {
        var connection = new NpgsqlConnectionStringBuilder(settings.Database.ConnectionString)
        {
            ApplicationName = $"camino {purpose}",
            MaxPoolSize = settings.Database.MaxPoolSize,
            CommandTimeout = settings.Database.CommandTimeoutSeconds,
            // an import sends some 400 bytes a row; every full buffer is a call into the system and a turn of the scheduler
            WriteBufferSize = settings.Role == Role.Async ? 64 * 1024 : 8 * 1024,
            GssEncryptionMode = GssEncryptionMode.Disable,
            IncludeErrorDetail = false,
            // a transaction that its client forgot must not pin dead rows for ever
            Options = "-c idle_in_transaction_session_timeout=120000",
        };
        if (!string.IsNullOrEmpty(settings.Database.Password))
            connection.Password = settings.Database.Password;
        return new NpgsqlDataSourceBuilder(connection.ConnectionString).Build();
    }

    /// <summary>EF on that data source; migrations keep their history in the application's schema.</summary>
    public static void AddDatabase(this IServiceCollection services, NpgsqlDataSource source)
    {
        services.AddSingleton(source);
        services.AddDbContext<CaminoDb>(options => Configure(options, source), contextLifetime: ServiceLifetime.Scoped, optionsLifetime: ServiceLifetime.Singleton);
    }

    /// <summary>The same options for the running roles, for migrate and for the design-time factory.</summary>
    public static void Configure(DbContextOptionsBuilder options, NpgsqlDataSource source) =>
        options.UseNpgsql(source, npgsql => npgsql.MigrationsHistoryTable("migrations_history", CaminoDb.Schema));
}
