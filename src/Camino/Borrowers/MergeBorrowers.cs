using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Data;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Borrowers;

/// <summary>Which of two borrowers stays is in the address; this says who goes, and what is taken from whom.</summary>
public sealed record MergeInput
{
    /// <summary>The borrower that goes.</summary>
    public Guid? GoneId { get; init; }

    /// <summary>The version of it that was looked at; left out: whatever it is now.</summary>
    public int? GoneVersion { get; init; }

    /// <summary>Fields that are taken from the one that goes: <c>name</c>, <c>tradeName</c>, <c>kind</c>, <c>language</c>, <c>contactBy</c>. The others stay.</summary>
    public IReadOnlyList<string?>? Take { get; init; }

    /// <summary><c>both</c> (the default), <c>survivor</c> or <c>gone</c>.</summary>
    public string? Phones { get; init; }

    /// <inheritdoc cref="Phones"/>
    public string? Emails { get; init; }

    /// <inheritdoc cref="Phones"/>
    public string? Addresses { get; init; }

    /// <inheritdoc cref="Phones"/>
    public string? Owners { get; init; }

    /// <summary>3 to 300 characters; kept with the merge.</summary>
    public string? Reason { get; init; }
}

/// <summary>What became of two borrowers.</summary>
/// <param name="Loans">How many loans moved.</param>
/// <param name="UndoUntil">Until then it can be undone.</param>
public sealed record MergeAnswer(Guid MergeId, Guid SurvivorId, Guid GoneId, int Version, int Loans, DateTimeOffset UndoUntil)
{
    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }

    internal static MergeAnswer Repeated(string answer) => (JsonSerializer.Deserialize<MergeAnswer>(answer, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true };
}

/// <summary>What a merge kept so that it can be undone: of the survivor what it was and what was made of it, and the ids of everything that moved.</summary>
internal sealed record MergeRecord
{
    public BorrowerFacts Before { get; init; } = new();

    /// <summary>What the merge made of the survivor.</summary>
    public BorrowerFacts Made { get; init; } = new();

    /// <summary>Owners that came from the one that went.</summary>
    public Guid[] OwnersIn { get; init; } = [];

    /// <summary>Owners of the survivor that were put aside with the one that went.</summary>
    public Guid[] OwnersOut { get; init; } = [];

    public Guid[] Identifiers { get; init; } = [];

    public Guid[] Accounts { get; init; } = [];

    public Guid[] Loans { get; init; } = [];

    public Guid[] Documents { get; init; } = [];

    public Guid[] Notes { get; init; } = [];

    public Guid[] Tasks { get; init; } = [];

    /// <summary>Borrowers that had gone into the one that went before.</summary>
    public Guid[] Earlier { get; init; } = [];
}

/// <summary>What a borrower says of itself, without what has ids of its own.</summary>
internal sealed record BorrowerFacts
{
    public string Name { get; init; } = "";

    public string? TradeName { get; init; }

    public short Kind { get; init; }

    public string Language { get; init; } = "";

    public string ContactBy { get; init; } = "";

    public CheckedContact[] Phones { get; init; } = [];

    public CheckedContact[] Emails { get; init; } = [];

    public CheckedAddress[] Addresses { get; init; } = [];
}

/// <summary>
/// Makes two borrowers one: loans, documents, notes, tasks, bank accounts, numbers and owners of the one that goes move to the survivor, in one transaction with the record by which <see cref="UndoMerge"/> brings both back.
/// </summary>
/// <remarks>Nothing is thrown away: what is not taken over stays with the borrower that went, which is there under its id and shown nowhere.</remarks>
public sealed class MergeBorrowers(CaminoDb db, TimeProvider clock)
{
    /// <summary>Days for which a merge can be undone.</summary>
    public const int UndoDays = 30;

    internal static readonly string[] Fields = ["name", "tradeName", "kind", "language", "contactBy"];
    private static readonly string[] s_choices = ["both", "survivor", "gone"];

