using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Camino.Deploy.Tests;

/// <summary>What the pipeline must be and a schema cannot say.</summary>
public sealed partial class PipelineTests
{
    private static readonly Pipeline Forward = Pipeline.Of();
    private static readonly Pipeline Back = Pipeline.Of(("rollbackTo", "41"));

    private static readonly Pipeline Contract = Pipeline.Of(("contract", "41"));

    private static IEnumerable<Pipeline> All => [Forward, Back, Contract];

    [Test]
    public void A_commit_goes_from_verify_to_production_in_one_line_and_nothing_is_built_after_package()
    {
        Assert.That(Forward.Stages.Select(stage => Pipeline.Text(stage["stage"])), Is.EqualTo(["Verify", "Package", "Rehearse", "Staging", "Production"]));
        Assert.That(Forward.Stages.Skip(1).Select(stage => Pipeline.DependsOn(stage).Single()), Is.EqualTo(["Verify", "Package", "Rehearse", "Staging"]));
        Assert.That(Back.Stages.Select(stage => Pipeline.Text(stage["stage"])), Is.EqualTo(["Package", "Production"]), "a way back builds and rehearses nothing");
    }

    [Test]
    public void Stages_and_jobs_refer_to_what_exists_and_never_in_a_circle()
    {
        foreach (var pipeline in All)
        {
            Assert.That(Circle(pipeline.Stages.ToDictionary(stage => Pipeline.Text(stage["stage"]) ?? "", Pipeline.DependsOn, StringComparer.Ordinal)), Is.Null);
            foreach (var stage in pipeline.Stages)
                Assert.That(Circle(Pipeline.Jobs(stage).ToDictionary(Pipeline.NameOf, Pipeline.DependsOn, StringComparer.Ordinal)), Is.Null, Pipeline.Text(stage["stage"]));
        }
    }

    [Test]
    public void Every_template_is_used_and_every_name_is_one_that_Azure_takes()
    {
        Assert.That(All.SelectMany(pipeline => pipeline.Templates).Distinct().Order(StringComparer.Ordinal), Is.EqualTo(Place.Files("deploy/pipelines", "*.yml")));
        foreach (var name in All.SelectMany(pipeline => pipeline.Stages).SelectMany(stage => Pipeline.Jobs(stage).Select(Pipeline.NameOf).Append(Pipeline.Text(stage["stage"]) ?? "")))
            Assert.That(name, Does.Match("^[A-Za-z_][A-Za-z0-9_]*$").And.Not.EqualTo("deploy").IgnoreCase, "deploy is a reserved name");
    }

    [TestCase("Staging")]
    [TestCase("Production")]
    public void A_deploy_is_guard_migrate_admit_then_both_roles_then_smoke_then_promote_and_undo_when_something_fails(string stage)
    {
        var jobs = Pipeline.Jobs(Forward.Stage(stage)).ToDictionary(Pipeline.NameOf, StringComparer.Ordinal);

        Assert.That(jobs.Keys, Is.EqualTo(["guard", "migrate", "admit", "async", "back_office", "smoke", "promote", "undo"]));
        Assert.That(jobs.Where(job => job.Key != "undo").Select(job => string.Join('+', Pipeline.DependsOn(job.Value))), Is.EqualTo(["", "guard", "migrate", "admit", "admit", "async+back_office", "smoke"]));
        Assert.That(Pipeline.DependsOn(jobs["undo"]), Is.EqualTo(jobs.Keys.Where(name => name != "undo")));
        Assert.That(Pipeline.Text(jobs["undo"]["condition"]), Is.EqualTo("or(failed(), canceled())"), "a run that is cancelled in the middle is taken back too");
    }

