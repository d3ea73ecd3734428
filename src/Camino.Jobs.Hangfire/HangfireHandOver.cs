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
    /// Names the queues so that Hangfire, which claims by the alphabet, claims them in the order given. Jobs that wait under other names are renamed.
    /// </summary>
    internal static async Task NameQueuesAsync(NpgsqlDataSource source, string schema, IReadOnlyList<string> queues, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand(
            """
            select pg_advisory_xact_lock(hashtextextended('camino.jobs.{s}.hangfire', 0));
            create temporary table renamed on commit drop as
                select w.name, coalesce(q.carried, '99-' || w.name) as was, w.carried from unnest($1, $2) as w(name, carried) left join {s}.hangfire_queue q on q.name = w.name
                where q.carried is distinct from w.carried;
            insert into {s}.hangfire_queue (name, carried) select name, carried from renamed on conflict (name) do update set carried = excluded.carried;
            update hangfire.job j set arguments = jsonb_set(j.arguments, '{2}', to_jsonb(to_json(r.carried)::text))
                from renamed r where j.statename in ('Enqueued', 'Scheduled', 'Processing') and j.arguments->>2 = to_json(r.was)::text;
            update hangfire.jobqueue q set queue = r.carried from renamed r where q.queue = r.was;
            """.Replace("{s}", schema, StringComparison.Ordinal), connection, transaction);
        foreach (var statement in command.CommandText.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var one = new NpgsqlCommand(statement, connection, transaction);
            if (statement.Contains("$1", StringComparison.Ordinal))
            {
                one.Parameters.Add(new NpgsqlParameter { Value = queues.ToArray() });
                one.Parameters.Add(new NpgsqlParameter { Value = queues.Select(CarriedName).ToArray() });
            }

            await one.ExecuteNonQueryAsync(ct);
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
