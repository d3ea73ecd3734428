using Npgsql;

namespace Camino.Jobs;

/// <content>What <see cref="Testing.JobTestDesk"/> needs beside the statements of a server.</content>
public sealed partial class JobStore
{
    internal async Task RegisterAsync(ServerIdentity me, CancellationToken ct)
    {
        await using var command = Command(_sql.Register);
        command.Parameters.AddWithValue("server", me.Id);
        command.Parameters.AddWithValue("name", me.Name);
        command.Parameters.AddWithValue("role", "test");
        command.Parameters.AddWithValue("targets", System.Array.Empty<int>());
        command.Parameters.AddWithValue("release", me.Release);
        command.Parameters.AddWithValue("number", me.ReleaseNumber);
        command.Parameters.AddWithValue("slots", 1);
        command.Parameters.AddWithValue("queues", System.Array.Empty<string>());
        command.Parameters.AddWithValue("kinds", me.Kinds);
        command.Parameters.AddWithValue("versions", me.Versions);
        command.Parameters.AddWithValue("seconds", 86_400.0);
        await command.ExecuteNonQueryAsync(ct);
    }

    internal async Task<ClaimedJob?> ClaimOneAsync(ServerIdentity me, Guid id, CancellationToken ct)
    {
        var lease = Guid.CreateVersion7();
        await using var command = Command(_sql.ClaimOne);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("lease", lease);
        command.Parameters.AddWithValue("server", me.Id);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? ReadClaimed(reader, lease) : null;
    }

    internal async Task<Guid?> NextDueAsync(ServerIdentity me, string[] queues, CancellationToken ct)
    {
        await using var command = Command(_sql.NextDue);
        command.Parameters.AddWithValue("queues", queues);
        command.Parameters.AddWithValue("kinds", me.Kinds);
        return await command.ExecuteScalarAsync(ct) is Guid id ? id : null;
    }

    internal async Task<IReadOnlyList<Guid>> LiveOfKindAsync(string kind, CancellationToken ct)
    {
        await using var command = Command(_sql.LiveOfKind);
        command.Parameters.AddWithValue("kind", kind);
        return await ReadIdsAsync(command, ct);
    }

    internal async Task AdvanceAsync(TimeSpan time, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        foreach (var part in _sql.Advance.Split(';'))
        {
            await using var command = new NpgsqlCommand(part, connection, transaction) { CommandTimeout = CommandSeconds };
            command.Parameters.AddWithValue("by", time);
            await command.ExecuteNonQueryAsync(ct);
        }
        await transaction.CommitAsync(ct);
    }
}
