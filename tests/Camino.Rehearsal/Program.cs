using System.CommandLine;
using System.Globalization;
using Camino.Host.Local;

namespace Camino.Rehearsal;

/// <summary>The rehearsal as one command: <c>deploy/scripts/rehearse [--json FILE]</c>.</summary>
public static class Program
{
    /// <summary>The release numbers of a rehearsal that plays two releases with one build.</summary>
    private const int PreviousRelease = 101;

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
        return await command.Parse(args).InvokeAsync();
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
