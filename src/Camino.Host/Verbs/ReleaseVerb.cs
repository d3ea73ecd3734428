using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Camino.Data;
using Camino.Host.Configuration;
using Camino.Lending;
using Camino.Releases;
using Microsoft.EntityFrameworkCore;

namespace Camino.Host.Verbs;

/// <summary><c>camino release list|guard|admit|promote|rollback|retire</c>: which release has the work.</summary>
internal static class ReleaseVerb
{
    public static Command Create()
    {
        var command = new Command("release", "Show the releases and servers, and decide which release has the work.");
        command.Add(List());
        command.Add(Guard());
        command.Add(Admit());
        command.Add(Promote());
        command.Add(Rollback());
        command.Add(Moving("retire", "Take every effect away from a release that is not the current one.", (move, number, by, ct) => move.RetireAsync(number, by, ct), "{0} is retired."));
        return command;
    }

    private static Command List()
    {
        var config = Options.Config();
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("list", "Show where the fence stands, every release, and every process with its last sign of life.") { config, json };
        command.SetAction(async (parse, ct) =>
        {
            await using var source = Database.ConnectMigrator(await SettingsAsync(parse.GetValue(config), ct), "release");
            Write(await new ListServers(source).RunAsync(ct), parse.GetValue(json));
            return 0;
        });
        return command;
    }

    private static Command Guard()
    {
        var (number, config, _) = Common();
        var rollback = new Option<bool>("--rollback") { Description = "An older release is wanted on purpose: asks only whether it can read the schema." };
        var command = new Command("guard", "Say whether a release may be deployed now; exit code 1 when a newer one is there already.") { number, config, rollback };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config), async move =>
        {
            var release = parse.GetValue(number) ?? Release.Number;
            await move.GuardAsync(release, parse.GetValue(rollback), ct);
            return string.Create(CultureInfo.InvariantCulture, $"Release {release} may be deployed.");
        }, ct));
        return command;
    }

    private static Command Admit()
    {
        var (number, config, by) = Common();
        var rollback = new Option<bool>("--rollback") { Description = "An older release is wanted back: it serves beside the current one until the work is given to it." };
        var command = new Command("admit", "Let a release take work beside the current one, so that a deploy can try it. Refuses what guard refuses.") { number, config, by, rollback };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config), async move =>
        {
            var release = parse.GetValue(number) ?? Release.Number;
            await move.AdmitAsync(release, Options.ByOf(parse.GetValue(by)), parse.GetValue(rollback), ct);
            return string.Create(CultureInfo.InvariantCulture, $"Release {release} may take work beside the current release.");
        }, ct));
        return command;
    }

    private static Command Promote()
    {
        var (number, config, by) = Common();
        var anyway = new Option<bool>("--even-if-nobody-lives") { Description = "Promote also when no process of it that works queues is alive." };
        var command = new Command("promote", "Give the work to a release; every older one is retired, whoever forgot to stop its servers.") { number, config, by, anyway };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config), async move =>
        {
            var release = parse.GetValue(number) ?? Release.Number;
            await move.PromoteAsync(release, Options.ByOf(parse.GetValue(by)), parse.GetValue(anyway), ct);
            return string.Create(CultureInfo.InvariantCulture, $"Release {release} has the work; older releases are retired.");
        }, ct));
        return command;
    }

    private static Command Rollback()
    {
        var (_, config, by) = Common();
        var number = new Argument<long?>("number") { Description = "The release to go back to. Left out: the current one when a newer one is being tried, else the one promoted before it.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("rollback", "Give the work back to an older release; newer ones are retired.") { number, config, by };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config), async move =>
        {
            var release = await move.RollbackAsync(parse.GetValue(number), Options.ByOf(parse.GetValue(by)), ct);
            return string.Create(CultureInfo.InvariantCulture, $"Release {release} has the work; newer releases are retired.");
        }, ct));
        return command;
    }

    private static Command Moving(string name, string description, Func<MoveFence, long, string, CancellationToken, Task> run, string done)
    {
        var (number, config, by) = Common();
        var command = new Command(name, description) { number, config, by };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config), async move =>
        {
            var release = parse.GetValue(number) ?? Release.Number;
            await run(move, release, Options.ByOf(parse.GetValue(by)), ct);
            return string.Format(CultureInfo.InvariantCulture, done, $"Release {release}");
        }, ct));
        return command;
    }

    private static (Argument<long?> Number, Option<string?> Config, Option<string?> By) Common() =>
        (new Argument<long?>("number") { Description = "The release's number; left out: this program's own.", Arity = ArgumentArity.ZeroOrOne }, Options.Config(), new Option<string?>("--by") { Description = "Who decides, for the audit trail; left out: the user of this machine. 1 to 100 characters." });

    private static async Task<int> RunAsync(string? config, Func<MoveFence, Task<string>> run, CancellationToken ct)
    {
        var settings = await SettingsAsync(config, ct);
        await using var source = Database.ConnectMigrator(settings, "release");
        var options = new DbContextOptionsBuilder<CaminoDb>();
        Database.Configure(options, source);
        await using var db = new CaminoDb(options.Options);
        Console.WriteLine(await run(new MoveFence(db, TimeProvider.System)));
        return 0;
    }

    private static async Task<HostSettings> SettingsAsync(string? config, CancellationToken ct)
    {
        var settings = HostConfig.Read(config);
        await using var source = Database.ConnectMigrator(settings, "release");
        await using var connection = await source.OpenConnectionAsync(ct);
        var version = (await SchemaWindow.ReadAsync(connection, ct)).Version;
        Refuse.If(version < 4, "schema.outside_window", string.Create(CultureInfo.InvariantCulture, $"The database's schema is version {version}, which knows no releases yet; run: camino migrate --config {config}"));
        return settings;
    }

    private static void Write(ServerOverview servers, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(servers, JsonSerializerOptions.Web));
            return;
        }

        Console.WriteLine(servers.Fence is { } fence
            ? string.Create(CultureInfo.InvariantCulture, $"fence: {fence.Lowest} to {fence.Highest}, moved {fence.MovedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC by {fence.MovedBy}")
            : "fence: none was ever set; every release may work");
        foreach (var release in servers.Releases)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"release {release.Number,6}  {release.State,-8}  {release.Alive} alive  schema {release.SchemaOldest}-{release.SchemaNewest}  {release.Name}  {release.Image}").TrimEnd());
        foreach (var process in servers.Processes)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"process {process.ReleaseNumber,6}  {process.State,-8}  {process.Role,-10}  {process.Host} pid {process.Pid}  {process.RunningJobs} jobs  {process.SilentSeconds:0.0} s ago"));
    }
}
