using Camino.Lending.Screening;

namespace Camino.Lending.Tests.Screening;

public class NameWordsTests
{
    [TestCase("José Peña-Nieto", "JOSE PENA NIETO")]
    [TestCase("Müller, Jürgen", "MULLER JURGEN")]
    [TestCase("Øystein Łukasz Straße", "OYSTEIN LUKASZ STRASSE")]
    [TestCase("O'Brien", "OBRIEN")]
    [TestCase("NU’MAN", "NUMAN")]
    [TestCase("'ALI, Muhammad", "ALI MUHAMMAD")]
    [TestCase("  J. R.  Smith  ", "J R SMITH")]
    [TestCase("U.S.A. Really", "USA REALLY")]
    [TestCase("Владимир Жуков", "VLADIMIR ZHUKOV")]
    [TestCase("Щербаков Юрий", "SHCHERBAKOV YURIY")]
    [TestCase("Γεώργιος Παπαδόπουλος", "GEORGIOS PAPADOPOULOS")]
    [TestCase("محمد", "MHMD")]
    [TestCase("Jose\u0301", "JOSE")]
    [TestCase("ＷＩＤＥ", "WIDE")]
    [TestCase("Bl\u200Bue", "BLUE")]
    [TestCase("\u0410cme", "ACME")]
    [TestCase("17 Noviembre", "17 NOVIEMBRE")]
    public void Words_are_Latin_capitals_without_accents_and_punctuation(string name, string words) =>
        Assert.That(string.Join(' ', NameWords.Of(name, PartyKind.Person).Words.Select(word => word.Text)), Is.EqualTo(words));

    [TestCase("Blue Heron Bakery, LLC", "BLUE HERON BAKERY", "LLC")]
    [TestCase("Blue Heron Bakery L.L.C.", "BLUE HERON BAKERY", "LLC")]
    [TestCase("GRUPO MUNDO MARINO, S.A.", "GRUPO MUNDO MARINO", "SA")]
    [TestCase("PROMI FEL, S. DE R.L. DE C.V.", "PROMI FEL", "S DE RL DE CV")]
    [TestCase("SERVICIO SANTA ANA S.A. de C.V.", "SERVICIO SANTA ANA", "SA DE CV")]
    [TestCase("Inversiones del Litoral Ltda.", "INVERSIONES DEL LITORAL", "LTDA")]
    [TestCase("Beispiel GmbH", "BEISPIEL", "GMBH")]
    [TestCase("OOO Rosneft", "ROSNEFT", "OOO")]
    [TestCase("ООО Роснефть", "ROSNEFT", "OOO")]
    [TestCase("ANGLO-CARIBBEAN CO., LTD.", "ANGLO CARIBBEAN", "CO LTD")]
    [TestCase("LLC", "LLC", "")]
    public void Legal_forms_stand_apart(string name, string words, string forms)
    {
        var taken = NameWords.Of(name, PartyKind.Entity);

        Assert.That(string.Join(' ', taken.Words.Select(word => word.Text)), Is.EqualTo(words));
        Assert.That(string.Join(' ', taken.LegalForms), Is.EqualTo(forms));
    }

    [Test]
    public void A_comma_divides_surnames_from_given_names_of_a_person_only()
    {
        Assert.That(NameWords.Of("GUZMAN LOERA, Joaquin", PartyKind.Person).Words.Select(word => word.Part), Is.EqualTo(new[] { NamePart.Surname, NamePart.Surname, NamePart.Given }));
        Assert.That(NameWords.Of("ACME, INC.", PartyKind.Unknown).Words.Select(word => word.Part), Is.EqualTo(new[] { NamePart.Unknown }));
        Assert.That(NameWords.Of("DE SA, Joao", PartyKind.Person).Words.Select(word => word.Text), Is.EqualTo(new[] { "DE", "SA", "JOAO" }));
    }

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("... --- !!!")]
    [TestCase("\u200B\u0301")]
    public void What_has_no_letter_and_no_digit_has_no_words(string name) => Assert.That(NameWords.Of(name, PartyKind.Unknown).Words, Is.Empty);

    [Test]
    public void A_name_without_end_is_looked_at_as_far_as_the_limit()
    {
        Assert.That(NameWords.Of(new string('A', 100_000), PartyKind.Unknown).Words.Single().Text, Has.Length.EqualTo(NameWords.LongestName));
        Assert.That(NameWords.Of(string.Concat(Enumerable.Repeat("xy ", 100_000)), PartyKind.Unknown).Words, Has.Count.EqualTo(NameWords.MostWords));
    }

    [Test]
    public void Half_a_surrogate_pair_is_no_error() => Assert.That(NameWords.Of("Smith \uD83D", PartyKind.Person).Words[0].Text, Is.EqualTo("SMITH"));
}
