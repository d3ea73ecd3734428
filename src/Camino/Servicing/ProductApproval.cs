using System.Text.Json;
using Camino.Approvals;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>A draft is published; always by two people, who see field by field what changes for new loans.</summary>
public sealed class PublishProductApproval(PublishProduct publish, CaminoDb db) : IApprovalKind
{
    /// <summary>What a stored version says where, and what the form of a product calls it.</summary>
    private static readonly Dictionary<string, string> s_labels = new(StringComparer.Ordinal)
    {
        ["principalFrom"] = "Products.PrincipalFrom",
        ["principalTo"] = "Products.PrincipalTo",
        ["rateFrom"] = "Products.RateFrom",
        ["rateTo"] = "Products.RateTo",
        ["paymentsFrom"] = "Products.PaymentsFrom",
        ["paymentsTo"] = "Products.PaymentsTo",
        ["terms.method"] = "Serviced.Method",
        ["terms.dayCount"] = "Serviced.DayCount",
        ["terms.unit"] = "Products.UnitLabel",
        ["terms.every"] = "Products.Every",
        ["product.allocation"] = "Products.Allocation",
        ["product.surplus"] = "Products.Surplus",
        ["product.graceDays"] = "Products.GraceDays",
        ["product.tolerance"] = "Products.Tolerance",
        ["product.payoffDays"] = "Products.PayoffDays",
        ["product.renewal.onTimeMonths"] = "Products.RenewalMonths",
        ["product.renewal.graceDays"] = "Products.RenewalGrace",
        ["product.lateFee.amount"] = "Products.LateFeeAmount",
        ["product.lateFee.percent"] = "Products.LateFeePercent",
        ["product.lateFee.graceDays"] = "Products.LateFeeAfter",
        ["product.lateFee.cap"] = "Products.LateFeeCap",
        ["product.returnFee.amount"] = "Products.ReturnFee",
    };

    /// <inheritdoc/>
    public string Name => ApprovalKinds.PublishProduct;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts) => texts["Approvals.Say.PublishProduct", approval.Version ?? 0, subject];

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct)
    {
        var frozen = approval.Read<FrozenVersion>();
        var versions = await VersionsAsync(db, approval, ct);
        if (versions is not [var newest, ..])
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, new RefusedException("product.not_found", $"There is no product {approval.SubjectId}.")));
        var problem = !frozen.Says(newest) || newest.Status != ProductStatus.Draft ? ApprovalText.Refused(texts, new RefusedException("product.changed", "The draft was changed after this was asked for; ask anew.")) : null;
        var published = versions.FirstOrDefault(version => version.Status == ProductStatus.Published);
        Dictionary<string, string> was = published is null ? [] : Values(published);
        var becomes = Fields(frozen.Offer).Concat(Fields(frozen.Rules)).ToDictionary(StringComparer.Ordinal);
        return new ApprovalChange(
            [
                new(texts["Products.Version"], published is null ? Show.None : Show.Number(published.Number), Show.Number(frozen.Version)),
                .. becomes.Keys.Union(was.Keys, StringComparer.Ordinal).Where(path => was.GetValueOrDefault(path) != becomes.GetValueOrDefault(path))
                    .Select(path => new ApprovalLine(s_labels.TryGetValue(path, out var label) ? texts[label] : path, Said(path, was.GetValueOrDefault(path), texts), Said(path, becomes.GetValueOrDefault(path), texts))),
            ],
            newest.Number, problem);
    }

    /// <inheritdoc/>
    public async Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => new { version = await publish.RunApprovedAsync(approval, run, ct) };

    /// <summary>All versions of the product that a request is about, the newest first.</summary>
    internal static Task<List<ProductVersion>> VersionsAsync(CaminoDb db, Approval approval, CancellationToken ct)
    {
        var id = Guid.Parse(approval.SubjectId);
        return db.ProductVersions.AsNoTracking().Where(version => version.ProductId == id).OrderByDescending(version => version.Number).ToListAsync(ct);
    }

    private static Dictionary<string, string> Values(ProductVersion version)
    {
        var said = FrozenVersion.Of(version);
        return Fields(said.Offer).Concat(Fields(said.Rules)).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>Every value with the way to it: <c>terms.method</c>.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Fields(JsonElement element, string path = "")
    {
        if (element.ValueKind == JsonValueKind.Object)
            return element.EnumerateObject().SelectMany(property => Fields(property.Value, path.Length == 0 ? property.Name : path + "." + property.Name));
        return element.ValueKind == JsonValueKind.Null ? [] : [KeyValuePair.Create(path, element.ValueKind == JsonValueKind.String ? element.GetString() ?? "" : element.GetRawText())];
    }

    private static string Said(string path, string? value, IStringLocalizer<Texts> texts) => value is null ? Show.None : path switch
    {
        "terms.method" => texts.Or("Products.Method." + value, value),
        "terms.unit" => texts.Or("Products.Unit." + value, value),
        "product.allocation" => texts.Or("Products.Allocation." + value, value),
        "product.surplus" => texts.Or("Products.Surplus." + value, value),
        _ => value,
    };
}

/// <summary>A product is retired; always by two people.</summary>
public sealed class RetireProductApproval(RetireProduct retire, CaminoDb db) : IApprovalKind
{
    /// <inheritdoc/>
    public string Name => ApprovalKinds.RetireProduct;

    /// <inheritdoc/>
    public string Say(Approval approval, string subject, IStringLocalizer<Texts> texts) => texts["Approvals.Say.RetireProduct", approval.Version ?? 0, subject];

    /// <inheritdoc/>
    public async Task<ApprovalChange> LookAsync(Approval approval, IStringLocalizer<Texts> texts, CancellationToken ct)
    {
        var published = (await PublishProductApproval.VersionsAsync(db, approval, ct)).FirstOrDefault(version => version.Status == ProductStatus.Published);
        if (published is null)
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, new RefusedException("product.not_published", "The product has no published version that could be retired.")));
        if (published.Number != approval.Version)
            return ApprovalChange.Impossible(ApprovalText.Refused(texts, new RefusedException("product.replaced", $"Version {approval.Version} was to be retired; version {published.Number} is published now. Ask anew.")));
        return new ApprovalChange([new(texts["Loan.Status"], texts["Products.Status.published"], texts["Products.Status.retired"])], published.Number, null);
    }

    /// <inheritdoc/>
    public async Task<object> RunAsync(Approval approval, ApprovalRun run, CancellationToken ct) => new { version = await retire.RunApprovedAsync(approval, run, ct) };
}
