using System.Buffers;
using System.Globalization;
using System.Text;
using Camino.Imports;
using Camino.Lending;
using Camino.Lending.Applications.CashFlows;

namespace Camino.Applications.Statements;

/// <summary>What the columns of a statement are, told from everything that stands in them.</summary>
internal sealed class CsvColumns
{
    private const int LongestPreamble = 30;

    private static readonly Dictionary<ColumnRole, string[]> s_headings = new()
    {
        [ColumnRole.Date] = ["posting date", "post date", "posted date", "date posted", "booking date", "transaction date", "trans date", "date", "fecha", "fecha de operacion", "data", "datum", "buchungstag", "valuta"],
        [ColumnRole.Amount] = ["amount", "transaction amount", "importe", "monto", "valor", "betrag", "montant", "bedrag"],
        [ColumnRole.Debit] = ["debit", "debits", "debit amount", "withdrawal", "withdrawals", "withdrawal amount", "paid out", "money out", "cargo", "cargos", "debito", "soll"],
        [ColumnRole.Credit] = ["credit", "credits", "credit amount", "deposit", "deposits", "deposit amount", "paid in", "money in", "abono", "abonos", "credito", "haben"],
        [ColumnRole.Balance] = ["balance", "running balance", "running bal", "account balance", "saldo", "solde", "kontostand"],
        [ColumnRole.Account] = ["account", "account number", "account no", "cuenta", "numero de cuenta", "konto", "kontonummer", "compte"],
        [ColumnRole.Currency] = ["currency", "moneda", "wahrung", "devise"],
    };

    private static readonly string[] s_in = ["credit", "cr", "c", "deposit", "bij", "haben", "h", "abono", "in"];
    private static readonly string[] s_out = ["debit", "dr", "d", "withdrawal", "check", "af", "soll", "s", "cargo", "out"];
    private static readonly string[] s_currencies = ["USD", "CAD", "CDN", "EUR", "GBP", "AUD", "NZD", "MXN", "CHF", "JPY", "BRL", "SEK", "NOK", "DKK", "PLN"];
    private static readonly SearchValues<char> s_sums = SearchValues.Create("0123456789.,'-+()$ ");
    private static readonly (string Sign, string Currency)[] s_signs = [("£", "GBP"), ("€", "EUR"), ("¥", "JPY"), ("R$", "BRL")];

    private readonly string[] _headings;
    private readonly int _width;
    private readonly ColumnRole[] _roles;
    private bool _decimalComma;
    private int _date = -1;
    private int _amount = -1;
    private int _debit = -1;
    private int _credit = -1;
    private int _balance = -1;
    private int _direction = -1;
    private int _currency = -1;
    private int _account = -1;
    private int[] _texts = [];
    private string? _sign;
    private Dictionary<long, bool> _wentOut = [];

    private CsvColumns(IReadOnlyList<CsvRow> rows, string[] headings, int width)
    {
        (Rows, _headings, _width) = (rows, headings, width);
        _roles = [.. Enumerable.Range(0, width).Select(column => RoleOf(column < headings.Length ? headings[column] : ""))];
    }

    private enum ColumnRole
    {
        None,
        Date,
        Amount,
        Debit,
        Credit,
        Balance,
        Account,
        Currency,
    }

    /// <summary>Records below the headings.</summary>
    public IReadOnlyList<CsvRow> Rows { get; }

    /// <summary>The order of the file's dates.</summary>
    public StatementDates Dates { get; private set; }

    /// <summary>Nothing in the file says which order it is.</summary>
    public bool DatesWereTaken { get; private set; }

    /// <summary>How amounts say what they are.</summary>
    public StatementAmounts Amounts { get; private set; }

    /// <summary>Whether there is a column of running balances.</summary>
    public bool HasBalance => _balance >= 0;

