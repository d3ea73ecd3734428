namespace Camino.Lending.Applications;

/// <summary>Where a loan application stands. The values are stored and never change.</summary>
public enum ApplicationState
{
    /// <summary>It was taken in; nobody has looked at it yet.</summary>
    Received = 1,

    /// <summary>Outside services and lists are being asked.</summary>
    Checking = 2,

    /// <summary>All checks are over; a person decides.</summary>
    Underwriting = 3,

    /// <summary>The applicant has an offer.</summary>
    Offered = 4,

    /// <summary>The applicant took the offer; the loan is not booked yet.</summary>
    Accepted = 5,

    /// <summary>It became a loan. Nothing follows.</summary>
    Booked = 6,

    /// <summary>The lender said no.</summary>
    Declined = 7,

    /// <summary>The applicant took it back.</summary>
    Withdrawn = 8,

    /// <summary>Nobody went on with it in time.</summary>
    Expired = 9,

    /// <summary>It was handed in by mistake.</summary>
    Cancelled = 10,

    /// <summary>It cannot be worked, for a technical reason.</summary>
    Failed = 11,
}

/// <summary>What can happen to an application. The values are stored and never change.</summary>
public enum ApplicationMove
{
    /// <summary>It is taken in.</summary>
    Receive = 1,

    /// <summary>The checks begin.</summary>
    StartChecks = 2,

    /// <summary>The last check is over.</summary>
    FinishChecks = 3,

    /// <summary>An offer is made.</summary>
    Offer = 4,

    /// <summary>An offer is taken back, or all of them ran out; underwriting goes on unless others stand.</summary>
    TakeBack = 5,

    /// <summary>The offer is taken.</summary>
    Accept = 6,

    /// <summary>The loan is booked.</summary>
    Book = 7,

    /// <summary>The lender says no.</summary>
    Decline = 8,

    /// <summary>The applicant takes it back.</summary>
    Withdraw = 9,

    /// <summary>Its time is over.</summary>
    Expire = 10,

    /// <summary>Whoever handed it in takes it out again.</summary>
    Cancel = 11,

    /// <summary>It cannot be worked.</summary>
    Fail = 12,

    /// <summary>What had ended goes on.</summary>
    Reopen = 13,
}

/// <summary>What sort of actor takes a step. The values are stored and never change.</summary>
public enum ActorKind
{
    /// <summary>Camino itself: a job, the clock.</summary>
    System = 1,

    /// <summary>Somebody of the house.</summary>
    Staff = 2,

    /// <summary>A client's program.</summary>
    Client = 3,

    /// <summary>Who asks for the loan.</summary>
    Applicant = 4,
}

/// <summary>Who takes a step.</summary>
/// <param name="Id">The user or client; null for Camino itself and for an applicant.</param>
public sealed record Actor(ActorKind Kind, Guid? Id)
{
    /// <summary>Camino itself.</summary>
    public static Actor System { get; } = new(ActorKind.System, null);
}

/// <summary>One step of an application's course, as it is written down for good.</summary>
/// <param name="Sequence">1 for the first; the application's version after it.</param>
/// <param name="From">Null for the first.</param>
/// <param name="Reason">Up to <see cref="ApplicationCourse.LongestReason"/> characters.</param>
public sealed record ApplicationEvent(int Sequence, ApplicationMove Move, ApplicationState? From, ApplicationState To, Actor By, string? Reason, DateTimeOffset At)
{
    /// <summary>Codes of <see cref="AdverseReasons"/> where the lender said no; else empty.</summary>
    public IReadOnlyList<string> AdverseReasons { get; init; } = [];
}
