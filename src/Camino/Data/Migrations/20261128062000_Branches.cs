using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Branches and who is bound to them, merges of borrowers with their way back, and saved filters; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model. Rows that are there belong to no branch, which is the whole house's.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128062000_Branches")]
public sealed class Branches : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- parent_id: the branch of which this is a team; teams have no teams. Branches are closed, never removed, so that what is in one always has it.
        create table camino.branches (
            id         uuid        constraint pk_branches primary key,
            code       text        collate "C" not null constraint ux_branches_code unique constraint ck_branches_code check (code ~ '^[A-Z0-9][A-Z0-9-]{0,19}$'),
            name       text        not null constraint ck_branches_name check (length(name) between 1 and 100),
            parent_id  uuid        constraint fk_branches_parent references camino.branches (id) constraint ck_branches_parent check (parent_id <> id),
            version    integer     not null default 1,
            created_at timestamptz not null,
            created_by uuid,
            closed_at  timestamptz
        );
        create index ix_branches_parent_id on camino.branches (parent_id) where parent_id is not null;
        create trigger branches_never_removed before delete on camino.branches for each row execute function camino.refuse_change();
        create trigger branches_never_emptied before truncate on camino.branches for each statement execute function camino.refuse_change();

        -- Who sees these branches, their teams and what belongs to the whole house, and nothing else. Without a row: everything.
        create table camino.staff_branches (
            user_id   uuid not null constraint fk_staff_branches_users references camino.staff_users (id) on delete cascade,
            branch_id uuid not null constraint fk_staff_branches_branches references camino.branches (id),
            constraint pk_staff_branches primary key (user_id, branch_id)
        );
        create index ix_staff_branches_branch_id on camino.staff_branches (branch_id);

        create table camino.api_client_branches (
            client_id uuid not null constraint fk_api_client_branches_clients references camino.api_clients (id) on delete cascade,
            branch_id uuid not null constraint fk_api_client_branches_branches references camino.branches (id),
            constraint pk_api_client_branches primary key (client_id, branch_id)
        );
        create index ix_api_client_branches_branch_id on camino.api_client_branches (branch_id);

        -- Null: of the whole house.
        alter table camino.borrowers add column branch_id uuid;
        alter table camino.applications add column branch_id uuid;
        alter table camino.imports add column branch_id uuid;

        -- Which loan is in which branch, beside the loans: of the own book and of portfolios. Without a row: of the whole house.
        create table camino.loan_branches (
            loan_id   uuid constraint pk_loan_branches primary key,
            branch_id uuid not null constraint fk_loan_branches_branches references camino.branches (id)
        );
        create index ix_loan_branches_branch_id on camino.loan_branches (branch_id, loan_id);

        -- Two borrowers that became one. record: what the survivor was and what was moved, so that it can be undone until undo_until.
        create table camino.borrower_merges (
            id          uuid        constraint pk_borrower_merges primary key,
            survivor_id uuid        not null constraint fk_borrower_merges_survivor references camino.borrowers (id),
            gone_id     uuid        not null constraint fk_borrower_merges_gone references camino.borrowers (id) constraint ck_borrower_merges_two check (gone_id <> survivor_id),
            reason      text        not null constraint ck_borrower_merges_reason check (length(reason) between 3 and 300),
            merged_at   timestamptz not null,
            merged_by   uuid        not null,
            undo_until  timestamptz not null,
            record      jsonb       not null constraint ck_borrower_merges_record check (jsonb_typeof(record) = 'object'),
            undone_at   timestamptz,
            undone_by   uuid,
            constraint ck_borrower_merges_undone check ((undone_at is null) = (undone_by is null))
        );
        create index ix_borrower_merges_survivor_id on camino.borrower_merges (survivor_id, id);
        create unique index ux_borrower_merges_gone on camino.borrower_merges (gone_id) where undone_at is null;

        -- query: the address of the list behind its question mark. shared_with: everybody of this branch sees it; all_staff: everybody.
        create table camino.saved_filters (
            id          uuid        constraint pk_saved_filters primary key,
            owner_id    uuid        not null constraint fk_saved_filters_owner references camino.staff_users (id) on delete cascade,
            list        text        not null constraint ck_saved_filters_list check (length(list) between 1 and 20),
            name        text        not null constraint ck_saved_filters_name check (length(name) between 1 and 60),
            query       text        not null constraint ck_saved_filters_query check (length(query) between 1 and 2000),
            shared_with uuid        constraint fk_saved_filters_branches references camino.branches (id),
            all_staff   boolean     not null default false,
            is_default  boolean     not null default false,
            created_at  timestamptz not null,
            constraint ck_saved_filters_shared check (not all_staff or shared_with is null)
        );
        create unique index ux_saved_filters_name on camino.saved_filters (owner_id, list, lower(name));
        create unique index ux_saved_filters_default on camino.saved_filters (owner_id, list) where is_default;
        create index ix_saved_filters_shared on camino.saved_filters (list, shared_with) where all_staff or shared_with is not null;

        update camino.schema_info set version = 28;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.saved_filters, camino.borrower_merges, camino.loan_branches, camino.api_client_branches, camino.staff_branches;
        alter table camino.borrowers drop column branch_id;
        alter table camino.applications drop column branch_id;
        alter table camino.imports drop column branch_id;
        drop table camino.branches;
        update camino.schema_info set version = 27;
        """);
}
