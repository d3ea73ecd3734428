using System.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Camino.Data;

/// <summary>Applies what the database lacks, one migrator at a time.</summary>
public static class Migrator
{
    /// <summary>Any number that no other program uses as an advisory lock: "camino" in base 36.</summary>
    private const long LockKey = 740_254_104;

    /// <summary>Applies the missing migrations under a session lock; others that come meanwhile wait and then find nothing to do.</summary>
    /// <returns>Names of the migrations applied, in order.</returns>
    public static async Task<IReadOnlyList<string>> MigrateAsync(NpgsqlDataSource source, Action<DbContextOptionsBuilder> configure, CancellationToken ct)
    {
        await using var holder = await source.OpenConnectionAsync(ct);
        await using (var take = new NpgsqlCommand("select pg_advisory_lock($1)", holder) { Parameters = { new() { Value = LockKey } }, CommandTimeout = 0 })
            await take.ExecuteNonQueryAsync(ct);
        try
        {
            var options = new DbContextOptionsBuilder<CaminoDb>();
            configure(options);
            await using var db = new CaminoDb(options.Options);
            var missing = (await db.Database.GetPendingMigrationsAsync(ct)).ToList();
            if (missing.Count > 0)
            {
                await db.Database.OpenConnectionAsync(ct);
                await db.Database.ExecuteSqlRawAsync("set lock_timeout = '5s'", ct);
                await db.Database.MigrateAsync(ct);
            }

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
}
