using System.Globalization;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Lending.Quotes;

namespace Camino.Servicing;

/// <summary>
/// A loan with everything that a decision about it needs. It is the only thing that changes a loan, and it comes from <see cref="LoanAccess.LoanForChangeAsync"/>,
/// which locks the loan first. What it decides is staged here and kept by <see cref="LoanAccess.Keep"/>.
/// </summary>
public sealed class LoanInHand
{
    private readonly List<LoanEvent> _events;
    private readonly Dictionary<int, LoanInstallment> _installments;
    private readonly Dictionary<string, LoanBalance> _balances;

    internal LoanInHand(ServicedLoan loan, LoanProduct product, ScheduleTerms terms, List<LoanEvent> events, IEnumerable<LoanInstallment> installments, IEnumerable<LoanBalance> balances, DateOnly today)
    {
        Loan = loan;
        Product = product;
        Terms = terms;
        Today = today;
        _events = events;
        _installments = installments.ToDictionary(row => row.Number);
        _balances = balances.ToDictionary(balance => balance.Account, StringComparer.Ordinal);
    }

    /// <summary>The stored loan.</summary>
    public ServicedLoan Loan { get; }

    /// <summary>How it is serviced: the version that it was made under.</summary>
    public LoanProduct Product { get; }

    /// <summary>What was agreed.</summary>
    public ScheduleTerms Terms { get; }

    /// <summary>The open business date, read after the loan was locked.</summary>
    public DateOnly Today { get; }

    /// <summary>Everything that happened, in the order it was recorded.</summary>
    public IReadOnlyList<LoanEvent> Events => _events;

    /// <summary>Whether money was ever handed out; until then the loan is a plan.</summary>
    public bool HasDisbursements => _events.Exists(static one => one.Type == LoanEventType.Disburse);

    internal List<RecordedEvent> NewEvents { get; } = [];

    internal List<LedgerTransaction> NewTransactions { get; } = [];

    internal List<LoanInstallment> NewInstallments { get; } = [];

    internal List<LoanInstallment> GoneInstallments { get; } = [];

    internal List<LoanBalance> NewBalances { get; } = [];

    /// <summary>A new loan: the agreed terms and the planned installments.</summary>
    internal static LoanInHand Book(ServicedLoan loan, LoanProduct product, ScheduleTerms terms, DateOnly today)
    {
        var booked = new LoanInHand(loan, product, terms, [], [], [], today);
        booked.Take(booked.StateOn(today), Money.Zero);
        return booked;
    }

    /// <summary>Replays the loan to a date.</summary>
    /// <param name="date">Any date from the first disbursement on.</param>
    /// <param name="explains">Whether to keep the chain of what happened.</param>
    /// <param name="knownOn">Leaves out what was recorded later: the loan as it was known then.</param>
    public LoanAccount AccountOn(DateOnly date, bool explains = false, DateOnly? knownOn = null) => LoanAccount.On(Product, Terms, _events, date, explains, knownOn);

    /// <summary>The loan on a date; before any money is handed out, its plan.</summary>
    public LoanState StateOn(DateOnly date) => HasDisbursements ? AccountOn(date).State() : Planned(date);

    /// <summary>What pays the loan off on a date.</summary>
    /// <exception cref="RefusedException"><c>loan.not_disbursed</c>, <c>payoff.on</c>.</exception>
    public Lending.Payments.PayoffQuote PayoffOn(DateOnly date)
    {
        Refuse.If(!HasDisbursements, "loan.not_disbursed", $"Loan {Loan.Number} has not been disbursed; there is nothing to pay off.");
        Refuse.If(date < Today || date > Today.AddDays(366), "payoff.on", $"A payoff is quoted for {Today:yyyy-MM-dd} to {Today.AddDays(366):yyyy-MM-dd}; got {date:yyyy-MM-dd}.");
        return AccountOn(date).Payoff();
    }

    /// <summary>Brings the reading and the ledger to the business date. On it already, nothing changes.</summary>
    internal void BringForward(DateTimeOffset at)
    {
        if (Loan.AsOf >= Today)
            return;
        if (!HasDisbursements)
        {
            Loan.Wait(Today);
            return;
        }

        var account = AccountOn(Today);
        var state = account.State();
        Post(state, account.HandedOut, "Accrue", "", Today, at);
        Take(state, account.HandedOut);
    }

