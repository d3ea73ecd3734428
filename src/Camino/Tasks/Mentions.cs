using System.Text.RegularExpressions;
using Camino.Data;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Tasks;

/// <summary>Who is called by name in a text: <c>@ana.ruiz</c> is the user whose e-mail address begins so.</summary>
internal static partial class Mentions
{
    /// <summary>People that one text calls at most.</summary>
    public const int Most = 20;

    private sealed record Called(string Handle, Guid Id);

    /// <summary>The users that a text calls, each once.</summary>
    /// <exception cref="RefusedException"><c>note.mention</c>: nobody who can sign in is called so, or more than one is.</exception>
    public static async Task<IReadOnlyList<Guid>> MentionedAsync(this CaminoDb db, string text, CancellationToken ct)
    {
        var handles = In(text);
        if (handles.Count == 0)
            return [];
        Refuse.If(handles.Count > Most, "note.mention", $"A text calls at most {Most} people; got {handles.Count}.");
        var called = await db.Database.SqlQuery<Called>(
            $"select lower(split_part(u.email, '@', 1)) as \"Handle\", u.id as \"Id\" from camino.staff_users u where lower(split_part(u.email, '@', 1)) = any({handles.ToArray()}) and u.lockout_end is distinct from 'infinity'").ToListAsync(ct);
        foreach (var handle in handles)
        {
            var found = called.Count(one => one.Handle == handle);
            Refuse.If(found == 0, "note.mention", $"Nobody who can sign in is called @{InputText.Short(handle)}.");
            Refuse.If(found > 1, "note.mention", $"More than one user is called @{InputText.Short(handle)}; write without the sign, and give them a task.");
        }

        return [.. called.Select(one => one.Id).Distinct()];
    }

    /// <summary>What stands behind an at-sign at the beginning of a word, in lower case, each once. An e-mail address calls nobody.</summary>
    internal static IReadOnlyList<string> In(string text) => [.. Mention().Matches(text).Select(match => match.Groups["handle"].Value.TrimEnd('.').ToLowerInvariant()).Distinct(StringComparer.Ordinal)];

    [GeneratedRegex(@"(?<![\w.@+-])@(?<handle>[A-Za-z0-9][A-Za-z0-9._+-]{0,63})(?![\w@])", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Mention();
}
