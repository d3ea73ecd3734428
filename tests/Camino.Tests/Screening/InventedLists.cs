using System.Text;
using Camino.Screening;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Tests.Screening;

/// <summary>Sanctions lists in OFAC's layout in which every name is made up.</summary>
internal sealed class InventedLists : IDisposable
{
    private const string Empty = "-0- ";

    public InventedLists(params string[] entries)
    {
        Write("sdn.csv", entries.Length > 0 ? entries : [Person(1, "VELASQUEZ IBARRA, Tomas", "DOB 14 Mar 1961; nationality Colombia."), Business(2, "NORDLICHT HANDELS GMBH"), Person(3, "OSEI, Kwabena", "a.k.a. 'THE HARBOUR MASTER'.")]);
        Write("alt.csv", ["1,1,\"aka\",\"VELASCO, Tomas\",-0- "]);
        Write("add.csv", ["1,1,\"Calle 1\",\"Cali\",\"Colombia\",-0- "]);
        Write("sdn_comments.csv", []);
        Write("cons_prim.csv", [Business(900, "QUIMERA EXPORTADORA S.A. DE C.V.")]);
        Write("cons_alt.csv", []);
        Write("cons_add.csv", []);
        Write("cons_comments.csv", []);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("camino-lists-").FullName;

    public static string Person(int number, string name, string remarks) => $"{number},\"{name}\",\"individual\",\"TEST\",{Empty},{Empty},{Empty},{Empty},{Empty},{Empty},{Empty},\"{remarks}\"";

    public static string Business(int number, string name) => $"{number},\"{name}\",{Empty},\"TEST\",{Empty},{Empty},{Empty},{Empty},{Empty},{Empty},{Empty},{Empty}";

    public void Write(string file, params IEnumerable<string> lines) => File.WriteAllText(Path.Combine(Folder, file), string.Join("\r\n", lines) + "\u001A", Encoding.Latin1);

    /// <summary>Takes them in, so that they are in force.</summary>
    public async Task<ListImport> TakeInAsync(RunningCamino camino)
    {
        await using var scope = camino.Office.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<ImportLists>().RunAsync(await ListFiles.FromFolderAsync(Folder, CancellationToken.None), null, CancellationToken.None);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
