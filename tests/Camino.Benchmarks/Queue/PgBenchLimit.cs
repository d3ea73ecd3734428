using System.Diagnostics;
using System.Globalization;
using Camino.Host.Local;
using Camino.Jobs;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>The physical limit: PostgreSQL's own pgbench on the engine's table, one statement that takes the next jobs and removes those that it took before.</summary>
/// <remarks>It runs no handler, keeps no order of queues, reads no fence and knows no lease that others could have taken.</remarks>
internal sealed class PgBenchLimit(QueueServer server, string program, string folder)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private const string Take = """
        , heads AS MATERIALIZED (
            SELECT id FROM jobs.job WHERE lease IS NULL AND queue = 'bulk' AND due_at <= now() ORDER BY due_at, id LIMIT :batch FOR UPDATE SKIP LOCKED)
        UPDATE jobs.job j
        SET lease = md5(:client_id::text)::uuid, server_id = md5(:client_id::text)::uuid, claimed_at = now(), attempt = attempt + 1
        WHERE id = ANY (ARRAY(SELECT id FROM heads))
        RETURNING id, queue, kind, version, attempt, max_attempts, due_at, enqueued_at, args;
        """;

    private const string Dropped = "WITH gone AS (DELETE FROM jobs.job WHERE server_id = md5(:client_id::text)::uuid AND lease IS NOT NULL)" + Take;

    private const string Kept = """
        WITH gone AS (DELETE FROM jobs.job WHERE server_id = md5(:client_id::text)::uuid AND lease IS NOT NULL RETURNING *),
        kept AS (
            INSERT INTO jobs.finished (id, due_at, enqueued_at, started_at, version, attempt, max_attempts, state, queue, kind, args)
            SELECT id, due_at, enqueued_at, claimed_at, version, attempt, max_attempts, 'done', queue, kind, args FROM gone)
        """ + Take;

    /// <returns>Null where there is no pgbench.</returns>
    public static PgBenchLimit? Find(QueueServer server, string folder)
    {
        const string debian = "/usr/lib/postgresql";
        var program = Tool.Find("pgbench")
            ?? (Directory.Exists(debian) ? Directory.GetDirectories(debian).Order(StringComparer.Ordinal).Select(major => Path.Combine(major, "bin", "pgbench")).LastOrDefault(File.Exists) : null);
        return program is null ? null : new PgBenchLimit(server, program, folder);
    }

    /// <summary>Fills the table and empties it.</summary>
    /// <param name="clients">Connections at once.</param>
    public async Task<Measured> RunAsync(int jobs, int batch, int clients, bool keep, CancellationToken ct)
    {
        var connectionString = await server.NewDatabaseAsync(ct);
        await using (var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 300 }))
        {
            await using (var connection = await source.OpenConnectionAsync(ct))
            {
                await JobSchema.InstallAsync(connection, ct: ct);
                await new JobWriter(new JobClientOptions { Notify = false }).EnqueueManyAsync(connection, transaction: null, Enumerable.Range(0, jobs).Select(number => new Noop(number)), ct: ct);
            }
        }
        var script = Path.Combine(folder, keep ? "kept.sql" : "dropped.sql");
        await File.WriteAllTextAsync(script, (keep ? Kept : Dropped).ReplaceLineEndings(" ").Replace(":client_id::text", "(:client_id)::text", StringComparison.Ordinal), ct);
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        // One turn more for each client removes what its last one took.
        var turns = (jobs + (batch * clients) - 1) / (batch * clients) + 1;
        var start = new ProcessStartInfo(program,
        [
            "--no-vacuum", "--protocol=prepared", $"--client={Text(clients)}", $"--jobs={Text(Math.Min(clients, Environment.ProcessorCount))}",
            $"--transactions={Text(turns)}", $"--define=batch={Text(batch)}", $"--file={script}", $"--host={parts.Host}", $"--port={Text(parts.Port)}", $"--username={parts.Username}", parts.Database ?? "",
        ]);
        start.Set(new Dictionary<string, string?> { ["PGPASSWORD"] = parts.Password });
        var before = await server.SpentAsync(client: null, ct);
        var result = await Tool.RunAsync(start, Limit, ct);
        var spent = await server.SpentAsync(client: null, ct) - before;
        if (!result.Succeeded)
            throw new BenchFailedException($"pgbench failed: {result.Output}");
        var rate = result.Output.Split('\n').FirstOrDefault(line => line.StartsWith("tps = ", StringComparison.Ordinal))?.Split(' ')[2]
            ?? throw new BenchFailedException($"pgbench told no rate: {result.Output}");
        return new Measured(jobs, turns * clients / double.Parse(rate, CultureInfo.InvariantCulture), [], 0, spent, clients);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
