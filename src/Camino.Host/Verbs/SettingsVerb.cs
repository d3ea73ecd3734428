using System.CommandLine;
using System.Globalization;
using System.Resources;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Host.Configuration;
using Camino.Resources;
using Camino.Settings;

namespace Camino.Host.Verbs;

/// <summary><c>camino settings --config FILE</c>: every value that a start with this file would use, where it came from and what it does; secrets masked. It asks no database.</summary>
internal static class SettingsVerb
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    private static readonly ResourceManager Sentences = new("Camino.Resources.Texts", typeof(Texts).Assembly);

    public static Command Create()
    {
        var config = Options.Config();
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("settings", "Print every setting in effect, where it came from and what it does; secrets are masked, unknown keys marked.") { config, json };
        command.SetAction(parse => Run(parse.GetValue(config), parse.GetValue(json)));
        return command;
    }

    private sealed record Line(string Section, string Key, string? Value, bool IsSecret, SettingSource Source, string? Place, SettingStanding Standing, string? Nearest, string About);

    private sealed record Answer(string Role, string File, string? Refusal, IReadOnlyList<Line> Lines);

    private static int Run(string? config, bool json)
    {
        var look = HostConfig.Look(config);
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(new Answer(look.Role, look.File, look.Refusal, [.. look.Lines.Select(line => new Line(line.Section, line.Key, line.Value, line.IsSecret, line.Source, line.Place, line.Standing, line.Nearest, About(line)))]), Json));
        else
            Print(look);
        if (look.Refusal is null)
            return 0;
        Console.Error.WriteLine(look.Refusal);
        return ConfigRefusedException.ExitCode;
    }

    private static void Print(SettingsLook look)
    {
        if (look.Lines.Count > 0)
            Console.WriteLine($"Role {(look.Role.Length == 0 ? "unknown" : look.Role)}");
        foreach (var section in look.Lines.GroupBy(line => line.Section, StringComparer.Ordinal))
        {
            Console.WriteLine(section.Key.Length == 0 ? "" : $"\n[{section.Key}]");
            foreach (var line in section)
            {
                Console.WriteLine($"{line.Key} = {Value(line)}   ({From(line)})");
                if (About(line) is { Length: > 0 } about)
                    Console.WriteLine($"    {about}");
            }
        }
    }

    private static string Value(SettingLine line) => line.Standing switch
    {
        SettingStanding.Unknown => $"UNKNOWN KEY, its value is not shown; the nearest known key is {line.Nearest}",
        SettingStanding.OtherRole => "KEY OF THE OTHER ROLE, its value is not shown",
        _ => line.Value ?? "-",
    };

    private static string From(SettingLine line) => line.Source switch
    {
        SettingSource.Default => "default",
        SettingSource.File => $"file {line.Place}",
        SettingSource.SecretsFolder => $"secrets folder {line.Place}",
        SettingSource.Environment => $"environment {line.Place ?? line.Key}",
        _ => "command line",
    };

    private static string About(SettingLine line) => line.About.Length == 0 ? "" : Sentences.GetString("Setting." + line.About, CultureInfo.InvariantCulture) ?? "";
}