    /// <exception cref="RefusedException"><c>statement.no_date</c>, <c>statement.date</c>, <c>statement.no_amount</c>, <c>statement.sign</c>.</exception>
    public static CsvColumns Of(IReadOnlyList<CsvRow> rows, StatementDates? dates)
    {
        var width = rows.Count == 0 ? 0 : rows.GroupBy(row => row.Cells.Length).OrderByDescending(group => group.Count()).ThenByDescending(group => group.Key).First().Key;
        var first = 0;
        while (first < Math.Min(rows.Count, LongestPreamble) && rows[first].Cells.Length < width)
            first++;
        var body = rows.Skip(first).ToList();
        string[] headings = [];
        if (body.Count > 1 && body[0].Cells.All(cell => !IsDate(cell) && !IsMoney(cell)))
        {
            headings = body[0].Cells;
            body.RemoveAt(0);
        }

        var columns = new CsvColumns(body, headings, rows.Count == 0 ? 0 : Math.Max(width, rows.Max(row => row.Cells.Length)));
        columns.FindDecimals();
        columns.FindDates(dates);
        columns.FindOthers();
        columns.FindAmounts();
        return columns;
    }

    /// <summary>The day of a line; null where it has none.</summary>
    public DateOnly? DateOf(CsvRow row)
    {
        var cell = row.Cell(_date);
        if (cell.Length == 0)
            return null;
        return ReadDate(cell, Dates == StatementDates.DayFirst ? DateStyle.DayFirst : DateStyle.MonthFirst)
            ?? (Cells(row).Any(IsMoney) ? throw new RefusedException("statement.date", $"Line {row.Number}: the date is {Shown.Text(cell)}; it is one such as 2026-03-31, or in the order that the other lines have.") : null);
    }

    /// <summary>Above zero: came in; null where nothing stands.</summary>
    public decimal? AmountOf(CsvRow row)
    {
        if (Amounts != StatementAmounts.DebitCredit)
        {
            var amount = SumOf(row, _amount);
            return amount is null ? null
                : Amounts == StatementAmounts.Direction ? (IsOut(row.Cell(_direction)) ? -Math.Abs(amount.Value) : Math.Abs(amount.Value))
                : Amounts == StatementAmounts.Balance && _wentOut[row.Number] ? -amount.Value : amount;
        }

        var (debit, credit) = (SumOf(row, _debit), SumOf(row, _credit));
        return debit is null && credit is null ? null : Math.Abs(credit ?? 0m) - Math.Abs(debit ?? 0m);
    }

    /// <summary>The balance after a line; null where the file says none.</summary>
    public decimal? BalanceOf(CsvRow row) => SumOf(row, _balance);

    /// <summary>The account's number; null where no column holds it.</summary>
    public string? AccountOf(CsvRow row) => row.Cell(_account) is { Length: > 0 } account ? account : null;

    /// <summary>Three letters; null where the file says none.</summary>
    public string? CurrencyOf(CsvRow row) => row.Cell(_currency) is { Length: > 0 } currency ? currency.ToUpperInvariant() : _sign;

    /// <summary>What the bank wrote.</summary>
    public string TextOf(CsvRow row) => string.Join(' ', _texts.Select(row.Cell).Where(cell => cell.Length > 0));

    private static ColumnRole RoleOf(string heading)
    {
        var plain = CashWords.Plain(heading).Trim();
        return plain.Length == 0 ? ColumnRole.None : s_headings.FirstOrDefault(role => role.Value.Contains(plain, StringComparer.Ordinal)).Key;
    }

    private static bool IsDate(string cell) => ReadDate(cell, DateStyle.MonthFirst) is not null || ReadDate(cell, DateStyle.DayFirst) is not null;

    /// <summary>A bank may write the time, and the zone, behind the day: <c>20091224120000[0:GMT]</c>.</summary>
    private static DateOnly? ReadDate(string cell, DateStyle style)
    {
        if (cell.Length is < 6 or > 40)
            return null;
        var text = cell.Length >= 14 && cell.AsSpan(0, 14).IndexOfAnyExceptInRange('0', '9') < 0 ? cell[..8] : cell;
        return DateText.Read(Encoding.UTF8.GetBytes(text), style, out var date) == DateReading.Exact ? date : null;
    }

    /// <summary>A year in front, or a month by its name: there is one way to read it.</summary>
    private static bool IsPlainDate(string cell) => cell.AsSpan(0, 4).IndexOfAnyExceptInRange('0', '9') < 0 || cell.Any(char.IsLetter);

