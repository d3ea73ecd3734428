using System.Text.Json;
using Camino.Approvals;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Lending.Quotes;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>Makes a product with its first draft.</summary>
public sealed class AddProduct(CaminoDb db, TimeProvider clock)
{
    /// <param name="rules">How its loans are serviced, in the words of the calculator.</param>
    /// <param name="offer">What its loans may look like: <see cref="ProductOffer"/>.</param>
    /// <exception cref="RefusedException"><c>product.*</c>, <c>input.*</c>, <c>schedule.*</c>.</exception>
    public async Task<Product> RunAsync(string code, string name, string rules, string offer, Guid by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        var product = new Product(code.Trim().ToUpperInvariant(), name, at);
        var version = new ProductVersion(product.Id, 1, StoredForm.Of(BookForm.ReadProduct(rules)), ProductOffer.Read(offer).Write(), at, by);
        Refuse.If(await db.Products.AnyAsync(other => other.Code == product.Code, ct), "product.code_taken", $"There is a product {product.Code} already; make a new version of it.");
        db.Products.Add(product);
        db.ProductVersions.Add(version);
        db.AuditEntries.Add(new AuditEntry(at, by, "product.added", "product", product.Id.ToString(), JsonSerializer.Serialize(new { product.Code, version = 1 }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        return product;
    }
}

/// <summary>Changes what a product says: a draft in place, a published version by a new draft beside it.</summary>
public sealed class ChangeProduct(CaminoDb db, TimeProvider clock)
{
    /// <returns>The number of the draft.</returns>
    /// <exception cref="RefusedException"><c>product.*</c>, <c>input.*</c>, <c>schedule.*</c>.</exception>
    public async Task<int> RunAsync(Guid productId, string rules, string offer, Guid by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var newest = await db.NewestVersionForChangeAsync(productId, ct);
        var (rulesForm, offerForm) = (StoredForm.Of(BookForm.ReadProduct(rules)), ProductOffer.Read(offer).Write());
        if (newest.Status == ProductStatus.Draft)
        {
            newest.Change(rulesForm, offerForm, at, by);
        }
        else
        {
            newest = new ProductVersion(productId, newest.Number + 1, rulesForm, offerForm, at, by);
            db.ProductVersions.Add(newest);
        }

        db.AuditEntries.Add(new AuditEntry(at, by, "product.changed", "product", productId.ToString(), JsonSerializer.Serialize(new { version = newest.Number })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return newest.Number;
    }
}

/// <summary>A version of a product as somebody looked at it who wants it published or retired.</summary>
/// <param name="Rules">What it said then, in the stored form.</param>
public sealed record FrozenVersion(int Version, JsonElement Rules, JsonElement Offer)
{
    internal static FrozenVersion Of(ProductVersion version) => new(version.Number, JsonSerializer.Deserialize<JsonElement>(version.Rules), JsonSerializer.Deserialize<JsonElement>(version.Offer));

    /// <summary>Whether the version still says the same.</summary>
    internal bool Says(ProductVersion version) => version.Number == Version && JsonElement.DeepEquals(Rules, JsonSerializer.Deserialize<JsonElement>(version.Rules)) && JsonElement.DeepEquals(Offer, JsonSerializer.Deserialize<JsonElement>(version.Offer));
}

/// <summary>Publishes a draft: loans are booked under it from then on, and the version published before is retired. In the Back Office a second person approves exactly what the draft says.</summary>
public sealed class PublishProduct(CaminoDb db, AskApproval ask, TimeProvider clock)
{
    /// <summary>At once; for invented books.</summary>
    /// <exception cref="RefusedException"><c>product.not_found</c>, <c>product.not_draft</c>.</exception>
    public async Task<int> RunAsync(Guid productId, Guid by, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var newest = await db.NewestVersionForChangeAsync(productId, ct);
        await PublishAsync(newest, clock.GetUtcNow(), by, new { version = newest.Number }, ct);
        await transaction.CommitAsync(ct);
        return newest.Number;
    }

    /// <summary>Asks for it.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync"/>; <c>approval.waiting</c>.</exception>
    public async Task<AskedApproval> AskAsync(Guid productId, Guid by, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var newest = await db.NewestVersionForChangeAsync(productId, ct);
        newest.CheckDraft();
        var asked = await ask.AddAsync(ProductAccess.Frozen(ApprovalKinds.PublishProduct, newest), by, ct);
        await transaction.CommitAsync(ct);
        return asked;
    }

    /// <summary>Carries out what a second person approved, in the caller's transaction.</summary>
    /// <exception cref="RefusedException">As for <see cref="RunAsync"/>; <c>product.changed</c>.</exception>
    internal async Task<int> RunApprovedAsync(Approval approval, ApprovalRun run, CancellationToken ct)
    {
        var newest = await db.NewestVersionForChangeAsync(Guid.Parse(approval.SubjectId), ct);
        Refuse.If(!approval.Read<FrozenVersion>().Says(newest), "product.changed", "The draft was changed after this was asked for; ask anew.");
        await PublishAsync(newest, run.At, run.By, new { version = newest.Number, approval = approval.Id, askedBy = approval.AskedBy }, ct);
        return newest.Number;
    }

    private async Task PublishAsync(ProductVersion newest, DateTimeOffset at, Guid by, object details, CancellationToken ct)
    {
        newest.Publish(at);
        foreach (var before in await db.ProductVersions.Where(version => version.ProductId == newest.ProductId && version.Status == ProductStatus.Published).ToListAsync(ct))
        {
            if (before.Number != newest.Number)
                before.Retire();
        }

        db.AuditEntries.Add(new AuditEntry(at, by, "product.published", "product", newest.ProductId.ToString(), JsonSerializer.Serialize(details)));
        await db.SaveChangesAsync(ct);
    }
}

/// <summary>Retires a product: no new loans; those made under it are serviced as before. A second person approves it.</summary>
public sealed class RetireProduct(CaminoDb db, AskApproval ask)
{
    /// <summary>Asks for it.</summary>
    /// <exception cref="RefusedException"><c>product.not_found</c>, <c>product.not_published</c>, <c>approval.waiting</c>.</exception>
    public async Task<AskedApproval> AskAsync(Guid productId, Guid by, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var asked = await ask.AddAsync(ProductAccess.Frozen(ApprovalKinds.RetireProduct, await PublishedAsync(productId, ct)), by, ct);
        await transaction.CommitAsync(ct);
        return asked;
    }

    /// <summary>Carries out what a second person approved, in the caller's transaction.</summary>
    /// <exception cref="RefusedException"><c>product.not_found</c>, <c>product.not_published</c>, <c>product.replaced</c>.</exception>
    internal async Task<int> RunApprovedAsync(Approval approval, ApprovalRun run, CancellationToken ct)
    {
        var published = await PublishedAsync(Guid.Parse(approval.SubjectId), ct);
        Refuse.If(published.Number != approval.Version, "product.replaced", $"Version {approval.Version} was to be retired; version {published.Number} is published now. Ask anew.");
        published.Retire();
        db.AuditEntries.Add(new AuditEntry(run.At, run.By, "product.retired", "product", approval.SubjectId, JsonSerializer.Serialize(new { version = published.Number, approval = approval.Id, askedBy = approval.AskedBy })));
        await db.SaveChangesAsync(ct);
        return published.Number;
    }

    private async Task<ProductVersion> PublishedAsync(Guid productId, CancellationToken ct)
    {
        await db.NewestVersionForChangeAsync(productId, ct);
        return await db.ProductVersions.SingleOrDefaultAsync(version => version.ProductId == productId && version.Status == ProductStatus.Published, ct)
            ?? throw new RefusedException("product.not_published", "The product has no published version that could be retired.");
    }
}

/// <summary>How operations find a product.</summary>
internal static class ProductAccess
{
    /// <summary>A version as it waits for a second person.</summary>
    public static FrozenAct Frozen(string kind, ProductVersion version) =>
        new(kind, "product", version.ProductId.ToString(), version.Number, JsonSerializer.Serialize(FrozenVersion.Of(version), JsonSerializerOptions.Web), "");

    /// <summary>Locks the product and reads its newest version.</summary>
    /// <exception cref="RefusedException"><c>product.not_found</c>.</exception>
    public static async Task<ProductVersion> NewestVersionForChangeAsync(this CaminoDb db, Guid productId, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select 1 from camino.products where id = {productId} for update", ct);
        return await db.ProductVersions.Where(version => version.ProductId == productId).OrderByDescending(version => version.Number).FirstOrDefaultAsync(ct)
            ?? throw new RefusedException("product.not_found", $"There is no product {productId}.");
    }
}
