using System.Globalization;
using System.Text;
using System.Text.Json;
using Camino.Applications.Acceptance;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Lending.Disclosures;
using Camino.Lending.Loans;
using Camino.Papers;
using Camino.Web;
using Camino.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Papers;

/// <summary>Collects what a paper says: facts that are frozen with the offer or with the decision, and who lends.</summary>
public sealed class ReadPaperValues(CaminoDb db, WebhookVault vault, LenderOptions lender)
{
    /// <summary>Names of values that stand for people: they are printed, and not kept beside the paper.</summary>
    internal static readonly string[] Personal = ["applicant", "applicantLines", "signers", "guarantors", "guarantorNames", "signedName", "signedFrom", "signedBrowser", "consentText"];

    private sealed record Applicant(string Number, string Name, string? TradeName, string? Street, string? City, string? State, string? Zip, decimal Amount, DateTimeOffset ReceivedAt, string[] Guarantors, bool HasReport);

    private sealed record Signature(Guid Id, byte[] Sha256, string Language, string Consent, byte[] SealedName, byte[] SealedFrom, DateTimeOffset SignedAt, string Template);

    private sealed record Offered(string Terms, string State, DateOnly OfferedOn, DateOnly ExpiresOn, string Rules, short? How, decimal? Payoff, string? PayoffLoan);

    /// <exception cref="RefusedException"><c>lender.no_bureau</c>: a credit report was used and nobody has said from whom.</exception>
    internal async Task<PaperValues> RunAsync(Guid applicationId, PaperKind kind, int number, DateOnly on, CancellationToken ct)
    {
        var who = await db.Database.SqlQuery<Applicant>(
            $"""
            select a.number as "Number", a.name as "Name", a.trade_name as "TradeName", a.street as "Street", a.city as "City", a.place_state as "State", a.zip as "Zip", a.amount as "Amount", a.received_at as "ReceivedAt",
                array(select o.name from camino.application_owners o where o.application_id = a.id and o.is_guarantor order by o.position) as "Guarantors",
                exists (select from camino.application_steps s where s.application_id = a.id and s.kind in ({(short)CheckKind.BusinessCredit}, {(short)CheckKind.OwnerCredit}) and s.state = 2) as "HasReport"
            from camino.applications a where a.id = {applicationId}
            """).SingleAsync(ct);
        var place = string.Join(" ", new[] { who.City is null ? null : who.City + (who.State is null ? "" : ","), who.State, who.Zip }.OfType<string>());
        var values = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["lender"] = lender.Name,
            ["lenderPhone"] = lender.Phone,
            ["agency"] = lender.Agency,
            ["number"] = who.Number,
            ["applicant"] = who.Name,
            ["on"] = on,
            ["guarantorNames"] = string.Join(", ", who.Guarantors),
        };
        var lists = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
        {
            ["lenderLines"] = [lender.Name, .. lender.Address],
            ["applicantLines"] = [.. new[] { who.Name, who.TradeName, who.Street, place }.Where(line => !string.IsNullOrEmpty(line)).OfType<string>()],
            ["guarantors"] = who.Guarantors,
            ["signers"] = [who.Name, .. who.Guarantors],
        };
        if (kind == PaperKind.Decline)
        {
            await AddDecisionAsync(applicationId, number, who, values, lists, ct);
            return new PaperValues(values, lists, []);
        }

