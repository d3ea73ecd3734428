using System.Globalization;
using System.Net;
using System.Resources;
using System.Text.Json;
using Camino.Host.Configuration;
using Camino.Resources;
using Camino.Settings;
using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.Hosting;

/// <summary>The settings in effect: where each came from, and that nothing secret is among them.</summary>
internal sealed class SettingsTests
{
    private const string Sesame = "open sesame, and quickly now please";

    private Configs _configs = null!;

    [SetUp]
    public void MakeFolder() => _configs = new Configs();

    [TearDown]
    public void RemoveFolder() => _configs.Dispose();

    [TestCase("en")]
    [TestCase("es")]
    public void Every_setting_has_a_sentence_that_says_what_it_does(string language)
    {
        var texts = new ResourceManager("Camino.Resources.Texts", typeof(Texts).Assembly).GetResourceSet(CultureInfo.GetCultureInfo(language == "en" ? "" : language), createIfNotExists: true, tryParents: false);
        var lines = new[] { "BackOffice", "Async" }.SelectMany(role => HostConfig.Look(_configs.Of(role), new Dictionary<string, string> { ["CAMINO_RELEASE"] = "7", ["CAMINO_IMAGE"] = "sha256:1", ["CAMINO_PARENT_PID"] = "1", ["OTEL_SERVICE_NAME"] = "camino" }).Lines);

        Assert.That(lines.Select(line => line.About).Distinct().Where(about => texts?.GetString("Setting." + about)?.Length is not > 5), Is.Empty);
        Assert.That(Setting.All.Select(setting => setting.Path.Split(':')[0]).Distinct().Except(lines.Select(line => line.Key.Split(':')[0])), Is.Empty, "a section is shown in neither role");
    }

    [Test]
    public void Each_value_says_where_it_came_from_and_the_last_one_wins()
    {
        var secrets = Secrets(("Database__Password", Sesame), ("Database__MaxPoolSize", "9"));
        var file = _configs.Of("BackOffice");

        var look = HostConfig.Look(file, new Dictionary<string, string> { ["CAMINO_SecretsFolder"] = secrets, ["CAMINO_Limits__Concurrent"] = "77", ["CAMINO_Files__Folder"] = "elsewhere" });

        Assert.That(look.Refusal, Is.Null);
        Assert.That(look.Role, Is.EqualTo("BackOffice"));
        Assert.That(Of(look, "--config"), Is.EqualTo((file, SettingSource.CommandLine, (string?)null)));
        Assert.That(Of(look, "Web:ShutdownSeconds"), Is.EqualTo(("20", SettingSource.File, file)));
        Assert.That(Of(look, "Limits:Concurrent"), Is.EqualTo(("77", SettingSource.Environment, "CAMINO_Limits__Concurrent")));
        Assert.That(Of(look, "Files:Folder"), Is.EqualTo(("elsewhere", SettingSource.Environment, "CAMINO_Files__Folder")));
        Assert.That(Of(look, "Limits:Waiting"), Is.EqualTo(("200", SettingSource.Default, (string?)null)));
        Assert.That(Of(look, "Database:Pooler"), Is.EqualTo(("false", SettingSource.Default, (string?)null)));
        Assert.That(Of(look, "Database:Password"), Is.EqualTo((SettingLine.Mask, SettingSource.SecretsFolder, Path.Combine(secrets, "Database__Password"))));
        Assert.That(Of(look, "Database:MaxPoolSize").Value, Is.EqualTo(SettingLine.Mask), "nothing that stands in the secrets folder is shown");
        Assert.That(Of(look, "Keys:Secret"), Is.EqualTo(((string?)null, SettingSource.Default, (string?)null)));
        Assert.That(Of(look, "Database:ConnectionString").Value, Does.Contain("127.0.0.1").And.Contain("camino"));
        Assert.That(look.Lines.Where(line => line.Key.StartsWith("Jobs:Slots", StringComparison.Ordinal)), Is.Empty, "a setting of the other role");
    }

