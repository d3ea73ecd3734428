using Camino.Data;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Borrowers;

/// <summary>An account at a US bank.</summary>
public sealed record BankAccountInput
{
    /// <summary>Whose account it is: 1 to 200 characters.</summary>
    public string? Holder { get; init; }

    /// <summary>The bank's routing number: nine digits with their check digit.</summary>
    public string? Routing { get; init; }

    /// <summary>4 to 17 digits.</summary>
    public string? Account { get; init; }

    internal bool IsEmpty => string.IsNullOrWhiteSpace(Holder) && string.IsNullOrWhiteSpace(Routing) && string.IsNullOrWhiteSpace(Account);
}

/// <summary>A bank account that keeps every limit.</summary>
/// <param name="Account">4 to 17 digits.</param>
internal sealed record CheckedBankAccount(string Holder, string Routing, string Account)
{
    /// <summary>What a keyed hash is made of: the same for the same account.</summary>
    public string Digits => Routing + "/" + Account;

    public string Last4 => Account[^4..];

    /// <param name="holder">Whose it is where the input does not say so.</param>
    /// <exception cref="RefusedException"><c>input.holder</c>, <c>input.routing</c>, <c>input.account</c>; none repeats the number.</exception>
    public static CheckedBankAccount Read(BankAccountInput input, string? holder = null)
    {
        var name = CheckedBorrower.Text("holder", string.IsNullOrWhiteSpace(input.Holder) ? holder : input.Holder, CheckedBorrower.LongestName);
        var routing = input.Routing?.Trim() ?? "";
        Refuse.If(!IsRouting(routing), "input.routing", "routing is a bank's routing number: nine digits whose check digit fits; these do not.");
        var account = input.Account?.Trim() ?? "";
        Refuse.If(account.Length is < 4 or > 17 || !account.All(char.IsAsciiDigit), "input.account", $"account has 4 to 17 digits and nothing else; got {account.Length} characters.");
        return new CheckedBankAccount(name, routing, account);
    }

    /// <summary>Nine digits, weighted 3, 7 and 1 in turn, whose sum is a multiple of ten (the check of the American Bankers Association).</summary>
    internal static bool IsRouting(string text) =>
        text.Length == 9 && text.All(char.IsAsciiDigit) && text.Any(c => c != '0') && text.Select((c, i) => (c - '0') * (i % 3 == 0 ? 3 : i % 3 == 1 ? 7 : 1)).Sum() % 10 == 0;
}

/// <summary>Adds a bank account; it counts as not verified until somebody says so.</summary>
public sealed class AddBankAccount(CaminoDb db, FieldVault vault, TimeProvider clock)
{
    /// <summary>Accounts of one borrower.</summary>
    public const int Most = 20;

    /// <exception cref="RefusedException"><c>borrower.not_found</c>, <c>borrower.version</c>, <c>borrower.too_many_accounts</c>, <c>input.*</c>, <c>idempotency.*</c>; none repeats the number.</exception>
    public async Task<BorrowerAnswer> RunAsync(Guid id, BankAccountInput input, AskedBy by, CancellationToken ct)
    {
        var given = CheckedBankAccount.Read(input);
        var hash = await vault.HashAsync(given.Digits, ct);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"borrower.account {id} {given.Holder} {Convert.ToHexString(hash)}", at, ct) is { } before)
            return BorrowerTable.Repeated(before);
        var version = await db.TouchBorrowerAsync(id, by, at, ct);
        var there = await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.borrower_accounts where borrower_id = {id}").SingleAsync(ct);
        Refuse.If(there >= Most, "borrower.too_many_accounts", $"A borrower has at most {Most} bank accounts; remove one first.");
        var accountId = Guid.CreateVersion7();
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.borrower_accounts (id, borrower_id, holder, routing, sealed, last4, added_at, added_by)
            values ({accountId}, {id}, {given.Holder}, {given.Routing}, {vault.Seal(given.Account)}, {given.Last4}, {at}, {by.UserId})
            """, ct);
        return await db.AnswerAsync(transaction, new BorrowerAnswer(id, version), by, "borrower.account-added", at, new { version, accountId }, ct);
    }
}

/// <summary>Says that an account was proven to be the borrower's. Another person than the one who added it must say so.</summary>
public sealed class VerifyBankAccount(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>borrower.not_found</c>, <c>borrower.version</c>, <c>account.not_found</c>, <c>account.verified</c>, <c>account.own</c>, <c>idempotency.*</c>.</exception>
    public async Task<BorrowerAnswer> RunAsync(Guid id, Guid accountId, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"borrower.account-verify {id} {accountId}", at, ct) is { } before)
            return BorrowerTable.Repeated(before);
        var version = await db.TouchBorrowerAsync(id, by, at, ct);
        var found = await db.Database.SqlQuery<Stored>($"select added_by as \"AddedBy\", verified_at is not null as \"IsVerified\" from camino.borrower_accounts where id = {accountId} and borrower_id = {id}").SingleOrDefaultAsync(ct)
            ?? throw new RefusedException("account.not_found", "This borrower has no such bank account.");
        Refuse.If(found.IsVerified, "account.verified", "This bank account is verified already.");
        Refuse.If(found.AddedBy == by.UserId, "account.own", "Another person than the one who added a bank account verifies it.");
        await db.Database.ExecuteSqlAsync($"update camino.borrower_accounts set verified_at = {at}, verified_by = {by.UserId} where id = {accountId}", ct);
        return await db.AnswerAsync(transaction, new BorrowerAnswer(id, version), by, "borrower.account-verified", at, new { version, accountId }, ct);
    }

    private sealed record Stored(Guid AddedBy, bool IsVerified);
}

/// <summary>Removes a bank account.</summary>
public sealed class RemoveBankAccount(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>borrower.not_found</c>, <c>borrower.version</c>, <c>account.not_found</c>, <c>idempotency.*</c>.</exception>
    public async Task<BorrowerAnswer> RunAsync(Guid id, Guid accountId, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"borrower.account-remove {id} {accountId}", at, ct) is { } before)
            return BorrowerTable.Repeated(before);
        var version = await db.TouchBorrowerAsync(id, by, at, ct);
        Refuse.If(await db.Database.ExecuteSqlAsync($"delete from camino.borrower_accounts where id = {accountId} and borrower_id = {id}", ct) == 0, "account.not_found", "This borrower has no such bank account.");
        return await db.AnswerAsync(transaction, new BorrowerAnswer(id, version), by, "borrower.account-removed", at, new { version, accountId }, ct);
    }
}
