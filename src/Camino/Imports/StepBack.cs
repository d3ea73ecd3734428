using System.Diagnostics;
using Npgsql;

namespace Camino.Imports;

/// <summary>
/// Work that nobody waits for steps back for whoever does: after each piece it asks the database for nothing at all, and where the answer takes far longer than it can, others are being served. Then it
/// waits, for some times as long as the piece took at most, and takes smaller pieces; so an import goes on under any load, and pages stay quick meanwhile.
/// </summary>
/// <remarks>
/// A process steps back for others by its niceness (<c>Jobs:Niceness</c>); the database's own process that stores the rows does not, and on few cores it takes what pages need. The time of an empty
/// question tells of both, on the same machine and across a network, and needs no right to look at others' sessions.
/// </remarks>
/// <param name="most">So many times the time of a piece it waits at most; 0: never.</param>
/// <param name="rows">Rows of a piece while nobody else is served.</param>
/// <param name="ask">An empty question; how long its answer took.</param>
internal sealed class StepBack(int most, int rows, Func<CancellationToken, Task<TimeSpan>> ask)
{
    /// <summary>Rows of the smallest piece.</summary>
    public const int Fewest = 500;

    /// <summary>Between two looks while others are served.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Questions of one look: the quickest answer counts, for any one may be late by chance.</summary>
    private const int Questions = 3;

    /// <summary>An answer that takes so much longer than the quickest ever is late, and four times as long, too.</summary>
    private static readonly TimeSpan s_late = TimeSpan.FromMilliseconds(2);

    private TimeSpan _quickest = TimeSpan.MaxValue;

    /// <summary>Rows of the next piece.</summary>
    public int Rows { get; private set; } = rows;

    private readonly int _whole = rows;

    /// <summary>By empty questions on the connection that the work is done on.</summary>
    public static StepBack On(NpgsqlConnection connection, ImportOptions options) => new(options.StepBack, options.ChunkRows, async ct =>
    {
        await using var nothing = new NpgsqlCommand("select 1", connection);
        var began = Stopwatch.GetTimestamp();
        await nothing.ExecuteScalarAsync(ct);
        return Stopwatch.GetElapsedTime(began);
    });

    /// <summary>After a piece of work: waits while others are served.</summary>
    /// <param name="worked">How long the piece took.</param>
    public async Task AfterAsync(TimeSpan worked, CancellationToken ct)
    {
        if (most == 0)
            return;
        var began = Stopwatch.GetTimestamp();
        var isLate = await IsLateAsync(ct);
        Rows = isLate ? Math.Max(Math.Min(Fewest, _whole), Rows / 2) : Math.Min(_whole, Rows * 2);
        while (isLate && Stopwatch.GetElapsedTime(began) < worked * most)
        {
            await Task.Delay(Pause, ct);
            isLate = await IsLateAsync(ct);
        }
    }

    private async Task<bool> IsLateAsync(CancellationToken ct)
    {
        var answer = TimeSpan.MaxValue;
        for (var i = 0; i < Questions; i++)
        {
            var took = await ask(ct);
            if (took < answer)
                answer = took;
        }

        if (answer < _quickest)
            _quickest = answer;
        return answer > _quickest * 4 && answer > _quickest + s_late;
    }
}
