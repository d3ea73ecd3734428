using System.Net.Sockets;
using Npgsql;

namespace Camino.Host;

/// <summary>Why the database did not do what a request wanted, when it may do so in a moment.</summary>
internal enum DatabaseTrouble
{
    /// <summary>It is none of these: the statement is wrong, or nothing is known of it.</summary>
    None,

    /// <summary>Refused, lost, or closed by a server that stops or starts: somebody has to look at the database.</summary>
    Unreachable,

    /// <summary>It answers, but no connection was free: of this process's pool, or of the server's.</summary>
    Exhausted,

    /// <summary>A statement took longer than it may.</summary>
    Slow,

    /// <summary>Another transaction had what this one wanted; it was rolled back.</summary>
    Contended,
}

/// <summary>Tells the troubles apart. Npgsql calls all of them transient, but what to do about them differs.</summary>
internal static class DatabaseTroubles
{
    /// <summary>What the exception, or what it was caused by, says.</summary>
    public static DatabaseTrouble Of(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            var trouble = exception switch
            {
                PostgresException said => OfState(said),
                NpgsqlException { InnerException: TimeoutException } waited => IsAboutThePool(waited) ? DatabaseTrouble.Exhausted : IsAboutConnecting(waited) ? DatabaseTrouble.Unreachable : DatabaseTrouble.Slow,
                NpgsqlException { IsTransient: true } => DatabaseTrouble.Unreachable,
                _ => DatabaseTrouble.None,
            };
            if (trouble != DatabaseTrouble.None)
                return trouble;
        }

        return DatabaseTrouble.None;
    }

    private static DatabaseTrouble OfState(PostgresException said) => said.SqlState switch
    {
        PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.ConfigurationLimitExceeded => DatabaseTrouble.Exhausted,
        PostgresErrorCodes.QueryCanceled => DatabaseTrouble.Slow,
        PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable => DatabaseTrouble.Contended,
        _ => said.IsTransient ? DatabaseTrouble.Unreachable : DatabaseTrouble.None,
    };

    /// <summary>Npgsql has no type for it; a test holds that the sentence is still this one.</summary>
    private static bool IsAboutThePool(NpgsqlException waited) => waited.Message.StartsWith("The connection pool has been exhausted", StringComparison.Ordinal);

    private static bool IsAboutConnecting(NpgsqlException waited) => waited.Message.StartsWith("Failed to connect", StringComparison.Ordinal) || waited.InnerException?.InnerException is SocketException;
}
