using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Jobs;

/// <summary>What the heartbeat tells its server.</summary>
internal interface IHeartbeatListener
{
    /// <summary>Jobs that run here now.</summary>
    int Running { get; }

    /// <summary>No new jobs are taken.</summary>
    bool Draining { get; }

    /// <summary>The jobs that run or wait for a slot here.</summary>
    Guid[] Holds();

    /// <summary>The listener hears, or is not wanted.</summary>
    bool Hears { get; }

    /// <summary>The first sign of life was stored: jobs may be taken in this name.</summary>
    void OnRegistered(ServerIdentity me);

    /// <summary>Others were given this server's jobs.</summary>
    void OnLost(ServerIdentity me);

    /// <summary>This release may take work, or may not.</summary>
    void OnFence(bool fenced);

    /// <summary>Somebody wants this server quiet or drained; null: it works.</summary>
    void OnWish(string? wish);

    /// <summary>Somebody wants a job that runs here cancelled.</summary>
    void OnCancel(CancelWish wish);

    /// <summary>Jobs of a server that is gone were put back.</summary>
    void OnRescued(IReadOnlyList<RescuedJob> jobs);
}

/// <summary>
/// One sign of life a second, on a connection and a thread of its own: neither an exhausted pool nor handlers that block every thread can make a healthy
/// server look dead. The answers bring what others want of this server: cancellations, the fence, and whether it is still believed to live.
/// </summary>
internal sealed class Heartbeat(NpgsqlDataSource source, JobSql sql, JobServerOptions options, JobRegistry registry, IHeartbeatListener listener, ILogger logger)
    : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Signal _signal = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NpgsqlConnection? _connection;
    private ServerIdentity? _me;
    private volatile bool _stopping;
    private bool _started;
    private long _lastBeatAt;
    private long _lastRescueAt;

    /// <summary>This start of the server; null until it is registered.</summary>
    public ServerIdentity? Me => Volatile.Read(ref _me);

    /// <summary>Since the last answered sign of life.</summary>
    public TimeSpan Silent => Stopwatch.GetElapsedTime(Volatile.Read(ref _lastBeatAt));

    public void Start()
    {
        _started = true;
        new Thread(Loop) { IsBackground = true, Name = "Camino.Jobs heartbeat", Priority = ThreadPriority.AboveNormal }.Start();
    }

    /// <summary>Looks at once, for example because somebody cancelled a job.</summary>
    public void Nudge() => _signal.Set();

    public Task StopAsync()
    {
        _stopping = true;
        _signal.Set();
        return _ended.Task;
    }

    /// <summary>A host that is disposed without being stopped must not pull the signal away from under the thread.</summary>
    public void Dispose()
    {
        _stopping = true;
        _signal.Set();
        if (_started)
            _ended.Task.Wait(TimeSpan.FromSeconds(Seconds));
        if (!_started || _ended.Task.IsCompleted)
            _signal.Dispose();
    }

    private void Loop()
    {
        try
        {
            Volatile.Write(ref _lastBeatAt, Stopwatch.GetTimestamp());
            while (!_stopping)
            {
                try
                {
                    Once();
                }
                catch (Exception e)
                {
                    // Whatever it was: a thread that ends here would take the process or the lease with it. It is tried again in a second.
                    JobLog.BeatFailed(logger, e, Silent.TotalSeconds, options.LeaseSeconds);
                    Disconnect();
                }
                _signal.Wait(Interval);
            }
        }
        catch (ObjectDisposedException)
        {
            // The host was thrown away without being stopped; the lease ends by itself.
        }
        finally
        {
            Disconnect();
            _ended.TrySetResult();
        }
    }

    private void Once()
    {
        _connection ??= source.OpenConnection();
        if (_me is null)
            Register(_connection);
        if (_me is { } me && !Beat(_connection, me))
        {
            Volatile.Write(ref _me, null);
            listener.OnLost(me);
            Register(_connection);
            return;
        }
        if (!listener.Draining && Stopwatch.GetElapsedTime(_lastRescueAt) > TimeSpan.FromSeconds(Math.Min(5, options.LeaseSeconds / 5.0)))
        {
            _lastRescueAt = Stopwatch.GetTimestamp();
            RescueOthers(_connection);
        }
    }

    private void Register(NpgsqlConnection connection)
    {
        var me = ServerIdentity.Make(options, registry);
        using var command = Command(sql.Register, connection);
        command.Parameters.AddWithValue("server", me.Id);
        command.Parameters.AddWithValue("name", me.Name);
        command.Parameters.AddWithValue("role", options.Role);
        command.Parameters.AddWithValue("release", me.Release);
        command.Parameters.AddWithValue("number", me.ReleaseNumber);
        command.Parameters.AddWithValue("slots", options.Slots);
        command.Parameters.AddWithValue("queues", options.Queues.Select(queue => queue.Name).ToArray());
        command.Parameters.AddWithValue("targets", options.Queues.Select(queue => queue.TargetSeconds ?? 0).ToArray());
        command.Parameters.AddWithValue("kinds", me.Kinds);
        command.Parameters.AddWithValue("versions", me.Versions);
        command.Parameters.AddWithValue("seconds", (double)options.LeaseSeconds);
        command.ExecuteNonQuery();
        Volatile.Write(ref _lastBeatAt, Stopwatch.GetTimestamp());
        Volatile.Write(ref _me, me);
        listener.OnRegistered(me);
    }

    /// <summary>False when this server was declared lost.</summary>
    private bool Beat(NpgsqlConnection connection, ServerIdentity me)
    {
        using var batch = new NpgsqlBatch(connection) { Timeout = Seconds };
        var beat = new NpgsqlBatchCommand(sql.Beat);
        beat.Parameters.Add(new NpgsqlParameter("server", me.Id));
        beat.Parameters.Add(new NpgsqlParameter("number", me.ReleaseNumber));
        beat.Parameters.Add(new NpgsqlParameter("seconds", (double)options.LeaseSeconds));
        beat.Parameters.Add(new NpgsqlParameter("running", listener.Running));
        beat.Parameters.Add(new NpgsqlParameter("draining", listener.Draining));
        beat.Parameters.Add(new NpgsqlParameter("listening", listener.Hears));
        batch.BatchCommands.Add(beat);
        var cancelled = new NpgsqlBatchCommand(sql.Cancelled);
        cancelled.Parameters.Add(new NpgsqlParameter("server", me.Id));
        cancelled.Parameters.Add(new NpgsqlParameter("ids", listener.Holds()));
        batch.BatchCommands.Add(cancelled);

        var wishes = new List<CancelWish>();
        bool fenced;
        string? wish;
        using (var reader = batch.ExecuteReader())
        {
            if (!reader.Read())
                return false;
            fenced = reader.GetBoolean(0);
            wish = reader.IsDBNull(1) ? null : reader.GetString(1);
            reader.NextResult();
            while (reader.Read())
                wishes.Add(new CancelWish(reader.GetGuid(0), reader.GetGuid(1), reader.IsDBNull(2) ? "" : reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3)));
        }
        Volatile.Write(ref _lastBeatAt, Stopwatch.GetTimestamp());
        listener.OnFence(fenced);
        listener.OnWish(wish);
        wishes.ForEach(listener.OnCancel);
        return true;
    }

    private void RescueOthers(NpgsqlConnection connection)
    {
        using (var mark = Command(sql.MarkLost, connection))
        using (var reader = mark.ExecuteReader())
        {
            while (reader.Read())
                JobLog.OtherLost(logger, reader.GetString(1), reader.GetString(2), reader.GetDateTime(3));
        }
        var rescued = new List<RescuedJob>();
        using (var rescue = Command(sql.Rescue, connection))
        using (var reader = rescue.ExecuteReader())
        {
            while (reader.Read())
            {
                rescued.Add(new RescuedJob(
                    reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetString(4), reader.GetBoolean(5)));
            }
        }
        if (rescued.Count == 0)
            return;
        rescued.ForEach(job => JobLog.Rescued(logger, job.Id, job.Kind, job.Attempt, job.Server, job.Spent));
        listener.OnRescued(rescued);
    }

    /// <summary>A statement that hangs must not outlast the lease.</summary>
    private int Seconds => Math.Clamp(options.LeaseSeconds / 3, 1, 10);

    private NpgsqlCommand Command(string text, NpgsqlConnection connection) => new(text, connection) { CommandTimeout = Seconds };

    private void Disconnect()
    {
        _connection?.Dispose();
        _connection = null;
    }
}
