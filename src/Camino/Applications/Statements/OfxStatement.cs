using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using Camino.Lending;
using Camino.Lending.Applications.CashFlows;

namespace Camino.Applications.Statements;

/// <summary>
/// Reads OFX: the SGML of version 1, in which fields have no end, and the XML of version 2. Of XML neither a document type nor anything outside the file is ever read. Every statement in the file
/// is taken: of bank accounts, cards and the cash of brokers.
/// </summary>
/// <remarks>Why not a library: those that are kept up read neither fields without ends inside of OFX 2 nor statements of brokers, and none has limits.</remarks>
internal sealed partial class OfxStatement
{
    private readonly StatementHints _hints;
    private readonly List<ReadAccount> _accounts = [];
    private readonly List<StatementLine> _lines = [];
    private readonly Dictionary<string, string> _line = [];
    private bool _inLine;
    private bool _inLedger;
    private bool _inFrom;
    private bool _isOpen;
    private string? _account;
    private string? _currency;
    private string? _kind;
    private DateOnly? _from;
    private DateOnly? _to;
    private decimal? _ledger;
    private DateOnly? _ledgerOn;
    private string? _failed;
    private int _count;
    private int _rounded;

    private OfxStatement(StatementHints hints) => _hints = hints;

    /// <exception cref="RefusedException"><c>statement.*</c>.</exception>
    public static ReadStatement Read(string text, string encoding, StatementHints hints)
    {
        var ofx = new OfxStatement(hints);
        var start = text.IndexOf("<OFX", StringComparison.OrdinalIgnoreCase);
        var isXml = text.TrimStart().StartsWith("<?xml", StringComparison.OrdinalIgnoreCase);
        if (isXml)
            ofx.Xml(text.TrimStart());
        else
            ofx.Sgml(start < 0 ? "" : text[start..]);
        ofx.End();
        Refuse.If(ofx._accounts.Count == 0 && ofx._failed is not null, "statement.ofx_error", $"The bank's file says that it failed, with status {ofx._failed}; download it again.");
        Refuse.If(ofx._accounts.Count == 0, "statement.no_account", "The file holds no statement of an account.");
        return new ReadStatement(new StatementShape(isXml ? "ofx2" : "ofx1", encoding, StatementDates.Plain, DatesWereTaken: false, StatementAmounts.BySign, HasBalance: false, BalanceAddsUp: false, Skipped: 0, ofx._rounded), ofx._accounts);
    }

    private void Xml(string text)
    {
        try
        {
            using var reader = XmlReader.Create(new StringReader(text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreComments = true, MaxCharactersInDocument = StatementReader.MostBytes });
            string? field = null;
            var value = "";
            while (reader.Read())
            {
                switch (reader.NodeType)
                {
                    case XmlNodeType.Element:
                        (field, value) = (reader.Name, "");
                        Open(field);
                        if (reader.IsEmptyElement)
                            Close(field);
                        break;
                    case XmlNodeType.Text or XmlNodeType.CDATA:
                        value += reader.Value;
                        break;
                    case XmlNodeType.EndElement:
                        if (field == reader.Name)
                            Field(field, value.Trim());
                        field = null;
                        Close(reader.Name);
                        break;
                    default:
                        break;
                }
            }
        }
        catch (XmlException wrong)
        {
            throw new RefusedException("statement.ofx", $"The OFX file is not well-formed at line {wrong.LineNumber}, position {wrong.LinePosition}; download it again.");
        }
    }

