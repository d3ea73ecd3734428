namespace Camino.Lending.Applications.CashFlows;

/// <summary>One line on its way to its mark.</summary>
internal sealed class MarkedLine(int statement, StatementAccount account, StatementLine line)
{
    public int Statement { get; } = statement;

    /// <summary>Name of its account.</summary>
    public string Account { get; } = account.Name;

    public StatementLine Line { get; } = line;

    /// <summary>The text as words are looked for in it.</summary>
    public string Plain { get; } = CashWords.Plain(line.Text);

    public LineMarks Marks { get; private set; } = account.IsCash ? LineMarks.None : LineMarks.CreditAccount;

    public string? Lender { get; private set; }

    public bool Has(LineMarks any) => (Marks & any) != LineMarks.None;

    public void Mark(LineMarks mark, string? lender = null)
    {
        Marks |= mark;
        Lender ??= lender;
    }
}

/// <summary>Tells what each line counts as: what is repeated, what went between own accounts, what came back, what went to other lenders.</summary>
internal static class LineMarking
{
    /// <summary>Days within which a deposit comes back.</summary>
    private const int ReturnDays = 15;

    private const int FewestDaily = 10;
    private const int FewestWeekly = 4;

    /// <summary>Days that the two ends of a transfer may lie apart, the likeliest first.</summary>
    private static readonly int[] s_apart = [0, 1, -1, 2, -2, 3, -3];

    /// <summary>Every line of every statement, in their order.</summary>
    public static List<MarkedLine> Of(IReadOnlyList<StatementAccount> statements)
    {
        var lines = statements.SelectMany((account, at) => account.Lines.Select(line => new MarkedLine(at, account, line))).ToList();
        foreach (var account in lines.GroupBy(line => line.Account, StringComparer.Ordinal))
            MarkRepeated(account);
        var own = lines.Where(line => !line.Has(LineMarks.Repeated | LineMarks.CreditAccount)).ToList();
        MarkTransfers(own);
        MarkReturned(own);
        MarkLenders([.. own.Where(line => !line.Has(LineMarks.OwnTransfer | LineMarks.Returned | LineMarks.OverdraftFee))]);
        foreach (var line in own.Where(line => !line.Has(LineMarks.OwnTransfer)))
        {
            if (line.Line.Amount < Money.Zero)
                line.Mark(LineMarks.Withdrawal);
            else if (line.Line.Amount > Money.Zero && !line.Has(LineMarks.Returned | LineMarks.TakenBack | LineMarks.Lender))
                line.Mark(LineMarks.Deposit);
        }

        return lines;
    }

    /// <summary>
    /// A line is the same as one of an earlier statement when the bank gave both the same id, day and amount; where one of the two has no id, when day, amount and text are the same, and as many of them
    /// stand there as here up to it. Within one statement lines are the same only with the same id and text.
    /// </summary>
    private static void MarkRepeated(IEnumerable<MarkedLine> account)
    {
        var ids = new HashSet<(string Id, DateOnly On, long Cents)>();
        var there = new Dictionary<(DateOnly On, long Cents, string Text), (int All, int Nameless)>();
        foreach (var statement in account.GroupBy(line => line.Statement))
        {
            var ownIds = new HashSet<(string Id, DateOnly On, long Cents, string Text)>();
            var here = new Dictionary<(DateOnly On, long Cents, string Text), (int All, int Nameless)>();
            foreach (var line in statement)
            {
                var one = line.Line;
                var key = (one.On, one.Amount.Cents, line.Plain);
                var isTwice = one.BankId is { } id && (ids.Contains((id, one.On, one.Amount.Cents)) || !ownIds.Add((id, one.On, one.Amount.Cents, line.Plain)));
                var count = here.GetValueOrDefault(key);
                count = (count.All + 1, count.Nameless + (one.BankId is null ? 1 : 0));
                here[key] = count;
                var before = there.GetValueOrDefault(key);
                if (isTwice || (one.BankId is null ? before.All : before.Nameless) >= count.All)
                    line.Mark(LineMarks.Repeated);
            }

            ids.UnionWith(statement.Where(line => line.Line.BankId is not null).Select(line => (line.Line.BankId ?? "", line.Line.On, line.Line.Amount.Cents)));
            foreach (var (key, count) in here)
                there[key] = (Math.Max(count.All, there.GetValueOrDefault(key).All), Math.Max(count.Nameless, there.GetValueOrDefault(key).Nameless));
        }
    }

