namespace Camino.Screening;

/// <summary>How names are screened and where the lists come from.</summary>
/// <param name="Threshold">Least score of a hit, 60 to 100.</param>
/// <param name="IsRequired">Whether money may go out only where a list is in force; without it, nobody is screened as long as no list was taken in.</param>
/// <param name="Folder">Folder with OFAC's files, which the recurring job reads; null: none.</param>
/// <param name="Address">Where they are fetched from instead; null: nowhere. With neither, the recurring job does nothing.</param>
public sealed record ScreeningOptions(int Threshold, bool IsRequired = false, string? Folder = null, Uri? Address = null);
