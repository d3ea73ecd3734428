using System.CommandLine;
using System.Globalization;
using Camino.Host.Backup;
using Camino.Host.Configuration;

namespace Camino.Host.Verbs;

/// <summary><c>camino backup --config FILE --to FOLDER</c>: the whole database in one file, with a manifest beside it; old ones are deleted.</summary>
internal static class BackupVerb
{
    public static Command Create()
    {
        var config = Options.Config();
        var to = new Option<string>("--to") { Description = "Folder of the backups; made when it is missing.", Required = true };
        var days = new Option<int>("--keep-days") { Description = "Backups older than so many days are deleted, 1 to 3,650.", DefaultValueFactory = _ => 35 };
        var least = new Option<int>("--keep-least") { Description = "So many backups stay, however old they are, 1 to 1,000.", DefaultValueFactory = _ => 7 };
        days.Validators.Add(result => { if (result.GetValueOrDefault<int>() is < 1 or > 3650) result.AddError("--keep-days must be 1 to 3,650."); });
        least.Validators.Add(result => { if (result.GetValueOrDefault<int>() is < 1 or > 1000) result.AddError("--keep-least must be 1 to 1,000."); });
        var command = new Command("backup", "Dump the database into a folder (pg_dump), with its row counts and checksum beside it; then delete what is too old.") { config, to, days, least };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config), parse.GetRequiredValue(to), parse.GetValue(days), parse.GetValue(least), ct));
        return command;
    }

    private static async Task<int> RunAsync(string? config, string folder, int keepDays, int keepLeast, CancellationToken ct)
    {
        var settings = HostConfig.Read(config);
        await using var source = Database.ConnectMigrator(settings, "backup");
        var (path, manifest) = await BackupFile.MakeAsync(source, Database.MigratorAddress(settings), folder, TimeProvider.System, ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}: {manifest.Bytes:#,0} bytes, schema {manifest.Schema}, {manifest.Rows.Count} tables, {manifest.Rows.Values.Sum():#,0} rows, SHA-256 {manifest.Sha256}"));
        foreach (var gone in BackupFile.Prune(folder, keepDays, keepLeast, TimeProvider.System))
            Console.WriteLine($"deleted {gone}: older than {keepDays.ToString(CultureInfo.InvariantCulture)} days");
        return 0;
    }
}

/// <summary><c>camino restore BACKUP --config FILE --into DATABASE</c>: a backup in a new database, compared with its manifest.</summary>
internal static class RestoreVerb
{
    public static Command Create()
    {
        var file = new Argument<string>("backup") { Description = "The file that backup wrote." };
        var config = Options.Config();
        var into = new Option<string?>("--into") { Description = "Name of a database that is not there yet; it is made. Left out: the backup is only checked." };
        var command = new Command("restore", "Check a backup, and restore it into a new database of the same server; its rows are counted against the manifest.") { file, config, into };
        command.SetAction((parse, ct) => RunAsync(parse.GetRequiredValue(file), parse.GetValue(config), parse.GetValue(into), ct));
        return command;
    }

    private static async Task<int> RunAsync(string file, string? config, string? into, CancellationToken ct)
    {
        if (into is null)
        {
            var whole = await BackupFile.CheckAsync(file, ct);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file} is whole: made {whole.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC by release {whole.Release}, schema {whole.Schema}, {whole.Rows.Values.Sum():#,0} rows."));
            return 0;
        }

        var at = Database.MigratorAddress(HostConfig.Read(config));
        var manifest = await BackupFile.RestoreAsync(file, at, into, ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{into} holds the backup of {manifest.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC: {manifest.Rows.Count} tables, {manifest.Rows.Values.Sum():#,0} rows, as its manifest says. Point Database:ConnectionString to it."));
        return 0;
    }
}
