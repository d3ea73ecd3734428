using System.CommandLine;
using System.Globalization;
using Camino.Lending;

namespace Camino.Host.Verbs;

/// <summary>Options that several verbs share.</summary>
internal static class Options
{
    /// <summary><c>--data FOLDER</c>: what a running <c>camino up</c> works in.</summary>
    public static Option<string> Data() => new("--data") { Description = "The folder that a running `camino up` works in.", DefaultValueFactory = _ => ".camino" };

    /// <summary><c>--config FILE</c>; CAMINO_CONFIG stands in when it is left out.</summary>
    public static Option<string?> Config() => new("--config", "-c") { Description = "The configuration file that says the role: appsettings.BackOffice.json or appsettings.Async.json. CAMINO_CONFIG stands in for it." };

    /// <summary>What <c>--by</c> says, else the user of this machine.</summary>
    /// <exception cref="RefusedException"><c>release.by</c>: longer than 100 characters.</exception>
    public static string ByOf(string? by)
    {
        var who = string.IsNullOrWhiteSpace(by) ? Environment.UserName : by;
        Refuse.If(who.Length > 100, "release.by", string.Create(CultureInfo.InvariantCulture, $"--by has {who.Length} characters; it may have 100."));
        return who.Length == 0 ? "operator" : who;
    }
}
