using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Bank accounts of applicants; adds only, so the release before works on.</summary>
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

        update camino.schema_info set version = 30;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.application_accounts;
        update camino.schema_info set version = 29;
        """);
}
