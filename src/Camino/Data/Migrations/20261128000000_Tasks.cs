using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Tasks of the staff with what happened to each, and notes about borrowers, applications and loans; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128000000_Tasks")]
public sealed class Tasks : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- subject 1: borrower, 2: application, 3: loan of the serviced book. state 0: open, 1: done, 2: cancelled.
        -- created_by is a user or an API client, null: Camino itself; then source says why, and there is one open task of a source, and said names the text of the title.
        create table camino.tasks (
            id         uuid        constraint pk_tasks primary key,
            subject    smallint    constraint ck_tasks_subject check (subject between 1 and 3),
            subject_id uuid,
            title      text        not null constraint ck_tasks_title check (length(title) between 1 and 200),
            detail     text        not null constraint ck_tasks_detail check (length(detail) <= 4000),
            due_on     date,
            due_sort   date        not null generated always as (coalesce(due_on, date '9999-12-31')) stored,
            assignee   uuid        constraint fk_tasks_staff_users references camino.staff_users (id),
            state      smallint    not null default 0 constraint ck_tasks_state check (state between 0 and 2),
            created_at timestamptz not null,
            created_by uuid,
            ended_at   timestamptz,
            ended_by   uuid,
            source     text        constraint ck_tasks_source check (length(source) between 1 and 100),
            said       text        constraint ck_tasks_said check (length(said) between 1 and 100),
            version    integer     not null default 1,
            constraint ck_tasks_subject_id check ((subject is null) = (subject_id is null)),
            constraint ck_tasks_ended check ((state = 0) = (ended_at is null))
        );
        create index ix_tasks_assignee_due on camino.tasks (assignee, due_sort, id) where state = 0;
        create index ix_tasks_due on camino.tasks (due_sort, id) where state = 0;
        create index ix_tasks_unassigned on camino.tasks (due_sort, id) where state = 0 and assignee is null;
        create index ix_tasks_created_by_due on camino.tasks (created_by, due_sort, id) where state = 0;
        create index ix_tasks_assignee_over on camino.tasks (assignee, id) where state > 0;
        create index ix_tasks_over on camino.tasks (id) where state > 0;
        create index ix_tasks_created_by_over on camino.tasks (created_by, id) where state > 0;
        create index ix_tasks_subject on camino.tasks (subject, subject_id, due_sort, id) where subject is not null;
        create unique index ux_tasks_source on camino.tasks (source) where state = 0 and source is not null;
        create index ix_tasks_source_over on camino.tasks (source, ended_at) where state > 0 and source is not null;

        -- act 1: added, 2: assigned, 3: due, 4: comment, 5: done, 6: cancelled, 7: reopened.
        create table camino.task_entries (
            id       uuid        constraint pk_task_entries primary key,
            task_id  uuid        not null constraint fk_task_entries_tasks references camino.tasks (id),
            act      smallint    not null constraint ck_task_entries_act check (act between 1 and 7),
            at       timestamptz not null,
            by       uuid,
            text     text        constraint ck_task_entries_text check (length(text) between 1 and 4000),
            assignee uuid,
            due_on   date
        );
        create index ix_task_entries_task_id on camino.task_entries (task_id, id);

        create table camino.notes (
            id         uuid        constraint pk_notes primary key,
            subject    smallint    not null constraint ck_notes_subject check (subject between 1 and 3),
            subject_id uuid        not null,
            text       text        not null constraint ck_notes_text check (length(text) between 1 and 4000),
            at         timestamptz not null,
            by         uuid        not null,
            mentions   uuid[]      not null constraint ck_notes_mentions check (cardinality(mentions) <= 20),
            removed_at timestamptz,
            removed_by uuid
        );
        create index ix_notes_subject on camino.notes (subject, subject_id, id) where removed_at is null;

        update camino.schema_info set version = 22;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.notes, camino.task_entries, camino.tasks;
        update camino.schema_info set version = 21;
        """);
}
