using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Text;
using Camino.Lending;
using Microsoft.AspNetCore.Identity;

namespace Camino.People;

/// <summary>
/// What a password must not be. Length is what counts: nothing asks for capitals or digits, nothing expires. Refused is what guessers try first: a list of common passwords, what is made of
/// one of their words or of a run over the keyboard, what is made of the person's or the house's own name, and what stands in the record of stolen passwords where the house has one.
/// </summary>
/// <remarks>
/// Source: NIST SP 800-63B 5.1.1.2. The list is our own, written down from what such lists have in common, and small; it works without a network and refuses by pattern what
/// a record of breaches would hold a thousand times (<c>Passw0rd2026!!</c>). What was stolen elsewhere is <see cref="BreachedPasswords"/>' to know.
/// </remarks>
public sealed class PasswordRules(BreachedPasswords breached) : IPasswordValidator<StaffUser>
{
    /// <summary>Characters at least.</summary>
    public const int Shortest = 12;

    /// <summary>Characters at most, so that nobody makes the server hash a book.</summary>
    public const int Longest = 200;

    /// <summary>Letters and digits that must be left when names, common words and runs are taken out.</summary>
    private const int OwnLetters = 6;

    /// <summary>Runs over the keyboard, the alphabet and the digits; read backwards too.</summary>
    private static readonly string[] s_rows = ["abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6y7u8i9o0p"];

    /// <summary>Words of which guessers make long passwords.</summary>
    private static readonly string[] s_words =
    [
        "administrator", "admin", "password", "passwort", "contrasena", "contrasenya", "passphrase", "passcode", "changeme", "letmein", "welcome", "bienvenido", "iloveyou", "teamo", "monkey", "dragon", "sunshine", "princess",
        "football", "baseball", "superman", "batman", "starwars", "pokemon", "trustno", "master", "shadow", "michael", "jennifer", "jordan", "ashley", "charlie", "freedom", "whatever", "computer", "internet", "secret", "access",
        "default", "temporary", "temp", "test", "testing", "guest", "user", "login", "server", "oracle", "database", "winter", "spring", "summer", "autumn", "january", "february", "march", "april", "june", "july", "august",
        "september", "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "america", "chicago", "newyork", "texas", "california", "florida", "hello", "company", "business",
        "lender", "lending", "loan", "loans", "bank", "finance", "money", "credit", "camino",
    ];

