using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Offers of applications, which loan an application became, and the codes of why one was declined; adds only, so the release before works on.</summary>
/// <remarks>Written by hand: none of it is in the model.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261127151000_Offers")]
public sealed class Offers : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- state 1: open, 2: accepted, 3: withdrawn, 4: expired, 5: closed; accepted_how 1: by phone, 2: on paper, 3: in person. expires_on is the last business date on which it can be accepted.
        create table camino.application_offers (
            id              uuid           constraint pk_application_offers primary key,
            application_id  uuid           not null constraint fk_application_offers_applications references camino.applications (id),
            number          smallint       not null constraint ck_application_offers_number check (number between 1 and 20),
            state           smallint       not null constraint ck_application_offers_state check (state between 1 and 5),
            product_id      uuid           not null,
            product_version integer        not null,
            terms           jsonb          not null,
            principal       numeric(14, 2) not null constraint ck_application_offers_principal check (principal > 0),
            rate_percent    numeric(12, 8) not null constraint ck_application_offers_rate_percent check (rate_percent between 0 and 1000),
            payments        integer        not null constraint ck_application_offers_payments check (payments > 0),
            payment         numeric(14, 2) not null,
            finance_charge  numeric(14, 2) not null,
            total_payments  numeric(14, 2) not null,
            apr_percent     numeric(14, 6) not null,
            matures_on      date           not null,
            place_state     text           not null,
            offered_on      date           not null,
            expires_on      date           not null constraint ck_application_offers_expires_on check (expires_on > offered_on),
            made_at         timestamptz    not null,
            made_by         uuid           not null,
            ended_at        timestamptz,
            ended_by        uuid,
            accepted_how    smallint       constraint ck_application_offers_accepted_how check (accepted_how between 1 and 3),
            accepted_note   text           constraint ck_application_offers_accepted_note check (length(accepted_note) between 1 and 500),
            constraint fk_application_offers_product_versions foreign key (product_id, product_version) references camino.product_versions (product_id, number),
            constraint ck_application_offers_accepted check ((state = 2) = (accepted_how is not null))
        );
        create unique index ux_application_offers_application_id_number on camino.application_offers (application_id, number);
        create unique index ux_application_offers_accepted on camino.application_offers (application_id) where state = 2;
        create index ix_application_offers_product on camino.application_offers (product_id, product_version);
        create index ix_application_offers_open on camino.application_offers (expires_on, application_id) where state = 1;

        -- What was offered stays as it was offered.
        create trigger application_offers_stay before update on camino.application_offers for each row when (
            (old.application_id, old.number, old.product_id, old.product_version, old.terms, old.principal, old.rate_percent, old.payments, old.payment, old.finance_charge, old.total_payments, old.apr_percent, old.matures_on, old.place_state, old.offered_on, old.expires_on, old.made_at, old.made_by)
            is distinct from (new.application_id, new.number, new.product_id, new.product_version, new.terms, new.principal, new.rate_percent, new.payments, new.payment, new.finance_charge, new.total_payments, new.apr_percent, new.matures_on, new.place_state, new.offered_on, new.expires_on, new.made_at, new.made_by))
            execute function camino.refuse_change();
        create trigger application_offers_never_removed before delete on camino.application_offers for each row execute function camino.refuse_change();

        -- The one loan that an application became, written once.
        create table camino.application_loans (
            application_id uuid        constraint pk_application_loans primary key constraint fk_application_loans_applications references camino.applications (id),
            loan_id        uuid        not null constraint ux_application_loans_loan_id unique constraint fk_application_loans_serviced_loans references camino.serviced_loans (id),
            offer_number   smallint    not null,
            booked_at      timestamptz not null,
            booked_by      uuid        not null
        );
        create trigger application_loans_written_once before update or delete on camino.application_loans for each row execute function camino.refuse_change();
        create trigger application_loans_never_emptied before truncate on camino.application_loans for each statement execute function camino.refuse_change();

        -- Codes of the principal reasons where the lender said no.
        alter table camino.application_events add column adverse_reasons text[];

        update camino.schema_info set version = 19;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.application_loans, camino.application_offers;
        alter table camino.application_events drop column adverse_reasons;
        update camino.schema_info set version = 18;
        """);
}
