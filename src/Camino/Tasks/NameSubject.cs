using Npgsql;

namespace Camino.Tasks;

/// <summary>How people call what a task or a note is about.</summary>
public sealed class NameSubject(NpgsqlDataSource source)
{
    /// <summary>The name of a borrower or of an applicant, or the number of a loan; null where there is no such thing.</summary>
    public async Task<string?> RunAsync(SubjectKind kind, Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            """
            select name from camino.borrowers where $1 = 1 and id = $2 and merged_into is null
            union all select name from camino.applications where $1 = 2 and id = $2
            union all select number from camino.serviced_loans where $1 = 3 and id = $2
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = (short)kind });
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        return (string?)await command.ExecuteScalarAsync(ct);
    }
}
