using Camino.Lending.Screening;
using Camino.Lending.Tests.Loans;

namespace Camino.Lending.Tests.Screening;

public class NameComparisonTests
{
    private static readonly string[] s_words =
        "MARTA BELTRAN QUIROGA IVAN SOKOLOV PETROVA AHMAD KHALIL NASSER OLGA DMITRI FERNANDO ZAPATA CORDERO LUCIA WILHELM HENDRIK OSTERMAN GRACIELA TADEUSZ KOWALSKI YUSUF RAHIM".Split(' ');

    [Test]
    public void A_name_is_worth_100_against_itself() => RandomLoans.ForAll(2_000, random =>
    {
        var name = Name(random);

        Assert.That(NameComparison.Between(name, name, PartyKind.Person).Points, Is.EqualTo(100), name);
        Assert.That(NameComparison.Between(name, name, PartyKind.Entity).Points, Is.EqualTo(100), name);
    });

    [Test]
    public void Which_of_two_names_is_on_the_list_does_not_matter() => RandomLoans.ForAll(4_000, random =>
    {
        var (one, other) = (Name(random), random.Next(2) == 0 ? Mistyped(Name(random), random) : Name(random));
        var kind = random.Next(2) == 0 ? PartyKind.Person : PartyKind.Entity;

        Assert.That(NameComparison.Between(one, other, kind).Points, Is.EqualTo(NameComparison.Between(other, one, kind).Points), $"{one} / {other}");
    });

    [Test]
    public void The_order_of_the_words_does_not_matter() => RandomLoans.ForAll(4_000, random =>
    {
        var (one, other) = (Name(random), Mistyped(Name(random), random));
        var mixed = one.Split(' ');
        random.Shuffle(mixed);

        Assert.That(NameComparison.Between(string.Join(' ', mixed), other, PartyKind.Person).Points, Is.EqualTo(NameComparison.Between(one, other, PartyKind.Person).Points), $"{one} / {other}");
    });

    [Test]
    public void A_score_is_0_to_100_whatever_is_typed() => RandomLoans.ForAll(3_000, random =>
    {
        var (one, other) = (Noise(random), Noise(random));

        Assert.That(NameComparison.Between(one, other, (PartyKind)random.Next(5)).Points, Is.InRange(0, 100));
    });

    [Test]
    public void A_word_more_on_one_side_never_raises_the_score() => RandomLoans.ForAll(2_000, random =>
    {
        var name = Name(random);

        Assert.That(NameComparison.Between(name + " XQZWORD", name, PartyKind.Entity).Points, Is.LessThan(100));
    });

    [Test]
    public void The_explanation_says_of_each_word_what_became_of_it()
    {
        var score = NameComparison.Between("J. Gúzman Lopes", "GUZMAN LOPEZ, Joaquin Archivaldo", PartyKind.Person);

        Assert.That(score.Words.Select(word => (word.Given, word.Listed, word.How)), Is.EquivalentTo(new[]
        {
            ("Gúzman", "GUZMAN", MatchKind.Transliterated), ("Lopes", "LOPEZ", MatchKind.SoundsAlike), ("J", "Joaquin", MatchKind.Initial), ("", "Archivaldo", MatchKind.Missing),
        }));
    }

    [Test]
    public void A_missing_second_surname_is_forgiven_and_a_contradicting_one_is_not()
    {
        var missing = NameComparison.Between("Joaquin Guzman", "GUZMAN LOERA, Joaquin", PartyKind.Person).Points;
        var contradicting = NameComparison.Between("Joaquin Guzman Perez", "GUZMAN LOERA, Joaquin", PartyKind.Person).Points;
        var onlySurnames = NameComparison.Between("Guzman Loera", "GUZMAN LOERA, Joaquin", PartyKind.Person).Points;

        Assert.That(missing, Is.EqualTo(92)); // 4 of 4 words agree, one of five counts a third: 4 / 4.35
        Assert.That(contradicting, Is.EqualTo(67)); // 4 of 6
        Assert.That(onlySurnames, Is.EqualTo(80)); // 4 of 5: no given name agrees
    }

    [Test]
    public void Numbers_are_the_same_or_different_and_never_near() =>
        Assert.That(NameComparison.Between("Brigada 2506", "Brigada 2507", PartyKind.Entity).Points, Is.EqualTo(50));

    private static string Name(Random random) => string.Join(' ', random.GetItems(s_words, random.Next(1, 5)));

    private static string Mistyped(string name, Random random)
    {
        var letters = name.ToCharArray();
        letters[random.Next(letters.Length)] = (char)('A' + random.Next(26));
        return new string(letters);
    }

    private static string Noise(Random random)
    {
        const string signs = "abcXYZ .,-'ÁñØЖщΩمد\u200B\uD83D&/()0123\t";
        return new string(random.GetItems<char>(signs, random.Next(0, 40)));
    }
}
