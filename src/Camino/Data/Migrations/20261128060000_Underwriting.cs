using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Credit policies in versions, what they said about applications, decisions and ticks of checklists; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128060000_Underwriting")]
public sealed class Underwriting : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- The lender's credit policy in versions. status 0: draft, 1: published, 2: retired. json, not jsonb: what people wrote keeps its order.
        create table camino.credit_policies (
            number       integer     constraint pk_credit_policies primary key constraint ck_credit_policies_number check (number > 0),
            status       smallint    not null constraint ck_credit_policies_status check (status between 0 and 2),
            document     json        not null constraint ck_credit_policies_document check (json_typeof(document) = 'object'),
            note         text        not null constraint ck_credit_policies_note check (length(note) <= 500),
            changed_at   timestamptz not null,
            changed_by   uuid        not null,
            published_at timestamptz,
            published_by uuid,
            constraint ck_credit_policies_published check ((status = 0) = (published_at is null))
        );
        create unique index ux_credit_policies_draft on camino.credit_policies (status) where status = 0;
        create unique index ux_credit_policies_published on camino.credit_policies (status) where status = 1;

        -- A version that was published is retired by the next one and never says anything else.
        create function camino.keep_credit_policy() returns trigger language plpgsql as $$
        begin
            if old.status <> 0 and (new.status <> 2 or old.status = 2 or (new.number, new.document::text, new.note, new.changed_at, new.changed_by, new.published_at, new.published_by)
                is distinct from (old.number, old.document::text, old.note, old.changed_at, old.changed_by, old.published_at, old.published_by)) then
                raise exception 'a published policy stays as it is' using errcode = 'restrict_violation';
            end if;
            return new;
        end $$;
        create trigger credit_policies_stay before update on camino.credit_policies for each row execute function camino.keep_credit_policy();
        create trigger credit_policies_never_removed before delete on camino.credit_policies for each row execute function camino.refuse_change();
        create trigger credit_policies_never_emptied before truncate on camino.credit_policies for each statement execute function camino.refuse_change();

        -- What a version of the policy said about an application, written once. cause 1: checks ended, 2: bank statements, 3: asked by a person, 4: offer, 5: decline; recommendation 1: approve, 2: refer, 3: decline.
        create table camino.application_evaluations (
            application_id uuid           not null constraint fk_application_evaluations_applications references camino.applications (id),
            number         integer        not null constraint ck_application_evaluations_number check (number > 0),
            policy         integer        not null constraint fk_application_evaluations_credit_policies references camino.credit_policies (number),
            principal      numeric(14, 2) not null,
            cause          smallint       not null constraint ck_application_evaluations_cause check (cause between 1 and 5),
            facts          jsonb          not null,
            result         jsonb          not null,
            recommendation smallint       not null constraint ck_application_evaluations_recommendation check (recommendation between 1 and 3),
            score          integer,
            at             timestamptz    not null,
            by             uuid,
            constraint pk_application_evaluations primary key (application_id, number)
        );
        create index ix_application_evaluations_at on camino.application_evaluations (at, application_id);
        create index ix_application_evaluations_policy on camino.application_evaluations (policy);
        create trigger application_evaluations_written_once before update or delete on camino.application_evaluations for each row execute function camino.refuse_change();
        create trigger application_evaluations_never_emptied before truncate on camino.application_evaluations for each statement execute function camino.refuse_change();

        -- What was decided on which evaluation, beside the event with the same sequence. kind 1: offer, 2: decline.
        create table camino.application_decisions (
            application_id  uuid        not null constraint fk_application_decisions_applications references camino.applications (id),
            sequence        integer     not null,
            kind            smallint    not null constraint ck_application_decisions_kind check (kind in (1, 2)),
            offer_number    smallint,
            evaluation      integer     not null,
            is_override     boolean     not null,
            override_code   text        constraint ck_application_decisions_override_code check (length(override_code) between 1 and 40),
            override_text   text        constraint ck_application_decisions_override_text check (length(override_text) between 1 and 500),
            decided_by      uuid        not null,
            signed_by       uuid        constraint ck_application_decisions_signed_by check (signed_by <> decided_by),
            approval_id     uuid,
            at              timestamptz not null,
            constraint pk_application_decisions primary key (application_id, sequence),
            constraint fk_application_decisions_evaluations foreign key (application_id, evaluation) references camino.application_evaluations (application_id, number),
            constraint ck_application_decisions_override check (kind = 2 or is_override = (override_code is not null and override_text is not null)),
            constraint ck_application_decisions_signed check ((signed_by is null) = (approval_id is null))
        );
        create trigger application_decisions_written_once before update or delete on camino.application_decisions for each row execute function camino.refuse_change();
        create trigger application_decisions_never_emptied before truncate on camino.application_decisions for each statement execute function camino.refuse_change();

        -- Ticks of the checklist, written once; the last one of an item counts. act 1: ticked, 2: taken back, 3: waived.
        create table camino.application_ticks (
            id             uuid        constraint pk_application_ticks primary key,
            application_id uuid        not null constraint fk_application_ticks_applications references camino.applications (id),
            item           text        not null constraint ck_application_ticks_item check (length(item) between 2 and 40),
            sequence       integer     not null constraint ck_application_ticks_sequence check (sequence > 0),
            act            smallint    not null constraint ck_application_ticks_act check (act between 1 and 3),
            reason         text        constraint ck_application_ticks_reason check (length(reason) between 1 and 500),
            at             timestamptz not null,
            by             uuid        not null,
            constraint ux_application_ticks_sequence unique (application_id, sequence),
            constraint ck_application_ticks_waived check (act <> 3 or reason is not null)
        );
        create trigger application_ticks_written_once before update or delete on camino.application_ticks for each row execute function camino.refuse_change();
        create trigger application_ticks_never_emptied before truncate on camino.application_ticks for each statement execute function camino.refuse_change();

        update camino.schema_info set version = 26;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.application_ticks, camino.application_decisions, camino.application_evaluations, camino.credit_policies;
        drop function camino.keep_credit_policy();
        update camino.schema_info set version = 25;
        """);
}
