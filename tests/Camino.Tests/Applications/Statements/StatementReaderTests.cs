using System.Text;
using Camino.Applications.Statements;
using Camino.Lending;
using Camino.Lending.Applications.CashFlows;
using Camino.Tests.Imports.Reading;
using NUnit.Framework;

namespace Camino.Tests.Applications.Statements;

/// <summary>The exports of many banks against their control totals, and files that are not as they should be.</summary>
internal sealed class StatementReaderTests
{
    [TestCase("51-sample", 8, "0", "79.25", StatementDates.MonthFirst, false, StatementAmounts.DebitCredit, null)]
    [TestCase("austrian_example", 13, "203.90", "353.47", StatementDates.DayFirst, false, StatementAmounts.BySign, "EUR")]
    [TestCase("broker_canada_example", 12, "9699.15", "4916.24", StatementDates.Plain, false, StatementAmounts.BySign, "CAD USD")]
    [TestCase("chase", 9, "7183.52", "261.41", StatementDates.Plain, false, StatementAmounts.BySign, null)]
    [TestCase("english_date_example", 3, "327.49", "876.00", StatementDates.DayFirst, false, StatementAmounts.DebitCredit, null)]
    [TestCase("extratofake", 22, "1300.00", "495.00", StatementDates.MonthFirst, false, StatementAmounts.BySign, null)]
    [TestCase("french_example", 9, "0", "337.44", StatementDates.DayFirst, false, StatementAmounts.BySign, null)]
    [TestCase("german_date_example", 3, "327.49", "876.00", StatementDates.DayFirst, false, StatementAmounts.DebitCredit, null)]
    [TestCase("ing", 3, "375.00", "393.63", StatementDates.Plain, false, StatementAmounts.Direction, null)]
    [TestCase("intuit_mint_example", 7, "943.35", "1632.31", StatementDates.MonthFirst, false, StatementAmounts.Direction, null)]
    [TestCase("nationwide", 4, "500.00", "139.77", StatementDates.Plain, false, StatementAmounts.DebitCredit, "GBP")]
    [TestCase("some_other", 9, "7183.75", "229.18", StatementDates.Plain, false, StatementAmounts.BySign, null)]
    [TestCase("spanish_date_example", 3, "327.49", "876.00", StatementDates.MonthFirst, true, StatementAmounts.DebitCredit, null)]
    [TestCase("suntrust", 7, "1200.00", "500.00", StatementDates.MonthFirst, false, StatementAmounts.DebitCredit, null)]
    [TestCase("yyyymmdd_date_example", 1, "0", "123.45", StatementDates.Plain, false, StatementAmounts.BySign, null)]
    public void The_export_of_a_bank_comes_to_its_control_total(string name, int lines, decimal came, decimal went, StatementDates dates, bool taken, StatementAmounts amounts, string? currencies)
    {
        var read = StatementReader.Parse(Shared($"csv/{name}.csv"), new StatementHints(null, null));
        var all = read.Accounts.SelectMany(one => one.Account.Lines).ToList();

        Assert.That((all.Count, Came(all), Went(all)), Is.EqualTo((lines, came, went)));
        Assert.That((read.Shape.Dates, read.Shape.DatesWereTaken, read.Shape.Amounts), Is.EqualTo((dates, taken, amounts)));
        Assert.That(string.Join(' ', read.Accounts.Select(one => one.Currency).OfType<string>().Order(StringComparer.Ordinal)), Is.EqualTo(currencies ?? ""));
        Assert.That(all.Where(line => line.Text.Length == 0 || line.Text.Any(char.IsControl)), Is.Empty);
    }