    /// <summary>Common ones that the patterns let through.</summary>
    private static readonly FrozenSet<string> s_common = new[]
    {
        "correcthorsebatterystaple", "tobeornottobe", "maytheforcebewithyou", "thequickbrownfox", "thequickbrownfoxjumpsoverthelazydog", "iloveyousomuch", "iloveyouforever", "mynameisearl", "openthedoor", "opensesame",
        "openthepodbaydoors", "livelaughlove", "hakunamatata", "abracadabra", "supercalifragilisticexpialidocious", "onceuponatime", "ingodwetrust", "wethepeople", "rockandroll", "manchesterunited", "liverpoolfc",
        "realmadridcf", "barcelonafc", "dallascowboys", "greenbaypackers", "newyorkyankees", "bostonredsox", "harrypotter", "lordoftherings", "gameofthrones", "winteriscoming", "startrekvoyager", "jesuschrist", "jesusislord",
        "godisgood", "goodmorning", "goodnight", "happybirthday", "merrychristmas", "losangeles", "sanfrancisco", "unitedstates", "elpueblounido", "vivamexico", "vivaespana", "tequieromucho", "teamomucho", "lavidaesbella",
        "micasaestucasa", "diosesamor", "nomelose", "nosenose", "abrelapuerta", "quetengasunbuendia",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task<IdentityResult> ValidateAsync(UserManager<StaffUser> manager, StaffUser user, string? password)
    {
        ArgumentNullException.ThrowIfNull(user);
        return Task.FromResult(FaultOf(password, user) is { } fault ? IdentityResult.Failed(new IdentityError { Code = fault.Code, Description = fault.Message }) : IdentityResult.Success);
    }

    /// <summary>Whether a stored hash was made with fewer rounds than now, or is none.</summary>
    /// <remarks>The framework's form: a byte for the version, four for the function, four for the rounds.</remarks>
    internal static bool IsHashedWithLess(string? hash, int rounds)
    {
        Span<byte> bytes = stackalloc byte[128];
        return hash is null || !Convert.TryFromBase64String(hash, bytes, out var length) || length < 9 || BinaryPrimitives.ReadInt32BigEndian(bytes[5..]) < rounds;
    }

    /// <summary>A password that somebody chooses is let through by the rules and stands in no record.</summary>
    /// <exception cref="RefusedException"><c>password.length</c>, <c>password.pattern</c>, <c>password.common</c>, <c>password.personal</c>, <c>password.breached</c>, <c>password.record</c>.</exception>
    public void Check(string? password, StaffUser user)
    {
        ArgumentNullException.ThrowIfNull(user);
        if (FaultOf(password, user) is { } fault)
            throw fault;
    }

    /// <summary>Why a password is refused by what it is made of; null when it is not.</summary>
    /// <param name="email">The person's: its parts, the house's name among them, are no password.</param>
    /// <param name="name">The person's.</param>
    public static RefusedException? Fault(string? password, string? email, string? name)
    {
        var given = password ?? "";
        if (given.Length is < Shortest or > Longest)
            return new RefusedException("password.length", $"password has {given.Length} characters; it must have {Shortest} to {Longest}.");
        if (given.Distinct().Count() < 5)
            return new RefusedException("password.pattern", "password is made of fewer than 5 different characters; choose one that nobody would guess, such as four words that have nothing to do with each other.");
        var plain = Letters(given);
        var folded = Fold(plain);
        if (s_common.Contains(folded) || s_common.Contains(Letters(plain.TrimEnd("0123456789".ToCharArray()))))
            return new RefusedException("password.common", "password is one of the most common ones; choose one that nobody would guess, such as four words that have nothing to do with each other.");
        if (Strength(plain, folded) < OwnLetters)
            return new RefusedException("password.pattern", "password is made of common words, a year or a run over the keyboard; choose one that nobody would guess, such as four words that have nothing to do with each other.");
        var names = NamesOf(email, name).ToList();
        return Strength(Without(plain, names), Without(folded, names.Select(Fold))) < OwnLetters
            ? new RefusedException("password.personal", "password is made of the name, the e-mail or the house's name; choose one that nobody would guess from them.")
            : null;
    }

    private RefusedException? FaultOf(string? password, StaffUser user) => Fault(password, user.Email, user.DisplayName) ?? (breached.Contains(password ?? "")
        ? new RefusedException("password.breached", "password stands in a record of passwords that were stolen elsewhere; choose another one, and change it wherever else it is used.")
        : null);

    private static string Without(string text, IEnumerable<string> parts) => parts.Aggregate(text, (rest, part) => rest.Replace(part, "", StringComparison.Ordinal));

    /// <summary>The lesser strength of what is written and of what is meant by it.</summary>
    private static int Strength(string plain, string folded) => Math.Min(Strength(plain), Strength(folded));

    /// <summary>Letters and digits that are no common word, no run and no repetition.</summary>
    private static int Strength(string folded)
    {
        // two common words may make a phrase of one's own when there are more of them: only what consists of one or two is refused
        var rest = folded;
        var taken = 0;
        foreach (var word in s_words.OrderByDescending(word => word.Length))
        {
            while (taken < 2 && rest.IndexOf(word, StringComparison.Ordinal) is >= 0 and var at)
            {
                rest = rest.Remove(at, word.Length);
                taken++;
            }
        }

        return Unforeseen(rest);
    }

    /// <summary>How many characters do not follow from the ones before: a run, a repetition or a year counts as one.</summary>
    private static int Unforeseen(string text)
    {
        var own = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (i > 0 && (text[i] == text[i - 1] || s_rows.Any(row => IsStep(row, text[i - 1], text[i]))))
                continue;
            if (i >= 3 && text.AsSpan(0, i).IndexOf(text.AsSpan(i, Math.Min(3, text.Length - i))) >= 0)
                continue; // said before
            own++;
        }

        return own;
    }

    private static bool IsStep(string row, char from, char to)
    {
        for (var i = row.IndexOf(from, StringComparison.Ordinal); i >= 0; i = i + 1 < row.Length ? row.IndexOf(from, i + 1) : -1)
        {
            if ((i + 1 < row.Length && row[i + 1] == to) || (i > 0 && row[i - 1] == to))
                return true;
        }

        return false;
    }

    /// <summary>Parts of at least 4 letters.</summary>
    private static IEnumerable<string> NamesOf(string? email, string? name) =>
        $"{email} {name}".Split(' ', '@', '.', '-', '_', '+').Select(Letters).Where(part => part.Length >= 4).OrderByDescending(part => part.Length).Distinct(StringComparer.Ordinal);

    /// <summary>Lower case, without accents and spaces; of signs those that are written for a letter.</summary>
    private static string Letters(string text) =>
        new([.. text.Normalize(NormalizationForm.FormD).ToLowerInvariant().Where(letter => char.IsLetterOrDigit(letter) || letter is '@' or '!' or '$')]);

    /// <summary>With what is written for a letter read as that letter.</summary>
    private static string Fold(string letters) =>
        new([.. letters.Select(letter => letter switch { '@' or '4' => 'a', '0' => 'o', '1' or '!' => 'i', '3' => 'e', '$' or '5' => 's', '7' => 't', _ => letter })]);
}
