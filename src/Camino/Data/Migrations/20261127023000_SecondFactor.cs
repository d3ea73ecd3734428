using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Second factors of staff and their recovery codes. Adds only; the release before asks for the password alone, but lets nobody in past a second factor that was set.</summary>
/// <remarks>Written by hand: both are rows for SQL, not entities.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127023000_SecondFactor")]
public sealed class SecondFactor : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        create table camino.staff_second_factors (
            user_id      uuid        constraint pk_staff_second_factors primary key constraint fk_staff_second_factors_staff_users references camino.staff_users (id) on delete cascade,
            key          text        not null constraint ck_staff_second_factors_key check (length(key) between 1 and 1000),
            made_at      timestamptz not null,
            confirmed_at timestamptz,
            last_step    bigint      not null default 0 -- of the code that was taken last: none is taken twice
        );
        create table camino.staff_recovery_codes (
            user_id uuid        not null constraint fk_staff_recovery_codes_staff_users references camino.staff_users (id) on delete cascade,
            hash    bytea       not null constraint ck_staff_recovery_codes_hash check (length(hash) = 32),
            used_at timestamptz,
            constraint pk_staff_recovery_codes primary key (user_id, hash)
        );

        update camino.schema_info set version = 10;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.staff_recovery_codes;
        drop table camino.staff_second_factors;
        update camino.schema_info set version = 9;
        """);
}
