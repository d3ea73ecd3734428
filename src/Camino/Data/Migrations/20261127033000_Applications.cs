using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Loan applications with owners, contacts and tax numbers, the events of their course, and the steps of their checks; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127033000_Applications")]
public sealed class Applications : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- The words of a name without the company's form, as duplicates are compared.
        create function camino.core_words(given text) returns text language sql immutable parallel safe as $$
            select coalesce(nullif(regexp_replace(camino.plain_words(given), '( (llc|l l c|inc|incorporated|corp|corporation|co|company|ltd|limited|lp|l p|llp|l l p|pllc|pc))+$', ''), ''), given)
        $$;

        create sequence camino.application_numbers start 100001;

        create table camino.applications (
            id             uuid           constraint pk_applications primary key,
            number         text           not null default 'A-' || nextval('camino.application_numbers') constraint ck_applications_number check (length(number) between 3 and 20),
            state          smallint       not null constraint ck_applications_state check (state between 1 and 11),
            version        integer        not null constraint ck_applications_version check (version > 0),
            checks_done    boolean        not null default false,
            channel        text           not null constraint ck_applications_channel check (channel in ('api', 'staff')),
            external_id    text           constraint ck_applications_external_id check (length(external_id) between 1 and 64),
            name           text           not null constraint ck_applications_name check (length(name) between 1 and 200),
            core_name      text           collate "C" generated always as (camino.core_words(name)) stored,
            trade_name     text           constraint ck_applications_trade_name check (length(trade_name) between 1 and 200),
            language       text           not null constraint ck_applications_language check (language in ('en', 'es')),
            street         text           constraint ck_applications_street check (length(street) <= 200),
            city           text           constraint ck_applications_city check (length(city) <= 100),
            place_state    text           constraint ck_applications_place_state check (length(place_state) = 2),
            zip            text           constraint ck_applications_zip check (length(zip) in (5, 10)),
            amount         numeric(14, 2) not null constraint ck_applications_amount check (amount between 1 and 10000000),
            purpose        text           constraint ck_applications_purpose check (length(purpose) <= 500),
            term_months    smallint       constraint ck_applications_term_months check (term_months between 1 and 360),
            annual_revenue numeric(14, 2) constraint ck_applications_annual_revenue check (annual_revenue between 0 and 100000000),
            started_on     date,
            credit_consent boolean        not null,
            received_at    timestamptz    not null,
            received_by    uuid           not null,
            changed_at     timestamptz    not null,
            expires_at     timestamptz    not null,
            ended_at       timestamptz
        );
        create unique index ix_applications_number on camino.applications (number);
        create index ix_applications_state_id on camino.applications (state, id);
        create index ix_applications_received_by_id on camino.applications (received_by, id);
        create index ix_applications_core_name on camino.applications (core_name);
        create index ix_applications_expires_at on camino.applications (expires_at) where state < 6;

        create table camino.application_contacts (
            application_id uuid     not null constraint fk_application_contacts_applications references camino.applications (id),
            position       smallint not null,
            kind           smallint not null constraint ck_application_contacts_kind check (kind in (1, 2)),
            value          text     not null constraint ck_application_contacts_value check (length(value) between 1 and 254),
            digits         text     collate "C",
            constraint pk_application_contacts primary key (application_id, position)
        );
        create index ix_application_contacts_digits on camino.application_contacts (digits) where digits is not null;

        create table camino.application_owners (
            id             uuid         constraint pk_application_owners primary key,
            application_id uuid         not null constraint fk_application_owners_applications references camino.applications (id),
            position       smallint     not null,
            name           text         not null constraint ck_application_owners_name check (length(name) between 1 and 200),
            share_percent  numeric(6,3) constraint ck_application_owners_share_percent check (share_percent between 0 and 100),
            is_guarantor   boolean      not null,
            birth_date     date
        );
        create index ix_application_owners_application_id on camino.application_owners (application_id, position);

        -- kind 1: SSN, 2: ITIN, 3: EIN, as in borrower_identifiers; owner_id null: the business's own
        create table camino.application_identifiers (
            id             uuid     constraint pk_application_identifiers primary key,
            application_id uuid     not null constraint fk_application_identifiers_applications references camino.applications (id),
            owner_id       uuid     constraint fk_application_identifiers_owners references camino.application_owners (id),
            kind           smallint not null constraint ck_application_identifiers_kind check (kind in (1, 2, 3)),
            sealed         bytea    not null,
            hash           bytea    not null,
            last4          text     collate "C" not null constraint ck_application_identifiers_last4 check (last4 ~ '^[0-9]{4}$')
        );
        create unique index ix_application_identifiers_one on camino.application_identifiers (application_id, coalesce(owner_id, application_id), kind);
        create index ix_application_identifiers_owner_id on camino.application_identifiers (owner_id) where owner_id is not null;
        create index ix_application_identifiers_hash on camino.application_identifiers (hash);

        -- The course of each application, written once.
        create table camino.application_events (
            application_id uuid        not null constraint fk_application_events_applications references camino.applications (id),
            sequence       integer     not null constraint ck_application_events_sequence check (sequence > 0),
            move           smallint    not null constraint ck_application_events_move check (move between 1 and 13),
            from_state     smallint    constraint ck_application_events_from_state check (from_state between 1 and 11),
            to_state       smallint    not null constraint ck_application_events_to_state check (to_state between 1 and 11),
            actor_kind     smallint    not null constraint ck_application_events_actor_kind check (actor_kind between 1 and 4),
            actor_id       uuid,
            reason         text        constraint ck_application_events_reason check (length(reason) between 1 and 500),
            at             timestamptz not null,
            constraint pk_application_events primary key (application_id, sequence)
        );
        create trigger application_events_written_once before update or delete on camino.application_events for each row execute function camino.refuse_change();
        create trigger application_events_never_emptied before truncate on camino.application_events for each statement execute function camino.refuse_change();

        -- The checks of an application. state 0: waiting, 1: running, 2: done, 3: the last attempt failed, 4: cancelled.
        create table camino.application_steps (
            id             uuid        constraint pk_application_steps primary key,
            application_id uuid        not null constraint fk_application_steps_applications references camino.applications (id),
            kind           smallint    not null constraint ck_application_steps_kind check (kind between 1 and 20),
            owner_id       uuid        constraint fk_application_steps_owners references camino.application_owners (id),
            state          smallint    not null default 0 constraint ck_application_steps_state check (state between 0 and 4),
            job_id         uuid,
            attempts       integer     not null default 0,
            problem        text        constraint ck_application_steps_problem check (length(problem) <= 300),
            result         jsonb,
            started_at     timestamptz,
            ended_at       timestamptz
        );
        create unique index ix_application_steps_one on camino.application_steps (application_id, kind, coalesce(owner_id, application_id));
        create index ix_application_steps_owner_id on camino.application_steps (owner_id) where owner_id is not null;

        -- Who waits for news of an application hears of each event and of each step that changes, when its transaction commits.
        create function camino.tell_of_application() returns trigger language plpgsql as $$
        begin
            perform pg_notify('camino_applications', new.application_id::text);
            return null;
        end
        $$;
        create trigger application_events_tell after insert on camino.application_events for each row execute function camino.tell_of_application();
        create trigger application_steps_tell after update on camino.application_steps for each row when (new.state is distinct from old.state) execute function camino.tell_of_application();

        update camino.schema_info set version = 13;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.application_steps, camino.application_events, camino.application_identifiers, camino.application_owners, camino.application_contacts, camino.applications;
        drop sequence camino.application_numbers;
        drop function camino.tell_of_application();
        drop function camino.core_words(text);
        update camino.schema_info set version = 12;
        """);
}
