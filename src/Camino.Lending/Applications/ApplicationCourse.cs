namespace Camino.Lending.Applications;

/// <summary>The course of one application: where it stands and what may follow. It changes by moves only, and every move is an event.</summary>
/// <param name="Version">Counts the events; a move says which version it looked at.</param>
/// <param name="ChecksDone">The checks were over once, so that reopened it goes on with underwriting.</param>
/// <param name="ChangedAt">When the last event was.</param>
/// <param name="ExpiresAt">Until when it is open.</param>
public sealed record ApplicationCourse(ApplicationState State, int Version, bool ChecksDone, DateTimeOffset ChangedAt, DateTimeOffset ExpiresAt)
{
    /// <summary>Days for which an application is open after it was taken in, reopened, offered something or accepted.</summary>
    public const int OpenDays = 30;

    /// <summary>Days after its end within which an application can be reopened.</summary>
    public const int ReopenDays = 90;

    /// <summary>Longest reason, in characters.</summary>
    public const int LongestReason = 500;

    private static readonly ApplicationState[] s_open = [ApplicationState.Received, ApplicationState.Checking, ApplicationState.Underwriting, ApplicationState.Offered, ApplicationState.Accepted];
    private static readonly ApplicationState[] s_ended = [ApplicationState.Declined, ApplicationState.Withdrawn, ApplicationState.Expired, ApplicationState.Cancelled, ApplicationState.Failed];

    private static readonly Dictionary<ApplicationMove, Rule> s_rules = new()
    {
        [ApplicationMove.StartChecks] = new([ApplicationState.Received], ApplicationState.Checking, [ActorKind.System], false),
        [ApplicationMove.FinishChecks] = new([ApplicationState.Checking], ApplicationState.Underwriting, [ActorKind.System], false),
        [ApplicationMove.Offer] = new([ApplicationState.Underwriting, ApplicationState.Offered], ApplicationState.Offered, [ActorKind.Staff], false),
        [ApplicationMove.TakeBack] = new([ApplicationState.Offered], null, [ActorKind.Staff, ActorKind.System], true),
        [ApplicationMove.Accept] = new([ApplicationState.Offered], ApplicationState.Accepted, [ActorKind.Staff, ActorKind.Applicant], false),
        [ApplicationMove.Book] = new([ApplicationState.Accepted], ApplicationState.Booked, [ActorKind.Staff, ActorKind.System], false),
        [ApplicationMove.Decline] = new([ApplicationState.Checking, ApplicationState.Underwriting, ApplicationState.Offered], ApplicationState.Declined, [ActorKind.Staff], true),
        [ApplicationMove.Withdraw] = new(s_open, ApplicationState.Withdrawn, [ActorKind.Staff, ActorKind.Client, ActorKind.Applicant], true),
        [ApplicationMove.Expire] = new(s_open, ApplicationState.Expired, [ActorKind.System], false),
        [ApplicationMove.Cancel] = new(s_open, ApplicationState.Cancelled, [ActorKind.Staff, ActorKind.Client], true),
        [ApplicationMove.Fail] = new([ApplicationState.Received, ApplicationState.Checking], ApplicationState.Failed, [ActorKind.System], true),
        [ApplicationMove.Reopen] = new(s_ended, null, [ActorKind.Staff], true),
    };

    /// <summary>Whether something is still to be done with it.</summary>
    public bool IsOpen => s_open.Contains(State);

    /// <summary>Takes an application in.</summary>
    public static (ApplicationCourse Course, ApplicationEvent Event) Receive(Actor by, DateTimeOffset at)
    {
        var course = new ApplicationCourse(ApplicationState.Received, 1, ChecksDone: false, at, at.AddDays(OpenDays));
        return (course, new ApplicationEvent(1, ApplicationMove.Receive, null, ApplicationState.Received, by, null, at));
    }

    /// <summary>What an actor of a kind may do now; time and reason are not looked at.</summary>
    public IReadOnlyList<ApplicationMove> MovesOf(ActorKind kind) => [.. s_rules.Where(rule => rule.Value.From.Contains(State) && rule.Value.Who.Contains(kind)).Select(rule => rule.Key)];

    /// <summary>Whether a move must say why.</summary>
    public static bool NeedsReason(ApplicationMove move) => s_rules.TryGetValue(move, out var rule) && rule.NeedsReason;

    /// <summary>Takes one step.</summary>
    /// <param name="reason">1 to <see cref="LongestReason"/> characters where <see cref="NeedsReason"/> says so; null or empty elsewhere will do.</param>
    /// <param name="at">The moment; one before the last event's counts as that, for clocks of servers differ.</param>
    /// <param name="seen">The version that was looked at; null when any will do.</param>
    /// <param name="othersStand">When an offer is taken back: others stand, so that it stays offered.</param>
    /// <exception cref="RefusedException"><c>application.version</c>, <c>application.state</c>, <c>application.actor</c>, <c>application.reason</c>, <c>application.not_expired</c>, <c>application.too_late</c>.</exception>
    public (ApplicationCourse Course, ApplicationEvent Event) Move(ApplicationMove move, Actor by, string? reason, DateTimeOffset at, int? seen = null, bool othersStand = false)
    {
        Refuse.If(seen is { } version && version != Version, "application.version", $"The application has changed: version {seen} was looked at, it is now {Version}. Look again.");
        if (!s_rules.TryGetValue(move, out var rule) || !rule.From.Contains(State))
            throw new RefusedException("application.state", $"An application that stands at {State} does not take the step {move}; look at it again.");
        Refuse.If(!rule.Who.Contains(by.Kind), "application.actor", $"The step {move} is not taken by {by.Kind}.");
        var why = string.IsNullOrWhiteSpace(reason) ? null : reason.Trim();
        Refuse.If((rule.NeedsReason && why is null) || why is { Length: > LongestReason }, "application.reason", $"A reason of 1 to {LongestReason} characters is needed; got {why?.Length ?? 0}.");
        Refuse.If(move == ApplicationMove.Expire && at < ExpiresAt, "application.not_expired", $"The application is open until {DateOnly.FromDateTime(ExpiresAt.UtcDateTime):yyyy-MM-dd}; it does not expire before.");
        Refuse.If(move == ApplicationMove.Reopen && at > ChangedAt.AddDays(ReopenDays), "application.too_late", $"An application can be reopened for {ReopenDays} days after its end; this one ended on {DateOnly.FromDateTime(ChangedAt.UtcDateTime):yyyy-MM-dd}.");

        var when = at < ChangedAt ? ChangedAt : at;
        var to = rule.To ?? (move == ApplicationMove.TakeBack && othersStand ? ApplicationState.Offered : ChecksDone ? ApplicationState.Underwriting : ApplicationState.Received);
        var course = new ApplicationCourse(to, Version + 1, ChecksDone || move == ApplicationMove.FinishChecks, when, Until(move, when));
        return (course, new ApplicationEvent(course.Version, move, State, to, by, why, when));
    }

    /// <summary>Who offers or takes an offer has as much time for what follows as who hands an application in.</summary>
    private DateTimeOffset Until(ApplicationMove move, DateTimeOffset when) => move switch
    {
        ApplicationMove.Reopen => when.AddDays(OpenDays),
        ApplicationMove.Offer or ApplicationMove.Accept when when.AddDays(OpenDays) > ExpiresAt => when.AddDays(OpenDays),
        _ => ExpiresAt,
    };

    /// <param name="To">Null: where it had come to before it ended, or before it was offered anything.</param>
    private sealed record Rule(ApplicationState[] From, ApplicationState? To, ActorKind[] Who, bool NeedsReason);
}