    private void Sgml(string text)
    {
        foreach (Match tag in Tag().Matches(text))
        {
            var name = tag.Groups["name"].Value;
            if (tag.Groups["end"].Length > 0)
            {
                Close(name);
                continue;
            }

            Open(name);
            var value = tag.Groups["value"].Value.Trim();
            if (value.Length > 0)
                Field(name, value.Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal).Replace("&nbsp;", " ", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal));
        }
    }

    private void Open(string name)
    {
        switch (name.ToUpperInvariant())
        {
            case "STMTRS" or "CCSTMTRS" or "INVSTMTRS":
                End();
                (_isOpen, _kind) = (true, name.ToUpperInvariant() switch { "CCSTMTRS" => "CREDITCARD", "INVSTMTRS" => "INVESTMENT", _ => null });
                break;
            case "STMTTRN":
                EndLine();
                _inLine = true;
                break;
            case "LEDGERBAL":
                _inLedger = true;
                break;
            case "BANKACCTFROM" or "CCACCTFROM" or "INVACCTFROM":
                _inFrom = !_inLine;
                break;
            default:
                break;
        }
    }

    private void Close(string name)
    {
        switch (name.ToUpperInvariant())
        {
            case "STMTRS" or "CCSTMTRS" or "INVSTMTRS":
                End();
                break;
            case "STMTTRN":
                EndLine();
                break;
            case "LEDGERBAL":
                _inLedger = false;
                break;
            case "BANKACCTFROM" or "CCACCTFROM" or "INVACCTFROM":
                _inFrom = false;
                break;
            default:
                break;
        }
    }

    private void Field(string name, string value)
    {
        Refuse.If(value.Length > StatementReader.LongestField, "statement.field", $"Transaction {_count + 1}: the field {name} has {value.Length} characters; at most {StatementReader.LongestField} are allowed.");
        name = name.ToUpperInvariant();
        if (name == "CODE" && !_isOpen && value.TrimStart('0').Length > 0)
            _failed ??= value;
        if (!_isOpen)
            return;
        if (_inLine)
            _line.TryAdd(name, value);
        else if (_inLedger && name == "BALAMT")
            _ledger = Amount(name, value);
        else if (_inLedger && name == "DTASOF")
            _ledgerOn = Day(name, value);
        else if (_inFrom && name == "ACCTID")
            _account = value;
        else if (_inFrom && name == "ACCTTYPE")
            _kind = value.ToUpperInvariant();
        else if (name == "CURDEF")
            _currency = value.ToUpperInvariant();
        else if (name == "DTSTART")
            _from = Day(name, value);
        else if (name == "DTEND")
            _to = Day(name, value);
    }

    private void EndLine()
    {
        if (!_inLine)
            return;
        _inLine = false;
        Refuse.If(_count == StatementReader.MostLines, "statement.lines", $"A statement has at most {StatementReader.MostLines} transactions; this file has more.");
        var amount = Amount("TRNAMT", _line.GetValueOrDefault("TRNAMT", ""));
        var name = _line.GetValueOrDefault("NAME") ?? _line.GetValueOrDefault("PAYEE") ?? "";
        var memo = _line.GetValueOrDefault("MEMO", "");
        var text = memo.StartsWith(name, StringComparison.OrdinalIgnoreCase) ? memo : memo.Length == 0 ? name : name + " " + memo;
        var id = _line.GetValueOrDefault("FITID");
        _lines.Add(new StatementLine(
            Day("DTPOSTED", _line.GetValueOrDefault("DTPOSTED", "")), StatementReader.Cents(amount, ref _rounded), StatementReader.Kept(text), string.IsNullOrEmpty(id) ? null : NameOf(id),
            string.Equals(_line.GetValueOrDefault("TRNTYPE"), "XFER", StringComparison.OrdinalIgnoreCase)));
        _line.Clear();
        _count++;
    }

    /// <summary>A statement says which days it covers; a line outside of them stretches them, for it was posted.</summary>
    private void End()
    {
        EndLine();
        if (_isOpen && (_lines.Count > 0 || (_ledger is not null && _ledgerOn is not null)))
        {
            var from = Least([_from, .. _lines.Select(line => (DateOnly?)line.On)]) ?? _ledgerOn;
            var to = Greatest([_to, .. _lines.Select(line => (DateOnly?)line.On)]) ?? _ledgerOn;
            Refuse.If(_accounts.Count == StatementReader.MostAccounts, "statement.accounts", $"A file has statements of at most {StatementReader.MostAccounts} accounts; this one has more.");
            if (from is { } first && to is { } last)
            {
                StatedBalance? stated = _ledger is { } balance && _ledgerOn is { } on ? new StatedBalance(on, StatementReader.Cents(balance, ref _rounded)) : null;
                _accounts.Add(new ReadAccount(new StatementAccount(StatementReader.Last4Of(_account) ?? _hints.Last4, KindOf(_kind), first, last, stated, [.. _lines]), _currency));
            }
        }

        _lines.Clear();
        (_isOpen, _inLedger, _inFrom, _account, _currency, _kind, _from, _to, _ledger, _ledgerOn) = (false, false, false, null, null, null, null, null, null, null);
    }

    /// <summary>Ids of banks may hold the account's number: kept is what they hash to, which is the same in every statement.</summary>
    private static string NameOf(string id) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..32];

    private static DateOnly? Least(IEnumerable<DateOnly?> days) => days.Min();

    private static DateOnly? Greatest(IEnumerable<DateOnly?> days) => days.Max();

    private static BankAccountKind KindOf(string? kind) => kind switch
    {
        "CHECKING" => BankAccountKind.Checking,
        "SAVINGS" or "CD" => BankAccountKind.Savings,
        "MONEYMRKT" => BankAccountKind.MoneyMarket,
        "CREDITCARD" => BankAccountKind.CreditCard,
        "CREDITLINE" => BankAccountKind.CreditLine,
        "INVESTMENT" => BankAccountKind.Investment,
        _ => BankAccountKind.Unknown,
    };

    /// <summary>The day as the bank writes it: its time and zone say nothing about the day on which it counts.</summary>
    private DateOnly Day(string name, string value)
    {
        var isDay = DateOnly.TryParseExact(value.AsSpan(0, Math.Min(8, value.Length)), "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is >= 1953 and <= 2100;
        return isDay ? day : throw new RefusedException("statement.date", $"Transaction {_count + 1}: {name} is {Imports.Shown.Text(value)}; it is a day such as 20260331.");
    }

    private decimal Amount(string name, string value)
    {
        var plain = value.Contains('.', StringComparison.Ordinal) ? value : value.Replace(',', '.');
        var isAmount = decimal.TryParse(plain, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) && Math.Abs(amount) <= StatementReader.MostAmount;
        return isAmount ? amount : throw new RefusedException("statement.amount", $"Transaction {_count + 1}: {name} is {Imports.Shown.Text(value)}; it is an amount such as 1234.56, up to {new Money(StatementReader.MostAmount)}.");
    }

    [GeneratedRegex("<(?<end>/?)(?<name>[A-Za-z][A-Za-z0-9._]{0,40})>(?<value>[^<]*)", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Tag();
}
