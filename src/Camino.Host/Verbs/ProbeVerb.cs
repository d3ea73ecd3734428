using System.CommandLine;
using Camino.Host.Configuration;

namespace Camino.Host.Verbs;

/// <summary><c>camino probe live|ready --config FILE</c>: for orchestrators whose image has no shell and no curl.</summary>
internal static class ProbeVerb
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(4);

    public static Command Create()
    {
        var which = new Argument<string>("which") { Description = "live or ready" };
        which.AcceptOnlyFromAmong("live", "ready");
        var config = Options.Config();
        var command = new Command("probe", "Ask the process of this configuration file whether it is live or ready; exit code 0 or 1.") { which, config };
        command.SetAction((parse, ct) => RunAsync(parse.GetRequiredValue(which), parse.GetValue(config), ct));
        return command;
    }

    private static async Task<int> RunAsync(string which, string? config, CancellationToken ct)
    {
        var settings = HostConfig.Read(config);
        var address = new Uri(settings.Web.Urls.Split(';')[0].Replace("//0.0.0.0", "//127.0.0.1", StringComparison.Ordinal).Replace("//+", "//127.0.0.1", StringComparison.Ordinal).Replace("//*", "//127.0.0.1", StringComparison.Ordinal));
        using var client = new HttpClient { Timeout = s_limit };
        try
        {
            using var answer = await client.GetAsync(new Uri(address, $"/health/{which}"), ct);
            Console.WriteLine(await answer.Content.ReadAsStringAsync(ct));
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception silent) when (silent is HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync($"{address} does not answer.");
            return 1;
        }
    }
}
