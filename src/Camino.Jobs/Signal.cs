namespace Camino.Jobs;

/// <summary>Wakes one waiting loop; any number of wake-ups before it looks count as one.</summary>
internal sealed class Signal : IDisposable
{
    private readonly SemaphoreSlim _semaphore = new(0, 1);
    private int _set;

    public void Set()
    {
        if (Interlocked.Exchange(ref _set, 1) == 0)
            _semaphore.Release();
    }

    /// <summary>Returns when somebody called <see cref="Set"/>, or after the time.</summary>
    public async Task WaitAsync(TimeSpan longest)
    {
        if (await _semaphore.WaitAsync(longest))
            Volatile.Write(ref _set, 0);
    }

    /// <summary>The same for a thread of one's own.</summary>
    public void Wait(TimeSpan longest)
    {
        if (_semaphore.Wait(longest))
            Volatile.Write(ref _set, 0);
    }

    public void Dispose() => _semaphore.Dispose();
}
