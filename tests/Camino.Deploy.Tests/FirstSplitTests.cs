using System.Text.Json;
using System.Xml.Linq;
using NUnit.Framework;

namespace Camino.Deploy.Tests;

/// <summary>
/// How the first split failed, one test each: two repositories kept in step, source edited while deploying, races of commits that came close together,
/// two kinds of approval, swapped addresses, servers left running. Each shows that it cannot happen any more.
/// </summary>
[CancelAfter(1_200_000)]
public sealed class FirstSplitTests
{
    private static readonly Pipeline Forward = Pipeline.Of();

    [Test]
    public void Two_repositories_cannot_fall_out_of_step_because_both_roles_are_one_program_of_one_checkout()
    {
        var programs = Place.Files("src", "*.csproj").Where(file => XElement.Load(Place.File(file)).Descendants("OutputType").Any(type => type.Value == "Exe"));
        Assert.That(programs, Is.EqualTo(["src/Camino.Host/Camino.Host.csproj"]));

        foreach (var pipeline in new[] { Forward, Pipeline.Of(("rollbackTo", "41")) })
        {
            Assert.That(pipeline.Whole["resources"], Is.Null, "no second repository takes part");
            Assert.That(Pipeline.Find(pipeline.Whole, "checkout").Select(Pipeline.Text), Is.All.EqualTo("self"));
        }

        Assert.That(Place.Text("deploy/Dockerfile").Split("ENTRYPOINT").Length - 1, Is.EqualTo(1), "one image, one entry");
    }

    [Test]
    public void Source_cannot_be_edited_while_deploying_because_the_image_is_built_from_a_commit_and_only_its_digest_goes_out()
    {
        Assert.That(Place.Text("deploy/scripts/build-image"), Does.Contain("git archive \"$commit\"").And.Contain("cd -- \"$context\""));
        foreach (var stage in Forward.Stages.Where(stage => Pipeline.Text(stage["stage"]) is "Staging" or "Production"))
        {
            var steps = Pipeline.Jobs(stage).SelectMany(Pipeline.Steps).ToList();
            Assert.That(steps.Select(step => Pipeline.Text(step["task"])).OfType<string>(), Is.All.AnyOf("AzureCLI@2", "DownloadSecureFile@1"), "nothing is compiled, packed or pushed here");
            Assert.That(steps.Select(step => Pipeline.Text(step["inputs"]?["arguments"])).OfType<string>(), Is.All.Contains("$(releaseFolder)/manifest.json"));
        }

        var editing = Place.Files("deploy/scripts", "*").Where(file => file is not "deploy/scripts/pin-images" && Place.Text(file).Split('\n').Any(line => line.Contains("sed -i", StringComparison.Ordinal) && !line.Contains("\"$out/app/", StringComparison.Ordinal) || line.Contains("kustomize edit", StringComparison.Ordinal) || line.Contains("git commit", StringComparison.Ordinal)));
        Assert.That(editing, Is.Empty);
        Assert.That(Place.Text("azure-pipelines.yml") + string.Concat(Place.Files("deploy/pipelines", "*.yml").Select(Place.Text)), Does.Not.Contain("pin-images"));
    }

    [Test]
    public async Task Commits_that_come_close_together_cannot_race_ten_releases_approved_in_random_order_end_with_the_newest()
    {
        await using var machine = await Machine.StartAsync();
        var order = Enumerable.Range(101, 10).ToArray();
        new Random(20_261_126).Shuffle(order);
        var manifests = new Dictionary<int, string>();
        foreach (var number in order)
            manifests[number] = await machine.ReleaseAsync(number);
        await machine.BeginAsync(manifests[order[0]]);

        var newest = 0;
        foreach (var number in order)
        {
            var (failedAt, said) = await machine.DeployAsync(manifests[number], withOffice: false);

            Assert.That(failedAt, Is.EqualTo(number > newest ? null : "guard"), $"{string.Join(", ", order)}: {number}\n{said}");
            newest = Math.Max(newest, number);
            var fence = (await machine.ServersAsync(manifests[number])).GetProperty("fence");
            Assert.That((fence.GetProperty("lowest").GetInt32(), fence.GetProperty("highest").GetInt32()), Is.EqualTo((newest, newest)), "never a downgrade");
        }

        Assert.That(newest, Is.EqualTo(110));
    }

