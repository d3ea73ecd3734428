using System.Diagnostics;

namespace Camino.Benchmarks;

/// <summary>PostgreSQL's own COPY of the rows that an import stored, into tables of the same columns, from a file made before: the peer of an import.</summary>
internal sealed class CopyPeer(Bed bed)
{
    private string _columns = "";

    /// <summary>Writes what the loans are now to one file in each format.</summary>
    public async Task PrepareAsync(CancellationToken ct)
    {
        _columns = await bed.ScalarAsync<string>(
            "select string_agg(column_name, ', ' order by ordinal_position) from information_schema.columns where table_schema = 'camino' and table_name = 'loans' and is_generated = 'NEVER'", ct);
        foreach (var format in new[] { "csv", "binary" })
        {
            await using var connection = await bed.Database.OpenConnectionAsync(ct);
            await using var file = File.Create(PathOf(format));
            var statement = $"copy (select {_columns} from camino.loans) to stdout (format {format})";
            if (format == "binary")
            {
                await using var rows = await connection.BeginRawBinaryCopyAsync(statement, ct);
                await rows.CopyToAsync(file, 1 << 20, ct);
            }
            else
            {
                using var rows = (StreamReader)await connection.BeginTextExportAsync(statement, ct);
                await rows.BaseStream.CopyToAsync(file, 1 << 20, ct);
            }
        }
    }

    /// <summary>Copies the file into an empty table and commits.</summary>
    /// <param name="indexed">With the keys, checks and indexes of the real table, or without any.</param>
    /// <returns>Seconds.</returns>
    public async Task<double> MeasureAsync(string format, bool indexed, CancellationToken ct)
    {
        await bed.RunAsync($"create table public.copied (like camino.loans including {(indexed ? "all" : "generated")})", ct);
        await bed.RunAsync("checkpoint", ct);
        double seconds;
        await using (var connection = await bed.Database.OpenConnectionAsync(ct))
        await using (var file = new FileStream(PathOf(format), FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan))
        {
            var started = Stopwatch.GetTimestamp();
            var statement = $"copy public.copied ({_columns}) from stdin (format {format})";
            if (format == "binary")
            {
                await using var copy = await connection.BeginRawBinaryCopyAsync(statement, ct);
                await file.CopyToAsync(copy, 1 << 20, ct);
            }
            else
            {
                await using var copy = (StreamWriter)await connection.BeginTextImportAsync(statement, ct);
                await file.CopyToAsync(copy.BaseStream, 1 << 20, ct); // the bytes as they are, past the writer's encoder
            }

            seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        var differs = await bed.ScalarAsync<bool>("select (select count(*) from public.copied) <> (select count(*) from camino.loans)", ct);
        await bed.RunAsync("drop table public.copied", ct);
        return differs ? throw new BenchFailedException("COPY did not copy all rows.") : seconds;
    }

    private string PathOf(string format) => Path.Combine(bed.Folder, $"loans.{format}");
}
