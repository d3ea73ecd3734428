namespace Camino.Audit;

/// <summary>One thing that somebody did, stored in the same transaction as what it changed.</summary>
public sealed class AuditEntry
{
    private AuditEntry()
    {
    }

    /// <param name="at">When, by the caller's clock.</param>
    /// <param name="userId">Who; null for the system itself.</param>
    /// <param name="action">Stable, dotted: <c>import.received</c>.</param>
    /// <param name="subject">What it was done to: <c>import</c>.</param>
    /// <param name="subjectId">Its id.</param>
    /// <param name="details">JSON; ids, counts and codes, never personal data.</param>
    public AuditEntry(DateTimeOffset at, Guid? userId, string action, string subject, string subjectId, string details = "{}")
    {
        Id = Guid.CreateVersion7();
        At = at;
        UserId = userId;
        Action = action;
        Subject = subject;
        SubjectId = subjectId;
        Details = details;
    }

    public Guid Id { get; private set; }
    public DateTimeOffset At { get; private set; }
    public Guid? UserId { get; private set; }
    public string Action { get; private set; } = "";
    public string Subject { get; private set; } = "";
    public string SubjectId { get; private set; } = "";
    public string Details { get; private set; } = "{}";

    /// <summary>The network address that the act came from; null for jobs, verbs and the system. Filled in when it is stored.</summary>
    public string? Origin { get; internal set; }
}
