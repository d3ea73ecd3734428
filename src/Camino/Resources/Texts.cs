using Microsoft.Extensions.Localization;

[assembly: RootNamespace("Camino")]

namespace Camino.Resources;

/// <summary>Names the texts that people read (Texts.resx in English, Texts.es.resx in Spanish), for <see cref="IStringLocalizer{T}"/>.</summary>
public sealed class Texts;
