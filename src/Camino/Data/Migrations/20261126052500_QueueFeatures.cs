using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Camino.Data.Migrations
{
    /// <inheritdoc />
    public partial class QueueFeatures : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(Camino.Jobs.JobSchema.InstallSql(version: 3));
            migrationBuilder.Sql("update camino.schema_info set version = 2");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // The queue's steps only add; an older release works on them as they are.
            migrationBuilder.Sql("update camino.schema_info set version = 1");
        }
    }
}
