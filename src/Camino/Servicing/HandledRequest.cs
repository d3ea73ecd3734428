namespace Camino.Servicing;

/// <summary>A request that was carried out, with its answer: the same key and body again gets the same answer and changes nothing.</summary>
public sealed class HandledRequest
{
    private HandledRequest()
    {
    }

    internal HandledRequest(Guid userId, string key, byte[] fingerprint, DateTimeOffset at)
    {
        UserId = userId;
        Key = key;
        Fingerprint = fingerprint;
        At = at;
    }

    public Guid UserId { get; private set; }

    /// <summary>As the caller gave it: 1 to 64 characters, unique for each user.</summary>
    public string Key { get; private set; } = "";

    /// <summary>SHA-256 over what was asked.</summary>
    public byte[] Fingerprint { get; private set; } = [];

    /// <summary>The answer: JSON.</summary>
    public string Answer { get; private set; } = "{}";

    public DateTimeOffset At { get; private set; }

    internal void AnswerWith(string answer) => Answer = answer;
}

/// <summary>What a letter is about.</summary>
public enum LetterKind
{
    /// <summary>A payment was received.</summary>
    Receipt,

    /// <summary>The bank returned a payment.</summary>
    ReturnedPayment,

    /// <summary>The loan got new terms.</summary>
    ChangedTerms,

    /// <summary>The loan was charged off.</summary>
    ChargedOff,

    /// <summary>Nothing is owed any more.</summary>
    PaidOff,
}

/// <summary>A letter to the borrower, written by a job after the event that asks for it; printed in the borrower's language.</summary>
public sealed class LoanLetter
{
    private LoanLetter()
    {
    }

    internal LoanLetter(Guid loanId, int sequence, LetterKind kind, string facts, DateTimeOffset at)
    {
        Id = Guid.CreateVersion7();
        LoanId = loanId;
        Sequence = sequence;
        Kind = kind;
        Facts = facts;
        WrittenAt = at;
    }

    public Guid Id { get; private set; }

    public Guid LoanId { get; private set; }

    /// <summary>The event that the letter is about.</summary>
    public int Sequence { get; private set; }

    public LetterKind Kind { get; private set; }

    /// <summary>The amounts and dates of the letter: JSON.</summary>
    public string Facts { get; private set; } = "{}";

    public DateTimeOffset WrittenAt { get; private set; }
}