        values["offer"] = number;
        var schedule = await AddOfferAsync(applicationId, number, on, values, ct);
        if (kind == PaperKind.Contract)
            await AddSignatureAsync(applicationId, number, values, ct);
        return new PaperValues(values, lists, schedule);
    }

    /// <summary>What was recorded when the applicant signed; nothing where staff wrote the acceptance down.</summary>
    private async Task AddSignatureAsync(Guid applicationId, int offer, Dictionary<string, object?> values, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<Signature>(
            $"""
            select s.id as "Id", s.sha256 as "Sha256", s.language as "Language", s.consent as "Consent", s.sealed_name as "SealedName", s.sealed_from as "SealedFrom", s.signed_at as "SignedAt", p.template as "Template"
            from camino.application_signatures s join camino.application_papers p on p.id = s.paper_id where s.application_id = {applicationId} and s.offer_number = {(short)offer}
            """).ToListAsync(ct);
        if (found.Count == 0)
            return;
        var signature = found[0];
        var from = JsonSerializer.Deserialize<SignedFrom>(await vault.OpenAsync(signature.SealedFrom, ct), JsonSerializerOptions.Web) ?? new SignedFrom("", "");
        values["signed"] = "electronically";
        values["acceptedWord"] = "how." + AcceptedBy.Link;
        values["signedName"] = Encoding.UTF8.GetString(await vault.OpenAsync(signature.SealedName, ct));
        values["signedAt"] = signature.SignedAt;
        values["signedTitle"] = $"{PaperTemplate.Of(signature.Template, signature.Language).TitleOf(new PaperValues(values, new Dictionary<string, IReadOnlyList<string>>(), []))} ({Language.Find(signature.Language)?.OwnName})";
        values["signedHash"] = Convert.ToHexStringLower(signature.Sha256);
        values["signedFrom"] = from.Address.Length > 0 ? from.Address : Show.None;
        values["signedBrowser"] = from.Browser.Length > 0 ? from.Browser : Show.None;
        values["consentVersion"] = signature.Consent;
        values["consentText"] = SignOffer.ConsentText(signature.Consent, signature.Language, (string?)values["lender"] ?? "", offer, (string?)values["applicant"] ?? "");
        values["signatureId"] = signature.Id.ToString();
    }

    private async Task AddDecisionAsync(Guid applicationId, int sequence, Applicant who, Dictionary<string, object?> values, Dictionary<string, IReadOnlyList<string>> lists, CancellationToken ct)
    {
        values["amount"] = who.Amount;
        values["receivedOn"] = DateOnly.FromDateTime(who.ReceivedAt.UtcDateTime);
        lists["reasons"] = await db.Database.SqlQuery<string>(
            $"select u.code as \"Value\" from camino.application_events e cross join lateral unnest(e.adverse_reasons) with ordinality u (code, place) where e.application_id = {applicationId} and e.sequence = {sequence} order by u.place").ToListAsync(ct);
        if (!who.HasReport)
            return;
        Refuse.If(lender.CreditBureau.Length == 0, "lender.no_bureau", "A credit report was used, and a notice must name who gave it: set Lender:CreditBureau and try again.");
        values["report"] = "used";
        values["bureau"] = lender.CreditBureau;
    }

    private async Task<IReadOnlyList<PaperRow>> AddOfferAsync(Guid applicationId, int number, DateOnly on, Dictionary<string, object?> values, CancellationToken ct)
    {
        var stored = await db.Database.SqlQuery<Offered>(
            $"""
            select o.terms::text as "Terms", o.place_state as "State", o.offered_on as "OfferedOn", o.expires_on as "ExpiresOn", v.rules::text as "Rules", o.accepted_how as "How", y.payoff as "Payoff", (select s.number from camino.serviced_loans s where s.id = y.loan_id) as "PayoffLoan"
            from camino.application_offers o left join camino.offer_payoffs y on y.application_id = o.application_id and y.offer_number = o.number join camino.product_versions v on v.product_id = o.product_id and v.number = o.product_version where o.application_id = {applicationId} and o.number = {number}
            """).SingleAsync(ct);
        var offer = OfferFigures.Of(StoredForm.ReadTerms(stored.Terms), stored.State, stored.OfferedOn);
        var (terms, figures) = (offer.Terms, offer.Commercial);
        var rows = offer.Schedule.Rows.ToArray();
        values["expiresOn"] = stored.ExpiresOn;
        values["principal"] = terms.Principal.Dollars;
        values["rate"] = new PaperPercent(terms.Rate.Percent);
        values["apr"] = new PaperPercent(decimal.Round(figures.AprPercent, 2, MidpointRounding.AwayFromZero));
        values["financeCharge"] = figures.FinanceCharge.Dollars;
        values["totalPayments"] = figures.TotalPayments.Dollars;
        values["payment"] = figures.RegularPayment.Dollars;
        values["payments"] = terms.Payments;
        values["every"] = terms.Every;
        values["everyWord"] = $"every.{terms.Unit}.{(terms.Every == 1 ? "One" : "Many")}";
        values["methodWord"] = "method." + terms.Method;
        values["balloon"] = terms.Balloon > Money.Zero ? terms.Balloon.Dollars : null;
        values["disburseOn"] = terms.Disbursements[0].On;
        values["firstDueOn"] = rows[0].DueOn;
        values["maturesOn"] = rows[^1].DueOn;
        values["payoff"] = stored.Payoff;
        values["payoffLoan"] = stored.PayoffLoan;
        values["handedOut"] = terms.Principal.Dollars - stored.Payoff;
        var product = StoredForm.ReadProduct(stored.Rules);
        AddFee(values, "late", product.LateFee);
        AddFee(values, "return", product.ReturnFee);
        values["lateGrace"] = product.LateFee?.GraceDays ?? 0;
        if (offer.Form is { } form)
            AddForm(values, form, figures, offer);
        if (stored.How is { } how)
        {
            values["acceptedOn"] = on;
            values["acceptedWord"] = "how." + (AcceptedBy)how;
        }

        return [.. rows.Select(row => new PaperRow(row.Number, row.DueOn, row.Principal.Dollars, row.Interest.Dollars, row.Due.Dollars, row.Balance.Dollars))];
    }

    private static void AddForm(Dictionary<string, object?> values, CommercialForm form, CommercialFigures figures, OfferFigures offer)
    {
        values["form"] = "due";
        values["formState"] = form.State;
        values["formSource"] = form.Source;
        values["formApr"] = new PaperPercent(form.ShownApr(figures.AprPercent));
        values["averageMonthly"] = figures.AverageMonthlyCost.Dollars;
        values["termDays"] = offer.MaturesOn.DayNumber - offer.Terms.Disbursements[0].On.DayNumber;
        values["formCollateral"] = form.Figures.Contains(CommercialFigure.Collateral) ? "asked" : null;
        values["formFees"] = form.Figures.Contains(CommercialFigure.AvoidableFees) ? "asked" : null;
    }

    private static void AddFee(Dictionary<string, object?> values, string name, FeeRule? fee)
    {
        var isThere = fee is { } rule && (rule.Amount > Money.Zero || rule.Percent > 0m);
        values[name + "Fee"] = isThere ? "charged" : null;
        values[name + "FeeWord"] = $"{name}.{(!isThere || fee is null ? "None" : fee.Percent == 0m ? "Amount" : (fee.Amount == Money.Zero ? "Percent" : "Both") + (fee.Cap is null ? "" : "Cap"))}";
        values[name + "Amount"] = fee?.Amount.Dollars;
        values[name + "Percent"] = fee is null ? null : new PaperPercent(fee.Percent);
        values[name + "Cap"] = fee?.Cap?.Dollars;
    }

    /// <summary>How files are called: <c>A-100001-offer-1-es.pdf</c>.</summary>
    internal static string FileName(string applicationNumber, PaperKind kind, int number, Language language) =>
        string.Create(CultureInfo.InvariantCulture, $"{applicationNumber}-{Servicing.Words.Camel(kind)}-{number}-{language.Code}.pdf");
}
