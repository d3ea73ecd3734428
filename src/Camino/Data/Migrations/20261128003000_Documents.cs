using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Documents about borrowers, applications and loans, with their versions, and what applicants are asked for; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128003000_Documents")]
public sealed class Documents : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- What an applicant is asked for by a link; hash: SHA-256 of the link's token.
        create table camino.document_requests (
            id             uuid        constraint pk_document_requests primary key,
            application_id uuid        not null constraint fk_document_requests_applications references camino.applications (id),
            hash           bytea       not null constraint ux_document_requests_hash unique constraint ck_document_requests_hash check (length(hash) = 32),
            kinds          smallint[]  not null constraint ck_document_requests_kinds check (cardinality(kinds) between 1 and 10),
            note           text        not null constraint ck_document_requests_note check (length(note) <= 500),
            made_at        timestamptz not null,
            made_by        uuid        not null,
            expires_at     timestamptz not null,
            ended_at       timestamptz,
            ended_by       uuid
        );
        create index ix_document_requests_application_id on camino.document_requests (application_id, id);

        -- subject as in camino.tasks; kind 0: other, 1 to 9: see DocumentKind. Removed ones stay, and so do their files.
        create table camino.documents (
            id          uuid        constraint pk_documents primary key,
            subject     smallint    not null constraint ck_documents_subject check (subject between 1 and 3),
            subject_id  uuid        not null,
            kind        smallint    not null constraint ck_documents_kind check (kind between 0 and 30),
            title       text        not null constraint ck_documents_title check (length(title) between 1 and 200),
            expires_on  date,
            added_at    timestamptz not null,
            added_by    uuid        not null,
            removed_at  timestamptz,
            removed_by  uuid,
            request_id  uuid        constraint fk_documents_document_requests references camino.document_requests (id),
            removed_why text        constraint ck_documents_removed_why check (length(removed_why) between 1 and 500)
        );
        create index ix_documents_subject on camino.documents (subject, subject_id, id) where removed_at is null;
        create index ix_documents_request_id on camino.documents (request_id) where request_id is not null;
        create index ix_documents_expires_on on camino.documents (expires_on, id) where removed_at is null and expires_on is not null;

        -- scan 0: waiting, 1: clean, 2: infected, 3: there was no scanner. object_key: where the bytes are in the store.
        create table camino.document_versions (
            id          uuid        constraint pk_document_versions primary key,
            document_id uuid        not null constraint fk_document_versions_documents references camino.documents (id),
            number      integer     not null constraint ck_document_versions_number check (number between 1 and 100),
            file_name   text        not null constraint ck_document_versions_file_name check (length(file_name) between 1 and 200),
            media_type  text        not null constraint ck_document_versions_media_type check (length(media_type) between 1 and 100),
            bytes       bigint      not null constraint ck_document_versions_bytes check (bytes > 0),
            sha256      bytea       not null constraint ck_document_versions_sha256 check (length(sha256) = 32),
            object_key  text        not null constraint ux_document_versions_object_key unique,
            scan        smallint    not null constraint ck_document_versions_scan check (scan between 0 and 3),
            scanned_at  timestamptz,
            scan_found  text        constraint ck_document_versions_scan_found check (length(scan_found) between 1 and 200),
            added_at    timestamptz not null,
            added_by    uuid        not null,
            constraint ux_document_versions_number unique (document_id, number)
        );

        -- Objects that are being stored: noted before, crossed out with the row of the version.
        create table camino.document_puts (
            object_key text        constraint pk_document_puts primary key,
            at         timestamptz not null
        );
        create index ix_document_puts_at on camino.document_puts (at);

        update camino.schema_info set version = 23;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.document_puts, camino.document_versions, camino.documents, camino.document_requests;
        update camino.schema_info set version = 22;
        """);
}
