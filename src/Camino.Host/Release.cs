using System.Globalization;
using System.Reflection;

namespace Camino.Host;

/// <summary>What this build calls itself: number, version and commit, the same in both roles.</summary>
public static class Release
{
    /// <summary>Like <c>0.1.0+1a2b3c4d5e6f</c>.</summary>
    public static string Name { get; } = typeof(Release).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    /// <summary>Which of two releases is the newer one: how many commits main had when this one was built. 0 when the build knew no history.</summary>
    public static int Number { get; } = int.TryParse(Stamped("ReleaseNumber"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <summary>The whole name of the commit, 40 digits; empty when the build knew none.</summary>
    public static string Commit { get; } = Stamped("Commit") ?? "";

    private static string? Stamped(string key) =>
        typeof(Release).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(stamp => stamp.Key == key)?.Value;
}
