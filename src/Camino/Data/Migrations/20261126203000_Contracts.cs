using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Remembers what was taken away from the schema, and by whom; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model, for nothing of it is an entity.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261126203000_Contracts")]
public sealed class Contracts : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- One row for each contract step that ran: releases whose schema is older than version cannot work here any more.
        create table camino.schema_contracts (
            name    text        constraint pk_schema_contracts primary key,
            version integer     not null constraint ck_schema_contracts_version check (version > 0),
            run_by  text        not null,
            run_at  timestamptz not null default clock_timestamp()
        );

        update camino.schema_info set version = 7;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.schema_contracts;
        update camino.schema_info set version = 6;
        """);
}
