using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Host.Local;
using Camino.Testing;
using Camino.Tests.Hosting;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>What is left when a process is killed or the database goes away in the middle of an import, and how it goes on.</summary>
internal sealed class InterruptionTests
{
    private const int Rows = 30_000;

    [Test]
    public async Task A_killed_Async_Server_loses_no_row_and_doubles_none()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        using var configs = new Configs();
        var file = ImportClient.Template([.. ImportClient.Rows(Rows), ImportClient.Row("BAD", -1m), ImportClient.Row("R-000001", 5m)]);
        var id = await camino.ReceiveAsync(file, "long.csv");

        await using (var first = StartAsyncServer(camino, configs))
        {
            await camino.UntilAsync<long>("select coalesce((load_figures ->> 'rows')::bigint, 0) from camino.imports", rows => rows >= 1_000);
            await first.KillAsync();
        }

        var committed = await camino.ScalarAsync<long>("select (load_figures ->> 'rows')::bigint from camino.imports");
        Assert.That(committed, Is.LessThan(Rows), "it was killed in the middle");
        Assert.That(await camino.ScalarAsync<long>("select count(*) from camino.loans"), Is.EqualTo(committed), "what is counted is what is there");

        await using var second = StartAsyncServer(camino, configs);
        var done = await camino.OverAsync(id);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(done.Status(), Is.EqualTo("done"));
            Assert.That(done.Counts(), Is.EqualTo((Rows + 2L, (long)Rows, 0L, 0L, 2L)));
            Assert.That(await camino.ScalarAsync<long>("select count(*) from camino.loans"), Is.EqualTo(Rows));
            Assert.That(await camino.ScalarAsync<decimal>("select sum(disbursed) from camino.loans"), Is.EqualTo(decimal.Parse(done.GetProperty("accepted").GetProperty("disbursed").GetString() ?? "", CultureInfo.InvariantCulture)));
            Assert.That(await camino.ScalarAsync<long>("select count(*) from camino.loan_versions"), Is.Zero, "no loan was stored twice");
            Assert.That(await camino.ScalarAsync<long>("select count(*) from camino.import_rows where outcome = 2"), Is.EqualTo(2));
            Assert.That(await camino.ScalarAsync<long>($"select count(*) from camino.notices where text = 'Notice.ImportDone' and link = '/imports/{id}'"), Is.EqualTo(1), "the person is told once");
        }
    }

    [Test]
    public async Task A_database_that_restarts_in_the_middle_costs_time_and_no_row()
    {
        if (OperatingSystem.IsWindows())
            Assert.Ignore("A server of our own is started on Unix only.");
        var folder = Directory.CreateTempSubdirectory("camino-restart-").FullName;
        try
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            var options = new LocalPostgresOptions { Folder = Path.Combine(folder, "pg"), PackageFolder = Path.Combine(folder, "postgres"), Say = _ => { }, ThrowAway = true };
            var postgres = await LocalPostgres.StartAsync(options, CancellationToken.None);
            var connectionString = postgres.ConnectionString("camino");
            await LocalDatabase.CreateWhenMissingAsync(connectionString, CancellationToken.None);
            try
            {
                await using var camino = await RunningCamino.StartAsync(chunkRows: 200, onServer: connectionString);
                var id = await camino.ReceiveAsync(ImportClient.Template(ImportClient.Rows(Rows)), "long.csv");
                await camino.UntilAsync<long>("select coalesce((load_figures ->> 'rows')::bigint, 0) from camino.imports", rows => rows >= 1_000);

                await postgres.StopAsync(TimeSpan.FromSeconds(20));
                using var silent = await camino.Api.GetAsync(new Uri($"/api/v1/imports/{id}", UriKind.Relative));
                Assert.That(silent.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable), await silent.Content.ReadAsStringAsync());
                Assert.That(silent.Headers.RetryAfter, Is.Not.Null);
                postgres = await LocalPostgres.StartAsync(options, CancellationToken.None);

                var done = await WhenAnsweringAsync(camino, id);
                Assert.That(done.Status(), Is.EqualTo("done"));
                Assert.That(done.Counts(), Is.EqualTo(((long)Rows, (long)Rows, 0L, 0L, 0L)));
                Assert.That(await camino.ScalarAsync<long>("select count(*) from camino.loans"), Is.EqualTo(Rows));
                Assert.That(await camino.ScalarAsync<long>("select count(*) from camino.loan_versions"), Is.Zero);
            }
            finally
            {
                await postgres.DisposeAsync();
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public async Task A_file_whose_import_cannot_be_stored_is_taken_back()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await using (var forbid = camino.Source.CreateCommand("alter table camino.imports add constraint nobody_today check (file_name <> 'refused.csv')"))
            await forbid.ExecuteNonQueryAsync();
        using var answer = await camino.Api.PostAsync(new Uri("/api/v1/imports?fileName=refused.csv", UriKind.Relative), new ByteArrayContent(ImportClient.Template()));

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(camino.StoredFiles(), Is.Empty);
        Assert.That(await camino.ScalarAsync<long>("select count(*) from jobs.job where kind like 'imports.%'"), Is.Zero);
    }

    [Test]
    public async Task What_killed_uploads_and_old_imports_left_in_the_store_is_swept_and_nothing_else()
    {
        await using var camino = await RunningCamino.StartAsync();
        var old = await camino.ImportAsync(ImportClient.Template(ImportClient.Row("A-1")), "old.csv");
        var waiting = await camino.ImportAsync("kennung;betrag\n1;2\n"u8.ToArray(), "waiting.csv");
        var incoming = Path.Combine(camino.FilesFolder, "incoming");
        var killedPart = Path.Combine(incoming, $"{Guid.CreateVersion7():N}.part");
        var runningPart = Path.Combine(incoming, $"{Guid.CreateVersion7():N}.part");
        var stray = Path.Combine(camino.FilesFolder, "imports", Guid.CreateVersion7().ToString("N"));
        foreach (var file in new[] { killedPart, runningPart, stray })
            await File.WriteAllTextAsync(file, "half");
        File.SetLastWriteTimeUtc(killedPart, DateTime.UtcNow.AddDays(-2));
        File.SetLastWriteTimeUtc(stray, DateTime.UtcNow.AddDays(-2));
        await using (var age = camino.Source.CreateCommand("update camino.imports set requested_at = now() - interval '100 days', progress_at = now() - interval '100 days', finished_at = now() - interval '91 days' where file_name = 'old.csv'"))
            await age.ExecuteNonQueryAsync();

        var trigger = await camino.ImportAsync(ImportClient.Template(ImportClient.Row("A-2")), "new.csv");
        await camino.UntilAsync<long>("select count(*) from jobs.finished where kind = 'imports.sweep-files' and (result ->> 'parts')::int > 0", swept => swept > 0);

        Assert.That(camino.StoredFiles().Select(Path.GetFileName), Is.EquivalentTo(new[] { Path.GetFileName(runningPart), Stored(waiting), Stored(trigger) }));
        Assert.That((await camino.GetAsync($"/imports/{old.GetProperty("importId").GetGuid()}")).Counts(), Is.EqualTo((1, 1, 0, 0, 0)), "its figures stay");
    }

    private static string Stored(JsonElement import) => import.GetProperty("importId").GetGuid().ToString("N");

    private static CaminoProcess StartAsyncServer(RunningCamino camino, Configs configs) => CaminoProcess.Start(
        new Dictionary<string, string?>
        {
            ["CAMINO_Files__Folder"] = camino.FilesFolder,
            ["CAMINO_Imports__ChunkRows"] = "100",
            ["CAMINO_Jobs__LeaseSeconds"] = "5",
            ["CAMINO_Database__ConnectionString"] = camino.ConnectionString,
        },
        "run", "--config", configs.Of("Async"));

    /// <summary>While the database comes back, questions may be answered with 503.</summary>
    private static async Task<JsonElement> WhenAnsweringAsync(RunningCamino camino, Guid id)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            using var answer = await camino.Api.GetAsync(new Uri($"/api/v1/imports/{id}", UriKind.Relative), limit.Token);
            if (answer.IsSuccessStatusCode && await answer.Content.ReadFromJsonAsync<JsonElement>(limit.Token) is var import && import.GetProperty("isOver").GetBoolean())
                return import;
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
