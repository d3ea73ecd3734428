using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Host.Configuration;
using Camino.Lending;
using Camino.People;

namespace Camino.Host.Verbs;

/// <summary><c>camino user add|disable|enable|roles|link|end-sessions|reset-second-factor|unlink-company|list</c>: the people who sign in, for operators. Every act is written into the audit trail under the operator's name.</summary>
internal static class UserVerb
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Option<string> Data = Options.Data();
    private static readonly Option<string?> Config = Options.Config();
    private static readonly Option<string?> By = new("--by") { Description = "Who decides, for the audit trail; left out: the user of this machine. 1 to 100 characters." };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why, 3 to 300 characters; stored with the act.", Required = true };
    private static readonly Option<string?> Address = new("--address") { Description = "Address of the Back Office as a browser sees it; Web:Urls stands in for it." };
    private static readonly Argument<string> Email = new("email") { Description = "The e-mail that the person signs in with." };

    public static Command Create()
    {
        var command = new Command("user", "Add people, disable and enable them, set their roles, make links for their passwords.") { Add(), Roles(), Link(), ListCommand() };
        command.Add(Access("disable", "Disable a user: signed out everywhere at once, and API keys open nothing.", (disable, id, reason, actor, ct) => disable.DisableAsync(id, reason, actor, ct), "The user is disabled; every session has ended."));
        command.Add(Access("enable", "Let a disabled user in again, with the password that it was.", (disable, id, reason, actor, ct) => disable.EnableAsync(id, reason, actor, ct), "The user is enabled."));
        command.Add(EndAll());
        command.Add(Reset());
        command.Add(Unlink());
        return command;
    }

    private static Command Add()
    {
        var role = new Option<string>("--role") { Description = $"One or more, separated by commas: {string.Join(", ", StaffRoles.All)}.", Required = true };
        var name = new Option<string?>("--name") { Description = "Shown on pages, 1 to 100 characters; left out: the e-mail." };
        var command = new Command("add", "Add a user and print the one-time link with which the person chooses a password.") { Email, role, name, Address, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, settings) =>
        {
            var email = parse.GetValue(Email);
            var (_, token) = await services.GetRequiredService<AddStaff>().RunAsync(email, parse.GetValue(name) ?? Shortened(email), parse.GetRequiredValue(role).Split(','), ActorOf(parse), ct);
            Console.WriteLine(LinkOf(parse, settings, token));
        }, ct));
        return command;
    }

    private static Command Roles()
    {
        var set = new Option<string>("--set") { Description = $"All roles that the user shall have, separated by commas: {string.Join(", ", StaffRoles.All)}.", Required = true };
        var command = new Command("roles", "Give a user exactly these roles; the user is signed out and has them at the next sign-in.") { Email, set, Reason, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, _) =>
        {
            await services.GetRequiredService<ChangeRoles>().RunAsync(await IdAsync(services, parse, ct), parse.GetRequiredValue(set).Split(','), parse.GetValue(Reason), ActorOf(parse), ct);
            Console.WriteLine("The roles are changed; every session of the user has ended.");
        }, ct));
        return command;
    }

    private static Command Link()
    {
        var command = new Command("link", "Print a one-time link with which the user chooses a new password; the present one works until then.") { Email, Address, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, settings) =>
            Console.WriteLine(LinkOf(parse, settings, await services.GetRequiredService<OfferPasswordLink>().RunAsync(await IdAsync(services, parse, ct), ActorOf(parse), ct))), ct));
        return command;
    }

    private static Command Reset()
    {
        var command = new Command("reset-second-factor", "Take the second factor away from a user who lost phone and recovery codes; a new one is set up at the next sign-in.") { Email, Reason, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, _) =>
        {
            await services.GetRequiredService<SecondFactors>().ResetAsync(await IdAsync(services, parse, ct), parse.GetValue(Reason), ActorOf(parse), ct);
            Console.WriteLine("The second factor is gone; every session of the user has ended.");
        }, ct));
        return command;
    }

    private static Command EndAll()
    {
        var command = new Command("end-sessions", "Sign a user out everywhere at once; the user may sign in again.") { Email, Reason, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, _) =>
        {
            var ended = await services.GetRequiredService<EndSessions>().AllAsync(await IdAsync(services, parse, ct), parse.GetValue(Reason), ActorOf(parse), ct);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ended} session{(ended == 1 ? "" : "s")} ended."));
        }, ct));
        return command;
    }

    private static Command Unlink()
    {
        var command = new Command("unlink-company", "Forget which account of the company's identity provider is the user's; the next sign-in there by a verified e-mail links anew.") { Email, Reason, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, _) =>
        {
            await services.GetRequiredService<UnlinkCompany>().RunAsync(await IdAsync(services, parse, ct), parse.GetValue(Reason), ActorOf(parse), ct);
            Console.WriteLine("The link is gone; every session of the user has ended.");
        }, ct));
        return command;
    }

    private static Command Access(string name, string description, Func<DisableStaff, Guid, string?, StaffActor, CancellationToken, Task> act, string done)
    {
        var command = new Command(name, description) { Email, Reason, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, _) =>
        {
            await act(services.GetRequiredService<DisableStaff>(), await IdAsync(services, parse, ct), parse.GetValue(Reason), ActorOf(parse), ct);
            Console.WriteLine(done);
        }, ct));
        return command;
    }

    private static Command ListCommand()
    {
        var json = new Option<bool>("--json") { Description = "Answer as JSON." };
        var take = new Option<int>("--take") { Description = "Users to list, 1 to 1,000.", DefaultValueFactory = _ => 200 };
        var after = new Option<Guid?>("--after") { Description = "The id of the last user of the page before." };
        var command = new Command("list", "The users in the order of their e-mails: roles, state, last sign-in.") { json, take, after, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async (services, _) =>
        {
            var rows = parse.GetValue(take);
            Refuse.If(rows is < 1 or > 1_000, "user.take", string.Create(CultureInfo.InvariantCulture, $"--take is {rows}; it must be 1 to 1,000."));
            var lines = await services.GetRequiredService<ListStaff>().RunAsync(parse.GetValue(after), rows + 1, ct);
            var page = lines.Take(rows).ToList();
            var next = lines.Count > rows ? page[^1].Id : (Guid?)null;
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { users = page, next }, Json));
                return;
            }

            foreach (var line in page)
            {
                var state = line.IsDisabled ? "disabled" : !line.HasPassword && !line.IsLinked ? "no-password" : line.IsLocked ? "locked" : "enabled";
                var last = line.LastSignIn is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC" : "never";
                Console.WriteLine($"{line.Email,-40}  {state,-11}  {last,-20}  {string.Join(", ", line.Roles)}");
            }

            if (next is { } more)
                Console.WriteLine($"more: --after {more}");
        }, ct));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, Func<IServiceProvider, HostSettings, Task> run, CancellationToken ct)
    {
        var settings = parse.GetValue(Config) is { } file ? HostConfig.Read(file) : VerbServices.OfRunning(parse.GetRequiredValue(Data));
        await using var services = await VerbServices.BuildAsync(settings, "user", ct);
        await using var scope = services.CreateAsyncScope();
        await run(scope.ServiceProvider, settings);
        return 0;
    }

    private static async Task<Guid> IdAsync(IServiceProvider services, ParseResult parse, CancellationToken ct) =>
        await services.GetRequiredService<ListStaff>().IdOfAsync(parse.GetValue(Email) ?? "", ct) ?? throw new RefusedException("user.not_found", "email names no user; camino user list shows who is there.");

    private static StaffActor ActorOf(ParseResult parse) => new(null, Options.ByOf(parse.GetValue(By)));

    private static string? Shortened(string? email) => email is { Length: > 100 } ? email[..100] : email;

    private static string LinkOf(ParseResult parse, HostSettings settings, string token) => $"{(parse.GetValue(Address) ?? settings.Web.Urls.Split(';')[0]).TrimEnd('/')}/set-password?token={token}";
}
