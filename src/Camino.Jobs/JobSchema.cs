using Npgsql;

namespace Camino.Jobs;

/// <summary>The tables of the engine as one idempotent script: run it as often as you like, inside a transaction or out of one.</summary>
/// <remarks>
/// <c>job</c> holds what waits or runs and nothing else; a finished row moves to <c>finished</c> in the statement that finishes it, so history
/// never slows a claim. A job runs exactly while <c>lease</c> is set. Everything else hangs beside these two and is touched only by jobs that use it.
/// What was released once is never edited: a change is a further step of <c>JobSchema.Steps.cs</c>, which an existing database takes by a migration.
/// </remarks>
public static partial class JobSchema
{
    /// <summary>The schema's name where none is configured.</summary>
    public const string DefaultName = "jobs";

    /// <summary>The version that <see cref="InstallSql"/> leaves behind, stored in the table <c>meta</c>. From 1 upward.</summary>
    public const int Version = 4;

    /// <summary>The script that brings an empty or an older schema to <paramref name="version"/>; on one that is there already it changes nothing.</summary>
    /// <param name="schema">Lower case letters, digits and underscores, 1 to 40 characters, not beginning with a digit.</param>
    /// <param name="version">2 to <see cref="Version"/>. A migration names the version that it was written for, so that it stays what it was.</param>
    /// <exception cref="ArgumentException">the name is not of that form, or there is no such version.</exception>
    public static string InstallSql(string schema = DefaultName, int version = Version)
    {
        if (version is < FirstVersion or > Version)
            throw new ArgumentException($"version is {version}; it must be {FirstVersion} to {Version}.", nameof(version));
        var script = string.Join("\n\n", Steps.Take(version - FirstVersion).Prepend(Install).Append(NoteVersion));
        return script.Replace("{s}", JobNames.Schema(schema), StringComparison.Ordinal).Replace("{v}", $"{version}", StringComparison.Ordinal);
    }

