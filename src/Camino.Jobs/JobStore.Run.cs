using Npgsql;
using NpgsqlTypes;

namespace Camino.Jobs;

/// <summary>A job as it was claimed: all that its run needs.</summary>
internal sealed record ClaimedJob(
    Guid Id, Guid Lease, string Queue, string Kind, int Version, int Attempt, int MaxAttempts, DateTime DueAt, DateTime EnqueuedAt,
    string? RequestedBy, string? TraceParent, string Args, bool Cancelled, bool Expired, DateTime ClaimedAt, string? Checkpoint,
    DateTime? PlannedAt, string? LimitKey);

/// <summary>A run's end that moves the job to history.</summary>
/// <param name="Plain">Done, without a result, and nothing hangs on the job that its end would have to touch: the short statement is enough.</param>
internal sealed record FinishRow(Guid Id, Guid Lease, string State, string? Result, string? Error, string? Note, bool Plain = false);

/// <summary>A run's end that gives the job back to its queue; a null wait means to its old place.</summary>
internal sealed record PutBackRow(Guid Id, Guid Lease, double? WaitSeconds, bool Burn, string? Note, string? Error);

/// <summary>What one claim may take.</summary>
/// <param name="Queues">Most urgent first.</param>
/// <param name="Takes">For each queue, at most so many.</param>
/// <param name="Owns">For each queue, how many of them go to its own reserved slots.</param>
/// <param name="Lows">For each queue, where the last claim ended.</param>
/// <param name="Shared">How many the shared slots take in all.</param>
/// <param name="Full">It looks from the very beginning of each queue.</param>
internal sealed record ClaimAsk(Guid Lease, string[] Queues, int[] Takes, int[] Owns, DateTime[] Lows, int Shared, bool Full = false)
{
    /// <summary>The order in which the shared slots are given out, as places in <see cref="Queues"/>; null: as they stand.</summary>
    public int[]? Order { get; init; }

    internal T[] InOrder<T>(T[] values) => Order is null ? values : [.. Order.Select(place => values[place])];
}

/// <summary>What one round trip brought, and which of its results found their lease lost and changed nothing.</summary>
internal sealed record RoundTrip(HashSet<Guid> Refused, List<ClaimedJob> Claimed);

/// <summary>What a server declared gone had been.</summary>
internal sealed record LostServer(Guid Id, string Name, string Release, DateTime LastBeatAt);

/// <summary>A job that a gone server had.</summary>
internal sealed record RescuedJob(Guid Id, string Kind, string Queue, int Attempt, string Server, bool Spent);

/// <summary>A wish to cancel a job that runs here.</summary>
internal sealed record CancelWish(Guid Id, Guid Lease, string By, string? Reason);

/// <content>The statements of a running server. They need no session state, so they work behind a transaction pooler.</content>
public sealed partial class JobStore
{
    internal string Channel => _sql.Channel;

