using System.Text.Json;
using System.Xml.Linq;
using NUnit.Framework;

namespace Camino.Deploy.Tests;

/// <summary>The scripts of deploy/scripts, as far as they run without a cluster.</summary>
public sealed class ScriptTests
{
    private static IEnumerable<string> Scripts => Directory.GetFiles(Place.File("deploy/scripts")).Append(Place.File("deploy/azure-devops/apply")).Append(Place.File("camino")).Append(Place.File(".ci/run")).Order(StringComparer.Ordinal);

    [Test]
    public async Task Shellcheck_finds_nothing()
    {
        Place.Needs("shellcheck");
        var ended = await Place.RunAsync("shellcheck", ["-x", .. Scripts]);

        Assert.That(ended.Code, Is.Zero, ended.ToString());
    }

    [Test]
    public async Task Yamllint_finds_nothing()
    {
        Place.Needs("yamllint");
        var ended = await Place.RunAsync("yamllint", ["--strict", "-c", "deploy/.yamllint", "azure-pipelines.yml", "deploy"]);

        Assert.That(ended.Code, Is.Zero, ended.ToString());
    }

    [Test]
    public async Task Every_script_says_what_it_is_for_and_refuses_what_it_does_not_know()
    {
        Place.Needs("bash", "jq", "git");
        var machine = Directory.CreateTempSubdirectory("camino-machine-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(machine, "env"), "");
            var variables = new Dictionary<string, string> { ["CAMINO_TARGET"] = "machine", ["CAMINO_MACHINE"] = machine };
            foreach (var script in new[] { "build-image", "package", "sbom", "publish", "guard", "migrate", "admit", "deploy-role", "smoke", "promote", "contract", "undo", "lint", "prove-image", "offline-bases", "rehearse" })
            {
                var help = await Place.RunAsync(Place.File($"deploy/scripts/{script}"), ["--help"], variables);
                Assert.That(help.Code, Is.Zero, $"{script}: {help}");
                Assert.That(help.Output, Does.Contain($"deploy/scripts/{script}"), script);

                var wrong = await Place.RunAsync(Place.File($"deploy/scripts/{script}"), ["--no-such-option"], variables);
                Assert.That(wrong.Code, Is.EqualTo(2), $"{script}: {wrong}");
                Assert.That(wrong.Error, Does.Contain("--no-such-option"), script);
            }
        }
        finally
        {
            Directory.Delete(machine, recursive: true);
        }
    }

    [TestCase("NoSuch=Thing", "no project below src or tests builds anything for NoSuch=Thing", 1)]
    [TestCase("TestDatabase", "usage: verify-leg", 2)]
    public async Task A_leg_that_would_be_the_everyday_tests_again_is_refused(string leg, string sentence, int code)
    {
        Place.Needs("bash", "grep");
        var ended = await Place.RunAsync(Place.File("deploy/scripts/verify-leg"), [leg]);

        Assert.That((ended.Code, ended.Error.Contains(sentence, StringComparison.Ordinal)), Is.EqualTo((code, true)), ended.ToString());
    }

    [Test]
    public void Each_leg_of_the_pipeline_is_a_build_that_a_project_knows()
    {
        var legs = Place.Text("deploy/pipelines/forward.yml").Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("build: ", StringComparison.Ordinal)).Select(line => line["build: ".Length..].Split('=')).ToList();
        var projects = Place.Files("src", "*.csproj").Concat(Place.Files("tests", "*.csproj")).Select(Place.Text).ToList();

        Assert.That(legs, Is.Not.Empty);
        Assert.That(legs.Where(leg => !projects.Any(project => project.Contains($"'$({leg[0]})' == '{leg[1]}'", StringComparison.Ordinal))), Is.Empty);
    }

    [TestCase(null, "CAMINO_TARGET is not set")]
    [TestCase("moon", "CAMINO_TARGET is \"moon\"")]
    [TestCase("machine", "CAMINO_MACHINE")]
    public async Task A_deploy_without_a_place_to_go_ends_in_one_sentence(string? target, string sentence)
    {
        Place.Needs("bash");
        var ended = await Place.RunAsync(Place.File("deploy/scripts/guard"), ["--manifest", "none.json"], target is null ? null : new Dictionary<string, string> { ["CAMINO_TARGET"] = target });

        Assert.That(ended.Code, Is.EqualTo(1));
        Assert.That(ended.Error, Does.Contain(sentence).And.Not.Contain("\n"));
    }

    [Test]
    public async Task The_bill_of_materials_names_every_package_with_version_hash_and_licence_and_is_the_same_twice()
    {
        Place.Needs("bash", "jq", "git", "base64", "od");
        var script = Place.File("deploy/scripts/sbom");
        var (first, second) = (await Place.RunAsync(script, []), await Place.RunAsync(script, []));
        Assert.That(first.Code, Is.Zero, first.ToString());
        Assert.That(second.Output, Is.EqualTo(first.Output));

        using var bill = JsonDocument.Parse(first.Output);
        var components = bill.RootElement.GetProperty("components").EnumerateArray().ToList();
        Assert.That(bill.RootElement.GetProperty("bomFormat").GetString(), Is.EqualTo("CycloneDX"));
        foreach (var component in components)
        {
            Assert.That(component.GetProperty("purl").GetString(), Is.EqualTo($"pkg:nuget/{component.GetProperty("name").GetString()}@{component.GetProperty("version").GetString()}"));
            Assert.That(component.GetProperty("hashes")[0].GetProperty("content").GetString(), Does.Match("^[0-9a-f]{128}$"));
        }

        var known = components.Select(component => component.GetProperty("bom-ref").GetString()).ToHashSet(StringComparer.Ordinal);
        Assert.That(bill.RootElement.GetProperty("dependencies").EnumerateArray().SelectMany(entry => entry.GetProperty("dependsOn").EnumerateArray().Select(reference => reference.GetString())), Is.All.Matches<string>(known.Contains));

        // what our projects refer to in the everyday build is needed, unless they say that it stays with them
        var referred = Place.Files("src", "*.csproj").SelectMany(file => XElement.Load(Place.File(file)).Descendants("PackageReference")).Where(reference => reference.Parent?.Attribute("Condition") is null)
            .ToLookup(reference => reference.Attribute("PrivateAssets") is null, reference => (string?)reference.Attribute("Include") ?? "");
        var needed = components.Where(component => component.GetProperty("scope").GetString() == "required").Select(component => component.GetProperty("name").GetString() ?? "").ToList();
        Assert.That(referred[true].Distinct(StringComparer.Ordinal), Is.SubsetOf(needed));
        Assert.That(referred[false].Concat(["Meziantou.Analyzer", "Humanizer.Core"]).Intersect(needed, StringComparer.OrdinalIgnoreCase), Is.Empty);
    }

    [Test]
    public async Task The_environments_are_brought_to_what_the_file_says()
    {
        Place.Needs("bash", "jq");
        var ended = await Place.RunAsync(Place.File("deploy/azure-devops/apply"), ["--organization", "https://devops.example/camino", "--project", "Camino", "--print"]);

        Assert.That(ended.Code, Is.Zero, ended.ToString());
        Assert.That(ended.Error, Does.Contain("production: branch, approval, exclusiveLock"));
        Assert.That(ended.Error.Split('\n').Count(line => line.Contains("\"name\":\"Approval\"", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(ended.Error.Split('\n').Count(line => line.Contains("\"name\":\"ExclusiveLock\"", StringComparison.Ordinal)), Is.EqualTo(2));
    }
}
