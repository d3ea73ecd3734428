using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Audit entries are found by who and by what. The trail is written to meanwhile.</summary>
/// <remarks>No statement here runs in a transaction, so each can be run again: whoever is killed half way leaves an index that counts for nothing, and it is made anew.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127145100_AuditIndexes")]
public sealed class AuditIndexes : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("alter table camino.audit_entries validate constraint ck_audit_entries_origin", suppressTransaction: true);
        migrationBuilder.Sql("drop index concurrently if exists camino.ix_audit_entries_user_id_id", suppressTransaction: true);
        migrationBuilder.Sql("create index concurrently ix_audit_entries_user_id_id on camino.audit_entries (user_id, id)", suppressTransaction: true);
        migrationBuilder.Sql("drop index concurrently if exists camino.ix_audit_entries_action_id", suppressTransaction: true);
        migrationBuilder.Sql("create index concurrently ix_audit_entries_action_id on camino.audit_entries (action, id)", suppressTransaction: true);
        migrationBuilder.Sql("update camino.schema_info set version = 17", suppressTransaction: true);
    }

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop index if exists camino.ix_audit_entries_user_id_id, camino.ix_audit_entries_action_id; update camino.schema_info set version = 16");
}
