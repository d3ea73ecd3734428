using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>How many notices somebody has not read is asked with every page, so it has an index of its own. Adds only.</summary>
/// <remarks>No statement here runs in a transaction, so each can be run again: whoever is killed half way leaves an index that counts for nothing, and it is made anew.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128110000_UnreadNotices")]
public sealed class UnreadNoticesIndex : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("drop index concurrently if exists camino.ix_notices_unread;", suppressTransaction: true);
        migrationBuilder.Sql("create index concurrently ix_notices_unread on camino.notices (user_id) where read_at is null;", suppressTransaction: true);
        migrationBuilder.Sql("update camino.schema_info set version = 33;", suppressTransaction: true);
    }

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop index if exists camino.ix_notices_unread; update camino.schema_info set version = 32");
}
