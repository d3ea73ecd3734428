using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Resources;
using Camino.Servicing;
using Camino.Tests.HouseRules;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Localization;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>Whatever the engine or a command refuses is said in Spanish on a Spanish page, with what was given and the limit.</summary>
internal sealed partial class RefusalTextTests
{
    [Test]
    public void Every_refusal_in_the_source_has_its_sentence_in_Spanish_with_the_same_values()
    {
        var said = Said();
        var spanish = Texts("Refusals.es.resx");

        Assert.That(said, Has.Count.GreaterThan(180), "The search finds the sentences.");
        Assert.That(said.Where(sentence => !spanish.ContainsKey(sentence)), Is.Empty, "Refusals without a sentence in Spanish.");
        Assert.That(said.Where(sentence => spanish.TryGetValue(sentence, out var text) && !Values(text).SetEquals(Values(sentence))), Is.Empty, "Sentences whose values differ.");
    }

    [TestCase("Refusals.resx")]
    [TestCase("Refusals.es.resx")]
    public void No_sentence_is_kept_that_nothing_says_any_more(string file)
    {
        var said = Said();

        Assert.That(Texts(file).Keys.Where(key => key.EndsWith('.') && !said.Contains(key)), Is.Empty);
    }

    [Test]
    public void A_refusal_names_its_values_as_the_reader_writes_them()
    {
        var product = """{"principalFrom":"500.00","principalTo":"50000.00","rateFrom":"0","rateTo":"36","paymentsFrom":1,"paymentsTo":60,"terms":{"method":"equalPayment","dayCount":"actual/365","unit":"month","every":1}}""";
        var refused = Assert.Throws<RefusedException>(() => ProductOffer.Read(product).TermsOf(new Money(200m), Rate.FromPercent(10m), 12, new DateOnly(2026, 1, 1), null, Money.Zero));
        var late = Assert.Throws<RefusedException>(() => Refuse.If(true, "event.future", $"An event counts from {new DateOnly(2026, 3, 1):yyyy-MM-dd}, the business date, or earlier; got {new DateOnly(2026, 3, 9):yyyy-MM-dd}."));
        var odd = Assert.Throws<RefusedException>(() => Refuse.If(true, "loan.not_open", $"Loan {"L-100007"} is {LoanStatus.ChargedOff}; this needs a loan that is open."));

        Assert.That(refused?.Message, Is.EqualTo("This product lends $500.00 to $50,000.00; got $200.00."));
        Assert.That(In("es-US", refused), Is.EqualTo("Este producto presta de $500.00 a $50,000.00; se recibió $200.00."));
        Assert.That(In("en-US", late), Is.EqualTo("An event counts from Mar 1, 2026, the business date, or earlier; got Mar 9, 2026."));
        Assert.That(In("es-US", late), Does.Contain("mar 2026").And.Contain("fecha contable"));
        Assert.That(In("es-US", odd), Is.EqualTo("El préstamo L-100007 está así: Castigado; esto requiere un préstamo abierto."));
    }

    [Test]
    public void What_stands_in_the_way_of_a_job_is_said_in_Spanish_with_the_service_as_people_call_it()
    {
        var spanish = Texts("Refusals.es.resx");
        var thrown = House.Files("src/Camino/Applications", ".cs").Concat(House.Files("src/Camino/Documents", ".cs")).SelectMany(file => Failed().Matches(File.ReadAllText(file))).Select(match => Numbered(match.Groups["says"].Value)).Distinct(StringComparer.Ordinal).ToList();

        Assert.That(thrown, Has.Count.GreaterThan(8), "The search finds the sentences.");
        Assert.That(thrown.Except(StoredProblems.Patterns, StringComparer.Ordinal), Is.Empty);
        Assert.That(StoredProblems.Patterns.Where(pattern => !spanish.TryGetValue(pattern, out var text) || !Values(text).SetEquals(Values(pattern))), Is.Empty);
        Assert.That(Stored("es-US", "credit cannot be reached"), Is.EqualTo("No se puede llegar a: el buró de crédito"));
        Assert.That(Stored("en-US", "signature answered 503"), Is.EqualTo("The signature service answered 503"));
        Assert.That(Stored("es-US", "Something that nobody expected"), Is.EqualTo("Something that nobody expected"));
    }

    [Test]
    public void A_field_of_a_form_is_called_by_its_label()
    {
        var refused = Assert.Throws<RefusedException>(() => LoanCommand.RecordPayment.Read(new CommandInput { Amount = "" }, new DateOnly(2026, 3, 1)));

        Assert.That(refused?.Message, Is.EqualTo("amount is an amount such as 1234.56; got nothing."));
        Assert.That(In("es-US", refused), Is.EqualTo("Importe: se necesita un importe como 1234.56; se recibió nada."));
    }

    private static string In(string culture, RefusedException? refused)
    {
        var before = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(culture);
        try
        {
            using var services = new ServiceCollection().AddLogging().AddLocalization().BuildServiceProvider();
            return services.GetRequiredService<IStringLocalizer<Texts>>().Refused(refused ?? throw new InvalidOperationException("Nothing was refused."));
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = before;
        }
    }

    private static string Stored(string culture, string problem)
    {
        var before = CultureInfo.CurrentUICulture;
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(culture);
        try
        {
            return StoredProblems.Say(problem);
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }

    private static string Numbered(string interpolated)
    {
        var next = 0;
        return Hole().Replace(interpolated, _ => string.Create(CultureInfo.InvariantCulture, $"{{{next++}}}"));
    }

    private static HashSet<string> Said() =>
        House.Files("src/Camino.Lending", ".cs").Concat(House.Files("src/Camino/Servicing", ".cs")).Concat(House.Files("src/Camino/Journal", ".cs")).Concat(House.Files("src/Camino/Borrowers", ".cs")).Concat(House.Files("src/Camino/Screening", ".cs")).Concat(House.Files("src/Camino/Applications", ".cs")).Concat(House.Files("src/Camino/Web", ".cs")).Concat(House.Files("src/Camino/Tasks", ".cs")).Concat(House.Files("src/Camino/Documents", ".cs")).Concat(House.Files("src/Camino/Approvals", ".cs")).Concat(House.Files("src/Camino/Branches", ".cs")).Concat(House.Files("src/Camino/Filters", ".cs")).Where(file => !file.EndsWith("Refuse.cs", StringComparison.Ordinal))
            .SelectMany(file => RefusalSentences.In(File.ReadAllText(file))).ToHashSet(StringComparer.Ordinal);

    private static Dictionary<string, string> Texts(string file) =>
        XElement.Load(Path.Combine(House.Root, "src/Camino/Resources", file)).Elements("data").ToDictionary(text => (string?)text.Attribute("name") ?? "", text => (string?)text.Element("value") ?? "", StringComparer.Ordinal);

    private static HashSet<string> Values(string sentence) => [.. Value().Matches(sentence).Select(match => match.Value)];

    [GeneratedRegex("ProviderFailedException\\((?:string\\.Create\\(CultureInfo\\.InvariantCulture, )?\\$\"(?<says>[^\"]+)\"", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Failed();

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.None, 1_000)]
    private static partial Regex Hole();

    [GeneratedRegex(@"\{\d+\}", RegexOptions.None, 1_000)]
    private static partial Regex Value();
}
