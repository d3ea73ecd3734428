namespace Camino.Screening;

/// <summary>How names are screened and where the lists come from.</summary>
/// <param name="Threshold">Least score of a hit, 60 to 100.</param>
/// <param name="Folder">Folder with OFAC's files, which the recurring job reads; null: none.</param>
/// <param name="Address">Where they are fetched from instead; null: nowhere. With neither, the recurring job does nothing.</param>
public sealed record ScreeningOptions(int Threshold, string? Folder = null, Uri? Address = null);