    [Test]
    public void What_stands_in_a_list_has_a_line_for_each_entry()
    {
        var look = HostConfig.Look(_configs.Of("Async"), new Dictionary<string, string>());

        Assert.That(Of(look, "Jobs:Queues:0:Name").Value, Is.EqualTo("urgent"));
        Assert.That(Of(look, "Jobs:Queues:3:MaxSlots"), Is.EqualTo(("2", SettingSource.File, Path.Combine(_configs.Folder, "appsettings.Async.json"))));
        Assert.That(Of(look, "Jobs:Queues:3:Weight"), Is.EqualTo(("1", SettingSource.Default, (string?)null)));
        Assert.That(Of(look, "Jobs:Recurring").Value, Is.Null);
    }

    [TestCase("CAMINO_Webhooks__Secrett", Sesame, SettingStanding.Unknown, "Webhooks:Secret")]
    [TestCase("CAMINO_SLOTS", Sesame, SettingStanding.Unknown, null)]
    [TestCase("CAMINO_SignIn__Attempts", "5", SettingStanding.OtherRole, null)]
    public void A_key_that_the_role_does_not_know_is_marked_and_its_value_not_shown(string variable, string value, SettingStanding standing, string? nearest)
    {
        var look = HostConfig.Look(_configs.Of("Async"), new Dictionary<string, string> { [variable] = value });

        var line = look.Lines.Single(one => one.Place == variable);
        Assert.That(line.Standing, Is.EqualTo(standing));
        Assert.That(line.Value, Is.Null);
        Assert.That(nearest is null || line.Nearest == nearest, Is.True, line.Nearest);
        Assert.That(look.Refusal, Does.Contain(line.Key));
        Assert.That(Of(look, "Jobs:Slots").Value, Is.EqualTo("4"), "the rest is shown all the same");
    }

    [Test]
    public void An_address_is_shown_without_name_password_and_query()
    {
        var look = HostConfig.Look(_configs.Of("Async"), new Dictionary<string, string> { ["CAMINO_Providers__Credit__Address"] = "https://camino:sesame@credit.example:8443/v1?key=sesame", ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "https://u:sesame@telemetry.example:4317", ["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=sesame" });

        Assert.That(Of(look, "Providers:Credit:Address").Value, Is.EqualTo($"https://{SettingLine.Mask}@credit.example:8443/v1?{SettingLine.Mask}"));
        Assert.That(Of(look, "OTEL_EXPORTER_OTLP_HEADERS").Value, Is.EqualTo(SettingLine.Mask));
        Assert.That(JsonSerializer.Serialize(look), Does.Not.Contain("sesame"));
    }

    [Test]
    public async Task A_secret_given_in_any_way_shows_neither_on_the_page_nor_in_the_API_and_a_key_mistyped_since_the_start_does()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        var secrets = Secrets(("Webhooks__Secret", Sesame + " 1"), ("Webhooks__PreviousSecret", Sesame + " 2"));
        var file = _configs.Of("BackOffice");
        var variables = new Dictionary<string, string> { ["CAMINO_SecretsFolder"] = secrets, ["CAMINO_Database__ConnectionString"] = camino.ConnectionString + $";SSL Password={Sesame} 3", ["CAMINO_Keys__Secret"] = Sesame + " 4", ["CAMINO_SignIn__SecondFactor"] = "Optional", ["CAMINO_Limits__PerUserAMinute"] = "7001" };
        await using var office = await camino.StartOfficeAsync(HostConfig.Read(file, variables), file);
        File.WriteAllText(file, File.ReadAllText(_configs.With("BackOffice", "Web:Url", $"\"{Sesame} 5\"")).Replace("\"MaxPoolSize\":8", "\"MaxPoolSize\":11", StringComparison.Ordinal));

        using var admin = new StaffBrowser(RunningCamino.AddressOf(office));
        (await admin.SignInAsync("admin")).Dispose();
        var page = await admin.PageAsync("/settings");
        using var program = new HttpClient { BaseAddress = RunningCamino.AddressOf(office) };
        using var known = await camino.ApiOfAsync("admin");
        program.DefaultRequestHeaders.Authorization = known.DefaultRequestHeaders.Authorization;
        var answer = await program.GetStringAsync(new Uri("/api/v1/settings", UriKind.Relative));

        Assert.That(page, Does.Contain("Keys:Secret").And.Contain("CAMINO_Keys__Secret").And.Contain("Webhooks__PreviousSecret").And.Contain("7001"));
        Assert.That(page, Does.Contain("Web:Url is not a known key").And.Contain(">11<"));
        Assert.That(answer, Does.Contain("\"key\":\"Web:Url\"").And.Contain("\"standing\":\"unknown\""));
        foreach (var shown in (string[])[page, WebUtility.HtmlDecode(page), answer])
            Assert.That(shown, Does.Not.Contain("sesame").And.Not.Contain(new Npgsql.NpgsqlConnectionStringBuilder(camino.ConnectionString).Password ?? "sesame"));
        using var document = JsonDocument.Parse(answer);
        var lines = document.RootElement.GetProperty("lines").EnumerateArray().ToDictionary(line => line.GetProperty("key").GetString() ?? "", StringComparer.Ordinal);
        Assert.That(lines["Keys:Secret"].GetProperty("value").GetString(), Is.EqualTo(lines["Webhooks:Secret"].GetProperty("value").GetString()), "a mask tells nothing of the length");
        Assert.That(lines["Database:MaxPoolSize"].GetProperty("value").GetString(), Is.EqualTo("8"), "the process has what it started with");
        await office.StopAsync();
    }

