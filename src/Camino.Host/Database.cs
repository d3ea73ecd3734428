using Camino.Data;
using Camino.Host.Configuration;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Camino.Host;

/// <summary>The data sources of the process, made from the settings.</summary>
internal static class Database
{
    /// <summary>Connections to the configured server, at most <see cref="DatabaseSettings.MaxPoolSize"/>.</summary>
    public static NpgsqlDataSource Connect(HostSettings settings, string purpose)
    {
        var connection = Common(settings.Database.ConnectionString, settings, purpose);
        connection.MaxPoolSize = settings.Database.MaxPoolSize;
        connection.CommandTimeout = settings.Database.CommandTimeoutSeconds;
        // an import sends some 400 bytes a row; every full buffer is a call into the system and a turn of the scheduler
        connection.WriteBufferSize = settings.Role == Role.Async ? 64 * 1024 : 8 * 1024;
        // nothing here leaves a setting behind in its session, and a reset before each question costs more than most questions
        connection.NoResetOnClose = true;
        // Pages ask the same few statements over and over; what the Async Server asks is planned for the rows at hand. A transaction pooler cannot keep prepared statements for a client.
        connection.MaxAutoPrepare = settings is { Role: Role.BackOffice, Database.Pooler: false } ? PreparedAtMost : 0;

        return Build(connection, new DatabasePassword(settings.SecretsFolder, "Database", settings.Database.Password));
    }

    /// <summary>Statements that one connection of the Back Office keeps prepared, the most used ones.</summary>
    private const int PreparedAtMost = 200;

    /// <summary>What the queue's engine has beside the pool that requests and handlers share, so that handlers which empty that pool keep no sign of life and no claim waiting.</summary>
    public const int EngineConnections = 5;

    /// <summary>Connections of one run of the migrator.</summary>
    public const int MigratorConnections = 4;

    /// <summary>Connections that a process of these settings opens at most: its pool, its listener and, on the Async Server, the engine's own.</summary>
    public static int MostConnections(HostSettings settings) => settings.Database.MaxPoolSize + 1 + (settings.Role == Role.Async ? EngineConnections : 0);

    /// <summary>The connections of the queue's engine alone. They keep no settings of a session, so nothing is reset between their statements.</summary>
    public static NpgsqlDataSource ConnectEngine(HostSettings settings)
    {
        var connection = Common(settings.Database.ConnectionString, settings, "jobs");
        connection.MaxPoolSize = EngineConnections;
        connection.NoResetOnClose = true;
        connection.MaxAutoPrepare = 0;
        return Build(connection, new DatabasePassword(settings.SecretsFolder, "Database", settings.Database.Password));
    }

    /// <summary>The one connection that hears wake-ups; past the pooler, which cannot carry it. Null: there is no way past it, and work is found by polling.</summary>
    public static NpgsqlDataSource? ConnectListener(HostSettings settings)
    {
        if (settings.Database is { Pooler: true, DirectConnectionString: null or "" })
            return null;
        var connection = Common(settings.Database.Pooler ? settings.Database.DirectConnectionString ?? "" : settings.Database.ConnectionString, settings, "listener");
        connection.MaxPoolSize = 1;
        return Build(connection, new DatabasePassword(settings.SecretsFolder, "Database", settings.Database.Password));
    }

    /// <summary>Where the migrator connects, with its password as it is now, for PostgreSQL's own programs.</summary>
    public static NpgsqlConnectionStringBuilder MigratorAddress(HostSettings settings)
    {
        var (connection, password) = Migrator(settings, "backup");
        if (string.IsNullOrEmpty(connection.Password) && password.IsThere)
            connection.Password = password.Read(connection);
        return connection;
    }

    /// <summary>The migrator's own connection: its user owns the tables, and it never goes through a pooler. Where none is configured, the role's own one.</summary>
    public static NpgsqlDataSource ConnectMigrator(HostSettings settings, string purpose)
    {
        var (connection, password) = Migrator(settings, purpose);
        return Build(connection, password);
    }

    private static (NpgsqlConnectionStringBuilder Connection, DatabasePassword Password) Migrator(HostSettings settings, string purpose)
    {
        var own = settings.Migration.ConnectionString;
        if (string.IsNullOrEmpty(own) && settings.Database.Pooler)
            own = settings.Database.DirectConnectionString;
        var connection = Common(string.IsNullOrEmpty(own) ? settings.Database.ConnectionString : own, settings, purpose);
        connection.MaxPoolSize = MigratorConnections;
        connection.CommandTimeout = 0;
        return (connection, string.IsNullOrEmpty(settings.Migration.ConnectionString)
            ? new DatabasePassword(settings.SecretsFolder, "Database", settings.Database.Password)
            : new DatabasePassword(settings.SecretsFolder, "Migration", settings.Migration.Password));
    }

    /// <summary>EF on that data source; migrations keep their history in the application's schema.</summary>
    public static void AddDatabase(this IServiceCollection services, NpgsqlDataSource source)
    {
        services.AddSingleton(source);
        services.AddDbContext<CaminoDb>(options => Configure(options, source), contextLifetime: ServiceLifetime.Scoped, optionsLifetime: ServiceLifetime.Singleton);
    }

    /// <summary>The same options for the running roles, for migrate and for the design-time factory.</summary>
    public static void Configure(DbContextOptionsBuilder options, NpgsqlDataSource source) =>
        options.UseNpgsql(source, npgsql => npgsql.MigrationsHistoryTable("migrations_history", CaminoDb.Schema)).AddInterceptors(SignInAgain.Instance);

    private static NpgsqlConnectionStringBuilder Common(string connectionString, HostSettings settings, string purpose)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = $"camino {purpose}",
            GssEncryptionMode = GssEncryptionMode.Disable,
            IncludeErrorDetail = false,
        };
        if (settings.Database.Tls != DatabaseTls.AsConnectionString)
            connection.SslMode = settings.Database.Tls == DatabaseTls.Verified ? SslMode.VerifyFull : SslMode.Require;
        if (!string.IsNullOrEmpty(settings.Database.RootCertificate))
            connection.RootCertificate = Path.GetFullPath(settings.Database.RootCertificate);
        return connection;
    }

    private static NpgsqlDataSource Build(NpgsqlConnectionStringBuilder connection, DatabasePassword password)
    {
        if (connection.Password is { Length: > 0 } || !password.IsThere)
            return new NpgsqlDataSourceBuilder(connection.ConnectionString).Build();
        var builder = new NpgsqlDataSourceBuilder(connection.ConnectionString);
        builder.UsePasswordProvider(at => password.Read(at), password.ReadAsync);
        return builder.Build();
    }
}
