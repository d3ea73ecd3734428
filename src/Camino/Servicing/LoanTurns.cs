namespace Camino.Servicing;

/// <summary>
/// Commands on one loan take turns in this process before they take a connection. The row lock alone would make them wait inside the database, each with a connection of
/// the pool: fifty payments on one loan then take the pool from every other page and from the readiness probe, and the last of them give up waiting for a connection.
/// </summary>
/// <remarks>The row lock still decides between processes; here a process waits with one connection a loan at most.</remarks>
public sealed class LoanTurns
{
    private readonly Dictionary<Guid, Turn> _turns = [];

    /// <summary>Waits for this process's turn on a loan; dispose what is returned when the transaction has ended.</summary>
    public async Task<IDisposable> TakeAsync(Guid loanId, CancellationToken ct)
    {
        var turn = Join(loanId);
        try
        {
            await turn.Place.WaitAsync(ct);
        }
        catch
        {
            Leave(loanId, turn);
            throw;
        }

        return new Taken(this, loanId, turn);
    }

    /// <summary>Commands of this process that are at work on a loan or wait for it.</summary>
    public int Here(Guid loanId)
    {
        lock (_turns)
            return _turns.GetValueOrDefault(loanId)?.Here ?? 0;
    }

    private Turn Join(Guid loanId)
    {
        lock (_turns)
        {
            if (!_turns.TryGetValue(loanId, out var turn))
                _turns.Add(loanId, turn = new Turn());
            turn.Here++;
            return turn;
        }
    }

    private void Leave(Guid loanId, Turn turn)
    {
        lock (_turns)
        {
            if (--turn.Here > 0)
                return;
            _turns.Remove(loanId);
        }

        turn.Place.Dispose();
    }

    private sealed class Turn
    {
        public SemaphoreSlim Place { get; } = new(1, 1);

        public int Here { get; set; }
    }

    private sealed class Taken(LoanTurns turns, Guid loanId, Turn turn) : IDisposable
    {
        private int _given;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _given, 1) != 0)
                return;
            turn.Place.Release();
            turns.Leave(loanId, turn);
        }
    }
}
