using Camino.Data;
using Camino.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Camino.Imports;

/// <summary>Removes what uploads left behind: parts of uploads that never ended, and stored files that no import names.</summary>
public sealed record PruneFiles : IJobArgs
{
    public static string Kind => "imports.prune-files"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <remarks>Safe to run twice: what is gone is gone. A file younger than a day may belong to an upload that is still under way.</remarks>
    public sealed class Handler(FileStore files, CaminoDb db, TimeProvider clock) : IJobHandler<PruneFiles>
    {
        private const int AskAbout = 500;

        public async Task RunAsync(PruneFiles args, JobContext job, CancellationToken ct)
        {
            var before = clock.GetUtcNow().AddDays(-1);
            var removed = 0;
            foreach (var key in files.Leftovers("incoming", before))
                removed += files.Remove(key) ? 1 : 0;
            foreach (var keys in files.Leftovers("imports", before).Chunk(AskAbout))
            {
                ct.ThrowIfCancellationRequested();
                var named = await db.Imports.AsNoTracking().Where(import => keys.Contains(import.StoredAs)).Select(import => import.StoredAs).ToListAsync(ct);
                foreach (var key in keys.Except(named, StringComparer.Ordinal))
                    removed += files.Remove(key) ? 1 : 0;
            }
            job.SetResult(new { removed });
        }
    }
}
