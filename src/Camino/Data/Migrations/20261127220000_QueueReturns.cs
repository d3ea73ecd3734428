using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>The queue's fourth step: a job that goes back unworked has its key again, and servers say their role and what they watch for; adds only.</summary>
[DbContext(typeof(CaminoDb))]
[Migration("20261127220000_QueueReturns")]
public sealed class QueueReturns : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(Camino.Jobs.JobSchema.InstallSql(version: 4));
        migrationBuilder.Sql("update camino.schema_info set version = 20");
    }

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("update camino.schema_info set version = 19");
}
