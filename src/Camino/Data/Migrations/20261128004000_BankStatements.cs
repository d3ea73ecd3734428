using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Bank statements of applications, their lines and what they come to; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128004000_BankStatements")]
public sealed class BankStatements : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- state 0: received, 1: a job reads it, 2: read, 3: refused. last4 and dates: what was said when it was handed in. Of account numbers nothing but the last four is kept.
        create table camino.application_statements (
            id             uuid        constraint pk_application_statements primary key,
            application_id uuid        not null constraint fk_application_statements_applications references camino.applications (id),
            file_name      text        not null constraint ck_application_statements_file_name check (length(file_name) between 1 and 255),
            size_bytes     bigint      not null constraint ck_application_statements_size_bytes check (size_bytes between 1 and 5242880),
            sha256         bytea       not null constraint ck_application_statements_sha256 check (length(sha256) = 32),
            state          smallint    not null constraint ck_application_statements_state check (state between 0 and 3),
            last4          text        constraint ck_application_statements_last4 check (length(last4) between 1 and 4),
            dates          smallint    constraint ck_application_statements_dates check (dates between 1 and 2),
            shape          jsonb,
            problem        jsonb,
            line_count     integer     not null default 0,
            received_at    timestamptz not null,
            received_by    uuid        not null,
            ended_at       timestamptz,
            constraint ck_application_statements_problem_state check ((state = 3) = (problem is not null))
        );
        create index ix_application_statements_application_id on camino.application_statements (application_id, id);
        create unique index ux_application_statements_content on camino.application_statements (application_id, sha256) where state <> 3;

        create table camino.application_statement_accounts (
            statement_id  uuid     not null constraint fk_application_statement_accounts_application_statements references camino.application_statements (id) on delete cascade,
            number        smallint not null constraint ck_application_statement_accounts_number check (number between 1 and 20),
            last4         text     constraint ck_application_statement_accounts_last4 check (length(last4) between 1 and 4),
            kind          smallint not null constraint ck_application_statement_accounts_kind check (kind between 0 and 6),
            from_on       date     not null,
            to_on         date     not null,
            stated_on     date,
            stated_amount numeric(14, 2),
            constraint pk_application_statement_accounts primary key (statement_id, number),
            constraint ck_application_statement_accounts_period check (from_on <= to_on),
            constraint ck_application_statement_accounts_stated check ((stated_on is null) = (stated_amount is null))
        );

        -- bank_id is what the bank's own id hashes to. marks and lender say what a line counts as among all statements of its application; they are reckoned anew when one is added or removed.
        create table camino.application_statement_lines (
            id             uuid           constraint pk_application_statement_lines primary key,
            application_id uuid           not null,
            statement_id   uuid           not null,
            account        smallint       not null,
            number         integer        not null,
            posted_on      date           not null,
            amount         numeric(14, 2) not null,
            text           text           not null constraint ck_application_statement_lines_text check (length(text) <= 500),
            bank_id        text           constraint ck_application_statement_lines_bank_id check (length(bank_id) = 32),
            is_transfer    boolean        not null,
            balance        numeric(14, 2),
            marks          integer        not null default 0,
            lender         text           constraint ck_application_statement_lines_lender check (length(lender) between 1 and 100),
            constraint fk_application_statement_lines_accounts foreign key (statement_id, account) references camino.application_statement_accounts (statement_id, number) on delete cascade
        );
        create unique index ux_application_statement_lines_number on camino.application_statement_lines (statement_id, account, number);
        create index ix_application_statement_lines_posted_on on camino.application_statement_lines (application_id, posted_on, id);

        -- What all statements of an application come to, as of the last that was added or removed.
        create table camino.application_cash_flows (
            application_id uuid        constraint pk_application_cash_flows primary key constraint fk_application_cash_flows_applications references camino.applications (id),
            figures        jsonb       not null,
            reckoned_at    timestamptz not null
        );

        update camino.schema_info set version = 24;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.application_cash_flows, camino.application_statement_lines, camino.application_statement_accounts, camino.application_statements;
        update camino.schema_info set version = 23;
        """);
}
