using Camino.Borrowers;
using Camino.Branches;
using Npgsql;

namespace Camino.Applications;

/// <summary>Somebody who is known already and may be the same.</summary>
/// <param name="Number">Of an application; null for a borrower.</param>
/// <param name="Why">What is the same: <c>name</c>, <c>phone</c>, <c>taxNumber</c>.</param>
public sealed record DuplicateView(Guid Id, string Name, string? Number, IReadOnlyList<string> Why)
{
    /// <summary>Where it is shown.</summary>
    public string Link => (Number is null ? "/borrowers/" : "/applications/") + Id;
}

/// <summary>Finds borrowers and other applications that share the name (without accents and the company's form), a phone or a tax number; each from its index.</summary>
public sealed class FindDuplicates(NpgsqlDataSource source, FieldVault vault, BranchScope? scope = null)
{
    /// <summary>Found at most.</summary>
    public const int Most = 20;

    private const string Found =
        """
        with found (id, why) as (
            (select b.id, 'name' from camino.borrowers b where $1 <> '' and b.merged_into is null and b.sort_name >= camino.core_words($1) and b.sort_name < camino.core_words($1) || U&'\+10FFFF'
                and camino.core_words(b.name) = camino.core_words($1) limit 20)
            union all (select c.borrower_id, 'phone' from camino.borrower_contacts c where c.digits = any($2) limit 20)
            union all (select i.borrower_id, 'taxNumber' from camino.borrower_identifiers i where i.hash = any($3) and i.kind <> 3 or i.hash = any($5) and i.kind = 3 limit 20)
        ), applied (id, why) as (
            (select a.id, 'name' from camino.applications a where $1 <> '' and a.core_name = camino.core_words($1) limit 20)
            union all (select c.application_id, 'phone' from camino.application_contacts c where c.digits = any($2) limit 20)
            union all (select i.application_id, 'taxNumber' from camino.application_identifiers i where i.hash = any($3) and i.kind <> 3 or i.hash = any($5) and i.kind = 3 limit 20)
        )
        (select b.id, b.name, null::text, array_agg(distinct f.why) from found f join camino.borrowers b on b.id = f.id where b.merged_into is null and ($6::uuid[] is null or b.branch_id is null or b.branch_id = any($6)) group by b.id, b.name order by count(distinct f.why) desc, b.id desc limit 20)
        union all
        (select a.id, a.name, a.number, array_agg(distinct f.why) from applied f join camino.applications a on a.id = f.id where a.id <> $4 and ($6::uuid[] is null or a.branch_id is null or a.branch_id = any($6)) group by a.id, a.name, a.number order by count(distinct f.why) desc, a.id desc limit 20)
        """;

    /// <summary>Who may be the same as what is being typed; what is empty or no number is not looked for.</summary>
    public async Task<IReadOnlyList<DuplicateView>> OfInputAsync(ApplicationInput input, CancellationToken ct)
    {
        var persons = await HashAsync((input.Owners ?? []).Select(owner => owner.TaxNumber), ct);
        var businesses = await HashAsync([input.Ein], ct);
        var phones = (input.Phones ?? []).Select(CheckedBorrower.Digits).Where(digits => digits.Length is >= 7 and <= 15).Select(CheckedBorrower.PhoneDigits);
        var name = Imports.StorableText.Of(input.Name?.Trim() ?? "");
        await using var command = Command(source, name.Length > CheckedBorrower.LongestName ? "" : name, [.. phones], persons, businesses, Guid.Empty, scope?.Seen);
        return await ReadAsync(command, ct);
    }

    /// <summary>Who may be the same as an application that is there.</summary>
    public async Task<IReadOnlyList<DuplicateView>> OfApplicationAsync(Guid id, CancellationToken ct)
    {
        await using var known = source.CreateCommand(
            """
            select a.name, coalesce((select array_agg(c.digits) from camino.application_contacts c where c.application_id = a.id and c.digits is not null), '{}'),
                coalesce((select array_agg(i.hash) from camino.application_identifiers i where i.application_id = a.id and i.kind <> 3), '{}'),
                coalesce((select array_agg(i.hash) from camino.application_identifiers i where i.application_id = a.id and i.kind = 3), '{}')
            from camino.applications a where a.id = $1
            """);
        known.Parameters.Add(new NpgsqlParameter { Value = id });
        string name;
        string[] phones;
        byte[][] persons, businesses;
        await using (var row = await known.ExecuteReaderAsync(ct))
        {
            if (!await row.ReadAsync(ct))
                return [];
            (name, phones, persons, businesses) = (row.GetString(0), row.GetFieldValue<string[]>(1), row.GetFieldValue<byte[][]>(2), row.GetFieldValue<byte[][]>(3));
        }

        await using var command = Command(source, name, phones, persons, businesses, id, scope?.Seen);
        return await ReadAsync(command, ct);
    }

    /// <summary>The statement that looks for them.</summary>
    /// <param name="persons">Hashes of the numbers of persons: the nine digits of an SSN may be another's EIN, so each is looked for among its own.</param>
    /// <param name="businesses">Hashes of EINs.</param>
    /// <param name="but">The application itself.</param>
    /// <param name="branches">What is seen; null: everything.</param>
    internal static NpgsqlCommand Command(NpgsqlDataSource source, string name, string[] phones, byte[][] persons, byte[][] businesses, Guid but, Guid[]? branches = null)
    {
        var command = source.CreateCommand(Found);
        command.Parameters.Add(new NpgsqlParameter { Value = name });
        command.Parameters.Add(new NpgsqlParameter { Value = phones });
        command.Parameters.Add(new NpgsqlParameter { Value = persons });
        command.Parameters.Add(new NpgsqlParameter { Value = but });
        command.Parameters.Add(new NpgsqlParameter { Value = businesses });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)branches ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Uuid });
        return command;
    }

    /// <summary>Of each number with nine digits.</summary>
    private async Task<byte[][]> HashAsync(IEnumerable<string?> numbers, CancellationToken ct)
    {
        var hashes = new List<byte[]>();
        foreach (var digits in numbers.Select(CheckedBorrower.Digits).Where(digits => digits.Length == 9).Distinct(StringComparer.Ordinal))
            hashes.Add(await vault.HashAsync(digits, ct));
        return [.. hashes];
    }

    private static async Task<IReadOnlyList<DuplicateView>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var rows = await command.ExecuteReaderAsync(ct);
        var found = new List<DuplicateView>();
        while (await rows.ReadAsync(ct))
            found.Add(new DuplicateView(rows.GetGuid(0), rows.GetString(1), await rows.IsDBNullAsync(2, ct) ? null : rows.GetString(2), rows.GetFieldValue<string[]>(3)));
        return found;
    }
}
