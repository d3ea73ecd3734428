namespace Camino.Lending.Screening;

/// <summary>Where on the list a name stands.</summary>
public enum ListedNameKind
{
    /// <summary>The entry's own name.</summary>
    Primary,

    /// <summary>Also known as.</summary>
    Alias,

    /// <summary>Formerly known as.</summary>
    Former,

    /// <summary>Now known as.</summary>
    Now,

    /// <summary>A nickname in the remarks, which the list itself calls weak.</summary>
    Weak,
}

/// <summary>One name of an entry.</summary>
public sealed record ListedName(string Text, ListedNameKind Kind);

/// <summary>A date of birth as exactly as the list has it.</summary>
/// <param name="From">First day that it may be.</param>
/// <param name="To">Last day that it may be; the same where the list is exact.</param>
public readonly record struct BirthRange(DateOnly From, DateOnly To);

/// <summary>One address of an entry.</summary>
public sealed record ListedAddress(string Street, string Place, string Country);

/// <summary>One entry of a sanctions list with everything that a name is compared to.</summary>
/// <param name="List"><c>sdn</c> or <c>cons</c>.</param>
/// <param name="Number">The list's own number of the entry.</param>
/// <param name="Programme">Sanctions programmes as the list names them.</param>
/// <param name="Remarks">As the list has them.</param>
public sealed record ListedParty(string List, int Number, PartyKind Kind, string Programme, string Remarks, IReadOnlyList<ListedName> Names, IReadOnlyList<ListedAddress> Addresses)
{
    /// <summary>Dates of birth in the remarks.</summary>
    public IReadOnlyList<BirthRange> BirthDates { get; } = RemarkFacts.BirthDates(Remarks);

    /// <summary>Countries of addresses, place of birth, nationality and citizenship, as they are compared.</summary>
    public IReadOnlyCollection<string> Countries { get; } = RemarkFacts.Countries(Remarks, Addresses);
}

/// <summary>Who is to be looked up.</summary>
/// <param name="BirthDate">Null: not known.</param>
/// <param name="Country">English name of a country; empty: not known.</param>
public sealed record ScreenedParty(string Name, PartyKind Kind = PartyKind.Unknown, DateOnly? BirthDate = null, string Country = "");

/// <summary>An entry that the name may be.</summary>
/// <param name="Name">The one of its names that scores highest.</param>
/// <param name="Score">0 to 100, after what the evidence adds and takes.</param>
/// <param name="NameScore">0 to 100, by the name alone.</param>
public sealed record ScreeningHit(ListedParty Party, ListedName Name, int Score, int NameScore, IReadOnlyList<WordMatch> Words, IReadOnlyList<Evidence> Evidence);
