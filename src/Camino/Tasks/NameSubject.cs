using Camino.Branches;
using Npgsql;

namespace Camino.Tasks;

/// <summary>How people call what a task or a note is about.</summary>
public sealed class NameSubject(NpgsqlDataSource source, BranchScope scope)
{
    /// <summary>The name of a borrower or of an applicant, or the number of a loan; null where there is no such thing.</summary>
    public async Task<string?> RunAsync(SubjectKind kind, Guid id, CancellationToken ct)
    {
        var seen = scope.Seen;
        await using var command = source.CreateCommand(
            $"""
            select r.name from camino.borrowers r where $1 = 1 and r.id = $2 and r.merged_into is null{BranchSql.And(seen, BranchSql.Row("r", "$3"))}
            union all select r.name from camino.applications r where $1 = 2 and r.id = $2{BranchSql.And(seen, BranchSql.Row("r", "$3"))}
            union all select r.number from camino.serviced_loans r where $1 = 3 and r.id = $2{BranchSql.And(seen, BranchSql.Loan("r.id", "$3"))}
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = (short)kind });
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.AddNextBranches(seen);
        return (string?)await command.ExecuteScalarAsync(ct);
    }
}
