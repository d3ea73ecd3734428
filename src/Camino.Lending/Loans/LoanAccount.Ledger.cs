using Camino.Lending.Ledger;

namespace Camino.Lending.Loans;

/// <content>What is posted: each act moves balances, and the movement is posted as the product's rules say.</content>
public sealed partial class LoanAccount
{
    private readonly List<LedgerEntry>? _posts;
    private readonly LoanLedger.Sums? _sums;
    private readonly long[] _booked = new long[4];
    private IReadOnlyList<LedgerEntry> _entries = [];
    private long _bookedCredit;
    private long _bookedAfterChargeOff;
    private long _unearned;
    private DateOnly _nextPosting;

    /// <summary>The entries of the loan up to the date it was replayed to, in order of their dates. Empty unless asked for in <see cref="On"/>.</summary>
    /// <remarks>An entry depends on nothing later than its date: a replay to a later date gives these entries and more.</remarks>
    public IReadOnlyList<LedgerEntry> Entries => _entries;

    /// <summary>Interest accrued to the date and not yet posted: the next posting is on a due date, an event, or the product's posting day.</summary>
    public Money AccruedSincePosting => _installments.Count == 0 || _isChargedOff
        ? Money.Zero
        : Money.FromCents(_owed[(int)Portion.Interest] + AccruedAt(_asOf) - _booked[(int)Portion.Interest]);

    /// <summary>Notes what an act did: for the borrower in the explanation, for the books in the ledger.</summary>
    private void Record(LedgerAct act, DateOnly on, string what, string key, long receivedCents = 0)
    {
        Tell(on, what, key);
        if (_posts is null || act == LedgerAct.None)
            return;
        var credit = _credit - _bookedCredit;
        if (_isChargedOff && act != LedgerAct.ChargeOff)
            MoveAfterChargeOff(act, receivedCents, credit);
        else
        {
            if (act is LedgerAct.Pay or LedgerAct.UseCredit)
                SettleRounding(on, credit - receivedCents);
            Move(act, receivedCents, credit);
        }

        _bookedCredit = _credit;
        Keep(on, key, act);
    }

    /// <summary>Accrued interest is rounded as a whole; paying a part of it can turn a tie the other way. That cent is posted as accrued, so that money in stays money applied.</summary>
    private void SettleRounding(DateOnly on, long expected)
    {
        var moved = OwedTotal + AccruedCents - _booked[0] - _booked[1] - _booked[2] - _booked[3];
        if (moved - expected is not (1 or -1))
            return;
        Post(LedgerAct.Accrue, Movement.Interest, moved - expected);
        _booked[(int)Portion.Interest] += moved - expected;
        Keep(on, "", LedgerAct.Accrue);
    }

    private void Move(LedgerAct act, long receivedCents, long credit)
    {
        var moved = 0L;
        Span<long> now = [_owed[0], _owed[1], _owed[2], _owed[3]];
        now[(int)Portion.Interest] += AccruedCents;
        for (var portion = Portion.Penalty; portion <= Portion.Principal; portion++)
        {
            var left = act == LedgerAct.ChargeOff ? 0 : now[(int)portion];
            moved += left - _booked[(int)portion];
            Post(act, MovementOf(portion), left - _booked[(int)portion]);
            _booked[(int)portion] = left;
        }

        if (act is LedgerAct.Pay or LedgerAct.Refund)
            Post(act, Movement.Credit, credit);
        if (act == LedgerAct.ChargeOff)
            MoveMemorandum(act);
        if (act == LedgerAct.ComeDue)
            _unearned += moved;

        // Money must not be lost or made on its way to the books.
        var kept = act switch
        {
            LedgerAct.Pay => receivedCents == credit - moved,
            LedgerAct.UseCredit => credit == moved,
            LedgerAct.Refund => receivedCents == moved - credit,
            _ => credit == 0,
        };
        if (!kept)
            throw new InvalidOperationException($"The replay of {act} does not come out: received {receivedCents}, owed moved by {moved}, credit by {credit} cents.");
    }

