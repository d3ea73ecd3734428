using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Releases;

/// <summary>
/// Decides which release has the work. A deploy asks <c>guard</c>, migrates, is <c>admitted</c> beside the current release, and is <c>promoted</c> once it is seen to work;
/// <c>rollback</c> gives the work back. Each move is one transaction with its audit entry, and no two of them overlap.
/// </summary>
public sealed class MoveFence(CaminoDb db, TimeProvider clock)
{
    /// <summary>May this release be deployed now?</summary>
    /// <param name="release">1 or more.</param>
    /// <param name="isRollback">True: an older release is wanted on purpose; then the schema must still be one that it reads.</param>
    /// <exception cref="RefusedException"><c>release.number</c>, <c>release.not_newer</c>, <c>release.unknown</c>, <c>release.schema</c>.</exception>
    public async Task GuardAsync(long release, bool isRollback, CancellationToken ct)
    {
        await using var move = await BeginAsync(ct);
        await GuardAsync(move, release, isRollback, ct);
    }

    /// <summary>Lets a release take work beside the current one, so that it can be tried; or lets an older one back in, before the work is given back to it.</summary>
    /// <exception cref="RefusedException">as <see cref="GuardAsync(long, bool, CancellationToken)"/>.</exception>
    public Task AdmitAsync(long release, string by, CancellationToken ct) => AdmitAsync(release, by, isRollback: false, ct);

    /// <summary>The same.</summary>
    /// <param name="isRollback">True: an older release is let in beside the current one, so that it serves before this one goes.</param>
    /// <exception cref="RefusedException">as <see cref="GuardAsync(long, bool, CancellationToken)"/>.</exception>
    public async Task AdmitAsync(long release, string by, bool isRollback, CancellationToken ct)
    {
        await using var move = await BeginAsync(ct);
        if (isRollback || move.Fence is not { } fence || fence.Highest != release)
            await GuardAsync(move, release, isRollback, ct);
        await move.KnowAsync(release, ct);
        await move.RunAsync("update camino.releases set retired_at = null, retired_by = null where number = $1", ct, release);
        var (lowest, highest) = move.Fence ?? (0, release);
        await move.FenceAsync(isRollback ? Math.Min(lowest, release) : lowest, isRollback ? Math.Max(highest, release) : release, by, ct);
        await CommitAsync(move, "release.admitted", release, by, ct);
    }

    /// <summary>Gives the work to a release: every older one is retired.</summary>
    /// <param name="evenIfNobodyLives">True: also when no process of it that works queues is alive.</param>
    /// <exception cref="RefusedException"><c>release.number</c>, <c>release.not_newer</c>, <c>release.nobody</c>.</exception>
    public async Task PromoteAsync(long release, string by, bool evenIfNobodyLives, CancellationToken ct)
    {
        Refuse.If(release < 1, "release.number", FormattableString.Invariant($"Release {release} has no number of its own; a release that is deployed has 1 or more."));
        await using var move = await BeginAsync(ct);
        Refuse.If(move.Fence is { } fence && release < fence.Lowest, "release.not_newer", FormattableString.Invariant($"Release {release} is older than release {move.Fence?.Lowest}, which has the work; to go back on purpose, use rollback."));
        Refuse.If(
            !evenIfNobodyLives && !await move.LivesAsync(release, ct), "release.nobody",
            FormattableString.Invariant($"No process of release {release} that works queues gave a sign of life in the last {ProcessRegistry.GoneAfterSeconds} seconds; nobody would take the work. Start it first, or say --even-if-nobody-lives."));
        await move.KnowAsync(release, ct);
        await move.RunAsync("update camino.releases set retired_at = clock_timestamp(), retired_by = $2 where number < $1 and retired_at is null", ct, release, by);
        await move.RunAsync("update camino.releases set promoted_at = clock_timestamp(), promoted_by = $2, retired_at = null, retired_by = null where number = $1", ct, release, by);
        await move.FenceAsync(release, release, by, ct);
        await CommitAsync(move, "release.promoted", release, by, ct);
    }

