using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Underwriting;

/// <summary>Publishes an invented credit policy for trying Camino out, where there is none yet.</summary>
public sealed class SeedPolicy(CaminoDb db, SavePolicyDraft save, PublishPolicy publish)
{
    private const string Resource = "Camino.Applications.Underwriting.DefaultPolicy.json";

    /// <summary>The policy that a new house may begin with.</summary>
    public static async Task<string> DocumentAsync(CancellationToken ct)
    {
        await using var stream = typeof(SeedPolicy).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"{Resource} is not part of the program.");
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(ct);
    }

    /// <param name="by">The demo officer, in whose name all of it is done.</param>
    public async Task RunAsync(Guid by, CancellationToken ct)
    {
        if (await db.Database.SqlQuery<bool>($"select exists (select from camino.credit_policies) as \"Value\"").SingleAsync(ct))
            return;
        await save.RunAsync(await DocumentAsync(ct), "Invented for trying Camino out", null, by, ct);
        await publish.RunAsync(by, ct);
    }
}
