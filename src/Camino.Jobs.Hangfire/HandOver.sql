-- Hands every job of Camino that waits to Hangfire, in the transaction that makes it wait: enqueued, given back, let go by what it waited for, tried again by hand.
-- {s} is the schema of Camino's jobs, {call} what Hangfire is to call. Hangfire's own tables are those of its schema version 23.
create table if not exists {s}.hangfire_queue (
    name    text constraint hangfire_queue_pk primary key,
    carried text not null
);

create or replace function {s}.hand_over(ids uuid[]) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $function$
begin
    with fresh as materialized (
        select nextval('hangfire.job_id_seq') as number, nextval('hangfire.state_id_seq') as state, w.id, w.kind, w.due_at, w.due_at <= clock_timestamp() as is_due,
               coalesce((select q.carried from {s}.hangfire_queue q where q.name = w.queue), '99-' || w.queue) as queue
        from (select j.id, j.kind, j.due_at, j.queue from {s}.job j where j.id = any(ids) order by j.due_at, j.id) w
    ), made as (
        insert into hangfire.job (id, stateid, statename, invocationdata, arguments, createdat)
        select number, state, case when is_due then 'Enqueued' else 'Scheduled' end, '{call}'::jsonb,
               jsonb_build_array(to_json(id::text)::text, to_json(kind)::text, to_json(queue)::text, null), clock_timestamp()
        from fresh
    ), told as (
        insert into hangfire.state (id, jobid, name, reason, createdat, data)
        select state, number, case when is_due then 'Enqueued' else 'Scheduled' end, 'Handed over by Camino', clock_timestamp(),
               case when is_due then jsonb_build_object('EnqueuedAt', to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'Queue', queue)
                    else jsonb_build_object('EnqueueAt', to_char(due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                                            'ScheduledAt', to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) end
        from fresh
    ), queued as (
        insert into hangfire.jobqueue (jobid, queue) select number, queue from fresh where is_due
    )
    insert into hangfire.set (key, value, score) select 'schedule', number::text, extract(epoch from due_at) from fresh where not is_due;
end $function$;

create or replace function {s}.hand_over_new() returns trigger language plpgsql as $function$
declare
    ids uuid[] := array(select n.id from came n where n.lease is null and n.due_at < 'infinity');
begin
    if cardinality(ids) > 0 then
        perform {s}.hand_over(ids);
    end if;
    return null;
end $function$;

create or replace function {s}.hand_over_again() returns trigger language plpgsql as $function$
declare
    ids uuid[] := array(select n.id from afterwards n join before o using (id) where n.lease is null and n.due_at < 'infinity' and (o.lease is not null or o.due_at <> n.due_at));
begin
    if cardinality(ids) > 0 then
        perform {s}.hand_over(ids);
    end if;
    return null;
end $function$;

do $block$
begin
    if not exists (select from pg_trigger where tgrelid = '{s}.job'::regclass and tgname = 'job_hand_over_new') then
        create trigger job_hand_over_new after insert on {s}.job referencing new table as came for each statement execute function {s}.hand_over_new();
        create trigger job_hand_over_again after update on {s}.job referencing old table as before new table as afterwards for each statement execute function {s}.hand_over_again();
    end if;
    -- those that waited while another engine had them, and those whose errand was deleted
    perform {s}.hand_over(array(
        select j.id from {s}.job j
        where j.lease is null and j.due_at < 'infinity'
          and not exists (select from hangfire.job h where h.statename in ('Enqueued', 'Scheduled', 'Processing') and h.arguments->>0 = to_json(j.id::text)::text)));
    revoke all on function {s}.hand_over(uuid[]) from public;
    if (select count(*) from pg_roles where rolname in ('camino_web', 'camino_async')) = 2 then
        grant usage on schema hangfire to camino_web, camino_async;
        grant select, insert, update, delete on all tables in schema hangfire to camino_web, camino_async;
        grant usage, select on all sequences in schema hangfire to camino_web, camino_async;
        grant execute on function {s}.hand_over(uuid[]) to camino_web, camino_async;
        grant select, insert, update, delete on {s}.hangfire_queue to camino_async;
        grant select on {s}.hangfire_queue to camino_web;
    end if;
end $block$;