    /// <exception cref="RefusedException"><c>merge.*</c>, <c>borrower.not_found</c>, <c>borrower.merged</c>, <c>borrower.version</c>, <c>input.*</c>, <c>idempotency.*</c>.</exception>
    public async Task<MergeAnswer> RunAsync(Guid survivor, MergeInput input, AskedBy by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"borrower.merge {survivor} {JsonSerializer.Serialize(input, JsonSerializerOptions.Web)}", at, ct) is { } before)
            return MergeAnswer.Repeated(before);
        var gone = input.GoneId ?? throw new RefusedException("input.goneId", "goneId is missing: the id of the borrower that goes.");
        Refuse.If(gone == survivor, "merge.self", "A borrower is not merged with itself.");
        var why = MergeTable.Reason(input.Reason);
        var take = Taken(input.Take);
        await db.LockBorrowersAsync(survivor, gone, ct);
        var version = await db.TouchBorrowerAsync(survivor, by, at, ct);
        await db.TouchBorrowerAsync(gone, by with { Version = input.GoneVersion }, at, ct);
        await CheckAsync(survivor, gone, ct);

        var (ours, theirs) = (await db.FactsAsync(survivor, ct), await db.FactsAsync(gone, ct));
        var made = new BorrowerFacts
        {
            Name = take.Contains("name") ? theirs.Name : ours.Name,
            TradeName = take.Contains("tradeName") ? theirs.TradeName : ours.TradeName,
            Kind = take.Contains("kind") ? theirs.Kind : ours.Kind,
            Language = take.Contains("language") ? theirs.Language : ours.Language,
            ContactBy = take.Contains("contactBy") ? theirs.ContactBy : ours.ContactBy,
            Phones = Chosen("phones", input.Phones, ours.Phones, theirs.Phones, phone => phone.Digits ?? phone.Value),
            Emails = Chosen("emails", input.Emails, ours.Emails, theirs.Emails, email => email.Value.ToLowerInvariant()),
            Addresses = Chosen("addresses", input.Addresses, ours.Addresses, theirs.Addresses, address => address.ToString().ToLowerInvariant()),
        };
        await db.KeepFactsAsync(survivor, made, ct);
        var (ownersIn, ownersOut) = await OwnersAsync(survivor, gone, Choice("owners", input.Owners), ct);
        var record = new MergeRecord
        {
            Before = ours,
            Made = made,
            OwnersIn = ownersIn,
            OwnersOut = ownersOut,
            Identifiers = await IdsAsync($"update camino.borrower_identifiers i set borrower_id = {survivor} where i.borrower_id = {gone} and i.owner_id is null and not exists (select from camino.borrower_identifiers o where o.borrower_id = {survivor} and o.owner_id is null and o.kind = i.kind) returning i.id as \"Value\"", ct),
            Accounts = await IdsAsync($"update camino.borrower_accounts set borrower_id = {survivor} where borrower_id = {gone} returning id as \"Value\"", ct),
            Loans = await IdsAsync($"update camino.loan_borrowers set borrower_id = {survivor} where borrower_id = {gone} returning loan_id as \"Value\"", ct),
            Documents = await IdsAsync($"update camino.documents set subject_id = {survivor} where subject = 1 and subject_id = {gone} and removed_at is null returning id as \"Value\"", ct),
            Notes = await IdsAsync($"update camino.notes set subject_id = {survivor} where subject = 1 and subject_id = {gone} and removed_at is null returning id as \"Value\"", ct),
            Tasks = await IdsAsync($"update camino.tasks set subject_id = {survivor} where subject = 1 and subject_id = {gone} returning id as \"Value\"", ct),
            Earlier = await IdsAsync($"update camino.borrowers set merged_into = {survivor} where merged_into = {gone} returning id as \"Value\"", ct),
        };
        Refuse.If(await CountAsync($"select count(*)::int as \"Value\" from camino.borrower_accounts where borrower_id = {survivor}", ct) > AddBankAccount.Most, "merge.too_many", $"Together they have more than {AddBankAccount.Most} bank accounts; remove some first.");
        await db.Database.ExecuteSqlAsync($"update camino.borrowers set merged_into = {survivor} where id = {gone}", ct);

        var (id, until) = (Guid.CreateVersion7(at), at.AddDays(UndoDays));
        await db.Database.ExecuteSqlAsync(
            $"insert into camino.borrower_merges (id, survivor_id, gone_id, reason, merged_at, merged_by, undo_until, record) values ({id}, {survivor}, {gone}, {why}, {at}, {by.UserId}, {until}, {JsonSerializer.Serialize(record)}::jsonb)", ct);
        return await db.AnswerMergeAsync(transaction, new MergeAnswer(id, survivor, gone, version, record.Loans.Length, until), by, "borrower.merged", at, take, ct);
    }

    /// <summary>What speaks against their being one.</summary>
    private async Task CheckAsync(Guid survivor, Guid gone, CancellationToken ct)
    {
        var differ = await CountAsync(
            $"""
            select count(*)::int as "Value" from camino.borrower_identifiers i join camino.borrower_identifiers o on o.borrower_id = {gone} and o.owner_id is null and o.kind = i.kind
            where i.borrower_id = {survivor} and i.owner_id is null and i.hash <> o.hash
            """, ct);
        Refuse.If(differ > 0, "merge.numbers", "Both have a tax number of the same kind, and the numbers differ: they are two, or one number is wrong. Correct it first.");
        var listed = await CountAsync(
            $"""
            select count(*)::int as "Value" from camino.screening_hits h join camino.screenings s on s.id = h.screening_id
            where h.state <> 3 and lower(s.name) in (
                select lower(b.name) from camino.borrowers b where b.id in ({survivor}, {gone}) union select lower(o.name) from camino.borrower_owners o where o.borrower_id in ({survivor}, {gone}))
            """, ct);
        Refuse.If(listed > 0, "merge.sanctions", $"Names of them match entries of the sanctions lists that are not cleared: {listed}. Have them reviewed first; a merge must not make a name go away.");
    }

    /// <summary>Moves owners with their ids and numbers; those of one name are one.</summary>
    private async Task<(Guid[] In, Guid[] Out)> OwnersAsync(Guid survivor, Guid gone, string choice, CancellationToken ct)
    {
        if (choice == "survivor")
            return ([], []);
        Guid[] put = [];
        var came = choice == "gone"
            ? await IdsAsync($"select id as \"Value\" from camino.borrower_owners where borrower_id = {gone}", ct)
            : await IdsAsync($"select o.id as \"Value\" from camino.borrower_owners o where o.borrower_id = {gone} and not exists (select from camino.borrower_owners s where s.borrower_id = {survivor} and camino.plain_words(s.name) = camino.plain_words(o.name))", ct);
        if (choice == "gone")
        {
            put = await IdsAsync($"select id as \"Value\" from camino.borrower_owners where borrower_id = {survivor}", ct);
            await db.MoveOwnersAsync(put, survivor, gone, ct);
        }

        await db.MoveOwnersAsync(came, gone, survivor, ct);
        var (owners, shares) = (await CountAsync($"select count(*)::int as \"Value\" from camino.borrower_owners where borrower_id = {survivor}", ct), await db.Database.SqlQuery<decimal>($"select coalesce(sum(share_percent), 0) as \"Value\" from camino.borrower_owners where borrower_id = {survivor}").SingleAsync(ct));
        Refuse.If(owners > CheckedBorrower.LongestList || shares > 100m, "merge.owners", $"Together the owners would be {owners} with {shares} percent; there are at most {CheckedBorrower.LongestList} with 100. Take the owners of one of them.");
        return (came, put);
    }

    private async Task<Guid[]> IdsAsync(FormattableString sql, CancellationToken ct) => [.. await db.Database.SqlQuery<Guid>(sql).ToListAsync(ct)];

    private async Task<int> CountAsync(FormattableString sql, CancellationToken ct) => (await db.Database.SqlQuery<int>(sql).ToListAsync(ct))[0];

    private static List<string> Taken(IReadOnlyList<string?>? take)
    {
        var taken = (take ?? []).Where(field => !string.IsNullOrWhiteSpace(field)).Select(field => field?.Trim() ?? "").Distinct(StringComparer.Ordinal).ToList();
        var wrong = taken.Find(field => !Fields.Contains(field));
        Refuse.If(wrong is not null, "input.take", $"take holds some of {string.Join(", ", Fields)}; got {InputText.Short(wrong)}.");
        return taken;
    }

    private static string Choice(string name, string? given)
    {
        var choice = string.IsNullOrWhiteSpace(given) ? "both" : given.Trim();
        Refuse.If(!s_choices.Contains(choice), "input." + name, $"{name} is both, survivor or gone; got {InputText.Short(given)}.");
        return choice;
    }

    private static T[] Chosen<T>(string name, string? given, T[] ours, T[] theirs, Func<T, string> same)
    {
        T[] chosen = Choice(name, given) switch { "survivor" => ours, "gone" => theirs, _ => [.. ours.Concat(theirs).DistinctBy(same)] };
        Refuse.If(chosen.Length > CheckedBorrower.LongestList, "input." + name, $"{name} has at most {CheckedBorrower.LongestList} entries; got {chosen.Length}.");
        return chosen;
    }
}

