using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Clients;
using Camino.Host.Configuration;
using Camino.Lending;
using Camino.People;
using Camino.Webhooks;

namespace Camino.Host.Verbs;

/// <summary><c>camino webhook list|add|rotate|disable|enable|remove|test|replay</c>: where programs are told of their applications, for operators. A secret is printed once; every act is written into the audit trail under the operator's name.</summary>
internal static class WebhookVerb
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Option<string> Data = Options.Data();
    private static readonly Option<string?> Config = Options.Config();
    private static readonly Option<string?> By = new("--by") { Description = "Who decides, for the audit trail; left out: the user of this machine. 1 to 100 characters." };
    private static readonly Argument<string> Client = new("client") { Description = "The client's name; capitals do not matter." };
    private static readonly Argument<Guid> Endpoint = new("endpoint") { Description = "The endpoint's id, as list shows it." };

    public static Command Create() => new("webhook", "The webhook endpoints of API clients: list, add, rotate the secret, disable, enable, remove, test, replay.")
    {
        List(),
        Add(),
        Rotate(),
        Act("disable", "Send nothing more to an endpoint; what happens meanwhile can be replayed.", async (services, client, id, actor, ct) =>
        {
            await services.GetRequiredService<SwitchEndpoint>().DisableAsync(client, id, actor, ct);
            return "The endpoint is disabled.";
        }),
        Act("enable", "Send to a disabled endpoint again.", async (services, client, id, actor, ct) =>
        {
            await services.GetRequiredService<SwitchEndpoint>().EnableAsync(client, id, actor, ct);
            return "The endpoint is enabled.";
        }),
        Act("remove", "Remove an endpoint; what still waits for it is cancelled.", async (services, client, id, actor, ct) =>
        {
            await services.GetRequiredService<SwitchEndpoint>().RemoveAsync(client, id, actor, ct);
            return "The endpoint is removed.";
        }),
        Act("test", "Send an event webhook.test to an endpoint, and print the delivery's id.", async (services, client, id, actor, ct) => (await services.GetRequiredService<ReplayWebhooks>().TestAsync(client, id, actor, ct)).ToString()),
        Replay(),
    };

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "Answer as JSON." };
        var command = new Command("list", "The endpoints of a client, the oldest first.") { Client, json, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, client) =>
        {
            var endpoints = await services.GetRequiredService<ListWebhooks>().EndpointsAsync(client, ct);
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(endpoints.Select(WebhookApi.EndpointView.Of), Json));
                return;
            }

            foreach (var line in endpoints)
                Console.WriteLine($"{line.Id}  {(line.DisabledWhy is { } why ? "disabled (" + why + ")" : line.FailingSince is null ? "enabled" : "failing"),-18}  {line.Url}  {string.Join(", ", line.EventTypes)}");
        }, ct));
        return command;
    }

    private static Command Add()
    {
        var url = new Option<string?>("--url") { Description = "Where messages go: begins with https, up to 500 characters.", Required = true };
        var events = new Option<string?>("--events") { Description = $"One or more, separated by commas; left out: all of {string.Join(", ", WebhookEvents.Types)}." };
        var description = new Option<string?>("--description") { Description = "Up to 200 characters." };
        var command = new Command("add", "Add an endpoint and print its secret, once.") { Client, url, events, description, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, client) =>
        {
            var input = new EndpointInput(parse.GetValue(url), parse.GetValue(description), parse.GetValue(events)?.Split(',') ?? WebhookEvents.Types);
            var (id, secret) = await services.GetRequiredService<AddEndpoint>().RunAsync(client, input, ActorOf(parse), ct);
            Console.WriteLine(secret);
            await Console.Error.WriteLineAsync($"The endpoint is {id}.");
        }, ct));
        return command;
    }

    private static Command Rotate()
    {
        var overlap = new Option<string?>("--overlap-hours") { Description = FormattableString.Invariant($"Hours for which the secret until now signs too, 0 to {RotateSecret.MostOverlapHours}; {RotateSecret.UsualOverlapHours} where nothing is said.") };
        var command = new Command("rotate", "Make an endpoint a new secret and print it, once.") { Client, Endpoint, overlap, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, client) => Console.WriteLine((await services.GetRequiredService<RotateSecret>().RunAsync(client, parse.GetValue(Endpoint), parse.GetValue(overlap), ActorOf(parse), ct)).Secret), ct));
        return command;
    }

    private static Command Replay()
    {
        var since = new Option<string?>("--since") { Description = "A moment such as 2026-03-01T00:00:00Z.", Required = true };
        var command = new Command("replay", "Send everything again that failed, or was missed, since a time; at most 10,000 in one call.") { Client, Endpoint, since, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, client) =>
        {
            var (replayed, hasMore) = await services.GetRequiredService<ReplayWebhooks>().FailedAsync(client, parse.GetValue(Endpoint), WebhookApi.Since(parse.GetValue(since)), ActorOf(parse), ct);
            Console.WriteLine($"{replayed} are sent again{(hasMore ? "; there are more, ask again" : "")}.");
        }, ct));
        return command;
    }

    private static Command Act(string name, string about, Func<IServiceProvider, Guid, Guid, StaffActor, CancellationToken, Task<string>> act)
    {
        var command = new Command(name, about) { Client, Endpoint, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, client) => Console.WriteLine(await act(services, client, parse.GetValue(Endpoint), ActorOf(parse), ct)), ct));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, Func<IServiceProvider, Guid, Task> run, CancellationToken ct)
    {
        var settings = parse.GetValue(Config) is { } file ? HostConfig.Read(file) : VerbServices.OfRunning(parse.GetRequiredValue(Data));
        await using var services = await VerbServices.BuildAsync(settings, "webhook", ct);
        await using var scope = services.CreateAsyncScope();
        var client = await scope.ServiceProvider.GetRequiredService<ListClients>().NamedAsync(parse.GetValue(Client) ?? "", ct) ?? throw new RefusedException("client.not_found", "client is no client's name; camino client list shows who is there.");
        await run(scope.ServiceProvider, client.Id);
        return 0;
    }

    private static StaffActor ActorOf(ParseResult parse) => new(null, Options.ByOf(parse.GetValue(By)));
}
