using System.Reflection;
using System.Xml.Linq;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>Lending &lt;- Camino -&gt; Jobs, Host -&gt; Camino: four projects because four things must be impossible.</summary>
public sealed class DependencyTests
{
    private static readonly string[] Data = ["Npgsql", "Microsoft.EntityFrameworkCore"];
    private static readonly string[] Web = ["Microsoft.AspNetCore"];

    [Test]
    public void Lending_uses_the_base_library_and_nothing_else() =>
        Assert.That(References(House.Lending).Where(name => !name.StartsWith("System.", StringComparison.Ordinal)), Is.Empty);

    [Test]
    public void Lending_has_no_package_that_runs_and_no_project_in_its_file()
    {
        var project = Project("src/Camino.Lending/Camino.Lending.csproj");

        Assert.That(project.Descendants("ProjectReference").Concat(project.Descendants("PackageReference")), Is.Empty);
    }

    [Test]
    public void The_job_engine_knows_no_loan_no_entity_framework_and_no_web() =>
        Assert.That(References(House.Jobs).Where(name => Begins(name, ["Camino", "Microsoft.EntityFrameworkCore", .. Web])), Is.Empty);

    [Test]
    public void The_application_does_not_know_the_host() =>
        Assert.That(References(House.Camino).Where(name => name is "camino" or "Camino.Host" || Begins(name, ["Serilog", "System.CommandLine"])), Is.Empty);

    [Test]
    public void Nothing_but_tests_refers_to_the_host()
    {
        var referring = House.Files("", ".csproj").Where(file => Project(House.Short(file)).Descendants("ProjectReference").Any(reference => (string?)reference.Attribute("Include") is { } path && path.EndsWith("Camino.Host.csproj", StringComparison.Ordinal)));

        Assert.That(referring.Select(House.Short).Where(file => !file.StartsWith("tests/", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Projects_refer_to_one_another_in_one_direction()
    {
        var directions = House.Files("src", ".csproj").SelectMany(file => Project(House.Short(file)).Descendants("ProjectReference")
            .Select(reference => $"{Path.GetFileNameWithoutExtension(file)} -> {Path.GetFileNameWithoutExtension((string?)reference.Attribute("Include"))}"));

        Assert.That(directions, Is.EquivalentTo(["Camino -> Camino.Jobs", "Camino -> Camino.Lending", "Camino.Host -> Camino", "Camino.Host -> Camino.Jobs.Hangfire", "Camino.Jobs.Hangfire -> Camino.Jobs"]));
    }

    [Test]
    public void The_everyday_build_needs_no_package_of_an_option()
    {
        string[] optional = ["Hangfire", "Testcontainers"];
        var locked = House.Files("", ".json").Where(file => Path.GetFileName(file) == "packages.lock.json" && optional.Any(package => File.ReadAllText(file).Contains($"\"{package}", StringComparison.OrdinalIgnoreCase)));
        var unasked = House.Files("", ".csproj").SelectMany(file => Project(House.Short(file)).Descendants("PackageReference")
            .Where(reference => optional.Any(package => ((string?)reference.Attribute("Include"))?.StartsWith(package, StringComparison.Ordinal) == true) && reference.Attribute("Condition") is null && reference.Parent?.Attribute("Condition") is null)
            .Select(_ => House.Short(file)));

        Assert.That(locked.Select(House.Short), Is.Empty);
        Assert.That(unasked, Is.Empty);
    }

    [Test]
    public void Only_the_application_and_the_engine_talk_to_the_database_below_the_host()
    {
        Assert.That(References(House.Lending).Where(name => Begins(name, Data)), Is.Empty);
        Assert.That(References(House.Jobs).Where(name => Begins(name, Data)), Is.EqualTo(["Npgsql"]));
    }

    private static IEnumerable<string> References(Assembly assembly) => assembly.GetReferencedAssemblies().Select(reference => reference.Name ?? "");

    private static bool Begins(string name, string[] prefixes) => prefixes.Any(prefix => name == prefix || name.StartsWith(prefix + ".", StringComparison.Ordinal));

    private static XElement Project(string file) => XElement.Load(Path.Combine(House.Root, file));
}
