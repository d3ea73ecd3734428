namespace Camino.Lending.Screening;

/// <summary>One word of a name as it is compared.</summary>
/// <param name="Text">Latin capitals and digits without accents; other scripts as they are.</param>
/// <param name="Shown">The word as it was written.</param>
/// <param name="WasTransliterated">Whether accents or another alphabet had to be taken off.</param>
/// <param name="WithoutVowels">Whether it comes from a script that writes no short vowels.</param>
/// <param name="Part">Where a comma divides the name, the side of it.</param>
public sealed record NameWord(string Text, string Shown, bool WasTransliterated, bool WithoutVowels, NamePart Part)
{
    /// <summary>Consonants as they sound: words with the same key may be spellings of one another. Empty for what has no letters.</summary>
    public string Key { get; } = SoundKey.Of(Text);

    /// <summary>Words that say little by themselves: <c>DE</c>, <c>AL</c>, <c>THE</c>.</summary>
    public bool IsParticle { get; } = NameWords.IsParticle(Text);

    /// <summary>One letter that may stand for a whole name.</summary>
    public bool IsInitial => Text.Length == 1 && char.IsLetter(Text[0]);
}

/// <summary>Side of the comma in <c>GUZMAN LOERA, Joaquin</c>.</summary>
public enum NamePart
{
    /// <summary>The name has no comma.</summary>
    Unknown,

    /// <summary>Before the comma.</summary>
    Surname,

    /// <summary>After it.</summary>
    Given,
}

/// <summary>What a name belongs to.</summary>
public enum PartyKind
{
    /// <summary>Person or organisation, not known which.</summary>
    Unknown,

    /// <summary>A human being.</summary>
    Person,

    /// <summary>A business or another organisation.</summary>
    Entity,

    /// <summary>A ship.</summary>
    Vessel,

    /// <summary>An aircraft.</summary>
    Aircraft,
}
