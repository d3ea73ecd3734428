using Camino.Host.Configuration;
using NUnit.Framework;

namespace Camino.Tests.Hosting;

/// <summary>What a configuration may say. Each refusal names the place, the key, the value and what is allowed.</summary>
public sealed class HostConfigTests
{
    private static readonly Dictionary<string, string> Nothing = [];
    private Configs _configs = null!;

    [SetUp]
    public void MakeFolder() => _configs = new Configs();

    [TearDown]
    public void RemoveFolder() => _configs.Dispose();

    [TestCase("BackOffice", Role.BackOffice)]
    [TestCase("Async", Role.Async)]
    public void A_good_file_is_read(string file, Role role)
    {
        var settings = HostConfig.Read(_configs.Of(file), Nothing);

        Assert.That(settings.Role, Is.EqualTo(role));
        Assert.That(settings.Database.MaxPoolSize, Is.EqualTo(8));
        Assert.That(settings.Jobs.Queues.Select(queue => queue.Name), Is.EqualTo(role == Role.Async ? new[] { "urgent", "notices", "default", "bulk" } : []));
    }

    // unknown
    [TestCase("Async", "Jobs:Slotz", "5", "Jobs:Slotz is not a known key (its value is not shown)", "Jobs:Slots")]
    [TestCase("BackOffice", "Web:Url", "\"http://127.0.0.1:1\"", "Web:Url is not a known key (its value is not shown)", "Web:Urls")]
    [TestCase("BackOffice", "Databse", "{ \"MaxPoolSize\": 4 }", "Databse is not a known key; the nearest known key is Database.")]
    [TestCase("Async", "Jobs:Queues", "[ { \"Name\": \"bulk\", \"ReservedSlot\": 1 } ]", "Jobs:Queues:0:ReservedSlot is not a known key", "Jobs:Queues:0:ReservedSlots")]
    [TestCase("Async", "Logging", "{ \"LogLevel\": { \"Default\": \"Debug\" } }", "Logging", "the nearest known key is Log.")]
    // recurring jobs and keeping
    [TestCase("Async", "Jobs:Recurring", "[ { \"Name\": \"portfolio.nightly\", \"Cron\": \"61 * * * *\" } ]", "Jobs:Recurring", "the minute is '61'; it must be 0 to 59")]
    [TestCase("Async", "Jobs:Recurring", "[ { \"Name\": \"portfolio.nightly\", \"Cron\": \"0 0 30 2 *\" } ]", "Jobs:Recurring", "'portfolio.nightly' (0 0 30 2 *) can never fire")]
    [TestCase("Async", "Jobs:Recurring", "[ { \"Name\": \"portfolio.yearly\", \"Cron\": \"@yearly\" } ]", "Name is 'portfolio.yearly'", "portfolio.nightly")]
    [TestCase("Async", "Jobs:Recurring", "[ { \"Name\": \"portfolio.nightly\", \"Misfire\": \"Never\" } ]", "Jobs:Recurring:0:Misfire is \"Never\"", "Skip or Once or All")]
    [TestCase("Async", "Jobs:Recurring", "[ { \"Name\": \"portfolio.nightly\", \"Calendar\": \"uk-banks\" } ]", "Calendar is 'uk-banks'", "us-banks")]
    [TestCase("Async", "Jobs:Retention", "[ { \"Kind\": \"imports.load\" }, { \"Kind\": \"imports.load\" } ]", "Jobs:Retention:1:Kind is 'imports.load'", "each kind is listed once")]
    [TestCase("Async", "Jobs:Order", "\"Random\"", "Jobs:Order is \"Random\"", "Strict or Weighted")]
#if !HANGFIRE
    [TestCase("Async", "Jobs:Engine", "\"Hangfire\"", "Jobs:Engine is \"Hangfire\"", "-p:JobEngine=Hangfire")]
    [TestCase("BackOffice", "Jobs:Engine", "\"Hangfire\"", "Jobs:Engine is \"Hangfire\"", "-p:JobEngine=Hangfire")]
#else
    [TestCase("Async", "Jobs:Engine", "\"Hangfire\"", "with the engine Hangfire", "must be")]
#endif
    [TestCase("Async", "Jobs:Engine", "\"Quartz\"", "Jobs:Engine is \"Quartz\"", "Camino or Hangfire")]
    // missing
    [TestCase("BackOffice", "Role", null, "Role is missing", "BackOffice or Async")]
    [TestCase("Async", "Role", "null", "Role is missing", "BackOffice or Async")]
    [TestCase("Async", "Jobs:Queues", null, "Jobs:Queues is missing", "a list with at least one entry")]
    [TestCase("Async", "Jobs:Queues", "[]", "Jobs:Queues is missing", "a list with at least one entry")]
    [TestCase("Async", "Jobs:Queues", "[ { \"MaxSlots\": 1 } ]", "Jobs:Queues:0:Name is missing", "small letters")]
    [TestCase("BackOffice", "Web:Urls", null, "Web:Urls is missing", "http://127.0.0.1:8080", "CAMINO_Web__Urls")]
    [TestCase("BackOffice", "Database:ConnectionString", "\"\"", "Database:ConnectionString is missing", "CAMINO_Database__ConnectionString")]
    [TestCase("BackOffice", "Files", "{}", "Files:Folder is missing")]
    // wrong type
    [TestCase("Async", "Role", "7", "Role is \"7\"", "BackOffice or Async")]
    [TestCase("Async", "Role", "\"async\"", "Role is \"async\"", "BackOffice or Async")]
    [TestCase("Async", "Jobs:Slots", "\"many\"", "Jobs:Slots is \"many\"", "a whole number from 1 to 256")]
    [TestCase("Async", "Jobs:Slots", "2.5", "Jobs:Slots is \"2.5\"", "a whole number from 1 to 256")]
    [TestCase("Async", "Jobs:Slots", "null", "Jobs:Slots is null", "a whole number from 1 to 256")]
    [TestCase("BackOffice", "Web:BehindProxy", "\"yes\"", "Web:BehindProxy is \"yes\"", "true or false")]
    [TestCase("BackOffice", "Log", "{ \"Level\": \"Info\" }", "Log:Level is \"Info\"", "Verbose or Debug or Information or Warning or Error")]
    [TestCase("BackOffice", "Web", "\"http://127.0.0.1:1\"", "Web is a text or a number", "must be an object")]
    [TestCase("Async", "Jobs:Queues", "\"bulk\"", "Jobs:Queues is \"bulk\"", "a list")]
    [TestCase("Async", "Jobs:Queues", "[ \"bulk\" ]", "Jobs:Queues:0 is a text or a number", "must be an object")]
    [TestCase("BackOffice", "Web:Urls", "\"localhost:80\"", "Web:Urls is \"localhost:80\"", "addresses like http://127.0.0.1:8080")]
    [TestCase("BackOffice", "Web:Urls", "\"http://127.0.0.1:99999\"", "Web:Urls", "99999", "65535")]
    // out of range
    [TestCase("Async", "Jobs:Slots", "0", "Jobs:Slots is \"0\"", "1 to 256")]
    [TestCase("Async", "Jobs:Slots", "99999999999999999999", "Jobs:Slots is \"99999999999999999999\"", "1 to 256")]
    [TestCase("Async", "Jobs:LeaseSeconds", "4", "Jobs:LeaseSeconds is \"4\"", "5 to 600")]
    [TestCase("BackOffice", "Database:MaxPoolSize", "3", "Database:MaxPoolSize is \"3\"", "4 to 500")]
    [TestCase("Async", "Jobs:Queues", "[ { \"Name\": \"Bulk\" } ]", "Jobs:Queues:0:Name is \"Bulk\"", "small letters")]
    // of the other role
    [TestCase("BackOffice", "Jobs:Slots", "4", "Jobs:Slots is only for the role Async", "this file's Role is BackOffice")]
    [TestCase("Async", "SignIn", "{ \"Attempts\": 5 }", "SignIn:Attempts is only for the role BackOffice", "this file's Role is Async")]
    // together
    [TestCase("Async", "Jobs:Queues", "[ { \"Name\": \"bulk\" }, { \"Name\": \"bulk\" } ]", "Jobs:Queues", "\"bulk\" twice", "once")]
    [TestCase("Async", "Jobs:Queues", "[ { \"Name\": \"urgent\", \"ReservedSlots\": 2 }, { \"Name\": \"bulk\", \"ReservedSlots\": 2 } ]", "reserve 4 slots", "less than Jobs:Slots, which is 4")]
    [TestCase("Async", "Jobs:Queues", "[ { \"Name\": \"bulk\", \"ReservedSlots\": 2, \"MaxSlots\": 1 } ]", "Jobs:Queues:0:MaxSlots is 1", "at least ReservedSlots, which is 2")]
    [TestCase("Async", "Jobs:Queues", "[ { \"Name\": \"bulk\", \"MaxSlots\": 5 } ]", "Jobs:Queues:0:MaxSlots is 5", "4")]
    [TestCase("Async", "Jobs:Slots", "1", "reserve 1 slots", "less than Jobs:Slots, which is 1")]
    [TestCase("Async", "Jobs:GraceSeconds", "20", "Jobs:GraceSeconds is 20", "less than Web:ShutdownSeconds, which is 20")]
    [TestCase("BackOffice", "SignIn", "{ \"Provider\": { \"Authority\": \"https://id.lender.example\" } }", "SignIn:Provider:Authority is set", "SignIn:Provider:ClientId and :ClientSecret must be")]
    [TestCase("BackOffice", "SignIn", "{ \"Provider\": { \"Authority\": \"http://id.lender.example\" } }", "SignIn:Provider:Authority is \"http://id.lender.example\"", "begins with https://")]
    [TestCase("BackOffice", "SignIn", "{ \"Provider\": { \"Groups\": [ { \"Group\": \"it\", \"Role\": \"administrator\" } ] } }", "SignIn:Provider:Groups:0:Role is \"administrator\"", "SignIn:Provider:AdministratorsByGroup to be true")]
    [TestCase("BackOffice", "SignIn", "{ \"Provider\": { \"Groups\": [ { \"Group\": \"it\", \"Role\": \"boss\" } ] } }", "SignIn:Provider:Groups:0:Role is \"boss\"", "viewer, officer")]
    [TestCase("BackOffice", "SignIn", "{ \"Provider\": { \"AddPeople\": true } }", "SignIn:Provider:AddPeople is true", "at least one group")]
    [TestCase("BackOffice", "SignIn:PasswordRounds", "1000", "SignIn:PasswordRounds is \"1000\"", "100000 to 10000000")]
    [TestCase("BackOffice", "Web:ProxyNetworks", "\"10.0.0.0/8\"", "Web:ProxyNetworks is set and Web:BehindProxy is false")]
    [TestCase("Async", "Smtp", "{ \"Host\": \"mail.lender.example\" }", "Smtp:Host is set", "Smtp:From")]
    [TestCase("Async", "Smtp", "{ \"Host\": \"mail.lender.example\", \"From\": \"loans@lender.example\", \"User\": \"camino\" }", "Smtp:User and Smtp:Password go together")]
    [TestCase("BackOffice", "Smtp:Host", "\"mail.lender.example\"", "Smtp:Host is only for the role Async")]
    [TestCase("Async", "Smtp:Security", "\"None\"", "Smtp:Security is \"None\"", "StartTls or Tls")]
    [TestCase("Async", "Documents:ReadKinds", "\"taxReturn,dreams\"", "Documents:ReadKinds is \"taxReturn,dreams\"", "kinds of documents")]
    // secrets, and connection strings
    [TestCase("BackOffice", "SignIn", "{ \"Provider\": { \"ClientSecret\": \"open sesame\" } }", "SignIn:Provider:ClientSecret is a secret", "CAMINO_SignIn__Provider__ClientSecret")]
    [TestCase("BackOffice", "Database:Password", "\"open sesame\"", "Database:Password is a secret", "CAMINO_Database__Password", "secrets folder")]
    [TestCase("BackOffice", "Database:ConnectionString", "\"Host=db;Database=camino;Username=camino;Password=open sesame\"", "Database:ConnectionString holds a password", "CAMINO_Database__Password")]
    [TestCase("BackOffice", "Database:ConnectionString", "\"Host=db;Pasword=open sesame\"", "Database:ConnectionString is not a connection string")]
    [TestCase("BackOffice", "Database:Pasword", "\"open sesame\"", "Database:Pasword is not a known key", "Database:Password")]
    [TestCase("BackOffice", "Database:ConnectionString", "\"Database=camino;Username=camino\"", "Database:ConnectionString", "Host=")]
    public void A_file_is_refused_in_one_sentence(string role, string key, string? json, params string[] words)
    {
        var file = _configs.With(role, key, json);

        var refused = Assert.Throws<ConfigRefusedException>(() => HostConfig.Read(file, Nothing));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(refused?.Message, Does.StartWith(file + ": "));
            Assert.That(refused?.Message, Does.Not.Contain("\n").And.EndWith("."));
            Assert.That(refused?.Message, Does.Not.Contain("sesame"), "a secret is never shown");
            foreach (var word in words)
                Assert.That(refused?.Message, Does.Contain(word));
        }
    }

    [TestCase("{ \"Role\": \"Async\", \"Web\": ", "is not JSON")]
    [TestCase("Role=Async", "line 1 is not JSON")]
    [TestCase("", "is not JSON")]
    [TestCase("[]", "must hold one JSON object")]
    [TestCase("{ \"Role\": \"Async\", \"Role\": \"BackOffice\" }", "Role stands twice")]
    public void A_file_that_is_not_one_JSON_object_is_refused(string text, string words)
    {
        var file = _configs.Write("appsettings.Async.json", text);

        var refused = Assert.Throws<ConfigRefusedException>(() => HostConfig.Read(file, Nothing));

        Assert.That(refused?.Message, Does.StartWith(file + ": ").And.Contain(words).And.Not.Contain("\n"));
    }

    [Test]
    public void A_file_may_hold_comments_trailing_commas_and_a_byte_order_mark()
    {
        var text = File.ReadAllText(_configs.Of("BackOffice"));
        var file = _configs.Write("appsettings.BackOffice.json", "\uFEFF// ours\n" + text[..^1] + ", /* and */ }");

        Assert.That(HostConfig.Read(file, Nothing).Role, Is.EqualTo(Role.BackOffice));
    }

    [Test]
    public void A_missing_file_and_no_file_are_refused()
    {
        var missing = Path.Combine(_configs.Folder, "none.json");

        Assert.That(Assert.Throws<ConfigRefusedException>(() => HostConfig.Read(missing, Nothing))?.Message, Does.StartWith(missing).And.Contain("no such configuration file"));
        Assert.That(Assert.Throws<ConfigRefusedException>(() => HostConfig.Read("", Nothing))?.Message, Does.Contain("--config").And.Contain("CAMINO_CONFIG").And.Contain("no default role"));
    }

    [TestCase("CAMINO_Jobs__Slotz", "5", "environment: Jobs:Slotz is not a known key", "Jobs:Slots")]
    [TestCase("CAMINO_SLOTS", "5", "environment: SLOTS is not a known key")]
    [TestCase("CAMINO_Jobs__Slots", "0", "environment: Jobs:Slots is \"0\"", "1 to 256")]
    [TestCase("CAMINO_SignIn__Attempts", "5", "environment: SignIn:Attempts is only for the role BackOffice")]
    [TestCase("CAMINO_Role", "Both", "environment: Role is \"Both\"", "BackOffice or Async")]
    [TestCase("CAMINO_Webhooks__Secrett", "open sesame", "environment: Webhooks:Secrett is not a known key (its value is not shown)", "Webhooks:Secret")]
    [TestCase("CAMINO_ApiToken", "open sesame", "environment: ApiToken is not a known key (its value is not shown)")]
    [TestCase("CAMINO_Database", "open sesame", "it is a group of settings and must be an object")]
    [TestCase("CAMINO_SecretsFolder", "/not/there", "SecretsFolder is \"/not/there\"", "no such folder")]
    [TestCase("CAMINO_Jobs__Slots", "1", "reserve 1 slots", "less than Jobs:Slots, which is 1")]
    public void A_variable_is_refused_as_a_file_is(string name, string value, params string[] words)
    {
        var file = _configs.Of("Async");

        var refused = Assert.Throws<ConfigRefusedException>(() => HostConfig.Read(file, new Dictionary<string, string> { [name] = value }));

        Assert.That(refused?.Message, Does.Not.Contain("sesame"), "a secret is never shown");
        foreach (var word in words)
            Assert.That(refused?.Message, Does.Contain(word));
    }

    [Test]
    public void Variables_win_over_the_secrets_folder_and_that_over_the_file()
    {
        var secrets = Secrets(("Database__Password", "from the folder\n"), ("Database__MaxPoolSize", "9"), ("Files__Folder", "from the folder"));
        var variables = new Dictionary<string, string> { ["CAMINO_SecretsFolder"] = secrets, ["CAMINO_Files__Folder"] = "from a variable", ["CAMINO_CONFIG"] = "not a setting", ["CAMINO_TEST_DATABASE"] = "not a setting", ["PATH"] = "not ours" };

        var settings = HostConfig.Read(_configs.Of("BackOffice"), variables);

        Assert.That(settings.Database.Password, Is.EqualTo("from the folder"));
        Assert.That(settings.Database.MaxPoolSize, Is.EqualTo(9));
        Assert.That(settings.Files.Folder, Is.EqualTo("from a variable"));
    }

    [Test]
    public void A_secret_with_an_unknown_name_is_refused_without_being_shown()
    {
        var secrets = Secrets(("Database__Pasword", "open sesame"));

        var refused = Assert.Throws<ConfigRefusedException>(() => HostConfig.Read(_configs.Of("BackOffice"), new Dictionary<string, string> { ["CAMINO_SecretsFolder"] = secrets }));

        Assert.That(refused?.Message, Does.Contain(secrets).And.Contain("Database:Pasword").And.Contain("Database:Password").And.Not.Contain("sesame"));
    }

    /// <summary>Kubernetes mounts a folder of links into a hidden folder that it swaps as a whole.</summary>
    [Test]
    public void A_secrets_folder_as_Kubernetes_mounts_it_is_read()
    {
        var secrets = Directory.CreateDirectory(Path.Combine(_configs.Folder, "mounted")).FullName;
        var hidden = Directory.CreateDirectory(Path.Combine(secrets, "..2026_11_20")).FullName;
        File.WriteAllText(Path.Combine(hidden, "Database__Password"), "from the mount");
        Directory.CreateSymbolicLink(Path.Combine(secrets, "..data"), hidden);
        File.CreateSymbolicLink(Path.Combine(secrets, "Database__Password"), Path.Combine("..data", "Database__Password"));

        var settings = HostConfig.Read(_configs.Of("BackOffice"), new Dictionary<string, string> { ["CAMINO_SecretsFolder"] = secrets });

        Assert.That(settings.Database.Password, Is.EqualTo("from the mount"));
    }

    private string Secrets(params (string Name, string Value)[] files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_configs.Folder, "secrets")).FullName;
        foreach (var (name, value) in files)
            File.WriteAllText(Path.Combine(folder, name), value);
        return folder;
    }
}
