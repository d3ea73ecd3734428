using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Releases and the processes that run them; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model, for nothing of it is an entity.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261126062000_Releases")]
public sealed class Releases : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        create table camino.releases (
            number        bigint      constraint pk_releases primary key constraint ck_releases_number check (number >= 0),
            name          text        not null,
            revision      text        not null default '',
            image         text,
            schema_oldest integer,
            schema_newest integer,
            seen_at       timestamptz not null default clock_timestamp(),
            promoted_at   timestamptz,
            promoted_by   text,
            retired_at    timestamptz,
            retired_by    text
        );

        -- One row for each start of either role; a process says every few seconds that it lives.
        create table camino.processes (
            id             uuid        constraint pk_processes primary key,
            release_number bigint      not null,
            release        text        not null,
            image          text,
            role           text        not null,
            host           text        not null,
            pid            integer     not null,
            address        text        not null,
            takes_work     boolean     not null,
            schema_oldest  integer     not null,
            schema_newest  integer     not null,
            state          text        not null constraint ck_processes_state check (state in ('serving', 'waiting', 'retired', 'draining', 'ended')),
            running_jobs   integer     not null default 0,
            started_at     timestamptz not null default clock_timestamp(),
            seen_at        timestamptz not null default clock_timestamp(),
            ended_at       timestamptz
        ) with (fillfactor = 50);

        -- What a release may do: 'current', 'waiting' (newer than the fence admits: takes no work yet) or 'retired' (has no effect any more).
        create function camino.release_state(release bigint) returns text language sql stable as $$
            select case
                when exists (select from camino.releases r where r.number = release and r.retired_at is not null) then 'retired'
                when exists (select from jobs.fence f where release < f.lowest) then 'retired'
                when exists (select from jobs.fence f where release > f.highest) then 'waiting'
                else 'current'
            end
        $$;

        -- What an autoscaler of the Async Servers asks: work that is due, falls due within a minute, or runs. Counts stop at 10,000 for each queue; zero everywhere means that nobody is needed.
        create function camino.async_demand(out oldest_seconds double precision, out ready bigint, out due_soon bigint, out in_flight bigint)
        language sql stable security definer set search_path = pg_catalog, pg_temp as $$
            with recursive waiting(queue) as (
                (select queue from jobs.job where lease is null order by queue limit 1)
                union all
                select (select j.queue from jobs.job j where j.lease is null and j.queue > w.queue order by j.queue limit 1)
                from waiting w where w.queue is not null
            )
            select coalesce((select max(extract(epoch from now() - h.due_at)) from waiting w cross join lateral (
                       select j.due_at from jobs.job j where j.lease is null and j.queue = w.queue and j.due_at <= now() order by j.due_at, j.id limit 1) h), 0)::float8,
                   (select count(*) from waiting w cross join lateral (
                       select from jobs.job j where j.lease is null and j.queue = w.queue and j.due_at <= now() limit 10000) r),
                   (select count(*) from waiting w cross join lateral (
                       select from jobs.job j where j.lease is null and j.queue = w.queue and j.due_at > now() and j.due_at <= now() + interval '1 minute' limit 10000) d),
                   (select count(*) from (select from jobs.job where lease is not null limit 10000) f)
        $$;
        revoke all on function camino.async_demand() from public;

        update camino.schema_info set version = 4;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop function camino.async_demand();
        drop function camino.release_state(bigint);
        drop table camino.processes;
        drop table camino.releases;
        update camino.schema_info set version = 3;
        """);
}
