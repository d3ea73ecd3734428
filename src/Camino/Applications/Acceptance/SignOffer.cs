using System.Text;
using System.Text.Json;
using Camino.Applications.Papers;
using Camino.Data;
using Camino.Lending;
using Camino.Papers;
using Camino.Webhooks;

namespace Camino.Applications.Acceptance;

/// <summary>What an applicant signs with.</summary>
/// <param name="Name">As it was typed: 2 to 100 characters.</param>
/// <param name="Language">In which the offer was read.</param>
/// <param name="Sha256">Of the document that was shown.</param>
/// <param name="Address">Where the request came from.</param>
/// <param name="Browser">As it calls itself.</param>
public sealed record SignatureInput(string? Name, bool HasConsented, string Language, string? Sha256, string? Address, string? Browser);

/// <summary>An applicant accepts one offer by its link: the offer is taken, the others are closed, and what proves it is kept, all or nothing. However often it is pressed, it happens once.</summary>
public sealed class SignOffer(CaminoDb db, OpenOffer open, WebhookVault vault, TimeProvider clock)
{
    /// <summary>The text that is agreed to, with its version; a template in each language.</summary>
    public const string Consent = "consent.1";

    public const int ShortestName = 2;
    public const int LongestName = 100;
    private const int LongestBrowser = 300;

    /// <summary>What is agreed to.</summary>
    public static string ConsentText(string template, string language, string lender, int offer, string applicant) =>
        ((PaperParagraph)PaperTemplate.Of(template, language).Fill(new PaperValues(new Dictionary<string, object?> { ["lender"] = lender, ["offer"] = offer, ["applicant"] = applicant }, new Dictionary<string, IReadOnlyList<string>>(), [])).Blocks[0]).Text;

    /// <exception cref="RefusedException"><c>offer_link.*</c>, <c>input.name</c>, <c>input.consent</c>, <c>application.*</c>, <c>offer.*</c>.</exception>
    public async Task RunAsync(string? token, SignatureInput input, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        var opened = await open.RunAsync(token, ct);
        if (opened.AcceptedAt is not null)
            return;
        var name = Imports.StorableText.Of(input.Name ?? "").Trim();
        Refuse.If(name.Length is < ShortestName or > LongestName, "input.name", $"name has {ShortestName} to {LongestName} characters; got {name.Length}.");
        Refuse.If(!input.HasConsented, "input.consent", "Tick the box to agree before you accept.");
        var paper = opened.Paper(PaperKind.Offer, input.Language);
        Refuse.If(paper is null, "offer_link.paper", "This document is still being made. Try again in a minute.");
        Refuse.If(!string.Equals(paper.Sha256, input.Sha256, StringComparison.Ordinal), "offer_link.changed", "The page is not up to date any more. Look at the offer again.");
        var sealedName = await vault.SealAsync(Encoding.UTF8.GetBytes(name), ct);
        var browser = Imports.Shown.Cut(Imports.StorableText.Of(input.Browser ?? ""), LongestBrowser);
        var sealedFrom = await vault.SealAsync(JsonSerializer.SerializeToUtf8Bytes(new SignedFrom(input.Address ?? "", browser), JsonSerializerOptions.Web), ct);
        await KeepAsync(opened, paper, input.Language, sealedName, sealedFrom, ct);
    }

    private async Task KeepAsync(OpenedOffer opened, LinkedPaper paper, string language, byte[] sealedName, byte[] sealedFrom, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var signed = new SignedOffer(opened.ApplicationId, opened.Offer, opened.LinkId, opened.MadeBy, paper.Id, paper.Sha256, language, Consent, sealedName, sealedFrom);
        if (!await db.KeepSignatureAsync(signed, at, ct))
            return; // the other tab was quicker
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}

/// <summary>Where a signature came from.</summary>
internal sealed record SignedFrom(string Address, string Browser);
