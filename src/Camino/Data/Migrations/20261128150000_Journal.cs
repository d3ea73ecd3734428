using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Entries of the house's ledger that accountants make by hand, apart from those of the loans. Adds only; the release before shows a trial balance without them and cannot list requests for them: nobody asks for one before every process is of this release.</summary>
/// <remarks>Written by hand: entries are rows for SQL, not entities.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128150000_Journal")]
public sealed class Journal : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- An entry stands here when a second person has approved it, and never changes: it is taken back by another one.
        create table camino.journal_entries (
            id           uuid        constraint pk_journal_entries primary key,
            number       bigint      not null generated always as identity constraint ux_journal_entries_number unique,
            posted_on    date        not null,
            effective_on date        not null constraint ck_journal_entries_effective_on check (effective_on <= posted_on),
            memo         text        not null constraint ck_journal_entries_memo check (length(memo) between 3 and 300),
            reverses     uuid        constraint fk_journal_entries_reverses references camino.journal_entries (id) constraint ux_journal_entries_reverses unique,
            lines        smallint    not null constraint ck_journal_entries_lines check (lines between 2 and 20),
            approval_id  uuid        not null constraint fk_journal_entries_approvals references camino.approvals (id) constraint ux_journal_entries_approval_id unique,
            asked_by     uuid        not null,
            approved_by  uuid        not null constraint ck_journal_entries_second_person check (approved_by <> asked_by),
            posted_at    timestamptz not null
        );
        create index ix_journal_entries_posted_on on camino.journal_entries (posted_on, id);

        -- amount: dollars; above zero a debit, below zero a credit.
        create table camino.journal_lines (
            entry_id uuid           not null constraint fk_journal_lines_journal_entries references camino.journal_entries (id),
            line     smallint       not null constraint ck_journal_lines_line check (line between 1 and 20),
            account  text           not null constraint ck_journal_lines_account check (length(account) between 1 and 40),
            amount   numeric(16, 2) not null constraint ck_journal_lines_amount check (amount <> 0),
            constraint pk_journal_lines primary key (entry_id, line),
            constraint ux_journal_lines_account unique (entry_id, account)
        );
        create index ix_journal_lines_account on camino.journal_lines (account, entry_id) include (amount);

        create trigger journal_entries_written_once before update or delete on camino.journal_entries for each row execute function camino.refuse_change();
        create trigger journal_entries_never_emptied before truncate on camino.journal_entries for each statement execute function camino.refuse_change();
        create trigger journal_lines_written_once before update or delete on camino.journal_lines for each row execute function camino.refuse_change();
        create trigger journal_lines_never_emptied before truncate on camino.journal_lines for each statement execute function camino.refuse_change();

        -- An entry has as many lines as it says, and they come to zero when everything of it is there: none is added later.
        create function camino.check_journal_balance() returns trigger language plpgsql as $$
        declare
            wanted uuid := case tg_table_name when 'journal_lines' then (to_jsonb(new) ->> 'entry_id')::uuid else (to_jsonb(new) ->> 'id')::uuid end;
            total  numeric;
            found  bigint;
            said   smallint;
        begin
            select sum(amount), count(*) into total, found from camino.journal_lines where entry_id = wanted;
            select lines into said from camino.journal_entries where id = wanted;
            if found <> said or total <> 0 then
                raise exception 'journal entry % has % lines that come to %; % that come to 0 are needed', wanted, found, coalesce(total, 0), said using errcode = 'check_violation';
            end if;
            return null;
        end $$;
        create constraint trigger journal_entries_balanced after insert on camino.journal_entries deferrable initially deferred for each row execute function camino.check_journal_balance();
        create constraint trigger journal_lines_balanced after insert on camino.journal_lines deferrable initially deferred for each row execute function camino.check_journal_balance();

        update camino.schema_info set version = 34;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.journal_lines, camino.journal_entries;
        drop function camino.check_journal_balance();
        update camino.schema_info set version = 33;
        """);
}
