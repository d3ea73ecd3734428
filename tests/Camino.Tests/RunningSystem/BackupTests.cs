using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Camino.Host.Backup;
using Camino.Host.Local;
using Camino.Testing;
using Camino.Tests.Hosting;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>The restore drill: a backup is worth what can be restored from it.</summary>
[Parallelizable]
public sealed class BackupTests
{
    [Test]
    public async Task A_backup_restored_into_a_new_database_has_the_same_rows_the_same_trail_the_same_people_and_works_on()
    {
        await using var camino = await RunningCamino.StartAsync();
        using (var asked = await camino.Api.PostAsJsonAsync("/api/v1/jobs/echo", new { text = "before" }))
            Assert.That(asked.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        using var configs = new Configs();
        var file = configs.Of("BackOffice", urls: CaminoProcess.FreeAddress().ToString().TrimEnd('/'));
        var folder = Path.Combine(configs.Folder, "backups");
        var here = new Dictionary<string, string?>(StringComparer.Ordinal) { ["CAMINO_Database__ConnectionString"] = camino.ConnectionString, ["CAMINO_Files__Folder"] = Path.Combine(configs.Folder, "files") };

        var backup = await CaminoProcess.RunAsync(here, "backup", "--config", file, "--to", folder);
        if (backup.Error.Contains("backup.no_tools", StringComparison.Ordinal))
            Assert.Ignore(backup.Error);
        Assert.That(backup.Code, Is.Zero, backup.ToString());
        var dump = Directory.GetFiles(folder, "*.dump").Single();
        var restored = $"{new NpgsqlConnectionStringBuilder(camino.ConnectionString).Database}_restored";
        var restore = await CaminoProcess.RunAsync(here, "restore", dump, "--config", file, "--into", restored);
        Assert.That(restore.Code, Is.Zero, restore.ToString());
        Assert.That((await CaminoProcess.RunAsync(here, "restore", dump, "--config", file, "--into", restored)).Error, Does.Contain("backup.there"), "nothing is overwritten");

        var there = new NpgsqlConnectionStringBuilder(camino.ConnectionString) { Database = restored }.ConnectionString;
        await using (var source = NpgsqlDataSource.Create(there))
        {
            await using var connection = await source.OpenConnectionAsync();
            var rows = await BackupFile.RowsAsync(connection, CancellationToken.None);
            Assert.That(rows["camino.staff_users"], Is.EqualTo(await camino.ScalarAsync<long>("select count(*) from camino.staff_users")));
            Assert.That(await TrailAsync(connection), Is.EqualTo(await camino.ScalarAsync<string>(TrailText + " where action <> 'backup.made'")), "the trail is the same, entry by entry");
            await using var change = new NpgsqlCommand("delete from camino.audit_entries", connection);
            Assert.That(() => change.ExecuteNonQueryAsync(), Throws.TypeOf<PostgresException>(), "and still written once");
        }

        here["CAMINO_Database__ConnectionString"] = there;
        await using (var office = CaminoProcess.Start(here, "run", "--config", file))
        await using (var work = CaminoProcess.Start(here, "run", "--config", configs.Of("Async")))
        {
            using var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
            using var browser = new HttpClient(handler) { BaseAddress = new Uri(JsonDocument.Parse(await File.ReadAllTextAsync(file)).RootElement.GetProperty("Web").GetProperty("Urls").GetString() ?? "") };
            await UntilAsync(async () => await StatusAsync(browser, "/health/ready") == HttpStatusCode.OK);
            var page = await browser.GetStringAsync(new Uri("/sign-in", UriKind.Relative));
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["__RequestVerificationToken"] = WebUtility.HtmlDecode(Regex.Match(page, "name=\"__RequestVerificationToken\"[^>]*value=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups["value"].Value),
                ["Email"] = await camino.ScalarAsync<string>("select email from camino.staff_users order by email limit 1") ?? "",
                ["Password"] = RunningCamino.Password,
            });
            using var signedIn = await browser.PostAsync(new Uri("/sign-in", UriKind.Relative), form);
            Assert.That((int)signedIn.StatusCode, Is.EqualTo(302).Or.EqualTo(303), "the people are the same");

            browser.DefaultRequestHeaders.Authorization = camino.Api.DefaultRequestHeaders.Authorization;
            using var asked = await browser.PostAsJsonAsync("/api/v1/jobs/echo", new { text = "after" });
            var job = (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("jobId").GetGuid();
            await UntilAsync(async () => (await browser.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{job}")).GetProperty("state").GetString() == "done");
        }

        await using var administrator = NpgsqlDataSource.Create(camino.ConnectionString);
        await using var drop = administrator.CreateCommand($"drop database \"{restored}\" with (force)");
        await drop.ExecuteNonQueryAsync();
    }

    [Test]
    public async Task The_nightly_backup_of_places_with_containers_makes_the_same_files_and_keeps_what_was_handed_in()
    {
        if (Tool.Find("psql") is null || Tool.Find("pg_dump") is null || Tool.Find("sh") is not { } shell || Repository.Root is not { } root)
        {
            Assert.Ignore("This machine has no psql, no pg_dump or no shell.");
            return;
        }

        await using var camino = await RunningCamino.StartAsync();
        using var configs = new Configs();
        var at = new NpgsqlConnectionStringBuilder(camino.ConnectionString);
        var (backups, files) = (Path.Combine(configs.Folder, "backups"), Path.Combine(configs.Folder, "files"));
        Directory.CreateDirectory(Path.Combine(files, "ab"));
        await File.WriteAllTextAsync(Path.Combine(files, "ab", "handed in"), "a document");
        Directory.CreateDirectory(backups);
        string[] old = [Path.Combine(backups, "camino-20200101T000000Z.dump"), Path.Combine(backups, "camino-20200102T000000Z.dump")];
        foreach (var dump in old)
        {
            await File.WriteAllTextAsync(dump, "");
            File.SetLastWriteTimeUtc(dump, new DateTime(2020, 1, 2, 0, 0, 0, DateTimeKind.Utc));
        }

        var start = new ProcessStartInfo(shell, [Path.Combine(root, "deploy", "postgres", "backup.sh"), "once"]) { RedirectStandardError = true, UseShellExecute = false };
        start.Set(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["BACKUP_FOLDER"] = backups,
            ["BACKUP_FILES"] = files,
            ["BACKUP_KEEP_LEAST"] = "2",
            ["BACKUP_CONNECTION"] = configs.Write("connection", $"Host={at.Host};port = {at.Port}; DATABASE={at.Database};Username={at.Username}"),
            ["BACKUP_PASSWORD"] = configs.Write("password", at.Password ?? ""),
        });
        using (var backup = Process.Start(start) ?? throw new InvalidOperationException("It did not start."))
        {
            var said = await backup.StandardError.ReadToEndAsync();
            await backup.WaitForExitAsync();
            if (said.Contains("version mismatch", StringComparison.Ordinal))
                Assert.Ignore(said);
            Assert.That(backup.ExitCode, Is.Zero, said);
        }

        Assert.That(File.Exists(old[0]), Is.False, "too old, and not among the two that stay");
        Assert.That(File.Exists(old[1]), Is.True);
        Assert.That(await File.ReadAllTextAsync(Path.Combine(backups, "files", "ab", "handed in")), Is.EqualTo("a document"));
        Assert.That(await camino.ScalarAsync<long>("select count(*) from camino.audit_entries where action = 'backup.made' and at > clock_timestamp() - interval '5 minutes'"), Is.EqualTo(1), "the figure of the newest backup's age sees it");
        var here = new Dictionary<string, string?>(StringComparer.Ordinal) { ["CAMINO_Database__ConnectionString"] = camino.ConnectionString };
        var trail = await CaminoProcess.RunAsync(here, "audit", "verify", "--config", configs.Of("Async"));
        Assert.That(trail.Code, Is.Zero, trail.ToString());

        var made = Directory.GetFiles(backups, "*.dump").Single(dump => dump != old[1]);
        var restored = $"{at.Database}_nightly";
        var restore = await CaminoProcess.RunAsync(here, "restore", made, "--config", configs.Of("Async"), "--into", restored);
        Assert.That(restore.Code, Is.Zero, restore.ToString());
        Assert.That(Directory.GetFiles(backups, "*.part*"), Is.Empty);

        await using var administrator = NpgsqlDataSource.Create(camino.ConnectionString);
        await using var drop = administrator.CreateCommand($"drop database \"{restored}\" with (force)");
        await drop.ExecuteNonQueryAsync();
    }

    [TestCase("BACKUP_KEEP_DAYS", "0", "3650")]
    [TestCase("BACKUP_KEEP_DAYS", "a month", "3650")]
    [TestCase("BACKUP_KEEP_LEAST", "1001", "1000")]
    [TestCase("BACKUP_KEEP_LEAST", "99999999999999999999", "1000")]
    public async Task The_nightly_backup_says_which_setting_it_cannot_take(string name, string value, string most)
    {
        if (Tool.Find("sh") is not { } shell || Repository.Root is not { } root)
        {
            Assert.Ignore("This machine has no shell.");
            return;
        }

        var start = new ProcessStartInfo(shell, [Path.Combine(root, "deploy", "postgres", "backup.sh"), "once"]) { RedirectStandardError = true, UseShellExecute = false };
        start.Set(new Dictionary<string, string?>(StringComparer.Ordinal) { [name] = value });

        using var backup = Process.Start(start) ?? throw new InvalidOperationException("It did not start.");
        var said = await backup.StandardError.ReadToEndAsync();
        await backup.WaitForExitAsync();

        Assert.That(backup.ExitCode, Is.EqualTo(1));
        Assert.That(said, Does.Contain($"{name} is \"{value}\"; it must be a whole number from 1 to {most}."));
    }

    [Test]
    public async Task A_damaged_backup_is_refused_before_anything_is_made_of_it()
    {
        using var configs = new Configs();
        var dump = configs.Write("camino-20260101T000000Z.dump", "half of it");
        configs.Write("camino-20260101T000000Z.dump.json", """{ "madeAt": "2026-01-01T00:00:00Z", "release": 1, "releaseName": "x", "schema": 1, "database": "x", "serverVersion": "15", "bytes": 20, "sha256": "00", "rows": {} }""");

        var ended = await CaminoProcess.RunAsync("restore", dump);

        Assert.That(ended.Code, Is.EqualTo(1));
        Assert.That(ended.Error, Does.Contain("is not what was written").And.Contain("backup.damaged"));
    }

    [Test]
    public void What_is_too_old_is_deleted_and_the_newest_stay_however_old_they_are()
    {
        var folder = Directory.CreateTempSubdirectory("camino-backups-").FullName;
        try
        {
            string[] names = ["camino-20200101T000000Z.dump", "camino-20200102T000000Z.dump", "camino-20200103T000000Z.dump", "other.txt"];
            foreach (var name in names)
                File.WriteAllText(Path.Combine(folder, name), "");

            var gone = BackupFile.Prune(folder, keepDays: 30, keepLeast: 2, TimeProvider.System);

            Assert.That(gone.Select(Path.GetFileName), Is.EqualTo(["camino-20200101T000000Z.dump"]));
            Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(3));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private const string TrailText = "select md5(string_agg(a::text, '|' order by a.id)) from camino.audit_entries a";

    private static async Task<string?> TrailAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(TrailText, connection);
        return await command.ExecuteScalarAsync() as string;
    }

    private static async Task<HttpStatusCode?> StatusAsync(HttpClient client, string path)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!await condition())
            await Task.Delay(100, limit.Token);
    }
}
