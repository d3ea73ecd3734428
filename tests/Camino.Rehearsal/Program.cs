using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Host.Local;

namespace Camino.Rehearsal;

/// <summary>The rehearsal as one command: <c>deploy/scripts/rehearse [--json FILE]</c>.</summary>
public static class Program
{
    /// <summary>The release numbers of a rehearsal that plays two releases with one build.</summary>
    private const int PreviousRelease = 101;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>0 when every scene went well, 1 when one did not or could not be played.</summary>
    public static async Task<int> Main(string[] args)
    {
        var json = new Option<string?>("--json") { Description = "Also write the table as JSON into this file; - means standard output." };
        var seconds = new Option<int>("--seconds") { Description = "Seconds of steady load before and after each deploy, 1 to 600.", DefaultValueFactory = _ => 5 };
        var rate = new Option<int>("--rate") { Description = "Requests a second, 1 to 1,000.", DefaultValueFactory = _ => 20 };
        var previous = new Option<string?>("--previous") { Description = "Folder of the previous release's build (it holds camino.dll). Left out: this build plays both, under two numbers." };
        var current = new Option<string?>("--this") { Description = "Folder of this release's build. Left out: the build beside this program, which is compiled as it runs." };
        var command = new RootCommand("Plays a deploy from the previous release to this one and back, and what can go wrong, with real processes on this machine.") { json, seconds, rate, previous, current };
        command.SetAction((parse, ct) => PlayAsync(parse.GetValue(json), parse.GetValue(seconds), parse.GetValue(rate), parse.GetValue(previous), parse.GetValue(current), ct));
        command.Add(Origination());
        return await command.Parse(args).InvokeAsync();
    }

    /// <summary><c>deploy/scripts/rehearse origination</c>: the whole way of many applications, while everything goes wrong that can.</summary>
    private static Command Origination()
    {
        var json = new Option<string?>("--json") { Description = "Also write what was seen as JSON into this file; - means standard output." };
        var applications = new Option<int>("--applications") { Description = "Applications of all clients together, 20 to 100,000.", DefaultValueFactory = _ => 10_000 };
        var perSecond = new Option<int>("--per-second") { Description = "Applications handed in each second, 1 to 1,000.", DefaultValueFactory = _ => 25 };
        var kill = new Option<int>("--kill-every") { Description = "Seconds between two kills of an Async Server, 1 to 3,600.", DefaultValueFactory = _ => 10 };
        var outage = new Option<int>("--outage") { Description = "Seconds for which no outside service answers, 1 to 3,600.", DefaultValueFactory = _ => 60 };
        var bulk = new Option<int>("--bulk") { Description = "Lines of the bulk request at the end, 0 to 100,000.", DefaultValueFactory = _ => 100_000 };
        var command = new Command("origination", "Hands applications in by 20 clients while outside services fail and fall silent, Async Servers are killed and a deploy goes on.") { json, applications, perSecond, kill, outage, bulk };
        foreach (var (option, least, most) in new[] { (applications, 20, 100_000), (perSecond, 1, 1_000), (kill, 1, 3_600), (outage, 1, 3_600), (bulk, 0, 100_000) })
        {
            command.Validators.Add(result =>
            {
                if (result.GetResult(option) is { Implicit: false } given && given.GetValueOrDefault<int>() is var value && (value < least || value > most))
                    result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; it must be {least} to {most}."));
            });
        }

        command.SetAction((parse, ct) => OriginateAsync(
            new OriginationTerms(parse.GetValue(applications), parse.GetValue(perSecond), TimeSpan.FromSeconds(parse.GetValue(kill)), TimeSpan.FromSeconds(parse.GetValue(outage)), parse.GetValue(bulk)), parse.GetValue(json), ct));
        return command;
    }

    private static async Task<int> OriginateAsync(OriginationTerms terms, string? json, CancellationToken ct)
    {
        var program = ProgramBeside();
        var say = new Action<string>(Console.Error.WriteLine);
        try
        {
            await using var stage = await Stage.StartAsync(say, ct);
            var result = await new OriginationPlay(stage, new Build(program, PreviousRelease), new Build(program, PreviousRelease + 1), terms, say, ct).RunAsync();
            var text = JsonSerializer.Serialize(result, s_json);
            Console.WriteLine(json == "-" ? text : Table.Text(result));
            if (json is not null and not "-")
                await File.WriteAllTextAsync(json, text, ct);
            return result.Faults.Count == 0 ? 0 : 1;
        }
        catch (Exception broken) when (broken is RehearsalException or LocalStartException)
        {
            await Console.Error.WriteLineAsync($"It could not be played: {broken.Message}");
            return 1;
        }
    }

    private static async Task<int> PlayAsync(string? json, int seconds, int rate, string? previousFolder, string? folder, CancellationToken ct)
    {
        var here = folder is null ? ProgramBeside() : Path.Combine(folder, "camino.dll");
        var previous = new Build(previousFolder is null ? here : Path.Combine(previousFolder, "camino.dll"), PreviousRelease);
        var next = new Build(here, PreviousRelease + 1);
        var builds = previousFolder is null ? "one build under two release numbers" : $"{previous.Program} and {next.Program}";
        var say = new Action<string>(Console.Error.WriteLine);
        say(builds);
        try
        {
            var scenes = await PlayAllAsync(previous, next, rate, TimeSpan.FromSeconds(seconds), say, ct);
            if (json == "-")
                Console.WriteLine(Table.Json(scenes, builds));
            else
                Console.WriteLine(Table.Text(scenes));
            if (json is not null and not "-")
                await File.WriteAllTextAsync(json, Table.Json(scenes, builds), ct);
            return scenes.All(scene => scene.IsWell) ? 0 : 1;
        }
        catch (Exception broken) when (broken is RehearsalException or LocalStartException)
        {
            await Console.Error.WriteLineAsync($"The rehearsal could not be played: {broken.Message}");
            return 1;
        }
    }

    /// <summary>Every scene, one after the other, on one stage.</summary>
    internal static async Task<IReadOnlyList<Scene>> PlayAllAsync(Build previous, Build next, int rate, TimeSpan steady, Action<string> say, CancellationToken ct)
    {
        await using var stage = await Stage.StartAsync(say, ct);
        var play = new Play(stage, previous, next, rate, steady, say, ct);
        var scenes = new List<Scene>();
        await play.BeginAsync();
        foreach (var scene in new Func<Task<Scene>>[] { play.ForwardAsync, play.BackAsync, play.LateEffectAsync, play.KilledAsync, play.CutOffAsync, play.NewerKindAsync, play.BadReleaseAsync, play.DatabaseRestartAsync, play.LateApprovalsAsync, play.BlockedMigrationAsync, play.MigratorsAsync, play.RotatedPasswordsAsync, play.RestoredAsync })
        {
            scenes.Add(await scene());
            say(string.Create(CultureInfo.InvariantCulture, $"  {(scenes[^1].IsWell ? "well" : "NOT WELL: " + string.Join("; ", scenes[^1].Faults))}"));
        }

        await play.EndAsync();
        return scenes;
    }

    /// <summary>The build of the program beside this one.</summary>
    internal static string ProgramBeside() => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Camino.Host", new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Name, "camino.dll"));
}
