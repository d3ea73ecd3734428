using System.Globalization;
using System.Reflection;
using Camino.Releases;

namespace Camino.Host;

/// <summary>What this build calls itself: number, version and commit, the same in both roles.</summary>
public static class Release
{
    /// <summary>Stands in for the number that the build was stamped with: a pipeline that counts its own runs, or a rehearsal that plays two releases with one build.</summary>
    public const string NumberVariable = "CAMINO_RELEASE";

    /// <summary>The digest of the image that this process runs from, where whoever started it says so.</summary>
    public const string ImageVariable = "CAMINO_IMAGE";

    /// <summary>Like <c>0.1.0+1a2b3c4d5e6f</c>.</summary>
    public static string Name { get; } = typeof(Release).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    /// <summary>Which of two releases is the newer one: how many commits main had when this one was built. 0 when the build knew no history.</summary>
    public static int Number { get; } = NumberOf(Environment.GetEnvironmentVariable(NumberVariable)) ?? NumberOf(Stamped("ReleaseNumber")) ?? 0;

    /// <summary>The whole name of the commit, 40 digits; empty when the build knew none.</summary>
    public static string Commit { get; } = Stamped("Commit") ?? "";

    /// <summary>How this program names itself to the database.</summary>
    public static ReleaseIdentity Identity { get; } = new(Number, Name, Commit, Environment.GetEnvironmentVariable(ImageVariable) is { Length: > 0 } image ? image : null);

    private static int? NumberOf(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? Stamped(string key) =>
        typeof(Release).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(stamp => stamp.Key == key)?.Value;
}
