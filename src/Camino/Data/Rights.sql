-- What each user may do to each table: least rights, given anew after every migration by the owner of the tables. Where the users of deploy/postgres/roles.sql are
-- not there (a developer's machine), nothing is done. What no line gives, nobody has.
do $$
declare
    relation record;
    is_secret boolean;
    is_written_once boolean;
begin
    if (select count(*) from pg_roles where rolname in ('camino_web', 'camino_async', 'camino_readonly')) < 3 then
        return;
    end if;

    revoke all on schema camino, jobs from public;
    grant usage on schema camino, jobs to camino_web, camino_async, camino_readonly;

    for relation in
        select c.oid::regclass as name, n.nspname as schema, c.relname as short
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('camino', 'jobs') and c.relkind in ('r', 'p', 'v', 'm')
    loop
        execute format('revoke all on table %s from public, camino_web, camino_async, camino_readonly', relation.name);
        is_secret := relation.schema = 'camino' and (relation.short ~ '^(staff_|api_keys$|api_client|data_protection_keys$|first_admin_links$|field_keys$|borrower_identifiers$|borrower_accounts$|application_identifiers$|application_accounts$|exchange_keys$|webhook_secrets$|webhook_keys$)');
        is_written_once := relation.schema = 'camino' and relation.short ~ '^(audit_entries|ledger_transactions|ledger_entries|loan_events|loan_versions|application_events|application_exchanges|application_loans|application_decisions|application_ticks|application_signatures|message_exchanges|document_exchanges|signature_exchanges|task_entries)$';

        if relation.schema = 'camino' and relation.short in ('schema_info', 'schema_contracts', 'migrations_history') then
            execute format('grant select on table %s to camino_web, camino_async, camino_readonly', relation.name);
        elsif relation.schema = 'camino' and relation.short = 'releases' then
            execute format('grant select, insert, update (name, revision, image, schema_oldest, schema_newest, seen_at) on table %s to camino_web, camino_async', relation.name);
            execute format('grant select on table %s to camino_readonly', relation.name);
        elsif relation.schema = 'jobs' and relation.short in ('fence', 'meta') then
            -- only an operator moves the fence
            execute format('grant select on table %s to camino_web, camino_async, camino_readonly', relation.name);
        elsif relation.schema = 'camino' and relation.short = 'audit_heads' then
            -- the trigger of the audit trail writes it, with the rights of the owner
            execute format('grant select on table %s to camino_web, camino_async, camino_readonly', relation.name);
        elsif relation.schema = 'jobs' and relation.short = 'server' then
            execute format('grant select on table %s to camino_web, camino_readonly', relation.name);
            execute format('grant update (wish, wish_by) on table %s to camino_web', relation.name);
            execute format('grant select, insert, update, delete on table %s to camino_async', relation.name);
        elsif relation.schema = 'camino' and relation.short ~ '^application_(statement|cash_flow)' then
            -- what an applicant's bank shows is for those who work the application alone
            execute format('grant select, insert, update, delete on table %s to camino_web, camino_async', relation.name);
        elsif relation.schema = 'camino' and relation.short = 'application_evaluations' then
            -- the same holds for what is made of it; what was decided on stays
            execute format('grant select, insert on table %s to camino_web, camino_async', relation.name);
        elsif relation.schema = 'camino' and relation.short = 'credit_policies' then
            -- people change and publish it in the Back Office
            execute format('grant select, insert, update on table %s to camino_web', relation.name);
            execute format('grant select on table %s to camino_async, camino_readonly', relation.name);
        elsif relation.schema = 'camino' and relation.short in ('journal_entries', 'journal_lines') then
            -- posted by a person's approval in the Back Office, and never changed
            execute format('grant select, insert on table %s to camino_web', relation.name);
            execute format('grant select on table %s to camino_async, camino_readonly', relation.name);
        elsif relation.schema = 'camino' and relation.short = 'approvals' then
            -- people decide in the Back Office; the Async Server only lets requests expire
            execute format('grant select, insert, update (state, decided_by, decided_at, note, answer, refusal) on table %s to camino_web', relation.name);
            execute format('grant select, update (state, decided_at) on table %s to camino_async', relation.name);
            execute format('grant select on table %s to camino_readonly', relation.name);
        elsif is_written_once then
            execute format('grant select, insert on table %s to camino_web, camino_async', relation.name);
            execute format('grant select on table %s to camino_readonly', relation.name);
        elsif is_secret then
            execute format('grant select, insert, update, delete on table %s to camino_web', relation.name);
            if relation.short in ('staff_users', 'staff_roles', 'staff_user_roles') then
                execute format('grant select on table %s to camino_async', relation.name);
            elsif relation.short = 'staff_sessions' then
                -- old ones are forgotten by a recurring job
                execute format('grant select, delete on table %s to camino_async', relation.name);
            elsif relation.short = 'exchange_keys' then
                -- it seals, and reads nothing that is sealed
                execute format('grant select (number, public_key) on table %s to camino_async', relation.name);
            elsif relation.short = 'api_clients' then
                -- whose results are not shown any more
                execute format('grant select (id, result_days) on table %s to camino_async', relation.name);
            elsif relation.short in ('webhook_secrets', 'webhook_keys') then
                -- it signs what it sends
                execute format('grant select on table %s to camino_async', relation.name);
            elsif relation.short = 'application_identifiers' then
                execute format('grant select (application_id, owner_id, kind, last4) on table %s to camino_async', relation.name);
            elsif relation.short = 'application_accounts' then
                -- it asks the bank, and has no need of what is sealed for the borrower
                execute format('grant select (application_id, id, holder, routing, last4, sealed_question, outcome, name_match, checked_at), update (outcome, name_match, checked_at, sealed_question) on table %s to camino_async', relation.name);
            end if;
        else
            execute format('grant select, insert, update, delete on table %s to camino_web, camino_async', relation.name);
            execute format('grant select on table %s to camino_readonly', relation.name);
        end if;
    end loop;

    for relation in
        select c.oid::regclass as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('camino', 'jobs') and c.relkind = 'S'
    loop
        execute format('revoke all on sequence %s from public', relation.name);
        execute format('grant usage, select on sequence %s to camino_web, camino_async', relation.name);
    end loop;

    for relation in
        select p.oid::regprocedure as name, p.proname as short from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('camino', 'jobs')
    loop
        execute format('revoke all on routine %s from public, camino_web, camino_async, camino_readonly', relation.name);
        if relation.short = 'async_demand' then
            -- the autoscaler asks with the user that can do nothing else
            execute format('grant execute on routine %s to camino_readonly', relation.name);
        else
            execute format('grant execute on routine %s to camino_web, camino_async', relation.name);
            if relation.short = 'release_state' then
                execute format('grant execute on routine %s to camino_readonly', relation.name);
            end if;
        end if;
    end loop;
end
$$;