    [Test]
    public void Running_balances_are_believed_where_they_add_up_and_the_balance_before_the_first_line_is_none_of_them()
    {
        var suntrust = Read("csv/suntrust.csv").Accounts[0].Account;
        var english = Read("csv/english_date_example.csv");
        var lunch = Read("csv/51-sample.csv");
        var brazil = Read("csv/extratofake.csv").Accounts[0].Account;

        Assert.That(CashFlow.Of([suntrust]).Figures.Whole is { AverageBalance.Dollars: 129.41m, LowestBalance.Cents: 0, NegativeDays: 0, BalanceDays: 17 }, Is.True);
        Assert.That((english.Shape.BalanceAddsUp, DailyBalances.Of(english.Accounts[0].Account).Single().Value.Dollars), Is.EqualTo((true, 1750.06m)), "the newest line stands first");
        Assert.That((lunch.Shape.HasBalance, lunch.Shape.BalanceAddsUp), Is.EqualTo((true, false)), "1,000.00 on every line is no running balance");
        Assert.That((brazil.Stated?.On, brazil.Stated?.Amount.Dollars, brazil.Lines[1].Text), Is.EqualTo((new DateOnly(2012, 10, 31), 100m, "Depósito COMPE - 033 0502 …2104 XXXXXXXXXXXXXX 101150")), "Windows-1252, and long numbers are cut");
        Assert.That(CashFlow.Of([brazil]).Figures.Balances.Select(day => day.Amount.Dollars), Is.EqualTo(new[] { 1258m, 1258m, 1258m, 1258m, 905m }));
        Assert.That(Read("csv/french_example.csv").Accounts[0].Account.Last4, Is.EqualTo("7890"));
    }

    [TestCase("checking", 1, 3, "0.01", "59.51", "USD", "6877", BankAccountKind.Checking)]
    [TestCase("bank_medium", 1, 3, "0", "345.27", "CAD", "5678", BankAccountKind.Checking)]
    [TestCase("suncorp", 1, 1, "0", "16.85", "AUD", "6789", BankAccountKind.Checking)]
    [TestCase("fidelity-savings", 1, 4, "115.83", "1894.23", "USD", "0001", BankAccountKind.Investment)]
    [TestCase("multiple_accounts", 2, 0, "0", "0", "USD", "9100", BankAccountKind.Checking)]
    public void OFX_of_both_kinds_comes_to_its_control_total(string name, int accounts, int lines, decimal came, decimal went, string currency, string last4, BankAccountKind kind)
    {
        var read = StatementReader.Parse(Shared($"ofx/{name}.ofx"), new StatementHints(null, null));
        var all = read.Accounts.SelectMany(one => one.Account.Lines).ToList();

        Assert.That((read.Accounts.Count, all.Count, Came(all), Went(all)), Is.EqualTo((accounts, lines, came, went)));
        Assert.That((read.Accounts[0].Currency, read.Accounts[0].Account.Last4, read.Accounts[0].Account.Kind), Is.EqualTo((currency, last4, kind)));
    }

    [Test]
    public void The_balance_that_an_OFX_file_states_leads_back_over_all_days_that_it_covers()
    {
        var checking = Read("ofx/checking.ofx").Accounts[0].Account;
        var broker = Read("ofx/fidelity-savings.ofx");
        var figures = CashFlow.Of([checking]).Figures;

        Assert.That((checking.From, checking.To, checking.Stated), Is.EqualTo((new DateOnly(2000, 1, 1), new DateOnly(2013, 5, 25), new StatedBalance(new DateOnly(2013, 5, 25), new Money(100.99m)))));
        Assert.That((figures.Balances[0].Amount.Dollars, figures.Balances[^1].Amount.Dollars, figures.Whole?.OverdraftFees), Is.EqualTo((160.49m, 100.99m, 1)));
        Assert.That(checking.Lines[0].Text, Does.StartWith("DIVIDEND EARNED FOR PERIOD OF 03/01/2011"), "the longer of name and memo, once");
        Assert.That(broker.Shape.Rounded, Is.EqualTo(3), "fractions of a cent");
        Assert.That(CashFlow.Of([broker.Accounts[0].Account]).Figures.Lenders.Single(), Is.EqualTo(new LenderSeen("loan pmt", LineMarks.LoanWords, 1, new Money(197.12m), Money.Zero, new Money(197.12m), new DateOnly(2012, 7, 27), new DateOnly(2012, 7, 27))));
    }