/// <summary>
/// Brings two merged borrowers back as they were. What happened to the survivor since stays with it: fields and entries of lists that were changed after the merge, and loans, documents, notes, tasks, accounts and owners that came later.
/// </summary>
public sealed class UndoMerge(CaminoDb db, TimeProvider clock)
{
    private sealed record Stored(Guid SurvivorId, Guid GoneId, DateTimeOffset UndoUntil, bool IsUndone, string Record);

    /// <exception cref="RefusedException"><c>merge.not_found</c>, <c>merge.state</c>, <c>merge.expired</c>, <c>merge.later</c>, <c>borrower.version</c>, <c>idempotency.*</c>.</exception>
    public async Task<MergeAnswer> RunAsync(Guid survivor, Guid mergeId, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"borrower.merge-undo {survivor} {mergeId}", at, ct) is { } before)
            return MergeAnswer.Repeated(before);
        // the borrowers first and the merge behind them, as merging does
        var asked = await ReadAsync(mergeId, ct);
        Refuse.If(asked is null || asked.SurvivorId != survivor, "merge.not_found", $"There is no merge {mergeId} into this borrower.");
        await db.LockBorrowersAsync(survivor, asked.GoneId, ct);
        var merge = await ReadAsync(mergeId, ct) ?? asked;
        Refuse.If(merge.IsUndone, "merge.state", "This merge is undone already.");
        Refuse.If(at >= merge.UndoUntil, "merge.expired", $"A merge can be undone for {MergeBorrowers.UndoDays} days; these are over.");
        var version = await db.TouchBorrowerAsync(survivor, by, at, ct);
        Refuse.If(await db.Database.SqlQuery<bool>($"select exists (select from camino.borrower_merges where survivor_id = {survivor} and undone_at is null and id > {mergeId}) as \"Value\"").SingleAsync(ct), "merge.later", "Another borrower was merged into this one since; undo that first.");
        var record = JsonSerializer.Deserialize<MergeRecord>(merge.Record) ?? throw new InvalidOperationException("The merge has no record.");

        await db.KeepFactsAsync(survivor, Restored(await db.FactsAsync(survivor, ct), record), ct);
        await db.MoveOwnersAsync(await db.OwnersThereAsync(record.OwnersIn, survivor, ct), survivor, merge.GoneId, ct);
        await db.MoveOwnersAsync(await db.OwnersThereAsync(record.OwnersOut, merge.GoneId, ct), merge.GoneId, survivor, ct);
        await db.Database.ExecuteSqlAsync($"update camino.borrower_identifiers set borrower_id = {merge.GoneId} where id = any({record.Identifiers}) and borrower_id = {survivor}", ct);
        await db.Database.ExecuteSqlAsync($"update camino.borrower_accounts set borrower_id = {merge.GoneId} where id = any({record.Accounts}) and borrower_id = {survivor}", ct);
        var loans = await db.Database.ExecuteSqlAsync($"update camino.loan_borrowers set borrower_id = {merge.GoneId} where loan_id = any({record.Loans}) and borrower_id = {survivor}", ct);
        await db.Database.ExecuteSqlAsync($"update camino.documents set subject_id = {merge.GoneId} where id = any({record.Documents}) and subject = 1 and subject_id = {survivor}", ct);
        await db.Database.ExecuteSqlAsync($"update camino.notes set subject_id = {merge.GoneId} where id = any({record.Notes}) and subject = 1 and subject_id = {survivor}", ct);
        await db.Database.ExecuteSqlAsync($"update camino.tasks set subject_id = {merge.GoneId} where id = any({record.Tasks}) and subject = 1 and subject_id = {survivor}", ct);
        await db.Database.ExecuteSqlAsync($"update camino.borrowers set merged_into = {merge.GoneId} where id = any({record.Earlier}) and merged_into = {survivor}", ct);
        await db.Database.ExecuteSqlAsync($"update camino.borrowers set merged_into = null, version = version + 1, changed_at = {at}, changed_by = {by.UserId} where id = {merge.GoneId}", ct);
        await db.Database.ExecuteSqlAsync($"update camino.borrower_merges set undone_at = {at}, undone_by = {by.UserId} where id = {mergeId}", ct);
        return await db.AnswerMergeAsync(transaction, new MergeAnswer(mergeId, survivor, merge.GoneId, version, loans, merge.UndoUntil), by, "borrower.merge-undone", at, [], ct);
    }

    private async Task<Stored?> ReadAsync(Guid id, CancellationToken ct) =>
        (await db.Database.SqlQuery<Stored>($"select survivor_id as \"SurvivorId\", gone_id as \"GoneId\", undo_until as \"UndoUntil\", undone_at is not null as \"IsUndone\", record::text as \"Record\" from camino.borrower_merges where id = {id}").ToListAsync(ct)).FirstOrDefault();

    /// <summary>What it was, but for what was changed since.</summary>
    private static BorrowerFacts Restored(BorrowerFacts now, MergeRecord record)
    {
        var (before, made) = (record.Before, record.Made);
        return new BorrowerFacts
        {
            Name = now.Name == made.Name ? before.Name : now.Name,
            TradeName = now.TradeName == made.TradeName ? before.TradeName : now.TradeName,
            Kind = now.Kind == made.Kind ? before.Kind : now.Kind,
            Language = now.Language == made.Language ? before.Language : now.Language,
            ContactBy = now.ContactBy == made.ContactBy ? before.ContactBy : now.ContactBy,
            Phones = List(now.Phones, before.Phones, made.Phones),
            Emails = List(now.Emails, before.Emails, made.Emails),
            Addresses = List(now.Addresses, before.Addresses, made.Addresses),
        };
    }

    private static T[] List<T>(T[] now, T[] before, T[] made)
    {
        if (now.SequenceEqual(made))
            return before;
        var kept = now.Where(one => before.Contains(one) || !made.Contains(one)).ToList();
        return [.. kept.Concat(before.Except(made).Except(kept)).Take(CheckedBorrower.LongestList)];
    }
}

