using System.Text.Json.Nodes;
using NUnit.Framework;

namespace Camino.Deploy.Tests;

/// <summary>The scripts against a cluster and against Azure, whose programs are played: what they are asked is kept, what they answer is prepared.</summary>
[Parallelizable]
public sealed class TargetTests
{
    private const string Image = "registry.example/camino@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// <summary>Renders three documents as JSON, filters by the component's label, and keeps what is applied and created.</summary>
    private const string Kubectl = """
        #!/usr/bin/env bash
        set -euo pipefail
        echo "$*" >>"$PLAY/calls"
        case "$*" in
            "kustomize "*) cat "$PLAY/rendered" ;;
            *" create --dry-run=client -o json -f - -l app.kubernetes.io/component=migrate") jq -c 'select(.metadata.labels["app.kubernetes.io/component"] == "migrate")' ;;
            *" create --dry-run=client -o json -f - -l app.kubernetes.io/component in (migrate, shared)") jq -c 'select(.metadata.labels["app.kubernetes.io/component"] | . == "migrate" or . == "shared")' ;;
            *" apply "*) cat >>"$PLAY/applied"; exit "$(cat "$PLAY/apply" 2>/dev/null || echo 0)" ;;
            *" create -f -") cat >>"$PLAY/created" ;;
            *" get job "*) head -n 1 "$PLAY/states"; sed -i 1d "$PLAY/states" ;;
            *" get deployment "*) echo "registry.example/camino@sha256:old" ;;
            *" logs "*) echo "said by the job" ;;
            *" rollout status "*) exit "$(cat "$PLAY/rollout" 2>/dev/null || echo 0)" ;;
        esac
        """;

    private const string Rendered = """
        {"kind":"ServiceAccount","metadata":{"name":"camino-migrate","labels":{"app.kubernetes.io/component":"migrate"}}}
        {"kind":"NetworkPolicy","metadata":{"name":"camino-nothing","labels":{"app.kubernetes.io/component":"shared"}}}
        {"kind":"ConfigMap","metadata":{"name":"camino-release-abc","labels":{"app.kubernetes.io/component":"shared"}}}
        {"kind":"Job","metadata":{"name":"camino-migrate","labels":{"app.kubernetes.io/component":"migrate"}},"spec":{"backoffLimit":2,"template":{"spec":{"containers":[{"name":"camino","args":["version"]}]}}}}
        {"kind":"Deployment","metadata":{"name":"camino-async","labels":{"app.kubernetes.io/component":"async"}}}
        """;

    /// <summary>Refuses words that begin with a dash where the real program takes them for options of its own.</summary>
    private const string Az = """
        #!/usr/bin/env bash
        set -euo pipefail
        echo "$*" >>"$PLAY/calls"
        for word in "$@"; do
            case $word in
                --config | --by | --rollback | --json) echo "unrecognized arguments: $word" >&2; exit 2 ;;
                @*) cp -- "${word#@}" "$PLAY/body" ;;
            esac
        done
        case "$*" in
            *"job show"*"--query id"*) echo /subscriptions/1/jobs/camino-operator ;;
            "rest --method get "*) echo '{"id":"/subscriptions/1/jobs/camino-operator","properties":{"template":{"containers":[{"name":"camino","image":"old","args":["version"],"env":[{"name":"CAMINO_IMAGE","value":"old"},{"name":"CAMINO_Web__Urls","value":"http://0.0.0.0:8080"}],"volumeMounts":[{"volumeName":"secrets"}]}],"volumes":[{"name":"secrets"}]}}}' ;;
            *"provisioningState"*) echo Succeeded ;;
            *"job start"*) echo run-1 ;;
            *"job execution show"*) head -n 1 "$PLAY/states"; sed -i 1d "$PLAY/states" ;;
            *"job logs show"*) echo "said by the run" ;;
            *"containers[0].image"*) echo old ;;
            *"containers[0].args"*) cat "$PLAY/words" ;;
            "containerapp update "*) echo revision-2 ;;
            *"revision show"*) head -n 1 "$PLAY/states"; sed -i 1d "$PLAY/states" ;;
        esac
        """;

