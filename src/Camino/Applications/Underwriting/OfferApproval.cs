using Camino.Approvals;
using Camino.Lending;
using Camino.Lending.Underwriting;
using Camino.Resources;
using Camino.Web;
using Microsoft.Extensions.Localization;

namespace Camino.Applications.Underwriting;

/// <summary>An offer that goes beyond what one person may decide.</summary>
public sealed class OfferApproval(MakeOffer make) : IApprovalKind
{
    /// <inheritdoc/>
    public string Name => ApprovalKinds.Offer;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts)
    {
        var input = approval.Read<FrozenOffer>().Input;
        return texts["Approvals.Say.Offer", Show.Money(Servicing.InputText.Amount("principal", input.Principal).Dollars), subject, input.Product ?? ""];
    }

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct)
    {
        try
        {
            var frozen = approval.Read<FrozenOffer>();
            var (draft, version) = await make.LookApprovedAsync(approval, ct);
            var (terms, figures) = (draft.Agreed.Terms, draft.Figures.Commercial);
            List<ApprovalLine> lines =
            [
                New("Offers.Number", texts["Offers.Product", draft.Product, draft.ProductVersion]),
                New("Serviced.Principal", Show.Money(terms.Principal.Dollars)),
                New("LoanField.InterestRatePercent", Show.Rate(terms.Rate.Percent)),
                New("Serviced.Payments", Show.Number(terms.Payments)),
                New("Offers.Payment", Show.Money(figures.RegularPayment.Dollars)),
                New("Offers.Apr", Show.Rate(figures.AprPercent)),
            ];
            if (draft.Judgement is { } judged)
            {
                lines.Add(new ApprovalLine(texts["Evaluation.Title"], texts["Recommendation." + frozen.Recommendation], texts["Recommendation." + judged.Result.Recommendation] + (judged.Result.Score is { } score ? $" · {Show.Number(score)}" : "")));
                if (judged.Result.Reasons.Count > 0)
                    lines.Add(New("Evaluation.ReasonsName", string.Join("; ", judged.Result.Reasons.Select(code => texts["AdverseReason." + code].Value))));
            }

            if (frozen.Input.OverrideCode is { } why)
                lines.Add(New("Decision.Override", texts["OverrideReason." + why]));
            return new ApprovalChange(lines, version, null);
        }
        catch (RefusedException refused)
        {
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, refused));
        }

        ApprovalLine New(string name, string value) => new(texts[name], Show.None, value);
    }

    /// <inheritdoc/>
    public async Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => await make.RunApprovedAsync(approval, run, ct);
}

/// <summary>An offer as it waits for a second person, with nothing left to the day of its approval.</summary>
/// <param name="Recommendation">What the policy recommended when it was asked for.</param>
/// <param name="Evaluation">Number of the evaluation.</param>
public sealed record FrozenOffer(OfferInput Input, Recommendation Recommendation, int Evaluation);
