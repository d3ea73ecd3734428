using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Sessions that the company's identity provider began: its own name for them, so that it can end them, and when the person signed in there. Adds only; the release before begins none.</summary>
/// <remarks>Written by hand: sessions are rows for SQL, not entities.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128071000_CompanySessions")]
public sealed class CompanySessions : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        alter table camino.staff_sessions
            add column by_company boolean not null default false,
            add column company_session text constraint ck_staff_sessions_company_session check (length(company_session) between 1 and 255),
            add column company_signed_at timestamptz;

        update camino.schema_info set version = 31;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        alter table camino.staff_sessions drop column company_signed_at, drop column company_session, drop column by_company;
        update camino.schema_info set version = 30;
        """);
}
