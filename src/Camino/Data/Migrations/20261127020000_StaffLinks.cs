using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>One-time links with which people choose a password. Adds only, so the release before works on.</summary>
/// <remarks>Written by hand: links are rows for SQL, not entities.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127020000_StaffLinks")]
public sealed class StaffLinks : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- At most one link of a user opens something: a new one takes the place of the one before.
        create table camino.staff_links (
            user_id    uuid        constraint pk_staff_links primary key constraint fk_staff_links_staff_users references camino.staff_users (id) on delete cascade,
            hash       bytea       not null constraint ux_staff_links_hash unique constraint ck_staff_links_hash check (length(hash) = 32),
            made_at    timestamptz not null,
            expires_at timestamptz not null constraint ck_staff_links_expires_at check (expires_at > made_at)
        );

        update camino.schema_info set version = 9;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.staff_links;
        update camino.schema_info set version = 8;
        """);
}
