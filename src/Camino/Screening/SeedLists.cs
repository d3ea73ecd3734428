using System.Text;
using Camino.Data;
using Camino.Lending.Screening;
using Microsoft.EntityFrameworkCore;

namespace Camino.Screening;

/// <summary>Takes invented sanctions lists in for trying Camino out, where there are none yet: without lists, the checks of an application wait for them.</summary>
public sealed class SeedLists(CaminoDb db, ImportLists import)
{
    private const string Empty = "-0- ";

    /// <param name="by">The demo officer, in whose name it is done.</param>
    public async Task RunAsync(Guid by, CancellationToken ct)
    {
        if (await db.Database.SqlQuery<bool>($"select exists (select from camino.watch_lists) as \"Value\"").SingleAsync(ct))
            return;
        var lists = ListFiles.Of("invented (demo)",
        [
            File("sdn.csv", Entry(1, "DEMOSTAR BLOCKED TRADING GMBH", Empty, "Invented for trying Camino out."), Entry(2, "TESTWELL DEMARCO, Ignatius", "\"individual\"", "Invented for trying Camino out. DOB 14 Mar 1961.")),
            File("alt.csv", "1,1,\"aka\",\"DEMOSTAR TRADING\",-0- "), File("add.csv", "1,1,\"Example Street 1\",\"Hamburg\",\"Germany\",-0- "), File("sdn_comments.csv"),
            File("cons_prim.csv", Entry(900, "EJEMPLO PROHIBIDO S.A. DE C.V.", Empty, "Invented for trying Camino out.")), File("cons_alt.csv"), File("cons_add.csv"), File("cons_comments.csv"),
        ]);
        await import.RunAsync(lists, by, ct);
    }

    private static OfacFile File(string name, params string[] lines) => new(name, Encoding.Latin1.GetBytes(string.Join("\r\n", lines) + "\u001A"));

    private static string Entry(int number, string name, string kind, string remarks) => $"{number},\"{name}\",{kind},\"DEMO\",{Empty},{Empty},{Empty},{Empty},{Empty},{Empty},{Empty},\"{remarks}\"";
}
