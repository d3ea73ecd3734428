using System.Net;
using System.Net.Sockets;
using Camino.Data;
using Camino.Host;
using Camino.Host.Local;
using Camino.Testing;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Hosting;

/// <summary>The program as an operator has it: real processes, their exit codes and what they print.</summary>
[Parallelizable]
public sealed class VerbTests
{
    private Configs _configs = null!;

    [SetUp]
    public void MakeFolder() => _configs = new Configs();

    [TearDown]
    public void RemoveFolder() => _configs.Dispose();

    [Test]
    public async Task Help_is_there_for_the_program_and_for_each_verb()
    {
        var root = await CaminoProcess.RunAsync("--help");
        string[] verbs = ["run", "check", "settings", "migrate", "probe", "version", "import", "up", "quote", "jobs", "audit", "user", "seed-demo", "first-admin-link", "release", "backup", "restore"];
        Assert.That(root.Code, Is.Zero, root.ToString());
        foreach (var verb in verbs)
            Assert.That(root.Output, Does.Contain($"  {verb}"));

        foreach (var pair in verbs.Chunk(3))
        {
            foreach (var (verb, ended) in await Task.WhenAll(pair.Select(async verb => (verb, await CaminoProcess.RunAsync(verb, "--help")))))
            {
                Assert.That(ended.Code, Is.Zero, verb);
                Assert.That(ended.Output, Does.Contain("Usage:").And.Contain($"camino {verb}"), verb);
                Assert.That(ended.Error, Is.Empty, verb);
            }
        }
    }

    [Test]
    public async Task The_version_names_release_and_schema()
    {
        var ended = await CaminoProcess.RunAsync("version");

        Assert.That(ended.Code, Is.Zero);
        Assert.That(ended.Output, Does.Match(@"^camino \d+\.\d+\.\d+\S*, release \d+\nschema " + SchemaWindow.Newest));
    }

    [Test]
    public async Task A_refused_configuration_ends_with_78_and_one_sentence_and_nothing_else()
    {
        var file = _configs.With("Async", "Jobs:Slots", "0");

        var ended = await CaminoProcess.RunAsync("run", "--config", file);

        Assert.That(ended.Code, Is.EqualTo(78));
        Assert.That(ended.Output, Is.Empty);
        Assert.That(ended.ErrorLines, Is.EqualTo([$"{file}: Jobs:Slots is \"0\"; it must be a whole number from 1 to 256."]));
    }

    [Test]
    public async Task Without_a_file_there_is_no_default_role()
    {
        var ended = await CaminoProcess.RunAsync("run");

        Assert.That(ended.Code, Is.EqualTo(78));
        Assert.That(ended.ErrorLines, Has.Count.EqualTo(1));
        Assert.That(ended.Error, Does.Contain("no default role"));
    }

    [Test]
    public async Task CAMINO_CONFIG_stands_in_for_the_option()
    {
        var file = _configs.With("BackOffice", "Role", "\"Both\"");

        var ended = await CaminoProcess.RunAsync(new Dictionary<string, string?> { ["CAMINO_CONFIG"] = file }, "run");

        Assert.That(ended.Code, Is.EqualTo(78));
        Assert.That(ended.ErrorLines, Is.EqualTo([$"{file}: Role is \"Both\"; it must be BackOffice or Async."]));
    }

    [Test]
    public async Task An_unknown_verb_and_an_unknown_option_are_named()
    {
        var ended = await Task.WhenAll(CaminoProcess.RunAsync("serve"), CaminoProcess.RunAsync("run", "--confg", "x.json"));

        Assert.That(ended.Select(end => end.Code), Is.EqualTo([1, 1]));
        Assert.That(ended[0].Error, Does.Contain("serve"));
        Assert.That(ended[1].Error, Does.Contain("--confg"));
    }

    [Test]
    public async Task The_two_files_of_the_repository_fit_together_on_a_migrated_database()
    {
        await using var database = await TestDatabase.CreateAsync("camino", MigrateAsync);
        var root = Repository.Root ?? "";

        var ended = await CaminoProcess.RunAsync(Named(database.ConnectionString), "check", "--config", Path.Combine(root, "appsettings.BackOffice.json"), "--config", Path.Combine(root, "appsettings.Async.json"));

        Assert.That(ended.Code, Is.Zero, ended.ToString());
        Assert.That(ended.Output, Does.Contain("fit together").And.Contain("connection budget").And.Not.Contain("FAIL"));
    }

    [Test]
    public async Task A_pair_that_does_not_fit_is_refused_with_every_reason()
    {
        var office = _configs.Of("BackOffice", urls: "http://127.0.0.1:8080");
        var other = _configs.Write("other.json", File.ReadAllText(_configs.Of("Async", "Host=127.0.0.1;Port=1;Database=elsewhere", "http://127.0.0.1:8080")).Replace("\"files\"", "\"other\"", StringComparison.Ordinal).Replace("bulk", "batch", StringComparison.Ordinal));

        var ended = await Task.WhenAll(CaminoProcess.RunAsync("check", "--config", office, "--config", other), CaminoProcess.RunAsync("check", "--config", office, "--config", office));

        Assert.That(ended.Select(end => end.Code), Is.EqualTo([78, 78]), ended[0].ToString());
        Assert.That(ended[0].Output, Does.Contain("Files:Folder is \"files\"").And.Contain("both roles need the same database").And.Contain("two processes of one machine need two addresses").And.Contain("serves no queue \"bulk\""));
        Assert.That(ended[1].Output, Does.Contain("both say Role BackOffice"));
    }

