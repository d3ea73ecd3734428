using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;

namespace Camino.Imports;

/// <summary>Takes in one portfolio file: stores it, and queues the work on it; all or nothing.</summary>
public sealed class ReceiveImport(CaminoDb db, FileStore files, TimeProvider clock)
{
    /// <summary>Characters of a file name that are kept.</summary>
    public const int LongestFileName = 255;

    /// <param name="content">The bytes as they come; never held whole in memory.</param>
    /// <param name="fileName">What the person's machine calls it; folders in it are dropped.</param>
    /// <exception cref="RefusedException"><c>import.file.too_large</c>, <c>import.disk_full</c>, <c>import.file_name</c>.</exception>
    public async Task<Import> RunAsync(Stream content, string fileName, ImportPlan plan, Guid userId, CancellationToken ct)
    {
        var name = Clean(fileName);
        Refuse.If(name.Length == 0, "import.file_name", "The file has no name; give one of 1 to 255 characters.");

        var id = Guid.CreateVersion7();
        var stored = await files.SaveAsync(id, content, ct);
        var import = new Import(id, name, stored.Key, stored.SizeBytes, stored.Sha256, plan, userId, clock.GetUtcNow());
        import.HandTo(db.EnqueueImportStep(import));
        db.Imports.Add(import);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "import.received", "import", id.ToString(), JsonSerializer.Serialize(new { bytes = stored.SizeBytes, plan = plan.ToString() })));
        // from here on the file is whole; a client that hangs up now has handed it in
        await db.SaveChangesAsync(CancellationToken.None);
        return import;
    }

    /// <summary>The last part of a path in either style, without control characters.</summary>
    private static string Clean(string fileName)
    {
        var name = fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..];
        name = string.Concat(name.Where(c => !char.IsControl(c))).Trim();
        return name.Length <= LongestFileName ? name : name[..LongestFileName];
    }
}