    [TestCase("csv/simple.csv", "statement.no_date", "No column holds dates")]
    [TestCase("ofx/bank_small.ofx", "statement.no_account", "no statement")]
    [TestCase("ofx/signon_success.ofx", "statement.no_account", "no statement")]
    [TestCase("ofx/signon_success_no_message.ofx", "statement.no_account", "no statement")]
    [TestCase("ofx/account_listing_aggregation.ofx", "statement.no_account", "no statement")]
    [TestCase("ofx/error_message.ofx", "statement.ofx_error", "with status 2000")]
    [TestCase("ofx/suncorp.ofx", "statement.currency", "kept in AUD")]
    [TestCase("csv/nationwide.csv", "statement.currency", "kept in GBP")]
    public void What_is_no_statement_in_dollars_is_refused_in_words(string name, string code, string sentence) => Assert.That(Refused(Shared(name)), Does.StartWith(code).And.Contain(sentence));

    [TestCase("", "statement.empty")]
    [TestCase("one line of nothing", "statement.no_table")]
    [TestCase("Date,Amount,Text\n2026-03-01,12.00,a\n2026-03-02,lots,b\n2026-03-03,-1.00,c\n2026-03-04,1.00,d", "Line 3: Amount is lots; it is an amount such as 1234.56")]
    [TestCase("Date,Amount,Text\n03/31/2026,12.00,a\n31/03/2026,-5.00,b\n03/30/2026,1.00,c", "Line 3: the date is 31/03/2026")]
    [TestCase("Date,Amount,Text\n2026-03-01,12.00,a\n2026-03-02,13.00,b", "statement.sign")]
    [TestCase("Date,Amount,Text\n2026-03-01,-1000000000.00,a\n2026-03-02,13.00,b", "up to $999,999,999.99")]
    [TestCase("Date,Amount,Text\n1960-03-01,-1.00,a\n2026-03-02,13.00,b", "goes from 1960-03-01 to 2026-03-02")]
    [TestCase("2026-03-01,-1.00,\"a\n2026-03-02,13.00,b\n", "Line 1: a quotation mark is not closed")]
    [TestCase("<?xml version=\"1.0\"?><!DOCTYPE OFX [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><OFX>&x;</OFX>", "statement.ofx")]
    [TestCase("<?xml version=\"1.0\"?><OFX><BANKMSGSRSV1></OFX>", "not well-formed at line 1")]
    [TestCase("OFXHEADER:100\n<OFX><STMTRS><STMTTRN><DTPOSTED>20261301<TRNAMT>1</STMTTRN></STMTRS></OFX>", "Transaction 1: DTPOSTED is 20261301; it is a day such as 20260331.")]
    [TestCase("OFXHEADER:100\n<OFX><STMTRS><STMTTRN><DTPOSTED>20260101<TRNAMT>1e9</STMTTRN></STMTRS></OFX>", "Transaction 1: TRNAMT is 1e9")]
    [TestCase("%PDF-1.7 x", "statement.not_text")]
    public void What_cannot_be_read_is_refused_with_line_value_and_limit(string text, string sentence) => Assert.That(Refused(Encoding.UTF8.GetBytes(text)), Does.Contain(sentence));

