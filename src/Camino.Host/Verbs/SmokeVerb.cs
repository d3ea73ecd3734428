using System.CommandLine;
using Camino.Host.Local;

namespace Camino.Host.Verbs;

/// <summary><c>camino smoke --address URL --key-file FILE</c>: asks a deployed Camino from outside, before the fence is moved to it.</summary>
internal static class SmokeVerb
{
    private const int LongestKey = 1_000;

    public static Command Create()
    {
        var address = new Option<Uri>("--address")
        {
            Description = "Address of the Back Office, as a browser sees it.",
            Required = true,
            CustomParser = result => Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri : Refuse(result),
        };
        var key = new Option<string>("--key-file") { Description = "File that holds one API key.", Required = true };
        var release = new Option<int?>("--release") { Description = "The release number that must answer; left out: any." };
        var command = new Command("smoke", "Ask a running Camino from outside: ready, a page, the API, a job through every queue. One line each; exit code 0 or 1.") { address, key, release };
        command.SetAction(async (parse, ct) =>
        {
            using var smoke = new Smoke(parse.GetRequiredValue(address), new DemoAccess([], await KeyAsync(parse.GetRequiredValue(key), ct)), Console.WriteLine);
            return await smoke.RunOutsideAsync(parse.GetValue(release), ct) ? 0 : 1;
        });
        return command;
    }

    private static Uri? Refuse(System.CommandLine.Parsing.ArgumentResult result)
    {
        result.AddError($"--address is \"{result.Tokens[0].Value}\"; it must be like https://camino.example.");
        return null;
    }

    private static async Task<string> KeyAsync(string file, CancellationToken ct)
    {
        Lending.Refuse.If(!File.Exists(file), "smoke.key_file", $"--key-file is {file}; there is no such file.");
        var key = (await File.ReadAllTextAsync(file, ct)).Trim();
        Lending.Refuse.If(key.Length is 0 or > LongestKey || key.Any(char.IsWhiteSpace), "smoke.key_file", $"--key-file is {file}; it must hold one API key and nothing else.");
        return key;
    }
}
