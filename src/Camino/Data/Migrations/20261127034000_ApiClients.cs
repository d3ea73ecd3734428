using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>API clients with scopes, limits and keys of their own. Adds only; the release before knows no such keys and refuses them.</summary>
/// <remarks>Written by hand: all three are rows for SQL, not entities.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127034000_ApiClients")]
public sealed class ApiClients : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        create table camino.api_clients (
            id                uuid        constraint pk_api_clients primary key,
            name              text        not null constraint ck_api_clients_name check (length(name) between 1 and 100),
            sort_name         text        collate "C" generated always as (lower(name)) stored,
            scopes            text[]      not null constraint ck_api_clients_scopes check (cardinality(scopes) between 1 and 100),
            requests_a_minute integer     not null constraint ck_api_clients_requests_a_minute check (requests_a_minute between 1 and 100000),
            burst             integer     not null constraint ck_api_clients_burst check (burst between 1 and 10000),
            requests_a_day    integer     constraint ck_api_clients_requests_a_day check (requests_a_day between 1 and 1000000000),
            made_at           timestamptz not null,
            disabled_at       timestamptz
        );
        create unique index ux_api_clients_sort_name on camino.api_clients (sort_name);

        create table camino.api_client_keys (
            id           uuid        constraint pk_api_client_keys primary key,
            client_id    uuid        not null constraint fk_api_client_keys_api_clients references camino.api_clients (id),
            hash         bytea       not null constraint ux_api_client_keys_hash unique constraint ck_api_client_keys_hash check (length(hash) = 32),
            ending       text        not null constraint ck_api_client_keys_ending check (length(ending) = 4), -- of its check digits, which tell nothing
            made_at      timestamptz not null,
            expires_at   timestamptz,
            last_used_at timestamptz
        );
        create index ix_api_client_keys_client_id_id on camino.api_client_keys (client_id, id desc);

        -- how often a client asked on a day (UTC), every server's requests together
        create table camino.api_client_days (
            client_id uuid   not null constraint fk_api_client_days_api_clients references camino.api_clients (id),
            day       date   not null,
            requests  bigint not null,
            constraint pk_api_client_days primary key (client_id, day)
        );

        update camino.schema_info set version = 14;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.api_client_days;
        drop table camino.api_client_keys;
        drop table camino.api_clients;
        update camino.schema_info set version = 13;
        """);
}
