using System.Globalization;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Lending.Loans;

namespace Camino.Servicing;

/// <summary>
/// A loan with everything that a decision about it needs. It is the only thing that changes a loan, and it comes from <see cref="LoanAccess.LoanForChangeAsync"/>,
/// which locks the loan first. What it decides is staged here and kept by <see cref="LoanAccess.Keep"/>.
/// </summary>
public sealed class LoanInHand
{
    private readonly List<LoanEvent> _events;
    private readonly bool _isWhole;
    private readonly Dictionary<int, LoanInstallment> _installments;
    private readonly Dictionary<string, LoanBalance> _balances;
    private readonly List<Lending.Ledger.LedgerEntry>? _posted;
    private readonly Dictionary<(DateOnly Date, DateOnly? KnownOn), (LoanAccount Account, bool Explains)> _replays = [];

    internal LoanInHand(ServicedLoan loan, LoanProduct product, ScheduleTerms terms, List<LoanEvent> events, IEnumerable<LoanInstallment> installments, IEnumerable<LoanBalance> balances, IEnumerable<Lending.Ledger.LedgerEntry>? posted, DateOnly today, bool isWhole = true)
    {
        _isWhole = isWhole;
        Loan = loan;
        Product = product;
        Terms = terms;
        Today = today;
        _events = events;
        _installments = installments.ToDictionary(row => row.Number);
        _balances = balances.ToDictionary(balance => balance.Account, StringComparer.Ordinal);
        _posted = posted?.ToList();
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

    /// <summary>How many of the new transactions only time caused; those after them come from the event.</summary>
    internal int TimeTransactions { get; private set; }

    /// <summary>A new loan: the agreed terms and the planned installments.</summary>
    internal static LoanInHand Book(ServicedLoan loan, LoanProduct product, ScheduleTerms terms, DateOnly today)
    {
        var booked = new LoanInHand(loan, product, terms, [], [], [], [], today);
        booked.Take(booked.Planned(today), default);
        return booked;
    }

    /// <summary>Replays the loan to a date.</summary>
    /// <param name="date">Any date from the first disbursement on.</param>
    /// <param name="explains">Whether to keep the chain of what happened.</param>
    /// <param name="knownOn">Leaves out what was recorded later: the loan as it was known then.</param>
    public LoanAccount AccountOn(DateOnly date, bool explains = false, DateOnly? knownOn = null)
    {
        if (_replays.TryGetValue((date, knownOn), out var known) && (known.Explains || !explains))
            return known.Account;
        var account = LoanAccount.On(Product, Terms, _events, date, explains, knownOn);
        _replays[(date, knownOn)] = (account, explains);
        return account;
    }

    /// <summary>The loan on a date; before any money is handed out, its plan.</summary>
    public LoanState StateOn(DateOnly date) => HasDisbursements && AccountOn(date).State() is { Rows.Count: > 0 } state ? state : Planned(date);

    /// <summary>What pays the loan off on a date.</summary>
    /// <exception cref="RefusedException"><c>loan.not_disbursed</c>, <c>payoff.on</c>.</exception>
    public Lending.Payments.PayoffQuote PayoffOn(DateOnly date)
    {
        Refuse.If(!HasDisbursements, "loan.not_disbursed", $"Loan {Loan.Number} has not been disbursed; there is nothing to pay off.");
        Refuse.If(date < Today || date > Today.AddDays(366), "payoff.on", $"A payoff is quoted for {Today:yyyy-MM-dd} to {Today.AddDays(366):yyyy-MM-dd}; got {date:yyyy-MM-dd}.");
        return AccountOn(date).Payoff();
    }

    /// <summary>How long the loan has been paid on time on the business date, and whether it may be renewed.</summary>
    public RenewalStanding Renewal() => HasDisbursements ? AccountOn(Today).Renewal() : new RenewalStanding(Product.Renewal, LoanStatus.Pending, Today, Today);

    /// <summary>Brings the reading and the ledger to the business date. On it already, nothing changes.</summary>
    internal void BringForward(DateTimeOffset at)
    {
        if (!_isWhole)
            throw new InvalidOperationException("The loan was read to be looked at; what is stored of it was not read.");
        if (Loan.AsOf >= Today)
            return;
        if (!HasDisbursements)
        {
            Loan.Wait(Today);
            return;
        }

        var account = PostedAccount();
        // a replay to a later date gives the entries of an earlier one and more: only what time added is posted
        var since = Loan.AsOf;
        Post(account.Entries.Where(entry => entry.On > since), at);
        Take(account);
        TimeTransactions = NewTransactions.Count;
    }

    /// <summary>Records one event: decides whether it may be, replays the loan with it, and stages event, reading, installments and ledger entries.</summary>
    /// <param name="one">The event; its key is given here.</param>
    /// <exception cref="RefusedException"><c>event.*</c>, <c>loan.*</c>, <c>waive.over_owed</c>, <c>refund.over_credit</c>, <c>disburse.over_principal</c>, <c>write_off.over_limit</c>.</exception>
    /// <exception cref="InvalidOperationException">the loan was read without its ledger; nothing was done.</exception>
    internal RecordedEvent Record(LoanEvent one, string? note, DateTimeOffset at, Guid by)
    {
        if (_posted is null)
            throw new InvalidOperationException("What was posted for the loan was not read.");
        BringForward(at);
        var sequence = _events.Count + 1;
        one = one with { Key = sequence.ToString(CultureInfo.InvariantCulture), PostedOn = Today };
        CheckBefore(one);
        var before = HasDisbursements ? StateOn(Today) : null;
        _events.Add(one);
        _replays.Clear();
        LoanAccount account;
        LoanState state;
        try
        {
            account = PostedAccount();
            state = account.State();
            CheckAfter(one, before, state, account.HandedOut);
        }
        catch
        {
            _events.RemoveAt(_events.Count - 1);
            _replays.Clear();
            throw;
        }

        var recorded = new RecordedEvent(Loan.Id, sequence, one, StoredForm.Of(one), note, at, by);
        NewEvents.Add(recorded);
        Post(LoanLedger.Missing(_posted, account.Entries), at);
        Take(account);
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

    private LoanAccount PostedAccount() => LoanAccount.On(Product, Terms, _events, Today, posts: true);

    private void Post(IEnumerable<Lending.Ledger.LedgerEntry> entries, DateTimeOffset at)
    {
        foreach (var entry in entries)
        {
            var transaction = new LedgerTransaction(Loan.Id, Today, entry.On, entry.Act.ToString(), entry.Key, entry.IsCorrection, at);
            foreach (var line in entry.Lines)
            {
                var account = line.Account.ToString();
                transaction.Add(account, line.Amount.Dollars);
                if (!_balances.TryGetValue(account, out var balance))
                {
                    balance = new LoanBalance(Loan.Id, account);
                    _balances.Add(account, balance);
                    NewBalances.Add(balance);
                }

                balance.Add(line.Amount.Dollars);
            }

            NewTransactions.Add(transaction);
            _posted?.Add(entry);
        }
    }

    /// <summary>What the ledger must hold of each portion. On the cash basis interest and fees owed stay in the loan.</summary>
    private Portions Receivable(LoanAccount account, LoanState state)
    {
        if (state.Status == LoanStatus.ChargedOff)
            return default;
        var principal = new Portions(state.Owed.Principal, Money.Zero, Money.Zero, Money.Zero);
        return Product.Basis == AccountingBasis.Cash ? principal : principal with { Interest = state.Owed.Interest + state.AccruedInterest - account.AccruedSincePosting, Fee = state.Owed.Fee, Penalty = state.Owed.Penalty };
    }

    private void Take(LoanAccount account)
    {
        var state = account.State();
        // taken back altogether, the loan is a plan again
        Take(state.Rows.Count == 0 ? Planned(Today) : state, Receivable(account, state));
    }

    private void Take(LoanState state, Portions receivable)
    {
        Loan.Read(state, receivable, _events.Count);
        foreach (var row in state.Rows)
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

        foreach (var gone in _installments.Values.Where(stored => stored.Number > state.Rows[^1].Number).ToList())
        {
            _installments.Remove(gone.Number);
            if (!NewInstallments.Remove(gone))
                GoneInstallments.Add(gone);
        }
    }
}
