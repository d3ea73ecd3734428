namespace Camino.Jobs;

/// <content>The numbered steps after the first release. Each can be run again; none is ever edited once it was released.</content>
public static partial class JobSchema
{
    private static readonly string[] Steps = [Step3, Step4];

    /// <summary>
    /// Unique keys with other scopes, tags, lineage, jobs that wait for others, limits, recurring entries, samples, alarms, wishes to servers. A plain job
    /// touches none of the new tables; a job that waits for something else than time is due at infinity, where no claim ever looks.
    /// </summary>
    private const string Step3 = """
        -- Version 3: planned_at: the tick that a recurring job stands for. started_key: unique until the job is taken, cleared by the claim.
        ALTER TABLE {s}.job ADD COLUMN IF NOT EXISTS planned_at timestamptz;
        ALTER TABLE {s}.job ADD COLUMN IF NOT EXISTS started_key text;
        ALTER TABLE {s}.job ADD COLUMN IF NOT EXISTS limit_key text;
        CREATE UNIQUE INDEX IF NOT EXISTS job_unique_until_started ON {s}.job (kind, started_key) WHERE started_key IS NOT NULL;

        -- A key that stays taken for a period, whatever becomes of its job.
        CREATE TABLE IF NOT EXISTS {s}.unique_period (
            kind   text        NOT NULL,
            key    text        NOT NULL,
            job_id uuid        NOT NULL,
            until  timestamptz NOT NULL,
            CONSTRAINT unique_period_pk PRIMARY KEY (kind, key)
        );
        CREATE INDEX IF NOT EXISTS unique_period_until ON {s}.unique_period (until);

        CREATE TABLE IF NOT EXISTS {s}.tag (
            tag    text NOT NULL,
            job_id uuid NOT NULL,
            CONSTRAINT tag_pk PRIMARY KEY (tag, job_id)
        );
        CREATE INDEX IF NOT EXISTS tag_job ON {s}.tag (job_id);

        -- Which job asked for which. depth: 1 for what a job that nobody's job asked for has asked for.
        CREATE TABLE IF NOT EXISTS {s}.lineage (
            job_id    uuid    NOT NULL CONSTRAINT lineage_pk PRIMARY KEY,
            parent_id uuid    NOT NULL,
            depth     integer NOT NULL
        );
        CREATE INDEX IF NOT EXISTS lineage_parent ON {s}.lineage (parent_id, job_id);

        -- Who waits for whom. any_end: any end of the parent will do. checked: the parent lived when a server first saw this row.
        CREATE TABLE IF NOT EXISTS {s}.waits_on (
            parent_id uuid    NOT NULL,
            child_id  uuid    NOT NULL,
            any_end   boolean NOT NULL,
            checked   boolean NOT NULL DEFAULT false,
            CONSTRAINT waits_on_pk PRIMARY KEY (parent_id, child_id)
        );
        CREATE INDEX IF NOT EXISTS waits_on_child ON {s}.waits_on (child_id);
        CREATE INDEX IF NOT EXISTS waits_on_unchecked ON {s}.waits_on (parent_id) WHERE NOT checked;

        -- One row for each job that waits or waited for others: when it is due then, and what became of them.
        CREATE TABLE IF NOT EXISTS {s}.held (
            job_id      uuid        NOT NULL CONSTRAINT held_pk PRIMARY KEY,
            due_at      timestamptz NOT NULL,
            total       integer     NOT NULL,
            done        integer     NOT NULL DEFAULT 0,
            failed      integer     NOT NULL DEFAULT 0,
            cancelled   integer     NOT NULL DEFAULT 0,
            released_at timestamptz
        ) WITH (fillfactor = 50);

        -- One row for each live job with a limit. parked: it waits for a slot of its key.
        CREATE TABLE IF NOT EXISTS {s}.limited (
            job_id         uuid             NOT NULL CONSTRAINT limited_pk PRIMARY KEY,
            key            text             NOT NULL,
            due_at         timestamptz      NOT NULL,
            at_once        integer,
            rate           integer,
            period_seconds double precision,
            parked         boolean          NOT NULL
        ) WITH (fillfactor = 80);
        CREATE INDEX IF NOT EXISTS limited_parked ON {s}.limited (key, due_at, job_id) WHERE parked;

        -- A start that counts against its key: while it lasts, and until its period is over.
        CREATE TABLE IF NOT EXISTS {s}.limit_slot (
            number         bigint           GENERATED ALWAYS AS IDENTITY CONSTRAINT limit_slot_pk PRIMARY KEY,
            key            text             NOT NULL,
            job_id         uuid             NOT NULL,
            period_seconds double precision,
            admitted_at    timestamptz      NOT NULL DEFAULT clock_timestamp(),
            started_at     timestamptz,
            ended_at       timestamptz
        );
        CREATE INDEX IF NOT EXISTS limit_slot_key ON {s}.limit_slot (key, started_at);
        CREATE UNIQUE INDEX IF NOT EXISTS limit_slot_open ON {s}.limit_slot (job_id) WHERE ended_at IS NULL;

        -- Keys worth a look from a moment on; only ever added to and taken from.
        CREATE TABLE IF NOT EXISTS {s}.limit_event (
            number bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT limit_event_pk PRIMARY KEY,
            key    text        NOT NULL,
            at     timestamptz NOT NULL
        );
        CREATE INDEX IF NOT EXISTS limit_event_at ON {s}.limit_event (at);

        -- Recurring entries as the running release lists them, and what people decided about them.
        CREATE TABLE IF NOT EXISTS {s}.recurring (
            name            text        NOT NULL CONSTRAINT recurring_pk PRIMARY KEY,
            kind            text        NOT NULL,
            version         integer     NOT NULL,
            queue           text        NOT NULL,
            max_attempts    integer     NOT NULL,
            args            jsonb       NOT NULL,
            cron            text        NOT NULL,
            zone            text        NOT NULL,
            calendar        text,
            closed          text        NOT NULL,
            misfire         text        NOT NULL,
            window_seconds  integer     NOT NULL,
            overlap         text        NOT NULL,
            number          bigint      NOT NULL,
            listed          boolean     NOT NULL DEFAULT true,
            next_at         timestamptz,
            disabled_at     timestamptz,
            disabled_by     text,
            disabled_reason text,
            changed_at      timestamptz NOT NULL DEFAULT clock_timestamp()
        );

        -- The unique key of a tick: whoever inserts the row enqueues the job, in the same transaction.
        CREATE TABLE IF NOT EXISTS {s}.recurring_run (
            name       text        NOT NULL,
            planned_at timestamptz NOT NULL,
            job_id     uuid,
            outcome    text        NOT NULL CONSTRAINT recurring_run_outcome CHECK (outcome IN ('enqueued', 'by_hand', 'overlap', 'missed')),
            at         timestamptz NOT NULL DEFAULT clock_timestamp(),
            asked_by   text,
            CONSTRAINT recurring_run_pk PRIMARY KEY (name, planned_at)
        );
        CREATE INDEX IF NOT EXISTS recurring_run_job ON {s}.recurring_run (job_id);

        -- Who does what only one server needs to do; compared on every renewal.
        CREATE TABLE IF NOT EXISTS {s}.leader (
            duty      text        NOT NULL CONSTRAINT leader_pk PRIMARY KEY,
            server_id uuid        NOT NULL,
            since     timestamptz NOT NULL DEFAULT clock_timestamp(),
            until     timestamptz NOT NULL
        ) WITH (fillfactor = 50);

        -- Charts: how each queue stood at a minute, and what went through it in that minute on each server. wait and run: counts by size class.
        CREATE TABLE IF NOT EXISTS {s}.depth (
            minute    timestamptz      NOT NULL,
            queue     text             NOT NULL,
            ready     bigint           NOT NULL,
            scheduled bigint           NOT NULL,
            running   bigint           NOT NULL,
            oldest    double precision NOT NULL,
            CONSTRAINT depth_pk PRIMARY KEY (minute, queue)
        );
        CREATE TABLE IF NOT EXISTS {s}.flow (
            minute    timestamptz NOT NULL,
            queue     text        NOT NULL,
            server_id uuid        NOT NULL,
            done      integer     NOT NULL,
            failed    integer     NOT NULL,
            retried   integer     NOT NULL,
            cancelled integer     NOT NULL,
            wait      integer[]   NOT NULL,
            run       integer[]   NOT NULL,
            CONSTRAINT flow_pk PRIMARY KEY (minute, queue, server_id)
        ) WITH (fillfactor = 70);

        CREATE TABLE IF NOT EXISTS {s}.alarm (
            number     bigint           GENERATED ALWAYS AS IDENTITY CONSTRAINT alarm_pk PRIMARY KEY,
            name       text             NOT NULL,
            subject    text             NOT NULL,
            since      timestamptz      NOT NULL DEFAULT clock_timestamp(),
            seen_at    timestamptz      NOT NULL DEFAULT clock_timestamp(),
            cleared_at timestamptz,
            value      double precision NOT NULL,
            threshold  double precision NOT NULL,
            message    text             NOT NULL
        );
        CREATE UNIQUE INDEX IF NOT EXISTS alarm_open ON {s}.alarm (name, subject) WHERE cleared_at IS NULL;

        -- wish: 'quiet' (takes nothing) or 'drain' (takes nothing, and what runs longer than the grace time is returned); null: works.
        ALTER TABLE {s}.server ADD COLUMN IF NOT EXISTS wish text CONSTRAINT server_wish CHECK (wish IN ('quiet', 'drain'));
        ALTER TABLE {s}.server ADD COLUMN IF NOT EXISTS wish_by text;
        ALTER TABLE {s}.server ADD COLUMN IF NOT EXISTS listening boolean NOT NULL DEFAULT true;
        """;

    /// <summary>What a claim took from a job and its return gives back; what each server is and watches for.</summary>
    private const string Step4 = """
        -- Version 4: taken_key: the started_key of a job that is taken, for the case that it goes back without having been worked on.
        ALTER TABLE {s}.job ADD COLUMN IF NOT EXISTS taken_key text;

        -- Version 4: in the order of the queues, after how many seconds of waiting an operator is told; 0: never.
        ALTER TABLE {s}.server ADD COLUMN IF NOT EXISTS role text NOT NULL DEFAULT 'async';
        ALTER TABLE {s}.server ADD COLUMN IF NOT EXISTS targets integer[] NOT NULL DEFAULT '{}';
        """;
}