/// <summary>The statements that merging and its undoing share.</summary>
internal static class MergeTable
{
    private sealed record Row(string Name, string? TradeName, short Kind, string Language, string ContactBy, string Contacts, string Addresses);

    private sealed record StoredContact([property: JsonPropertyName("kind")] short Kind, [property: JsonPropertyName("value")] string Value, [property: JsonPropertyName("digits")] string? Digits);

    /// <exception cref="RefusedException"><c>merge.reason</c>.</exception>
    public static string Reason(string? text)
    {
        var reason = Imports.StorableText.Of(text?.Trim() ?? "");
        Refuse.If(reason.Length is < 3 or > 300, "merge.reason", $"Say in 3 to 300 characters why; got {reason.Length}.");
        return reason;
    }

    /// <summary>Both in the order of their ids, so that two merges of the same two wait for each other.</summary>
    public static Task LockBorrowersAsync(this CaminoDb db, Guid one, Guid other, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select 1 from camino.borrowers where id in ({one}, {other}) order by id for update", ct);

    public static async Task<BorrowerFacts> FactsAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        var row = await db.Database.SqlQuery<Row>(
            $"""
            select b.name as "Name", b.trade_name as "TradeName", b.kind as "Kind", b.language as "Language", b.contact_by as "ContactBy",
                coalesce((select jsonb_agg(jsonb_build_object('kind', c.kind, 'value', c.value, 'digits', c.digits) order by c.position) from camino.borrower_contacts c where c.borrower_id = b.id), '[]')::text as "Contacts",
                coalesce((select jsonb_agg(jsonb_build_object('street', a.street, 'city', a.city, 'state', a.state, 'zip', a.zip) order by a.position) from camino.borrower_addresses a where a.borrower_id = b.id), '[]')::text as "Addresses"
            from camino.borrowers b where b.id = {id}
            """).SingleAsync(ct);
        var contacts = JsonSerializer.Deserialize<StoredContact[]>(row.Contacts) ?? [];
        return new BorrowerFacts
        {
            Name = row.Name,
            TradeName = row.TradeName,
            Kind = row.Kind,
            Language = row.Language,
            ContactBy = row.ContactBy,
            Phones = [.. contacts.Where(one => one.Kind == 1).Select(one => new CheckedContact(one.Value, one.Digits))],
            Emails = [.. contacts.Where(one => one.Kind == 2).Select(one => new CheckedContact(one.Value, one.Digits))],
            Addresses = JsonSerializer.Deserialize<CheckedAddress[]>(row.Addresses) ?? [],
        };
    }