    [Test]
    public async Task A_check_says_what_is_wrong_with_one_file()
    {
        var ended = await CaminoProcess.RunAsync("check", "--config", _configs.Of("BackOffice"), "--config", _configs.With("Async", "Jobs:Slotz", "5"));

        Assert.That(ended.Code, Is.EqualTo(78));
        Assert.That(ended.Output, Does.Contain("ok  ").And.Contain("FAIL").And.Contain("Jobs:Slotz is not a known key"));
    }

    [Test]
    public async Task A_check_without_a_database_ends_with_1()
    {
        var ended = await CaminoProcess.RunAsync("check", "--config", _configs.Of("BackOffice"));

        Assert.That(ended.Code, Is.EqualTo(1), ended.ToString());
        Assert.That(ended.Output, Does.Contain("127.0.0.1:1/camino cannot be reached"));
        Assert.That(ended.Error, Is.Empty);
    }

    [Test]
    public async Task On_an_empty_database_check_and_run_name_the_command_and_three_migrations_at_once_apply_each_once()
    {
        await using var database = await TestDatabase.CreateAsync("empty", _ => Task.CompletedTask);
        var file = _configs.Of("Async");
        var named = Named(database.ConnectionString);

        var check = CaminoProcess.RunAsync(named, "check", "--config", file);
        var run = CaminoProcess.RunAsync(named, "run", "--config", file);
        Assert.That((await check).Code, Is.EqualTo(1));
        Assert.That((await check).Output, Does.Contain($"camino migrate --config {file}"));
        Assert.That((await run).Code, Is.EqualTo(1));
        Assert.That((await run).Error, Does.Contain($"camino migrate --config {file}"));
        Assert.That((await run).ErrorLines, Has.Count.EqualTo(1));

        var ended = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => CaminoProcess.RunAsync(named, "migrate", "--config", file)));

        Assert.That(ended.Select(end => end.Code), Is.All.Zero, string.Join('\n', ended.Select(end => end.ToString())));
        Assert.That(ended.Count(end => end.Output.Contains("Applied", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(ended.Count(end => end.Output.Contains("nothing to do", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That((await CaminoProcess.RunAsync(named, "check", "--config", file)).Code, Is.Zero);
    }

    [Test]
    public async Task Verbs_without_a_database_end_with_one_sentence()
    {
        var file = _configs.Of("BackOffice");
        var csv = _configs.Write("loans.csv", "LoanNumber\n");
        string[][] verbs = [["run", "--config", file], ["migrate", "--config", file], ["seed-demo", "--config", file, "--data", _configs.Folder], ["first-admin-link", "--config", file], ["import", csv, "--config", file]];

        foreach (var pair in verbs.Chunk(3))
        {
            foreach (var (verb, ended) in await Task.WhenAll(pair.Select(async verb => (verb[0], await CaminoProcess.RunAsync(verb)))))
            {
                Assert.That(ended.Code, Is.EqualTo(1), $"{verb}: {ended}");
                Assert.That(ended.ErrorLines, Has.Count.EqualTo(1), $"{verb}: {ended}");
                Assert.That(ended.Error, Does.Contain("database").And.Contain("cannot be reached"), verb);
            }
        }
    }

    [Test]
    public async Task A_password_from_the_secrets_folder_opens_the_database()
    {
        await using var database = await TestDatabase.CreateAsync("camino", MigrateAsync);
        var connection = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var secrets = Directory.CreateDirectory(Path.Combine(_configs.Folder, "secrets")).FullName;
        await File.WriteAllTextAsync(Path.Combine(secrets, "Database__Password"), connection.Password + "\n");
        connection.Password = null;

        var file = _configs.Of("BackOffice", connection.ConnectionString);
        var ended = await CaminoProcess.RunAsync(new Dictionary<string, string?> { ["CAMINO_SecretsFolder"] = secrets }, "check", "--config", file);

        Assert.That(ended.Code, Is.Zero, ended.ToString());
    }

    [Test]
    public async Task An_address_that_is_taken_is_refused_in_one_sentence()
    {
        await using var database = await TestDatabase.CreateAsync("camino", MigrateAsync);
        using var somebody = new TcpListener(IPAddress.Loopback, 0);
        somebody.Start();
        var file = _configs.Of("Async", urls: $"http://{somebody.LocalEndpoint}");

        var ended = await CaminoProcess.RunAsync(Named(database.ConnectionString), "run", "--config", file);

        Assert.That(ended.Code, Is.EqualTo(1), ended.ToString());
        Assert.That(ended.ErrorLines, Is.EqualTo([$"{file}: Web:Urls is http://{somebody.LocalEndpoint}; another program listens there already."]));
    }

    [TestCase("http://192.0.2.1:8080")]
    [TestCase("https://127.0.0.1:0")]
    public async Task An_address_that_cannot_be_listened_on_is_refused_in_one_sentence(string urls)
    {
        await using var database = await TestDatabase.CreateAsync("camino", MigrateAsync);
        var file = _configs.Of("Async", urls: urls);

        var ended = await CaminoProcess.RunAsync(Named(database.ConnectionString), "run", "--config", file);

        Assert.That(ended.Code, Is.EqualTo(1), ended.ToString());
        Assert.That(ended.ErrorLines, Has.Count.EqualTo(1));
        Assert.That(ended.Error, Does.StartWith($"{file}: Web:Urls is {urls}"));
    }

    private static Dictionary<string, string?> Named(string connectionString) => new() { ["CAMINO_Database__ConnectionString"] = connectionString };

    private static async Task MigrateAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await Migrator.MigrateAsync(source, options => Database.Configure(options, source), CancellationToken.None);
    }
}
