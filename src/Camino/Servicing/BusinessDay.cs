namespace Camino.Servicing;

/// <summary>The date that the lender's books are on. It is data: only a close moves it, and no rule looks at a clock.</summary>
public sealed class BusinessDay
{
    private BusinessDay()
    {
    }

    public bool OnlyRow { get; private set; } = true;

    /// <summary>The open business date.</summary>
    public DateOnly Today { get; private set; }

    public DateTimeOffset MovedAt { get; private set; }

    /// <summary>Who closed the day before; null for the system itself.</summary>
    public Guid? MovedBy { get; private set; }

    internal void MoveTo(DateOnly day, DateTimeOffset at, Guid? by)
    {
        Today = day;
        MovedAt = at;
        MovedBy = by;
    }
}

/// <summary>One close of business: the day that ended, the day that began, and how far the loans have been brought.</summary>
public sealed class CloseRun
{
    private CloseRun()
    {
    }

    internal CloseRun(DateOnly closes, DateOnly opens, DateTimeOffset at, Guid? by)
    {
        Id = Guid.CreateVersion7();
        Closes = closes;
        Opens = opens;
        StartedAt = at;
        StartedBy = by;
    }

    public Guid Id { get; private set; }

    /// <summary>The business date that ended.</summary>
    public DateOnly Closes { get; private set; }

    /// <summary>The business date that began: loans are read as of it.</summary>
    public DateOnly Opens { get; private set; }

    public DateTimeOffset StartedAt { get; private set; }

    public Guid? StartedBy { get; private set; }

    /// <summary>When the chunks were laid out.</summary>
    public DateTimeOffset? PlannedAt { get; private set; }

    /// <summary>When the last chunk was done.</summary>
    public DateTimeOffset? FinishedAt { get; private set; }

    internal void Plan(DateTimeOffset at) => PlannedAt = at;

    internal void Finish(DateTimeOffset at) => FinishedAt ??= at;
}

/// <summary>A range of loan ids that one job brings forward; each writes its own row, so there is no counter that all wait for.</summary>
public sealed class CloseChunk
{
    private CloseChunk()
    {
    }

    internal CloseChunk(Guid runId, int number, Guid fromId, Guid toId, int planned)
    {
        RunId = runId;
        Number = number;
        FromId = fromId;
        ToId = toId;
        Planned = planned;
    }

    public Guid RunId { get; private set; }

    public int Number { get; private set; }

    /// <summary>First loan, inclusive.</summary>
    public Guid FromId { get; private set; }

    /// <summary>Last loan, inclusive.</summary>
    public Guid ToId { get; private set; }

    /// <summary>Loans that were to be brought forward when the chunk was laid out.</summary>
    public int Planned { get; private set; }

    /// <summary>Loans that this chunk brought forward.</summary>
    public int Closed { get; private set; }

    /// <summary>Loans that it had to set aside.</summary>
    public int SetAside { get; private set; }

    public DateTimeOffset? DoneAt { get; private set; }

    internal void Report(int closed, int setAside)
    {
        Closed += closed;
        SetAside += setAside;
    }

    internal void Finish(DateTimeOffset at) => DoneAt ??= at;
}

/// <summary>One comparison of the loans' balances with the ledger.</summary>
public sealed class LedgerCheck
{
    private LedgerCheck()
    {
    }

    internal LedgerCheck(DateOnly on, DateTimeOffset at, Guid? by)
    {
        Id = Guid.CreateVersion7();
        On = on;
        AskedAt = at;
        AskedBy = by;
    }

    public Guid Id { get; private set; }

    public DateOnly On { get; private set; }

    public DateTimeOffset AskedAt { get; private set; }

    public Guid? AskedBy { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }

    public long Loans { get; private set; }

    public long Entries { get; private set; }

    /// <summary>How many balances differ from their entries; 0 is what everybody wants.</summary>
    public long Differences { get; private set; }

    /// <summary>What all entries together come to: $0.00.</summary>
    public decimal Total { get; private set; }

    /// <summary>Up to 100 differences: JSON.</summary>
    public string Details { get; private set; } = "[]";

    internal void Finish(DateTimeOffset at, long loans, long entries, long differences, decimal total, string details)
    {
        FinishedAt = at;
        Loans = loans;
        Entries = entries;
        Differences = differences;
        Total = total;
        Details = details;
    }
}
