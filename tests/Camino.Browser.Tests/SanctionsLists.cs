using System.Text;
using Camino.Screening;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Browser;

/// <summary>Invented sanctions lists, taken in once for all tests that need them.</summary>
internal static class SanctionsLists
{
    private static readonly Lazy<Task> Imported = new(ImportAsync);

    public static Task ImportedAsync() => Imported.Value;

    private static async Task ImportAsync()
    {
        const string rest = ",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,";
        var folder = Directory.CreateTempSubdirectory("camino-lists-");
        foreach (var (file, text) in new[]
        {
            ("sdn.csv", $"1,\"VELASQUEZ IBARRA, Tomas\",\"individual\",\"TEST\"{rest}\"DOB 14 Mar 1961; nationality Colombia.\""), ("alt.csv", ""), ("add.csv", ""), ("sdn_comments.csv", ""),
            ("cons_prim.csv", $"900,\"QUIMERA EXPORTADORA S.A. DE C.V.\",-0- ,\"TEST\"{rest}-0- "), ("cons_alt.csv", ""), ("cons_add.csv", ""), ("cons_comments.csv", ""),
        })
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, file), text, Encoding.Latin1);
        await using var scope = Site.Camino.Office.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<ImportLists>().RunAsync(await ListFiles.FromFolderAsync(folder.FullName, CancellationToken.None), null, CancellationToken.None);
        folder.Delete(recursive: true);
    }
}
