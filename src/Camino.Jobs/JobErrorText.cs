using System.Text;

namespace Camino.Jobs;

/// <summary>Makes any error text storable: no NUL, no half characters, at most 16,384 characters with head and tail kept.</summary>
internal static class JobErrorText
{
    public const int Longest = 16_384;
    private const int Tail = 4_096;

    public static string Of(Exception exception)
    {
        try
        {
            return Storable(exception.ToString());
        }
        catch (Exception second)
        {
            // An exception whose own text throws must not take the runner with it.
            return $"{exception.GetType().FullName} (its text could not be read: {second.GetType().Name})";
        }
    }

    public static string Storable(string text)
    {
        if (text.Length > Longest)
        {
            var dropped = text.Length - Longest;
            text = $"{text.AsSpan(0, Longest - Tail)}\n… {dropped} characters left out …\n{text.AsSpan(text.Length - Tail)}";
        }
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value != 0)
                clean.Append(rune.ToString());
        }
        return clean.ToString();
    }
}