    private void MoveAfterChargeOff(LedgerAct act, long receivedCents, long credit)
    {
        var recovered = _bookedAfterChargeOff - OwedTotal;
        MoveMemorandum(act);
        switch (act)
        {
            case LedgerAct.Recover when receivedCents != recovered + credit:
                throw new InvalidOperationException($"The replay of {act} does not come out: received {receivedCents}, recovered {recovered}, credit {credit} cents.");
            case LedgerAct.Recover:
                Post(act, Movement.Principal, -recovered);
                Post(act, Movement.Credit, credit);
                break;
            case LedgerAct.Refund:
                Post(act, Movement.Credit, credit);
                Post(LedgerAct.Recover, Movement.Principal, receivedCents + credit); // what is paid out lowers what was recovered
                break;
        }
    }

    private void MoveMemorandum(LedgerAct act)
    {
        Post(act, Movement.ChargedOff, OwedTotal - _bookedAfterChargeOff);
        _bookedAfterChargeOff = OwedTotal;
    }

    /// <summary>Posts a change of a balance: the account that holds it is debited when what is owed rises, and credited when it falls.</summary>
    private void Post(LedgerAct act, Movement moves, long change)
    {
        if (change == 0 || PostingRules.Find(_product.Basis, act, moves) is not { } rule)
            return;
        var rises = act is LedgerAct.Disburse or LedgerAct.Capitalize or LedgerAct.Accrue or LedgerAct.ComeDue or LedgerAct.Fee or LedgerAct.LateFee or LedgerAct.ReturnFee
            || (moves == Movement.Principal && act == LedgerAct.Refund) || (moves == Movement.Credit && act is LedgerAct.Pay or LedgerAct.Recover) || (moves == Movement.ChargedOff && act is LedgerAct.ChargeOff or LedgerAct.Refund);
        _sums?.Add(rule, rises ? change : -change);
    }

    private void Keep(DateOnly on, string key, LedgerAct act)
    {
        if (_sums?.ToEntry(on, key, act, isCorrection: false) is { } entry)
            _posts?.Add(entry);
        _sums?.Clear();
    }

    /// <summary>Posts what accrued on the posting days before a date; the loan stands on the last event before them.</summary>
    private void PostAccrualsBefore(DateOnly date)
    {
        if (_posts is null || _isChargedOff)
            return;
        for (; _nextPosting < date; _nextPosting = PostingDayFrom(_nextPosting.AddDays(1)))
        {
            if (_nextPosting > _at)
                PostAccrual(_nextPosting, AccruedAt(_nextPosting));
        }
    }

    private void PostAccrual(DateOnly on, long accrued)
    {
        if (_posts is null || _isChargedOff)
            return;
        var interest = _owed[(int)Portion.Interest] + accrued;
        Post(LedgerAct.Accrue, Movement.Interest, interest - _booked[(int)Portion.Interest]);
        _booked[(int)Portion.Interest] = interest;
        Keep(on, "", LedgerAct.Accrue);
    }

    private DateOnly PostingDayFrom(DateOnly date) => _product.AccrualPosting == AccrualPosting.Daily
        ? date
        : new DateOnly(date.Year, date.Month, DateTime.DaysInMonth(date.Year, date.Month));

    /// <summary>Prepaid interest is earned by day over the days it is for, posted on the posting days and when they are over.</summary>
    private void Earn(DateOnly from, DateOnly to)
    {
        var days = to.DayNumber - from.DayNumber;
        var earned = 0L;
        if (_posts is null || _unearned == 0)
            return;
        for (var on = Next(from); on <= _asOf; on = Next(on))
        {
            var share = on >= to ? _unearned : Rounding.Divide((Int128)_unearned * (on.DayNumber - from.DayNumber), days, _terms.Rounding.Mode);
            Post(LedgerAct.Earn, Movement.Unearned, earned - share);
            Keep(on, "", LedgerAct.Earn);
            earned = share;
            if (on >= to)
                return;
        }

        DateOnly Next(DateOnly day) => days <= 0 ? from : PostingDayFrom(day.AddDays(1)) is var next && next < to ? next : to;
    }

    private void Close()
    {
        if (_posts is null)
            return;
        PostAccrualsBefore(_asOf.AddDays(1));
        Earn(_terms.StartsOn, _regularFrom);
        _entries = LoanLedger.InOrder(_posts);
    }

    private static Movement MovementOf(Portion portion) => portion switch
    {
        Portion.Principal => Movement.Principal,
        Portion.Interest => Movement.Interest,
        Portion.Fee => Movement.Fee,
        _ => Movement.Penalty,
    };
}
