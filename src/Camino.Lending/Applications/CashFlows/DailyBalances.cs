namespace Camino.Lending.Applications.CashFlows;

/// <summary>The balance of an account at the end of each day, from what its bank states; nothing is known that no stated balance proves.</summary>
/// <remarks>
/// Two things prove balances. A running balance on every line, where each follows from the one before and its amount, and the lines stand in the order of their days. Or the balance that the
/// bank states for the end of one day: from there the lines lead to every other day that the statement covers.
/// </remarks>
public static class DailyBalances
{
    /// <summary>The balance of each day that the statement covers; empty where nothing proves one.</summary>
    public static IReadOnlyDictionary<DateOnly, Money> Of(StatementAccount account)
    {
        if (Chronological(account.Lines) is { } lines)
            return Carry(account, lines);
        if (account.Stated is { } stated && stated.On >= account.From.AddDays(-1) && stated.On <= account.To)
            return Reckon(account, stated);
        return new Dictionary<DateOnly, Money>();
    }

    /// <summary>The lines from the oldest to the newest, where every running balance follows from the one before it; else null.</summary>
    public static IReadOnlyList<StatementLine>? Chronological(IReadOnlyList<StatementLine> lines)
    {
        if (lines.Count == 0 || lines.Any(line => line.Balance is null))
            return null;
        if (AddsUp(lines))
            return lines;
        StatementLine[] turned = [.. lines.Reverse()];
        return AddsUp(turned) ? turned : null;
    }

    private static bool AddsUp(IReadOnlyList<StatementLine> lines)
    {
        for (var i = 1; i < lines.Count; i++)
        {
            if (lines[i].On < lines[i - 1].On || lines[i].Balance?.Cents - lines[i - 1].Balance?.Cents != lines[i].Amount.Cents)
                return false;
        }

        return true;
    }

    /// <summary>A balance stays until the next line. Before the first line it was what the first line left, less its amount.</summary>
    private static Dictionary<DateOnly, Money> Carry(StatementAccount account, IReadOnlyList<StatementLine> lines)
    {
        var balances = new Dictionary<DateOnly, Money>();
        var balance = (lines[0].Balance ?? Money.Zero) - lines[0].Amount;
        var next = 0;
        for (var day = account.From; day <= account.To; day = day.AddDays(1))
        {
            for (; next < lines.Count && lines[next].On <= day; next++)
                balance = lines[next].Balance ?? balance;
            balances[day] = balance;
        }

        return balances;
    }

    private static Dictionary<DateOnly, Money> Reckon(StatementAccount account, StatedBalance stated)
    {
        var moved = new Dictionary<DateOnly, Money>();
        foreach (var line in account.Lines)
            moved[line.On] = moved.GetValueOrDefault(line.On) + line.Amount;
        var balances = new Dictionary<DateOnly, Money>();
        var balance = stated.Amount;
        for (var day = stated.On; day >= account.From; day = day.AddDays(-1))
        {
            balances[day] = balance;
            balance -= moved.GetValueOrDefault(day);
        }

        balance = stated.Amount;
        for (var day = stated.On.AddDays(1); day <= account.To; day = day.AddDays(1))
        {
            balance += moved.GetValueOrDefault(day);
            balances[day] = balance;
        }

        return balances;
    }
}
