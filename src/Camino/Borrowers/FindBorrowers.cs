using Camino.Branches;
using Camino.Lending;
using Npgsql;

namespace Camino.Borrowers;

/// <summary>A number to find a borrower by; it comes in a body, never in an address.</summary>
public sealed record FindInput
{
    /// <summary>A whole tax number (nine digits), its last four, or a phone number (7 to 15 digits); what stands between the digits does not matter.</summary>
    public string? Number { get; init; }
}

/// <summary>Finds borrowers by a number: a tax number by its keyed hash, the last four of one, or a phone.</summary>
public sealed class FindBorrowers(NpgsqlDataSource source, FieldVault vault, BranchScope? scope = null)
{
    /// <summary>Borrowers found at most.</summary>
    public const int Most = 50;

    private const string Columns =
        """
        select b.id, b.name, b.trade_name, b.kind, b.language, a.city, a.state,
               (select count(*) from (select from camino.loan_borrowers k where k.borrower_id = b.id limit 100) l)::int, b.sort_name
        from camino.borrowers b left join camino.borrower_addresses a on a.borrower_id = b.id and a.position = 1
        where b.merged_into is null
        """;

    /// <exception cref="RefusedException"><c>input.number</c>; the number is not repeated.</exception>
    public async Task<IReadOnlyList<BorrowerLine>> RunAsync(FindInput input, CancellationToken ct)
    {
        Refuse.If(input.Number is { Length: > 40 }, "input.number", $"number has at most 40 characters; got {input.Number?.Length}.");
        var digits = CheckedBorrower.Digits(input.Number);
        Refuse.If(digits.Length != 4 && digits.Length is < 7 or > 15, "input.number", $"number is a tax number (nine digits), its last four, or a phone number (7 to 15 digits); got {digits.Length} digits.");
        await using var command = await CommandAsync(digits, ct);
        return await ListBorrowers.ReadAsync(command, ct);
    }

    /// <summary>The statement that finds these digits.</summary>
    internal async Task<NpgsqlCommand> CommandAsync(string digits, CancellationToken ct)
    {
        var phone = CheckedBorrower.PhoneDigits(digits);
        var command = source.CreateCommand();
        var seen = scope?.Seen;
        string Lines(string parameter) => Columns + BranchSql.And(seen, BranchSql.Row("b", parameter)) + " and b.id in";
        switch (digits.Length)
        {
            case 4:
                command.CommandText = $"{Lines("$2")} (select i.borrower_id from camino.borrower_identifiers i where i.last4 = $1) order by b.id desc limit 50";
                command.Parameters.Add(new NpgsqlParameter { Value = digits });
                break;
            case 9:
                command.CommandText = $"{Lines("$3")} (select i.borrower_id from camino.borrower_identifiers i where i.hash = $2 union all select c.borrower_id from camino.borrower_contacts c where c.digits = $1) order by b.id desc limit 50";
                command.Parameters.Add(new NpgsqlParameter { Value = phone });
                command.Parameters.Add(new NpgsqlParameter { Value = await vault.HashAsync(digits, ct) });
                break;
            default:
                command.CommandText = $"{Lines("$2")} (select c.borrower_id from camino.borrower_contacts c where c.digits = $1) order by b.id desc limit 50";
                command.Parameters.Add(new NpgsqlParameter { Value = phone });
                break;
        }

        command.AddNextBranches(seen);
        return command;
    }
}
