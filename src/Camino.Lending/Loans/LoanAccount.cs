using Camino.Lending.Ledger;
using Camino.Lending.Payments;

namespace Camino.Lending.Loans;

/// <summary>A loan replayed from its events up to a date. Pure: the same product, terms, events and date give the same loan.</summary>
/// <remarks>
/// A back-dated event is simply earlier in the order, so that everything after it is worked out anew; a reversal leaves its event out of the
/// order. Time between events does three things: interest accrues, installments come due, and late fees are charged.
/// </remarks>
public sealed partial class LoanAccount
{
    private readonly LoanProduct _product;
    private readonly ScheduleTerms _terms;
    private readonly DateOnly _asOf;
    private readonly bool _explains;
    private readonly List<Installment> _installments = [];
    private readonly List<Explanation> _explanations = [];
    private readonly List<InterestStretch> _stretches = [];
    private readonly List<(DateOnly From, DateOnly Until)> _delinquencyPauses = [];
    private readonly long[] _owed = new long[4];
    private readonly long[] _told = new long[4];

    private PeriodBasis _basis;
    private Rate _rate;
    private int _next;
    private int _lateNext;
    private int _firstOpen;
    private decimal _accrued;
    private long _putOff;
    private DateOnly _at;
    private DateOnly _interestPausedUntil;
    private long _credit;
    private long _lateCharged;
    private long _returnCharged;
    private long _recovered;
    private int _restructures;
    private DateOnly? _restructuredOn;
    private int _anchorDay;
    private long _balloon;
    private bool _isChargedOff;
    private bool _interestIsTold;
    private DateOnly? _carriedPastDueSince;
    private DateOnly _regularFrom;
    private DateOnly? _capitalizesOn;
    private long _plannedOdd;

    private LoanAccount(LoanProduct product, ScheduleTerms terms, DateOnly asOf, bool explains, bool posts)
    {
        _product = product;
        _terms = terms;
        _asOf = asOf;
        _explains = explains;
        _posts = posts ? [] : null;
        _sums = posts ? new LoanLedger.Sums() : null;
        _rate = terms.Rate;
        _balloon = terms.Method == ScheduleMethod.InterestOnly ? 0 : terms.Balloon.Cents;
    }

    /// <summary>Replays a loan.</summary>
    /// <param name="product">How it is serviced.</param>
    /// <param name="terms">What was agreed. Its disbursements are taken as made, unless the events hold disbursements: then those are the ones.</param>
    /// <param name="events">The append-only list, in any order; events after <paramref name="asOf"/> play no part.</param>
    /// <param name="asOf">The business date.</param>
    /// <param name="explains">Whether to keep the chain for <see cref="Explain"/>.</param>
    /// <param name="knownOn">For a look back: events posted after this date are left out, so that the loan is as it was known then.</param>
    /// <param name="posts">Whether to keep the ledger entries for <see cref="Entries"/>.</param>
    /// <exception cref="RefusedException"><c>product.*</c>, <c>schedule.*</c>, <c>event.*</c>.</exception>
    public static LoanAccount On(
        LoanProduct product, ScheduleTerms terms, IReadOnlyList<LoanEvent> events, DateOnly asOf, bool explains = false, DateOnly? knownOn = null, bool posts = false)
    {
        product.Check();
        terms.Check();
        var list = new EventList(events, asOf, knownOn ?? DateOnly.MaxValue);
        var inOrder = list.InOrder();
        var made = Disbursed(terms, inOrder, list.HasDisbursements, asOf);
        var account = new LoanAccount(product, made is null ? terms : AsMade(terms, made), asOf, explains, posts);
        if (made is not null)
            account.Run(inOrder, list);
        else
            Refuse.If(inOrder.Exists(static one => !one.TakesBack), "event.on", $"Nothing is handed out by {asOf:yyyy-MM-dd}; no event can come before that.");
        return account;
    }

    /// <summary>The chain of events and amounts that make up the balances, in order. Empty unless asked for in <see cref="On"/>.</summary>
    public IReadOnlyList<Explanation> Explain() => _explanations;

    /// <summary>How interest that accrued and is not yet due comes about. Empty unless asked for in <see cref="On"/>.</summary>
    public IReadOnlyList<InterestStretch> ExplainAccrued()
    {
        if (!_explains || _installments.Count == 0)
            return [];
        List<InterestStretch> accruing = [.. _stretches];
        AddStretch(accruing, _at, _asOf);
        return accruing;
    }