    [Test]
    public void Both_roles_go_through_one_template_and_one_digest_and_differ_by_the_configuration_file_only()
    {
        foreach (var stage in All.SelectMany(pipeline => pipeline.Stages).Where(stage => Pipeline.Text(stage["stage"]) is "Staging" or "Production"))
        {
            var roles = Pipeline.Jobs(stage).Where(job => job.ContainsKey("deployment")).ToList();
            Assert.That(roles, Has.Count.EqualTo(2));

            var (async, office) = (roles[0].ToJsonString(), roles[1].ToJsonString());
            Assert.That(async.Replace("appsettings.Async.json", "FILE", StringComparison.Ordinal).Replace("--role async", "--role ROLE", StringComparison.Ordinal).Replace("\"deployment\":\"async\"", "JOB", StringComparison.Ordinal),
                Is.EqualTo(office.Replace("appsettings.BackOffice.json", "FILE", StringComparison.Ordinal).Replace("--role back-office", "--role ROLE", StringComparison.Ordinal).Replace("\"deployment\":\"back_office\"", "JOB", StringComparison.Ordinal)));
            Assert.That(async, Does.Contain("$(releaseFolder)/manifest.json"), "the digest comes from the manifest of the one build");
        }

        Assert.That(Place.Text("deploy/pipelines/environment.yml").Split("template: role.yml").Length - 1, Is.EqualTo(1));
        Assert.That(Place.Text("deploy/pipelines/environment.yml"), Does.Contain("${{ each role in parameters.roles }}"));
    }

    [Test]
    public void The_image_is_built_in_one_place()
    {
        var building = Forward.Stages.Where(stage => stage.ToJsonString().Contains("deploy/scripts/package", StringComparison.Ordinal)).Select(stage => Pipeline.Text(stage["stage"]));
        var tools = new Regex(@"docker build|buildah bud|dotnet publish", RegexOptions.None, TimeSpan.FromSeconds(5));
        var scripts = Place.Files("deploy/scripts", "*").Where(file => tools.IsMatch(WithoutComments(Place.Text(file))));

        Assert.That(building, Is.EqualTo(["Package"]));
        Assert.That(scripts, Is.EqualTo(["deploy/scripts/build-image", "deploy/scripts/publish"]));
        Assert.That(Place.Files("deploy", "Dockerfile*").Append("").First(), Is.EqualTo("deploy/Dockerfile"));
    }

    [Test]
    public void Production_is_one_stage_on_one_environment()
    {
        foreach (var pipeline in All)
        {
            var deploying = pipeline.Stages.Where(stage => Pipeline.Find(stage, "environment").Any(name => Pipeline.Text(name) == "production") && Pipeline.Jobs(stage).Any(job => Pipeline.NameOf(job) == "back_office"));
            Assert.That(deploying.Select(stage => Pipeline.Text(stage["stage"])), Is.EqualTo(pipeline == Contract ? [] : new[] { "Production" }));
        }

        var environments = All.SelectMany(pipeline => Pipeline.Find(pipeline.Whole, "environment")).Select(Pipeline.Text).Distinct().Order(StringComparer.Ordinal);
        Assert.That(environments, Is.EqualTo(["production", "staging"]));
    }

    [Test]
    public void What_older_releases_needed_goes_later_and_by_hand_under_the_approval_and_the_lock_of_production()
    {
        var job = Pipeline.Jobs(Contract.Stage("Contract")).Single();

        Assert.That(Contract.Stages.Select(stage => Pipeline.Text(stage["stage"])), Is.EqualTo(["Package", "Contract"]), "builds nothing and starts nothing");
        Assert.That((Pipeline.Text(job["deployment"]), Pipeline.Text(job["environment"])), Is.EqualTo(("contract", "production")));
        Assert.That(Pipeline.Steps(job).Select(step => Pipeline.Text(step["inputs"]?["scriptPath"])).OfType<string>(), Is.EqualTo(["deploy/scripts/contract"]));
        foreach (var pipeline in new[] { Forward, Back })
            Assert.That(pipeline.Whole.ToJsonString(), Does.Not.Contain("scripts/contract"), "a deploy only adds");
    }

