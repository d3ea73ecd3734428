using System.Globalization;
using Camino.Host.Configuration;
using Npgsql;

namespace Camino.Host;

/// <summary>Twice the connections of all replicas, for a rollout runs old and new side by side, plus the migrator's and a reserve, against what the server has.</summary>
/// <param name="Needed">Connections at most.</param>
/// <param name="There">Connections that the server gives to others than its superusers.</param>
/// <param name="Sentence">The sum in words, and what to do when it is too large.</param>
internal sealed record ConnectionBudget(int Needed, int There, string Sentence)
{
    /// <summary>Connections kept free for people.</summary>
    private const int Reserve = 5;

    public bool IsKept => Needed <= There;

    /// <param name="roles">The settings of the roles that are known; those of the other role come on top.</param>
    public static async Task<ConnectionBudget> AskAsync(NpgsqlConnection connection, IReadOnlyList<HostSettings> roles, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand("select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int", connection);
        var there = await ask.ExecuteScalarAsync(ct) as int? ?? 0;
        var needed = roles.Sum(role => role.Database.MaxReplicas * Database.MostConnections(role) * 2) + Database.MigratorConnections + Reserve;
        var sum = string.Join(" + ", roles.Select(role => string.Create(CultureInfo.InvariantCulture, $"{role.Role} {role.Database.MaxReplicas} x {Database.MostConnections(role)} x 2")));
        return new ConnectionBudget(needed, there, string.Create(
            CultureInfo.InvariantCulture,
            $"connection budget: {sum} + {Database.MigratorConnections} migrator + {Reserve} reserve = {needed}; the server has {there}{(needed <= there ? "." : ": lower Database:MaxPoolSize or MaxReplicas, or raise max_connections.")}"));
    }
}

/// <summary>Says in the log, once after the start, when this role's processes alone could ask for more connections than the server has. Behind a pooler its pool is what counts, and is not known here.</summary>
internal sealed partial class ConnectionBudgetWatch(HostSettings settings, NpgsqlDataSource source, ILogger<ConnectionBudgetWatch> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // nothing here may hold up the start
        await Task.Yield();
        try
        {
            await using var connection = await source.OpenConnectionAsync(stoppingToken);
            if (!settings.Database.Pooler && await ConnectionBudget.AskAsync(connection, [settings], stoppingToken) is { IsKept: false } budget)
                LogExceeded(budget.Sentence);
        }
        catch (Exception silent) when (silent is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            // Readiness says that the database is away.
        }
    }

    [LoggerMessage(135, LogLevel.Warning, "More connections than there are, {Sentence}")]
    private partial void LogExceeded(string sentence);
}