    public static async Task KeepFactsAsync(this CaminoDb db, Guid id, BorrowerFacts facts, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"update camino.borrowers set name = {facts.Name}, trade_name = {facts.TradeName}, kind = {facts.Kind}, language = {facts.Language}, contact_by = {facts.ContactBy} where id = {id}", ct);
        await db.KeepListsAsync(id, new CheckedBorrower(null, null, false, null, null, null, facts.Phones, facts.Emails, facts.Addresses, null), ct);
    }

    /// <summary>Owners go with their ids and their numbers, behind those that are there.</summary>
    public static async Task MoveOwnersAsync(this CaminoDb db, Guid[] owners, Guid from, Guid to, CancellationToken ct)
    {
        if (owners.Length == 0)
            return;
        await db.Database.ExecuteSqlAsync(
            $"update camino.borrower_owners o set borrower_id = {to}, position = o.position + (select coalesce(max(s.position), 0) from camino.borrower_owners s where s.borrower_id = {to}) where o.id = any({owners})", ct);
        await db.Database.ExecuteSqlAsync($"update camino.borrower_identifiers set borrower_id = {to} where owner_id = any({owners})", ct);
        // so that positions stay small, whatever goes to and fro
        await db.Database.ExecuteSqlAsync($"update camino.borrower_owners o set position = n.place from (select id, row_number() over (partition by borrower_id order by position, id) as place from camino.borrower_owners where borrower_id in ({from}, {to})) n where n.id = o.id and o.position <> n.place", ct);
    }

    /// <summary>Those of these owners that are still with a borrower.</summary>
    public static async Task<Guid[]> OwnersThereAsync(this CaminoDb db, Guid[] owners, Guid borrower, CancellationToken ct) =>
        [.. await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.borrower_owners where id = any({owners}) and borrower_id = {borrower} order by position").ToListAsync(ct)];

    /// <summary>An entry about each of the two, the answer, and the commit.</summary>
    public static async Task<MergeAnswer> AnswerMergeAsync(
        this CaminoDb db, Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction transaction, MergeAnswer answer, AskedBy by, string action, DateTimeOffset at, IReadOnlyList<string> fields, CancellationToken ct)
    {
        foreach (var subject in (Guid[])[answer.SurvivorId, answer.GoneId])
            db.AuditEntries.Add(new Audit.AuditEntry(at, by.UserId, action, "borrower", subject.ToString(), JsonSerializer.Serialize(new { merge = answer.MergeId, survivor = answer.SurvivorId, gone = answer.GoneId, loans = answer.Loans, fields })));
        await db.SaveChangesAsync(ct);
        await db.AnswerAsync(by, JsonSerializer.Serialize(answer, JsonSerializerOptions.Web), ct);
        await transaction.CommitAsync(ct);
        return answer;
    }
}
