using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Names, e-mail addresses and last fours can be searched: indexes on what is there, and the words of all names; adds only, so the release before works on.</summary>
/// <remarks>
/// Written by hand: none of it is in the model. The indexes are built while everybody works, outside a transaction; what an attempt that did not get its locks left behind is cleared by the next,
/// so every statement can run again.
/// </remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127150000_Search")]
public sealed class Search : Migration
{
    private static readonly string[] s_indexes =
    [
        "ix_borrowers_words on camino.borrowers using gin (camino.name_words(name, trade_name)) where merged_into is null",
        "ix_borrower_owners_words on camino.borrower_owners using gin (camino.name_words(name))",
        "ix_applications_words on camino.applications using gin (camino.name_words(name, trade_name))",
        "ix_application_owners_words on camino.application_owners using gin (camino.name_words(name))",
        """ix_borrower_contacts_email on camino.borrower_contacts (lower(value) collate "C") where kind = 2""",
        """ix_application_contacts_email on camino.application_contacts (lower(value) collate "C") where kind = 2""",
        "ix_application_identifiers_last4 on camino.application_identifiers (last4)",
    ];

    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(
            """
            create extension if not exists pg_trgm schema public;

            -- The different words of a name as they are searched for: as they are compared, with the letters that are no accents as an English keyboard writes them.
            create or replace function camino.name_words(name text, trade_name text default null) returns text[] language sql immutable parallel safe as $$
                select array(select distinct left(w.word, 40)
                    from unnest(string_to_array(translate(replace(replace(replace(camino.plain_words(name || coalesce(' ' || trade_name, '')), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'øłđðħı', 'olddhi'), ' ')) w (word)
                    where w.word <> '')
            $$;

            -- Words that stand in any name, for beginnings and for slips of the pen. Not unique: two transactions that bring the same new word wait for nobody.
            create table if not exists camino.search_words (word text collate "C" not null);
            create index if not exists ix_search_words_word on camino.search_words (word);
            create index if not exists ix_search_words_trigrams on camino.search_words using gin (word public.gin_trgm_ops);

            -- Words that may be a slip of the pen for another, the likest first. Two letters exchanged within a short word leave few of its trigrams, so the usual 0.3 would be too high.
            create or replace function camino.near_words(given text) returns text[] language sql stable set pg_trgm.similarity_threshold = 0.2 as $$
                select array(select n.word
                    from (select distinct s.word, public.similarity(s.word, given) as likeness from camino.search_words s where s.word operator(public.%) given) n
                    order by n.likeness desc, n.word limit 100)
            $$;

            create or replace function camino.keep_search_words() returns trigger language plpgsql as $$
            begin
                if tg_argv[0] = 'trade' then
                    insert into camino.search_words (word)
                    select distinct w.word from added a cross join unnest(camino.name_words(a.name, a.trade_name)) w (word)
                    where length(w.word) >= 3 and not exists (select from camino.search_words s where s.word = w.word);
                else
                    insert into camino.search_words (word)
                    select distinct w.word from added a cross join unnest(camino.name_words(a.name)) w (word)
                    where length(w.word) >= 3 and not exists (select from camino.search_words s where s.word = w.word);
                end if;
                return null;
            end
            $$;
            create or replace trigger borrowers_words_added after insert on camino.borrowers referencing new table as added for each statement execute function camino.keep_search_words('trade');
            create or replace trigger borrowers_words_changed after update on camino.borrowers referencing new table as added for each statement execute function camino.keep_search_words('trade');
            create or replace trigger borrower_owners_words_added after insert on camino.borrower_owners referencing new table as added for each statement execute function camino.keep_search_words();
            create or replace trigger borrower_owners_words_changed after update on camino.borrower_owners referencing new table as added for each statement execute function camino.keep_search_words();
            create or replace trigger applications_words_added after insert on camino.applications referencing new table as added for each statement execute function camino.keep_search_words('trade');
            create or replace trigger application_owners_words_added after insert on camino.application_owners referencing new table as added for each statement execute function camino.keep_search_words();

            do $$
            declare
                unfinished record;
            begin
                for unfinished in select i.indexrelid::regclass as name from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
                    where n.nspname = 'camino' and not i.indisvalid
                loop
                    execute format('drop index %s', unfinished.name);
                end loop;
            end
            $$;
            """);
        foreach (var index in s_indexes)
            migrationBuilder.Sql("create index concurrently if not exists " + index, suppressTransaction: true);
        migrationBuilder.Sql(
            """
            insert into camino.search_words (word)
            select distinct w.word
            from (select name, trade_name from camino.borrowers union all select name, null from camino.borrower_owners union all select name, trade_name from camino.applications union all select name, null from camino.application_owners) n
            cross join unnest(camino.name_words(n.name, n.trade_name)) w (word)
            where length(w.word) >= 3 and not exists (select from camino.search_words s where s.word = w.word)
            """, suppressTransaction: true);
        migrationBuilder.Sql("update camino.schema_info set version = 18;");
    }

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder)
    {
        foreach (var index in s_indexes)
            migrationBuilder.Sql($"drop index camino.{index.Split(' ')[0]};");
        migrationBuilder.Sql(
            """
            drop trigger borrowers_words_added on camino.borrowers;
            drop trigger borrowers_words_changed on camino.borrowers;
            drop trigger borrower_owners_words_added on camino.borrower_owners;
            drop trigger borrower_owners_words_changed on camino.borrower_owners;
            drop trigger applications_words_added on camino.applications;
            drop trigger application_owners_words_added on camino.application_owners;
            drop function camino.keep_search_words();
            drop function camino.near_words(text);
            drop table camino.search_words;
            drop function camino.name_words(text, text);
            update camino.schema_info set version = 17;
            """);
    }
}
