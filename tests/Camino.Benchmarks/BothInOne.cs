using System.CommandLine;
using Camino.Host;
using Camino.Host.Configuration;

namespace Camino.Benchmarks;

/// <summary>Both roles in one process, as the server was before it was split: pages and jobs share one heap, one thread pool and one turn of the scheduler. Only the bench starts it.</summary>
internal static class BothInOne
{
    public static Command Verb()
    {
        var office = new Argument<string>("back-office");
        var async = new Argument<string>("async");
        var command = new Command("both-in-one", "Both roles in one process, for the bench.") { office, async };
        command.Hidden = true;
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(office), parsed.GetRequiredValue(async)));
        return command;
    }

    private static async Task<int> RunAsync(string office, string async)
    {
        var work = HostConfig.Read(async);
        work.Web.Urls = "http://127.0.0.1:0"; // the address that was given is the Back Office's
        var codes = await Task.WhenAll(RoleProcess.ServeAsync(HostConfig.Read(office), office, BackOfficeRole.Build), RoleProcess.ServeAsync(work, async, AsyncRole.Build));
        return codes.Max();
    }
}
