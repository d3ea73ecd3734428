using System.Text.Json.Nodes;
using Camino.Host;
using Camino.Host.Configuration;
using NUnit.Framework;

namespace Camino.Deploy.Tests;

/// <summary>Compose and Kubernetes files: one image, two roles, nobody with more rights than needed, every time limit above the one inside it.</summary>
public sealed class ManifestFileTests
{
    /// <summary>Web:ShutdownSeconds of both configuration files.</summary>
    private const int HostSeconds = 20;

    private static readonly (string Name, string Config)[] Roles = [("back-office", "appsettings.BackOffice.json"), ("async", "appsettings.Async.json")];

    private static JsonNode Compose => Yaml.Documents(Place.Text("deploy/compose.yaml"))[0] ?? new JsonObject();

    [Test]
    public void Two_deployments_of_one_image_differ_by_the_configuration_file_and_what_only_one_role_has()
    {
        var containers = Roles.Select(role => Manifests.Container(Manifests.One("Deployment", $"camino-{role.Name}"))).ToList();

        Assert.That(containers.Select(container => container["image"]?.ToString()), Is.All.EqualTo("camino"));
        for (var i = 0; i < Roles.Length; i++)
            Assert.That(Manifests.Words(containers[i]["args"]), Is.EqualTo(["run", "--config", Roles[i].Config]));
        var texts = containers.Zip(Roles, (container, role) =>
        {
            var copy = (JsonObject)container.DeepClone();
            copy.Remove("env");
            copy.Remove("resources");
            return copy.ToJsonString().Replace(role.Config, "FILE", StringComparison.Ordinal);
        }).ToList();
        Assert.That(texts[0], Is.EqualTo(texts[1]));
        foreach (var (container, role) in containers.Zip(Roles))
            Assert.That(((JsonArray?)container["env"] ?? []).Select(variable => OwnerOf(variable?["name"]?.ToString() ?? "")), Is.All.EqualTo(RoleOf(role.Name)), "what is set for one role alone is a setting that only that role has");
    }

    [Test]
    public void Every_workload_runs_restricted_with_limits_and_reads_only()
    {
        JsonNode[] workloads = [.. Roles.Select(role => Manifests.One("Deployment", $"camino-{role.Name}")), Manifests.One("Job", "camino-migrate")];
        foreach (var workload in workloads)
        {
            var (pod, container) = (Manifests.Pod(workload), Manifests.Container(workload));
            Assert.That(pod["securityContext"]?["runAsNonRoot"]?.GetValue<bool>(), Is.True);
            Assert.That(pod["securityContext"]?["runAsUser"]?.GetValue<long>(), Is.EqualTo(1654));
            Assert.That(pod["securityContext"]?["seccompProfile"]?["type"]?.ToString(), Is.EqualTo("RuntimeDefault"));
            Assert.That(pod["automountServiceAccountToken"]?.GetValue<bool>(), Is.False);
            Assert.That(container["securityContext"]?["readOnlyRootFilesystem"]?.GetValue<bool>(), Is.True);
            Assert.That(container["securityContext"]?["allowPrivilegeEscalation"]?.GetValue<bool>(), Is.False);
            Assert.That(Manifests.Words(container["securityContext"]?["capabilities"]?["drop"]), Is.EqualTo(["ALL"]));
            Assert.That(container["resources"]?["requests"]?["cpu"], Is.Not.Null);
            Assert.That(container["resources"]?["limits"]?["memory"], Is.Not.Null);
        }

        Assert.That(Manifests.One("Namespace", "camino")["metadata"]?["labels"]?["pod-security.kubernetes.io/enforce"]?.ToString(), Is.EqualTo("restricted"));
    }

    [Test]
    public void Probes_ask_the_program_itself_and_liveness_never_asks_for_the_database()
    {
        foreach (var (name, config) in Roles)
        {
            var container = Manifests.Container(Manifests.One("Deployment", $"camino-{name}"));
            foreach (var (probe, which) in new[] { ("startupProbe", "live"), ("livenessProbe", "live"), ("readinessProbe", "ready") })
                Assert.That(Manifests.Words(container[probe]?["exec"]?["command"]), Is.EqualTo(["/app/camino", "probe", which, "--config", config]), $"{name} {probe}");
        }
    }

