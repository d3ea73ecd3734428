using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Chains the audit trail: each entry carries the hash of itself and of the entry before it about the same subject. Adds only, so the release before works on; its entries are chained too.</summary>
/// <remarks>Written by hand: the chain is the database's own business, and none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261126170500_AuditChain")]
public sealed class AuditChain : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        alter table camino.audit_entries add column chain_position bigint, add column chain_hash bytea;

        -- How far each stream has come; nobody but the trigger writes here. The row without a subject says how many entries are older than the chain.
        create table camino.audit_heads (
            subject        text   not null,
            subject_id     text   not null,
            chain_position bigint not null,
            chain_hash     bytea  not null,
            constraint pk_audit_heads primary key (subject, subject_id)
        );

        create function camino.chain_audit_entry() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
        declare
            entry bytea := convert_to(concat_ws(chr(31), new.id, (extract(epoch from new.at) * 1000000)::bigint, coalesce(new.user_id::text, ''), new.action, new.subject, new.subject_id, new.details), 'UTF8');
        begin
            insert into camino.audit_heads as head (subject, subject_id, chain_position, chain_hash) values (new.subject, new.subject_id, 1, sha256(entry))
            on conflict (subject, subject_id) do update set chain_position = head.chain_position + 1, chain_hash = sha256(head.chain_hash || entry)
            returning head.chain_position, head.chain_hash into new.chain_position, new.chain_hash;
            return new;
        end $$;

        create trigger audit_entries_chained before insert on camino.audit_entries for each row execute function camino.chain_audit_entry();
        create trigger audit_entries_not_emptied before truncate on camino.audit_entries for each statement execute function camino.refuse_change();
        insert into camino.audit_heads (subject, subject_id, chain_position, chain_hash) select '', '', count(*), '' from camino.audit_entries;

        update camino.schema_info set version = 6;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop trigger audit_entries_not_emptied on camino.audit_entries;
        drop trigger audit_entries_chained on camino.audit_entries;
        drop function camino.chain_audit_entry();
        drop table camino.audit_heads;
        alter table camino.audit_entries drop column chain_hash, drop column chain_position;
        update camino.schema_info set version = 5;
        """);
}