    /// <summary>Records one event: decides whether it may be, replays the loan with it, and stages event, reading, installments and ledger entries.</summary>
    /// <param name="one">The event; its key is given here.</param>
    /// <exception cref="RefusedException"><c>event.*</c>, <c>loan.*</c>, <c>waive.over_owed</c>, <c>refund.over_credit</c>, <c>disburse.over_principal</c>, <c>write_off.over_limit</c>.</exception>
    internal RecordedEvent Record(LoanEvent one, string? note, DateTimeOffset at, Guid by)
    {
        BringForward(at);
        var sequence = _events.Count + 1;
        one = one with { Key = sequence.ToString(CultureInfo.InvariantCulture), PostedOn = Today };
        CheckBefore(one);
        var before = HasDisbursements ? StateOn(Today) : null;
        _events.Add(one);
        LoanAccount account;
        LoanState state;
        try
        {
            account = AccountOn(Today);
            state = account.State();
            CheckAfter(one, before, state, account.HandedOut);
        }
        catch
        {
            _events.RemoveAt(_events.Count - 1);
            throw;
        }

        var recorded = new RecordedEvent(Loan.Id, sequence, one, BookForm.Write(one), note, at, by);
        NewEvents.Add(recorded);
        Post(state, account.HandedOut, one.Type.ToString(), one.Key, one.On, at);
        Take(state, account.HandedOut);
        Loan.Count();
        return recorded;
    }

    /// <summary>Keys of the events that something later took back.</summary>
    public IReadOnlyDictionary<string, string> TakenBack()
    {
        var takenBy = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (taker, _) in _events.Select((one, index) => (one, index)).Where(pair => pair.one.Type is LoanEventType.Reverse or LoanEventType.Return).OrderByDescending(pair => pair.one.On).ThenByDescending(pair => pair.index))
        {
            if (!takenBy.ContainsKey(taker.Key) && taker.Of is { } of)
                takenBy.TryAdd(of, taker.Key);
        }

