using Camino.Data;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Releases;

/// <summary>Keeps this process's row among the processes: which release runs where, and when it last gave a sign of life.</summary>
public sealed class ProcessRegistry(NpgsqlDataSource source, ThisProcess me)
{
    /// <summary>Seconds between two signs of life that are stored; a row that says nothing new is left alone until then.</summary>
    public const int BeatSeconds = 5;

    /// <summary>Seconds without a sign of life after which a process counts as gone.</summary>
    public const int GoneAfterSeconds = 30;

    /// <summary>Seconds after which a statement of the registry is given up.</summary>
    private const int CommandSeconds = 5;

    private const string RegisterText = """
        with release as (
            insert into camino.releases as r (number, name, revision, image, schema_oldest, schema_newest)
            values (@number, @name, @revision, @image, @oldest, @newest)
            on conflict (number) do update
            set name = excluded.name, revision = excluded.revision, image = coalesce(excluded.image, r.image),
                schema_oldest = excluded.schema_oldest, schema_newest = excluded.schema_newest, seen_at = clock_timestamp()
        ), old as (
            delete from camino.processes where seen_at < now() - interval '7 days'
        )
        insert into camino.processes (id, release_number, release, image, role, host, pid, address, takes_work, schema_oldest, schema_newest, state)
        values (@id, @number, @name, @image, @role, @host, @pid, @address, @takes_work, @oldest, @newest, 'serving')
        on conflict (id) do nothing
        """;

    private const string BeatText = """
        with beat as (
            update camino.processes p set seen_at = clock_timestamp(), state = @state, running_jobs = @running
            where p.id = @id
              and (p.seen_at < clock_timestamp() - make_interval(secs => @seconds) or p.state <> @state or p.running_jobs <> @running)
        )
        select camino.release_state(@number), exists (select from camino.processes p where p.id = @id),
               (select f.lowest from jobs.fence f), (select f.highest from jobs.fence f)
        """;

    /// <summary>Stores this start and its release.</summary>
    public async Task RegisterAsync(CancellationToken ct)
    {
        await using var command = Command(RegisterText);
        command.Parameters.AddWithValue("number", me.Release.Number);
        command.Parameters.AddWithValue("name", me.Release.Name);
        command.Parameters.AddWithValue("revision", me.Release.Revision);
        command.Parameters.Add(new NpgsqlParameter("image", NpgsqlDbType.Text) { Value = (object?)me.Release.Image ?? DBNull.Value });
        command.Parameters.AddWithValue("oldest", SchemaWindow.Oldest);
        command.Parameters.AddWithValue("newest", SchemaWindow.NewestAccepted);
        command.Parameters.AddWithValue("role", me.Role);
        command.Parameters.AddWithValue("host", me.Host);
        command.Parameters.AddWithValue("pid", me.Pid);
        command.Parameters.AddWithValue("address", me.Address);
        command.Parameters.AddWithValue("takes_work", me.TakesWork);
        command.Parameters.AddWithValue("id", me.Id);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Gives a sign of life and asks what the fence says; registers again when the row is gone (a restored database).</summary>
    /// <param name="state">serving, waiting, retired or draining.</param>
    /// <param name="runningJobs">Jobs that run here now.</param>
    public async Task<FenceView> BeatAsync(string state, int runningJobs, CancellationToken ct)
    {
        FenceView view;
        bool known;
        await using (var command = Command(BeatText))
        {
            command.Parameters.AddWithValue("id", me.Id);
            command.Parameters.AddWithValue("number", me.Release.Number);
            command.Parameters.AddWithValue("state", state);
            command.Parameters.AddWithValue("running", runningJobs);
            command.Parameters.AddWithValue("seconds", (double)BeatSeconds);
            await using var reader = await command.ExecuteReaderAsync(ct);
            await reader.ReadAsync(ct);
            known = reader.GetBoolean(1);
            view = new FenceView(ReleaseFence.StateOf(reader.GetString(0)), await reader.IsDBNullAsync(2, ct) ? null : reader.GetInt64(2), await reader.IsDBNullAsync(3, ct) ? null : reader.GetInt64(3));
        }

        if (!known)
            await RegisterAsync(ct);
        return view;
    }

    /// <summary>Says good-bye.</summary>
    public async Task EndAsync(CancellationToken ct)
    {
        await using var command = Command("update camino.processes set state = 'ended', ended_at = clock_timestamp(), seen_at = clock_timestamp(), running_jobs = 0 where id = @id");
        command.Parameters.AddWithValue("id", me.Id);
        await command.ExecuteNonQueryAsync(ct);
    }

    private NpgsqlCommand Command(string text)
    {
        var command = source.CreateCommand(text);
        command.CommandTimeout = CommandSeconds;
        return command;
    }
}

/// <summary>What the fence says to this process.</summary>
/// <param name="Lowest">The oldest release that may have effects; null when no fence was ever set.</param>
/// <param name="Highest">The newest release that may take work; null when no fence was ever set.</param>
public sealed record FenceView(ReleaseState State, long? Lowest, long? Highest);
