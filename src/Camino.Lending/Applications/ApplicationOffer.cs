namespace Camino.Lending.Applications;

/// <summary>Where an offer stands. The values are stored and never change.</summary>
public enum OfferState
{
    /// <summary>The applicant may take it.</summary>
    Open = 1,

    /// <summary>The applicant took it.</summary>
    Accepted = 2,

    /// <summary>The lender took it back.</summary>
    Withdrawn = 3,

    /// <summary>Nobody took it in time.</summary>
    Expired = 4,

    /// <summary>Another was taken, or the application ended.</summary>
    Closed = 5,
}

/// <summary>How the applicant said that it takes an offer. The values are stored and never change.</summary>
public enum AcceptedBy
{
    /// <summary>On the phone.</summary>
    Phone = 1,

    /// <summary>On signed paper.</summary>
    Paper = 2,

    /// <summary>In person.</summary>
    InPerson = 3,

    /// <summary>The applicant itself, by the link of the offer; kept as a signature.</summary>
    Link = 4,
}

/// <summary>One offer of an application; what it offers is fixed, only where it stands changes.</summary>
/// <param name="Number">1 for the first of the application.</param>
/// <param name="ExpiresOn">The last business date on which it can be accepted.</param>
public sealed record ApplicationOffer(int Number, OfferState State, DateOnly ExpiresOn)
{
    /// <summary>How staff may write down that an offer was accepted.</summary>
    public static IReadOnlyList<AcceptedBy> SaidToStaff { get; } = [AcceptedBy.Phone, AcceptedBy.Paper, AcceptedBy.InPerson];

    /// <summary>Days for which an offer is good when nothing is said.</summary>
    public const int DefaultDays = 14;

    /// <summary>Days for which an offer can be good; no more than an application is open after it.</summary>
    public const int MostDays = ApplicationCourse.OpenDays;

    /// <summary>Days from the offer within which the money is to be handed out.</summary>
    public const int MostDaysAhead = 90;

    /// <summary>Offers of one application.</summary>
    public const int MostOffers = 20;

    /// <summary>Longest note about an acceptance, in characters.</summary>
    public const int LongestNote = 500;

    /// <summary>The last business date of an offer that is made today.</summary>
    /// <param name="days">1 to <see cref="MostDays"/>; null for <see cref="DefaultDays"/>.</param>
    /// <exception cref="RefusedException"><c>input.validDays</c>.</exception>
    public static DateOnly Until(DateOnly today, int? days)
    {
        Refuse.If(days is < 1 or > MostDays, "input.validDays", $"validDays is 1 to {MostDays}; got {days}.");
        return today.AddDays(days ?? DefaultDays);
    }

    /// <summary>The applicant takes it.</summary>
    /// <param name="today">The lender's business date.</param>
    /// <exception cref="RefusedException"><c>offer.state</c>, <c>offer.expired</c>.</exception>
    public ApplicationOffer Accept(DateOnly today)
    {
        var accepted = Leave(OfferState.Accepted);
        Refuse.If(today > ExpiresOn, "offer.expired", $"Offer {Number} could be accepted until {ExpiresOn:yyyy-MM-dd}; the business date is {today:yyyy-MM-dd}. Make a new offer.");
        return accepted;
    }

    /// <summary>The lender takes it back.</summary>
    /// <exception cref="RefusedException"><c>offer.state</c>.</exception>
    public ApplicationOffer Withdraw() => Leave(OfferState.Withdrawn);

    private ApplicationOffer Leave(OfferState to)
    {
        Refuse.If(State != OfferState.Open, "offer.state", $"Offer {Number} is not open any more: {State}. Look again.");
        return this with { State = to };
    }
}