    [Test]
    public void Runs_come_one_after_another_and_no_run_is_held_back_by_a_batch()
    {
        Assert.That(Pipeline.Text(Forward.Whole["lockBehavior"]), Is.EqualTo("sequential"));
        foreach (var stage in All.SelectMany(pipeline => pipeline.Stages).Where(stage => Pipeline.Find(stage, "environment").Any()))
            Assert.That(Pipeline.Text(stage["lockBehavior"]), Is.EqualTo("sequential"), Pipeline.Text(stage["stage"]));
        Assert.That(Pipeline.Find(Forward.Whole, "batch"), Is.Empty);
        Assert.That(Pipeline.Find(Forward.Whole, "strategy").OfType<JsonObject>().Select(strategy => strategy.Single().Key), Is.All.EqualTo("runOnce"), "rolling is for machines, canary for Kubernetes");
    }

    [Test]
    public void A_pull_request_is_verified_and_goes_nowhere() =>
        Assert.That(All.Select(pipeline => Pipeline.Text(pipeline.Stage("Package")["condition"])), Is.All.Contains("eq(variables['Build.SourceBranch'], 'refs/heads/main')"));

    [Test]
    public void Every_step_is_a_script_that_runs_here_too_and_the_file_holds_no_logic()
    {
        foreach (var step in All.SelectMany(pipeline => pipeline.Stages).SelectMany(Pipeline.Jobs).SelectMany(Pipeline.Steps))
        {
            var line = Pipeline.Text(step["script"]) ?? (Pipeline.Text(step["task"]) == "AzureCLI@2" ? $"{Pipeline.Text(step["inputs"]?["scriptPath"])} {Pipeline.Text(step["inputs"]?["arguments"])}" : null);
            if (line is null)
            {
                Assert.That(step.First().Key, Is.AnyOf("checkout", "download", "publish", "task"), step.ToJsonString());
                Assert.That(Pipeline.Text(step["task"]) ?? "none", Is.AnyOf("none", "UseDotNet@2", "PublishTestResults@2", "DownloadSecureFile@1"), step.ToJsonString());
                continue;
            }

            Assert.That(line, Does.Match(@"^(\.ci/run|deploy/(scripts|azure-devops)/[a-z-]+)( [A-Za-z0-9$(). /=-]*)?$"), "one script and its arguments: no shell in YAML");
            var script = Place.File(line.Split(' ')[0]);
            Assert.That(script, Does.Exist);
            if (!OperatingSystem.IsWindows())
                Assert.That(File.GetUnixFileMode(script) & UnixFileMode.UserExecute, Is.Not.EqualTo(UnixFileMode.None), $"{script} must be executable");
        }

        var conditions = All.SelectMany(pipeline => Pipeline.Find(pipeline.Whole, "condition")).Select(Pipeline.Text).Distinct();
        Assert.That(conditions, Is.SubsetOf(["succeeded()", "or(failed(), canceled())", "succeededOrFailed()", "and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))", "eq(variables['Build.SourceBranch'], 'refs/heads/main')"]));
    }

    [Test]
    public void Every_job_has_a_time_limit() =>
        Assert.That(All.SelectMany(pipeline => pipeline.Stages).SelectMany(Pipeline.Jobs).Where(job => !int.TryParse(Pipeline.Text(job["timeoutInMinutes"]), out var minutes) || minutes is < 1 or > 120).Select(Pipeline.NameOf), Is.Empty);

    [Test]
    public void Both_optional_packages_have_a_leg_of_the_tests()
    {
        var legs = Pipeline.Jobs(Forward.Stage("Verify")).SelectMany(Pipeline.Steps).Select(step => Pipeline.Text(step["script"])).OfType<string>().Where(script => script.StartsWith("deploy/scripts/verify-leg", StringComparison.Ordinal));

        Assert.That(legs, Is.EqualTo(["deploy/scripts/verify-leg JobEngine=Hangfire", "deploy/scripts/verify-leg TestDatabase=Testcontainers"]));
    }

