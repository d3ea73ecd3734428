using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Notices;
using Microsoft.EntityFrameworkCore;

namespace Camino.Imports;

/// <summary>How operations find and queue an import.</summary>
internal static class ImportAccess
{
    /// <summary>Loads the import and locks its row until the end of the transaction, so that a person's decision and the running job do not cross.</summary>
    /// <exception cref="RefusedException"><c>import.not_found</c>.</exception>
    public static async Task<Import> ImportForChangeAsync(this CaminoDb db, Guid id, CancellationToken ct) =>
        await db.Imports.FromSql($"select *, xmin from camino.imports where id = {id} for update").SingleOrDefaultAsync(ct)
        ?? throw new RefusedException("import.not_found", $"There is no import {id}.");

    /// <summary>The saved mapping of that name without regard to case, or null.</summary>
    public static Task<SavedMapping?> NamedAsync(this DbSet<SavedMapping> mappings, string name, CancellationToken ct)
    {
        var wanted = name.Trim();
        return mappings.FromSql($"select * from camino.saved_mappings where lower(name) = lower({wanted}) order by name = {wanted} desc limit 1").FirstOrDefaultAsync(ct);
    }

    /// <summary>Queues the step that the import's plan asks for next.</summary>
    public static Guid EnqueueImportStep(this CaminoDb db, Import import)
    {
        var options = new JobOptions { RequestedBy = import.RequestedBy.ToString() };
        return import.Plan == ImportPlan.Load ? db.Enqueue(new LoadPortfolio(import.Id), options) : db.Enqueue(new CheckPortfolio(import.Id), options);
    }
}

/// <summary>A person looked at the dry run and wants the rows stored.</summary>
public sealed class LoadImport(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>import.not_found</c>, <c>import.not_checked</c>.</exception>
    public async Task<Import> RunAsync(Guid importId, Guid userId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var import = await db.ImportForChangeAsync(importId, ct);
        import.DecideToLoad();
        import.HandTo(db.EnqueueImportStep(import));
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "import.load_decided", "import", importId.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return import;
    }
}

/// <summary>A person stops an import. What was committed until then stays, and stays reported.</summary>
public sealed class CancelImport(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>import.not_found</c>, <c>import.is_over</c>.</exception>
    public async Task<Import> RunAsync(Guid importId, Guid userId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var import = await db.ImportForChangeAsync(importId, ct);
        import.Cancel(clock.GetUtcNow());
        if (userId != import.RequestedBy)
            db.Notices.Add(new Notice(import.RequestedBy, "Notice.ImportCancelled", [import.FileName], $"/imports/{importId}", clock.GetUtcNow()));
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "import.cancelled", "import", importId.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return import;
    }
}

/// <summary>Staff said which column is what; the dry run starts over with it.</summary>
public sealed class MapImport(CaminoDb db, TimeProvider clock)
{
    /// <param name="saveAs">A name under which the mapping is kept for later files, 1 to 60 characters; null keeps it for this import only.</param>
    /// <exception cref="RefusedException"><c>import.not_found</c>, <c>import.not_waiting_for_mapping</c>, <c>import.mapping_name</c>, <c>import.mapping_columns</c>, <c>import.mapping.demographic</c>.</exception>
    public async Task<Import> RunAsync(Guid importId, Layout layout, string? saveAs, Guid userId, CancellationToken ct)
    {
        Refuse.If(saveAs is { Length: > 60 }, "import.mapping_name", $"The mapping's name has {saveAs?.Length} characters; at most 60 are allowed.");
        Refuse.If(layout.Columns.Count == 0, "import.mapping_columns", "No column is chosen; say at least which one is the loan number and one amount.");
        if (layout.Columns.FirstOrDefault(use => Headings.IsDemographic(use.Column)) is { } answers)
            throw new RefusedException("import.mapping.demographic", $"\"{answers.Column}\" holds answers about race, ethnicity, sex or veteran status; they are not taken in (12 CFR 1002.5(b)).");

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var import = await db.ImportForChangeAsync(importId, ct);
        var json = JsonSerializer.Serialize(layout, ImportJson.Default.Layout);
        import.Map(layout.Name, json);
        import.HandTo(db.EnqueueImportStep(import));
        if (!string.IsNullOrWhiteSpace(saveAs))
        {
            var name = saveAs.Trim();
            var saved = await db.SavedMappings.NamedAsync(name, ct);
            if (saved is null)
                db.SavedMappings.Add(new SavedMapping(name, json, userId, clock.GetUtcNow()));
            else
                saved.Replace(json);
        }

        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "import.mapped", "import", importId.ToString()));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return import;
    }
}
