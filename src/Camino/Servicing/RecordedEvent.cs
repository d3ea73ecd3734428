using Camino.Lending.Loans;

namespace Camino.Servicing;

/// <summary>One entry of a loan's append-only list, as it is stored. The database refuses to change or remove it.</summary>
public sealed class RecordedEvent
{
    private RecordedEvent()
    {
    }

    /// <param name="sequence">1 for a loan's first event, without gaps.</param>
    /// <param name="body">The event in the stable form of <see cref="StoredForm"/>.</param>
    /// <param name="note">What staff wrote beside it, at most 500 characters.</param>
    internal RecordedEvent(Guid loanId, int sequence, LoanEvent one, string body, string? note, DateTimeOffset at, Guid by)
    {
        Id = Guid.CreateVersion7();
        LoanId = loanId;
        Sequence = sequence;
        Key = one.Key;
        Type = one.Type;
        EffectiveOn = one.On;
        PostedOn = one.PostedOn ?? one.On;
        Amount = one.Amount.Cents == 0 ? null : one.Amount.Dollars;
        OfKey = one.Of;
        Body = body;
        Note = note;
        RecordedAt = at;
        RecordedBy = by;
    }

    public Guid Id { get; private set; }

    public Guid LoanId { get; private set; }

    public int Sequence { get; private set; }

    /// <summary>Names the event within its loan.</summary>
    public string Key { get; private set; } = "";

    public LoanEventType Type { get; private set; }

    /// <summary>From when it counts.</summary>
    public DateOnly EffectiveOn { get; private set; }

    /// <summary>The business date it was entered on.</summary>
    public DateOnly PostedOn { get; private set; }

    public decimal? Amount { get; private set; }

    /// <summary>The event that it takes back.</summary>
    public string? OfKey { get; private set; }

    /// <summary>The whole event: JSON.</summary>
    public string Body { get; private set; } = "{}";

    public string? Note { get; private set; }

    public DateTimeOffset RecordedAt { get; private set; }

    public Guid RecordedBy { get; private set; }
}
