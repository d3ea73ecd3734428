using System.Text.RegularExpressions;

namespace Camino.Jobs;

/// <summary>The names and sizes that the engine takes, checked once where they come in.</summary>
public static partial class JobNames
{
    /// <summary>The largest arguments, result or checkpoint, in bytes of JSON.</summary>
    public const int LargestJson = 64 * 1024;

    /// <summary>The longest unique key, in characters.</summary>
    public const int LongestKey = 200;

    /// <summary>The longest tag, in characters.</summary>
    public const int LongestTag = 60;

    /// <summary>The longest user id that asks, in characters.</summary>
    public const int LongestUser = 200;

    /// <summary>Checks a queue's name: a lower case letter, then lower case letters, digits and hyphens, 1 to 50 characters in all.</summary>
    /// <exception cref="ArgumentException">it is not of that form.</exception>
    public static string Queue(string value, string field = "queue") =>
        QueueForm().IsMatch(value)
            ? value
            : throw new ArgumentException($"{field} is '{Shown(value)}'; a queue's name is 1 to 50 lower case letters, digits and hyphens, and begins with a letter.", field);

    /// <summary>Checks a kind: a lower case letter, then lower case letters, digits, dots and hyphens, 3 to 100 characters in all.</summary>
    /// <exception cref="ArgumentException">it is not of that form.</exception>
    public static string Kind(string value, string field = "kind") =>
        KindForm().IsMatch(value)
            ? value
            : throw new ArgumentException($"{field} is '{Shown(value)}'; a kind is 3 to 100 lower case letters, digits, dots and hyphens, and begins with a letter.", field);

    /// <summary>Checks a schema's name: lower case letters, digits and underscores, 1 to 40 characters, not beginning with a digit.</summary>
    /// <exception cref="ArgumentException">it is not of that form.</exception>
    public static string Schema(string value, string field = "schema") =>
        SchemaForm().IsMatch(value)
            ? value
            : throw new ArgumentException($"{field} is '{Shown(value)}'; a schema's name is 1 to 40 lower case letters, digits and underscores, and does not begin with a digit.", field);

    /// <summary>Checks a text that is optional and bounded, and without NUL.</summary>
    /// <exception cref="ArgumentException">it is empty, too long, or holds a NUL character.</exception>
    internal static string? Text(string? value, string field, int longest)
    {
        if (value is null)
            return null;
        if (value.Length == 0 || value.Length > longest)
            throw new ArgumentException($"{field} has {value.Length} characters; it must have 1 to {longest}.", field);
        return value.Contains('\0', StringComparison.Ordinal)
            ? throw new ArgumentException($"{field} holds a NUL character, which PostgreSQL cannot store.", field)
            : value;
    }

    private static string Shown(string value) => (value.Length > 60 ? value[..60] + "…" : value).Replace('\0', ' ');

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,49}\z", RegexOptions.CultureInvariant)]
    internal static partial Regex QueueForm();

    [GeneratedRegex(@"\A[a-z][a-z0-9.-]{2,99}\z", RegexOptions.CultureInvariant)]
    internal static partial Regex KindForm();

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]{0,39}\z", RegexOptions.CultureInvariant)]
    internal static partial Regex SchemaForm();
}