    private string _play = "";

    [SetUp]
    public async Task PrepareAsync()
    {
        Place.Needs("bash", "jq", "sed");
        _play = Directory.CreateTempSubdirectory("camino-play-").FullName;
        foreach (var (name, text) in new[] { ("kubectl", Kubectl), ("az", Az) })
        {
            var program = Path.Combine(_play, name);
            await File.WriteAllTextAsync(program, text);
            await Place.RunAsync("chmod", ["+x", program]);
        }

        await WriteAsync("rendered", Rendered);
        await WriteAsync("manifest.json", $$"""{"image":"{{Image}}","release":12}""");
    }

    [TearDown]
    public void Remove() => Directory.Delete(_play, recursive: true);

    [Test]
    public async Task On_a_cluster_a_verb_is_a_job_whose_account_and_settings_are_applied_before_it()
    {
        await WriteAsync("states", "\nComplete\n");
        var ended = await RunAsync("kubernetes", "guard");

        Assert.That(ended.Code, Is.Zero, ended.ToString());
        Assert.That(ended.Output, Does.Contain("said by the job"));
        Assert.That(Kept("applied").Select(document => $"{document["kind"]} {document["metadata"]?["name"]}"), Is.EqualTo(["ServiceAccount camino-migrate", "ConfigMap camino-release-abc"]));
        var job = Kept("created").Single();
        Assert.That(job["metadata"]?["name"]?.ToString(), Does.StartWith("camino-release-"));
        Assert.That(job["spec"]?["backoffLimit"]?.GetValue<int>(), Is.Zero, "a refusal is an answer and not tried again");
        Assert.That(Manifests.Words(job["spec"]?["template"]?["spec"]?["containers"]?[0]?["args"]), Is.EqualTo(["release", "guard", "12", "--config", "appsettings.Async.json"]));
        var calls = Calls();
        Assert.That(Array.FindIndex(calls, call => call.Contains(" apply ", StringComparison.Ordinal)), Is.LessThan(Array.FindIndex(calls, call => call.EndsWith(" create -f -", StringComparison.Ordinal))));
    }

