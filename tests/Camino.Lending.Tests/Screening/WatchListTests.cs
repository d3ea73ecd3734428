using Camino.Lending.Screening;

namespace Camino.Lending.Tests.Screening;

public class WatchListTests
{
    private static readonly WatchList s_made = new(
    [
        Party(1, PartyKind.Person, "VELASQUEZ IBARRA, Tomas", "DOB 14 Mar 1961; POB Cali, Colombia; nationality Colombia."),
        Party(2, PartyKind.Entity, "NORDLICHT HANDELS GMBH", ""),
        Party(3, PartyKind.Person, "OSEI, Kwabena", "DOB circa 1970; a.k.a. 'THE HARBOUR MASTER'."),
        Party(4, PartyKind.Vessel, "MERIDIAN DAWN", ""),
    ]);

    [Test]
    public void A_date_of_birth_and_a_country_support_or_weaken()
    {
        int Score(DateOnly? born, string country) => s_made.Search(new ScreenedParty("Tomas Velasquez", PartyKind.Person, born, country), 60).Single().Score;
        var plain = Score(null, "");

        Assert.That(Score(new DateOnly(1961, 3, 14), ""), Is.EqualTo(plain + 4));
        Assert.That(Score(new DateOnly(1962, 1, 1), ""), Is.EqualTo(plain + 1));
        Assert.That(Score(new DateOnly(1985, 1, 1), ""), Is.EqualTo(plain - 12));
        Assert.That(Score(null, "colombia"), Is.EqualTo(plain + 2));
        Assert.That(Score(null, "Norway"), Is.EqualTo(plain - 4));
    }

    [Test]
    public void A_business_with_a_persons_name_weighs_less()
    {
        var hit = s_made.Search(new ScreenedParty("Meridian Dawn Inc.", PartyKind.Entity), 60).Single();

        Assert.That((hit.NameScore, hit.Score), Is.EqualTo((100, 85)));
        Assert.That(hit.Evidence, Is.EqualTo(new[] { Evidence.KindDiffers }));
    }

    [Test]
    public void A_nickname_in_the_remarks_is_found_and_called_weak()
    {
        var hit = s_made.Search(new ScreenedParty("The Harbour Master"), 60).Single();

        Assert.That((hit.Party.Number, hit.Name.Kind, hit.Score), Is.EqualTo((3, ListedNameKind.Weak, 92)));
    }

    [TestCase(59)]
    [TestCase(101)]
    public void A_threshold_outside_its_range_is_refused(int threshold) =>
        Assert.That(() => s_made.Search(new ScreenedParty("x"), threshold), Throws.InstanceOf<RefusedException>().With.Message.Contains($"got {threshold}"));

    [Test]
    public void A_name_without_letters_finds_nobody() => Assert.That(s_made.Search(new ScreenedParty("-- !!"), 60), Is.Empty);

    [Test]
    public void Many_search_at_once_and_find_the_same()
    {
        var alone = s_made.Search(new ScreenedParty("Tomas Velasques"), 70).Single().Score;

        Parallel.For(0, 2_000, _ => Assert.That(s_made.Search(new ScreenedParty("Tomas Velasques"), 70).Single().Score, Is.EqualTo(alone)));
    }

    // Published names as others write them: accents, order, initials, a surname less, a letter wrong, other alphabets, other legal forms.
    [TestCase("Joaquín Guzmán Loera", "GUZMAN LOERA, Joaquin", 100)]
    [TestCase("Joaquin Guzman", "GUZMAN LOERA, Joaquin", 90)]
    [TestCase("Joaquin Loera", "GUZMAN LOERA, Joaquin", 90)]
    [TestCase("LOERA GUZMAN JOAQUIN", "GUZMAN LOERA, Joaquin", 100)]
    [TestCase("J. Guzman Loera", "GUZMAN LOERA, Joaquin", 90)]
    [TestCase("Joaquin Gusman Loera", "GUZMAN LOERA, Joaquin", 95)]
    [TestCase("Joaquin Guzmna Loera", "GUZMAN LOERA, Joaquin", 93)]
    [TestCase("Gilberto Rodríguez Orejuela", "RODRIGUEZ OREJUELA, Gilberto Jose", 93)]
    [TestCase("Gilberto Rodriguez", "RODRIGUEZ OREJUELA, Gilberto Jose", 85)]
    [TestCase("Ismael Zambada", "ZAMBADA GARCIA, Ismael", 90)]
    [TestCase("Vicente Carrillo-Fuentes", "CARRILLO FUENTES, Vicente", 100)]
    [TestCase("Rafael Caro Quintero", "CARO QUINTERO, Rafael", 100)]
    [TestCase("Miguel A. Caro Quintero", "CARO QUINTERO, Miguel Angel", 93)]
    [TestCase("Евгений Пригожин", "PRIGOZHIN, Yevgeniy Viktorovich", 90)]
    [TestCase("Yevgeny Prigozhin", "PRIGOZHIN, Yevgeniy Viktorovich", 88)]
    [TestCase("Qassem Soleimani", "SOLEIMANI, Qasem", 95)]
    [TestCase("Oussama ben Laden", "BIN LADIN, Usama bin Muhammad bin Awad", 85)]
    [TestCase("Osama Binladin", "BIN LADIN, Usama bin Muhammad bin Awad", 88)]
    [TestCase("Ramzan Kadyrov", "KADYROV, Ramzan Akhmatovich", 88)]
    [TestCase("Рамзан Кадыров", "KADYROV, Ramzan Akhmatovich", 88)]
    [TestCase("Victor Bout", "BOUT, Viktor Anatolijevitch", 85)]
    [TestCase("Ismael Haniyeh", "HANIYEH, Ismail", 90)]
    [TestCase("Banco Nacional de Cuba S.A.", "BANCO NACIONAL DE CUBA", 100)]
    [TestCase("National Bank of Cuba", "BANCO NACIONAL DE CUBA", 100)]
    [TestCase("Aero Caribbean Airlines LLC", "AEROCARIBBEAN AIRLINES", 95)]
    [TestCase("Aerocaribean Airlines", "AEROCARIBBEAN AIRLINES", 93)]
    [TestCase("Inversiones Hoteleras del Litoral", "INVERSIONES HOTELERAS DEL LITORAL LTDA.", 100)]
    [TestCase("Procesadora de Pollos Superior SA", "PROCESADORA DE POLLOS SUPERIOR S.A.", 100)]
    [TestCase("Роснефть", "OPEN JOINT-STOCK COMPANY ROSNEFT OIL COMPANY", 100)]
    public void A_listed_name_is_found_however_it_is_written(string name, string entry, int least)
    {
        var hits = SharedOfac.List.Search(new ScreenedParty(name), 85);

        Assert.That(hits.Select(hit => hit.Party.Names[0].Text), Has.Member(entry));
        Assert.That(hits.First(hit => hit.Party.Names[0].Text == entry).Score, Is.GreaterThanOrEqualTo(least));
    }

