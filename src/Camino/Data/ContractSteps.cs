namespace Camino.Data;

/// <summary>The second half of a change that could not be made while an older release worked: takes away what only older releases needed.</summary>
/// <param name="Version">Releases whose own schema version is lower still need it; 1 to <see cref="SchemaWindow.Newest"/>.</param>
/// <param name="Name">Stable and unique, small letters, digits and hyphens; what was done is remembered by it.</param>
/// <param name="Sql">Statements of one transaction: drop, rename, set not null. No backfill; that is a job's work before.</param>
public sealed record ContractStep(int Version, string Name, string Sql);

/// <summary>What <c>camino migrate --contract</c> runs.</summary>
public static class ContractSteps
{
    /// <summary>In the order in which they run. Nothing of the schema is left over from an older release yet.</summary>
    public static IReadOnlyList<ContractStep> All { get; } = [];
}
