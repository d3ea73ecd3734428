using System.Text.Json;
using Camino.Lending;
using Camino.Releases;
using Npgsql;

namespace Camino.Data;

/// <summary>
/// Runs contract steps: each one transaction that also holds the fence, so that no deploy, rollback or other step comes between the question who still needs it and its effect.
/// </summary>
public static class Contractor
{
    /// <summary>The steps that did not run yet, in their order.</summary>
    public static async Task<IReadOnlyList<ContractStep>> MissingAsync(NpgsqlDataSource source, IReadOnlyList<ContractStep> steps, CancellationToken ct)
    {
        await using var ask = source.CreateCommand("select coalesce(array_agg(name), '{}') from camino.schema_contracts");
        var done = (string[])(await ask.ExecuteScalarAsync(ct) ?? Array.Empty<string>());
        return [.. steps.Where(step => !done.Contains(step.Name, StringComparer.Ordinal))];
    }

    /// <summary>Runs what is missing of the steps; what ran before a refusal stays.</summary>
    /// <param name="source">As the owner of the tables.</param>
    /// <param name="steps">In their order.</param>
    /// <param name="by">Who asked, for the audit trail; 1 to 100 characters.</param>
    /// <param name="options">How it waits for locks.</param>
    /// <returns>Names of the steps that ran now.</returns>
    /// <exception cref="RefusedException">
    /// <c>schema.contract_early</c>: the schema is older than the step; <c>schema.contract_needed</c>: a release that may take work, or a process that lives, still needs what it takes away.
    /// </exception>
    /// <exception cref="PostgresException"><c>55P03</c>: the locks were not to be had in any attempt; nothing of that step is left behind.</exception>
    public static async Task<IReadOnlyList<string>> RunAsync(NpgsqlDataSource source, IReadOnlyList<ContractStep> steps, string by, MigratorOptions options, CancellationToken ct)
    {
        var ran = new List<string>();
        foreach (var step in await MissingAsync(source, steps, ct))
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    if (await RunAsync(source, step, by, options, ct))
                        ran.Add(step.Name);
                    break;
                }
                catch (PostgresException blocked) when (Migrator.IsAboutLocks(blocked) && attempt < options.Attempts)
                {
                    await options.WaitAfterAsync(attempt, ct);
                }
            }
        }

        return ran;
    }

    private static async Task<bool> RunAsync(NpgsqlDataSource source, ContractStep step, string by, MigratorOptions options, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await RunAsync("select pg_advisory_xact_lock(hashtextextended('camino.release', 0))");
        await RunAsync("select set_config('lock_timeout', $1, true)", FormattableString.Invariant($"{options.LockTimeoutSeconds}s"));
        await using (var again = new NpgsqlCommand("select exists (select from camino.schema_contracts where name = $1)", connection, transaction) { Parameters = { new() { Value = step.Name } } })
        {
            if (await again.ExecuteScalarAsync(ct) is true)
                return false;
        }

        var schema = await SchemaWindow.ReadAsync(connection, ct);
        Refuse.If(schema.Version < step.Version, "schema.contract_early", FormattableString.Invariant($"The contract step {step.Name} belongs to schema version {step.Version}, and the schema is version {schema.Version}; run camino migrate first."));
        await RefuseWhileNeededAsync(connection, step, ct);
        await RunAsync(step.Sql);
        await RunAsync("insert into camino.schema_contracts (name, version, run_by) values ($1, $2, $3)", step.Name, step.Version, by);
        await RunAsync(
            "insert into camino.audit_entries (id, at, action, subject, subject_id, details) values ($1, clock_timestamp(), 'schema.contracted', 'schema', $2, $3::jsonb)",
            Guid.CreateVersion7(), step.Name, JsonSerializer.Serialize(new { by, version = step.Version }));
        await transaction.CommitAsync(ct);
        return true;

        async Task RunAsync(string sql, params object[] values)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            foreach (var value in values)
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>A process says up to which version it reads, see <see cref="SchemaWindow.Ahead"/>.</summary>
    private static async Task RefuseWhileNeededAsync(NpgsqlConnection connection, ContractStep step, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            """
            select * from (
                select format('release %s on %s (pid %s) gave a sign of life %s s ago', p.release_number, p.host, p.pid, round(extract(epoch from clock_timestamp() - p.seen_at)))
                from camino.processes p
                where p.schema_newest - $3 < $1 and p.state <> 'ended' and p.seen_at > clock_timestamp() - make_interval(secs => $2)
                order by p.release_number, p.id limit 5
            ) living
            union all
            select format('release %s may take work', r.number) from camino.releases r join jobs.fence f on r.number in (f.lowest, f.highest) where r.schema_newest - $3 < $1
            """, connection)
        { Parameters = { new() { Value = step.Version }, new() { Value = (double)ProcessRegistry.GoneAfterSeconds }, new() { Value = SchemaWindow.Ahead } } };
        var who = new List<string>();
        await using var reader = await ask.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            who.Add(reader.GetString(0));
        Refuse.If(who.Count > 0, "schema.contract_needed", FormattableString.Invariant($"The contract step {step.Name} takes away what releases before schema version {step.Version} need: {string.Join("; ", who)}. Stop them, or promote a newer release, then run it again."));
    }
}