    /// <summary>What goes out of one account and comes into another in the same amount within three days, and is called a transfer at one end at least; the nearest day first.</summary>
    private static void MarkTransfers(List<MarkedLine> lines)
    {
        var accounts = lines.Select(line => line.Account).Distinct(StringComparer.Ordinal).ToList();
        if (accounts.Count < 2)
            return;
        var credits = lines.Where(line => line.Line.Amount > Money.Zero).GroupBy(line => (line.Account, line.Line.Amount.Cents, line.Line.On, Says: SaysTransfer(line))).ToDictionary(group => group.Key, group => new Queue<MarkedLine>(group));
        foreach (var debit in lines.Where(line => line.Line.Amount < Money.Zero))
        {
            var says = SaysTransfer(debit);
            foreach (var apart in s_apart)
            {
                var other = accounts.Where(account => account != debit.Account).Select(account => Next(account, debit.Line.On.AddDays(apart), isCalled: true) ?? (says ? Next(account, debit.Line.On.AddDays(apart), isCalled: false) : null)).FirstOrDefault(found => found is not null);
                if (other is null)
                    continue;
                debit.Mark(LineMarks.OwnTransfer);
                other.Mark(LineMarks.OwnTransfer);
                break;
            }

            MarkedLine? Next(string account, DateOnly on, bool isCalled) => credits.TryGetValue((account, -debit.Line.Amount.Cents, on, isCalled), out var left) && left.TryDequeue(out var credit) ? credit : null;
        }
    }

    private static void MarkReturned(List<MarkedLine> lines)
    {
        foreach (var line in lines.Where(line => !line.Has(LineMarks.OwnTransfer)))
        {
            if (line.Line.Amount < Money.Zero && CashWords.Has(line.Plain, CashWords.OverdraftFees))
                line.Mark(LineMarks.OverdraftFee);
            else if (CashWords.Has(line.Plain, CashWords.Returned))
                line.Mark(LineMarks.Returned);
        }

        var credits = lines.Where(line => line.Line.Amount > Money.Zero).ToLookup(line => (line.Account, line.Line.Amount.Cents));
        foreach (var back in lines.Where(line => line.Has(LineMarks.Returned) && line.Line.Amount < Money.Zero))
        {
            credits[(back.Account, -back.Line.Amount.Cents)].Where(line => !line.Has(LineMarks.OwnTransfer | LineMarks.Returned | LineMarks.TakenBack)
                    && line.Line.On <= back.Line.On && Days(line, back) <= ReturnDays)
                .MaxBy(line => line.Line.On)?.Mark(LineMarks.TakenBack);
        }
    }

    private static void MarkLenders(List<MarkedLine> lines)
    {
        foreach (var line in lines)
        {
            if (CashWords.Find(line.Plain, CashWords.Lenders) is { } lender)
                line.Mark(LineMarks.KnownLender, lender.Name);
            else if (line.Line.Amount < Money.Zero && CashWords.Find(line.Plain, CashWords.LoanWords) is { } words)
                line.Mark(LineMarks.LoanWords, words.Name);
        }

        foreach (var regular in lines.Where(line => line.Line.Amount < Money.Zero && !line.Has(LineMarks.Lender)).GroupBy(line => (line.Account, Payee: CashWords.Payee(line.Plain), line.Line.Amount.Cents)))
        {
            if (regular.Key.Payee.Length == 0 || Rhythm([.. regular.Select(line => line.Line.On).Distinct().Order()]) is not { } rhythm)
                continue;
            foreach (var line in regular)
                line.Mark(rhythm, regular.Key.Payee);
        }
    }

    /// <summary>Nearly every business day: never more than a long weekend apart, two days on average at most. Every week: five to nine days apart each time.</summary>
    private static LineMarks? Rhythm(IReadOnlyList<DateOnly> days)
    {
        var apart = days.Skip(1).Select((day, i) => day.DayNumber - days[i].DayNumber).ToList();
        return days.Count >= FewestDaily && apart.TrueForAll(gap => gap <= 4) && apart.Average() <= 2.0 ? LineMarks.RegularDaily
            : days.Count >= FewestWeekly && apart.TrueForAll(gap => gap is >= 5 and <= 9) ? LineMarks.RegularWeekly
            : null;
    }

    private static int Days(MarkedLine one, MarkedLine other) => Math.Abs(one.Line.On.DayNumber - other.Line.On.DayNumber);

    private static bool SaysTransfer(MarkedLine line) => line.Line.IsTransfer || CashWords.Has(line.Plain, CashWords.Transfers);
}
