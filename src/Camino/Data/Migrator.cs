using System.Data;
using System.Runtime.ExceptionServices;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Camino.Data;

/// <summary>How a migrator waits.</summary>
/// <param name="LockTimeoutSeconds">1 to 60: so long a statement waits for a lock, and so long everybody else at most queues behind it.</param>
/// <param name="Attempts">1 to 100: how often a migration that did not get its locks is tried in all.</param>
/// <param name="Say">Told about every attempt that did not get its locks.</param>
public sealed record MigratorOptions(int LockTimeoutSeconds = 4, int Attempts = 10, Action<string>? Say = null)
{
    /// <summary>Says that an attempt did not get its locks, and waits: longer after each, 5 s at most.</summary>
    internal Task WaitAfterAsync(int attempt, CancellationToken ct)
    {
        Say?.Invoke(FormattableString.Invariant($"Attempt {attempt} of {Attempts} did not get its locks within {LockTimeoutSeconds} s; a long transaction is in the way. Trying again."));
        return Task.Delay(TimeSpan.FromSeconds(Math.Min(attempt, 5)), ct);
    }
}

/// <summary>Applies what the database lacks, one migrator at a time.</summary>
public static class Migrator
{
    /// <summary>Any number that no other program uses as an advisory lock: "camino" in base 36.</summary>
    private const long LockKey = 740_254_104;

    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Applies the missing migrations under a session lock; others that come meanwhile wait and then find nothing to do.</summary>
    /// <returns>Names of the migrations applied, in order.</returns>
    public static Task<IReadOnlyList<string>> MigrateAsync(NpgsqlDataSource source, Action<DbContextOptionsBuilder> configure, CancellationToken ct) =>
        MigrateAsync(source, configure, new MigratorOptions(), ct);

    /// <summary>
    /// The same, with a bound on waiting: a statement that does not get its lock is given up, so that nobody queues behind it, and its migration is tried again after a pause.
    /// Each migration is one transaction, or none of its statements is in one and each can be run again; whoever dies half-way leaves the ones before it, and the next run goes on from there.
    /// </summary>
    /// <exception cref="PostgresException"><c>55P03</c>: the locks were not to be had in any attempt; nothing of that migration is left behind.</exception>
    public static async Task<IReadOnlyList<string>> MigrateAsync(NpgsqlDataSource source, Action<DbContextOptionsBuilder> configure, MigratorOptions options, CancellationToken ct)
    {
        await using var holder = await source.OpenConnectionAsync(ct);
        // asked for again and again: a statement that waits for the lock would be a transaction that an index built concurrently waits for
        await using (var take = new NpgsqlCommand("select pg_try_advisory_lock($1)", holder) { Parameters = { new() { Value = LockKey } } })
        {
            while (await take.ExecuteScalarAsync(ct) is not true)
                await Task.Delay(LockPause, ct);
        }

        try
        {
            var builder = new DbContextOptionsBuilder<CaminoDb>();
            configure(builder);
            await using var db = new CaminoDb(builder.Options);
            var missing = (await db.Database.GetPendingMigrationsAsync(ct)).ToList();
            for (var attempt = 1; missing.Count > 0; attempt++)
            {
                try
                {
                    await ApplyAsync(db, options, ct);
                    break;
                }
                catch (PostgresException blocked) when (IsAboutLocks(blocked) && attempt < options.Attempts)
                {
                    await options.WaitAfterAsync(attempt, ct);
                }
            }

            await GiveRightsAsync(holder, ct);
            return missing;
        }
        finally
        {
            if (holder.State == ConnectionState.Open)
            {
                await using var give = new NpgsqlCommand("select pg_advisory_unlock($1)", holder) { Parameters = { new() { Value = LockKey } } };
                await give.ExecuteNonQueryAsync(CancellationToken.None);
            }
        }
    }

    /// <summary>Gives the users of the roles what they need on the tables as they are now; does nothing where those users are not there.</summary>
    public static async Task GiveRightsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var text = typeof(Migrator).Assembly.GetManifestResourceStream("Camino.Data.Rights.sql") ?? throw new InvalidOperationException("Rights.sql is not in the assembly.");
        using var reader = new StreamReader(text);
        await using var give = new NpgsqlCommand(await reader.ReadToEndAsync(ct), connection);
        await give.ExecuteNonQueryAsync(ct);
    }

    private static async Task ApplyAsync(CaminoDb db, MigratorOptions options, CancellationToken ct)
    {
        await db.Database.OpenConnectionAsync(ct);
        try
        {
            await using (var wait = new NpgsqlCommand("select set_config('lock_timeout', $1, false)", (NpgsqlConnection)db.Database.GetDbConnection()) { Parameters = { new() { Value = FormattableString.Invariant($"{options.LockTimeoutSeconds}s") } } })
                await wait.ExecuteNonQueryAsync(ct);
            await db.Database.MigrateAsync(ct);
        }
        catch (InvalidOperationException wrapped) when (wrapped.InnerException is PostgresException said)
        {
            // EF takes a lock that was not to be had for a passing fault and wraps it; callers ask for what PostgreSQL said
            ExceptionDispatchInfo.Throw(said);
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Somebody else's lock was in the way; the same may succeed later.</summary>
    internal static bool IsAboutLocks(PostgresException e) => e.SqlState == PostgresErrorCodes.LockNotAvailable;
}