    /// <summary>Writes results and takes new jobs: one round trip, one commit. A job comes at most once among the results.</summary>
    internal async Task<RoundTrip> RunBatchAsync(
        ServerIdentity me, IReadOnlyList<FinishRow> finish, IReadOnlyList<PutBackRow> putBack, ClaimAsk? ask, CancellationToken ct)
    {
        var answer = new RoundTrip([], []);
        var written = new List<(NpgsqlBatchCommand Command, IEnumerable<Guid> Ids)>();
        if (finish.Where(row => row.Plain).ToList() is { Count: > 0 } plain)
            written.Add((FinishPlain(me, plain), plain.Select(row => row.Id)));
        if (finish.Where(row => !row.Plain).ToList() is { Count: > 0 } other)
            written.Add((Finish(me, other), other.Select(row => row.Id)));
        if (putBack.Count > 0)
            written.Add((PutBack(me, putBack), putBack.Select(row => row.Id)));
        if (written.Count == 0 && ask is null)
            return answer;

        await using var connection = await _source.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection) { Timeout = CommandSeconds };
        var setting = KeepsStatements ? JobSql.PlanOnce : written.Count > 0 ? JobSql.WaitBrieflyOnce : null;
        if (setting is not null)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(setting));
        foreach (var (command, _) in written)
            batch.BatchCommands.Add(command);
        if (ask is not null)
            batch.BatchCommands.Add(Claim(me, ask, lazy: written.Count == 0));

        if (KeepsStatements)
            await batch.PrepareAsync(ct);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (setting is not null)
            await reader.NextResultAsync(ct);
        foreach (var (_, ids) in written)
        {
            // One row: null when all were stored, else those that were.
            if (await reader.ReadAsync(ct) && !reader.IsDBNull(0))
                answer.Refused.UnionWith(ids.Except(reader.GetFieldValue<Guid[]>(0)));
            await reader.NextResultAsync(ct);
        }
        while (ask is not null && await reader.ReadAsync(ct))
            answer.Claimed.Add(ReadClaimed(reader, ask.Lease));
        // Errors of the last statement surface only when the reader is read to its end.
        while (await reader.NextResultAsync(ct))
        {
        }
        return answer;
    }

    /// <summary>Takes this one job; null when it is not to be had.</summary>
    /// <param name="lease">A new one, known to the caller also when no answer comes.</param>
    internal async Task<ClaimedJob?> ClaimErrandAsync(ServerIdentity me, Guid id, Guid lease, CancellationToken ct)
    {
        await using var command = Command(_sql.ClaimErrand);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("lease", lease);
        command.Parameters.AddWithValue("server", me.Id);
        command.Parameters.AddWithValue("number", me.ReleaseNumber);
        command.Parameters.AddWithValue("kinds", me.Kinds);
        command.Parameters.AddWithValue("versions", me.Versions);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? ReadClaimed(reader, lease) : null;
    }

    /// <summary>waits, later, held (until others let it go), runs, or how it ended: done, failed, cancelled; null when there is no such job.</summary>
    internal async Task<string?> StandingAsync(Guid id, CancellationToken ct)
    {
        await using var command = Command(_sql.Standing);
        command.Parameters.AddWithValue("id", id);
        return await command.ExecuteScalarAsync(ct) as string;
    }

    internal async Task ReturnLeasesAsync(Guid server, IReadOnlyCollection<Guid> leases, CancellationToken ct)
    {
        // One at a time: two of them may have taken jobs of one key, of which one gets it back.
        foreach (var lease in leases)
        {
            await using var command = Command(_sql.ReturnLease);
            command.Parameters.AddWithValue("server", server);
            command.Parameters.AddWithValue("lease", lease);
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>True when the progress was stored; false when the lease is lost.</summary>
    internal async Task<bool> ReportAsync(Guid id, Guid lease, long done, long? total, string? message, CancellationToken ct)
    {
        await using var command = Command(_sql.Report);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("lease", lease);
        command.Parameters.AddWithValue("done", done);
        command.Parameters.Add(Optional("total", NpgsqlDbType.Bigint, total));
        command.Parameters.Add(Optional("message", NpgsqlDbType.Text, message));
        return await command.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>True when the lines were stored; false when the lease is lost.</summary>
    internal async Task<bool> WriteLogAsync(Guid id, Guid lease, double[] ages, string[] lines, CancellationToken ct)
    {
        await using var command = Command(_sql.WriteLog);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("lease", lease);
        command.Parameters.AddWithValue("ages", ages);
        command.Parameters.AddWithValue("lines", lines);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    internal async Task<bool> HoldLeaseAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, Guid lease, long releaseNumber, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(_sql.HoldLease, connection, transaction);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("lease", lease);
        command.Parameters.AddWithValue("number", releaseNumber);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    internal async Task<bool> WriteCheckpointAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, Guid lease, long releaseNumber, string state, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(_sql.WriteCheckpoint, connection, transaction);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("lease", lease);
        command.Parameters.AddWithValue("number", releaseNumber);
        command.Parameters.AddWithValue("state", NpgsqlDbType.Jsonb, state);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>Moves one job to history inside the handler's transaction.</summary>
    internal async Task<bool> CompleteAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, ServerIdentity me, Guid id, Guid lease, string? result, CancellationToken ct)
    {
        if (!await HoldLeaseAsync(connection, transaction, id, lease, me.ReleaseNumber, ct))
            return false;
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(Finish(me, [new FinishRow(id, lease, "done", result, Error: null, Note: null)]));
        return await batch.ExecuteScalarAsync(ct) is DBNull;
    }

    internal async Task StopServerAsync(Guid server, CancellationToken ct)
    {
        await using var command = Command(_sql.StopServer);
        command.Parameters.AddWithValue("server", server);
        await command.ExecuteNonQueryAsync(ct);
    }

    internal NpgsqlBatchCommand FinishPlain(ServerIdentity me, List<FinishRow> rows)
    {
        var command = new NpgsqlBatchCommand(_sql.FinishPlain);
        command.Parameters.Add(Array("ids", NpgsqlDbType.Uuid, rows.ConvertAll(row => row.Id).ToArray()));
        command.Parameters.Add(Array("leases", NpgsqlDbType.Uuid, rows.ConvertAll(row => row.Lease).ToArray()));
        command.Parameters.Add(new NpgsqlParameter("name", me.Name));
        command.Parameters.Add(new NpgsqlParameter("keep", me.KeepDone));
        return command;
    }

    internal NpgsqlBatchCommand Finish(ServerIdentity me, IReadOnlyList<FinishRow> rows)
    {
        var command = new NpgsqlBatchCommand(_sql.Finish);
        command.Parameters.Add(Array("ids", NpgsqlDbType.Uuid, rows.Select(row => row.Id).ToArray()));
        command.Parameters.Add(Array("leases", NpgsqlDbType.Uuid, rows.Select(row => row.Lease).ToArray()));
        command.Parameters.Add(Array("states", NpgsqlDbType.Text, rows.Select(row => row.State).ToArray()));
        command.Parameters.Add(Array("results", NpgsqlDbType.Jsonb, rows.Select(row => row.Result).ToArray()));
        command.Parameters.Add(Array("errors", NpgsqlDbType.Text, rows.Select(row => row.Error).ToArray()));
        command.Parameters.Add(Array("notes", NpgsqlDbType.Text, rows.Select(row => row.Note).ToArray()));
        command.Parameters.Add(new NpgsqlParameter("name", me.Name));
        command.Parameters.Add(new NpgsqlParameter("keep", me.KeepDone));
        return command;
    }

    internal NpgsqlBatchCommand PutBack(ServerIdentity me, IReadOnlyList<PutBackRow> rows)
    {
        var command = new NpgsqlBatchCommand(_sql.PutBack);
        command.Parameters.Add(Array("ids", NpgsqlDbType.Uuid, rows.Select(row => row.Id).ToArray()));
        command.Parameters.Add(Array("leases", NpgsqlDbType.Uuid, rows.Select(row => row.Lease).ToArray()));
        command.Parameters.Add(Array("waits", NpgsqlDbType.Double, rows.Select(row => row.WaitSeconds).ToArray()));
        command.Parameters.Add(Array("burns", NpgsqlDbType.Boolean, rows.Select(row => row.Burn).ToArray()));
        command.Parameters.Add(Array("notes", NpgsqlDbType.Text, rows.Select(row => row.Note).ToArray()));
        command.Parameters.Add(Array("errors", NpgsqlDbType.Text, rows.Select(row => row.Error).ToArray()));
        command.Parameters.Add(new NpgsqlParameter("name", me.Name));
        return command;
    }

    private NpgsqlBatchCommand Claim(ServerIdentity me, ClaimAsk ask, bool lazy)
    {
        var command = new NpgsqlBatchCommand(_sql.Claim);
        AddClaim(command.Parameters, me, ask, lazy);
        return command;
    }

    internal static void AddClaim(NpgsqlParameterCollection parameters, ServerIdentity me, ClaimAsk ask, bool lazy = false)
    {
        parameters.Add(new NpgsqlParameter("lazy", lazy));
        parameters.Add(new NpgsqlParameter("server", me.Id));
        parameters.Add(new NpgsqlParameter("number", me.ReleaseNumber));
        parameters.Add(new NpgsqlParameter("kinds", me.Kinds));
        parameters.Add(new NpgsqlParameter("versions", me.Versions));
        parameters.Add(new NpgsqlParameter("ageing", me.AgeingSeconds));
        parameters.Add(new NpgsqlParameter("lease", ask.Lease));
        parameters.Add(new NpgsqlParameter("queues", ask.InOrder(ask.Queues)));
        parameters.Add(new NpgsqlParameter("takes", ask.InOrder(ask.Takes)));
        parameters.Add(new NpgsqlParameter("owns", ask.InOrder(ask.Owns)));
        parameters.Add(Array("lows", NpgsqlDbType.TimestampTz, ask.InOrder(ask.Lows)));
        parameters.Add(new NpgsqlParameter("most", ask.Takes.Max()));
        parameters.Add(new NpgsqlParameter("shared", ask.Shared));
    }

    private static ClaimedJob ReadClaimed(NpgsqlDataReader reader, Guid lease) => new(
        reader.GetGuid(0), lease, reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetInt32(4), reader.GetInt32(5),
        reader.GetDateTime(6), reader.GetDateTime(7), TextAt(reader, 8), TextAt(reader, 9), reader.GetString(10), reader.GetBoolean(11),
        reader.GetBoolean(12), reader.GetDateTime(13), TextAt(reader, 14),
        reader.IsDBNull(15) ? null : reader.GetDateTime(15), TextAt(reader, 16));

    private static string? TextAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static NpgsqlParameter Optional(string name, NpgsqlDbType type, object? value) => new(name, type) { Value = value ?? DBNull.Value };

    private static NpgsqlParameter Array(string name, NpgsqlDbType type, Array value) => new(name, NpgsqlDbType.Array | type) { Value = value };

    /// <summary>Within the caller's transaction, or on a connection of its own.</summary>
    private NpgsqlCommand Command(string text, NpgsqlTransaction? within) =>
        within is null ? Command(text) : new NpgsqlCommand(text, within.Connection, within) { CommandTimeout = CommandSeconds };

    private NpgsqlCommand Command(string text)
    {
        var command = _source.CreateCommand(text);
        command.CommandTimeout = CommandSeconds;
        return command;
    }
}
