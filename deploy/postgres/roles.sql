-- The four users of Camino's database. Run once by an administrator in the database itself, before the first `camino migrate`, and again whenever a limit changes:
--   psql -d camino -v ON_ERROR_STOP=1 -f roles.sql
-- It is safe to run again. Passwords are set apart from it (ALTER ROLE ... PASSWORD), so that none stands in a file.
-- What each of them may do to each table is given by `camino migrate` itself, after every migration (src/Camino/Data/Rights.sql).
--
--   camino_migrator   owns every table; used by migrate, release, backup, restore; never by a running role
--   camino_web        the Back Office
--   camino_async      the Async Servers
--   camino_readonly   reports, metrics, the autoscaler; sees no secret and changes nothing

do $$
declare
    name text;
begin
    foreach name in array array['camino_migrator', 'camino_web', 'camino_async', 'camino_readonly'] loop
        begin
            execute format('create role %I login nosuperuser nocreatedb nocreaterole noreplication nobypassrls', name);
        exception when duplicate_object or unique_violation then
            null; -- it is there already
        end;
    end loop;
end
$$;

-- Connections that each user may have; camino check adds up what the roles ask for.
alter role camino_migrator connection limit 10;
alter role camino_web      connection limit 200;
alter role camino_async    connection limit 200;
alter role camino_readonly connection limit 10;

-- A statement that runs longer was forgotten, and a transaction that idles pins dead rows for everybody. The roles' own, shorter limits come first
-- (Database:CommandTimeoutSeconds, Limits:RequestSeconds).
alter role camino_web      set statement_timeout = '5min';
alter role camino_web      set idle_in_transaction_session_timeout = '60s';
alter role camino_web      set lock_timeout = '15s';
alter role camino_async    set statement_timeout = '60min';
alter role camino_async    set idle_in_transaction_session_timeout = '5min';
alter role camino_readonly set statement_timeout = '60s';
alter role camino_readonly set idle_in_transaction_session_timeout = '30s';
alter role camino_readonly set default_transaction_read_only = on;
-- a migration waits for its locks for seconds only, but may then take its time
alter role camino_migrator set statement_timeout = 0;
alter role camino_migrator set idle_in_transaction_session_timeout = '10min';

-- A client whose network died is noticed within half a minute, so that what it held locked is free again; without it, that takes hours.
do $$
declare
    who text;
begin
    foreach who in array array['camino_web', 'camino_async', 'camino_readonly', 'camino_migrator'] loop
        execute format('alter role %I set tcp_keepalives_idle = 15', who);
        execute format('alter role %I set tcp_keepalives_interval = 5', who);
        execute format('alter role %I set tcp_keepalives_count = 3', who);
        execute format('alter role %I set tcp_user_timeout = 30000', who);
    end loop;
end
$$;

do $$
declare
    what record;
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to camino_migrator, camino_web, camino_async, camino_readonly', current_database());
    execute format('grant create, temporary on database %I to camino_migrator', current_database());
    execute format('grant temporary on database %I to camino_async', current_database());
    revoke create on schema public from public;

    -- a database that somebody else migrated before gets its owner now
    for what in select nspname as name from pg_namespace where nspname in ('camino', 'jobs') loop
        execute format('alter schema %I owner to camino_migrator', what.name);
    end loop;
    for what in select c.oid::regclass as name, c.relkind as kind
                from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname in ('camino', 'jobs') and c.relkind in ('r', 'p', 'v', 'm', 'S')
                  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i') and d.refclassid = 'pg_class'::regclass) loop
        execute format('alter %s %s owner to camino_migrator', case what.kind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' else 'table' end, what.name);
    end loop;
    for what in select p.oid::regprocedure as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('camino', 'jobs') loop
        execute format('alter routine %s owner to camino_migrator', what.name);
    end loop;
end
$$;