    /// <summary>Whether a cell can only be an amount: with decimals, a sign of a currency, or a sign.</summary>
    private static bool IsMoney(string cell)
    {
        var bare = Bare(cell);
        return bare.Length is > 0 and < 30 && !bare.AsSpan().ContainsAnyExcept(s_sums) && bare.AsSpan().ContainsAnyInRange('0', '9')
            && (bare.Length != cell.Length || bare.Contains('$', StringComparison.Ordinal) || bare[0] is '-' or '+' or '(' || Decimals(bare) is not null);
    }

    /// <summary>The mark before one, two or four final digits, or before three where no other mark stands before it.</summary>
    private static char? Decimals(string bare)
    {
        var at = bare.AsSpan().LastIndexOfAny('.', ',');
        var digits = at < 0 ? 0 : bare.AsSpan(at + 1).TrimEnd(") ").Length;
        return digits is 1 or 2 or 4 ? bare[at] : null;
    }

    /// <summary>Without signs of other currencies, words for debit and credit behind it, and a sign that stands at the end.</summary>
    private static string Bare(string cell)
    {
        var bare = cell.Replace("\u00A0", "", StringComparison.Ordinal);
        foreach (var (sign, _) in s_signs)
            bare = bare.Replace(sign, "", StringComparison.Ordinal);
        bare = bare.Trim();
        if (bare.EndsWith("CR", StringComparison.OrdinalIgnoreCase) && bare.Length > 2 && char.IsAsciiDigit(bare[0]))
            return bare[..^2].TrimEnd();
        if (bare.EndsWith("DR", StringComparison.OrdinalIgnoreCase) && bare.Length > 2 && char.IsAsciiDigit(bare[0]))
            return "-" + bare[..^2].TrimEnd();
        return bare.Length > 1 && bare[^1] == '-' && char.IsAsciiDigit(bare[0]) ? "-" + bare[..^1] : bare;
    }

    private static bool IsOut(string word) => s_out.Contains(word.ToLowerInvariant(), StringComparer.Ordinal);

    private static IEnumerable<string> Cells(CsvRow row) => row.Cells.Where(cell => cell.Length > 0);

    /// <summary>What stands in a column.</summary>
    private IEnumerable<string> Column(int column) => Rows.Select(row => row.Cell(column)).Where(cell => cell.Length > 0);

    private void FindDecimals()
    {
        var marks = Rows.SelectMany(Cells).Where(cell => !IsDate(cell) && IsMoney(cell)).Select(cell => Decimals(Bare(cell))).ToList();
        _decimalComma = marks.Count(mark => mark == ',') > marks.Count(mark => mark == '.');
        _sign = Rows.SelectMany(Cells).Where(IsMoney).SelectMany(cell => s_signs.Where(sign => cell.Contains(sign.Sign, StringComparison.Ordinal))).Select(sign => sign.Currency).FirstOrDefault();
    }

    private void FindDates(StatementDates? given)
    {
        var dated = Enumerable.Range(0, _width).Where(column => Column(column).ToList() is { Count: > 0 } cells && cells.Count * 2 >= Rows.Count && cells.Count(IsDate) * 10 >= cells.Count * 8).ToList();
        Refuse.If(dated.Count == 0, "statement.no_date", "No column holds dates such as 2026-03-31 or 03/31/2026.");
        _date = dated.FirstOrDefault(column => _roles[column] == ColumnRole.Date, dated[0]);
        var cells = Column(_date).Where(IsDate).ToList();
        if (cells.TrueForAll(IsPlainDate))
        {
            Dates = StatementDates.Plain;
            return;
        }

        var monthFirst = cells.Count(cell => ReadDate(cell, DateStyle.MonthFirst) is null);
        var dayFirst = cells.Count(cell => ReadDate(cell, DateStyle.DayFirst) is null);
        DatesWereTaken = monthFirst == dayFirst && given is null;
        Dates = monthFirst != dayFirst ? (monthFirst < dayFirst ? StatementDates.MonthFirst : StatementDates.DayFirst)
            : given ?? (_decimalComma || cells.Exists(cell => cell.Contains('.', StringComparison.Ordinal)) ? StatementDates.DayFirst : StatementDates.MonthFirst);
    }

