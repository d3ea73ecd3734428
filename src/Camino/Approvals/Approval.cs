using System.Text.Json;
using System.Text.Json.Serialization;

namespace Camino.Approvals;

/// <summary>Where a request stands. The values are stored and never change.</summary>
public enum ApprovalState
{
    /// <summary>Nobody has decided yet.</summary>
    Waiting = 0,

    /// <summary>A second person agreed, and it was carried out.</summary>
    Approved = 1,

    /// <summary>A second person said no.</summary>
    Declined = 2,

    /// <summary>Whoever asked took it back.</summary>
    Withdrawn = 3,

    /// <summary>Nobody decided in time.</summary>
    Expired = 4,

    /// <summary>A second person agreed, and it was no longer possible.</summary>
    Refused = 5,
}

/// <summary>What the configuration says about acts that need a second person.</summary>
/// <param name="ExpireAfter">So long a request waits at most.</param>
/// <param name="WaiveOver">In dollars: what is waived on one loan on one business day beyond this needs a second person.</param>
public sealed record ApprovalOptions(TimeSpan ExpireAfter, decimal WaiveOver);

/// <summary>An act as it is to be kept until a second person decides.</summary>
/// <param name="Kind">One of <see cref="ApprovalKinds"/>.</param>
/// <param name="Subject">What it is done to, as the audit trail calls it.</param>
/// <param name="Version">The subject's version that was looked at; null where it has none.</param>
/// <param name="Request">Everything that the act needs, with nothing left to the day of its approval: JSON.</param>
/// <param name="Reason">Why, as whoever asks says it; at most 500 characters.</param>
public sealed record FrozenAct(string Kind, string Subject, string SubjectId, int? Version, string Request, string Reason);

/// <summary>The answer to an act that waits for a second person now.</summary>
/// <param name="ApprovalId">Of the request.</param>
/// <param name="Kind">What was asked for.</param>
/// <param name="ExpiresAt">After it, nobody can approve the request any more.</param>
public sealed record AskedApproval(Guid ApprovalId, string Kind, DateTimeOffset ExpiresAt)
{
    /// <summary>Always <c>waiting</c>: a second person decides.</summary>
    public string State { get; } = "waiting";

    /// <summary>Where it is to be seen what became of it.</summary>
    public string Address => $"/api/v1/approvals/{ApprovalId}";

    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }

    /// <summary>Whether a stored answer is one of these.</summary>
    internal static bool TryRead(string answer, out AskedApproval asked)
    {
        asked = JsonSerializer.Deserialize<AskedApproval>(answer, JsonSerializerOptions.Web) ?? new AskedApproval(Guid.Empty, "", default);
        return asked.ApprovalId != Guid.Empty;
    }
}

/// <summary>A stored request.</summary>
/// <param name="Request">What was frozen: JSON.</param>
/// <param name="DecidedBy">Null while it waits, and when it expired.</param>
/// <param name="Note">What the second person wrote.</param>
/// <param name="Answer">What the act gave back: JSON; null unless it was approved.</param>
public sealed record Approval(
    Guid Id, string Kind, string Subject, string SubjectId, int? Version, string Request, string Reason, Guid AskedBy, DateTimeOffset AskedAt, DateTimeOffset ExpiresAt, ApprovalState State, Guid? DecidedBy, DateTimeOffset? DecidedAt,
    string? Note, string? Answer)
{
    /// <summary>The frozen act as its kind reads it.</summary>
    internal T Read<T>() => JsonSerializer.Deserialize<T>(Request, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The request says nothing.");

    /// <summary>Where it stands at a moment: what nobody decided in time has expired, whether or not anything has noted it yet.</summary>
    public ApprovalState StateAt(DateTimeOffset now) => State == ApprovalState.Waiting && now >= ExpiresAt ? ApprovalState.Expired : State;
}
