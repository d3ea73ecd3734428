using System.CommandLine;
using Camino.Host.Configuration;

namespace Camino.Host.Verbs;

/// <summary><c>camino run --config FILE</c>: takes the role that the file says and serves until SIGTERM.</summary>
internal static class RunVerb
{
    public static Command Create()
    {
        var config = Options.Config();
        var command = new Command("run", "Start the role that the configuration file says, and serve until SIGTERM or Ctrl-C.") { config };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config)));
        return command;
    }

    private static Task<int> RunAsync(string? config)
    {
        var settings = HostConfig.Read(config);
        var path = config ?? Environment.GetEnvironmentVariable("CAMINO_CONFIG") ?? "";
        Niceness.Set(settings.Jobs.Niceness);
        return settings.Role switch
        {
            Role.BackOffice => RoleProcess.ServeAsync(settings, path, BackOfficeRole.Build),
            Role.Async => RoleProcess.ServeAsync(settings, path, AsyncRole.Build),
            _ => throw new ConfigRefusedException($"{path}: Role must be BackOffice or Async."),
        };
    }
}
