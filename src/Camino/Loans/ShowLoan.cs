using System.Globalization;
using System.Text.Json;
using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.Loans;

/// <summary>One loan with the name of the file that it came from.</summary>
/// <param name="Loan">Read without tracking; pages only look.</param>
/// <param name="ImportFile">Name of the imported file; null where the import is not kept.</param>
public sealed record LoanView(Loan Loan, string? ImportFile);

/// <summary>One fact that an import changed. Texts as the database writes them; null where there was or is none.</summary>
/// <param name="Fact">Name of the fact: <c>BorrowerName</c>.</param>
public sealed record FactChange(string Fact, string? Before, string? After);

/// <summary>What one import changed about a loan.</summary>
public sealed record LoanChange(DateTimeOffset At, Guid ImportId, IReadOnlyList<FactChange> Facts);

/// <summary>Reads one loan and how it came to be as it is, in two queries.</summary>
public sealed class ShowLoan(CaminoDb db)
{
    /// <summary>Changes shown at most, the newest first.</summary>
    public const int MaxChanges = 50;

    private static readonly HashSet<string> NotFacts = ["id", "content_hash", "import_id", "import_line", "stored_at", "amount"];

    /// <summary>The loan, or null.</summary>
    public async Task<LoanView?> RunAsync(Guid id, CancellationToken ct)
    {
        var found = await (
            from loan in db.Loans
            join import in db.Imports on loan.ImportId equals import.Id into imports
            from import in imports.DefaultIfEmpty()
            where loan.Id == id
            select new { Loan = loan, FileName = import == null ? null : import.FileName }).AsNoTracking().SingleOrDefaultAsync(ct);
        return found is null ? null : new LoanView(found.Loan, found.FileName);
    }

    /// <summary>Every change that an import made, newest first: each stored version against the one that replaced it.</summary>
    public async Task<IReadOnlyList<LoanChange>> ChangesAsync(Guid id, CancellationToken ct)
    {
        var versions = await db.Database.SqlQuery<StoredVersion>(
            $"""
            select v.replaced_at as "ReplacedAt", v.replaced_by_import_id as "ImportId", v.facts::text as "Facts", to_jsonb(l)::text as "Present"
            from camino.loan_versions v join camino.loans l on l.id = v.loan_id
            where v.loan_id = {id} order by v.id desc limit {MaxChanges}
            """).ToListAsync(ct);
        var changes = new List<LoanChange>(versions.Count);
        var after = versions.Count == 0 ? "{}" : versions[0].Present;
        foreach (var version in versions)
        {
            changes.Add(new LoanChange(version.ReplacedAt, version.ImportId, Compare(version.Facts, after)));
            after = version.Facts;
        }

        return changes;
    }

    private static List<FactChange> Compare(string before, string after)
    {
        using var old = JsonDocument.Parse(before);
        using var replaced = JsonDocument.Parse(after);
        var changes = new List<FactChange>();
        foreach (var fact in old.RootElement.EnumerateObject().Where(fact => !NotFacts.Contains(fact.Name)))
        {
            var was = TextOf(fact.Value);
            var became = replaced.RootElement.TryGetProperty(fact.Name, out var value) ? TextOf(value) : null;
            if (!string.Equals(was, became, StringComparison.Ordinal))
                changes.Add(new FactChange(Pascal(fact.Name), was, became));
        }

        return changes;
    }

    private static string? TextOf(JsonElement value) => value.ValueKind is JsonValueKind.Null ? null : value.ToString();

    /// <summary><c>borrower_name</c> becomes <c>BorrowerName</c>, as the fact is called everywhere else.</summary>
    private static string Pascal(string column) =>
        string.Concat(column.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(word => char.ToUpper(word[0], CultureInfo.InvariantCulture) + word[1..]));

    private sealed record StoredVersion(DateTimeOffset ReplacedAt, Guid ImportId, string Facts, string Present);
}
