using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Papers of applications, links by which an offer is accepted, the evidence of signatures, and messages to applicants; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128061000_Papers")]
public sealed class Papers : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- kind 1: offer, 2: approval, 3: contract, 4: decline. state 0: being made, 1: made, 2: the last attempt failed. number: of the offer, or of the event that declined the application. figures: what it says, without whom it is about.
        create table camino.application_papers (
            id             uuid        constraint pk_application_papers primary key,
            application_id uuid        not null constraint fk_application_papers_applications references camino.applications (id),
            kind           smallint    not null constraint ck_application_papers_kind check (kind between 1 and 20),
            number         integer     not null constraint ck_application_papers_number check (number > 0),
            language       text        not null constraint ck_application_papers_language check (language in ('en', 'es')),
            template       text        not null constraint ck_application_papers_template check (length(template) between 1 and 40),
            state          smallint    not null default 0 constraint ck_application_papers_state check (state between 0 and 2),
            problem        text        constraint ck_application_papers_problem check (length(problem) between 1 and 300),
            asked_on       date        not null,
            asked_at       timestamptz not null,
            asked_by       uuid        not null,
            job_id         uuid        not null,
            made_at        timestamptz,
            document_id    uuid        constraint ux_application_papers_document_id unique constraint fk_application_papers_documents references camino.documents (id),
            sha256         bytea       constraint ck_application_papers_sha256 check (length(sha256) = 32),
            figures        jsonb       constraint ck_application_papers_figures check (jsonb_typeof(figures) = 'object'),
            constraint ck_application_papers_made check ((state = 1) = (made_at is not null) and (state = 1) = (document_id is not null) and (state = 1) = (sha256 is not null) and (state = 1) = (figures is not null)),
            constraint ux_application_papers_one unique (application_id, kind, number, language)
        );
        create index ix_application_papers_application_id on camino.application_papers (application_id, id);
        create trigger application_papers_made_once before update on camino.application_papers for each row when (old.state = 1) execute function camino.refuse_change();
        create trigger application_papers_never_removed before delete on camino.application_papers for each row execute function camino.refuse_change();

        -- A link by which the applicant looks at one offer and accepts it. What is signed into the link is its id alone.
        create table camino.offer_links (
            id             uuid        constraint pk_offer_links primary key,
            application_id uuid        not null constraint fk_offer_links_applications references camino.applications (id),
            offer_number   smallint    not null constraint ck_offer_links_offer_number check (offer_number between 1 and 20),
            made_at        timestamptz not null,
            made_by        uuid        not null,
            expires_at     timestamptz not null constraint ck_offer_links_expires_at check (expires_at > made_at),
            opened_at      timestamptz,
            ended_at       timestamptz,
            ended_by       uuid
        );
        create index ix_offer_links_application_id on camino.offer_links (application_id, offer_number, id);
        create unique index ux_offer_links_open on camino.offer_links (application_id, offer_number) where ended_at is null;

        -- What was recorded when an offer was signed, written once. sealed_name and sealed_from: the name as it was typed, and where it came from.
        create table camino.application_signatures (
            id             uuid        constraint pk_application_signatures primary key,
            application_id uuid        not null constraint fk_application_signatures_applications references camino.applications (id),
            offer_number   smallint    not null,
            link_id        uuid        not null constraint fk_application_signatures_offer_links references camino.offer_links (id),
            paper_id       uuid        not null constraint fk_application_signatures_application_papers references camino.application_papers (id),
            sha256         bytea       not null constraint ck_application_signatures_sha256 check (length(sha256) = 32),
            language       text        not null constraint ck_application_signatures_language check (language in ('en', 'es')),
            consent        text        not null constraint ck_application_signatures_consent check (length(consent) between 1 and 40),
            sealed_name    bytea       not null,
            sealed_from    bytea       not null,
            signed_at      timestamptz not null,
            constraint ux_application_signatures_application_id_offer_number unique (application_id, offer_number)
        );
        create index ix_application_signatures_link_id on camino.application_signatures (link_id);
        create index ix_application_signatures_paper_id on camino.application_signatures (paper_id);
        create trigger application_signatures_written_once before update or delete on camino.application_signatures for each row execute function camino.refuse_change();
        create trigger application_signatures_never_emptied before truncate on camino.application_signatures for each statement execute function camino.refuse_change();

        -- What an applicant was written. kind 1: offer, 2: decision, 3: documents. channel 1: e-mail, 2: text message. state 0: queued, 1: sent, 2: the last attempt failed. position: of the contact that it goes to. sealed_link: until it was sent.
        create table camino.application_messages (
            id             uuid        constraint pk_application_messages primary key,
            application_id uuid        not null constraint fk_application_messages_applications references camino.applications (id),
            kind           smallint    not null constraint ck_application_messages_kind check (kind between 1 and 20),
            channel        smallint    not null constraint ck_application_messages_channel check (channel in (1, 2)),
            number         integer     not null constraint ck_application_messages_number check (number > 0),
            position       smallint    not null,
            language       text        not null constraint ck_application_messages_language check (language in ('en', 'es')),
            template       text        not null constraint ck_application_messages_template check (length(template) between 1 and 40),
            sealed_link    bytea,
            until          date,
            state          smallint    not null default 0 constraint ck_application_messages_state check (state between 0 and 2),
            attempts       integer     not null default 0,
            problem        text        constraint ck_application_messages_problem check (length(problem) between 1 and 300),
            asked_at       timestamptz not null,
            asked_by       uuid        not null,
            sent_at        timestamptz,
            constraint ck_application_messages_sent check ((state = 1) = (sent_at is not null) and (state <> 1 or sealed_link is null))
        );
        create index ix_application_messages_application_id on camino.application_messages (application_id, id);

        -- Every question to a service that sends messages with its answer, written once, sealed as those of the checks.
        create table camino.message_exchanges (
            id           uuid        constraint pk_message_exchanges primary key,
            message_id   uuid        not null constraint fk_message_exchanges_application_messages references camino.application_messages (id),
            provider     text        not null constraint ck_message_exchanges_provider check (length(provider) between 1 and 40),
            asked_at     timestamptz not null,
            status       integer,
            milliseconds integer     not null,
            sealed       bytea       not null
        );
        create index ix_message_exchanges_message_id on camino.message_exchanges (message_id, id);
        create trigger message_exchanges_written_once before update or delete on camino.message_exchanges for each row execute function camino.refuse_change();
        create trigger message_exchanges_never_emptied before truncate on camino.message_exchanges for each statement execute function camino.refuse_change();

        -- How an applicant wants to be written to; without a row both ways.
        create table camino.application_contact_choices (
            application_id uuid        constraint pk_application_contact_choices primary key constraint fk_application_contact_choices_applications references camino.applications (id),
            email          boolean     not null,
            text           boolean     not null,
            chosen_at      timestamptz not null,
            chosen_by      uuid        not null
        );

        update camino.schema_info set version = 27;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.application_contact_choices, camino.message_exchanges, camino.application_messages, camino.application_signatures, camino.offer_links, camino.application_papers;
        update camino.schema_info set version = 26;
        """);
}