    /// <summary>Gives the work back: ends the trial of a newer release, or returns to the release that was promoted before the current one.</summary>
    /// <param name="release">The release to go back to; null: the current one when a newer one is being tried, else the one promoted before it.</param>
    /// <returns>The release that has the work now.</returns>
    /// <exception cref="RefusedException"><c>release.nothing_before</c>, <c>release.unknown</c>, <c>release.schema</c>.</exception>
    public async Task<long> RollbackAsync(long? release, string by, CancellationToken ct)
    {
        await using var move = await BeginAsync(ct);
        var fence = move.Fence ?? throw new RefusedException("release.nothing_before", "No release was ever promoted, so there is nothing to go back to.");
        var to = release ?? (fence.Highest > fence.Lowest ? fence.Lowest : await move.BeforeAsync(fence.Lowest, ct));
        if (to is not { } target)
            throw new RefusedException("release.nothing_before", FormattableString.Invariant($"No release was promoted before release {fence.Lowest}, so there is nothing to go back to."));
        Refuse.If(target > fence.Highest, "release.not_older", FormattableString.Invariant($"Release {target} is newer than release {fence.Highest}; a rollback goes back. Use promote."));
        if (target != fence.Lowest)
            await GuardAsync(move, target, isRollback: true, ct);
        await move.RunAsync("update camino.releases set retired_at = clock_timestamp(), retired_by = $2 where number > $1 and retired_at is null", ct, target, by);
        await move.RunAsync("update camino.releases set retired_at = null, retired_by = null where number = $1", ct, target);
        await move.FenceAsync(target, target, by, ct);
        await CommitAsync(move, "release.rolled_back", target, by, ct);
        return target;
    }

    /// <summary>Takes every effect away from a release that is not the current one.</summary>
    /// <exception cref="RefusedException"><c>release.unknown</c>, <c>release.current</c>.</exception>
    public async Task RetireAsync(long release, string by, CancellationToken ct)
    {
        await using var move = await BeginAsync(ct);
        Refuse.If(move.Fence is { } current && current.Lowest == release, "release.current", FormattableString.Invariant($"Release {release} has the work; promote another one first, or roll back."));
        var known = await move.RunAsync("update camino.releases set retired_at = coalesce(retired_at, clock_timestamp()), retired_by = coalesce(retired_by, $2) where number = $1", ct, release, by);
        Refuse.If(known == 0, "release.unknown", FormattableString.Invariant($"No process of release {release} was ever started here."));
        if (move.Fence is { } fence && fence.Highest == release)
            await move.FenceAsync(fence.Lowest, fence.Lowest, by, ct);
        await CommitAsync(move, "release.retired", release, by, ct);
    }

    private static async Task GuardAsync(Move move, long release, bool isRollback, CancellationToken ct)
    {
        Refuse.If(release < 1, "release.number", FormattableString.Invariant($"Release {release} has no number of its own; a release that is deployed has 1 or more."));
        if (isRollback)
        {
            var (known, fits, schema) = await move.SchemaAsync(release, ct);
            Refuse.If(!known, "release.unknown", FormattableString.Invariant($"No process of release {release} was ever started here, so nobody knows which schema it reads."));
            Refuse.If(!fits, "release.schema", FormattableString.Invariant($"The schema is version {schema}, or something was taken away from it, so that release {release} cannot work on it; only a newer release helps."));
            return;
        }

        if (move.Fence is not { } fence)
            return;
        Refuse.If(release <= fence.Lowest, "release.not_newer", FormattableString.Invariant($"Release {release} is not newer than release {fence.Lowest}, which has the work: a later run was faster. To go back on purpose, use rollback."));
        Refuse.If(release < fence.Highest, "release.not_newer", FormattableString.Invariant($"Release {release} is older than release {fence.Highest}, which is being tried."));
    }

