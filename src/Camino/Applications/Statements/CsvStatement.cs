using System.Text;
using Camino.Imports;
using Camino.Lending;
using Camino.Lending.Applications.CashFlows;

namespace Camino.Applications.Statements;

/// <summary>One record of a file.</summary>
/// <param name="Number">Its line, 1 for the first.</param>
internal sealed record CsvRow(long Number, string[] Cells)
{
    /// <summary>A cell without blanks around it; empty where the record is shorter.</summary>
    public string Cell(int column) => column >= 0 && column < Cells.Length ? Cells[column] : "";
}

/// <summary>Reads a statement as CSV, whatever its columns are: what they hold over the whole file decides, and headings where there are any.</summary>
internal static class CsvStatement
{
    /// <summary>Columns of a line.</summary>
    public const int MostColumns = 60;

    private const int LongestRecord = 64 * 1024;
    private const int SampleBytes = 256 * 1024;

    private static readonly ReaderLimits s_limits = new() { MaxColumns = MostColumns, MaxRecordBytes = LongestRecord, MaxQuotedBytes = 8 * 1024, MaxQuotedLines = 10 };

    private static readonly string[] s_opening = [" saldo anterior ", " opening balance ", " beginning balance ", " previous balance ", " balance forward ", " balance brought forward ", " starting balance ", " saldo inicial "];
    private static readonly string[] s_closing = [" closing balance ", " ending balance ", " saldo final "];

    /// <exception cref="RefusedException"><c>statement.*</c>.</exception>
    public static ReadStatement Read(string text, string encoding, StatementHints hints)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var rows = Rows(utf8, DelimiterOf(utf8));
        var columns = CsvColumns.Of(rows, hints.Dates);
        var (skipped, rounded) = (0, 0);
        var accounts = new Dictionary<(string? Last4, string? Currency), Collected>();
        foreach (var row in columns.Rows)
        {
            var on = columns.DateOf(row);
            var amount = columns.AmountOf(row);
            if (on is null || amount is null)
            {
                skipped++;
                continue;
            }

            var key = (StatementReader.Last4Of(columns.AccountOf(row)) ?? hints.Last4, columns.CurrencyOf(row));
            if (!accounts.TryGetValue(key, out var account))
            {
                Refuse.If(accounts.Count == StatementReader.MostAccounts, "statement.accounts", $"A file has statements of at most {StatementReader.MostAccounts} accounts; this one has more.");
                accounts[key] = account = new Collected();
            }

            account.Add(on.Value, StatementReader.Cents(amount.Value, ref rounded), columns.BalanceOf(row) is { } balance ? StatementReader.Cents(balance, ref rounded) : null, columns.TextOf(row));
        }

        Refuse.If(accounts.Values.All(account => account.Lines.Count == 0), "statement.no_account", "The file holds no statement of an account.");
        var read = accounts.Where(account => account.Value.Lines.Count > 0).Select(account => new ReadAccount(account.Value.ToAccount(account.Key.Last4), account.Key.Currency)).ToList();
        var addsUp = columns.HasBalance && read.TrueForAll(one => DailyBalances.Chronological(one.Account.Lines) is not null);
        return new ReadStatement(new StatementShape("csv", encoding, columns.Dates, columns.DatesWereTaken, columns.Amounts, columns.HasBalance, addsUp, skipped, rounded), read);
    }

    /// <summary>The one that divides most records into the same number of columns, and among equals the one with most columns.</summary>
    private static char DelimiterOf(byte[] utf8)
    {
        var sample = utf8.Length <= SampleBytes ? utf8 : utf8[..SampleBytes];
        var best = (Fitting: 0, Width: 0, Delimiter: ',');
        foreach (var delimiter in (ReadOnlySpan<char>)[',', ';', '\t', '|'])
        {
            using var splitter = new RecordSplitter(new MemoryStream(sample, writable: false), s_limits) { Delimiter = (byte)delimiter };
            var widths = new List<int>();
            RecordKind kind;
            while (widths.Count < 500 && (kind = splitter.Next()) != RecordKind.End)
            {
                if (kind == RecordKind.Record)
                    widths.Add(splitter.CellCount);
            }

            var usual = widths.Where(width => width > 1).GroupBy(width => width).OrderByDescending(group => group.Count()).ThenByDescending(group => group.Key).FirstOrDefault();
            if (usual is not null && (usual.Count(), usual.Key).CompareTo((best.Fitting, best.Width)) > 0)
                best = (usual.Count(), usual.Key, delimiter);
        }

        Refuse.If(best.Width == 0, "statement.no_table", "No comma, semicolon, tab or vertical bar divides the lines into columns.");
        return best.Delimiter;
    }

    private static List<CsvRow> Rows(byte[] utf8, char delimiter)
    {
        var rows = new List<CsvRow>();
        using var splitter = new RecordSplitter(new MemoryStream(utf8, writable: false), s_limits) { Delimiter = (byte)delimiter };
        while (true)
        {
            var kind = splitter.Next();
            if (kind == RecordKind.End)
                return rows;
            Refuse.If(kind is RecordKind.QuoteUnclosed or RecordKind.TooLong, "statement.line", $"Line {splitter.Line}: a quotation mark is not closed, or the line has more than {LongestRecord} bytes.");
            Refuse.If(splitter.CellCount > MostColumns, "statement.columns", $"Line {splitter.Line} has {splitter.CellCount} columns; at most {MostColumns} are allowed.");
            Refuse.If(rows.Count > StatementReader.MostLines, "statement.lines", $"A statement has at most {StatementReader.MostLines} transactions; this file has more.");
            var cells = new string[splitter.CellCount];
            for (var i = 0; i < cells.Length; i++)
            {
                cells[i] = Encoding.UTF8.GetString(splitter.Cell(i)).Trim();
                Refuse.If(cells[i].Length > StatementReader.LongestField, "statement.field", $"Line {splitter.Line}: a field has {cells[i].Length} characters; at most {StatementReader.LongestField} are allowed.");
            }

            rows.Add(new CsvRow(splitter.Line, cells));
        }
    }

    /// <summary>What was read of one account. A line that only says what the balance was before or after all others is no transaction.</summary>
    private sealed class Collected
    {
        private StatedBalance? _opening;
        private StatedBalance? _closing;

        public List<StatementLine> Lines { get; } = [];

        public void Add(DateOnly on, Money amount, Money? balance, string text)
        {
            var plain = CashWords.Plain(text);
            if (s_opening.Any(words => plain.StartsWith(words, StringComparison.Ordinal)))
                _opening = new StatedBalance(on, balance ?? amount);
            else if (s_closing.Any(words => plain.StartsWith(words, StringComparison.Ordinal)))
                _closing = new StatedBalance(on, balance ?? amount);
            else
                Lines.Add(new StatementLine(on, amount, StatementReader.Kept(text), Balance: balance));
        }

        public StatementAccount ToAccount(string? last4)
        {
            var (from, to) = (Lines.Min(line => line.On), Lines.Max(line => line.On));
            if (_opening is { } opening && opening.On < from)
                from = opening.On.AddDays(1);
            if (_closing is { } closing && closing.On > to)
                to = closing.On;
            StatedBalance? stated = _opening is { } before ? new StatedBalance(before.On < from ? before.On : from.AddDays(-1), before.Amount) : _closing;
            return new StatementAccount(last4, BankAccountKind.Unknown, from, to, stated, Lines);
        }
    }
}
