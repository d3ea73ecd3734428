using System.CommandLine;

namespace Camino.Host.Verbs;

/// <summary>Options that several verbs share.</summary>
internal static class Options
{
    /// <summary><c>--data FOLDER</c>: what a running <c>camino up</c> works in.</summary>
    public static Option<string> Data() => new("--data") { Description = "The folder that a running `camino up` works in.", DefaultValueFactory = _ => ".camino" };

    /// <summary><c>--config FILE</c>; CAMINO_CONFIG stands in when it is left out.</summary>
    public static Option<string?> Config() => new("--config", "-c") { Description = "The configuration file that says the role: appsettings.BackOffice.json or appsettings.Async.json. CAMINO_CONFIG stands in for it." };
}
