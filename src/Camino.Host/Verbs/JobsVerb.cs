using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Camino.Data;
using Camino.Host.Configuration;
using Camino.Jobs;
using Camino.Lending;
using Camino.Operations;
using Camino.People;
using Microsoft.EntityFrameworkCore;

namespace Camino.Host.Verbs;

/// <summary>
/// <c>camino jobs ...</c>: the job board for operators. Acts are stored in the audit trail under the administrator whom <c>--user</c> names, else under the first one.
/// </summary>
internal static class JobsVerb
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly Option<string> Data = Options.Data();
    private static readonly Option<string?> Config = Options.Config();
    private static readonly Option<bool> AsJson = new("--json") { Description = "Answer as JSON." };
    private static readonly Option<string?> User = new("--user") { Description = "E-mail of the administrator in whose name to act; left out: the first one." };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why, 3 to 300 characters; stored with the act." };

    /// <summary>The words that limit a list or an act on all that match.</summary>
    private static readonly (string Word, Option<string?> Option)[] Filter =
    [
        ("state", new("--state") { Description = "waiting, scheduled, held, running, done, failed or cancelled." }), ("queue", new("--queue") { Description = "Only this queue." }),
        ("kind", new("--kind") { Description = "Only this kind." }), ("tag", new("--tag") { Description = "Only with this tag." }), ("key", new("--key") { Description = "Only with this unique key." }),
        ("q", new("--text") { Description = "Only where arguments or error hold this text." }), ("parent", new("--parent") { Description = "Only what this job asked for." }),
        ("by", new("--by") { Description = "Only what this user id asked for." }), ("cause", new("--cause") { Description = "Only failed ones with this cause (camino jobs causes)." }),
    ];

    public static Command Create()
    {
        var jobs = new Command("jobs", "Look at jobs, queues and servers, and act on jobs.") { ListCommand(), ShowCommand(), QueuesCommand(), ServersCommand(), CausesCommand(), RestCommand("pause"), RestCommand("resume"), RecurringCommand(), ServerCommand() };
        foreach (var act in JobAct.Words.Keys)
            jobs.Add(ActCommand(act));
        return jobs;
    }

    private static Command ListCommand()
    {
        var take = new Option<int>("--take") { Description = "Jobs to list, 1 to 200.", DefaultValueFactory = _ => 50 };
        var after = new Option<Guid?>("--after") { Description = "Where the page before ended." };
        var command = With(new Command("list", "Jobs, newest first."), [take, after, AsJson, .. Filter.Select(word => word.Option)]);
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var page = await services.GetRequiredService<JobStore>().ListAsync(FilterOf(parse), parse.GetValue(after), Math.Clamp(parse.GetValue(take), 1, 200), ct);
            if (parse.GetValue(AsJson))
                return Print(page);
            foreach (var job in page.Jobs)
                Console.WriteLine($"{job.Id}  {job.State,-9}  {job.Queue,-10}  {job.Kind,-28}  {job.Attempt}/{job.MaxAttempts}  {Time(job.EnqueuedAt)}{(job.Error is { } error ? "  " + error.ReplaceLineEndings(" ") : "")}");
            if (page.Next is { } next)
                Console.WriteLine(page.Cut ? $"The search has not reached the end yet; go on with --after {next}" : $"There are more: --after {next}");
            return 0;
        }, ct));
        return command;
    }

    private static Command ShowCommand()
    {
        var id = new Argument<Guid>("ID");
        var command = With(new Command("show", "Everything about one job.") { id }, [AsJson]);
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var job = await services.GetRequiredService<JobStore>().GetAsync(parse.GetRequiredValue(id), ct) ?? throw new RefusedException("job.not_found", $"There is no job {parse.GetRequiredValue(id)}.");
            job = job with { Args = JobArgsMask.Show(job.Args, everything: true), Result = job.Result is { } result ? JobArgsMask.Show(result, everything: true) : null };
            if (parse.GetValue(AsJson))
                return Print(job);
            Console.WriteLine($"{job.Kind} {job.Id}: {job.State}, queue {job.Queue}, attempt {job.Attempt} of {job.MaxAttempts}");
            Console.WriteLine($"  asked {Time(job.EnqueuedAt)} by {job.RequestedBy ?? "the system"}, due {Time(job.DueAt)}{(job.StartedAt is { } started ? $", started {Time(started)}" : "")}{(job.FinishedAt is { } finished ? $", ended {Time(finished)}" : "")}{(job.Server is { } server ? $", on {server}" : "")}");
            if (job.Progress is { } progress)
                Console.WriteLine(FormattableString.Invariant($"  progress {progress.Done}{(progress.Total is { } total ? FormattableString.Invariant($" of {total}") : "")} {progress.Message}"));
            Console.WriteLine($"  arguments {job.Args.ReplaceLineEndings(" ")}");
            if (job.Result is { } shown)
                Console.WriteLine($"  result {shown.ReplaceLineEndings(" ")}");
            if (job.Error is { } error)
                Console.WriteLine($"  error {error}");
            foreach (var attempt in job.Attempts)
                Console.WriteLine($"  attempt {attempt.Number} {attempt.Outcome} {Time(attempt.EndedAt)} {attempt.Error}");
            foreach (var line in job.Log)
                Console.WriteLine($"  {Time(line.At)} {line.Line}");
            return 0;
        }, ct));
        return command;
    }

    private static Command ActCommand(string act)
    {
        var ids = new Argument<Guid[]>("ID") { Arity = ArgumentArity.ZeroOrMore, Description = "Jobs, at most 200; none with --all." };
        var all = new Option<bool>("--all") { Description = "All that match the filter: asks for it, a second person approves it in the Back Office, and a job of its own does it." };
        var dryRun = new Option<bool>("--dry-run") { Description = "With --all: only say how many match." };
        var due = new Option<DateTimeOffset?>("--due") { Description = "The new due time." };
        var command = With(new Command(act, act switch
        {
            "retry" => "Give failed or cancelled jobs one attempt more.",
            "cancel" => "Cancel jobs.",
            "run-now" => "Make scheduled jobs due now.",
            "change-due" => "Make jobs due at another time.",
            _ => "Note that failed jobs were seen.",
        }) { ids }, [all, dryRun, Reason, User, AsJson, .. act == "change-due" ? new Option[] { due } : [], .. Filter.Select(word => word.Option)]);
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var chosen = parse.GetValue(ids) ?? [];
            Refuse.If(chosen.Length > 0 == parse.GetValue(all), "job.none_chosen", "Name jobs by their ids, or say --all with a filter, and not both.");
            var dueAt = act == "change-due" ? parse.GetValue(due) : null;
            if (parse.GetValue(all) && parse.GetValue(dryRun))
            {
                var count = await services.GetRequiredService<ActOnAllJobs>().CountAsync(JobAct.Words[act], FilterOf(parse), ct);
                return parse.GetValue(AsJson) ? Print(count) : Say(FormattableString.Invariant($"{count.Count}{(count.Capped ? " or more" : "")} jobs match."));
            }

            var order = JobAct.Of(act, parse.GetValue(Reason), dueAt);
            var user = await ActorAsync(services, parse.GetValue(User), ct);
            if (parse.GetValue(all))
            {
                var asked = await services.GetRequiredService<ActOnAllJobs>().AskAsync(order, FilterOf(parse), user, ct);
                return parse.GetValue(AsJson) ? Print(asked) : Say($"It waits for a second person until {Time(asked.ExpiresAt)}: request {asked.ApprovalId}, to be approved at /approvals/{asked.ApprovalId} of the Back Office.");
            }

            var done = await services.GetRequiredService<ActOnJobs>().RunAsync(order, chosen, new JobActor(user, OnAll: true), ct);
            return parse.GetValue(AsJson) ? Print(new { done.Matched, done.Done, done.Refused }) : Say(FormattableString.Invariant($"{done.Done} done, {done.Refused} refused."));
        }, ct));
        return command;
    }

    private static Command RestCommand(string what)
    {
        var scope = new Argument<string>("queue|kind");
        scope.AcceptOnlyFromAmong("queue", "kind");
        var name = new Argument<string>("NAME");
        var command = With(new Command(what, what == "pause" ? "Let nobody take from a queue, or jobs of a kind." : "Let a queue or kind be worked again.") { scope, name }, [Reason, User]);
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var pause = services.GetRequiredService<PauseWork>();
            var user = await ActorAsync(services, parse.GetValue(User), ct);
            var (on, called) = (parse.GetRequiredValue(scope), parse.GetRequiredValue(name));
            await (what == "pause" ? pause.PauseAsync(on, called, parse.GetValue(Reason), user, ct) : pause.ResumeAsync(on, called, parse.GetValue(Reason), user, ct));
            return Say($"{on} {called} is {what}d.");
        }, ct));
        return command;
    }

    private static Command RecurringCommand()
    {
        var act = new Argument<string>("run|disable|enable|list") { DefaultValueFactory = _ => "list" };
        act.AcceptOnlyFromAmong(["list", .. SteerWork.OfSchedules.Keys]);
        var name = new Argument<string?>("NAME") { Arity = ArgumentArity.ZeroOrOne };
        var command = With(new Command("recurring", "List recurring jobs; run one now, or let it fire only by hand, or by its times again.") { act, name }, [Reason, User, AsJson]);
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var (what, called) = (parse.GetValue(act) ?? "list", parse.GetValue(name));
            if (what != "list")
            {
                Refuse.If(called is null, "schedule.not_found", "Name the recurring job; camino jobs recurring lists them.");
                var job = await services.GetRequiredService<SteerWork>().ScheduleAsync(what, called ?? "", parse.GetValue(Reason), await ActorAsync(services, parse.GetValue(User), ct), ct);
                return parse.GetValue(AsJson) ? Print(new { jobId = job }) : Say(job is null ? $"{called} is {SteerWork.OfSchedules[what]}." : $"{called} runs as job {job}.");
            }

            var entries = (await services.GetRequiredService<JobStore>().RecurringAsync(ct)).Where(entry => called is null || entry.Name == called).ToList();
            if (parse.GetValue(AsJson))
                return Print(entries);
            foreach (var entry in entries)
                Console.WriteLine($"{entry.Name,-30}  {entry.Cron,-16}  {entry.Zone,-18}  {(entry.DisabledAt is null ? entry.NextAt is { } next ? "next " + Time(next) : "not looked at yet" : "disabled" + (entry.DisabledReason is { } why ? ": " + why : ""))}{(entry.Last is { } last ? $"  last {Time(last.PlannedAt)} {last.Outcome} {last.State}" : "")}");
            return 0;
        }, ct));
        return command;
    }

    private static Command ServerCommand()
    {
        var act = new Argument<string>("quiet|drain|work");
        act.AcceptOnlyFromAmong([.. SteerWork.OfServers.Keys]);
        var server = new Argument<string>("SERVER") { Description = "Its id, or its name when only one living server has it (camino jobs servers)." };
        var command = With(new Command("server", "Let a job server take nothing more (quiet), give back what runs too long as well (drain), or work again.") { act, server }, [Reason, User]);
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var (what, called) = (parse.GetRequiredValue(act), parse.GetRequiredValue(server));
            var living = (await services.GetRequiredService<JobStore>().ServersAsync(ct)).Where(one => one.State is not ("stopped" or "lost") && (one.Name == called || one.Id.ToString() == called)).ToList();
            Refuse.If(living.Count != 1, "server.not_found", living.Count == 0 ? $"No job server {called} is alive." : $"{living.Count} living job servers are called {called}; name it by its id.");
            await services.GetRequiredService<SteerWork>().ServerAsync(what, living[0].Id, parse.GetValue(Reason), await ActorAsync(services, parse.GetValue(User), ct), ct);
            return Say($"Server {living[0].Name} is {SteerWork.OfServers[what]}.");
        }, ct));
        return command;
    }

    private static Command QueuesCommand()
    {
        var command = With(new Command("queues", "How every queue stands."), [AsJson]);
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var queues = await services.GetRequiredService<JobStore>().QueueFiguresAsync(ct);
            if (parse.GetValue(AsJson))
                return Print(queues);
            foreach (var queue in queues)
                Console.WriteLine(FormattableString.Invariant($"{queue.Queue,-12} waiting {queue.Ready}, longest {queue.OldestAge?.TotalSeconds ?? 0:0.0} s, running {queue.Running}, later {queue.Scheduled + queue.Held}, failed in the last hour {queue.FailedLastHour}{(queue.Paused ? ", paused" : queue.Served ? "" : ", no server")}"));
            return 0;
        }, ct));
        return command;
    }

    private static Command ServersCommand()
    {
        var command = With(new Command("servers", "The servers that work, and the latest that do not."), [AsJson]);
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var servers = await services.GetRequiredService<JobStore>().ServersAsync(ct);
            if (parse.GetValue(AsJson))
                return Print(servers);
            foreach (var server in servers)
                Console.WriteLine(FormattableString.Invariant($"{server.Name,-30} {server.State,-9} release {server.Release}, busy {server.Running} of {server.Slots}, last sign of life {server.SilentFor.TotalSeconds:0.0} s ago, queues {string.Join(", ", server.Queues)}"));
            return 0;
        }, ct));
        return command;
    }

    private static Command CausesCommand()
    {
        var command = With(new Command("causes", "Failed jobs that nobody dealt with, grouped by cause."), [AsJson]);
        command.SetAction((parse, ct) => RunAsync(parse, async services =>
        {
            var causes = await services.GetRequiredService<JobStore>().CausesAsync(ct);
            if (parse.GetValue(AsJson))
                return Print(causes);
            foreach (var cause in causes)
                Console.WriteLine(FormattableString.Invariant($"{cause.Jobs,7}  {cause.Kind,-28}  {Time(cause.LastAt)}  {cause.Cause}"));
            return 0;
        }, ct));
        return command;
    }

    private static Command With(Command command, IEnumerable<Option> options)
    {
        foreach (var option in options.Append(Data).Append(Config))
            command.Add(option);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, Func<IServiceProvider, Task<int>> act, CancellationToken ct)
    {
        var settings = parse.GetValue(Config) is { } config ? HostConfig.Read(config) : VerbServices.OfRunning(parse.GetRequiredValue(Data));
        await using var services = await VerbServices.BuildAsync(settings, "jobs", ct);
        await using var scope = services.CreateAsyncScope();
        return await act(scope.ServiceProvider);
    }

    private static JobFilter FilterOf(ParseResult parse) => JobQuery.ReadForAct(
        Filter.Select(word => (word.Word, Value: parse.GetValue(word.Option))).Where(word => word.Value is not null).ToDictionary(word => word.Word, word => word.Value ?? "", StringComparer.Ordinal));

    private static async Task<Guid> ActorAsync(IServiceProvider services, string? email, CancellationToken ct)
    {
        var db = services.GetRequiredService<CaminoDb>();
        var user = await (
            from link in db.UserRoles
            join role in db.Roles on link.RoleId equals role.Id
            join staff in db.Users on link.UserId equals staff.Id
            where role.Name == StaffRoles.Administrator && (email == null || staff.Email == email)
            orderby staff.Id
            select staff.Id).FirstOrDefaultAsync(ct);
        Refuse.If(user == Guid.Empty, "job.nobody", email is null ? "There is no administrator in whose name to act; create the first one (camino first-admin-link)." : $"{email} is no administrator.");
        return user;
    }

    private static int Print(object value)
    {
        Console.WriteLine(JsonSerializer.Serialize(value, Json));
        return 0;
    }

    private static int Say(string sentence)
    {
        Console.WriteLine(sentence);
        return 0;
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
