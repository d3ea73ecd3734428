using System.Globalization;
using System.Text;

namespace Camino.Lending.Applications.CashFlows;

/// <summary>A lender's name, or words by which a bank names what is paid on a loan, as they stand in the texts of lines.</summary>
/// <param name="Words">Lower case, single blanks, letters and digits: found as whole words.</param>
/// <param name="Name">As people write it.</param>
public sealed record LenderWord(string Words, string Name);

/// <summary>The words by which lines of statements are told apart, as data with a version: figures say by which one they were made.</summary>
public static class CashWords
{
    /// <summary>Raised with every change of a list.</summary>
    public const int Version = 1;

    /// <summary>Funders of small businesses: advances, term loans and lines of credit that are paid daily, weekly or monthly.</summary>
    public static IReadOnlyList<LenderWord> Lenders { get; } =
    [
        new("ondeck", "OnDeck"), new("on deck capital", "OnDeck"), new("kabbage", "Kabbage"), new("bluevine", "Bluevine"), new("fundbox", "Fundbox"), new("credibly", "Credibly"),
        new("rapid finance", "Rapid Finance"), new("rapidadvance", "Rapid Finance"), new("forward financing", "Forward Financing"), new("can capital", "CAN Capital"), new("kapitus", "Kapitus"),
        new("strategic funding", "Kapitus"), new("libertas funding", "Libertas Funding"), new("yellowstone capital", "Yellowstone Capital"), new("square capital", "Square Loans"), new("square loans", "Square Loans"),
        new("paypal working capital", "PayPal Working Capital"), new("loanbuilder", "LoanBuilder"), new("shopify capital", "Shopify Capital"), new("stripe capital", "Stripe Capital"), new("amazon lending", "Amazon Lending"),
        new("fora financial", "Fora Financial"), new("national funding", "National Funding"), new("everest business funding", "Everest Business Funding"), new("reliant funding", "Reliant Funding"),
        new("mulligan funding", "Mulligan Funding"), new("expansion capital", "Expansion Capital Group"), new("headway capital", "Headway Capital"), new("funding circle", "Funding Circle"), new("clearbanc", "Clearco"),
        new("clearco", "Clearco"), new("pearl capital", "Pearl Capital"), new("world business lenders", "World Business Lenders"), new("iou financial", "IOU Financial"), new("greenbox capital", "Greenbox Capital"),
        new("itria ventures", "Itria Ventures"), new("biz2credit", "Biz2Credit"), new("bizfi", "Bizfi"), new("lendingclub", "LendingClub"), new("quarterspot", "QuarterSpot"), new("sba eidl loan", "SBA EIDL"), new("sba loan", "SBA"),
        new("wayflyer", "Wayflyer"), new("cfg merchant solutions", "CFG Merchant Solutions"), new("merchant cash advance", "Merchant cash advance"),
    ];

    /// <summary>Words with which banks name a payment on some loan.</summary>
    public static IReadOnlyList<LenderWord> LoanWords { get; } =
    [
        new("loan pmt", "loan pmt"), new("loan pymt", "loan pymt"), new("loan payment", "loan payment"), new("loan repayment", "loan repayment"), new("loan pay", "loan pay"), new("mca payment", "mca payment"), new("merchant advance", "merchant advance"), new("daily remittance", "daily remittance"),
    ];

    /// <summary>An item that came back, or was not paid: a check, a deposit, a debit.</summary>
    public static IReadOnlyList<string> Returned { get; } =
    [
        "returned item", "return item", "returned check", "returned deposit", "deposited item returned", "deposit item returned", "returned ach", "ach return", "return of posted check", "nsf", "insufficient funds", "non sufficient funds", "chargeback", "devolucion", "cheque devuelto", "fondos insuficientes",
    ];

    /// <summary>What a bank charges for too little money.</summary>
    public static IReadOnlyList<string> OverdraftFees { get; } = ["overdraft", "od fee", "od charge", "nsf fee", "returned item fee", "return item fee", "returned check fee", "insufficient funds fee", "extended overdraft", "sobregiro"];

    /// <summary>A transfer between accounts of one owner, as banks write it.</summary>
    public static IReadOnlyList<string> Transfers { get; } = ["transfer from", "transfer to", "transferred from", "transferred to", "online transfer", "xfer", "funds transfer", "internal transfer", "transferencia"];

    /// <summary>A text as the lists are compared with it: lower case, letters and digits, single blanks, a blank at either end.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder(" ", text.Length + 2);
        foreach (var c in text.Normalize(NormalizationForm.FormD))
        {
            if (char.IsLetterOrDigit(c))
                plain.Append(char.ToLowerInvariant(c));
            else if (CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark && plain[^1] != ' ')
                plain.Append(' ');
        }

        return plain[^1] == ' ' ? plain.ToString() : plain.Append(' ').ToString();
    }

    /// <summary>Whether a <see cref="Plain"/> text has one of the words.</summary>
    public static bool Has(string plain, IReadOnlyList<string> words) => words.Any(word => plain.Contains($" {word} ", StringComparison.Ordinal));

    /// <summary>The first of the words in a <see cref="Plain"/> text, or null.</summary>
    public static LenderWord? Find(string plain, IReadOnlyList<LenderWord> words) => words.FirstOrDefault(word => plain.Contains($" {word.Words} ", StringComparison.Ordinal));

    /// <summary>Who is paid, as far as a text says it: its letters, without numbers, which change from line to line; at most 24 of them.</summary>
    public static string Payee(string plain)
    {
        var payee = new StringBuilder(24);
        foreach (var c in plain)
        {
            if (payee.Length < 24 && (char.IsLetter(c) || (c == ' ' && payee.Length > 0 && payee[^1] != ' ')))
                payee.Append(c);
        }

        return payee.ToString().Trim();
    }
}
