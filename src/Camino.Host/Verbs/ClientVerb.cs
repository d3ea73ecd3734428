using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Clients;
using Camino.Host.Configuration;
using Camino.Lending;
using Camino.People;
using Camino.Web;

namespace Camino.Host.Verbs;

/// <summary><c>camino client add|list|rotate|change|disable|enable</c>: the programs that call the API, for operators. A key is printed once; every act is written into the audit trail under the operator's name.</summary>
internal static class ClientVerb
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Option<string> Data = Options.Data();
    private static readonly Option<string?> Config = Options.Config();
    private static readonly Option<string?> By = new("--by") { Description = "Who decides, for the audit trail; left out: the user of this machine. 1 to 100 characters." };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why, 3 to 300 characters; stored with the act.", Required = true };
    private static readonly Argument<string> Name = new("name") { Description = "The client's name, 1 to 100 characters; capitals do not matter." };
    private static readonly Option<string?> PerMinute = new("--per-minute") { Description = FormattableString.Invariant($"Requests a minute, sustained, at each server: 1 to {ClientTerms.MostAMinute}; {ClientTerms.UsualAMinute} where nothing is said.") };
    private static readonly Option<string?> Burst = new("--burst") { Description = FormattableString.Invariant($"Requests at once after a pause: 1 to {ClientTerms.MostInBurst}; {ClientTerms.UsualBurst} where nothing is said.") };
    private static readonly Option<string?> PerDay = new("--per-day") { Description = FormattableString.Invariant($"Requests a day (UTC) at all servers together: 1 to {ClientTerms.MostADay}, or empty for no limit.") };
    private static readonly Option<string?> ResultDays = new("--result-days") { Description = FormattableString.Invariant($"Days after its end for which the client sees the result of an application: 1 to {ClientTerms.MostResultDays}, or empty for no limit.") };
    private static readonly Option<string?> ExpiresDays = new("--expires-days") { Description = "Days after which the new key opens nothing, 1 to 3,650; left out: it does not expire." };

    public static Command Create()
    {
        var command = new Command("client", "Add API clients, rotate their keys, change their scopes and limits, disable and enable them.") { Add(), ListCommand(), Rotate(), Change() };
        command.Add(Access("disable", "Disable a client: its keys open nothing from the next request on.", (disable, id, reason, actor, ct) => disable.DisableAsync(id, reason, actor, ct), "The client is disabled; its keys open nothing."));
        command.Add(Access("enable", "Let a disabled client in again, with the keys that it had.", (disable, id, reason, actor, ct) => disable.EnableAsync(id, reason, actor, ct), "The client is enabled."));
        return command;
    }

    private static Option<string?> ScopesOption(bool isRequired) => new("--scopes") { Description = $"One or more, separated by commas: {string.Join(", ", Scopes.All.Select(scope => scope.Name))}.", Required = isRequired };

    private static Command Add()
    {
        var scopes = ScopesOption(isRequired: true);
        var command = new Command("add", "Add a client and print its key, once.") { Name, scopes, PerMinute, Burst, PerDay, ResultDays, ExpiresDays, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var terms = ClientTerms.Read(parse.GetValue(scopes)?.Split(','), parse.GetValue(PerMinute), parse.GetValue(Burst), parse.GetValue(PerDay), parse.GetValue(ResultDays));
            var (_, key) = await services.GetRequiredService<AddClient>().RunAsync(parse.GetValue(Name), terms, parse.GetValue(ExpiresDays), ActorOf(parse), ct);
            Console.WriteLine(key);
        }, ct));
        return command;
    }

    private static Command Rotate()
    {
        var overlap = new Option<string?>("--overlap-hours") { Description = FormattableString.Invariant($"Hours for which the keys until now are still good, 0 to {RotateClientKey.MostOverlapHours}; {RotateClientKey.UsualOverlapHours} where nothing is said.") };
        var command = new Command("rotate", "Make a client a new key and print it, once; the keys before it are good until the overlap is over.") { Name, overlap, ExpiresDays, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var client = await FindAsync(services, parse, ct);
            var (key, until) = await services.GetRequiredService<RotateClientKey>().RunAsync(client.Id, parse.GetValue(overlap), parse.GetValue(ExpiresDays), newest: null, ActorOf(parse), ct);
            Console.WriteLine(key);
            await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Keys before it open nothing from {until.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC on."));
        }, ct));
        return command;
    }

    private static Command Change()
    {
        var scopes = ScopesOption(isRequired: false);
        var command = new Command("change", "Change a client's scopes and limits; what is left out stays.") { Name, scopes, PerMinute, Burst, PerDay, ResultDays, Reason, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var client = await FindAsync(services, parse, ct);
            var terms = ClientTerms.Read(
                parse.GetValue(scopes)?.Split(',') ?? client.Terms.Scopes,
                parse.GetValue(PerMinute) ?? Text(client.Terms.RequestsAMinute),
                parse.GetValue(Burst) ?? Text(client.Terms.Burst),
                parse.GetValue(PerDay) ?? Text(client.Terms.RequestsADay),
                parse.GetValue(ResultDays) ?? Text(client.Terms.ResultDays));
            await services.GetRequiredService<ChangeClient>().RunAsync(client.Id, terms, parse.GetValue(Reason), ActorOf(parse), ct);
            Console.WriteLine("The client is changed; its next request has the new scopes and limits.");
        }, ct));
        return command;
    }

    private static Command Access(string name, string description, Func<DisableClient, Guid, string?, StaffActor, CancellationToken, Task> act, string done)
    {
        var command = new Command(name, description) { Name, Reason, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            await act(services.GetRequiredService<DisableClient>(), (await FindAsync(services, parse, ct)).Id, parse.GetValue(Reason), ActorOf(parse), ct);
            Console.WriteLine(done);
        }, ct));
        return command;
    }

    private static Command ListCommand()
    {
        var json = new Option<bool>("--json") { Description = "Answer as JSON." };
        var take = new Option<int>("--take") { Description = "Clients to list, 1 to 1,000.", DefaultValueFactory = _ => 200 };
        var after = new Option<Guid?>("--after") { Description = "The id of the last client of the page before." };
        var command = new Command("list", "The clients in the order of their names: state, keys, last use, scopes.") { json, take, after, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var rows = parse.GetValue(take);
            Refuse.If(rows is < 1 or > 1_000, "client.take", $"--take is {rows}; it must be 1 to 1,000.");
            var lines = await services.GetRequiredService<ListClients>().RunAsync(parse.GetValue(after), rows + 1, ct);
            var page = lines.Take(rows).ToList();
            var next = lines.Count > rows ? page[^1].Id : (Guid?)null;
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { clients = page, next }, Json));
                return;
            }

            foreach (var line in page)
            {
                var last = line.LastUsedAt is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC" : "never";
                Console.WriteLine($"{line.Name,-40}  {(line.IsDisabled ? "disabled" : "enabled"),-8}  {line.Keys} keys  {last,-20}  {string.Join(", ", line.Terms.Scopes)}");
            }

            if (next is { } more)
                Console.WriteLine($"more: --after {more}");
        }, ct));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, Func<IServiceProvider, Task> run, CancellationToken ct)
    {
        var settings = parse.GetValue(Config) is { } file ? HostConfig.Read(file) : VerbServices.OfRunning(parse.GetRequiredValue(Data));
        await using var services = await VerbServices.BuildAsync(settings, "client", ct);
        await using var scope = services.CreateAsyncScope();
        await run(scope.ServiceProvider);
        return 0;
    }

    private static async Task<ClientLine> FindAsync(IServiceProvider services, ParseResult parse, CancellationToken ct) =>
        await services.GetRequiredService<ListClients>().NamedAsync(parse.GetValue(Name) ?? "", ct) ?? throw new RefusedException("client.not_found", "name is no client's; camino client list shows who is there.");

    private static StaffActor ActorOf(ParseResult parse) => new(null, Options.ByOf(parse.GetValue(By)));

    private static string Text(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";
}
