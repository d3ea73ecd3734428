using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Exchanges with outside services, sealed, and the key pair under which they are; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127044000_Exchanges")]
public sealed class Exchanges : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- The pair under which exchanges are sealed; the private key is protected by the data-protection keys.
        create table camino.exchange_keys (
            number             smallint constraint pk_exchange_keys primary key,
            public_key         bytea    not null,
            sealed_private_key bytea    not null
        );

        -- Every question to an outside service with its answer, written once. status null: no answer came.
        create table camino.application_exchanges (
            id           uuid        constraint pk_application_exchanges primary key,
            step_id      uuid        not null constraint fk_application_exchanges_steps references camino.application_steps (id),
            provider     text        not null constraint ck_application_exchanges_provider check (length(provider) between 1 and 40),
            asked_at     timestamptz not null,
            status       integer,
            milliseconds integer     not null,
            sealed       bytea       not null
        );
        create index ix_application_exchanges_step_id on camino.application_exchanges (step_id, id);
        create trigger application_exchanges_written_once before update or delete on camino.application_exchanges for each row execute function camino.refuse_change();
        create trigger application_exchanges_never_emptied before truncate on camino.application_exchanges for each statement execute function camino.refuse_change();

        update camino.schema_info set version = 15;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.application_exchanges, camino.exchange_keys;
        update camino.schema_info set version = 14;
        """);
}
