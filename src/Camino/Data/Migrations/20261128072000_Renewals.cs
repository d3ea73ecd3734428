using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Camino.Data.Migrations;

/// <summary>Loans that are paid off by a new one: the application that asks for it, what an offer would pay off, and which loan paid which off. Adds only, so the release before works on.</summary>
/// <remarks>Written by hand: all are rows for SQL, not entities. The release before neither pays off what a renewal renews nor reads rules of a product that say when its loans may be renewed: publish such rules when it is out of service.</remarks>
[DbContext(typeof(CaminoDb))]
[Migration("20261128072000_Renewals")]
public sealed class Renewals : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        -- The loan that an application is to renew, written once.
        create table camino.application_renewals (
            application_id uuid constraint pk_application_renewals primary key constraint fk_application_renewals_applications references camino.applications (id),
            loan_id        uuid not null constraint fk_application_renewals_serviced_loans references camino.serviced_loans (id)
        );
        create index ix_application_renewals_loan_id on camino.application_renewals (loan_id, application_id);
        create trigger application_renewals_written_once before update or delete on camino.application_renewals for each row execute function camino.refuse_change();
        create trigger application_renewals_never_emptied before truncate on camino.application_renewals for each statement execute function camino.refuse_change();

        -- What an offer of a renewal would pay off on the day of its disbursement, as it was said to the applicant. Written once.
        create table camino.offer_payoffs (
            application_id uuid           not null,
            offer_number   smallint       not null,
            loan_id        uuid           not null constraint fk_offer_payoffs_serviced_loans references camino.serviced_loans (id),
            payoff         numeric(14, 2) not null constraint ck_offer_payoffs_payoff check (payoff > 0),
            constraint pk_offer_payoffs primary key (application_id, offer_number),
            constraint fk_offer_payoffs_application_offers foreign key (application_id, offer_number) references camino.application_offers (application_id, number)
        );
        create trigger offer_payoffs_written_once before update or delete on camino.offer_payoffs for each row execute function camino.refuse_change();
        create trigger offer_payoffs_never_emptied before truncate on camino.offer_payoffs for each statement execute function camino.refuse_change();

        -- loan_id: the new loan, which pays renewed_id off when its money is handed out: then disbursed_event is the key of that event, paid_event that of the payment on the old loan. Both are null before, and again when it is taken back.
        create table camino.loan_renewals (
            loan_id         uuid           constraint pk_loan_renewals primary key constraint fk_loan_renewals_loan references camino.serviced_loans (id),
            renewed_id      uuid           not null constraint fk_loan_renewals_renewed references camino.serviced_loans (id) constraint ck_loan_renewals_two check (renewed_id <> loan_id),
            disbursed_event text           constraint ck_loan_renewals_disbursed_event check (length(disbursed_event) between 1 and 64),
            paid_event      text           constraint ck_loan_renewals_paid_event check (length(paid_event) between 1 and 64),
            payoff          numeric(14, 2) constraint ck_loan_renewals_payoff check (payoff > 0),
            constraint ck_loan_renewals_paid check ((disbursed_event is null) = (paid_event is null) and (paid_event is null) = (payoff is null))
        );
        create index ix_loan_renewals_renewed_id on camino.loan_renewals (renewed_id, loan_id);
        create trigger loan_renewals_never_removed before delete on camino.loan_renewals for each row execute function camino.refuse_change();
        create trigger loan_renewals_never_emptied before truncate on camino.loan_renewals for each statement execute function camino.refuse_change();

        update camino.schema_info set version = 32;
        """);

    /// <inheritdoc/>
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop table camino.loan_renewals, camino.offer_payoffs, camino.application_renewals;
        update camino.schema_info set version = 31;
        """);
}
