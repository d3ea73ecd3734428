using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Branches;

/// <summary>Where something is to go.</summary>
public sealed record MoveInput
{
    /// <summary>Code of an open branch or team; empty or left out: to the whole house.</summary>
    public string? Branch { get; init; }

    /// <summary>Code of the branch in which it was seen; empty: of the whole house. Left out: wherever it is.</summary>
    public string? From { get; init; }

    /// <summary>Of a borrower: its loans that are where it is go with it.</summary>
    public bool WithLoans { get; init; }

    /// <summary>3 to 300 characters; kept in the audit trail.</summary>
    public string? Reason { get; init; }
}

/// <summary>What was moved.</summary>
/// <param name="Branch">Its code; null: the whole house's.</param>
/// <param name="Loans">How many loans went along.</param>
public sealed record MoveAnswer(Guid Id, string? Branch, int Loans)
{
    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }
}

/// <summary>Moves a borrower, an application or a loan to another branch: with a reason, and an entry in the audit trail.</summary>
public sealed class MoveToBranch(CaminoDb db, TimeProvider clock)
{
    private sealed record Stored(Guid? Id, string? Code);

    /// <exception cref="RefusedException"><c>branch.reason</c>, <c>branch.house</c>, <c>branch.moved</c>, <c>branch.same</c>, <c>input.branch</c>, <c>*.not_found</c>, <c>idempotency.*</c>.</exception>
    public async Task<MoveAnswer> RunAsync(BranchThing thing, Guid id, MoveInput input, AskedBy by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"branch.move {thing} {id} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}", at, ct) is { } before)
            return (JsonSerializer.Deserialize<MoveAnswer>(before, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true };
        var why = BranchTable.Reason(input.Reason);
        Refuse.If(db.Scope.IsBound && string.IsNullOrWhiteSpace(input.Branch), "branch.house", "Only who is bound to no branch gives something to the whole house.");
        var to = string.IsNullOrWhiteSpace(input.Branch) ? (Guid?)null : await db.OpenBranchAsync(input.Branch, ct);
        var from = await LockAsync(thing, id, ct);
        Refuse.If(input.From is not null && !string.Equals(input.From.Trim(), from.Code ?? "", StringComparison.OrdinalIgnoreCase), "branch.moved", "It was moved meanwhile; look where it is now.");
        Refuse.If(from.Id == to, "branch.same", "It is there already.");
        var loans = await PutAsync(thing, id, from.Id, to, input.WithLoans, by.UserId, at, ct);
        var answer = new MoveAnswer(id, to is null ? null : input.Branch?.Trim().ToUpperInvariant(), loans);
        var subject = thing switch { BranchThing.Borrower => "borrower", BranchThing.Application => "application", BranchThing.PortfolioLoan => "portfolio_loan", _ => "loan" };
        db.AuditEntries.Add(new AuditEntry(at, by.UserId, subject + ".moved", subject, id.ToString(), JsonSerializer.Serialize(new { from = from.Id, to, loans, reason = why })));
        await db.SaveChangesAsync(ct);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }

    /// <summary>Has other moves of it wait, and says where it is. One that is not seen is not there.</summary>
    private async Task<Stored> LockAsync(BranchThing thing, Guid id, CancellationToken ct)
    {
        // the lock in one statement, the look in the next: a statement that waited would still see what was before
        var locked = thing switch
        {
            BranchThing.Borrower => await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.borrowers where id = {id} and merged_into is null for update").ToListAsync(ct),
            BranchThing.Application => await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.applications where id = {id} for update").ToListAsync(ct),
            BranchThing.PortfolioLoan => await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.loans where id = {id} for update").ToListAsync(ct),
            _ => await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.serviced_loans where id = {id} for update").ToListAsync(ct),
        };
        var found = locked.Count == 0 ? [] : thing switch
        {
            BranchThing.Borrower => await db.Database.SqlQuery<Stored>($"select r.id as \"Id\", r.code as \"Code\" from camino.borrowers x left join camino.branches r on r.id = x.branch_id where x.id = {id}").ToListAsync(ct),
            BranchThing.Application => await db.Database.SqlQuery<Stored>($"select r.id as \"Id\", r.code as \"Code\" from camino.applications x left join camino.branches r on r.id = x.branch_id where x.id = {id}").ToListAsync(ct),
            _ => await db.Database.SqlQuery<Stored>($"select r.id as \"Id\", r.code as \"Code\" from (select {id} as id) x left join camino.loan_branches k on k.loan_id = x.id left join camino.branches r on r.id = k.branch_id").ToListAsync(ct),
        };
        if (found.Count == 1 && db.Scope.Sees(found[0].Id))
            return found[0];
        throw thing switch
        {
            BranchThing.Borrower => new RefusedException("borrower.not_found", $"There is no borrower {id}."),
            BranchThing.Application => new RefusedException("application.not_found", $"There is no application {id}."),
            _ => new RefusedException("loan.not_found", $"There is no loan {id}."),
        };
    }

    private async Task<int> PutAsync(BranchThing thing, Guid id, Guid? from, Guid? to, bool withLoans, Guid by, DateTimeOffset at, CancellationToken ct)
    {
        switch (thing)
        {
            case BranchThing.Borrower:
                await db.Database.ExecuteSqlAsync($"update camino.borrowers set branch_id = {to}, version = version + 1, changed_at = {at}, changed_by = {by} where id = {id}", ct);
                return withLoans ? await PutLoansAsync(id, from, to, ct) : 0;
            case BranchThing.Application:
                await db.Database.ExecuteSqlAsync($"update camino.applications set branch_id = {to} where id = {id}", ct);
                return 0;
            default:
                if (to is { } branch)
                    await db.Database.ExecuteSqlAsync($"insert into camino.loan_branches (loan_id, branch_id) values ({id}, {branch}) on conflict (loan_id) do update set branch_id = excluded.branch_id", ct);
                else
                    await db.Database.ExecuteSqlAsync($"delete from camino.loan_branches where loan_id = {id}", ct);
                return 0;
        }
    }

    /// <summary>The borrower's loans that are where the borrower was.</summary>
    private async Task<int> PutLoansAsync(Guid borrower, Guid? from, Guid? to, CancellationToken ct) => (from, to) switch
    {
        ({ } there, { } branch) => await db.Database.ExecuteSqlAsync($"update camino.loan_branches l set branch_id = {branch} from camino.loan_borrowers k where k.borrower_id = {borrower} and l.loan_id = k.loan_id and l.branch_id = {there}", ct),
        ({ } there, null) => await db.Database.ExecuteSqlAsync($"delete from camino.loan_branches l using camino.loan_borrowers k where k.borrower_id = {borrower} and l.loan_id = k.loan_id and l.branch_id = {there}", ct),
        (null, { } branch) => await db.Database.ExecuteSqlAsync($"insert into camino.loan_branches (loan_id, branch_id) select k.loan_id, {branch} from camino.loan_borrowers k where k.borrower_id = {borrower} on conflict (loan_id) do nothing", ct),
        _ => 0,
    };
}
