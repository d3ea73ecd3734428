using System.Globalization;
using System.Text.Json;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Journal;

/// <summary>A line as a form or a program gives it: one of debit and credit, above zero.</summary>
/// <param name="Account">Name of an account that is open for entries by hand.</param>
/// <param name="Debit">Dollars such as <c>1234.56</c>.</param>
/// <param name="Credit">The same.</param>
public sealed record JournalLineInput(string? Account, string? Debit, string? Credit)
{
    /// <summary>Nothing was written into it.</summary>
    internal bool IsEmpty => string.IsNullOrWhiteSpace(Account) && string.IsNullOrWhiteSpace(Debit) && string.IsNullOrWhiteSpace(Credit);
}

/// <summary>An entry by hand as it is asked for.</summary>
/// <param name="On">From when it counts, such as <c>2026-03-01</c>; the business date when left out.</param>
/// <param name="Memo">What it is for, 3 to 300 characters.</param>
/// <param name="Lines">2 to 20.</param>
public sealed record JournalInput(string? On, string? Memo, IReadOnlyList<JournalLineInput>? Lines);

/// <summary>An entry as it waits for a second person: JSON of the request.</summary>
internal sealed record FrozenEntry(DateOnly On, string Memo, IReadOnlyList<FrozenLine> Lines, Guid? Reverses, long? ReversesNumber)
{
    public static FrozenEntry Of(JournalEntry entry, long? reversesNumber) =>
        new(entry.On, entry.Memo, [.. entry.Lines.Select(line => new FrozenLine(line.Account, line.Amount.Dollars.ToString("0.00", CultureInfo.InvariantCulture)))], entry.Reverses, reversesNumber);

    public IReadOnlyList<JournalLine> Read() => [.. Lines.Select(line => new JournalLine(line.Account, new Money(decimal.Parse(line.Amount, CultureInfo.InvariantCulture))))];

    public static FrozenEntry Read(string request) => JsonSerializer.Deserialize<FrozenEntry>(request, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The request says nothing.");
}

/// <param name="Amount">Dollars as text; above zero a debit, below zero a credit.</param>
internal sealed record FrozenLine(string Account, string Amount);

/// <summary>An entry that was posted, with its lines.</summary>
/// <param name="Number">Counts up from 1; a number that is missing was asked for and not posted.</param>
/// <param name="ReversedBy">The entry that took it back; null: none did.</param>
public sealed record PostedEntry(Guid Id, long Number, DateOnly PostedOn, DateOnly On, string Memo, Guid? Reverses, Guid? ReversedBy, Guid ApprovalId, Guid AskedBy, Guid ApprovedBy, DateTimeOffset PostedAt, IReadOnlyList<JournalLine> Lines)
{
    /// <summary>Of the person or API client who asked; empty where it is gone.</summary>
    public string AskedByName { get; init; } = "";

    /// <summary>Of the second person.</summary>
    public string ApprovedByName { get; init; } = "";

    /// <summary>The number of the entry that this one takes back.</summary>
    public long? ReversesNumber { get; init; }

    /// <summary>The sum of the debits.</summary>
    public Money Total => Lines.Aggregate(Money.Zero, static (sum, line) => sum + Money.Max(line.Amount, Money.Zero));
}

/// <summary>The statements on the journal that its operations share.</summary>
internal static class JournalTable
{
    /// <summary>What an entry is called in requests and in the audit trail.</summary>
    public const string Subject = "journal";

    /// <summary>Reads what was typed or sent; lines without anything are left out.</summary>
    /// <exception cref="RefusedException"><c>input.*</c>, <c>journal.amount</c>, and what <see cref="JournalEntry.Of"/> refuses.</exception>
    public static JournalEntry Read(JournalInput input, DateOnly businessDate)
    {
        ArgumentNullException.ThrowIfNull(input);
        var lines = (input.Lines ?? []).Select((line, at) => (Line: line, Number: at + 1)).Where(one => one.Line is { IsEmpty: false }).ToList();
        Refuse.If(lines.Count > JournalEntry.MostLines, "journal.lines", $"lines has {lines.Count} entries; it must have 2 to {JournalEntry.MostLines}.");
        return JournalEntry.Of(On(input.On, businessDate), input.Memo, [.. lines.Select(one => Line(one.Line, one.Number))], businessDate);
    }

    /// <summary>A date that was given, or the business date.</summary>
    public static DateOnly On(string? text, DateOnly businessDate) => string.IsNullOrWhiteSpace(text) ? businessDate : InputText.Date("on", text);

    /// <summary>Two who take one entry back at one moment wait for each other. Held is the request that it came from: nobody has the right to lock what is never changed.</summary>
    public static Task HoldAsync(this CaminoDb db, Guid entry, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select from camino.approvals a join camino.journal_entries e on e.approval_id = a.id where e.id = {entry} for update of a", ct);

    private static JournalLine Line(JournalLineInput line, int number)
    {
        var (debit, credit) = (!string.IsNullOrWhiteSpace(line.Debit), !string.IsNullOrWhiteSpace(line.Credit));
        Refuse.If(debit == credit, "journal.amount", $"Line {number} has {(debit ? "both a debit and a credit" : "no amount")}; it must have a debit or a credit.");
        var amount = debit ? InputText.Amount("debit", line.Debit) : -InputText.Amount("credit", line.Credit);
        return new JournalLine(line.Account?.Trim() ?? "", amount);
    }
}
