using Hangfire.Common;
using Hangfire.PostgreSql;
using Hangfire.Storage;
using Npgsql;

namespace Camino.Jobs.Hangfire;

/// <summary>
/// The way of a job from Camino's table to Hangfire's storage: triggers that hand over every row that waits, in the transaction that makes it wait. Whoever enqueues needs
/// no Hangfire, and a job that is rolled back never reached it. Camino's row stays the truth; Hangfire's job is an errand for it.
/// </summary>
public static class HangfireHandOver
{
    /// <summary>The schema of Hangfire's own tables.</summary>
    public const string Schema = "hangfire";

    /// <summary>Prepares Hangfire's storage and the triggers, and hands over what waits. May be repeated.</summary>
    /// <param name="connection">Open, as the owner of the tables, straight to the database.</param>
    /// <param name="schema">The schema of Camino's jobs.</param>
    public static async Task InstallAsync(NpgsqlConnection connection, string schema = JobSchema.DefaultName, CancellationToken ct = default)
    {
        PostgreSqlObjectsInstaller.Install(connection, Schema);
        await using var text = typeof(HangfireHandOver).Assembly.GetManifestResourceStream("Camino.Jobs.Hangfire.HandOver.sql") ?? throw new InvalidOperationException("HandOver.sql is not in the assembly.");
        using var reader = new StreamReader(text);
        var sql = (await reader.ReadToEndAsync(ct)).Replace("{s}", JobNames.Schema(schema), StringComparison.Ordinal).Replace("{call}", Call().Replace("'", "''", StringComparison.Ordinal), StringComparison.Ordinal);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var install = new NpgsqlCommand(sql, connection, transaction);
        await install.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Null when jobs are handed over in this database, else a sentence that says what to run.</summary>
    public static async Task<string?> WhyNotAsync(NpgsqlConnection connection, string configFile, string schema = JobSchema.DefaultName, CancellationToken ct = default)
    {
        await using var ask = new NpgsqlCommand("select exists (select from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = 'job' and t.tgname = 'job_hand_over_new')", connection)
        { Parameters = { new() { Value = schema } } };
        return await ask.ExecuteScalarAsync(ct) is true ? null : $"Jobs:Engine is Hangfire, and nothing hands this database's jobs over to it; run: camino migrate --config {configFile}";
    }

    /// <summary>
    /// Names the queues so that Hangfire, which claims by the alphabet, claims them in the order given. Errands that wait under another name are renamed, also those that a
    /// transaction committed under the name of before; so it is repeated from time to time.
    /// </summary>
    internal static async Task NameQueuesAsync(NpgsqlDataSource source, string schema, IReadOnlyList<string> queues, CancellationToken ct)
    {
        string[] statements =
        [
            $"select pg_advisory_xact_lock(hashtextextended('camino.jobs.{schema}.hangfire', 0))",
            $"""
            insert into {schema}.hangfire_queue as q (name, carried) select w.name, w.carried from unnest($1, $2) as w(name, carried)
            on conflict (name) do update set carried = excluded.carried where q.carried <> excluded.carried
            """,
            "update hangfire.jobqueue q set queue = w.carried from unnest($1, $2) as w(name, carried) where q.queue <> w.carried and substr(q.queue, 4) = w.name",
            """
            update hangfire.job j set arguments = jsonb_set(j.arguments, '{2}', to_jsonb(to_json(w.carried)::text)) from unnest($1, $2) as w(name, carried)
            where j.statename in ('Enqueued', 'Scheduled', 'Processing') and substr(trim(both '"' from j.arguments->>2), 4) = w.name and trim(both '"' from j.arguments->>2) <> w.carried
            """,
        ];
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection, transaction);
            if (statement.Contains("$1", StringComparison.Ordinal))
            {
                command.Parameters.Add(new NpgsqlParameter { Value = queues.ToArray() });
                command.Parameters.Add(new NpgsqlParameter { Value = queues.Select(CarriedName).ToArray() });
            }

            await command.ExecuteNonQueryAsync(ct);
        }

        await transaction.CommitAsync(ct);
    }

    /// <summary>01-urgent for the first queue and so on; at most 32 queues.</summary>
    internal static string CarriedName(string queue, int place) => FormattableString.Invariant($"{place + 1:00}-{queue}");

    /// <summary>What Hangfire stores of a call, without its arguments.</summary>
    private static string Call()
    {
        var call = InvocationData.SerializeJob(Job.FromExpression<CarriedCall>(carried => carried.RunAsync("", "", "", null!)));
        return SerializationHelper.Serialize(new { call.Type, call.Method, call.ParameterTypes });
    }
}
