using System.Text;
using Camino.Lending.Screening;

namespace Camino.Lending.Tests.Screening;

public class OfacFilesTests
{
    private const string Entry = "36,\"AEROEXAMPLE AIRLINES\",-0- ,\"CUBA\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ";
    private const string Person = "40,\"EJEMPLO PRUEBA, Juan\",\"individual\",\"SDNT\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"DOB 31 Jan 1939; alt. DOB 1940; POB Cali, Colombia; a.k.a. 'EL DOBLE'.\"";

    [Test]
    public void The_published_lists_add_up_to_their_control_totals()
    {
        var sdn = SharedOfac.Sdn();
        var consolidated = SharedOfac.Consolidated();

        Assert.That(sdn.Counts, Is.EqualTo(new OfacCounts(7_379, 9_682, 11_696, 13)));
        Assert.That(consolidated.Counts, Is.EqualTo(new OfacCounts(442, 1_073, 574, 10)));
        Assert.That(sdn.Parties.CountBy(party => party.Kind).ToDictionary(), Is.EquivalentTo(new Dictionary<PartyKind, int>
        {
            [PartyKind.Person] = 3_845,
            [PartyKind.Vessel] = 323,
            [PartyKind.Aircraft] = 217,
            [PartyKind.Entity] = 7_379 - 3_845 - 323 - 217,
        }));
        Assert.That(sdn.Parties.Concat(consolidated.Parties).SelectMany(party => party.Names).Count(name => name.Text.Length == 0 || name.Text.Contains("-0-", StringComparison.Ordinal)), Is.Zero);
    }

    [Test]
    public void An_entry_has_its_names_addresses_and_what_the_remarks_say()
    {
        var read = Read($"{Entry}\n{Person}\n\u001A", "40,7,\"fka\",\"EJEMPLO, J.\",-0- \r\n40,8,\"nka\",\"EJEMPLO, N.\",-0- \r\n\u001A", "40,1,\"Calle 1\",\"Bogota\",\"Colombia\",-0- \n36,2,-0- ,-0- ,-0- ,-0- ", "40,\" and more; a.k.a. 'EL OTRO'.\"");
        var person = read.Parties[1];

        Assert.That(read.Counts, Is.EqualTo(new OfacCounts(2, 2, 2, 1)));
        Assert.That(person.Names, Is.EqualTo(new[]
        {
            new ListedName("EJEMPLO PRUEBA, Juan", ListedNameKind.Primary), new ListedName("EJEMPLO, J.", ListedNameKind.Former), new ListedName("EJEMPLO, N.", ListedNameKind.Now),
            new ListedName("EL DOBLE", ListedNameKind.Weak), new ListedName("EL OTRO", ListedNameKind.Weak),
        }));
        Assert.That(person.BirthDates, Is.EqualTo(new[] { new BirthRange(new DateOnly(1939, 1, 31), new DateOnly(1939, 1, 31)), new BirthRange(new DateOnly(1940, 1, 1), new DateOnly(1940, 12, 31)) }));
        Assert.That(person.Countries, Is.EquivalentTo(new[] { "COLOMBIA" }));
        Assert.That(read.Parties[0].Addresses, Is.Empty);
    }

    [TestCase("UTF-8")]
    [TestCase("ISO-8859-1")]
    public void Accents_are_read_in_both_encodings_that_are_met(string encoding)
    {
        var bytes = Encoding.GetEncoding(encoding).GetBytes(Entry.Replace("AEROEXAMPLE", "AEROPEÑA", StringComparison.Ordinal));

        Assert.That(OfacFiles.Read(new OfacFileSet("sdn", new OfacFile("sdn.csv", bytes), Empty("alt.csv"), Empty("add.csv"), Empty("c.csv"))).Parties[0].Names[0].Text, Is.EqualTo("AEROPEÑA AIRLINES"));
    }

    [TestCase("", "ofac.empty", "sdn.csv holds no entry")]
    [TestCase("\u001A", "ofac.empty", "sdn.csv holds no entry")]
    [TestCase("1,\"A\",-0- \n", "ofac.columns", "sdn.csv, line 1: 12 columns are expected, 3 are there.")]
    [TestCase("id,name,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ", "ofac.number", "sdn.csv, line 1")]
    [TestCase("1,\"A,-0- ,-0- ", "ofac.line", "line 1: a quotation mark is not closed.")]
    [TestCase("1,\"A\"B,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ", "ofac.line", "a comma is expected")]
    [TestCase("1,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ", "ofac.line", "the entry 1 has no name")]
    [TestCase("<html>\u0000</html>", "ofac.line", "bytes that are no text")]
    public void A_file_that_is_not_whole_is_refused_by_line(string text, string code, string says)
    {
        var refused = Assert.Throws<RefusedException>(() => Read(text));

        Assert.That(refused?.Code, Is.EqualTo(code));
        Assert.That(refused?.Message, Does.Contain(says));
    }

    [Test]
    public void An_entry_that_stands_there_twice_is_refused() => Assert.That(() => Read($"{Entry}\n{Entry}"), Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("ofac.twice"));

    [Test]
    public void A_name_of_an_entry_that_is_not_there_is_refused() =>
        Assert.That(() => Read(Entry, "99,1,\"aka\",\"X\",-0- "), Throws.InstanceOf<RefusedException>().With.Message.Contains("alt.csv, line 1: the number 99 is not in sdn.csv"));

    [Test]
    public void A_line_and_a_file_have_their_limits()
    {
        Assert.That(() => Read($"1,\"{new string('A', OfacFiles.LongestLine)}\""), Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("ofac.line"));
        Assert.That(() => OfacFiles.Read(new OfacFileSet("sdn", new OfacFile("sdn.csv", new byte[OfacFiles.LargestFile + 1]), Empty("alt.csv"), Empty("add.csv"), Empty("c.csv"))),
            Throws.InstanceOf<RefusedException>().With.Property("Code").EqualTo("ofac.too_large"));
    }

    [TestCase("DOB circa 1965.", "1964-01-01", "1966-12-31")]
    [TestCase("DOB 1962 to 1964.", "1962-01-01", "1964-12-31")]
    [TestCase("DOB Apr 1970.", "1970-04-01", "1970-04-30")]
    public void A_date_of_birth_is_as_exact_as_the_list_has_it(string remarks, string from, string to) =>
        Assert.That(Read(Person.Replace("DOB 31 Jan 1939; alt. DOB 1940; POB Cali, Colombia; a.k.a. 'EL DOBLE'.", remarks, StringComparison.Ordinal)).Parties[0].BirthDates, Is.EqualTo(new[] { new BirthRange(Make.Day(from), Make.Day(to)) }));

    private static OfacContents Read(string entries, string names = "", string addresses = "", string comments = "") =>
        OfacFiles.Read(new OfacFileSet("sdn", Text("sdn.csv", entries), Text("alt.csv", names), Text("add.csv", addresses), Text("sdn_comments.csv", comments)));

    private static OfacFile Text(string name, string text) => new(name, Encoding.UTF8.GetBytes(text));

    private static OfacFile Empty(string name) => new(name, ReadOnlyMemory<byte>.Empty);
}
