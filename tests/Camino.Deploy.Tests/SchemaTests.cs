using System.Text.Json.Nodes;
using NUnit.Framework;

namespace Camino.Deploy.Tests;

/// <summary>Our files against the schemas beside the repository; and the validator against files that it must pass and refuse.</summary>
public sealed class SchemaTests
{
    private const string Azure = "azure-pipelines/service-schema.relaxed.json";

    private static JsonSchema Schema(string file) => JsonSchema.Load(Place.Schemas(file));

    [Test]
    public void Good_examples_pass_and_bad_ones_are_refused_so_that_a_validator_that_passes_everything_is_noticed()
    {
        var (azure, compose) = (Schema(Azure), Schema("compose/compose-spec.json"));
        using (Assert.EnterMultipleScope())
        {
            foreach (var file in Directory.GetFiles(Place.Schemas("azure-pipelines/examples"), "*.yml"))
                Assert.That(azure.Check(Yaml.Texts(File.ReadAllText(file))), IsGood(file) ? Is.Empty : Is.Not.Empty, file);
            foreach (var file in Directory.GetFiles(Place.Schemas("compose/examples"), "*.yaml"))
                Assert.That(compose.Check(Yaml.Documents(File.ReadAllText(file))[0]), IsGood(file) ? Is.Empty : Is.Not.Empty, file);
            foreach (var file in Directory.GetFiles(Place.Schemas("kubernetes/examples"), "*.yaml"))
            {
                foreach (var document in Yaml.Documents(File.ReadAllText(file)))
                    Assert.That(Kubernetes(document), IsGood(file) ? Is.Empty : Is.Not.Empty, $"{file}: {document?["metadata"]?["name"]}");
            }
        }
    }

    [TestCase("0")]
    [TestCase("41")]
    public void The_expanded_pipeline_fits_the_schema(string rollbackTo) =>
        Assert.That(Schema(Azure).Check(Pipeline.Of(("rollbackTo", rollbackTo)).Whole), Is.Empty);

    [Test]
    public void Every_template_fits_the_schema_as_far_as_it_has_no_expression()
    {
        foreach (var file in Place.Files("deploy/pipelines", "*.yml").Where(file => file != "deploy/pipelines/variables.yml" && !Place.Text(file).Contains("- ${{", StringComparison.Ordinal) && !Place.Text(file).Contains("${{ parameters.job }}", StringComparison.Ordinal)))
            Assert.That(Schema(Azure).Check(Yaml.Texts(Place.Text(file))), Is.Empty, file);
    }

    [Test]
    public void The_compose_file_fits_the_schema() =>
        Assert.That(Schema("compose/compose-spec.json").Check(Yaml.Documents(Place.Text("deploy/compose.yaml"))[0]), Is.Empty);

    [Test]
    public void Every_manifest_of_the_base_fits_its_schema()
    {
        foreach (var (file, document) in Manifests.Base)
            Assert.That(Kubernetes(document), Is.Empty, $"{file}: {document["kind"]} {document["metadata"]?["name"]}");
    }

    [TestCase("staging")]
    [TestCase("production")]
    public async Task Every_manifest_of_an_overlay_fits_its_schema_once_it_is_put_together(string overlay)
    {
        var documents = await Manifests.OfAsync(overlay);

        Assert.That(documents, Has.Count.GreaterThan(15));
        foreach (var document in documents)
            Assert.That(Kubernetes(document), Is.Empty, $"{document["kind"]} {document["metadata"]?["name"]}");
    }

    private static bool IsGood(string file) => Path.GetFileName(file) is var name && (name.StartsWith("good", StringComparison.Ordinal) || name.StartsWith("valid", StringComparison.Ordinal));

    private static IReadOnlyList<string> Kubernetes(JsonNode? document)
    {
        var kind = document?["kind"]?.GetValue<string>().ToLowerInvariant() ?? "";
        var folder = document?["apiVersion"]?.GetValue<string>() == "keda.sh/v1alpha1" ? "keda" : "kubernetes/v1.34.0";
        return Schema($"{folder}/{kind}.json").Check(document);
    }
}