    [Test]
    public void Nobody_is_killed_before_he_has_ended_himself_jobs_then_host_then_orchestrator()
    {
        foreach (var (name, config) in Roles)
        {
            var settings = HostConfig.Read(Place.File(config), new Dictionary<string, string>());
            Assert.That(settings.Web.ShutdownSeconds, Is.EqualTo(HostSeconds));
            Assert.That(settings.Jobs.GraceSeconds, Is.LessThan(HostSeconds));
            var deployment = Manifests.One("Deployment", $"camino-{name}");
            var wait = Manifests.Container(deployment)["lifecycle"]?["preStop"]?["sleep"]?["seconds"]?.GetValue<long>() ?? 0;
            Assert.That(Manifests.Pod(deployment)["terminationGracePeriodSeconds"]?.GetValue<long>(), Is.GreaterThan(wait + HostSeconds));
            Assert.That(int.Parse(Compose["services"]?[name]?["stop_grace_period"]?.ToString().TrimEnd('s') ?? "0", System.Globalization.CultureInfo.InvariantCulture), Is.GreaterThan(HostSeconds));
        }

        Assert.That(Place.Text("deploy/azure/role.bicep"), Does.Contain("terminationGracePeriodSeconds: 45"));
    }

    [Test]
    public void The_connection_budget_holds_at_most_replicas_twice_over_on_every_server()
    {
        var settings = (JsonObject)(Compose["x-settings"] ?? new JsonObject());
        var compose = Budget(settings.ToDictionary(entry => entry.Key, entry => entry.Value?.ToString() ?? "", StringComparer.Ordinal));
        Assert.That(compose, Is.LessThanOrEqualTo(200 - 3), "max_connections of deploy/compose.yaml");
        Assert.That(Manifests.Words(Compose["services"]?["database"]?["command"]), Does.Contain("max_connections=200"));

        var literals = Manifests.Words(Yaml.Documents(Place.Text("deploy/kubernetes/base/kustomization.yaml"))[0]?["configMapGenerator"]?[0]?["literals"]).Select(literal => literal.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        Assert.That(Budget(literals), Is.LessThanOrEqualTo(500 - 3), "maxConnections of deploy/azure/production.bicepparam");
        Assert.That(Place.Text("deploy/azure/production.bicepparam"), Does.Contain("param maxConnections = 500").And.Contain($"param maxReplicas = {literals["CAMINO_Database__MaxReplicas"]}"));

        var most = long.Parse(literals["CAMINO_Database__MaxReplicas"], System.Globalization.CultureInfo.InvariantCulture);
        Assert.That(Manifests.One("HorizontalPodAutoscaler", "camino-back-office")["spec"]?["maxReplicas"]?.GetValue<long>(), Is.LessThanOrEqualTo(most));
        Assert.That(Manifests.One("ScaledObject", "camino-async")["spec"]?["maxReplicaCount"]?.GetValue<long>(), Is.LessThanOrEqualTo(most));
    }

    [Test]
    public void Compose_gives_both_roles_the_same_image_and_settings_and_pages_the_greater_weight()
    {
        var services = Compose["services"];
        var (office, async) = (services?["back-office"], services?["async"]);
        Assert.That(office?["image"]?.ToString(), Is.EqualTo(async?["image"]?.ToString()));
        Assert.That(services?["migrate"]?["image"]?.ToString(), Is.EqualTo(async?["image"]?.ToString()));
        foreach (var (service, role) in new[] { (office, Roles[0]), (async, Roles[1]) })
        {
            Assert.That(Manifests.Words(service?["command"]), Is.EqualTo(["run", "--config", role.Config]));
            Assert.That(service?["read_only"]?.GetValue<bool>(), Is.True);
            Assert.That(Manifests.Words(service?["cap_drop"]), Is.EqualTo(["ALL"]));
            Assert.That(service?["deploy"]?["replicas"]?.GetValue<long>(), Is.EqualTo(2));
            var own = ((JsonObject?)service?["environment"] ?? []).Select(entry => entry.Key).Except(((JsonObject?)Compose["x-settings"] ?? []).Select(entry => entry.Key), StringComparer.Ordinal);
            Assert.That(own.Select(OwnerOf), Is.All.EqualTo(RoleOf(role.Name)));
        }

        Assert.That(office?["cpu_shares"]?.GetValue<long>(), Is.GreaterThanOrEqualTo(4 * async?["cpu_shares"]?.GetValue<long>() ?? 0));
    }

    [Test]
    public async Task Every_place_makes_a_backup_a_day_by_one_program_on_the_pinned_image()
    {
        var pinned = Place.Text("deploy/images.env").Split('\n').Single(line => line.StartsWith("POSTGRES_IMAGE=", StringComparison.Ordinal))["POSTGRES_IMAGE=".Length..].Split('@')[0];
        var service = Compose["services"]?["backup"];
        Assert.That(service?["image"]?.ToString(), Does.Contain("POSTGRES_IMAGE"));
        Assert.That(Manifests.Words(service?["entrypoint"]), Is.EqualTo(["sh", "/usr/local/bin/camino-backup", "daily"]));
        Assert.That(Manifests.Words(service?["volumes"]), Does.Contain("./postgres/backup.sh:/usr/local/bin/camino-backup:ro").And.Contain("files:/files:ro"));
        Assert.That(Manifests.Words(service?["secrets"]), Is.EqualTo(["migrator_password"]));
        Assert.That(service?["read_only"]?.GetValue<bool>(), Is.True);

        var cloud = Place.Text("deploy/azure/backup.bicep");
        Assert.That(cloud, Does.Contain($"param image string = '{pinned}'").And.Contain("loadTextContent('../postgres/backup.sh')").And.Contain("triggerType: 'Schedule'"));
        Assert.That(Place.Text("deploy/azure/main.bicep"), Does.Contain("module backup 'backup.bicep'"));

        var documents = await Manifests.OfAsync("production");
        var job = documents.Single(document => document["kind"]?.ToString() == "CronJob")["spec"];
        var pod = job?["jobTemplate"]?["spec"]?["template"]?["spec"];
        var container = pod?["containers"]?[0];
        Assert.That(job?["concurrencyPolicy"]?.ToString(), Is.EqualTo("Forbid"));
        Assert.That(container?["image"]?.ToString(), Is.EqualTo(pinned));
        Assert.That(Manifests.Words(container?["command"]), Is.EqualTo(["sh", "/usr/local/lib/camino/backup.sh", "once"]));
        Assert.That(pod?["securityContext"]?["runAsNonRoot"]?.GetValue<bool>(), Is.True);
        Assert.That(container?["securityContext"]?["readOnlyRootFilesystem"]?.GetValue<bool>(), Is.True);
        Assert.That(Manifests.Words(container?["securityContext"]?["capabilities"]?["drop"]), Is.EqualTo(["ALL"]));
        var program = documents.Single(document => document["kind"]?.ToString() == "ConfigMap" && document["metadata"]?["name"]?.ToString().StartsWith("camino-backup-", StringComparison.Ordinal) == true);
        Assert.That(program["data"]?["backup.sh"]?.ToString(), Is.EqualTo(Place.Text("deploy/postgres/backup.sh")));
        Assert.That(program["metadata"]?["labels"]?["app.kubernetes.io/component"]?.ToString(), Is.EqualTo("shared"), "a deploy applies it with what both roles share");
    }

    [Test]
    public void Prometheus_asks_every_service_where_it_listens_and_the_profile_brings_rules_dashboards_and_collector()
    {
        var services = Compose["services"];
        var jobs = Yaml.Documents(Place.Text("deploy/observability/prometheus.yml"))[0]?["scrape_configs"] as JsonArray ?? [];
        Assert.That(jobs.SelectMany(job => Manifests.Words(job?["dns_sd_configs"]?[0]?["names"])), Is.EquivalentTo(Roles.Select(role => role.Name)));
        Assert.That(jobs.Select(job => job?["dns_sd_configs"]?[0]?["port"]?.GetValue<long>()), Is.All.EqualTo(new Uri(Compose["x-settings"]?["CAMINO_Web__Urls"]?.ToString() ?? "").Port));

        var observing = ((JsonObject?)services ?? []).Where(entry => entry.Value?["profiles"] is not null).ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
        Assert.That(observing.Keys, Is.EquivalentTo(["collector", "prometheus", "grafana"]));
        var files = observing.Values.SelectMany(service => Manifests.Words(service?["volumes"])).Where(volume => volume.StartsWith("./", StringComparison.Ordinal)).Select(volume => "deploy/" + volume[2..].Split(':')[0]).ToList();
        Assert.That(files.Where(file => !File.Exists(Place.File(file))), Is.Empty);
        Assert.That(files, Is.SupersetOf(["deploy/observability/alerts.yml", "deploy/observability/camino-office.json", "deploy/observability/camino-work.json"]));
        foreach (var port in ((JsonObject?)services ?? []).SelectMany(service => Manifests.Words(service.Value?["ports"])))
            Assert.That(port, Does.StartWith("127.0.0.1:"), "nothing is open to others");
    }

    [Test]
    public void No_deployment_says_how_many_because_its_scaler_does()
    {
        foreach (var (name, _) in Roles)
            Assert.That(Manifests.One("Deployment", $"camino-{name}")["spec"]?["replicas"], Is.Null, name);
    }

    [TestCase("back-office", "appsettings.BackOffice.json")]
    [TestCase("async", "appsettings.Async.json")]
    public void The_settings_of_every_place_are_ones_that_the_role_takes(string name, string config)
    {
        var secrets = Directory.CreateTempSubdirectory("camino-secrets-").FullName;
        try
        {
            var compose = ((JsonObject?)Compose["services"]?[name]?["environment"] ?? []).ToDictionary(entry => entry.Key, entry => entry.Value?.ToString() ?? "", StringComparer.Ordinal);
            var cluster = Manifests.Words(Yaml.Documents(Place.Text("deploy/kubernetes/base/kustomization.yaml"))[0]?["configMapGenerator"]?[0]?["literals"]).Select(literal => literal.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
            foreach (var variable in (JsonArray?)Manifests.Container(Manifests.One("Deployment", $"camino-{name}"))["env"] ?? [])
                cluster[variable?["name"]?.ToString() ?? ""] = variable?["value"]?.ToString() ?? "";
            foreach (var place in new[] { compose, cluster })
            {
                place["CAMINO_SecretsFolder"] = secrets;
                Assert.That(HostConfig.Read(Place.File(config), place).Web.Urls, Is.EqualTo("http://0.0.0.0:8080"));
            }
        }
        finally
        {
            Directory.Delete(secrets, recursive: true);
        }
    }

    [Test]
    public async Task The_scaler_asks_for_as_many_slots_as_work_needs_and_the_cloud_asks_the_same()
    {
        var trigger = Manifests.One("ScaledObject", "camino-async")["spec"]?["triggers"]?[0]?["metadata"];
        var query = trigger?["query"]?.ToString() ?? "";
        Assert.That(Place.Text("deploy/azure/main.bicep"), Does.Contain($"query: '{query}'"));
        Assert.That(trigger?["targetQueryValue"]?.ToString(), Is.EqualTo(HostConfig.Read(Place.File("appsettings.Async.json"), new Dictionary<string, string>()).Jobs.Slots.ToString(System.Globalization.CultureInfo.InvariantCulture)));

        await using var database = await Testing.TestDatabase.CreateAsync("camino", async connectionString =>
        {
            await using var owner = Npgsql.NpgsqlDataSource.Create(connectionString);
            await Data.Migrator.MigrateAsync(owner, options => Host.Database.Configure(options, owner), CancellationToken.None);
        });
        await using var source = Npgsql.NpgsqlDataSource.Create(database.ConnectionString);
        await using var ask = source.CreateCommand(query);
        Assert.That(Convert.ToDouble(await ask.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture), Is.Zero, "nothing waits in a new database");
    }

    [Test]
    public async Task Compose_reads_its_own_file()
    {
        Place.Needs("docker-compose");
        var secrets = Directory.CreateTempSubdirectory("camino-compose-").FullName;
        try
        {
            var made = await Place.RunAsync(Place.File("deploy/scripts/compose-secrets"), [secrets]);
            Assert.That(made.Code, Is.Zero, made.ToString());
            var variables = Path.Combine(secrets, "all");
            await File.WriteAllTextAsync(variables, Place.Text("deploy/images.env") + await File.ReadAllTextAsync(Path.Combine(secrets, "env")));

            var ended = await Place.RunAsync("docker-compose", ["--env-file", variables, "-f", Place.File("deploy/compose.yaml"), "config"], new Dictionary<string, string> { ["CAMINO_SECRETS"] = secrets });

            Assert.That(ended.Code, Is.Zero, ended.ToString());
            Assert.That(ended.Output, Does.Contain("appsettings.BackOffice.json").And.Contain("appsettings.Async.json"));
        }
        finally
        {
            Directory.Delete(secrets, recursive: true);
        }
    }

    /// <summary>As camino check adds it up.</summary>
    private static int Budget(Dictionary<string, string> shared)
    {
        var own = shared.Where(entry => entry.Key.StartsWith("CAMINO_Database__Max", StringComparison.Ordinal)).ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
        return Roles.Sum(role => HostConfig.Read(Place.File(role.Config), own) is var settings ? settings.Database.MaxReplicas * Database.MostConnections(settings) * 2 : 0) + Database.MigratorConnections + 5;
    }

    private static Role RoleOf(string name) => name == "async" ? Role.Async : Role.BackOffice;

    /// <summary>The role that alone has this setting; null when both have it.</summary>
    private static Role? OwnerOf(string variable) =>
        Setting.All.Single(setting => setting.Path == variable["CAMINO_".Length..].Replace("__", ":", StringComparison.Ordinal)).OnlyFor;
}
