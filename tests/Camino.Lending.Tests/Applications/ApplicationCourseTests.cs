using Camino.Lending.Applications;

namespace Camino.Lending.Tests.Applications;

/// <summary>The course of an application: written-out ways through it, and thousands of random ones that must keep what is always true.</summary>
public sealed class ApplicationCourseTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 15, 0, 0, TimeSpan.Zero);
    private static readonly Actor Officer = new(ActorKind.Staff, Guid.Parse("019d0000-0000-7000-8000-000000000001"));
    private static readonly Actor Program = new(ActorKind.Client, Guid.Parse("019d0000-0000-7000-8000-000000000002"));
    private static readonly Actor Applicant = new(ActorKind.Applicant, null);

    [Test]
    public void An_application_goes_through_checks_underwriting_and_offer_to_a_loan()
    {
        var course = ApplicationCourse.Receive(Program, Start).Course;
        foreach (var (move, by) in new[] { (ApplicationMove.StartChecks, Actor.System), (ApplicationMove.FinishChecks, Actor.System), (ApplicationMove.Offer, Officer), (ApplicationMove.Accept, Applicant), (ApplicationMove.Book, Officer) })
            course = course.Move(move, by, null, Start.AddHours(1)).Course;

        Assert.That((course.State, course.Version, course.IsOpen), Is.EqualTo((ApplicationState.Booked, 6, false)));
        Assert.That(Enum.GetValues<ActorKind>().SelectMany(course.MovesOf), Is.Empty, "nothing follows a loan");
    }

    [Test]
    public void What_had_ended_goes_on_where_it_had_come_to_with_new_time()
    {
        var received = ApplicationCourse.Receive(Program, Start).Course;
        var early = received.Move(ApplicationMove.Cancel, Program, "Sent twice", Start.AddDays(1)).Course.Move(ApplicationMove.Reopen, Officer, "It was not", Start.AddDays(2)).Course;
        var late = Checked(received).Move(ApplicationMove.Decline, Officer, "Cash flow", Start.AddDays(1)).Course.Move(ApplicationMove.Reopen, Officer, "New statements", Start.AddDays(2)).Course;

        Assert.That(early.State, Is.EqualTo(ApplicationState.Received), "its checks never ended");
        Assert.That(late.State, Is.EqualTo(ApplicationState.Underwriting), "its checks stand");
        Assert.That(late.ExpiresAt, Is.EqualTo(Start.AddDays(32)));
    }

    [Test]
    public void Several_offers_are_made_and_taken_back_and_each_gives_new_time()
    {
        var offered = Checked(ApplicationCourse.Receive(Program, Start).Course).Move(ApplicationMove.Offer, Officer, null, Start.AddDays(20)).Course.Move(ApplicationMove.Offer, Officer, null, Start.AddDays(21)).Course;
        var one = offered.Move(ApplicationMove.TakeBack, Officer, "Rate was wrong", Start.AddDays(22), othersStand: true).Course;
        var none = one.Move(ApplicationMove.TakeBack, Actor.System, "Every offer ran out", Start.AddDays(40)).Course;

        Assert.That((offered.State, offered.ExpiresAt), Is.EqualTo((ApplicationState.Offered, Start.AddDays(51))));
        Assert.That((one.State, one.Version), Is.EqualTo((ApplicationState.Offered, offered.Version + 1)));
        Assert.That((none.State, none.ExpiresAt), Is.EqualTo((ApplicationState.Underwriting, Start.AddDays(51))));
    }

    [Test]
    public void An_offer_is_taken_until_its_last_day_and_once()
    {
        var today = new DateOnly(2026, 3, 2);
        var offer = new ApplicationOffer(1, OfferState.Open, ApplicationOffer.Until(today, null));

        Assert.That(offer.ExpiresOn, Is.EqualTo(new DateOnly(2026, 3, 16)));
        Assert.That(offer.Accept(new DateOnly(2026, 3, 16)).State, Is.EqualTo(OfferState.Accepted));
        Assert.That(Refused(() => offer.Accept(new DateOnly(2026, 3, 17))), Is.EqualTo(("offer.expired", "Offer 1 could be accepted until 2026-03-16; the business date is 2026-03-17. Make a new offer.")));
        Assert.That(Refused(() => offer.Withdraw().Accept(today)), Is.EqualTo(("offer.state", "Offer 1 is not open any more: Withdrawn. Look again.")));
        Assert.That(Refused(() => ApplicationOffer.Until(today, 31)).Sentence, Is.EqualTo("validDays is 1 to 30; got 31."));
    }

    [Test]
    public void A_refusal_says_what_stands_in_the_way()
    {
        var course = ApplicationCourse.Receive(Program, Start).Course;
        var ended = course.Move(ApplicationMove.Withdraw, Applicant, "Found another lender", Start).Course;

        Assert.That(Refused(() => course.Move(ApplicationMove.Offer, Officer, null, Start)), Is.EqualTo(("application.state", "An application that stands at Received does not take the step Offer; look at it again.")));
        Assert.That(Refused(() => course.Move(ApplicationMove.Receive, Officer, null, Start)).Code, Is.EqualTo("application.state"));
        Assert.That(Refused(() => course.Move(ApplicationMove.StartChecks, Officer, null, Start)).Sentence, Is.EqualTo("The step StartChecks is not taken by Staff."));
        Assert.That(Refused(() => course.Move(ApplicationMove.Cancel, Officer, "  ", Start)).Sentence, Is.EqualTo("A reason of 1 to 500 characters is needed; got 0."));
        Assert.That(Refused(() => course.Move(ApplicationMove.Cancel, Officer, new string('x', 501), Start)).Sentence, Does.Contain("got 501"));
        Assert.That(Refused(() => course.Move(ApplicationMove.Cancel, Officer, "x", Start, seen: 2)), Is.EqualTo(("application.version", "The application has changed: version 2 was looked at, it is now 1. Look again.")));
        Assert.That(Refused(() => course.Move(ApplicationMove.Expire, Actor.System, null, Start.AddDays(29))).Sentence, Is.EqualTo("The application is open until 2026-04-01; it does not expire before."));
        Assert.That(Refused(() => ended.Move(ApplicationMove.Reopen, Officer, "Came back", Start.AddDays(91))).Sentence, Does.Contain("90 days").And.Contain("2026-03-02"));
    }

    [Test]
    public void A_clock_that_is_behind_moves_no_event_before_the_one_before_it() =>
        Assert.That(ApplicationCourse.Receive(Program, Start).Course.Move(ApplicationMove.StartChecks, Actor.System, null, Start.AddMinutes(-5)).Event.At, Is.EqualTo(Start));

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void Whatever_is_tried_in_whatever_order_events_tell_the_whole_course_and_a_refusal_changes_nothing(int seed)
    {
        var random = new Random(seed);
        var kinds = Enum.GetValues<ActorKind>();
        var moves = Enum.GetValues<ApplicationMove>();
        var seen = new HashSet<ApplicationState>();
        for (var round = 0; round < 2_000; round++)
        {
            var (course, first) = ApplicationCourse.Receive(Program, Start);
            var events = new List<ApplicationEvent> { first };
            var at = Start;
            for (var i = 0; i < 40; i++)
            {
                var move = moves[random.Next(moves.Length)];
                var by = new Actor(kinds[random.Next(kinds.Length)], null);
                at = at.AddHours(random.Next(-5, 60));
                var allowed = course.MovesOf(by.Kind).Contains(move);
                try
                {
                    var (next, step) = course.Move(move, by, random.Next(4) == 0 ? null : "Because", at, random.Next(3) == 0 ? course.Version + random.Next(2) : null);
                    Assert.That(allowed, Is.True, "only what is offered is taken");
                    events.Add(step);
                    course = next;
                }
                catch (RefusedException refused)
                {
                    Assert.That(refused.Code, Does.StartWith("application."));
                    Assert.That(allowed || refused.Code is "application.state" or "application.actor" or "application.version", Is.True, refused.Message);
                }

                seen.Add(course.State);
            }

            Assert.That(events.Select(one => one.Sequence), Is.EqualTo(Enumerable.Range(1, events.Count)));
            Assert.That(events.Skip(1).Select(one => one.From), Is.EqualTo(events.SkipLast(1).Select(one => (ApplicationState?)one.To)));
            Assert.That(events.Select(one => one.At), Is.Ordered);
            Assert.That((events[^1].To, events.Count, events[^1].At), Is.EqualTo((course.State, course.Version, course.ChangedAt)));
            Assert.That(events.Any(one => one.Move == ApplicationMove.FinishChecks), Is.EqualTo(course.ChecksDone));
            Assert.That(events.Count(one => one.To == ApplicationState.Booked), Is.LessThanOrEqualTo(1));
            Assert.That(events.Where(one => ApplicationCourse.NeedsReason(one.Move) && one.Reason is null), Is.Empty);
        }

        Assert.That(seen, Is.SupersetOf(Enum.GetValues<ApplicationState>().Where(state => state is not (ApplicationState.Booked or ApplicationState.Accepted))), "the walk goes nearly everywhere");
    }

    [Test]
    public void Every_state_but_the_loan_can_be_left_and_every_state_can_be_reached()
    {
        var from = Enum.GetValues<ApplicationState>().ToDictionary(state => state, state => Enum.GetValues<ActorKind>().SelectMany(new ApplicationCourse(state, 1, true, Start, Start.AddDays(30)).MovesOf).Distinct().ToList());

        Assert.That(from.Where(pair => pair.Value.Count == 0).Select(pair => pair.Key), Is.EqualTo(new[] { ApplicationState.Booked }));
        Assert.That(from.Values.SelectMany(moves => moves).Distinct(), Is.EquivalentTo(Enum.GetValues<ApplicationMove>().Where(move => move != ApplicationMove.Receive)));
    }

    private static ApplicationCourse Checked(ApplicationCourse received) =>
        received.Move(ApplicationMove.StartChecks, Actor.System, null, Start).Course.Move(ApplicationMove.FinishChecks, Actor.System, null, Start).Course;

    private static (string Code, string Sentence) Refused(Func<object> act)
    {
        var refused = Assert.Throws<RefusedException>(() => act());
        return (refused?.Code ?? "", refused?.Message ?? "");
    }
}
