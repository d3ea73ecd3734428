using Camino.Jobs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Imports;

/// <summary>Takes out of the file store what nobody needs any more: files of imports that ended long ago, and what killed uploads left behind.</summary>
public sealed partial record SweepFiles : IJobArgs
{
    public static string Kind => "imports.sweep-files"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    /// <summary>What has no import after so long will not get one: the longest upload has ended.</summary>
    private static readonly TimeSpan s_strayAge = TimeSpan.FromHours(24);

    /// <remarks>Safe to run twice: a file that is gone is gone. The rows of an import, its figures and findings stay.</remarks>
    public sealed partial class Handler(NpgsqlDataSource source, FileStore files, ImportOptions options, TimeProvider clock, ILogger<Handler> log) : IJobHandler<SweepFiles>
    {
        private const int Batch = 500;

        /// <summary>Of the given ids those that are imports or bank statements, and whether their file is still needed: at work, or, of an import, not long since anything happened. One statement: an import may be stored between two.</summary>
        private const string Known =
            "select id, status in (0, 2, 4) or greatest(requested_at, progress_at, finished_at) > now() - make_interval(days => $2) from camino.imports where id = any($1) " +
            "union all select id, state < 2 from camino.application_statements where id = any($1)";

        public async Task RunAsync(SweepFiles args, JobContext job, CancellationToken ct)
        {
            var strayBefore = clock.GetUtcNow() - s_strayAge;
            var parts = files.DeletePartsBefore(strayBefore);
            var swept = 0L;
            await using var connection = await source.OpenConnectionAsync(ct);
            foreach (var batch in files.All().Chunk(Batch))
            {
                ct.ThrowIfCancellationRequested();
                var known = await KnownAsync(connection, [.. batch.Select(file => file.Id)], ct);
                foreach (var (id, key, storedAt) in batch)
                {
                    if (known.TryGetValue(id, out var needed) ? needed : storedAt > strayBefore)
                        continue;
                    files.Delete(key);
                    swept++;
                }
            }

            job.SetResult(new { files = swept, parts });
            if (swept + parts > 0)
                LogSwept(swept, parts);
        }

        private async Task<Dictionary<Guid, bool>> KnownAsync(NpgsqlConnection connection, Guid[] ids, CancellationToken ct)
        {
            await using var command = new NpgsqlCommand(Known, connection) { Parameters = { new() { Value = ids }, new() { Value = options.KeepFilesDays } } };
            var known = new Dictionary<Guid, bool>();
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
                known[reader.GetGuid(0)] = reader.GetBoolean(1);
            return known;
        }

        [LoggerMessage(204, LogLevel.Information, "{Files} files of old imports and {Parts} parts of broken uploads were removed")]
        private partial void LogSwept(long files, int parts);
    }
}
