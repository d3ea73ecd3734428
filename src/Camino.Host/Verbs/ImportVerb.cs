using System.CommandLine;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Data;
using Camino.Host.Configuration;
using Camino.Imports;
using Camino.Jobs;
using Camino.Lending;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Host.Verbs;

/// <summary><c>camino import FILE</c>: the same import as on the page and through the API.</summary>
internal static class ImportVerb
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);

    /// <summary>What <c>--wait --json</c> ends with; amounts as text, null where the file has no such column.</summary>
    private sealed record Ended(Guid ImportId, string? Layout, long Rows, long Imported, long Unchanged, long Corrected, long Rejected, AmountsView Accepted, AmountsView RejectedSums, double Seconds);

    /// <summary>The same when the import did not end well: the counts say what was committed before. Without an import there are none.</summary>
    private sealed record EndedBadly(Guid? ImportId, string Status, string Error, string? Layout = null, long Rows = 0, long Imported = 0, long Unchanged = 0, long Corrected = 0, long Rejected = 0, AmountsView? Accepted = null, AmountsView? RejectedSums = null, double Seconds = 0);

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "CSV, also packed as .gz or as .zip with one CSV." };
        var data = Options.Data();
        var config = Options.Config();
        var mapping = new Option<string?>("--mapping") { Description = "Name of a saved mapping that says which column is what; without it the layout is recognised." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Count and judge every row, store nothing." };
        var wait = new Option<bool>("--wait") { Description = "Wait until the import is over and say what became of its rows." };
        var json = new Option<bool>("--json") { Description = "Answer with one JSON object." };
        var command = new Command("import", "Import a loan portfolio file.") { file, data, config, mapping, dryRun, wait, json };
        command.SetAction((parse, ct) => RunAsync(new Asked(parse.GetRequiredValue(file), parse.GetValue(mapping), parse.GetValue(dryRun)), parse.GetRequiredValue(data), parse.GetValue(config), parse.GetValue(wait), parse.GetValue(json), ct));
        return command;
    }

    private sealed record Asked(FileInfo File, string? Mapping, bool DryRun);

    private static async Task<int> RunAsync(Asked asked, string data, string? config, bool wait, bool json, CancellationToken ct)
    {
        try
        {
            Refuse.If(!asked.File.Exists, "import.file_missing", $"There is no file {asked.File}.");
            var settings = config is not null ? HostConfig.Read(config) : VerbServices.OfRunning(data);
            await using var services = await VerbServices.BuildAsync(settings, "import", ct);
            var started = Stopwatch.GetTimestamp();
            var id = await ReceiveAsync(services, asked, ct);
            if (!wait)
            {
                Console.WriteLine(json ? JsonSerializer.Serialize(new { importId = id }, s_json) : $"Import {id} is queued.");
                return 0;
            }

            return await WaitAsync(services, id, started, json, ct);
        }
        catch (Exception wrong) when (json && wrong is RefusedException or ConfigRefusedException or Npgsql.NpgsqlException or IOException or UnauthorizedAccessException or FileStoreException)
        {
            Console.WriteLine(JsonSerializer.Serialize(new EndedBadly(null, "refused", wrong.Message), s_json));
            return wrong is ConfigRefusedException ? ConfigRefusedException.ExitCode : 1;
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or FileStoreException)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 1;
        }
    }

    private static async Task<Guid> ReceiveAsync(ServiceProvider services, Asked asked, CancellationToken ct)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        var user = await (
            from link in db.UserRoles
            join role in db.Roles on link.RoleId equals role.Id
            join staff in db.Users on link.UserId equals staff.Id
            where role.Name == StaffRoles.Officer || role.Name == StaffRoles.Administrator
            orderby role.Name descending, staff.Id
            select staff.Id).FirstOrDefaultAsync(ct);
        Refuse.If(user == Guid.Empty, "import.nobody", "There is no officer or administrator in whose name to import; create the first administrator (camino first-admin-link).");
        await using var content = asked.File.OpenRead();
        var file = new HandedIn(content, asked.File.Name, asked.DryRun ? ImportPlan.DryRun : ImportPlan.Load) { Mapping = asked.Mapping, ExpectedBytes = asked.File.Length };
        var import = await scope.ServiceProvider.GetRequiredService<ReceiveImport>().RunAsync(file, user, ct);
        return import.Id;
    }

    private static async Task<int> WaitAsync(ServiceProvider services, Guid id, long started, bool json, CancellationToken ct)
    {
        var warned = false;
        using var timer = new PeriodicTimer(s_look);
        while (true)
        {
            await using var scope = services.CreateAsyncScope();
            var view = await ImportReport.FindAsync(scope.ServiceProvider.GetRequiredService<CaminoDb>(), id, ct) ?? throw new RefusedException("import.not_found", $"There is no import {id}.");
            if (view.IsOver || view.Status == "needsMapping")
                return Say(view, Stopwatch.GetElapsedTime(started).TotalSeconds, json);
            if (!warned && view.Status == "received" && Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(5) && !(await scope.ServiceProvider.GetRequiredService<JobStore>().ServersAsync(ct)).Any(s => s.State == "running"))
            {
                warned = true;
                await Console.Error.WriteLineAsync("No Async Server is running; the import waits until one is started.");
            }

            await timer.WaitForNextTickAsync(ct);
        }
    }

    private static int Say(ImportReport view, double seconds, bool json)
    {
        var well = view.Status is "done" or "checked";
        var error = view.Status switch
        {
            "failed" => $"The import failed: {view.Error?.Code} ({string.Join(", ", view.Error?.Arguments ?? [])}).",
            "needsMapping" => $"The columns of this file are not known; say which is what on the page /imports/{view.ImportId}/mapping.",
            "cancelled" => "The import was cancelled.",
            _ => "",
        };
        if (json)
        {
            Console.WriteLine(well
                ? JsonSerializer.Serialize(new Ended(view.ImportId, view.Layout, view.Rows, view.Imported, view.Unchanged, view.Corrected, view.Rejected, view.Accepted, view.RejectedSums, Math.Round(seconds, 3)), s_json)
                : JsonSerializer.Serialize(new EndedBadly(view.ImportId, view.Status, error, view.Layout, view.Rows, view.Imported, view.Unchanged, view.Corrected, view.Rejected, view.Accepted, view.RejectedSums, Math.Round(seconds, 3)), s_json));
            return well ? 0 : 1;
        }

        Console.WriteLine(FormattableString.Invariant($"{(view.DryRun ? "Dry run of" : "Import")} {view.FileName} ({view.Layout ?? "layout unknown"}): {view.Rows} rows in {seconds:0.0} s"));
        Console.WriteLine(FormattableString.Invariant($"  imported {view.Imported}, unchanged {view.Unchanged}, corrected {view.Corrected}, rejected {view.Rejected}"));
        Console.WriteLine($"  accepted: disbursed {view.Accepted.Disbursed ?? "-"}, approved {view.Accepted.Approved ?? "-"}, guaranteed {view.Accepted.Guaranteed ?? "-"}, charged off {view.Accepted.ChargedOff ?? "-"}");
        if (view.Rejected > 0)
            Console.WriteLine($"  rejected: disbursed {view.RejectedSums.Disbursed ?? "-"}, approved {view.RejectedSums.Approved ?? "-"}, guaranteed {view.RejectedSums.Guaranteed ?? "-"}, charged off {view.RejectedSums.ChargedOff ?? "-"}");
        if (error.Length > 0)
            Console.WriteLine(error);
        return well ? 0 : 1;
    }
}
