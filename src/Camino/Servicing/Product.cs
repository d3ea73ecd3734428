using Camino.Lending;
using Camino.Lending.Loans;

namespace Camino.Servicing;

/// <summary>Where a version of a product stands.</summary>
public enum ProductStatus
{
    /// <summary>May still be changed; no loan is booked under it.</summary>
    Draft,

    /// <summary>Loans are booked under it; never changed again.</summary>
    Published,

    /// <summary>No new loans; those made under it keep it.</summary>
    Retired,
}

/// <summary>A kind of loan that the lender makes. What it says stands in its versions.</summary>
public sealed class Product
{
    private Product()
    {
    }

    /// <param name="code">2 to 20 capital letters, digits and hyphens: <c>WC-12</c>. Unique.</param>
    /// <param name="name">1 to 100 characters.</param>
    /// <exception cref="RefusedException"><c>product.code</c>, <c>product.name</c>.</exception>
    public Product(string code, string name, DateTimeOffset at)
    {
        Refuse.If(code.Length is < 2 or > 20 || !code.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '-'), "product.code",
            $"A product's code is 2 to 20 capital letters, digits and hyphens, such as WC-12; got {(code.Length > 40 ? code[..40] : code)}.");
        Refuse.If(name.Trim().Length is 0 or > 100, "product.name", $"A product's name has 1 to 100 characters; got {name.Trim().Length}.");
        Id = Guid.CreateVersion7();
        Code = code;
        Name = name.Trim();
        CreatedAt = at;
    }

    public Guid Id { get; private set; }

    public string Code { get; private set; } = "";

    public string Name { get; private set; } = "";

    public DateTimeOffset CreatedAt { get; private set; }
}

/// <summary>What a product says, in one version. A loan keeps the version that it was made under.</summary>
public sealed class ProductVersion
{
    private ProductVersion()
    {
    }

    /// <param name="number">1 for the first.</param>
    /// <param name="rules">How loans are serviced, in the stable form of <see cref="StoredForm"/>.</param>
    /// <param name="offer">What loans may look like, in the same form.</param>
    public ProductVersion(Guid productId, int number, string rules, string offer, DateTimeOffset at, Guid by)
    {
        ProductId = productId;
        Number = number;
        Rules = rules;
        Offer = offer;
        ChangedAt = at;
        ChangedBy = by;
    }

    public Guid ProductId { get; private set; }

    public int Number { get; private set; }

    public ProductStatus Status { get; private set; }

    /// <summary>How loans are serviced: JSON.</summary>
    public string Rules { get; private set; } = "{}";

    /// <summary>What loans may look like: JSON.</summary>
    public string Offer { get; private set; } = "{}";

    public DateTimeOffset ChangedAt { get; private set; }

    public Guid ChangedBy { get; private set; }

    public DateTimeOffset? PublishedAt { get; private set; }

    /// <summary>Says anew what a draft says.</summary>
    /// <exception cref="RefusedException"><c>product.not_draft</c>.</exception>
    public void Change(string rules, string offer, DateTimeOffset at, Guid by)
    {
        Refuse.If(Status != ProductStatus.Draft, "product.not_draft", $"Version {Number} is {Status}; only drafts change. Make a new version.");
        Rules = rules;
        Offer = offer;
        ChangedAt = at;
        ChangedBy = by;
    }

    /// <summary>From now on loans are booked under it, and it stays as it is.</summary>
    /// <exception cref="RefusedException"><c>product.not_draft</c>.</exception>
    public void Publish(DateTimeOffset at)
    {
        CheckDraft();
        Status = ProductStatus.Published;
        PublishedAt = at;
    }

    /// <summary>Whether it could be published.</summary>
    /// <exception cref="RefusedException"><c>product.not_draft</c>.</exception>
    public void CheckDraft() => Refuse.If(Status != ProductStatus.Draft, "product.not_draft", $"Version {Number} is {Status}; only a draft can be published.");

    /// <summary>No new loans; those made under it keep it.</summary>
    /// <exception cref="RefusedException"><c>product.not_published</c>.</exception>
    public void Retire()
    {
        Refuse.If(Status != ProductStatus.Published, "product.not_published", $"Version {Number} is {Status}; only a published version can be retired.");
        Status = ProductStatus.Retired;
    }
}
