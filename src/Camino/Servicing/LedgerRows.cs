namespace Camino.Servicing;

/// <summary>Entries that belong together and come to zero; the database holds that when the transaction commits, and refuses to change or remove any.</summary>
public sealed class LedgerTransaction
{
    private LedgerTransaction()
    {
    }

    /// <param name="postedOn">Business date of the posting.</param>
    /// <param name="effectiveOn">From when it counts; earlier than the posting for what was back-dated.</param>
    /// <param name="act">What it records: <c>Pay</c>, <c>Accrue</c>.</param>
    /// <param name="eventKey">The event that it comes from; empty for what time did.</param>
    /// <param name="isCorrection">Whether it corrects what was posted before for the same date, event and act.</param>
    internal LedgerTransaction(Guid loanId, DateOnly postedOn, DateOnly effectiveOn, string act, string eventKey, bool isCorrection, DateTimeOffset at)
    {
        Id = Guid.CreateVersion7();
        LoanId = loanId;
        PostedOn = postedOn;
        EffectiveOn = effectiveOn;
        Act = act;
        EventKey = eventKey;
        IsCorrection = isCorrection;
        RecordedAt = at;
    }

    public Guid Id { get; private set; }

    public Guid LoanId { get; private set; }

    public DateOnly PostedOn { get; private set; }

    public DateOnly EffectiveOn { get; private set; }

    public string Act { get; private set; } = "";

    /// <summary>The event that it comes from; empty for what time did.</summary>
    public string EventKey { get; private set; } = "";

    public bool IsCorrection { get; private set; }

    public DateTimeOffset RecordedAt { get; private set; }

    public IReadOnlyList<LedgerEntry> Entries => _entries;

    private readonly List<LedgerEntry> _entries = [];

    internal void Add(string account, decimal amount) => _entries.Add(new LedgerEntry(Id, _entries.Count + 1, LoanId, account, amount, PostedOn));
}

/// <summary>One line of a transaction.</summary>
public sealed class LedgerEntry
{
    private LedgerEntry()
    {
    }

    internal LedgerEntry(Guid transactionId, int line, Guid loanId, string account, decimal amount, DateOnly postedOn)
    {
        TransactionId = transactionId;
        Line = line;
        LoanId = loanId;
        Account = account;
        Amount = amount;
        PostedOn = postedOn;
    }

    public Guid TransactionId { get; private set; }

    public int Line { get; private set; }

    public Guid LoanId { get; private set; }

    /// <summary>Name of the account.</summary>
    public string Account { get; private set; } = "";

    /// <summary>Dollars; above zero is a debit, below zero a credit.</summary>
    public decimal Amount { get; private set; }

    public DateOnly PostedOn { get; private set; }
}

/// <summary>What a loan's entries on one account come to: kept beside them in the same transaction and compared with them every night.</summary>
public sealed class LoanBalance
{
    private LoanBalance()
    {
    }

    internal LoanBalance(Guid loanId, string account)
    {
        LoanId = loanId;
        Account = account;
    }

    public Guid LoanId { get; private set; }

    public string Account { get; private set; } = "";

    public decimal Amount { get; private set; }

    internal void Add(decimal amount) => Amount += amount;
}