    [Test]
    public async Task The_command_prints_the_same_and_no_secret_given_in_any_way()
    {
        var file = _configs.With("BackOffice", "Database:Password", $"\"{Sesame} 1\"");
        var secrets = Secrets(("Webhooks__Secret", Sesame + " 2"));
        var variables = new Dictionary<string, string?> { ["CAMINO_SecretsFolder"] = secrets, ["CAMINO_Keys__Secret"] = Sesame + " 3", ["CAMINO_Keys__Sekret"] = Sesame + " 4", ["CAMINO_Migration__ConnectionString"] = $"Host=db;Username=owner;Password={Sesame} 5" };

        var (text, json, good) = (await CaminoProcess.RunAsync(variables, "settings", "--config", file), await CaminoProcess.RunAsync(variables, "settings", "--config", file, "--json"), await CaminoProcess.RunAsync(variables: null, "settings", "--config", _configs.Of("Async")));

        Assert.That((text.Code, json.Code, good.Code), Is.EqualTo((78, 78, 0)), text.ToString());
        Assert.That(text.Error, Does.Contain("Database:Password is a secret"));
        Assert.That(text.Output, Does.Contain($"Database:Password = {SettingLine.Mask}   (file {file})").And.Contain("Keys:Sekret = UNKNOWN KEY").And.Contain("the nearest known key is Keys:Secret").And.Contain("(environment CAMINO_Keys__Secret)").And.Contain("Host=db").IgnoreCase);
        foreach (var ended in (Ended[])[text, json])
            Assert.That(ended.ToString(), Does.Not.Contain("sesame"));
        using var document = JsonDocument.Parse(json.Output);
        var lines = document.RootElement.GetProperty("lines").EnumerateArray().ToDictionary(line => line.GetProperty("key").GetString() ?? "", StringComparer.Ordinal);
        Assert.That(lines["Keys:Sekret"].GetProperty("standing").GetString(), Is.EqualTo("unknown"));
        Assert.That(lines["Web:Urls"].GetProperty("about").GetString(), Is.EqualTo("Addresses on which the process listens."));
        Assert.That(good.Output, Does.Contain("Role Async").And.Contain("Jobs:Slots = 4   (file").And.Contain("Jobs:LeaseSeconds = 15   (default)"));
        Assert.That(good.Error, Is.Empty);
    }

    private static (string? Value, SettingSource Source, string? Place) Of(SettingsLook look, string key)
    {
        var line = look.Lines.Single(one => one.Key == key);
        return (line.Value, line.Source, line.Place);
    }

    private string Secrets(params (string Name, string Value)[] files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_configs.Folder, "secrets")).FullName;
        foreach (var (name, value) in files)
            File.WriteAllText(Path.Combine(folder, name), value);
        return folder;
    }
}
