using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Sanctions lists, screenings of names against them, and the review of what was found; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model, for lists go in by COPY and are read as a whole.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127024500_Screening")]
public sealed class Screening : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- One row for each version of the lists that was taken in; the highest number is the one in force.
        create table camino.watch_lists (
            number      integer     constraint pk_watch_lists primary key constraint ck_watch_lists_number check (number > 0),
            hash        bytea       not null,
            source      text        not null,
            imported_at timestamptz not null,
            imported_by uuid,
            entries     integer     not null,
            other_names integer     not null,
            addresses   integer     not null,
            added       integer     not null,
            removed     integer     not null,
            changed     integer     not null
        );

        -- The entries of the version in force.
        create table camino.watch_entries (
            list      text    not null,
            entry     integer not null,
            kind      smallint not null,
            programme text    not null,
            remarks   text    not null,
            hash      bytea   not null,
            constraint pk_watch_entries primary key (list, entry)
        );
        create table camino.watch_names (
            list     text     not null,
            entry    integer  not null,
            position integer  not null,
            kind     smallint not null,
            name     text     not null,
            constraint pk_watch_names primary key (list, entry, position)
        );
        create table camino.watch_addresses (
            list     text    not null,
            entry    integer not null,
            position integer not null,
            street   text    not null,
            place    text    not null,
            country  text    not null,
            constraint pk_watch_addresses primary key (list, entry, position)
        );

        -- What each version changed against the one before; the first version has no rows here.
        create table camino.watch_changes (
            list_number integer  not null constraint fk_watch_changes_list references camino.watch_lists,
            list        text     not null,
            entry       integer  not null,
            change      smallint not null constraint ck_watch_changes_change check (change in (0, 1, 2)),
            name        text     not null,
            constraint pk_watch_changes primary key (list_number, list, entry)
        );

        -- One look through all borrowers.
        create table camino.screening_runs (
            id          uuid        constraint pk_screening_runs primary key,
            list_number integer     not null constraint fk_screening_runs_list references camino.watch_lists,
            asked_at    timestamptz not null,
            asked_by    uuid,
            finished_at timestamptz,
            names       bigint      not null default 0,
            hits        bigint      not null default 0,
            known       bigint      not null default 0,
            superseded  boolean     not null default false
        );

        create table camino.screenings (
            id          uuid        constraint pk_screenings primary key,
            list_number integer     not null constraint fk_screenings_list references camino.watch_lists,
            run_id      uuid        constraint fk_screenings_run references camino.screening_runs,
            loan_id     uuid,
            asked_at    timestamptz not null,
            asked_by    uuid,
            name        text        not null constraint ck_screenings_name check (length(name) between 1 and 300),
            kind        smallint    not null,
            birth_date  date,
            country     text        not null default '',
            threshold   smallint    not null constraint ck_screenings_threshold check (threshold between 60 and 100),
            best        smallint    not null,
            hits        integer     not null
        );

        -- state: 0 open, 1 clear proposed, 2 confirm proposed, 3 cleared, 4 confirmed.
        create table camino.screening_hits (
            id           uuid        constraint pk_screening_hits primary key,
            screening_id uuid        not null constraint fk_screening_hits_screening references camino.screenings,
            list         text        not null,
            entry        integer     not null,
            score        smallint    not null constraint ck_screening_hits_score check (score between 0 and 100),
            name_score   smallint    not null,
            listed_name  text        not null,
            why          jsonb       not null,
            state        smallint    not null default 0 constraint ck_screening_hits_state check (state between 0 and 4),
            reason       text        not null default '',
            proposed_by  uuid,
            proposed_at  timestamptz,
            decided_by   uuid,
            decided_at   timestamptz,
            match_key    bytea,
            constraint ck_screening_hits_two_people check (state < 3 or (proposed_by is not null and decided_by is not null and decided_by <> proposed_by))
        );
        create index ix_screening_hits_screening_id on camino.screening_hits (screening_id);
        create index ix_screening_hits_open on camino.screening_hits (id) where state < 3;
        create unique index ux_screening_hits_match_key on camino.screening_hits (match_key) where match_key is not null;

        update camino.schema_info set version = 12;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.screening_hits, camino.screenings, camino.screening_runs, camino.watch_changes, camino.watch_addresses, camino.watch_names, camino.watch_entries, camino.watch_lists;
        update camino.schema_info set version = 11;
        """);
}