    /// <summary>Runs <see cref="InstallSql"/>: all of it or nothing.</summary>
    public static async Task InstallAsync(NpgsqlConnection connection, string schema = DefaultName, CancellationToken ct = default)
    {
        await using var command = new NpgsqlCommand(InstallSql(schema), connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Ends the handing over of jobs to another engine, where there is one: what waits is claimed by this engine from now on. Changes nothing else.</summary>
    /// <param name="connection">Open, as the owner of the tables.</param>
    public static async Task TakeBackAsync(NpgsqlConnection connection, string schema = DefaultName, CancellationToken ct = default)
    {
        var name = JobNames.Schema(schema);
        await using var command = new NpgsqlCommand($"DROP TRIGGER IF EXISTS job_hand_over_new ON {name}.job; DROP TRIGGER IF EXISTS job_hand_over_again ON {name}.job;", connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The version that is installed, or 0 when the schema is not there.</summary>
    public static async Task<int> InstalledVersionAsync(NpgsqlConnection connection, string schema = DefaultName, CancellationToken ct = default)
    {
        var name = JobNames.Schema(schema);
        await using var there = new NpgsqlCommand($"SELECT to_regclass('{name}.meta') IS NOT NULL", connection);
        if (await there.ExecuteScalarAsync(ct) is not true)
            return 0;
        await using var version = new NpgsqlCommand($"SELECT version FROM {name}.meta", connection);
        return await version.ExecuteScalarAsync(ct) is int number ? number : 0;
    }

    /// <summary>The constraint that holds a key until its job is started.</summary>
    internal const string UntilStarted = "job_unique_until_started";

    /// <summary>The version of <see cref="Install"/>; each further step adds one.</summary>
    private const int FirstVersion = 2;

    private const string Install = """
        -- Three installers at once are one after the other; the lock ends with the transaction.
        SELECT pg_advisory_xact_lock(hashtextextended('camino.jobs.{s}', 0));

        CREATE SCHEMA IF NOT EXISTS {s};

        CREATE TABLE IF NOT EXISTS {s}.meta (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            version  integer NOT NULL
        );

        -- What waits or runs. Running means: lease is set.
        CREATE TABLE IF NOT EXISTS {s}.job (
            id            uuid        NOT NULL CONSTRAINT job_pk PRIMARY KEY,
            due_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
            enqueued_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
            claimed_at    timestamptz,
            expires_at    timestamptz,
            lease         uuid,
            server_id     uuid,
            version       integer     NOT NULL DEFAULT 1,
            attempt       integer     NOT NULL DEFAULT 0,
            max_attempts  integer     NOT NULL,
            queue         text        NOT NULL,
            kind          text        NOT NULL,
            unique_key    text,
            requested_by  text,
            traceparent   text,
            cancel_at     timestamptz,
            cancel_by     text,
            cancel_reason text,
            args          jsonb       NOT NULL,
            CONSTRAINT job_lease_has_server CHECK ((lease IS NULL) = (server_id IS NULL)),
            CONSTRAINT job_attempts CHECK (attempt >= 0 AND max_attempts >= 1)
        ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
                autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.1, autovacuum_analyze_threshold = 1000);

        -- Exactly the order of the claim; a running job is not in it.
        CREATE INDEX IF NOT EXISTS job_ready ON {s}.job (queue, due_at, id) WHERE lease IS NULL;
        CREATE INDEX IF NOT EXISTS job_running ON {s}.job (server_id) WHERE lease IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS job_unique ON {s}.job (kind, unique_key) WHERE unique_key IS NOT NULL;

        -- What is over. The id is a version 7 uuid, so its order is the order of enqueueing.
        CREATE TABLE IF NOT EXISTS {s}.finished (
            id              uuid        NOT NULL CONSTRAINT finished_pk PRIMARY KEY,
            due_at          timestamptz NOT NULL,
            enqueued_at     timestamptz NOT NULL,
            started_at      timestamptz,
            finished_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
            expires_at      timestamptz,
            version         integer     NOT NULL,
            attempt         integer     NOT NULL,
            max_attempts    integer     NOT NULL,
            state           text        NOT NULL CONSTRAINT finished_state CHECK (state IN ('done', 'failed', 'cancelled')),
            queue           text        NOT NULL,
            kind            text        NOT NULL,
            unique_key      text,
            requested_by    text,
            traceparent     text,
            server          text,
            error           text,
            cancel_at       timestamptz,
            cancel_by       text,
            cancel_reason   text,
            acknowledged_at timestamptz,
            acknowledged_by text,
            args            jsonb       NOT NULL,
            result          jsonb
        );
        CREATE INDEX IF NOT EXISTS finished_kind ON {s}.finished (kind, id);
        CREATE INDEX IF NOT EXISTS finished_not_done ON {s}.finished (state, id) WHERE state <> 'done';
        CREATE INDEX IF NOT EXISTS finished_failed_at ON {s}.finished (queue, finished_at) WHERE state = 'failed';

        -- Attempts that did not end in done: one row each, for as long as the job's row is kept.
        CREATE TABLE IF NOT EXISTS {s}.attempt (
            job_id     uuid        NOT NULL,
            number     integer     NOT NULL,
            outcome    text        NOT NULL CHECK (outcome IN ('failed', 'timed_out', 'snoozed', 'rescued', 'abandoned', 'cancelled', 'retried')),
            started_at timestamptz,
            ended_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
            server     text,
            error      text
        );
        CREATE INDEX IF NOT EXISTS attempt_job ON {s}.attempt (job_id, ended_at);

        -- Progress and checkpoint stand apart from the job and from each other: the first is written beside the handler's transaction, the
        -- second inside it, and neither may wait for the other.
        CREATE TABLE IF NOT EXISTS {s}.progress (
            job_id     uuid        NOT NULL CONSTRAINT progress_pk PRIMARY KEY,
            done       bigint      NOT NULL CHECK (done >= 0),
            total      bigint,
            message    text,
            changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
        ) WITH (fillfactor = 50);

        CREATE TABLE IF NOT EXISTS {s}.checkpoint (
            job_id     uuid        NOT NULL CONSTRAINT checkpoint_pk PRIMARY KEY,
            state      jsonb       NOT NULL,
            changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
        ) WITH (fillfactor = 50);

        -- One row for each start of a server. lost_at: it stopped answering and its jobs were given away. stopped_at: it said good-bye.
        CREATE TABLE IF NOT EXISTS {s}.server (
            id          uuid        NOT NULL CONSTRAINT server_pk PRIMARY KEY,
            name        text        NOT NULL,
            release     text        NOT NULL,
            number      bigint      NOT NULL,
            slots       integer     NOT NULL,
            queues      text[]      NOT NULL,
            kinds       text[]      NOT NULL,
            started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
            beat_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
            lease_until timestamptz NOT NULL,
            running     integer     NOT NULL DEFAULT 0,
            draining    boolean     NOT NULL DEFAULT false,
            lost_at     timestamptz,
            stopped_at  timestamptz
        ) WITH (fillfactor = 50);

        -- A queue or a kind that nobody takes from for now.
        CREATE TABLE IF NOT EXISTS {s}.pause (
            scope     text        NOT NULL CHECK (scope IN ('queue', 'kind')),
            name      text        NOT NULL,
            paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            paused_by text        NOT NULL,
            reason    text,
            CONSTRAINT pause_pk PRIMARY KEY (scope, name)
        );

        -- Which releases may take work; no row: all of them.
        CREATE TABLE IF NOT EXISTS {s}.fence (
            only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
            lowest   bigint      NOT NULL,
            highest  bigint      NOT NULL,
            moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            moved_by text        NOT NULL,
            CONSTRAINT fence_order CHECK (lowest <= highest)
        );

        -- Version 2: a server says which payload versions it reads, in the order of its kinds.
        ALTER TABLE {s}.server ADD COLUMN IF NOT EXISTS versions integer[] NOT NULL DEFAULT '{}';

        -- Version 2: what a handler says to staff.
        CREATE TABLE IF NOT EXISTS {s}.log (
            job_id  uuid        NOT NULL,
            number  bigint      GENERATED ALWAYS AS IDENTITY,
            at      timestamptz NOT NULL,
            attempt integer     NOT NULL,
            line    text        NOT NULL
        );
        CREATE INDEX IF NOT EXISTS log_job ON {s}.log (job_id, number);
        """;

    private const string NoteVersion = """
        INSERT INTO {s}.meta (version) VALUES ({v})
            ON CONFLICT (only_row) DO UPDATE SET version = excluded.version WHERE meta.version < excluded.version;
        """;
}
