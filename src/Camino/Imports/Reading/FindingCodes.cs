namespace Camino.Imports;

/// <summary>Every code that a <see cref="Finding"/> can have. Stable: stored, counted and translated.</summary>
public static class FindingCodes
{
    /// <summary>Values that are of another kind than their column. One is dirt; several in one row say that its cells stand in the wrong columns.</summary>
    internal static bool IsUnfit(string code) => code
        is StateUnknown or ZipUnreadable or NaicsUnreadable or DateUnreadable or CountUnreadable or RateUnreadable or StatusUnknown or CodeUnknown;

    /// <summary>Fewer cells than the header has columns. Rejects.</summary>
    public const string TooFewColumns = "import.row.too_few_columns";

    /// <summary>More cells than the header has columns. Rejects.</summary>
    public const string TooManyColumns = "import.row.too_many_columns";

    /// <summary>A quoted value was not closed; the line is rejected and reading goes on with the next one.</summary>
    public const string QuoteUnclosed = "import.row.quote_unclosed";

    /// <summary>A quotation mark inside a quoted value was not doubled; it was taken as text. Corrects.</summary>
    public const string QuoteStray = "import.row.quote_stray";

    /// <summary>The record is longer than allowed. Rejects.</summary>
    public const string RecordTooLong = "import.row.too_long";

    /// <summary>All cells are empty. Rejects.</summary>
    public const string RowBlank = "import.row.blank";

    /// <summary>A NUL byte in the record. Rejects.</summary>
    public const string RowNul = "import.row.nul";

    /// <summary>Four or more values do not fit their columns: the row is probably shifted. Rejects.</summary>
    public const string RowUnfit = "import.row.columns_do_not_fit";

    /// <summary>A name had been split over two columns and the rest shifted; put together again. Corrects.</summary>
    public const string NameSplit = "import.row.name_split";

    /// <summary>No loan number. Rejects.</summary>
    public const string NumberMissing = "import.number.missing";

    /// <summary>The loan number is not one: wrong characters, or digits lost to a spreadsheet. Rejects.</summary>
    public const string NumberUnreadable = "import.number.unreadable";

    /// <summary>Longer than 40 characters. Rejects.</summary>
    public const string NumberTooLong = "import.number.too_long";

    /// <summary>The number stood in the file before with other content. Rejects: which of the two is right cannot be known.</summary>
    public const string NumberTwice = "import.number.twice";

    /// <summary>A loan of another source in Camino's own template, as our export of all loans has them. Rejects: it would be stored a second time.</summary>
    public const string SourceForeign = "import.number.foreign";

    /// <summary>An amount that is not one. Rejects.</summary>
    public const string MoneyUnreadable = "import.money.unreadable";

    /// <summary>An amount that could be a thousand times another: 1.500. Rejects.</summary>
    public const string MoneyAmbiguous = "import.money.ambiguous";

    /// <summary>An amount below zero. Rejects.</summary>
    public const string MoneyNegative = "import.money.negative";

    /// <summary>An amount above 999,999,999,999.99. Rejects.</summary>
    public const string MoneyTooLarge = "import.money.too_large";

    /// <summary>Fractions of a cent, rounded half to even. Corrects.</summary>
    public const string MoneyRounded = "import.money.rounded";

    /// <summary>A word such as NULL in place of an amount; taken as blank. Corrects.</summary>
    public const string MoneyWord = "import.money.word";

    /// <summary>A range of amounts that is not known. Rejects.</summary>
    public const string RangeUnreadable = "import.range.unreadable";

    /// <summary>A date that is not one; dropped. Corrects.</summary>
    public const string DateUnreadable = "import.date.unreadable";

    /// <summary>A date before 1953 or after 2100; dropped. Corrects.</summary>
    public const string DateOutOfRange = "import.date.out_of_range";

    /// <summary>1970-01-01 where that stands for "unknown"; dropped. Corrects.</summary>
    public const string DateEpoch = "import.date.epoch";

    /// <summary>A fiscal year with a letter (1976A); the letter was dropped. Corrects.</summary>
    public const string FiscalYearLetter = "import.fiscal_year.letter";

    /// <summary>A count that is not one; dropped. Corrects.</summary>
    public const string CountUnreadable = "import.count.unreadable";

    /// <summary>A count outside its range; dropped. Corrects.</summary>
    public const string CountOutOfRange = "import.count.out_of_range";

    /// <summary>A term of 0 months; dropped. Corrects.</summary>
    public const string TermZero = "import.term.zero";

    /// <summary>A rate that is not one; dropped. Corrects.</summary>
    public const string RateUnreadable = "import.rate.unreadable";

    /// <summary>A rate outside 0 to 100 %; dropped. Corrects.</summary>
    public const string RateOutOfRange = "import.rate.out_of_range";

    /// <summary>Not a postal code of a state; dropped. Corrects.</summary>
    public const string StateUnknown = "import.state.unknown";

    /// <summary>Not a ZIP code; dropped. Corrects.</summary>
    public const string ZipUnreadable = "import.zip.unreadable";

    /// <summary>Not a six-digit industry code; dropped. Corrects.</summary>
    public const string NaicsUnreadable = "import.naics.unreadable";

    /// <summary>A code without a known meaning; dropped. Corrects.</summary>
    public const string CodeUnknown = "import.code.unknown";

    /// <summary>A status without a known meaning; stored as unknown. Corrects.</summary>
    public const string StatusUnknown = "import.status.unknown";

    /// <summary>Longer than allowed; cut. Corrects.</summary>
    public const string TextCut = "import.text.cut";

    /// <summary>Invisible, control or direction characters; taken out. Corrects.</summary>
    public const string TextInvisible = "import.text.invisible";

    /// <summary>Bytes that are no text in the file's encoding; shown as U+FFFD. Corrects.</summary>
    public const string TextUnreadable = "import.text.unreadable_character";

    /// <summary>HTML entities; decoded. Corrects.</summary>
    public const string TextEntity = "import.text.html_entity";

    /// <summary>Letters damaged by a wrong encoding somewhere before; repaired. Corrects.</summary>
    public const string TextMojibake = "import.text.mojibake";

    /// <summary>A quotation mark between two letters; it was an apostrophe. Corrects.</summary>
    public const string TextApostrophe = "import.text.apostrophe";

    /// <summary>More was charged off than disbursed; kept.</summary>
    public const string ChargeOffAboveDisbursed = "import.check.charge_off_above_disbursed";

    /// <summary>Paid in full, yet with a charge-off date; kept.</summary>
    public const string PaidWithChargeOff = "import.check.paid_with_charge_off";

    /// <summary>Charged off without a date; kept.</summary>
    public const string ChargeOffUndated = "import.check.charge_off_undated";

    /// <summary>Disbursed before it was approved; kept.</summary>
    public const string DisbursedBeforeApproved = "import.check.disbursed_before_approved";

    /// <summary>More guaranteed than approved; kept.</summary>
    public const string GuaranteedAboveApproved = "import.check.guaranteed_above_approved";
}
