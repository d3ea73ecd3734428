using System.CommandLine;
using Camino.Data;
using Camino.Host.Configuration;
using Camino.Lending;

namespace Camino.Host.Verbs;

/// <summary><c>camino migrate --config FILE [--contract]</c>: brings the schema to this release's version, or takes away what only older releases needed; safe to run several at once.</summary>
internal static class MigrateVerb
{
    public static Command Create()
    {
        var config = Options.Config();
        var contract = new Option<bool>("--contract") { Description = "Instead: take away what only older releases needed. Refused while one of them lives or may take work." };
        var dryRun = new Option<bool>("--dry-run") { Description = "With --contract: only say which steps would run." };
        var by = new Option<string?>("--by") { Description = "With --contract: who decides, for the audit trail; left out: the user of this machine. 1 to 100 characters." };
        var command = new Command("migrate", "Bring the database to this release's schema. Three at once are safe: one works, the others wait.") { config, contract, dryRun, by };
        command.Validators.Add(result =>
        {
            if (!result.GetValue(contract) && (result.GetValue(dryRun) || result.GetValue(by) is not null))
                result.AddError("--dry-run and --by go with --contract.");
        });
        command.SetAction((parse, ct) => parse.GetValue(contract) ? ContractAsync(parse.GetValue(config), Options.ByOf(parse.GetValue(by)), parse.GetValue(dryRun), ct) : RunAsync(parse.GetValue(config), ct));
        return command;
    }

    private static async Task<int> ContractAsync(string? config, string by, bool dryRun, CancellationToken ct)
    {
        var settings = HostConfig.Read(config);
        await using var source = Database.ConnectMigrator(settings, "contract");
        await using (var connection = await source.OpenConnectionAsync(ct))
        {
            if (SchemaWindow.Refusal(await SchemaWindow.ReadAsync(connection, ct), config ?? "FILE") is { } refusal)
                throw new RefusedException("schema.outside_window", refusal);
        }

        var steps = dryRun
            ? [.. (await Contractor.MissingAsync(source, ContractSteps.All, ct)).Select(step => step.Name)]
            : await Contractor.RunAsync(source, ContractSteps.All, by, new MigratorOptions(settings.Migration.LockTimeoutSeconds, settings.Migration.Attempts, Console.WriteLine), ct);
        Console.WriteLine(steps.Count == 0 ? "Nothing is left over from older releases; nothing to take away."
            : dryRun ? FormattableString.Invariant($"Would run {steps.Count} contract step(s): {string.Join(", ", steps)}.")
            : FormattableString.Invariant($"Ran {steps.Count} contract step(s): {string.Join(", ", steps)}."));
        return 0;
    }

    private static async Task<int> RunAsync(string? config, CancellationToken ct)
    {
        var settings = HostConfig.Read(config);
        await using var source = Database.ConnectMigrator(settings, "migrate");
        var applied = await Migrator.MigrateAsync(source, options => Database.Configure(options, source), new MigratorOptions(settings.Migration.LockTimeoutSeconds, settings.Migration.Attempts, Console.WriteLine), ct);
        await JobEngine.PrepareAsync(source, settings, ct);
        Console.WriteLine(applied.Count == 0
            ? FormattableString.Invariant($"The schema is version {SchemaWindow.Newest} already; nothing to do.")
            : FormattableString.Invariant($"Applied {applied.Count} migration(s): {string.Join(", ", applied)}. The schema is version {SchemaWindow.Newest}."));
        return 0;
    }
}
