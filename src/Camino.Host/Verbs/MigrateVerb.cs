using System.CommandLine;
using Camino.Data;
using Camino.Host.Configuration;

namespace Camino.Host.Verbs;

/// <summary><c>camino migrate --config FILE</c>: brings the schema to this release's version; safe to run several at once.</summary>
internal static class MigrateVerb
{
    public static Command Create()
    {
        var config = Options.Config();
        var command = new Command("migrate", "Bring the database to this release's schema. Three at once are safe: one works, the others wait.") { config };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config), ct));
        return command;
    }

    private static async Task<int> RunAsync(string? config, CancellationToken ct)
    {
        var settings = HostConfig.Read(config);
        await using var source = Database.ConnectMigrator(settings, "migrate");
        var applied = await Migrator.MigrateAsync(source, options => Database.Configure(options, source), new MigratorOptions(settings.Migration.LockTimeoutSeconds, settings.Migration.Attempts, Console.WriteLine), ct);
        Console.WriteLine(applied.Count == 0
            ? FormattableString.Invariant($"The schema is version {SchemaWindow.Newest} already; nothing to do.")
            : FormattableString.Invariant($"Applied {applied.Count} migration(s): {string.Join(", ", applied)}. The schema is version {SchemaWindow.Newest}."));
        return 0;
    }
}