    private static List<Disbursement>? Disbursed(ScheduleTerms terms, List<LoanEvent> events, bool hasDisbursements, DateOnly asOf)
    {
        var made = new List<Disbursement>();
        foreach (var one in events)
        {
            if (one.Type == LoanEventType.Disburse)
                made.Add(new Disbursement(one.On, one.Amount));
            else
                Refuse.If(one.Type == LoanEventType.RateChange && terms.Method == ScheduleMethod.Flat, "event.type", "A flat loan's interest is fixed; its rate does not change.");
        }

        if (made.Count > 0)
            return made;
        if (hasDisbursements || terms.StartsOn > asOf)
            return null;
        made.AddRange(terms.Disbursements);
        return made;
    }

    private static ScheduleTerms AsMade(ScheduleTerms terms, List<Disbursement> made)
    {
        var lent = Sum(made);
        return terms with { Disbursements = made, Principal = lent, Balloon = Money.Max(Money.Zero, Money.Min(terms.Balloon, lent - terms.DownPaymentOn(lent))) };
    }

    private static Money Sum(List<Disbursement> disbursements)
    {
        var sum = Money.Zero;
        foreach (var disbursement in disbursements)
            sum += disbursement.Amount;
        return sum;
    }

    private void Run(List<LoanEvent> events, EventList list)
    {
        Begin();
        var disbursements = !list.HasDisbursements ? _terms.Disbursements.OrderBy(static one => one.On).ToList() : [];
        var nextDisbursement = 0;
        foreach (var one in events)
        {
            Refuse.If(one.On < _terms.StartsOn, "event.on", $"Event {one.Key} on {one.On:yyyy-MM-dd} is before the first disbursement on {_terms.StartsOn:yyyy-MM-dd}.");
            for (; nextDisbursement < disbursements.Count && disbursements[nextDisbursement].On <= one.On; nextDisbursement++)
                Disburse(disbursements[nextDisbursement].On, disbursements[nextDisbursement].Amount.Cents, "");
            if (one.Type != LoanEventType.Disburse)
                AdvanceTo(one.On);
            Apply(one);
        }

        for (; nextDisbursement < disbursements.Count && disbursements[nextDisbursement].On <= _asOf; nextDisbursement++)
            Disburse(disbursements[nextDisbursement].On, disbursements[nextDisbursement].Amount.Cents, "");
        AdvanceTo(_asOf);
        Close();
        if (_explains)
            TellTakenBack(list);
    }

    /// <summary>Sets the installments up as the schedule of what was disbursed has them.</summary>
    private void Begin()
    {
        _terms.Check();
        var plan = ScheduleBuilder.Plan(_terms);
        _basis = new PeriodBasis(_terms, plan.Rows[^1].DueOn);
        _at = _terms.StartsOn;
        _nextPosting = PostingDayFrom(_at.AddDays(1));
        _regularFrom = plan.FirstBegins;
        var from = plan.FirstBegins;
        for (var i = 0; i < plan.Rows.Length; i++)
        {
            var row = plan.Rows[i];
            var period = i - plan.ExtraRows;
            _installments.Add(new Installment
            {
                Number = row.Number,
                From = period < 0 ? row.DueOn : from,
                RegularFrom = period == 0 ? plan.FirstRegularFrom : period < 0 ? row.DueOn : from,
                DueOn = row.DueOn,
                ScheduledFor = period < 0 ? row.DueOn : plan.Dates.Unshifted(period + 1),
                Numerator = period < 0 ? 0 : plan.Periods[period].Numerator,
                IsAtDisbursement = period < 0,
                IsInterestFree = period < _terms.InterestFree,
                IsInterestPutOff = period >= 0 && period < _terms.GraceInterest,
                IsLevel = _terms.Method == ScheduleMethod.EqualPayment && period >= _terms.GracePrincipal && period >= 0,
                Level = i == plan.Rows.Length - 1 && period > 0 ? plan.Rows[i - 1].DueCents : row.DueCents, // the last row takes the remainder, whatever its level
                PlannedPrincipal = row.PrincipalCents,
                PlannedInterest = row.InterestCents,
            });
            if (period >= 0)
                from = row.DueOn;
        }

        foreach (var installment in _installments)
        {
            if (!installment.IsAtDisbursement)
                _anchorDay = Math.Max(_anchorDay, installment.ScheduledFor.Day);
        }

        if (plan.FinancedCents > 0)
            (_capitalizesOn, _plannedOdd) = (plan.FirstBegins, plan.FinancedCents);
    }

