using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>The roles of the permission table that were not there yet; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: roles are rows, and the model stays as it is.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261126164500_MoreRoles")]
public sealed class MoreRoles : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        insert into camino.staff_roles (id, name, normalized_name) values
            ('019d0000-0000-7000-8000-000000000004', 'underwriter', 'UNDERWRITER'),
            ('019d0000-0000-7000-8000-000000000005', 'servicing', 'SERVICING'),
            ('019d0000-0000-7000-8000-000000000006', 'collections', 'COLLECTIONS'),
            ('019d0000-0000-7000-8000-000000000007', 'accountant', 'ACCOUNTANT');

        update camino.schema_info set version = 5;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        delete from camino.staff_roles where name in ('underwriter', 'servicing', 'collections', 'accountant');
        update camino.schema_info set version = 4;
        """);
}
