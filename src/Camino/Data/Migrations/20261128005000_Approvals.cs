using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>What was asked for and waits for a second person; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128005000_Approvals")]
public sealed class Approvals : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- state 0: waiting, 1: approved, 2: declined, 3: withdrawn, 4: expired, 5: refused (it was no longer possible when somebody approved it; refusal says why).
        -- version: of the subject, as the one who asked looked at it. answer: what the act gave back.
        create table camino.approvals (
            id         uuid        constraint pk_approvals primary key,
            kind       text        not null constraint ck_approvals_kind check (length(kind) between 1 and 40),
            subject    text        not null constraint ck_approvals_subject check (length(subject) between 1 and 40),
            subject_id text        not null constraint ck_approvals_subject_id check (length(subject_id) between 1 and 64),
            version    integer,
            request    jsonb       not null constraint ck_approvals_request check (jsonb_typeof(request) = 'object'),
            reason     text        not null constraint ck_approvals_reason check (length(reason) <= 500),
            asked_by   uuid        not null,
            asked_at   timestamptz not null,
            expires_at timestamptz not null constraint ck_approvals_expires_at check (expires_at > asked_at),
            state      smallint    not null default 0 constraint ck_approvals_state check (state between 0 and 5),
            decided_by uuid,
            decided_at timestamptz,
            note       text        constraint ck_approvals_note check (length(note) between 1 and 300),
            answer     jsonb,
            refusal    jsonb,
            constraint ck_approvals_decided check ((state = 0) = (decided_at is null)),
            constraint ck_approvals_second_person check (state not in (1, 2, 5) or (decided_by is not null and decided_by <> asked_by)),
            constraint ck_approvals_withdrawn check (state <> 3 or decided_by = asked_by),
            constraint ck_approvals_expired check (state not in (0, 4) or decided_by is null),
            constraint ck_approvals_refused check ((state = 5) = (refusal is not null))
        );
        create index ix_approvals_waiting_id on camino.approvals ((state = 0), id);
        create index ix_approvals_state_id on camino.approvals (state, id);
        create index ix_approvals_kind_id on camino.approvals (kind, id);
        create index ix_approvals_asked_by_id on camino.approvals (asked_by, id);
        create index ix_approvals_expires_at on camino.approvals (expires_at) where state = 0;
        create index ix_approvals_waiting_subject on camino.approvals (subject, subject_id) where state = 0;

        -- A request is decided once, and what was asked for stays as it was.
        create function camino.keep_approval() returns trigger language plpgsql as $$
        begin
            if old.state <> 0 or (new.id, new.kind, new.subject, new.subject_id, new.version, new.request, new.reason, new.asked_by, new.asked_at, new.expires_at)
                is distinct from (old.id, old.kind, old.subject, old.subject_id, old.version, old.request, old.reason, old.asked_by, old.asked_at, old.expires_at) then
                raise exception 'a request is decided once, and what was asked for stays as it was' using errcode = 'restrict_violation';
            end if;
            return new;
        end $$;
        create trigger approvals_decided_once before update on camino.approvals for each row execute function camino.keep_approval();
        create trigger approvals_never_removed before delete on camino.approvals for each row execute function camino.refuse_change();
        create trigger approvals_never_emptied before truncate on camino.approvals for each statement execute function camino.refuse_change();

        update camino.schema_info set version = 25;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.approvals;
        drop function camino.keep_approval();
        update camino.schema_info set version = 24;
        """);
}
