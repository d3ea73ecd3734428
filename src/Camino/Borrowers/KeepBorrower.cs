using System.Text.Json;
using Camino.Audit;
using Camino.Branches;
using Camino.Data;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Borrowers;

/// <summary>What became of a borrower that was added or changed.</summary>
/// <param name="Version">Counts the changes; a change says which one it looked at.</param>
public sealed record BorrowerAnswer(Guid BorrowerId, int Version)
{
    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsRepeated { get; init; }
}

/// <summary>Adds a borrower.</summary>
public sealed class AddBorrower(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>input.*</c>, <c>idempotency.*</c>.</exception>
    public async Task<BorrowerAnswer> RunAsync(BorrowerInput input, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, "borrower.add " + JsonSerializer.Serialize(input, JsonSerializerOptions.Web), at, ct) is { } before)
            return BorrowerTable.Repeated(before);
        var given = CheckedBorrower.Read(input, isNew: true);
        var branch = await db.BranchForNewAsync(input.Branch, ct);
        var id = Guid.CreateVersion7();
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.borrowers (id, name, trade_name, kind, language, contact_by, created_at, created_by, branch_id)
            values ({id}, {given.Name}, {given.TradeName}, {given.Kind ?? 1}, {given.Language ?? "en"}, {given.ContactBy ?? "any"}, {at}, {by.UserId}, {branch})
            """, ct);
        await db.KeepListsAsync(id, given, ct);
        return await db.AnswerAsync(transaction, new BorrowerAnswer(id, 1), by, "borrower.added", at, new { version = 1, fields = given.Fields }, ct);
    }
}

/// <summary>Changes what is said about a borrower.</summary>
public sealed class ChangeBorrower(CaminoDb db, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>borrower.not_found</c>, <c>borrower.version</c>, <c>input.*</c>, <c>idempotency.*</c>.</exception>
    public async Task<BorrowerAnswer> RunAsync(Guid id, BorrowerInput input, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"borrower.change {id} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}", at, ct) is { } before)
            return BorrowerTable.Repeated(before);
        var given = CheckedBorrower.Read(input, isNew: false);
        Refuse.If(input.Branch is not null, "input.branch", "branch belongs to something new; what is there is moved with a reason.");
        var version = await db.TouchBorrowerAsync(id, by, at, ct);
        await db.Database.ExecuteSqlAsync(
            $"""
            update camino.borrowers set name = coalesce({given.Name}, name), trade_name = case when {given.HasTradeName} then {given.TradeName} else trade_name end,
                kind = coalesce({given.Kind}, kind), language = coalesce({given.Language}, language), contact_by = coalesce({given.ContactBy}, contact_by)
            where id = {id}
            """, ct);
        await db.KeepListsAsync(id, given, ct);
        return await db.AnswerAsync(transaction, new BorrowerAnswer(id, version), by, "borrower.changed", at, new { version, fields = given.Fields }, ct);
    }
}

/// <summary>The statements that operations on borrowers share.</summary>
internal static class BorrowerTable
{
    public static BorrowerAnswer Repeated(string answer) =>
        (JsonSerializer.Deserialize<BorrowerAnswer>(answer, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true };

    /// <summary>Locks a borrower, compares the version that was looked at and counts it up: the first statement of every change.</summary>
    /// <returns>The new version.</returns>
    /// <exception cref="RefusedException"><c>borrower.not_found</c>, <c>borrower.version</c>.</exception>
    public static async Task<int> TouchBorrowerAsync(this CaminoDb db, Guid id, AskedBy by, DateTimeOffset at, CancellationToken ct)
    {
        var (bound, branches) = (db.Scope.IsBound, db.Scope.Seen ?? []);
        var versions = await db.Database.SqlQuery<int>(
            $"update camino.borrowers set version = version + 1, changed_at = {at}, changed_by = {by.UserId} where id = {id} and merged_into is null and ({!bound} or branch_id is null or branch_id = any({branches})) returning version as \"Value\"").ToListAsync(ct);
        if (versions.Count == 0)
            await db.SayWhereItWentAsync(id, ct);
        Refuse.If(by.Version is { } seen && seen != versions[0] - 1, "borrower.version", $"The borrower has changed: version {by.Version} was looked at, it is now {versions[0] - 1}. Look again.");
        return versions[0];
    }

    /// <exception cref="RefusedException"><c>borrower.merged</c>, <c>borrower.not_found</c>; always one of them.</exception>
    private static async Task SayWhereItWentAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        var (bound, seen) = (db.Scope.IsBound, db.Scope.Seen ?? []);
        var survivors = await db.Database.SqlQuery<Guid>($"select s.id as \"Value\" from camino.borrowers b join camino.borrowers s on s.id = b.merged_into where b.id = {id} and ({!bound} or s.branch_id is null or s.branch_id = any({seen}))").ToListAsync(ct);
        if (survivors is [var survivor])
            throw new RefusedException("borrower.merged", $"This borrower was merged into {survivor}; go on there.");
        throw new RefusedException("borrower.not_found", $"There is no borrower {id}.");
    }

    /// <summary>Stores the lists that were given, each as a whole. Owners that are there keep their ids, and with them their identifiers.</summary>
    /// <exception cref="RefusedException"><c>borrower.owner_not_found</c>.</exception>
    public static async Task KeepListsAsync(this CaminoDb db, Guid id, CheckedBorrower given, CancellationToken ct)
    {
        if (given.Phones is { } phones)
            await db.ContactsAsync(id, 1, phones, ct);
        if (given.Emails is { } emails)
            await db.ContactsAsync(id, 2, emails, ct);
        if (given.Addresses is { } addresses)
        {
            await db.Database.ExecuteSqlAsync($"delete from camino.borrower_addresses where borrower_id = {id}", ct);
            await db.Database.ExecuteSqlAsync(
                $"""
                insert into camino.borrower_addresses (borrower_id, position, street, city, state, zip)
                select {id}, a.n, a.x ->> 'street', a.x ->> 'city', a.x ->> 'state', a.x ->> 'zip' from jsonb_array_elements({JsonSerializer.Serialize(addresses)}::jsonb) with ordinality a (x, n)
                """, ct);
        }

        if (given.Owners is { } owners)
            await db.OwnersAsync(id, owners, ct);
    }

    /// <summary>Audit entry, answer and commit: the end of every act on a borrower.</summary>
    /// <param name="details">Ids, counts and names of fields, never what they hold.</param>
    public static async Task<BorrowerAnswer> AnswerAsync(
        this CaminoDb db, Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction transaction, BorrowerAnswer answer, AskedBy by, string action, DateTimeOffset at, object details, CancellationToken ct)
    {
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, action, "borrower", answer.BorrowerId.ToString(), JsonSerializer.Serialize(details)));
        await db.SaveChangesAsync(ct);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }

    /// <summary>Writes down whose a new loan of the own book is: a borrower that is named, or one that is made with the loan.</summary>
    /// <returns>The borrower's name.</returns>
    /// <exception cref="RefusedException"><c>borrower.not_found</c>.</exception>
    public static async Task LinkNewLoanAsync(this CaminoDb db, Guid loanId, Guid? borrowerId, string name, DateTimeOffset at, Guid by, CancellationToken ct)
    {
        var (bound, seen) = (db.Scope.IsBound, db.Scope.Seen ?? []);
        var branch = borrowerId is null ? await db.BranchForNewAsync(null, ct) : null;
        var rows = borrowerId is { } known
            ? await db.Database.ExecuteSqlAsync($"insert into camino.loan_borrowers (loan_id, borrower_id, own_book) select {loanId}, id, true from camino.borrowers where id = {known} and merged_into is null and ({!bound} or branch_id is null or branch_id = any({seen}))", ct)
            : await db.Database.ExecuteSqlAsync(
                $"""
                with made as (
                    insert into camino.borrowers (id, name, match_key, created_at, created_by, branch_id) values ({Guid.CreateVersion7()}, {name}, md5('book|' || {loanId})::uuid, {at}, {by}, {branch}) returning id
                )
                insert into camino.loan_borrowers (loan_id, borrower_id, own_book) select {loanId}, id, true from made
                """, ct);
        Refuse.If(rows == 0, "borrower.not_found", $"There is no borrower {borrowerId}.");
        await db.Database.ExecuteSqlAsync(
            $"insert into camino.loan_branches (loan_id, branch_id) select {loanId}, b.branch_id from camino.loan_borrowers k join camino.borrowers b on b.id = k.borrower_id where k.loan_id = {loanId} and b.branch_id is not null", ct);
        // of a house-wide borrower, a loan that somebody of one branch books is that branch's
        if (borrowerId is not null && db.Scope.Home is { } home)
            await db.Database.ExecuteSqlAsync($"insert into camino.loan_branches (loan_id, branch_id) values ({loanId}, {home}) on conflict (loan_id) do nothing", ct);
    }

    private static async Task ContactsAsync(this CaminoDb db, Guid id, short kind, IReadOnlyList<CheckedContact> contacts, CancellationToken ct)
    {
        var first = (kind - 1) * CheckedBorrower.LongestList;
        await db.Database.ExecuteSqlAsync($"delete from camino.borrower_contacts where borrower_id = {id} and kind = {kind}", ct);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.borrower_contacts (borrower_id, position, kind, value, digits)
            select {id}, {first} + c.n, {kind}, c.x ->> 'value', c.x ->> 'digits' from jsonb_array_elements({JsonSerializer.Serialize(contacts)}::jsonb) with ordinality c (x, n)
            """, ct);
    }

    private static async Task OwnersAsync(this CaminoDb db, Guid id, IReadOnlyList<CheckedOwner> owners, CancellationToken ct)
    {
        var kept = owners.Where(owner => owner.Id is not null).Select(owner => owner.Id ?? Guid.Empty).Distinct().ToArray();
        var there = await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.borrower_owners where borrower_id = {id}").ToListAsync(ct);
        Refuse.If(kept.Except(there).Any() || kept.Length != owners.Count(owner => owner.Id is not null), "borrower.owner_not_found", "An owner that is to be changed is none of this borrower, or is named twice; look again.");
        await db.Database.ExecuteSqlAsync($"delete from camino.borrower_owners where borrower_id = {id} and not id = any({kept})", ct);
        var rows = JsonSerializer.Serialize(owners.Select(owner => owner with { Id = owner.Id ?? Guid.CreateVersion7() }));
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.borrower_owners (id, borrower_id, position, name, share_percent, is_guarantor)
            select (o.x ->> 'id')::uuid, {id}, o.n, o.x ->> 'name', (o.x ->> 'share_percent')::numeric, (o.x ->> 'is_guarantor')::boolean from jsonb_array_elements({rows}::jsonb) with ordinality o (x, n)
            on conflict (id) do update set position = excluded.position, name = excluded.name, share_percent = excluded.share_percent, is_guarantor = excluded.is_guarantor
            """, ct);
    }
}