    [TestCase("utf-8", true)]
    [TestCase("utf-16", true)]
    [TestCase("utf-16BE", false)]
    [TestCase("windows-1252", false)]
    public void Encodings_byte_order_marks_preambles_and_signs_behind_the_amount_are_read(string name, bool mark)
    {
        var encoding = name == "windows-1252" ? CodePagesEncodingProvider.Instance.GetEncoding(1252) ?? Encoding.Latin1 : Encoding.GetEncoding(name);
        const string Text = "Cuenta:;ES-99\r\nExportado el 31/03/2026\r\n\r\nFecha;Concepto;Importe;Saldo\r\n28/03/2026;Panadería Ñandú;1.250,50-;-250,50\r\n29/03/2026;Abono;2.000,00;1.749,50\r\n;Total;;\r\n";
        var read = StatementReader.Read((byte[])[.. mark ? encoding.GetPreamble() : [], .. encoding.GetBytes(Text)], new StatementHints("7788", null));
        var account = read.Accounts.Single().Account;

        Assert.That(account.Lines, Is.EqualTo(new[]
        {
            new StatementLine(new DateOnly(2026, 3, 28), new Money(-1250.50m), "Panadería Ñandú", Balance: new Money(-250.50m)),
            new StatementLine(new DateOnly(2026, 3, 29), new Money(2000m), "Abono", Balance: new Money(1749.50m)),
        }));
        Assert.That((account.Last4, read.Shape.Skipped, read.Shape.BalanceAddsUp), Is.EqualTo(("7788", 1, true)));
    }

    [Test]
    public void Who_hands_the_file_in_says_the_order_of_dates_where_nothing_in_it_does()
    {
        var file = Shared("csv/spanish_date_example.csv");

        Assert.That(StatementReader.Read(file, new StatementHints(null, null)).Accounts[0].Account.From, Is.EqualTo(new DateOnly(2009, 2, 12)));
        Assert.That(StatementReader.Read(file, new StatementHints(null, StatementDates.DayFirst)).Accounts[0].Account.From, Is.EqualTo(new DateOnly(2009, 12, 2)));
        Assert.That(StatementReader.Read(Shared("csv/suntrust.csv"), new StatementHints(null, StatementDates.DayFirst)).Shape.Dates, Is.EqualTo(StatementDates.MonthFirst), "the file says it itself");
    }

    [Test]
    public void Amounts_without_a_sign_are_told_by_a_running_balance_that_adds_up()
    {
        var read = StatementReader.Read(Encoding.UTF8.GetBytes("03/30/2026,Start,100.00,100.00\n03/31/2026,Rent,40.00,60.00\n04/01/2026,Sale,15.00,75.00\n"), new StatementHints(null, null));

        Assert.That(read.Accounts[0].Account.Lines.Select(line => line.Amount.Dollars), Is.EqualTo(new[] { 100m, -40m, 15m }));
        Assert.That(read.Shape.Amounts, Is.EqualTo(StatementAmounts.Balance));
    }

    [Test]
    public void More_lines_columns_or_letters_than_allowed_are_refused()
    {
        var rows = string.Concat(Enumerable.Range(0, StatementReader.MostLines + 2).Select(n => $"2026-03-01,-1.00,{n}\n"));

        Assert.That(Refused(Encoding.UTF8.GetBytes(rows)), Does.Contain("at most 20000 transactions"));
        Assert.That(Refused(Encoding.UTF8.GetBytes("2026-03-01,-1.00" + new string(',', 70) + "x\n")), Does.Contain("has 72 columns; at most 60"));
        Assert.That(Refused(Encoding.UTF8.GetBytes("2026-03-01,-1.00," + new string('x', 1001) + "\n")), Does.Contain("has 1001 characters; at most 1000"));
        Assert.That(Refused(new byte[StatementReader.MostBytes + 1]), Does.Contain("at most 5242880 bytes"));
    }

    private static ReadStatement Read(string name) => StatementReader.Parse(Shared(name), new StatementHints(null, null));

    private static byte[] Shared(string name) => File.ReadAllBytes(Given.Shared("bank/" + name));

    private static string Refused(byte[] file)
    {
        var refused = Assert.Throws<RefusedException>(() => StatementReader.Read(file, new StatementHints(null, null)));
        return $"{refused?.Code}: {refused?.Message}";
    }

    private static decimal Came(IEnumerable<StatementLine> lines) => lines.Where(line => line.Amount > Money.Zero).Sum(line => line.Amount.Dollars);

    private static decimal Went(IEnumerable<StatementLine> lines) => -lines.Where(line => line.Amount < Money.Zero).Sum(line => line.Amount.Dollars);
}
