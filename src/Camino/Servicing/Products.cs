using System.Text.Json;
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

/// <summary>Publishes a draft: loans are booked under it from then on, and the version published before is retired.</summary>
public sealed class PublishProduct(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>product.not_found</c>, <c>product.not_draft</c>.</exception>
    public async Task<int> RunAsync(Guid productId, Guid by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var newest = await db.NewestVersionForChangeAsync(productId, ct);
        newest.Publish(at);
        foreach (var before in await db.ProductVersions.Where(version => version.ProductId == productId && version.Status == ProductStatus.Published).ToListAsync(ct))
        {
            if (before.Number != newest.Number)
                before.Retire();
        }

        db.AuditEntries.Add(new AuditEntry(at, by, "product.published", "product", productId.ToString(), JsonSerializer.Serialize(new { version = newest.Number })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return newest.Number;
    }
}

/// <summary>Retires a product: no new loans; those made under it are serviced as before.</summary>
public sealed class RetireProduct(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>product.not_found</c>, <c>product.not_published</c>.</exception>
    public async Task RunAsync(Guid productId, Guid by, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.NewestVersionForChangeAsync(productId, ct);
        var published = await db.ProductVersions.SingleOrDefaultAsync(version => version.ProductId == productId && version.Status == ProductStatus.Published, ct)
            ?? throw new RefusedException("product.not_published", "The product has no published version that could be retired.");
        published.Retire();
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), by, "product.retired", "product", productId.ToString(), JsonSerializer.Serialize(new { version = published.Number })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}

/// <summary>How operations find a product.</summary>
internal static class ProductAccess
{
    /// <summary>Locks the product and reads its newest version.</summary>
    /// <exception cref="RefusedException"><c>product.not_found</c>.</exception>
    public static async Task<ProductVersion> NewestVersionForChangeAsync(this CaminoDb db, Guid productId, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select 1 from camino.products where id = {productId} for update", ct);
        return await db.ProductVersions.Where(version => version.ProductId == productId).OrderByDescending(version => version.Number).FirstOrDefaultAsync(ct)
            ?? throw new RefusedException("product.not_found", $"There is no product {productId}.");
    }
}
