using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Webhook endpoints of API clients, what they are told, what became of it, and the terms and figures of clients that hand applications in; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127223000_Webhooks")]
public sealed class Webhooks : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- Mixed into the key under which the secrets of endpoints are sealed.
        create table camino.webhook_keys (
            number smallint constraint pk_webhook_keys primary key,
            key    bytea    not null constraint ck_webhook_keys_key check (length(key) = 32)
        );

        -- disabled_why 1: by hand, 2: it failed for too long, 3: it answered 410. failing_since: since when nothing was taken.
        create table camino.webhook_endpoints (
            id            uuid        constraint pk_webhook_endpoints primary key,
            client_id     uuid        not null constraint fk_webhook_endpoints_api_clients references camino.api_clients (id),
            url           text        not null constraint ck_webhook_endpoints_url check (length(url) between 1 and 1000),
            description   text        not null constraint ck_webhook_endpoints_description check (length(description) <= 200),
            event_types   text[]      not null constraint ck_webhook_endpoints_event_types check (cardinality(event_types) between 1 and 50),
            made_at       timestamptz not null,
            disabled_at   timestamptz,
            disabled_why  smallint    constraint ck_webhook_endpoints_disabled_why check (disabled_why between 1 and 3),
            failing_since timestamptz,
            removed_at    timestamptz,
            constraint ck_webhook_endpoints_disabled check ((disabled_at is null) = (disabled_why is null))
        );
        create index ix_webhook_endpoints_client_id on camino.webhook_endpoints (client_id, id);
        create unique index ux_webhook_endpoints_client_id_url on camino.webhook_endpoints (client_id, url) where removed_at is null;

        create table camino.webhook_secrets (
            id          uuid        constraint pk_webhook_secrets primary key,
            endpoint_id uuid        not null constraint fk_webhook_secrets_webhook_endpoints references camino.webhook_endpoints (id),
            sealed      bytea       not null,
            made_at     timestamptz not null,
            expires_at  timestamptz
        );
        create index ix_webhook_secrets_endpoint_id on camino.webhook_secrets (endpoint_id, id desc);

        -- What a client is told; body is what is signed and sent. application_id null: an event for a try.
        create table camino.webhook_events (
            id             uuid        constraint pk_webhook_events primary key,
            client_id      uuid        not null constraint fk_webhook_events_api_clients references camino.api_clients (id),
            application_id uuid        constraint fk_webhook_events_applications references camino.applications (id),
            type           text        not null constraint ck_webhook_events_type check (length(type) between 1 and 60),
            body           text        not null constraint ck_webhook_events_body check (length(body) between 1 and 4000),
            at             timestamptz not null
        );
        create index ix_webhook_events_at on camino.webhook_events (at);
        create index ix_webhook_events_client_id on camino.webhook_events (client_id);
        create index ix_webhook_events_application_id on camino.webhook_events (application_id) where application_id is not null;

        -- One event for one endpoint. state 0: waiting, 1: delivered, 2: failed, 3: cancelled. tries counts since it was made or replayed, attempts all of them.
        create table camino.webhook_deliveries (
            id          uuid        constraint pk_webhook_deliveries primary key,
            event_id    uuid        not null constraint fk_webhook_deliveries_webhook_events references camino.webhook_events (id),
            endpoint_id uuid        not null constraint fk_webhook_deliveries_webhook_endpoints references camino.webhook_endpoints (id),
            state       smallint    not null constraint ck_webhook_deliveries_state check (state between 0 and 3),
            attempts    integer     not null default 0,
            tries       integer     not null default 0,
            status      integer,
            problem     text        constraint ck_webhook_deliveries_problem check (length(problem) between 1 and 40),
            made_at     timestamptz not null,
            next_at     timestamptz,
            ended_at    timestamptz
        );
        create index ix_webhook_deliveries_endpoint_id_id on camino.webhook_deliveries (endpoint_id, id);
        create index ix_webhook_deliveries_endpoint_id_state_id on camino.webhook_deliveries (endpoint_id, state, id);
        create index ix_webhook_deliveries_event_id on camino.webhook_deliveries (event_id);

        create table camino.webhook_attempts (
            delivery_id  uuid        not null constraint fk_webhook_attempts_webhook_deliveries references camino.webhook_deliveries (id),
            number       integer     not null,
            at           timestamptz not null,
            status       integer,
            problem      text        constraint ck_webhook_attempts_problem check (length(problem) between 1 and 40),
            milliseconds integer     not null,
            constraint pk_webhook_attempts primary key (delivery_id, number)
        );

        -- For so many days after its end a client sees the result of an application.
        alter table camino.api_clients add column result_days integer constraint ck_api_clients_result_days check (result_days between 1 and 3650);
        alter table camino.applications add column result_removed_at timestamptz;

        -- How often something of a client was refused on a day (UTC), and why.
        create table camino.api_client_refusals (
            client_id uuid   not null constraint fk_api_client_refusals_api_clients references camino.api_clients (id),
            day       date   not null,
            code      text   not null constraint ck_api_client_refusals_code check (length(code) between 1 and 100),
            refused   bigint not null,
            constraint pk_api_client_refusals primary key (client_id, day, code)
        );

        update camino.schema_info set version = 21;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.api_client_refusals;
        alter table camino.applications drop column result_removed_at;
        alter table camino.api_clients drop column result_days;
        drop table camino.webhook_attempts, camino.webhook_deliveries, camino.webhook_events, camino.webhook_secrets, camino.webhook_endpoints, camino.webhook_keys;
        update camino.schema_info set version = 20;
        """);
}