    private void Apply(LoanEvent one)
    {
        switch (one.Type)
        {
            case LoanEventType.Disburse:
                Disburse(one.On, one.Amount.Cents, one.Key);
                return;
            case LoanEventType.Pay or LoanEventType.Recover:
                Receive(one);
                return;
            case LoanEventType.Fee:
                Charge(one.Portion, one.Amount.Cents);
                Record(LedgerAct.Fee, one.On, one.Portion == Portion.Penalty ? "A penalty was charged." : "A fee was charged.", one.Key);
                return;
            case LoanEventType.Return:
                var fee = _product.ReturnFee?.Of(0, _returnCharged, _terms.Rounding) ?? 0;
                _returnCharged += fee;
                Charge(Portion.Fee, fee);
                Record(LedgerAct.ReturnFee, one.On, $"The bank returned payment {one.Of} ({one.BankCode}).", one.Key);
                return;
            case LoanEventType.Reverse:
                Tell(one.On, $"Event {one.Of} was taken back.", one.Key);
                return;
            case LoanEventType.Waive:
                AccrueTo(one.On); // on the principal before some of it is given up
                Waive(one.Portion, one.Amount.Cents);
                Record(LedgerAct.Waive, one.On, $"{one.Portion} was waived.", one.Key);
                return;
            case LoanEventType.WriteOff:
                WriteOff(one);
                return;
            case LoanEventType.ChargeOff:
                ChargeOff(one);
                return;
            case LoanEventType.Refund:
                Refund(one);
                return;
            default:
                Change(one);
                return;
        }
    }

    private void Disburse(DateOnly on, long cents, string key)
    {
        // What the terms plan for later is not handed out after charge-off; an event that says so is a mistake.
        Refuse.If(_isChargedOff && key.Length > 0, "event.type", $"Event {key} hands out money on {on:yyyy-MM-dd}; the loan was charged off before.");
        if (_isChargedOff)
            return;
        AdvanceTo(on, isBeforeDue: on == _terms.StartsOn);
        AccrueTo(on);
        _owed[(int)Portion.Principal] += cents;
        Record(LedgerAct.Disburse, on, "Money was handed out.", key);
    }

    private void Tell(DateOnly on, string what, string key)
    {
        if (!_explains)
            return;
        var change = Read(static (now, before) => now - before);
        _owed.CopyTo(_told, 0);
        InterestStretch[] interest = _interestIsTold ? [.. _stretches] : [];
        _explanations.Add(new Explanation(on, what, key, change, Read(static (now, _) => now), Money.FromCents(_credit)) { Interest = interest });
        if (_interestIsTold)
            _stretches.Clear();
        _interestIsTold = false;
    }

    private Portions Read(Func<long, long, long> of) => new(
        Money.FromCents(of(_owed[(int)Portion.Principal], _told[(int)Portion.Principal])), Money.FromCents(of(_owed[(int)Portion.Interest], _told[(int)Portion.Interest])),
        Money.FromCents(of(_owed[(int)Portion.Fee], _told[(int)Portion.Fee])), Money.FromCents(of(_owed[(int)Portion.Penalty], _told[(int)Portion.Penalty])));

    private void TellTakenBack(EventList list)
    {
        // Without effect, but visible and linked.
        foreach (var (taken, by) in list.TakenBackOnes())
        {
            var at = _explanations.FindIndex(one => one.On > taken.On);
            var owed = at == 0 ? default : _explanations[at < 0 ? ^1 : at - 1].Owed;
            var what = $"{taken.Type}{(taken.HasAmount ? $" of {taken.Amount}" : "")} was taken back on {by.On:yyyy-MM-dd} by {by.Key}{(by.BankCode is null ? "" : $" ({by.BankCode})")}; it has no effect.";
            _explanations.Insert(at < 0 ? _explanations.Count : at, new Explanation(taken.On, what, taken.Key, default, owed, Money.Zero));
        }
    }
}