        return takenBy;
    }

    /// <summary>The ledger entries that bringing the loan to a state would post; for a look ahead.</summary>
    internal IReadOnlyList<(string Account, decimal Amount)> Difference(LoanState state, Money handedOut) =>
        [.. LedgerPosition.Of(state, handedOut).Select(line => (line.Account, Amount: line.Amount - (_balances.TryGetValue(line.Account, out var balance) ? balance.Amount : 0m))).Where(line => line.Amount != 0m)];

    private LoanState Planned(DateOnly date)
    {
        var rows = new List<InstallmentState>();
        foreach (var row in Schedule.Of(Terms).Rows)
            rows.Add(new InstallmentState(row.Number, row.DueOn, false, new Portions(row.Principal, row.Interest, Money.Zero, Money.Zero), default, default));
        return new LoanState(date, LoanStatus.Pending, rows, default, Money.Zero, Money.Zero, 0, Money.Zero, Money.Zero, Money.Zero, 0);
    }

    private void CheckBefore(LoanEvent one)
    {
        Refuse.If(one.On > Today, "event.future", $"An event counts from {Today:yyyy-MM-dd}, the business date, or earlier; got {one.On:yyyy-MM-dd}.");
        if (one.Type == LoanEventType.Disburse)
        {
            Refuse.If(Loan.Status == LoanStatus.ChargedOff, "loan.charged_off", $"Loan {Loan.Number} is charged off; no more money is handed out.");
            return;
        }

        Refuse.If(!HasDisbursements, "loan.not_disbursed", $"Loan {Loan.Number} has not been disbursed; hand the money out first.");
        Refuse.If(one.Type == LoanEventType.Recover && Loan.Status != LoanStatus.ChargedOff, "loan.not_charged_off", $"Loan {Loan.Number} is not charged off; record a payment.");
        Refuse.If(one.Type == LoanEventType.Pay && Loan.Status == LoanStatus.ChargedOff, "loan.charged_off", $"Loan {Loan.Number} is charged off; record a recovery.");
        var needsOpen = one.Type is LoanEventType.RateChange or LoanEventType.InterestPause or LoanEventType.DelinquencyPause or LoanEventType.DueDateChange or LoanEventType.Skip or LoanEventType.Extend
            or LoanEventType.Reamortize or LoanEventType.Restructure or LoanEventType.ChargeOff or LoanEventType.WriteOff or LoanEventType.Fee;
        Refuse.If(needsOpen && Loan.Status is not (LoanStatus.Current or LoanStatus.PastDue), "loan.not_open", $"Loan {Loan.Number} is {Loan.Status}; this needs a loan that is open.");
        Refuse.If(one.Type == LoanEventType.Refund && StateOn(one.On).Credit < one.Amount, "refund.over_credit", $"The credit on {one.On:yyyy-MM-dd} is {StateOn(one.On).Credit}; {one.Amount} is more.");
        if (one.Type == LoanEventType.WriteOff)
        {
            var then = StateOn(one.On);
            Refuse.If(then.Owed.Total + then.AccruedInterest > one.Amount, "write_off.over_limit", $"{then.Owed.Total + then.AccruedInterest} is left on {one.On:yyyy-MM-dd}; {one.Amount} does not cover it.");
        }
    }

    private void CheckAfter(LoanEvent one, LoanState? before, LoanState after, Money handedOut)
    {
        switch (one.Type)
        {
            case LoanEventType.Disburse:
                Refuse.If(handedOut > Terms.Principal, "disburse.over_principal", $"{Terms.Principal} was agreed; with this, {handedOut} would be handed out.");
                break;
            case LoanEventType.Waive:
                var waived = Waived(after, one.Portion) - (before is null ? Money.Zero : Waived(before, one.Portion));
                Refuse.If(waived < one.Amount, "waive.over_owed", $"Of {one.Amount}, only {waived} of {one.Portion} is due and can be waived.");
                break;
            case LoanEventType.DueDateChange or LoanEventType.Skip or LoanEventType.Reamortize when before is not null && before.Rows.SequenceEqual(after.Rows) && one.Type != LoanEventType.Reamortize:
                throw new RefusedException("event.no_effect", $"This changes no installment of loan {Loan.Number}: there is none to come that it could move.");
            default:
                break;
        }
    }

    private static Money Waived(LoanState state, Portion portion)
    {
        var sum = Money.Zero;
        foreach (var row in state.Rows)
        {
            sum += portion switch
            {
                Portion.Principal => row.Waived.Principal,
                Portion.Interest => row.Waived.Interest,
                Portion.Fee => row.Waived.Fee,
                _ => row.Waived.Penalty,
            };
        }

        return sum;
    }

    private void Post(LoanState state, Money handedOut, string act, string key, DateOnly effectiveOn, DateTimeOffset at)
    {
        var difference = Difference(state, handedOut);
        if (difference.Count == 0)
            return;
        var transaction = new LedgerTransaction(Loan.Id, Today, effectiveOn, act, key, effectiveOn < Today, at);
        foreach (var (account, amount) in difference)
        {
            transaction.Add(account, amount);
            if (!_balances.TryGetValue(account, out var balance))
            {
                balance = new LoanBalance(Loan.Id, account);
                _balances.Add(account, balance);
                NewBalances.Add(balance);
            }

            balance.Add(amount);
        }

        NewTransactions.Add(transaction);
    }

    private static Portions Receivable(LoanState state) =>
        state.Status == LoanStatus.ChargedOff ? default : state.Owed with { Interest = state.Owed.Interest + state.AccruedInterest };

    private void Take(LoanState state, Money handedOut)
    {
        Loan.Read(state.Status == LoanStatus.Pending && handedOut == Money.Zero && state.Rows.Count == 0 ? Planned(Today) : state, Receivable(state), _events.Count);
        var rows = state.Rows.Count == 0 ? Planned(Today).Rows : state.Rows;
        foreach (var row in rows)
        {
            if (_installments.TryGetValue(row.Number, out var stored))
            {
                stored.Read(row);
                continue;
            }

            var made = new LoanInstallment(Loan.Id, row);
            _installments.Add(row.Number, made);
            NewInstallments.Add(made);
        }

        foreach (var gone in _installments.Values.Where(stored => stored.Number > rows[^1].Number).ToList())
        {
            _installments.Remove(gone.Number);
            if (!NewInstallments.Remove(gone))
                GoneInstallments.Add(gone);
        }
    }
}
