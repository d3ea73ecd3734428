using Camino.Data;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Borrowers;

/// <summary>Numbers that authorities give. The values are stored and never change.</summary>
public enum IdentifierKind
{
    /// <summary>Social Security Number of a person.</summary>
    Ssn = 1,

    /// <summary>Individual Taxpayer Identification Number of a person.</summary>
    Itin = 2,

    /// <summary>Employer Identification Number of a business.</summary>
    Ein = 3,
}

/// <summary>The number that is to be kept.</summary>
public sealed record IdentifierInput
{
    /// <summary><c>ssn</c>, <c>itin</c> or <c>ein</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>Nine digits; hyphens and spaces between them do not matter.</summary>
    public string? Value { get; init; }

    /// <summary>The owner whose number it is; left out for the borrower's own.</summary>
    public Guid? OwnerId { get; init; }
}

/// <summary>Keeps a number encrypted, beside its keyed hash and its last four digits; another of the same kind is replaced.</summary>
public sealed class SetIdentifier(CaminoDb db, FieldVault vault, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>borrower.not_found</c>, <c>borrower.version</c>, <c>borrower.owner_not_found</c>, <c>input.*</c>, <c>idempotency.*</c>; none repeats the number.</exception>
    public async Task<BorrowerAnswer> RunAsync(Guid id, IdentifierInput input, AskedBy by, CancellationToken ct)
    {
        var kind = Read(input.Kind);
        var digits = CheckedDigits(kind, input.Value);
        var hash = await vault.HashAsync(digits, ct);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // the fingerprint holds the keyed hash: from a bare one of nine digits the number could be reckoned
        if (await db.ClaimAsync(by, $"borrower.identifier {id} {kind} {input.OwnerId} {Convert.ToHexString(hash)}", at, ct) is { } before)
            return BorrowerTable.Repeated(before);
        var version = await db.TouchBorrowerAsync(id, by, at, ct);
        var owner = input.OwnerId ?? id;
        var kindId = (short)kind;
        if (input.OwnerId is not null)
            Refuse.If(!await db.Database.SqlQuery<bool>($"select exists (select from camino.borrower_owners where id = {owner} and borrower_id = {id}) as \"Value\"").SingleAsync(ct), "borrower.owner_not_found", "This owner is none of this borrower; look again.");
        await db.Database.ExecuteSqlAsync($"delete from camino.borrower_identifiers where borrower_id = {id} and coalesce(owner_id, borrower_id) = {owner} and kind = {kindId}", ct);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.borrower_identifiers (id, borrower_id, owner_id, kind, sealed, hash, last4, set_at, set_by)
            values ({Guid.CreateVersion7()}, {id}, nullif({owner}, {id}), {kindId}, {vault.Seal(digits)}, {hash}, {digits[^4..]}, {at}, {by.UserId})
            """, ct);
        return await db.AnswerAsync(transaction, new BorrowerAnswer(id, version), by, "borrower.identifier-set", at, new { version, kind = Words.Camel(kind), ownerId = input.OwnerId }, ct);
    }

    /// <exception cref="RefusedException"><c>input.kind</c>.</exception>
    internal static IdentifierKind Read(string? kind) => kind?.Trim() switch
    {
        "ssn" => IdentifierKind.Ssn,
        "itin" => IdentifierKind.Itin,
        "ein" => IdentifierKind.Ein,
        _ => throw new RefusedException("input.kind", $"kind is ssn, itin or ein; got {InputText.Short(kind)}."),
    };

    /// <summary>The nine digits of a number that such an authority may have given.</summary>
    /// <param name="field">What the number is called in the body.</param>
    /// <exception cref="RefusedException"><c>input.FIELD</c>; the number is not repeated.</exception>
    internal static string CheckedDigits(IdentifierKind kind, string? value, string field = "value")
    {
        Refuse.If((value ?? "").Any(c => !char.IsAsciiDigit(c) && c is not ('-' or ' ')), "input." + field, "The number is nine digits, with or without hyphens; there is something else in it.");
        var digits = CheckedBorrower.Digits(value);
        Refuse.If(digits.Length != 9, "input." + field, $"The number is nine digits, with or without hyphens; got {digits.Length} digits.");
        var isGivenOut = kind switch
        {
            IdentifierKind.Ssn => digits[..3] is not ("000" or "666") && digits[0] != '9' && digits[3..5] != "00" && digits[5..] != "0000",
            IdentifierKind.Itin => digits[0] == '9' && digits[3] >= '5',
            _ => digits[..2] is not ("00" or "07" or "08" or "09" or "17" or "18" or "19" or "28" or "29" or "49" or "69" or "70" or "78" or "79" or "89" or "96" or "97"),
        };
        Refuse.If(!isGivenOut, "input." + field, "No such number is ever given out; compare its digits, and its kind.");
        return digits;
    }
}

/// <summary>Shows a number in full to one person, and writes down that it did.</summary>
public sealed class RevealIdentifier(CaminoDb db, FieldVault vault, TimeProvider clock)
{
    /// <param name="identifierId">Of a number of this borrower or of one of its owners.</param>
    /// <returns>The nine digits.</returns>
    /// <exception cref="RefusedException"><c>identifier.not_found</c>.</exception>
    public async Task<string> RunAsync(Guid id, Guid identifierId, Guid by, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<Stored>($"select sealed as \"Sealed\", kind as \"Kind\", owner_id as \"OwnerId\" from camino.borrower_identifiers where id = {identifierId} and borrower_id = {id}").SingleOrDefaultAsync(ct)
            ?? throw new RefusedException("identifier.not_found", "This borrower has no such number.");
        var digits = vault.Open(found.Sealed);
        db.AuditEntries.Add(new Audit.AuditEntry(
            clock.GetUtcNow(), by, "borrower.identifier-revealed", "borrower", id.ToString(), System.Text.Json.JsonSerializer.Serialize(new { kind = Words.Camel((IdentifierKind)found.Kind), ownerId = found.OwnerId })));
        await db.SaveChangesAsync(ct); // shown only when this is stored
        return digits;
    }

    private sealed record Stored(byte[] Sealed, short Kind, Guid? OwnerId);
}