    [Test]
    public void The_deploy_is_rehearsed_against_the_release_before_and_its_table_is_kept_whatever_it_says()
    {
        var steps = Pipeline.Jobs(Forward.Stage("Rehearse")).SelectMany(Pipeline.Steps).ToList();

        Assert.That(steps.Select(step => Pipeline.Text(step["script"])).OfType<string>(), Is.EqualTo(["deploy/scripts/rehearse --against-previous --json $(Pipeline.Workspace)/rehearsal.json"]));
        Assert.That(Pipeline.Text(steps[0]["fetchDepth"]), Is.EqualTo("0"), "the release before is built from its commit");
        Assert.That((Pipeline.Text(steps[^1]["publish"]), Pipeline.Text(steps[^1]["condition"])), Is.EqualTo(("$(Pipeline.Workspace)/rehearsal.json", "succeededOrFailed()")));
    }

    [Test]
    public void Nothing_is_called_latest_and_every_foreign_image_has_an_exact_version()
    {
        var latest = Place.Files("deploy", "*").Append("azure-pipelines.yml").Where(file => Latest().IsMatch(Place.Text(file)));
        var images = Place.Text("deploy/images.env").Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('=', 2)[1]);

        Assert.That(latest, Is.Empty);
        Assert.That(images, Is.All.Match(@"^[a-z0-9.-]+/[a-z0-9./-]+:v?\d+\.\d+[a-z0-9.-]*(@sha256:[0-9a-f]{64})?$"));
        Assert.That(Place.Text("deploy/Dockerfile").Split('\n').Where(line => line.StartsWith("FROM ", StringComparison.Ordinal)), Is.All.Match(@"^FROM \$\{(SDK|RUNTIME)_BASE\}( AS build)?$"));
    }

    [Test]
    public void No_secret_stands_in_a_file()
    {
        foreach (var file in Place.Files("deploy", "*").Append("azure-pipelines.yml"))
            Assert.That(Place.Text(file).Split('\n').Where(line => Secret().IsMatch(line)), Is.Empty, file);
    }

    [Test]
    public void The_environments_are_code_with_one_approval_and_a_lock_as_the_last_check()
    {
        using var file = JsonDocument.Parse(Place.Text("deploy/azure-devops/environments.json"));
        var checks = file.RootElement.GetProperty("environments").EnumerateArray().ToDictionary(
            environment => environment.GetProperty("name").GetString() ?? "",
            environment => environment.GetProperty("checks").EnumerateArray().Select(check => check.GetProperty("kind").GetString()).ToList(),
            StringComparer.Ordinal);

        Assert.That(checks["staging"], Is.EqualTo(["branch", "exclusiveLock"]));
        Assert.That(checks["production"], Is.EqualTo(["branch", "approval", "exclusiveLock"]));
        Assert.That(checks, Has.Count.EqualTo(2));
    }

    /// <summary>The first name that refers to nothing or to itself over others; null when there is none.</summary>
    private static string? Circle(Dictionary<string, IReadOnlyList<string>> dependencies)
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        while (done.Count < dependencies.Count)
        {
            var next = dependencies.FirstOrDefault(entry => !done.Contains(entry.Key) && entry.Value.All(done.Contains)).Key;
            if (next is null)
                return dependencies.First(entry => !done.Contains(entry.Key)).Key;
            done.Add(next);
        }

        return null;
    }

    private static string WithoutComments(string script) => string.Join('\n', script.Split('\n').Where(line => !line.TrimStart().StartsWith('#') && !line.Contains("die ", StringComparison.Ordinal)));

    [GeneratedRegex(@":latest\b", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Latest();

    /// <summary>A password, key or token with a value that is neither a variable, a file's place nor a name of one.</summary>
    [GeneratedRegex("""(?i)(password|secret|token|apikey|accesskey)["']?\s*[:=]\s*["']?(?![$<{\s'"]|/run/|camino-|readEnv|ownerP|x\b|\.\.)[A-Za-z0-9+/]{6,}""", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Secret();
}
