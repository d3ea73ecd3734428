namespace Camino.Lending.Screening;

/// <summary>How two words were found to be the same.</summary>
public enum MatchKind
{
    /// <summary>No counterpart on the other side.</summary>
    Missing,

    /// <summary>Letter by letter.</summary>
    Exact,

    /// <summary>The same once accents or another alphabet are taken off.</summary>
    Transliterated,

    /// <summary>A spelling that sounds alike.</summary>
    SoundsAlike,

    /// <summary>A few letters apart.</summary>
    Near,

    /// <summary>One letter that stands for the name.</summary>
    Initial,

    /// <summary>Written as one word here and as several there.</summary>
    Joined,
}

/// <summary>One line of why a score is what it is.</summary>
/// <param name="Given">Of the name that was asked about; empty: only the list has the other.</param>
/// <param name="Listed">Of the name on the list; empty: it is missing there.</param>
/// <param name="How">How they match.</param>
/// <param name="Likeness">0 to 100.</param>
public sealed record WordMatch(string Given, string Listed, MatchKind How, int Likeness);

/// <summary>What beside the name speaks for or against a match.</summary>
public enum Evidence
{
    /// <summary>A date of birth on the list is the one given.</summary>
    BirthDateSame,

    /// <summary>The years of birth are at most one apart, or the list is not exact.</summary>
    BirthDateNear,

    /// <summary>No date of birth on the list is near the one given.</summary>
    BirthDateDiffers,

    /// <summary>The list knows the country: an address, a place of birth, a nationality.</summary>
    CountrySame,

    /// <summary>The list knows countries, and this one is not among them.</summary>
    CountryDiffers,

    /// <summary>A person there, a business or a ship here.</summary>
    KindDiffers,

    /// <summary>The list gives the name as a nickname only.</summary>
    WeakName,
}

/// <summary>A score of two names.</summary>
/// <param name="Points">0 to 100; 100 only for names that are the same word by word.</param>
/// <param name="Words">Why; empty where nothing matches.</param>
public sealed record NameScore(int Points, IReadOnlyList<WordMatch> Words);
