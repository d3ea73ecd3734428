using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Audit entries say from where. Adds only, so the release before works on: its entries say no place.</summary>
/// <remarks>The hash covers the place where there is one; that of an entry without one is as before.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127145000_AuditOrigin")]
public sealed class AuditOrigin : Migration
{
    private const string Chain =
        """
        create or replace function camino.chain_audit_entry() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
        declare
            entry bytea := convert_to(concat_ws(chr(31), new.id, (extract(epoch from new.at) * 1000000)::bigint, coalesce(new.user_id::text, ''), new.action, new.subject, new.subject_id, new.details{0}), 'UTF8');
        begin
            insert into camino.audit_heads as head (subject, subject_id, chain_position, chain_hash) values (new.subject, new.subject_id, 1, sha256(entry))
            on conflict (subject, subject_id) do update set chain_position = head.chain_position + 1, chain_hash = sha256(head.chain_hash || entry)
            returning head.chain_position, head.chain_hash into new.chain_position, new.chain_hash;
            return new;
        end $$;
        """;

    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("alter table camino.audit_entries add column origin text, add constraint ck_audit_entries_origin check (length(origin) between 1 and 45) not valid");
        migrationBuilder.Sql(Chain.Replace("{0}", ", new.origin", StringComparison.Ordinal) + " update camino.schema_info set version = 16;");
    }

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql(Chain.Replace("{0}", "", StringComparison.Ordinal) + " alter table camino.audit_entries drop column origin; update camino.schema_info set version = 15;");
}