    [Test]
    public void There_cannot_be_two_kinds_of_approval_because_both_roles_go_out_in_one_stage_with_one_approval()
    {
        using var environments = JsonDocument.Parse(Place.Text("deploy/azure-devops/environments.json"));
        var approvals = environments.RootElement.GetProperty("environments").EnumerateArray()
            .SelectMany(environment => environment.GetProperty("checks").EnumerateArray().Where(check => check.GetProperty("kind").GetString() == "approval").Select(_ => environment.GetProperty("name").GetString()));
        Assert.That(approvals, Is.EqualTo(["production"]));

        var roles = Pipeline.Jobs(Forward.Stage("Production")).Where(job => job.ContainsKey("deployment")).ToList();
        Assert.That(roles.Select(job => Pipeline.Text(job["environment"])), Is.EqualTo(["production", "production"]));
        Assert.That(Forward.Whole.ToJsonString(), Does.Not.Contain("ManualValidation").And.Not.Contain("ManualIntervention"), "no step asks a person once more");
        Assert.That(Forward.Whole["schedules"], Is.Null);
    }

    [Test]
    public async Task Addresses_cannot_be_swapped_because_no_deploy_touches_one_and_a_role_takes_its_own_file_only()
    {
        foreach (var role in new[] { "back-office", "async" })
        {
            Assert.That(Manifests.One("Service", $"camino-{role}")["spec"]?["selector"]?["app.kubernetes.io/component"]?.ToString(), Is.EqualTo(role));
            Assert.That(Manifests.One("Deployment", $"camino-{role}")["spec"]?["selector"]?["matchLabels"]?["app.kubernetes.io/component"]?.ToString(), Is.EqualTo(role));
        }

        var pages = Manifests.Base.Select(entry => entry.Document).Where(document => document["kind"]?.ToString() == "Ingress").SelectMany(ingress => Pipeline.Find(ingress, "service")).Select(service => service?["name"]?.ToString());
        Assert.That(pages, Is.EqualTo(["camino-back-office"]));
        var swapping = Place.Files("deploy/scripts", "*").Where(file => Place.Text(file).Split('\n').Any(line => !line.TrimStart().StartsWith('#') && (line.Contains("swap", StringComparison.OrdinalIgnoreCase) || line.Contains("ingress", StringComparison.OrdinalIgnoreCase) && !line.Contains("--query", StringComparison.Ordinal))));
        Assert.That(swapping, Is.Empty);

        await using var machine = await Machine.StartAsync();
        var manifest = await machine.ReleaseAsync(1);
        var crossed = await machine.ScriptAsync("deploy-role", manifest, "--role", "async", "--config", "appsettings.BackOffice.json");
        Assert.That(crossed.Code, Is.EqualTo(2), crossed.ToString());
        Assert.That(crossed.Error, Does.Contain("the role async is appsettings.Async.json"));
    }

    [Test]
    public async Task A_server_left_running_cannot_work_twice_because_the_fence_moved_on_without_it()
    {
        await using var machine = await Machine.StartAsync();
        var (old, now) = (await machine.ReleaseAsync(7), await machine.ReleaseAsync(8));
        await machine.BeginAsync(old);
        Assert.That(await machine.DeployAsync(old), Is.EqualTo(((string?)null, "")));
        using var stray = await machine.StrayAsync(old, 7);

        var (failedAt, said) = await machine.DeployAsync(now);
        Assert.That(failedAt, Is.Null, said);

        // the smoke of release 8 sent a job through every queue while the stray server lived: release 8 did them all
        var servers = await machine.ServersAsync(now);
        var release = servers.GetProperty("releases").EnumerateArray().ToDictionary(line => line.GetProperty("number").GetInt32(), line => line.GetProperty("state").GetString());
        Assert.That(release[7], Is.EqualTo("retired"));
        Assert.That(release[8], Is.EqualTo("current"));
        var smoke = await machine.ScriptAsync("smoke", now);
        Assert.That(smoke.Code, Is.Zero, smoke.ToString());
        // and it ended itself, without a signal from anybody
        await stray.WaitForExitAsync(TestContext.CurrentContext.CancellationToken);
    }

