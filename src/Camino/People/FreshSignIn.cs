using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>Whoever adds or changes passkeys or a second factor has just signed in, so that a browser left open gives nobody one.</summary>
/// <remarks>Source: OWASP ASVS 5.0, 7.5.1.</remarks>
internal static class FreshSignIn
{
    /// <summary>So long ago at most.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    /// <param name="takesUntold">A provider that does not say when it asked the person is believed to have asked when the session began: whoever must set a second factor up could come no further otherwise.</param>
    /// <exception cref="RefusedException"><c>session.sign_in_anew</c>.</exception>
    public static async Task MustBeFreshAsync(this CaminoDb db, Guid? session, DateTimeOffset now, bool takesUntold, CancellationToken ct)
    {
        Refuse.If(!await db.IsFreshAsync(session, now, takesUntold, ct), "session.sign_in_anew", $"You signed in more than {(int)Longest.TotalMinutes} minutes ago; sign out and in again, then change passkeys and second factor.");
    }

    /// <summary>Whether the session is of a sign-in of just now.</summary>
    /// <param name="takesUntold">As for <see cref="MustBeFreshAsync"/>.</param>
    public static async Task<bool> IsFreshAsync(this CaminoDb db, Guid? session, DateTimeOffset now, bool takesUntold, CancellationToken ct)
    {
        // whoever came by the company's identity provider signed in when it asked, which may be long before this session began
        var signed = await db.Database.SqlQuery<DateTimeOffset?>($"""select case when by_company and not ({takesUntold} and company_signed_at is null) then company_signed_at else begun_at end as "Value" from camino.staff_sessions where id = {session} and ended_at is null""").ToListAsync(ct);
        return signed is [{ } at] && now - at <= Longest;
    }
}
