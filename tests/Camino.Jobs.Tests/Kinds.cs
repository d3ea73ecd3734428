using System.Collections.Concurrent;

namespace Camino.Jobs.Tests;

/// <summary>What the handlers of one bed do and saw; each test writes its own acts.</summary>
internal sealed class Probe
{
    private readonly ConcurrentDictionary<string, Func<JobContext, CancellationToken, Task>> _acts = new(StringComparer.Ordinal);

    /// <summary>Names in the order in which their runs began.</summary>
    public ConcurrentQueue<string> Began { get; } = new();

    /// <summary>How often each name began.</summary>
    public ConcurrentDictionary<string, int> Runs { get; } = new(StringComparer.Ordinal);

    public Probe On(string name, Func<JobContext, CancellationToken, Task> act)
    {
        _acts[name] = act;
        return this;
    }

    public Task RunAsync(string name, JobContext job, CancellationToken ct)
    {
        Began.Enqueue(name);
        Runs.AddOrUpdate(name, 1, (_, runs) => runs + 1);
        return _acts.TryGetValue(name, out var act) ? act(job, ct) : Task.CompletedTask;
    }
}

/// <summary>Does whatever its test wrote down under that name; nothing where it wrote nothing.</summary>
internal sealed record Act(string Name) : IJobArgs
{
    public static string Kind => "test.act";

    public static JobRetry Retry => new(3, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100));

    public sealed class Handler(Probe probe) : IJobHandler<Act>
    {
        public Task RunAsync(Act args, JobContext job, CancellationToken ct) => probe.RunAsync(args.Name, job, ct);
    }
}

/// <summary>The same with one second per attempt.</summary>
internal sealed record BriefAct(string Name) : IJobArgs
{
    public static string Kind => "test.brief-act";

    public static JobRetry Retry => new(2, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100));

    public static TimeSpan? Timeout => TimeSpan.FromSeconds(1);

    public sealed class Handler(Probe probe) : IJobHandler<BriefAct>
    {
        public Task RunAsync(BriefAct args, JobContext job, CancellationToken ct) => probe.RunAsync(args.Name, job, ct);
    }
}

/// <summary>A handler that cannot even be made.</summary>
internal sealed record Unmakeable : IJobArgs
{
    public static string Kind => "test.unmakeable";

    public static JobRetry Retry => new(1, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100));

    public sealed class Handler : IJobHandler<Unmakeable>
    {
        public Handler() => throw new InvalidOperationException("the bureau's certificate is missing");

        public Task RunAsync(Unmakeable args, JobContext job, CancellationToken ct) => Task.CompletedTask;
    }
}

/// <summary>A kind that no server of these tests knows.</summary>
internal sealed record FromTomorrow(int Number) : IJobArgs
{
    public static string Kind => "test.from-tomorrow";
}

/// <summary>A payload version that the server's <see cref="Act"/> does not read yet.</summary>
internal sealed record NewerAct(string Name) : IJobArgs
{
    public static string Kind => "test.act";

    public static int Version => 2;
}

/// <summary>What <see cref="Act"/> was called in an earlier release.</summary>
internal sealed record OldAct(string Name) : IJobArgs
{
    public static string Kind => "test.act-of-old";
}

/// <summary>Arguments that fit the stored kind of <see cref="Act"/> but not its type.</summary>
internal sealed record WrongAct(int Number) : IJobArgs
{
    public static string Kind => "test.act";
}

/// <summary>Counts itself in the table <c>effect</c>, and is done in the same transaction.</summary>
internal sealed record Count(int Number) : IJobArgs
{
    public static string Kind => "test.count";

    public static string Queue => "bulk";

    public static JobRetry Retry => new(50, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100));

    public sealed class Handler(Npgsql.NpgsqlDataSource source) : IJobHandler<Count>
    {
        public async Task RunAsync(Count args, JobContext job, CancellationToken ct)
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var insert = new Npgsql.NpgsqlCommand("INSERT INTO effect (number, server) VALUES (@number, @server)", connection, transaction);
            insert.Parameters.AddWithValue("number", args.Number);
            insert.Parameters.AddWithValue("server", Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture));
            await insert.ExecuteNonQueryAsync(ct);
            await job.CompleteAsync(connection, transaction, result: null, ct);
            await transaction.CommitAsync(ct);
        }
    }
}

/// <summary>Says that it began, in the table <c>effect</c>, and then never ends by itself.</summary>
internal sealed record Hang(int Number) : IJobArgs
{
    public static string Kind => "test.hang";

    public sealed class Handler(Npgsql.NpgsqlDataSource source) : IJobHandler<Hang>
    {
        public async Task RunAsync(Hang args, JobContext job, CancellationToken ct)
        {
            await using (var insert = source.CreateCommand("INSERT INTO effect (number, server) VALUES (@number, @server)"))
            {
                insert.Parameters.AddWithValue("number", args.Number);
                insert.Parameters.AddWithValue("server", Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture));
                await insert.ExecuteNonQueryAsync(ct);
            }
            if (Environment.GetEnvironmentVariable("CAMINO_JOBS_TEST_WORKER") is not null)
                await Task.Delay(Timeout.Infinite, ct);
        }
    }
}

/// <summary>
/// Says in the table <c>effect</c> that it began (-1), waits there for a zero whatever its token says, and then completes with an effect of 1; where that is
/// refused it says so (-2).
/// </summary>
internal sealed record Late(int Number) : IJobArgs
{
    public static string Kind => "test.late";

    public sealed class Handler(Npgsql.NpgsqlDataSource source) : IJobHandler<Late>
    {
        public async Task RunAsync(Late args, JobContext job, CancellationToken ct)
        {
            await SayAsync(-1);
            await using (var go = source.CreateCommand("SELECT EXISTS (SELECT FROM effect WHERE number = 0)"))
            {
                while (await go.ExecuteScalarAsync(CancellationToken.None) is not true)
                    await Task.Delay(20, CancellationToken.None);
            }
            try
            {
                await using var connection = await source.OpenConnectionAsync(CancellationToken.None);
                await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
                await using var insert = new Npgsql.NpgsqlCommand("INSERT INTO effect (number, server) VALUES (1, 'late')", connection, transaction);
                await insert.ExecuteNonQueryAsync(CancellationToken.None);
                await job.CompleteAsync(connection, transaction, result: null, CancellationToken.None);
                await transaction.CommitAsync(CancellationToken.None);
            }
            catch (LeaseLostException)
            {
                await SayAsync(-2);
                throw;
            }
        }

        private async Task SayAsync(int number)
        {
            await using var insert = source.CreateCommand("INSERT INTO effect (number, server) VALUES (@number, 'late')");
            insert.Parameters.AddWithValue("number", number);
            await insert.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }
}