    private void FindOthers()
    {
        _currency = Find(column => _roles[column] == ColumnRole.Currency, cells => cells.All(cell => s_currencies.Contains(cell.ToUpperInvariant(), StringComparer.Ordinal)), mostFilled: true);
        _account = Find(column => _roles[column] == ColumnRole.Account, cells => cells.Distinct(StringComparer.Ordinal).Count() == 1 && cells[0].Length >= 6 && cells[0].All(char.IsAsciiDigit) && cells.Count == Rows.Count && cells.Count > 2, mostFilled: false);
        _direction = Find(_ => false, cells => cells.Count == Rows.Count && cells.TrueForAll(cell => IsOut(cell) || s_in.Contains(cell.ToLowerInvariant(), StringComparer.Ordinal)), mostFilled: false);
    }

    private int Find(Func<int, bool> isCalled, Predicate<List<string>> holds, bool mostFilled)
    {
        var free = Enumerable.Range(0, _width).Where(column => column != _date && column != _currency && column != _account).ToList();
        if (free.Exists(column => isCalled(column)))
            return free.Find(column => isCalled(column));
        var found = free.Select(column => (Column: column, Cells: Column(column).ToList())).Where(one => one.Cells.Count > 0 && !one.Cells.TrueForAll(IsDate) && holds(one.Cells)).ToList();
        return found.Count == 0 ? -1 : mostFilled ? found.MaxBy(one => one.Cells.Count).Column : found[0].Column;
    }

    private void FindAmounts()
    {
        var sums = Enumerable.Range(0, _width).Where(column => column != _date && column != _account && column != _direction && column != _currency && HoldsSums(column)).ToList();
        var empty = Enumerable.Range(0, _width).Where(column => !Column(column).Any()).ToList();
        _balance = Called(ColumnRole.Balance);
        (_debit, _credit) = (Called(ColumnRole.Debit), Called(ColumnRole.Credit));
        _amount = Called(ColumnRole.Amount);
        if (_amount < 0 && (_debit < 0 || _credit < 0))
            Guess([.. sums.Where(column => column != _balance)], empty);
        Refuse.If(_amount < 0 && (_debit < 0 || _credit < 0), "statement.no_amount", "No column holds amounts such as 1234.56.");
        if (_amount < 0)
            Amounts = StatementAmounts.DebitCredit;
        else
            FindSigns();
        int[] taken = [_date, _amount, _debit, _credit, _balance, _currency, _account, _direction, .. sums];
        _texts = [.. Enumerable.Range(0, _width).Where(column => !taken.Contains(column) && !Column(column).All(IsDate) && !IsCurrencies(column))];
    }

    private bool IsCurrencies(int column) => Column(column).All(cell => s_currencies.Contains(cell, StringComparer.Ordinal));

    private int Called(ColumnRole role) => Array.IndexOf(_roles, role);

    /// <summary>Amounts in every cell, and most of them unmistakable; a column that is called one need not be that.</summary>
    private bool HoldsSums(int column)
    {
        var cells = Column(column).ToList();
        return cells.Count > 0 && cells.TrueForAll(cell => ReadMoney(cell) is not null)
            && (_roles[column] is ColumnRole.Amount or ColumnRole.Debit or ColumnRole.Credit or ColumnRole.Balance || cells.Count(cell => IsMoney(cell) || ReadMoney(cell) == 0m) * 2 > cells.Count) && cells.Exists(IsMoney);
    }

