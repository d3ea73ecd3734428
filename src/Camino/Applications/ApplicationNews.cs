using System.Data.Common;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Applications;

/// <summary>Where news is heard: straight at the database, for a transaction pooler cannot carry it. Null: there is no way, and nobody waits.</summary>
public sealed record NewsSource(NpgsqlDataSource? Source) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Source?.Dispose();
}

/// <summary>
/// Tells who waits for an application that something happened to it, when that committed. One connection of the process listens for everybody, from the first who waits on; nobody asks the
/// database while waiting. It is a hint: who is told, or whose time is over, looks for itself.
/// </summary>
public sealed partial class ApplicationNews(NewsSource source, ILogger<ApplicationNews> log) : IAsyncDisposable
{
    /// <summary>Who waits in this process at most; whoever comes after is answered at once.</summary>
    public const int MostWaiting = 1_000;

    private const string Heard = "camino_applications";
    private static readonly TimeSpan s_proof = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, List<Waiting>> _waiting = [];
    private readonly CancellationTokenSource _end = new();
    private TaskCompletionSource _hears = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _loop;
    private int _count;

    /// <summary>Begins to listen for one application; look at it after this, and dispose in the end.</summary>
    /// <returns>Null when nobody can wait now: too many do, or the database is not heard.</returns>
    public async Task<Waiting?> BeginAsync(Guid id, CancellationToken ct)
    {
        if (source.Source is not { } listener)
            return null;
        Waiting waiting;
        Task hears;
        lock (_gate)
        {
            if (_count >= MostWaiting)
                return null;
            _count++;
            waiting = new Waiting(this, id);
            if (!_waiting.TryGetValue(id, out var others))
                _waiting[id] = others = [];
            others.Add(waiting);
            _loop ??= Task.Run(() => LoopAsync(listener), CancellationToken.None);
            hears = _hears.Task;
        }

        try
        {
            await hears.WaitAsync(s_patience, ct);
            return waiting;
        }
        catch (TimeoutException)
        {
            waiting.Dispose();
            return null;
        }
        catch
        {
            waiting.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_loop is not null)
            await _loop;
        _end.Dispose();
    }

    private async Task LoopAsync(NpgsqlDataSource listener)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(listener, _end.Token);
            }
            catch (OperationCanceledException) when (_end.IsCancellationRequested)
            {
                return;
            }
            catch (Exception broken) when (broken is DbException or IOException or TimeoutException)
            {
                LogDeaf(broken);
            }

            lock (_gate)
            {
                if (_hears.Task.IsCompleted)
                    _hears = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            TellAll();
            try
            {
                await Task.Delay(s_again, _end.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task ListenAsync(NpgsqlDataSource listener, CancellationToken ct)
    {
        await using var connection = await listener.OpenConnectionAsync(ct);
        connection.Notification += (_, heard) => Tell(heard.Payload);
        await using (var listen = new NpgsqlCommand("listen " + Heard, connection))
            await listen.ExecuteNonQueryAsync(ct);
        lock (_gate)
            _hears.TrySetResult();
        TellAll(); // what was committed while nobody listened
        while (true)
        {
            if (await connection.WaitAsync(s_proof, ct))
                continue;
            await using var proof = new NpgsqlCommand("select 1", connection);
            await proof.ExecuteNonQueryAsync(ct);
        }
    }

    private void Tell(string payload)
    {
        if (!Guid.TryParse(payload, out var id))
            return;
        lock (_gate)
        {
            if (_waiting.TryGetValue(id, out var told))
                told.ForEach(one => one.Tell());
        }
    }

    private void TellAll()
    {
        lock (_gate)
        {
            foreach (var one in _waiting.Values.SelectMany(told => told))
                one.Tell();
        }
    }

    private void End(Waiting waiting)
    {
        lock (_gate)
        {
            if (!_waiting.TryGetValue(waiting.Id, out var others) || !others.Remove(waiting))
                return;
            _count--;
            if (others.Count == 0)
                _waiting.Remove(waiting.Id);
        }
    }

    /// <summary>Somebody who waits for one application.</summary>
    public sealed class Waiting : IDisposable
    {
        private readonly ApplicationNews _news;
        private readonly Channel<bool> _told = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        internal Waiting(ApplicationNews news, Guid id) => (_news, Id) = (news, id);

        internal Guid Id { get; }

        /// <summary>Returns when something may have happened since the last call, or since the beginning.</summary>
        public async Task NextAsync(CancellationToken ct) => await _told.Reader.ReadAsync(ct);

        /// <inheritdoc/>
        public void Dispose() => _news.End(this);

        internal void Tell() => _told.Writer.TryWrite(true);
    }

    [LoggerMessage(230, LogLevel.Warning, "News of applications is not heard; whoever waits is answered when it is heard again or the time is over")]
    private partial void LogDeaf(Exception exception);
}
