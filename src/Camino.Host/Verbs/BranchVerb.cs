using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Branches;
using Camino.Clients;
using Camino.Host.Configuration;
using Camino.Lending;
using Camino.People;

namespace Camino.Host.Verbs;

/// <summary><c>camino branch add|list|rename|close|open|bind-user|bind-client</c>: the branches of the house and who is bound to them, for operators. Every act is written into the audit trail under the operator's name.</summary>
internal static class BranchVerb
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Option<string> Data = Options.Data();
    private static readonly Option<string?> Config = Options.Config();
    private static readonly Option<string?> By = new("--by") { Description = "Who decides, for the audit trail; left out: the user of this machine. 1 to 100 characters." };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why, 3 to 300 characters; stored with the act.", Required = true };
    private static readonly Argument<string> Code = new("code") { Description = "The branch's code, 1 to 20 letters, digits and hyphens." };

    public static Command Create()
    {
        var command = new Command("branch", "Add branches and teams, rename, close and open them, bind users and API clients to them.") { Add(), ListCommand(), Rename(), Bind("bind-user", "email", "The user's e-mail."), Bind("bind-client", "client", "The client's name.") };
        command.Add(Access("close", "Close a branch: nothing new goes into it.", (keep, id, reason, actor, ct) => keep.CloseAsync(id, reason, actor, ct), "The branch is closed."));
        command.Add(Access("open", "Open a closed branch.", (keep, id, reason, actor, ct) => keep.OpenAsync(id, reason, actor, ct), "The branch is open."));
        return command;
    }

    private static Command Add()
    {
        var name = new Option<string>("--name") { Description = "Shown on pages, 1 to 100 characters.", Required = true };
        var team = new Option<string?>("--team-of") { Description = "Code of the branch of which it is a team; left out: it is a branch." };
        var command = new Command("add", "Add a branch, or a team of one.") { Code, name, team, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var answer = await services.GetRequiredService<KeepBranch>().AddAsync(parse.GetValue(Code), parse.GetValue(name), parse.GetValue(team), ActorOf(parse), ct);
            Console.WriteLine($"Branch {answer.Code} is there.");
        }, ct));
        return command;
    }

    private static Command Rename()
    {
        var name = new Option<string>("--name") { Description = "The new name, 1 to 100 characters.", Required = true };
        var command = new Command("rename", "Give a branch another name; its code stays.") { Code, name, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            await services.GetRequiredService<KeepBranch>().RenameAsync((await FindAsync(services, parse.GetValue(Code) ?? "", ct)).Id, parse.GetValue(name), ActorOf(parse), ct);
            Console.WriteLine("The branch has the new name.");
        }, ct));
        return command;
    }

    private static Command Access(string name, string description, Func<KeepBranch, Guid, string?, StaffActor, CancellationToken, Task> act, string done)
    {
        var command = new Command(name, description) { Code, Reason, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            await act(services.GetRequiredService<KeepBranch>(), (await FindAsync(services, parse.GetValue(Code) ?? "", ct)).Id, parse.GetValue(Reason), ActorOf(parse), ct);
            Console.WriteLine(done);
        }, ct));
        return command;
    }

    private static Command Bind(string name, string whose, string about)
    {
        var who = new Argument<string>(whose) { Description = about };
        var to = new Option<string?>("--to") { Description = "Codes of all branches to be bound to, separated by commas; empty: to none, and everything is seen.", Required = true };
        var command = new Command(name, "Bind to exactly these branches; it holds from the next request on.") { who, to, Reason, By, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var ids = new List<Guid>();
            foreach (var code in (parse.GetValue(to) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                ids.Add((await FindAsync(services, code, ct)).Id);
            var (bind, given) = (services.GetRequiredService<BindBranches>(), parse.GetValue(who) ?? "");
            if (whose == "email")
                await bind.StaffAsync(await services.GetRequiredService<ListStaff>().IdOfAsync(given, ct) ?? throw new RefusedException("user.not_found", "email names no user; camino user list shows who is there."), ids, parse.GetValue(Reason), ActorOf(parse), ct);
            else
                await bind.ClientAsync((await services.GetRequiredService<ListClients>().NamedAsync(given, ct) ?? throw new RefusedException("client.not_found", "name is no client's; camino client list shows who is there.")).Id, ids, parse.GetValue(Reason), ActorOf(parse), ct);
            Console.WriteLine(ids.Count == 0 ? "Bound to no branch: everything is seen." : $"Bound to {ids.Count} of the branches.");
        }, ct));
        return command;
    }

    private static Command ListCommand()
    {
        var json = new Option<bool>("--json") { Description = "Answer as JSON." };
        var command = new Command("list", "The branches with their teams, and how many are bound to each.") { json, Config, Data };
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var lines = await services.GetRequiredService<ListBranches>().RunAsync(ct);
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { branches = lines.Select(line => new { line.Id, line.Code, line.Name, Parent = line.ParentCode, State = line.IsClosed ? "closed" : "open", line.Staff, line.Clients }) }, Json));
                return;
            }

            foreach (var line in lines)
                Console.WriteLine($"{(line.ParentCode is null ? "" : "  ") + line.Code,-22}  {(line.IsClosed ? "closed" : "open"),-6}  {line.Staff,4} users  {line.Clients,4} clients  {line.Name}");
        }, ct));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, Func<IServiceProvider, Task> run, CancellationToken ct)
    {
        var settings = parse.GetValue(Config) is { } file ? HostConfig.Read(file) : VerbServices.OfRunning(parse.GetRequiredValue(Data));
        await using var services = await VerbServices.BuildAsync(settings, "branch", ct);
        await using var scope = services.CreateAsyncScope();
        await run(scope.ServiceProvider);
        return 0;
    }

    private static async Task<BranchLine> FindAsync(IServiceProvider services, string code, CancellationToken ct) =>
        (await services.GetRequiredService<ListBranches>().RunAsync(ct)).FirstOrDefault(line => string.Equals(line.Code, code.Trim(), StringComparison.OrdinalIgnoreCase)) ?? throw new RefusedException("branch.not_found", "code is no branch's; camino branch list shows which there are.");

    private static StaffActor ActorOf(ParseResult parse) => new(null, Options.ByOf(parse.GetValue(By)));
}
