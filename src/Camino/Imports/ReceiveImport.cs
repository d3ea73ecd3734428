using System.Text.Json;
using Camino.Audit;
using Camino.Branches;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Imports;

/// <summary>One file as it is handed in.</summary>
/// <param name="Content">The bytes as they come; never held whole in memory.</param>
/// <param name="Name">What the person's machine calls it; folders in it are dropped.</param>
/// <param name="Plan">What is to happen with it.</param>
public sealed record HandedIn(Stream Content, string Name, ImportPlan Plan)
{
    /// <summary>Name of a saved mapping that says which column is what; null: the layout is recognised.</summary>
    public string? Mapping { get; init; }

    /// <summary>Code of the branch whose the loans are that come in new; null: the whole house's.</summary>
    public string? Branch { get; init; }

    /// <summary>Bytes that the sender announces, where it does.</summary>
    public long? ExpectedBytes { get; init; }
}

/// <summary>Takes in one portfolio file: stores it, and queues the work on it; all or nothing.</summary>
public sealed class ReceiveImport(CaminoDb db, FileStore files, IServiceScopeFactory scopes, TimeProvider clock)
{
    /// <summary>Characters of a file name that are kept.</summary>
    public const int LongestFileName = 255;

    /// <exception cref="RefusedException"><c>import.file.too_large</c>, <c>import.disk_full</c>, <c>import.file_name</c>, <c>import.mapping.not_found</c>.</exception>
    public async Task<Import> RunAsync(HandedIn file, Guid userId, CancellationToken ct)
    {
        var name = Clean(file.Name);
        Refuse.If(name.Length == 0, "import.file_name", "The file has no name; give one of 1 to 255 characters.");
        var mapping = file.Mapping is null ? null : await db.SavedMappings.NamedAsync(file.Mapping, ct) ?? throw new RefusedException("import.mapping.not_found", $"There is no saved mapping named {file.Mapping}.");

        var branch = await db.BranchForNewAsync(file.Branch, ct);
        var id = Guid.CreateVersion7();
        var stored = await files.SaveAsync(id, file.Content, file.ExpectedBytes, ct);
        try
        {
            var import = new Import(id, name, stored.Key, stored.SizeBytes, stored.Sha256, file.Plan, userId, clock.GetUtcNow());
            if (mapping is not null)
                import.Use(mapping);
            import.HandTo(db.EnqueueImportStep(import));
            db.Imports.Add(import);
            db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), userId, "import.received", "import", id.ToString(), JsonSerializer.Serialize(new { bytes = stored.SizeBytes, plan = file.Plan.ToString(), branch })));
            // from here on the file is whole; a client that hangs up now has handed it in
            await using var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None);
            await db.SaveChangesAsync(CancellationToken.None);
            if (branch is not null)
                await db.Database.ExecuteSqlAsync($"update camino.imports set branch_id = {branch} where id = {id}", CancellationToken.None);
            await transaction.CommitAsync(CancellationToken.None);
            return import;
        }
        catch
        {
            await TakeBackAsync(id, stored.Key);
            throw;
        }
    }

    /// <summary>
    /// A file without an import is no use to anybody. Whether a commit whose answer was lost took place, only the database knows: where it cannot be asked,
    /// the file stays until <see cref="SweepFiles"/> can ask.
    /// </summary>
    private async Task TakeBackAsync(Guid id, string key)
    {
        await using var scope = scopes.CreateAsyncScope();
        try
        {
            if (!await scope.ServiceProvider.GetRequiredService<CaminoDb>().Imports.AnyAsync(i => i.Id == id))
                files.Delete(key);
        }
        catch (Exception silent) when (silent is Npgsql.NpgsqlException or InvalidOperationException { InnerException: Npgsql.NpgsqlException })
        {
            // the first error is the one to tell
        }
    }

    /// <summary>The last part of a path in either style, without control characters.</summary>
    internal static string Clean(string fileName)
    {
        var name = fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..];
        return Shown.Cut(string.Concat(name.EnumerateRunes().Where(rune => !System.Text.Rune.IsControl(rune))).Trim(), LongestFileName);
    }
}
