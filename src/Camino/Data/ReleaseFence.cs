using Npgsql;

namespace Camino.Data;

/// <summary>What the fence says about one release.</summary>
public enum ReleaseState
{
    /// <summary>Serves, takes work and has effects.</summary>
    Current,

    /// <summary>Newer than the fence admits: serves pages, takes no work yet.</summary>
    Waiting,

    /// <summary>Another release has taken over: it changes nothing any more.</summary>
    Retired,
}

/// <summary>This process's release was retired: what it wanted to store is refused, and a process of the current release has to be asked instead.</summary>
public sealed class ReleaseRetiredException(long release)
    : Exception($"Release {release} is retired: another release has taken over. Nothing was stored; ask again, a newer server answers.")
{
    /// <summary>Seconds after which asking again makes sense: by then a load balancer has let go of the old server.</summary>
    public const int RetryAfterSeconds = 5;
}

/// <summary>Refuses every save of a release that may change nothing any more, in the transaction of the save itself.</summary>
/// <param name="release">The number of this process's release.</param>
/// <param name="takesWork">True for a process that works queues: it is refused while it waits for its admission, too.</param>
/// <remarks>What passed the check before the fence moved may still commit; it is a whole transaction of a release that was current when it began.</remarks>
public sealed class ReleaseFence(long release, bool takesWork)
{
    /// <summary>Takes part in the transaction.</summary>
    /// <exception cref="ReleaseRetiredException">the release may store nothing.</exception>
    public async Task CheckAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand("select camino.release_state($1)", connection, transaction) { Parameters = { new() { Value = release } } };
        if (!Allows(StateOf(await ask.ExecuteScalarAsync(ct) as string)))
            throw new ReleaseRetiredException(release);
    }

    /// <summary>The same without waiting on a task.</summary>
    /// <exception cref="ReleaseRetiredException">the release may store nothing.</exception>
    public void Check(NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        using var ask = new NpgsqlCommand("select camino.release_state($1)", connection, transaction) { Parameters = { new() { Value = release } } };
        if (!Allows(StateOf(ask.ExecuteScalar() as string)))
            throw new ReleaseRetiredException(release);
    }

    /// <summary>The word that <c>camino.release_state</c> answers.</summary>
    public static ReleaseState StateOf(string? word) => word switch
    {
        "retired" => ReleaseState.Retired,
        "waiting" => ReleaseState.Waiting,
        _ => ReleaseState.Current,
    };

    private bool Allows(ReleaseState state) => state == ReleaseState.Current || (state == ReleaseState.Waiting && !takesWork);
}
