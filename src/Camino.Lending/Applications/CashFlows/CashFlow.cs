namespace Camino.Lending.Applications.CashFlows;

/// <summary>What a line counts as. The values are stored and never change.</summary>
[Flags]
public enum LineMarks
{
    /// <summary>Nothing is counted of it.</summary>
    None = 0,

    /// <summary>Counted as a deposit.</summary>
    Deposit = 1,

    /// <summary>Counted as a withdrawal.</summary>
    Withdrawal = 2,

    /// <summary>It stands in an earlier statement too, or twice in this one, and counts there.</summary>
    Repeated = 4,

    /// <summary>Money that went from one of the accounts to another.</summary>
    OwnTransfer = 8,

    /// <summary>An item that came back or was not paid.</summary>
    Returned = 16,

    /// <summary>A fee for too little money.</summary>
    OverdraftFee = 32,

    /// <summary>A deposit that a later line takes back.</summary>
    TakenBack = 64,

    /// <summary>The text names a funder that is on the list.</summary>
    KnownLender = 128,

    /// <summary>The text says that a loan is paid.</summary>
    LoanWords = 256,

    /// <summary>The same payee took the same amount nearly every business day.</summary>
    RegularDaily = 512,

    /// <summary>The same payee took the same amount every week.</summary>
    RegularWeekly = 1024,

    /// <summary>A line of a credit card or a line of credit.</summary>
    CreditAccount = 2048,

    /// <summary>Any sign of another lender.</summary>
    Lender = KnownLender | LoanWords | RegularDaily | RegularWeekly,
}

/// <summary>What a line counts as, and the lender that it names.</summary>
public readonly record struct LineMark(LineMarks Marks, string? Lender);

/// <summary>Figures of a month or of all days.</summary>
/// <param name="DaysCovered">Days that a statement of some account covers.</param>
/// <param name="Deposits">Without transfers between the accounts, what lenders paid in, and what came back.</param>
/// <param name="Withdrawals">Above zero; without transfers between the accounts.</param>
/// <param name="BalanceDays">Days whose balance is known for every account.</param>
/// <param name="AverageBalance">Over those days, to the cent; null where there are none.</param>
/// <param name="NegativeDays">Of those days; null where there are none.</param>
/// <param name="LenderDebits">Above zero; what went to other lenders, or may have.</param>
/// <param name="LenderCredits">What known lenders paid in.</param>
/// <param name="LeftOut">Credits that are no deposits: transfers, what came back, what lenders paid in.</param>
public sealed record CashPeriod(
    DateOnly From, DateOnly To, int DaysCovered, int DepositCount, Money Deposits, int WithdrawalCount, Money Withdrawals, int BalanceDays, Money? AverageBalance, Money? LowestBalance, DateOnly? LowestOn, int? NegativeDays,
    int ReturnedItems, int OverdraftFees, int LenderDebitCount, Money LenderDebits, int LenderCreditCount, Money LenderCredits, int LeftOutCount, Money LeftOut);

/// <summary>A lender that lines show, or seem to.</summary>
/// <param name="Sign">Why it is taken for one.</param>
/// <param name="LastAmount">Of the last debit; null where it only paid in.</param>
public sealed record LenderSeen(string Name, LineMarks Sign, int Debits, Money Out, Money In, Money? LastAmount, DateOnly First, DateOnly Last);

/// <summary>Days between statements of one account that none covers.</summary>
public sealed record CoverageGap(string? Last4, DateOnly From, DateOnly To);

/// <summary>One account as all statements together show it.</summary>
/// <param name="BalanceDays">Days whose balance is known.</param>
public sealed record AccountSeen(string? Last4, BankAccountKind Kind, DateOnly From, DateOnly To, int DaysCovered, int BalanceDays, bool IsCounted);

/// <summary>The balance of all accounts at the end of a day.</summary>
public readonly record struct DayBalance(DateOnly On, Money Amount);

