using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Camino.Applications.Acceptance;

/// <summary>Signs the id of a link together with when it ends, so that nobody can make one up, change it or use it longer; what it opens stands in the database, where it can be ended before.</summary>
public sealed class SignedLink(IDataProtectionProvider protection)
{
    private const int Longest = 600;

    private readonly ITimeLimitedDataProtector _links = protection.CreateProtector("Camino.OfferLinks.v1").ToTimeLimitedDataProtector();

    /// <summary>What stands in the address.</summary>
    public string Write(Guid linkId, DateTimeOffset expiresAt) => Base64Url.EncodeToString(_links.Protect(linkId.ToByteArray(), expiresAt));

    /// <summary>The link's id; null for what was not signed here, was changed, or has ended.</summary>
    public Guid? Read(string? token)
    {
        if (token is not { Length: > 0 and <= Longest })
            return null;
        try
        {
            return new Guid(_links.Unprotect(Base64Url.DecodeFromChars(token)));
        }
        catch (Exception wrong) when (wrong is CryptographicException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}
