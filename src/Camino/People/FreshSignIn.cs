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

    /// <exception cref="RefusedException"><c>session.sign_in_anew</c>.</exception>
    public static async Task MustBeFreshAsync(this CaminoDb db, Guid? session, DateTimeOffset now, CancellationToken ct)
    {
        // whoever came by the company's identity provider signed in when it asked, which may be long before this session began
        var signed = await db.Database.SqlQuery<DateTimeOffset?>($"""select case when by_company then company_signed_at else begun_at end as "Value" from camino.staff_sessions where id = {session} and ended_at is null""").ToListAsync(ct);
        Refuse.If(signed is not [{ } at] || now - at > Longest, "session.sign_in_anew", $"You signed in more than {(int)Longest.TotalMinutes} minutes ago; sign out and in again, then change passkeys and second factor.");
    }
}
