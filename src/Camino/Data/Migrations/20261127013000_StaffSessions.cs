using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Keeps the sessions of staff, and ends them in the transaction that takes away what they rest on. Adds only; the release before signs in without them, and who came in that way signs in again.</summary>
/// <remarks>Written by hand: sessions are rows for SQL, not entities.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127013000_StaffSessions")]
public sealed class StaffSessions : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        create table camino.staff_sessions (
            id           uuid        constraint pk_staff_sessions primary key,
            user_id      uuid        not null constraint fk_staff_sessions_staff_users references camino.staff_users (id) on delete cascade,
            begun_at     timestamptz not null,
            last_seen_at timestamptz not null,
            address      text        not null constraint ck_staff_sessions_address check (length(address) <= 50),
            agent        text        not null constraint ck_staff_sessions_agent check (length(agent) <= 50),
            ended_at     timestamptz,
            ended_why    text        constraint ck_staff_sessions_ended_why check (ended_why in ('signed-out', 'owner', 'replaced', 'idle', 'too-old', 'disabled', 'credentials', 'roles', 'administrator')),
            constraint ck_staff_sessions_ended check ((ended_at is null) = (ended_why is null))
        );
        create index ix_staff_sessions_user_id_id on camino.staff_sessions (user_id, id desc);
        create index ix_staff_sessions_begun_at on camino.staff_sessions (begun_at);

        -- Whoever disables a user or changes password, second factor or roles, by whatever statement: the user's sessions end in that transaction.
        create function camino.end_sessions_of_user() returns trigger language plpgsql as $$
        begin
            if new.lockout_end = 'infinity' and old.lockout_end is distinct from 'infinity' then
                update camino.staff_sessions set ended_at = clock_timestamp(), ended_why = 'disabled' where user_id = new.id and ended_at is null;
            elsif new.security_stamp is distinct from old.security_stamp then
                update camino.staff_sessions set ended_at = clock_timestamp(), ended_why = 'credentials' where user_id = new.id and ended_at is null;
            end if;
            return null;
        end $$;

        create function camino.end_sessions_of_roles() returns trigger language plpgsql as $$
        begin
            update camino.staff_sessions set ended_at = clock_timestamp(), ended_why = 'roles' where user_id = coalesce(new.user_id, old.user_id) and ended_at is null;
            return null;
        end $$;

        create trigger staff_users_end_sessions after update of lockout_end, security_stamp on camino.staff_users for each row execute function camino.end_sessions_of_user();
        create trigger staff_user_roles_end_sessions after insert or update or delete on camino.staff_user_roles for each row execute function camino.end_sessions_of_roles();

        update camino.schema_info set version = 8;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop trigger staff_user_roles_end_sessions on camino.staff_user_roles;
        drop trigger staff_users_end_sessions on camino.staff_users;
        drop function camino.end_sessions_of_roles();
        drop function camino.end_sessions_of_user();
        drop table camino.staff_sessions;
        update camino.schema_info set version = 7;
        """);
}