/// <summary>What the statements of an application come to.</summary>
/// <param name="WordsVersion">The <see cref="CashWords.Version"/> by which lines were told apart.</param>
/// <param name="Whole">Null where no account counts.</param>
/// <param name="Months">Calendar months, the oldest first; those without a day that is covered are left out.</param>
/// <param name="Balances">Days whose balance is known, in order.</param>
public sealed record CashFlow(
    int WordsVersion, CashPeriod? Whole, IReadOnlyList<CashPeriod> Months, IReadOnlyList<DayBalance> Balances, IReadOnlyList<AccountSeen> Accounts, IReadOnlyList<CoverageGap> Gaps, IReadOnlyList<LenderSeen> Lenders)
{
    /// <summary>Reckons the figures of statements, and what each line counts as.</summary>
    /// <param name="statements">In the order in which they were taken in; what stands in two counts in the first.</param>
    /// <returns>The marks are those of the lines of each statement, in its order.</returns>
    public static (CashFlow Figures, IReadOnlyList<IReadOnlyList<LineMark>> Marks) Of(IReadOnlyList<StatementAccount> statements)
    {
        var lines = LineMarking.Of(statements);
        var counted = statements.Where(statement => statement.IsCash).ToList();
        var balances = WholeBalances(counted);
        var covered = Covered(counted);
        List<CashPeriod> months = [];
        foreach (var month in covered.GroupBy(day => (day.Year, day.Month)).OrderBy(month => month.Key))
        {
            var first = new DateOnly(month.Key.Year, month.Key.Month, 1);
            months.Add(Period(first, first.AddMonths(1).AddDays(-1), covered, lines, balances));
        }

        var whole = covered.Count == 0 ? null : Period(covered.Min, covered.Max, covered, lines, balances);
        var figures = new CashFlow(CashWords.Version, whole, months, [.. balances.Select(day => new DayBalance(day.Key, day.Value))], [.. Seen(statements)], [.. GapsOf(statements)], LendersOf(lines));
        return (figures, [.. statements.Select((_, at) => (IReadOnlyList<LineMark>)[.. lines.Where(line => line.Statement == at).Select(line => new LineMark(line.Marks, line.Lender))])]);
    }

    private static CashPeriod Period(DateOnly from, DateOnly to, SortedSet<DateOnly> covered, List<MarkedLine> all, SortedDictionary<DateOnly, Money> balances)
    {
        var lines = all.Where(line => line.Line.On >= from && line.Line.On <= to && !line.Has(LineMarks.Repeated | LineMarks.CreditAccount)).ToList();
        var days = balances.Where(day => day.Key >= from && day.Key <= to).ToList();
        var lowest = days.Count == 0 ? (KeyValuePair<DateOnly, Money>?)null : days.MinBy(day => day.Value.Cents);
        var deposits = lines.Where(line => line.Has(LineMarks.Deposit)).ToList();
        var withdrawals = lines.Where(line => line.Has(LineMarks.Withdrawal)).ToList();
        var lent = lines.Where(line => line.Has(LineMarks.Lender) && line.Line.Amount > Money.Zero).ToList();
        var paid = lines.Where(line => line.Has(LineMarks.Lender) && line.Line.Amount < Money.Zero).ToList();
        var left = lines.Where(line => line.Line.Amount > Money.Zero && !line.Has(LineMarks.Deposit)).ToList();
        return new CashPeriod(
            from, to, covered.GetViewBetween(from, to).Count, deposits.Count, Sum(deposits), withdrawals.Count, -Sum(withdrawals),
            days.Count, days.Count == 0 ? null : new Money(decimal.Round(days.Sum(day => day.Value.Dollars) / days.Count, 2, MidpointRounding.ToEven)), lowest?.Value, lowest?.Key, days.Count == 0 ? null : days.Count(day => day.Value < Money.Zero),
            lines.Count(line => line.Has(LineMarks.Returned)), lines.Count(line => line.Has(LineMarks.OverdraftFee)), paid.Count, -Sum(paid), lent.Count, Sum(lent), left.Count, Sum(left));
    }

    private static Money Sum(IEnumerable<MarkedLine> lines) => lines.Aggregate(Money.Zero, (sum, line) => sum + line.Line.Amount);

    private static SortedSet<DateOnly> Covered(IEnumerable<StatementAccount> statements)
    {
        var covered = new SortedSet<DateOnly>();
        foreach (var statement in statements)
        {
            for (var day = statement.From; day <= statement.To; day = day.AddDays(1))
                covered.Add(day);
        }

        return covered;
    }

    /// <summary>A day's balance is known when that of each account is. Where two statements of an account say different things of a day, the one that reaches further had all of it.</summary>
    private static SortedDictionary<DateOnly, Money> WholeBalances(List<StatementAccount> counted)
    {
        var accounts = counted.GroupBy(statement => statement.Name, StringComparer.Ordinal).Select(AccountBalances).ToList();
        var whole = new SortedDictionary<DateOnly, Money>();
        foreach (var day in accounts.Count == 0 ? [] : accounts[0].Keys.Where(day => accounts.TrueForAll(account => account.ContainsKey(day))))
            whole[day] = accounts.Aggregate(Money.Zero, (sum, account) => sum + account[day]);
        return whole;
    }

    private static Dictionary<DateOnly, Money> AccountBalances(IEnumerable<StatementAccount> statements)
    {
        var balances = new Dictionary<DateOnly, Money>();
        foreach (var day in statements.OrderBy(statement => statement.To).SelectMany(DailyBalances.Of))
            balances[day.Key] = day.Value;
        return balances;
    }

    private static IEnumerable<AccountSeen> Seen(IReadOnlyList<StatementAccount> statements) =>
        statements.GroupBy(statement => statement.Name, StringComparer.Ordinal).OrderBy(account => account.Key, StringComparer.Ordinal)
            .Select(account => (First: account.First(), Days: Covered(account), Known: AccountBalances(account).Count))
            .Where(account => account.Days.Count > 0)
            .Select(account => new AccountSeen(account.First.Last4, account.First.Kind, account.Days.Min, account.Days.Max, account.Days.Count, account.Known, account.First.IsCash));

    private static IEnumerable<CoverageGap> GapsOf(IReadOnlyList<StatementAccount> statements)
    {
        foreach (var account in statements.GroupBy(statement => statement.Name, StringComparer.Ordinal))
        {
            DateOnly? until = null;
            foreach (var statement in account.OrderBy(statement => statement.From))
            {
                if (until is { } end && statement.From > end.AddDays(1))
                    yield return new CoverageGap(statement.Last4, end.AddDays(1), statement.From.AddDays(-1));
                until = until is { } before && before > statement.To ? before : statement.To;
            }
        }
    }

    private static List<LenderSeen> LendersOf(List<MarkedLine> lines) =>
    [
        .. lines.Where(line => line.Lender is not null && line.Has(LineMarks.Lender) && !line.Has(LineMarks.Repeated | LineMarks.CreditAccount))
            .GroupBy(line => (Name: line.Lender ?? "", Sign: line.Marks & LineMarks.Lender))
            .Select(group => (group.Key, Lines: group.OrderBy(line => line.Line.On).ToList(), Debits: group.Where(line => line.Line.Amount < Money.Zero).OrderBy(line => line.Line.On).ToList()))
            .Select(one => new LenderSeen(
                one.Key.Name, one.Key.Sign, one.Debits.Count, -Sum(one.Debits), Sum(one.Lines.Where(line => line.Line.Amount > Money.Zero)), one.Debits.Count == 0 ? null : -one.Debits[^1].Line.Amount, one.Lines[0].Line.On, one.Lines[^1].Line.On))
            .OrderByDescending(one => one.Out.Cents).ThenBy(one => one.Name, StringComparer.Ordinal),
    ];
}