    [Test]
    public async Task A_release_that_does_not_start_changes_nothing_and_the_one_before_goes_on()
    {
        await using var machine = await Machine.StartAsync();
        var (good, bad) = (await machine.ReleaseAsync(20), await machine.ReleaseAsync(21, breaks: "BackOffice"));
        await machine.BeginAsync(good);
        Assert.That(await machine.DeployAsync(good), Is.EqualTo(((string?)null, "")));

        var (failedAt, said) = await machine.DeployAsync(bad);

        Assert.That(failedAt, Is.EqualTo("back_office"), said);
        var fence = (await machine.ServersAsync(good)).GetProperty("fence");
        Assert.That((fence.GetProperty("lowest").GetInt32(), fence.GetProperty("highest").GetInt32()), Is.EqualTo((20, 20)));
        var smoke = await machine.ScriptAsync("smoke", good);
        Assert.That(smoke.Code, Is.Zero, smoke.ToString());
    }

    [Test]
    public async Task Going_back_is_asked_for_by_number_and_the_schema_decides()
    {
        await using var machine = await Machine.StartAsync();
        var (before, now) = (await machine.ReleaseAsync(30), await machine.ReleaseAsync(31));
        await machine.BeginAsync(before);
        Assert.That((await machine.DeployAsync(before, withOffice: false)).FailedAt, Is.Null);
        Assert.That((await machine.DeployAsync(now, withOffice: false)).FailedAt, Is.Null);

        var plain = await machine.ScriptAsync("guard", before);
        Assert.That(plain.Code, Is.EqualTo(1), plain.ToString());
        var wrongNumber = await machine.ScriptAsync("guard", before, "--rollback-to", "29");
        Assert.That(wrongNumber.Error, Does.Contain("--rollback-to is 29, but the manifest is that of release 30"));

        foreach (var (script, arguments) in new[] { ("guard", new[] { "--rollback-to", "30" }), ("migrate", ["--rollback-to", "30"]), ("admit", ["--rollback-to", "30"]), ("deploy-role", ["--role", "async", "--config", "appsettings.Async.json"]), ("promote", ["--rollback-to", "30"]) })
        {
            var ended = await machine.ScriptAsync(script, before, arguments);
            Assert.That(ended.Code, Is.Zero, $"{script}: {ended}");
        }

        Assert.That((await machine.ServersAsync(before)).GetProperty("fence").GetProperty("highest").GetInt32(), Is.EqualTo(30));
        var again = await machine.ScriptAsync("guard", now);
        Assert.That(again.Code, Is.Zero, "the newer release may come again: " + again);
    }

    [Test]
    public async Task A_way_back_that_fails_is_undone_and_until_then_both_releases_may_work()
    {
        await using var machine = await Machine.StartAsync();
        var (before, now) = (await machine.ReleaseAsync(30), await machine.ReleaseAsync(31));
        await machine.BeginAsync(before);
        var first = await machine.ScriptAsync("undo", before);
        Assert.That((first.Code, first.Error), Is.EqualTo((0, "no release had the work before release 30; there is nothing to go back to")));
        Assert.That((await machine.DeployAsync(before, withOffice: false)).FailedAt, Is.Null);
        Assert.That((await machine.DeployAsync(now, withOffice: false)).FailedAt, Is.Null);

        foreach (var (script, arguments) in new[] { ("admit", new[] { "--rollback-to", "30" }), ("deploy-role", ["--role", "async", "--config", "appsettings.Async.json"]) })
            Assert.That((await machine.ScriptAsync(script, before, arguments)).Code, Is.Zero, script);
        var trial = (await machine.ServersAsync(before)).GetProperty("fence");
        Assert.That((trial.GetProperty("lowest").GetInt32(), trial.GetProperty("highest").GetInt32()), Is.EqualTo((30, 31)));

        var undone = await machine.ScriptAsync("undo", before, "--rollback-to", "30");

        Assert.That(undone.Code, Is.Zero, undone.ToString());
        Assert.That(undone.Error, Does.Contain("release 31 has the work again and serves"));
        var servers = await machine.ServersAsync(now);
        Assert.That((servers.GetProperty("fence").GetProperty("lowest").GetInt32(), servers.GetProperty("fence").GetProperty("highest").GetInt32()), Is.EqualTo((31, 31)));
        Assert.That(servers.GetProperty("processes").EnumerateArray().Where(process => process.GetProperty("state").GetString() == "serving").Select(process => process.GetProperty("releaseNumber").GetInt32()), Is.EqualTo([31]));
    }
}
