using System.Reflection;

namespace Camino.Host;

/// <summary>What this build calls itself: version and commit, the same in both roles.</summary>
public static class Release
{
    /// <summary>Like <c>0.1.0+1a2b3c4d5e6f</c>.</summary>
    public static string Name { get; } = typeof(Release).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
