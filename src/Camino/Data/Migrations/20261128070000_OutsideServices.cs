using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Bank accounts of applicants, what was read out of documents, and envelopes of the signature service; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128070000_OutsideServices")]
public sealed class OutsideServices : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- The bank account of an application. id: of this entry. sealed: the number, for the borrower that is to come; sealed_question: the same for whoever asks the bank, until it answered or the application ended.
        create table camino.application_accounts (
            application_id  uuid        constraint pk_application_accounts primary key constraint fk_application_accounts_applications references camino.applications (id),
            id              uuid        not null constraint ux_application_accounts_id unique,
            holder          text        not null constraint ck_application_accounts_holder check (length(holder) between 1 and 200),
            routing         text        not null constraint ck_application_accounts_routing check (routing ~ '^[0-9]{9}$'),
            sealed          bytea       not null,
            sealed_question bytea,
            last4           text        collate "C" not null constraint ck_application_accounts_last4 check (last4 ~ '^[0-9]{4}$'),
            given_at        timestamptz not null,
            given_by        uuid        not null,
            outcome         text        constraint ck_application_accounts_outcome check (outcome in ('verified', 'nameDiffers', 'closed', 'notFound')),
            name_match      smallint    constraint ck_application_accounts_name_match check (name_match between 0 and 100),
            checked_at      timestamptz,
            constraint ck_application_accounts_checked check ((outcome is null) = (checked_at is null) and (outcome is null or sealed_question is null))
        );

        -- What an outside service read out of a version of a document. state 0: queued, 1: the service has the file, 2: read, 3: the last attempt failed. sealed: the fields, under the key of the exchanges. agrees, differs: names of fields.
        create table camino.document_readings (
            id             uuid        constraint pk_document_readings primary key,
            version_id     uuid        not null constraint ux_document_readings_version_id unique constraint fk_document_readings_document_versions references camino.document_versions (id),
            application_id uuid        not null constraint fk_document_readings_applications references camino.applications (id),
            state          smallint    not null default 0 constraint ck_document_readings_state check (state between 0 and 3),
            attempts       integer     not null default 0,
            problem        text        constraint ck_document_readings_problem check (length(problem) between 1 and 300),
            asked_at       timestamptz not null,
            asked_by       uuid        not null,
            handed_at      timestamptz,
            read_at        timestamptz,
            sealed         bytea,
            agrees         text[]      not null default '{}',
            differs        text[]      not null default '{}',
            constraint ck_document_readings_read check ((state = 2) = (read_at is not null) and (state = 2) = (sealed is not null))
        );
        create index ix_document_readings_application_id on camino.document_readings (application_id);

        -- Every question to the service that reads documents with its answer, written once, sealed as those of the checks.
        create table camino.document_exchanges (
            id           uuid        constraint pk_document_exchanges primary key,
            reading_id   uuid        not null constraint fk_document_exchanges_document_readings references camino.document_readings (id),
            provider     text        not null constraint ck_document_exchanges_provider check (length(provider) between 1 and 40),
            asked_at     timestamptz not null,
            status       integer,
            milliseconds integer     not null,
            sealed       bytea       not null
        );
        create index ix_document_exchanges_reading_id on camino.document_exchanges (reading_id, id);
        create trigger document_exchanges_written_once before update or delete on camino.document_exchanges for each row execute function camino.refuse_change();
        create trigger document_exchanges_never_emptied before truncate on camino.document_exchanges for each statement execute function camino.refuse_change();

        -- An offer that the signature service has signed. state 0: queued, 1: out, 2: signed, 3: declined, 4: ended without a signature, 5: the last attempt failed. link_id: the link of the offer that it is. sealed_signer: name and e-mail address of who is to sign.
        create table camino.signature_envelopes (
            id             uuid        constraint pk_signature_envelopes primary key,
            application_id uuid        not null constraint fk_signature_envelopes_applications references camino.applications (id),
            offer_number   smallint    not null constraint ck_signature_envelopes_offer_number check (offer_number between 1 and 20),
            link_id        uuid        not null constraint ux_signature_envelopes_link_id unique constraint fk_signature_envelopes_offer_links references camino.offer_links (id),
            language       text        not null constraint ck_signature_envelopes_language check (language in ('en', 'es')),
            sealed_signer  bytea       not null,
            state          smallint    not null default 0 constraint ck_signature_envelopes_state check (state between 0 and 5),
            attempts       integer     not null default 0,
            problem        text        constraint ck_signature_envelopes_problem check (length(problem) between 1 and 300),
            asked_at       timestamptz not null,
            asked_by       uuid        not null,
            handed_at      timestamptz,
            ended_at       timestamptz,
            constraint ck_signature_envelopes_ended check ((state in (2, 3, 4)) = (ended_at is not null))
        );
        create index ix_signature_envelopes_application_id on camino.signature_envelopes (application_id, offer_number, id);

        -- Every question to the signature service with its answer, the proof among them, written once, sealed as those of the checks.
        create table camino.signature_exchanges (
            id           uuid        constraint pk_signature_exchanges primary key,
            envelope_id  uuid        not null constraint fk_signature_exchanges_signature_envelopes references camino.signature_envelopes (id),
            provider     text        not null constraint ck_signature_exchanges_provider check (length(provider) between 1 and 40),
            asked_at     timestamptz not null,
            status       integer,
            milliseconds integer     not null,
            sealed       bytea       not null
        );
        create index ix_signature_exchanges_envelope_id on camino.signature_exchanges (envelope_id, id);
        create trigger signature_exchanges_written_once before update or delete on camino.signature_exchanges for each row execute function camino.refuse_change();
        create trigger signature_exchanges_never_emptied before truncate on camino.signature_exchanges for each statement execute function camino.refuse_change();

        update camino.schema_info set version = 30;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.signature_exchanges, camino.signature_envelopes, camino.document_exchanges, camino.document_readings, camino.application_accounts;
        update camino.schema_info set version = 29;
        """);
}
