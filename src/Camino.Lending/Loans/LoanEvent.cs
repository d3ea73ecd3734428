namespace Camino.Lending.Loans;

/// <summary>What can happen to a loan.</summary>
public enum LoanEventType
{
    /// <summary>Money handed out; the amount.</summary>
    Disburse,

    /// <summary>The yearly rate changes from the date on; <see cref="LoanEvent.Rate"/>. The remaining installments get a new level.</summary>
    RateChange,

    /// <summary>No interest accrues from the date to <see cref="LoanEvent.Until"/>.</summary>
    InterestPause,

    /// <summary>Days from the date to <see cref="LoanEvent.Until"/> do not count as past due.</summary>
    DelinquencyPause,

    /// <summary>The next installment moves to <see cref="LoanEvent.Until"/>, those after it follow in their rhythm.</summary>
    DueDateChange,

    /// <summary>The next installment is left out and one more comes at the end.</summary>
    Skip,

    /// <summary><see cref="LoanEvent.Count"/> more installments at the end; the remaining ones get a new level.</summary>
    Extend,

    /// <summary>The remaining installments get a new level.</summary>
    Reamortize,

    /// <summary>All principal is put on <see cref="LoanEvent.Count"/> new installments, the first on <see cref="LoanEvent.Until"/>; interest and fees already due stay due. Counted; days past due go on until a new installment is paid.</summary>
    Restructure,

    /// <summary>A fee or, with <see cref="LoanEvent.Portion"/>, a penalty is charged; the amount.</summary>
    Fee,

    /// <summary>Money received; the amount.</summary>
    Pay,

    /// <summary>An event is taken back as if it had not been: <see cref="LoanEvent.Of"/>.</summary>
    Reverse,

    /// <summary>The bank returned a payment: <see cref="LoanEvent.Of"/>, with <see cref="LoanEvent.BankCode"/>. A reversal, and a fee where the product has one.</summary>
    Return,

    /// <summary>Part of what is due is given up; the amount and the portion.</summary>
    Waive,

    /// <summary>What is left is written off, when it is at most the amount.</summary>
    WriteOff,

    /// <summary>The loan is charged off: accrual stops, later receipts are recoveries.</summary>
    ChargeOff,

    /// <summary>Money received on a charged-off loan; the amount.</summary>
    Recover,

    /// <summary>A credit is paid out; the amount.</summary>
    Refund,
}

/// <summary>The parts money goes to.</summary>
public enum Portion
{
    /// <summary>Late fees.</summary>
    Penalty,

    /// <summary>Other fees.</summary>
    Fee,

    /// <summary>Interest.</summary>
    Interest,

    /// <summary>Principal.</summary>
    Principal,
}

/// <summary>One entry of a loan's append-only list. Nothing in the list is edited: a mistake is reversed by a later entry.</summary>
public sealed record LoanEvent
{
    /// <summary>Names the event within its loan, 1 to 64 characters. The same key with the same body counts once; with another body it is refused.</summary>
    public required string Key { get; init; }

    /// <summary>The effective date: from when it counts. Events of one date are taken in the order of <see cref="LoanEventType"/>, then of the list.</summary>
    public required DateOnly On { get; init; }

    /// <summary>The business date it was entered on; later than <see cref="On"/> when back-dated. The effective date if left out. Only a look back uses it.</summary>
    public DateOnly? PostedOn { get; init; }

    /// <summary>What happened.</summary>
    public required LoanEventType Type { get; init; }

    /// <summary>The amount, above zero, for the types that have one.</summary>
    public Money Amount { get; init; }

    /// <summary>The new rate of a rate change.</summary>
    public Rate Rate { get; init; }

    /// <summary>The last day of a pause, or the new due date.</summary>
    public DateOnly? Until { get; init; }

    /// <summary>How many installments.</summary>
    public int Count { get; init; }

    /// <summary>Which part a waiver gives up, or whether a fee is a penalty.</summary>
    public Portion Portion { get; init; } = Portion.Fee;

    /// <summary>The key of the event that is reversed or returned.</summary>
    public string? Of { get; init; }

    /// <summary>The bank's reason for a return: R01 to R85.</summary>
    public string? BankCode { get; init; }

    internal bool HasAmount => Type is LoanEventType.Disburse or LoanEventType.Fee or LoanEventType.Pay or LoanEventType.Waive or LoanEventType.WriteOff
        or LoanEventType.Recover or LoanEventType.Refund;

    internal bool TakesBack => Type is LoanEventType.Reverse or LoanEventType.Return;

    /// <summary>Refuses an event that no replay could take.</summary>
    /// <exception cref="RefusedException"><c>event.amount</c>, <c>event.until</c>, <c>event.count</c>, <c>event.of</c>, <c>event.bankCode</c>, <c>event.key</c>.</exception>
    internal void Check()
    {
        Refuse.If(Key.Length is < 1 or > 64, "event.key", $"A key has 1 to 64 characters; got {Key.Length}.");
        Refuse.If(!Enum.IsDefined(Type), "event.type", $"Unknown event {Type}.");
        Refuse.If(!Enum.IsDefined(Portion), "event.portion", $"Unknown portion {Portion}.");
        Refuse.If(On.Year is < 1900 or > 2299, "event.on", $"An event is in the years 1900 to 2299; got {On:yyyy-MM-dd}.");
        Refuse.If(PostedOn is { Year: < 1900 or > 2299 }, "event.postedOn", $"An event is posted in the years 1900 to 2299; got {PostedOn:yyyy-MM-dd}.");
        Refuse.If(HasAmount && Amount.Cents is < 1 or > ScheduleTerms.MaxPrincipalCents, "event.amount", $"An amount is $0.01 to $100,000,000.00; got {Amount}.");
        var needsUntil = Type is LoanEventType.InterestPause or LoanEventType.DelinquencyPause or LoanEventType.DueDateChange or LoanEventType.Restructure;
        Refuse.If(needsUntil && (Until is not { } until || until <= On || until > On.AddYears(5)), "event.until",
            $"The date of a {Type} is after {On:yyyy-MM-dd} and at most 5 years later; got {Until:yyyy-MM-dd}.");
        Refuse.If(Type is LoanEventType.Extend or LoanEventType.Restructure && Count is < 1 or > ScheduleTerms.MaxPayments, "event.count",
            $"There are 1 to {ScheduleTerms.MaxPayments} installments; got {Count}.");
        Refuse.If(Type == LoanEventType.Fee && Portion is not (Portion.Fee or Portion.Penalty), "event.portion", $"What is charged is a fee or a penalty; got {Portion}.");
        Refuse.If(TakesBack && Of is null, "event.of", $"A {Type} names the event it takes back.");
        Refuse.If(Type == LoanEventType.Return && !IsBankCode(BankCode), "event.bankCode", $"A bank's return code is R01 to R85; got {BankCode ?? "none"}.");
    }

    private static bool IsBankCode(string? code) =>
        code is ['R', >= '0' and <= '9', >= '0' and <= '9'] && (((code[1] - '0') * 10) + code[2] - '0') is >= 1 and <= 85;
}