    private async Task<Move> BeginAsync(CancellationToken ct)
    {
        var transaction = await db.Database.BeginTransactionAsync(ct);
        var move = new Move((NpgsqlConnection)db.Database.GetDbConnection(), transaction);
        await move.LockAsync(ct);
        return move;
    }

    private async Task CommitAsync(Move move, string action, long release, string by, CancellationToken ct)
    {
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId: null, action, "release", FormattableString.Invariant($"{release}"), JsonSerializer.Serialize(new { by })));
        await db.SaveChangesAsync(ct);
        await move.CommitAsync(ct);
    }

    /// <summary>One transaction that holds the fence.</summary>
    private sealed class Move(NpgsqlConnection connection, IDbContextTransaction transaction) : IAsyncDisposable
    {
        public (long Lowest, long Highest)? Fence { get; private set; }

        public async Task LockAsync(CancellationToken ct)
        {
            await RunAsync("select pg_advisory_xact_lock(hashtextextended('camino.release', 0))", ct);
            await using var ask = Command("select lowest, highest from jobs.fence for update");
            await using var reader = await ask.ExecuteReaderAsync(ct);
            if (await reader.ReadAsync(ct))
                Fence = (reader.GetInt64(0), reader.GetInt64(1));
        }

        public Task<int> KnowAsync(long release, CancellationToken ct) =>
            RunAsync("insert into camino.releases (number, name) values ($1, 'release ' || $1) on conflict (number) do nothing", ct, release);

        public Task<int> FenceAsync(long lowest, long highest, string by, CancellationToken ct) => RunAsync(
            """
            insert into jobs.fence (lowest, highest, moved_by) values ($1, $2, $3)
            on conflict (only_row) do update set lowest = excluded.lowest, highest = excluded.highest, moved_by = excluded.moved_by, moved_at = clock_timestamp()
            """, ct, lowest, highest, by);

        public async Task<bool> LivesAsync(long release, CancellationToken ct)
        {
            await using var ask = Command(
                "select exists (select from camino.processes where release_number = $1 and takes_work and state <> 'ended' and seen_at > clock_timestamp() - make_interval(secs => $2))", release, (double)ProcessRegistry.GoneAfterSeconds);
            return await ask.ExecuteScalarAsync(ct) is true;
        }

        public async Task<long?> BeforeAsync(long release, CancellationToken ct)
        {
            await using var ask = Command("select number from camino.releases where number < $1 and promoted_at is not null order by promoted_at desc limit 1", release);
            return await ask.ExecuteScalarAsync(ct) as long?;
        }

        public async Task<(bool Known, bool Fits, int Schema)> SchemaAsync(long release, CancellationToken ct)
        {
            var schema = await SchemaWindow.ReadAsync(connection, ct);
            await using var ask = Command("select schema_oldest, schema_newest from camino.releases where number = $1 and schema_newest is not null", release);
            await using var reader = await ask.ExecuteReaderAsync(ct);
            if (!await reader.ReadAsync(ct))
                return (false, false, schema.Version);
            var (oldest, newest) = (reader.GetInt32(0), reader.GetInt32(1));
            return (true, schema.Version >= oldest && schema.Version <= newest && schema.Contracted <= newest - SchemaWindow.Ahead, schema.Version);
        }

        public async Task<int> RunAsync(string sql, CancellationToken ct, params object[] values)
        {
            await using var command = Command(sql, values);
            return await command.ExecuteNonQueryAsync(ct);
        }

        public Task CommitAsync(CancellationToken ct) => transaction.CommitAsync(ct);

        public ValueTask DisposeAsync() => transaction.DisposeAsync();

        private NpgsqlCommand Command(string sql, params object[] values)
        {
            var command = new NpgsqlCommand(sql, connection, (NpgsqlTransaction)transaction.GetDbTransaction());
            foreach (var value in values)
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            return command;
        }
    }
}
