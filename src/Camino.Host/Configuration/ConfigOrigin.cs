namespace Camino.Host.Configuration;

/// <summary>One place that settings come from.</summary>
/// <param name="Name">As a refusal names it.</param>
/// <param name="Values">By key, with colons.</param>
internal sealed record ConfigOrigin(string Name, Dictionary<string, string?> Values)
{
    public bool IsFile { get; init; }

    /// <summary>The file was named by <c>CAMINO_CONFIG</c> and not by <c>--config</c>.</summary>
    public bool IsNamedByVariable { get; init; }

    /// <summary>The folder with one file a key.</summary>
    public string? SecretsFolder { get; init; }

    /// <summary>Variables that are no settings and that the process uses all the same.</summary>
    public IReadOnlyDictionary<string, string> Others { get; init; } = new Dictionary<string, string>();

    /// <summary>Nothing that stands there is ever shown.</summary>
    public bool IsSecret => SecretsFolder is not null;
}
