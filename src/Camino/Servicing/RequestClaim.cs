using System.Security.Cryptography;
using System.Text;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>Who asks, under which key, and which version of the loan they looked at.</summary>
/// <param name="UserId">The user, or the user of the program's key.</param>
/// <param name="Key">1 to 64 characters, unique for each user: the same key and body again gets the same answer.</param>
/// <param name="Version">The loan must still have this version; null when any will do.</param>
public sealed record AskedBy(Guid UserId, string Key, int? Version = null);

/// <summary>Sees to it that one key is carried out once: the claim is a row that is written in the same transaction as everything else.</summary>
internal static class RequestClaim
{
    /// <summary>Claims a key. A second transaction with the same key waits here until the first has ended.</summary>
    /// <param name="fingerprint">What was asked, as text: another text under the same key is refused.</param>
    /// <returns>Null when the key is new; otherwise the answer that was given.</returns>
    /// <exception cref="RefusedException"><c>idempotency.key_reused</c>, <c>idempotency.key</c>.</exception>
    public static async Task<string?> ClaimAsync(this CaminoDb db, AskedBy by, string fingerprint, DateTimeOffset at, CancellationToken ct)
    {
        Refuse.If(by.Key.Length is < 1 or > 64 || by.Key.Any(c => c is < ' ' or > '~'), "idempotency.key", $"An Idempotency-Key has 1 to 64 printable characters; got {by.Key.Length}.");
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(fingerprint));
        var claimed = await db.Database.ExecuteSqlAsync(
            $"insert into camino.handled_requests (user_id, key, fingerprint, answer, at) values ({by.UserId}, {by.Key}, {hash}, 'null', {at}) on conflict do nothing", ct);
        if (claimed == 1)
            return null;
        var handled = await db.HandledRequests.AsNoTracking().SingleAsync(request => request.UserId == by.UserId && request.Key == by.Key, ct);
        Refuse.If(!handled.Fingerprint.AsSpan().SequenceEqual(hash), "idempotency.key_reused", $"The Idempotency-Key {by.Key} was used for another request; take a new key.");
        return handled.Answer;
    }

    /// <summary>Keeps the answer for whoever asks again.</summary>
    public static Task AnswerAsync(this CaminoDb db, AskedBy by, string answer, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"update camino.handled_requests set answer = {answer}::jsonb where user_id = {by.UserId} and key = {by.Key}", ct);
}
