using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Microsoft.EntityFrameworkCore;

namespace Camino.Filters;

/// <summary>Keeps a person's filters of lists: names them, shares them, has one open first, takes them away. Nobody changes another's.</summary>
public sealed class KeepFilter(CaminoDb db, TimeProvider clock)
{
    /// <summary>Filters of one person and list.</summary>
    public const int Most = 20;

    /// <summary>Characters of a name.</summary>
    public const int LongestName = 60;

    /// <summary>Characters of what is kept.</summary>
    public const int LongestQuery = 2_000;

    /// <summary>What sharing says for everybody; a branch's id for its people; nothing for oneself alone.</summary>
    public const string Everybody = "all";

    private sealed record Stored(string List, string Name);

    /// <param name="query">What the list shows now, as its address.</param>
    /// <returns>The filter's id.</returns>
    /// <exception cref="RefusedException"><c>filter.*</c>.</exception>
    public async Task<Guid> AddAsync(FilterList list, string? name, string? query, string? share, Guid owner, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(list);
        var called = Name(name);
        var kept = list.Canonical(query);
        Refuse.If(kept.Length == 0, "filter.empty", "The list shows everything; choose something first.");
        Refuse.If(kept.Length > LongestQuery, "filter.too_long", $"A filter has at most {LongestQuery} characters; this one has {kept.Length}.");
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select 1 from camino.staff_users where id = {owner} for update", ct); // so that two windows do not go beyond the limit together
        var (branch, forAll) = await ShareAsync(share, ct);
        var there = await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.saved_filters where owner_id = {owner} and list = {list.Name}").SingleAsync(ct);
        Refuse.If(there >= Most, "filter.too_many", $"There are {Most} filters of this list already; take one away first.");
        var at = clock.GetUtcNow();
        var id = Guid.CreateVersion7(at);
        var rows = await db.Database.ExecuteSqlAsync(
            $"insert into camino.saved_filters (id, owner_id, list, name, query, shared_with, all_staff, created_at) values ({id}, {owner}, {list.Name}, {called}, {kept}, {branch}, {forAll}, {at}) on conflict (owner_id, list, lower(name)) do nothing", ct);
        Refuse.If(rows == 0, "filter.exists", "You have a filter of this name already; take another name.");
        await EndAsync("filter.added", id, owner, new { list = list.Name, sharedWith = branch, everybody = forAll }, at, ct);
        await transaction.CommitAsync(ct);
        return id;
    }

    /// <summary>Gives it another name and shares it so.</summary>
    /// <exception cref="RefusedException"><c>filter.*</c>.</exception>
    public Task ChangeAsync(Guid id, string? name, string? share, Guid owner, CancellationToken ct)
    {
        var called = Name(name);
        return ActAsync(id, owner, "filter.changed", async stored =>
        {
            var (branch, forAll) = await ShareAsync(share, ct);
            var taken = await db.Database.SqlQuery<bool>($"select exists (select from camino.saved_filters where owner_id = {owner} and list = {stored.List} and lower(name) = lower({called}) and id <> {id}) as \"Value\"").SingleAsync(ct);
            Refuse.If(taken, "filter.exists", "You have a filter of this name already; take another name.");
            await db.Database.ExecuteSqlAsync($"update camino.saved_filters set name = {called}, shared_with = {branch}, all_staff = {forAll} where id = {id}", ct);
            return new { list = stored.List, sharedWith = branch, everybody = forAll };
        }, ct);
    }

    /// <summary>Has the list open with it, or with everything again.</summary>
    /// <exception cref="RefusedException"><c>filter.not_found</c>.</exception>
    public Task DefaultAsync(Guid id, bool isDefault, Guid owner, CancellationToken ct) => ActAsync(id, owner, isDefault ? "filter.opens_first" : "filter.opens_first_no_more", async stored =>
    {
        await db.Database.ExecuteSqlAsync($"update camino.saved_filters set is_default = false where owner_id = {owner} and list = {stored.List} and is_default", ct);
        if (isDefault)
            await db.Database.ExecuteSqlAsync($"update camino.saved_filters set is_default = true where id = {id}", ct);
        return new { list = stored.List };
    }, ct);

    /// <exception cref="RefusedException"><c>filter.not_found</c>.</exception>
    public Task RemoveAsync(Guid id, Guid owner, CancellationToken ct) => ActAsync(id, owner, "filter.removed", async stored =>
    {
        await db.Database.ExecuteSqlAsync($"delete from camino.saved_filters where id = {id}", ct);
        return new { list = stored.List };
    }, ct);

    private async Task ActAsync(Guid id, Guid owner, string action, Func<Stored, Task<object>> act, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select 1 from camino.staff_users where id = {owner} for update", ct);
        var found = await db.Database.SqlQuery<Stored>($"select list as \"List\", name as \"Name\" from camino.saved_filters where id = {id} and owner_id = {owner}").ToListAsync(ct);
        Refuse.If(found.Count == 0, "filter.not_found", "You have no such filter; look again.");
        var details = await act(found[0]);
        await EndAsync(action, id, owner, details, clock.GetUtcNow(), ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>What was looked for may name people, and the audit trail may not.</summary>
    private async Task EndAsync(string action, Guid id, Guid owner, object details, DateTimeOffset at, CancellationToken ct)
    {
        db.AuditEntries.Add(new AuditEntry(at, owner, action, "filter", id.ToString(), JsonSerializer.Serialize(details, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
    }

    private async Task<(Guid? Branch, bool ForAll)> ShareAsync(string? share, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(share))
            return (null, false);
        if (share == Everybody)
        {
            Refuse.If(db.Scope.IsBound, "filter.share", "Who is bound to branches shares a filter with one of them.");
            return (null, true);
        }

        var isOne = Guid.TryParse(share, out var branch);
        Refuse.If(!isOne || !db.Scope.Sees(branch) || !await db.Database.SqlQuery<bool>($"select exists (select from camino.branches where id = {branch}) as \"Value\"").SingleAsync(ct), "filter.share", "A filter is shared with a branch that you see.");
        return (branch, false);
    }

    private static string Name(string? text)
    {
        var name = Imports.StorableText.Of(text?.Trim() ?? "");
        Refuse.If(name.Length is 0 or > LongestName || name.Any(char.IsControl), "filter.name", $"A filter's name has 1 to {LongestName} characters; got {name.Length}.");
        return name;
    }
}