    [TestCase("John Smith")]
    [TestCase("Maria Garcia")]
    [TestCase("Jose Rodriguez")]
    [TestCase("Juan Hernandez")]
    [TestCase("Carlos Lopez")]
    [TestCase("Luis Martinez")]
    [TestCase("Ana Gomez")]
    [TestCase("Miguel Angel Torres")]
    [TestCase("Juan Carlos Ramirez Garcia")]
    [TestCase("Rosa Maria Delgado")]
    [TestCase("Michael Johnson")]
    [TestCase("Robert Williams")]
    [TestCase("Mary Brown")]
    [TestCase("David Lee")]
    [TestCase("Kim Nguyen")]
    [TestCase("Patricia O'Connor")]
    [TestCase("Olga Kuznetsova")]
    [TestCase("Priya Patel")]
    [TestCase("Blue Heron Bakery LLC")]
    [TestCase("Global Logistics LLC")]
    [TestCase("Pacific Shipping Corp")]
    [TestCase("Golden Star Imports")]
    [TestCase("La Michoacana")]
    [TestCase("El Rey Taqueria")]
    [TestCase("Carniceria Garcia #2, Inc")]
    [TestCase("ABC Trading Company")]
    [TestCase("First National Bank")]
    [TestCase("Caribbean Grill")]
    public void A_common_name_finds_nobody(string name) => Assert.That(SharedOfac.List.Search(new ScreenedParty(name), 85).Select(hit => $"{hit.Name.Text} {hit.Score}"), Is.Empty);

    [Test]
    public void Every_name_of_the_lists_is_found_by_itself()
    {
        var lost = (from party in SharedOfac.List.Parties from name in party.Names where SharedOfac.List.Search(new ScreenedParty(name.Text, party.Kind), 85, 100).All(hit => hit.Party != party) select name.Text).ToList();

        Assert.That(lost, Is.Empty);
    }

    [Test]
    public void The_index_loses_no_hit_that_a_comparison_with_every_name_finds()
    {
        var random = new Random(20_261_127);
        var names = SharedOfac.List.Parties.Where(party => party.Kind == PartyKind.Person).ToArray();
        foreach (var party in random.GetItems(names, 25))
        {
            var asked = new ScreenedParty(party.Names[0].Text.Replace(",", "", StringComparison.Ordinal), PartyKind.Person);
            var found = SharedOfac.List.Search(asked, 88, 1_000).Select(hit => (hit.Party.List, hit.Party.Number)).ToHashSet();

            foreach (var other in names)
            {
                // words that all weigh the same give another score; only names that are whole must agree in both
                if (other.Names.Any(name => name.Kind != ListedNameKind.Weak && NameComparison.Between(asked.Name, name.Text, PartyKind.Person).Points == 100))
                    Assert.That(found, Has.Member((other.List, other.Number)), asked.Name);
            }
        }
    }

    private static ListedParty Party(int number, PartyKind kind, string name, string remarks) =>
        OfacFiles.Read(new OfacFileSet("sdn", Text($"{number},\"{name}\",{Word(kind)},\"TEST\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"{remarks}\""), Text(""), Text(""), Text(""))).Parties.Single();

    private static string Word(PartyKind kind) => kind switch { PartyKind.Person => "\"individual\"", PartyKind.Vessel => "\"vessel\"", _ => "-0- " };

    private static OfacFile Text(string text) => new("made.csv", System.Text.Encoding.UTF8.GetBytes(text));
}
