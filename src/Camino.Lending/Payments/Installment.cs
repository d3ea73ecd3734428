using Camino.Lending.Loans;

namespace Camino.Lending.Payments;

/// <summary>One installment while a loan is replayed. Amounts in cents; those due never fall below those paid and waived.</summary>
internal sealed class Installment
{
    private readonly long[] _due = new long[4];
    private readonly long[] _paid = new long[4];
    private readonly long[] _waived = new long[4];

    public int Number { get; set; }

    /// <summary>Where its interest begins.</summary>
    public required DateOnly From { get; set; }

    /// <summary>Where its regular period begins: later than <see cref="From"/> where odd days join the first one.</summary>
    public required DateOnly RegularFrom { get; set; }

    public required DateOnly DueOn { get; set; }

    /// <summary>The due date before it was moved to a business day: those after it are counted from here.</summary>
    public required DateOnly ScheduledFor { get; set; }

    /// <summary>Numerator of its period factor, as in the schedule.</summary>
    public long Numerator { get; set; }

    /// <summary>Whether it is due with the first disbursement: a down payment, prepaid interest.</summary>
    public bool IsAtDisbursement { get; init; }

    /// <summary>Whether no interest is charged for its period.</summary>
    public bool IsInterestFree { get; init; }

    /// <summary>Whether its interest is put off to a later installment.</summary>
    public bool IsInterestPutOff { get; init; }

    /// <summary>Whether its principal is what a level amount leaves after interest; otherwise the planned principal.</summary>
    public bool IsLevel { get; set; }

    /// <summary>The level amount.</summary>
    public long Level { get; set; }

    public long PlannedPrincipal { get; set; }

    public long PlannedInterest { get; set; }

    public bool IsDue { get; set; }

    /// <summary>Whether it came with a restructure.</summary>
    public bool IsRestructured { get; init; }

    /// <summary>When its principal and interest were last paid or given up; null while some of it is unpaid.</summary>
    public DateOnly? SettledOn { get; private set; }

    public long AheadPrincipal { get; set; }

    public long AheadInterest { get; set; }

    public int Days => Math.Max(1, DueOn.DayNumber - From.DayNumber);

    public long Unpaid(Portion portion) => _due[(int)portion] - _paid[(int)portion] - _waived[(int)portion];

    /// <summary>Unpaid principal and interest: what makes an installment late.</summary>
    public long Overdue => Unpaid(Portion.Principal) + Unpaid(Portion.Interest);

    public long UnpaidTotal => Overdue + Unpaid(Portion.Fee) + Unpaid(Portion.Penalty);

    public void Charge(Portion portion, long cents) => _due[(int)portion] += cents;

    public void Pay(Portion portion, long cents) => _paid[(int)portion] += cents;

    public void Waive(Portion portion, long cents) => _waived[(int)portion] += cents;

    /// <summary>Notes down whether it is settled, after something was charged, paid or waived.</summary>
    public void Settle(DateOnly on) => SettledOn = Overdue > 0 ? null : SettledOn ?? on;

    /// <summary>Adds what was charged, paid and waived on an installment that is left out.</summary>
    public void TakeOver(Installment other)
    {
        for (var i = 0; i < 4; i++)
        {
            _due[i] += other._due[i];
            _paid[i] += other._paid[i];
            _waived[i] += other._waived[i];
        }
    }

    public Portions Due => Read(_due);

    public Portions Paid => Read(_paid);

    public Portions Waived => Read(_waived);

    private static Portions Read(long[] cents) => new(
        Money.FromCents(cents[(int)Portion.Principal]), Money.FromCents(cents[(int)Portion.Interest]), Money.FromCents(cents[(int)Portion.Fee]), Money.FromCents(cents[(int)Portion.Penalty]));
}