    [Test]
    public async Task On_a_cluster_a_refused_verb_is_heard_of_at_once_with_what_it_said()
    {
        await WriteAsync("states", "FailureTarget Failed\n");
        var ended = await RunAsync("kubernetes", "guard");

        Assert.That(ended.Code, Is.EqualTo(1));
        Assert.That(ended.Error, Does.Contain("said by the job"));
        Assert.That(Calls().Count(call => call.Contains(" get job ", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [TestCase(0)]
    [TestCase(1)]
    public async Task On_a_cluster_a_role_is_rolled_and_taken_back_when_it_does_not_become_ready(int rollout)
    {
        await WriteAsync("rollout", rollout.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var ended = await RunAsync("kubernetes", "deploy-role", "--role", "async", "--config", "appsettings.Async.json");

        Assert.That(ended.Code, Is.EqualTo(rollout));
        Assert.That(Calls(), Has.Some.EndsWith("apply -l app.kubernetes.io/component in (async, shared) -f -"));
        Assert.That(Calls().Any(call => call.Contains("rollout undo deployment/camino-async", StringComparison.Ordinal)), Is.EqualTo(rollout == 1));
    }

    [Test]
    public async Task On_a_cluster_that_does_not_take_the_change_the_role_did_not_come_although_what_runs_is_ready()
    {
        await WriteAsync("apply", "1");
        var ended = await RunAsync("kubernetes", "deploy-role", "--role", "async", "--config", "appsettings.Async.json");

        Assert.That(ended.Code, Is.EqualTo(1));
        Assert.That(Calls(), Has.None.Contains("rollout status"));
    }

    [Test]
    public async Task In_Azure_a_verb_is_written_into_the_operators_job_with_its_volumes_and_then_started()
    {
        await WriteAsync("states", "Running\nSucceeded\n");
        var ended = await RunAsync("containerapps", "admit", "--rollback-to", "12");

        Assert.That(ended.Code, Is.Zero, ended.ToString());
        Assert.That(ended.Output, Does.Contain("said by the run"));
        var template = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_play, "body")))?["properties"]?["template"];
        var container = template?["containers"]?[0];
        Assert.That(Manifests.Words(container?["args"]), Is.EqualTo(["release", "admit", "12", "--config", "appsettings.Async.json", "--by", "Ines", "--rollback"]));
        Assert.That(container?["image"]?.ToString(), Is.EqualTo(Image));
        Assert.That(((JsonArray?)container?["env"] ?? []).Select(variable => $"{variable?["name"]}={variable?["value"]}"), Is.EquivalentTo(["CAMINO_Web__Urls=http://0.0.0.0:8080", $"CAMINO_IMAGE={Image}"]));
        Assert.That((template?["volumes"], container?["volumeMounts"]), Is.Not.EqualTo(((JsonNode?)null, (JsonNode?)null)));
        Assert.That(Calls(), Has.Some.StartsWith("rest --method patch --url https://management.azure.com/subscriptions/1/jobs/camino-operator?api-version="));
    }

    [Test]
    public async Task In_Azure_a_failed_verb_fails_the_step_with_what_it_said()
    {
        await WriteAsync("states", "Failed\n");
        var ended = await RunAsync("containerapps", "guard");

        Assert.That(ended.Code, Is.EqualTo(1));
        Assert.That(ended.Error, Does.Contain("said by the run"));
    }

    [Test]
    public async Task In_Azure_a_role_gets_the_image_and_nothing_else_and_one_that_runs_another_file_is_refused()
    {
        await WriteAsync("words", "run --config appsettings.Async.json");
        await WriteAsync("states", "Activating\nRunning\n");
        var ended = await RunAsync("containerapps", "deploy-role", "--role", "async", "--config", "appsettings.Async.json");
        Assert.That(ended.Code, Is.Zero, ended.ToString());
        Assert.That(Calls(), Has.Some.EqualTo($"containerapp update --resource-group group --name camino-async --image {Image} --set-env-vars CAMINO_IMAGE={Image} --query properties.latestRevisionName --output tsv"));

        await WriteAsync("words", "run --config appsettings.BackOffice.json");
        var crossed = await RunAsync("containerapps", "deploy-role", "--role", "async", "--config", "appsettings.Async.json");
        Assert.That(crossed.Code, Is.EqualTo(1));
        Assert.That(crossed.Error, Does.Contain("runs \"run --config appsettings.BackOffice.json\""));
    }

    private Task<Ended> RunAsync(string target, string script, params string[] arguments) => Place.RunAsync(
        Place.File($"deploy/scripts/{script}"), ["--manifest", Path.Combine(_play, "manifest.json"), .. arguments],
        new Dictionary<string, string>
        {
            ["PATH"] = $"{_play}:{Environment.GetEnvironmentVariable("PATH")}",
            ["PLAY"] = _play,
            ["CAMINO_TARGET"] = target,
            ["CAMINO_BY"] = "Ines",
            ["CAMINO_OVERLAY"] = "staging",
            ["CAMINO_CONTEXT"] = "test",
            ["CAMINO_ADDRESS"] = "http://127.0.0.1",
            ["CAMINO_GROUP"] = "group",
            ["CAMINO_PREFIX"] = "camino",
        });

    private Task WriteAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(_play, name), text);

    private string[] Calls() => File.ReadAllLines(Path.Combine(_play, "calls"));

    private List<JsonNode> Kept(string name)
    {
        var reader = new System.Text.Json.Utf8JsonReader(File.ReadAllBytes(Path.Combine(_play, name)), new System.Text.Json.JsonReaderOptions { AllowMultipleValues = true });
        var documents = new List<JsonNode>();
        while (reader.Read())
        {
            if (JsonNode.Parse(ref reader) is { } document)
                documents.Add(document);
        }

        return documents;
    }
}
