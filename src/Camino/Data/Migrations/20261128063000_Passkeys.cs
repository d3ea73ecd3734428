using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Passkeys of staff, and links for passwords that a second person approved. Adds only; the release before lets nobody in past a passkey that was set, and takes recovery codes of whoever has an app.</summary>
/// <remarks>Written by hand: all are rows for SQL, not entities.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128063000_Passkeys")]
public sealed class Passkeys : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        create table camino.staff_passkeys (
            id                 uuid        constraint pk_staff_passkeys primary key,
            user_id            uuid        not null constraint fk_staff_passkeys_staff_users references camino.staff_users (id) on delete cascade,
            credential_id      bytea       not null constraint ck_staff_passkeys_credential_id check (length(credential_id) between 1 and 1023),
            public_key         bytea       not null constraint ck_staff_passkeys_public_key check (length(public_key) between 1 and 2000),
            name               text        not null constraint ck_staff_passkeys_name check (length(name) between 1 and 60),
            created_at         timestamptz not null,
            last_used_at       timestamptz,
            sign_count         bigint      not null, -- as the authenticator said it last: one that goes back was copied
            transports         text[]      not null,
            is_backup_eligible boolean     not null,
            is_backed_up       boolean     not null,
            constraint ux_staff_passkeys_credential_id unique (credential_id)
        );
        create index ix_staff_passkeys_user_id on camino.staff_passkeys (user_id, id);

        -- What a browser was asked to sign: taken away by the first answer, right or wrong. session_id: of whoever adds a passkey; user_id: of whoever gave the password already.
        create table camino.staff_passkey_challenges (
            hash       bytea       constraint pk_staff_passkey_challenges primary key constraint ck_staff_passkey_challenges_hash check (length(hash) = 32),
            session_id uuid,
            user_id    uuid,
            state      text        not null constraint ck_staff_passkey_challenges_state check (length(state) between 1 and 20000),
            expires_at timestamptz not null
        );
        create index ix_staff_passkey_challenges_expires_at on camino.staff_passkey_challenges (expires_at);

        -- A link for a password that a second person approved: whoever asked for it makes it once.
        create table camino.staff_link_grants (
            approval_id uuid        constraint pk_staff_link_grants primary key constraint fk_staff_link_grants_approvals references camino.approvals (id),
            user_id     uuid        not null constraint fk_staff_link_grants_staff_users references camino.staff_users (id) on delete cascade,
            granted_to  uuid        not null,
            expires_at  timestamptz not null,
            used_at     timestamptz
        );
        create index ix_staff_link_grants_user_id on camino.staff_link_grants (user_id) where used_at is null;

        update camino.schema_info set version = 29;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.staff_link_grants;
        drop table camino.staff_passkey_challenges;
        drop table camino.staff_passkeys;
        update camino.schema_info set version = 28;
        """);
}