    /// <summary>
    /// Without headings. Two columns of which each line fills one are what went out and what came in, in this order unless a sign says otherwise. Else the amount is the first that every line
    /// fills, and the balance the last; with an empty column between them what stands before it went out, for banks write debit, credit and balance.
    /// </summary>
    private void Guess(List<int> sums, List<int> empty)
    {
        var pair = sums.SelectMany(one => sums.Where(other => other > one).Select(other => (One: one, Other: other))).FirstOrDefault(both => Rows.All(row => IsFilled(row, both.One) != IsFilled(row, both.Other)));
        var full = sums.Where(column => Rows.All(row => row.Cell(column).Length > 0)).ToList();
        if (pair != default)
        {
            var turned = Rows.Any(row => ReadMoney(row.Cell(pair.Other)) < 0m) && Rows.All(row => ReadMoney(row.Cell(pair.One)) is null or >= 0m);
            (_debit, _credit) = turned ? (pair.Other, pair.One) : pair;
            if (_balance < 0 && full.Exists(column => column != pair.One && column != pair.Other))
                _balance = full.FindLast(column => column != pair.One && column != pair.Other);
        }
        else if (full.Count > 1 && empty.Contains(full[0] + 1) && full[^1] > full[0] + 1)
        {
            (_debit, _credit, _balance) = (full[0], full[0] + 1, full[^1]);
        }
        else if (full.Count > 0)
        {
            _amount = full[0];
            _balance = full.Count > 1 && _balance < 0 ? full[^1] : _balance;
        }
    }

    /// <summary>Amounts with a sign say it themselves. Without any, a word beside them does, or the running balance, where it adds up.</summary>
    private void FindSigns()
    {
        Amounts = StatementAmounts.BySign;
        if (Rows.Any(row => ReadMoney(row.Cell(_amount)) < 0m))
            return;
        if (_direction >= 0)
        {
            Amounts = StatementAmounts.Direction;
            return;
        }

        var lines = Rows.Select(row => (row.Number, Amount: ReadMoney(row.Cell(_amount)), Balance: ReadMoney(row.Cell(_balance)))).Where(line => line.Amount is not null).ToList();
        _wentOut = ByBalance(lines) ?? ByBalance([.. Enumerable.Reverse(lines)])
            ?? throw new RefusedException("statement.sign", "Nothing in the file says which amounts went out: neither a sign, nor two columns, nor a word such as debit, nor a running balance that adds up.");
        Amounts = StatementAmounts.Balance;
    }

    /// <summary>Which amounts went out, where each balance follows from the one before; the first line says nothing and is taken by its balance where that is the amount.</summary>
    private static Dictionary<long, bool>? ByBalance(List<(long Number, decimal? Amount, decimal? Balance)> lines)
    {
        if (lines.Count < 2 || lines.Exists(line => line.Balance is null) || lines[0].Balance != lines[0].Amount)
            return null;
        var wentOut = new Dictionary<long, bool> { [lines[0].Number] = false };
        for (var i = 1; i < lines.Count; i++)
        {
            var change = lines[i].Balance - lines[i - 1].Balance;
            if (change != lines[i].Amount && change != -lines[i].Amount)
                return null;
            wentOut[lines[i].Number] = change < 0m;
        }

        return wentOut;
    }

    private bool IsFilled(CsvRow row, int column) => ReadMoney(row.Cell(column)) is { } amount && amount != 0m;

    private decimal? ReadMoney(string cell)
    {
        var bare = Bare(cell);
        if (bare.Length is 0 or > 40 || bare.AsSpan().ContainsAnyExcept(s_sums))
            return null;
        return MoneyText.Read(Encoding.ASCII.GetBytes(bare.Replace("'", "", StringComparison.Ordinal)), _decimalComma, out var amount) is MoneyReading.Exact or MoneyReading.Rounded ? amount : null;
    }

    /// <exception cref="RefusedException"><c>statement.amount</c>.</exception>
    private decimal? SumOf(CsvRow row, int column)
    {
        var cell = row.Cell(column);
        if (cell.Length == 0)
            return null;
        var amount = ReadMoney(cell);
        Refuse.If(amount is null || Math.Abs(amount.Value) > StatementReader.MostAmount, "statement.amount", $"Line {row.Number}: {NameOf(column)} is {Shown.Text(cell)}; it is an amount such as 1234.56, up to {new Money(StatementReader.MostAmount)}.");
        return amount;
    }

    private string NameOf(int column) => column < _headings.Length && _headings[column].Length > 0 ? Shown.Text(_headings[column]) : string.Create(CultureInfo.InvariantCulture, $"column {column + 1}");
}
