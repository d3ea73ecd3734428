using System.Diagnostics;

namespace Camino.Host.Local;

/// <summary>A lock between processes: an open file that nobody else may open. The system lets go of it when its holder dies.</summary>
internal static class FolderLock
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <returns>The lock, or null when another process has it.</returns>
    public static FileStream? TryTake(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <exception cref="LocalStartException">Another process kept the lock for longer than <paramref name="limit"/>.</exception>
    public static async Task<FileStream> WaitAsync(string file, TimeSpan limit, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < limit)
        {
            if (TryTake(file) is { } taken)
                return taken;
            await Task.Delay(Pause, ct);
        }

        throw new LocalStartException($"Another process has kept {file} locked for {limit.TotalMinutes:0} minutes.");
    }
}
