using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Camino.Imports;

/// <summary>Tells whether two rows say the same about the same loan, and names loans that their file does not number.</summary>
/// <remarks>
/// The canonical encoding: for every fact that is known, in the order below, its tag (one byte) and its value: text as length and UTF-8, dates as day
/// numbers, counts as they are, amounts in cents, rates in millionths of a percent, all whole numbers as eight bytes, little-endian. Hashes are
/// stored: a tag is never given to another fact, and a new fact gets a new tag.
/// </remarks>
internal sealed class ContentHash
{
    private readonly byte[] _hash = new byte[SHA256.HashSizeInBytes];
    private byte[] _bytes = new byte[4 << 10];
    private int _used;

    /// <summary>The first 16 bytes of SHA-256 over all facts.</summary>
    public Guid Of(LoanFacts facts)
    {
        _used = 0;
        AddIdentity(facts);
        AddRest(facts);
        SHA256.HashData(_bytes.AsSpan(0, _used), _hash);
        return new Guid(_hash.AsSpan(0, 16), bigEndian: true);
    }

    /// <summary>
    /// A number for a loan that its file does not number: a prefix and 20 hexadecimal digits (80 bits) of SHA-256. PPP and EIDL: over all facts. SBA: only over
    /// what stands fast at approval, so that a later edition of the file, with another status, means the same loan.
    /// </summary>
    public string NumberFor(LoanFacts facts)
    {
        _used = 0;
        AddIdentity(facts);
        if (facts.Source != LoanSource.Sba)
            AddRest(facts);

        SHA256.HashData(_bytes.AsSpan(0, _used), _hash);
        var prefix = facts.Source switch
        {
            LoanSource.Ppp => "PPP-",
            LoanSource.Eidl => "EIDL-",
            LoanSource.Sba => "FOIA-",
            _ => throw new InvalidOperationException("Camino's own loans are numbered by Camino."),
        };
        return prefix + Convert.ToHexString(_hash, 0, 10);
    }

    /// <summary>Who borrowed what, when, from whom: what no later edition of a file changes.</summary>
    private void AddIdentity(LoanFacts facts)
    {
        Add(1, (long)facts.Source);
        Add(2, facts.Number);
        Add(3, facts.BorrowerName);
        Add(4, facts.Street);
        Add(5, facts.City);
        Add(6, facts.State);
        Add(7, facts.Zip);
        Add(8, facts.LenderName);
        Add(9, facts.ApprovedOn);
        AddAmount(10, facts.Approved);
        AddAmount(11, facts.Guaranteed);
        Add(12, facts.TermMonths);
        Add(13, facts.ProcessingMethod);
    }

    private void AddRest(LoanFacts facts)
    {
        Add(19, facts.Naics);
        Add(20, facts.County);
        Add(21, facts.CongressionalDistrict);
        Add(22, facts.UrbanRural);
        Add(23, facts.LenderState);
        Add(24, facts.IndustryTitle);
        Add(25, facts.BusinessType);
        Add(26, facts.BusinessAge);
        Add(27, facts.FranchiseCode);
        Add(28, facts.DisbursedOn);
        Add(29, facts.ChargedOffOn);
        Add(30, facts.PaidInFullOn);
        Add(31, facts.ApprovalFiscalYear);
        Add(32, facts.Employees);
        Add(33, facts.JobsCreated);
        Add(34, facts.JobsRetained);
        Add(35, facts.Revolving);
        Add(36, facts.LowDocumentation);
        Add(37, facts.NonProfit);
        Add(38, facts.FixedRate);
        if (facts.InterestRatePercent is { } rate)
            Add(39, (long)(rate * 1_000_000m));
        if (facts.Status != LoanStatus.Unknown)
            Add(40, (long)facts.Status);

        AddAmount(41, facts.Disbursed);
        AddAmount(42, facts.ChargedOff);
        AddAmount(43, facts.Balance);
        AddAmount(44, facts.AmountFrom);
        AddAmount(45, facts.AmountTo);
    }

    private void Add(byte tag, string? text)
    {
        if (string.IsNullOrEmpty(text))
            return;

        Reserve(5 + (3 * text.Length));
        var length = Encoding.UTF8.GetBytes(text, _bytes.AsSpan(_used + 5));
        _bytes[_used] = tag;
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(_used + 1), length);
        _used += 5 + length;
    }

    private void Add(byte tag, long value)
    {
        Reserve(9);
        _bytes[_used] = tag;
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(_used + 1), value);
        _used += 9;
    }

    private void Add(byte tag, int? value)
    {
        if (value is { } known)
            Add(tag, (long)known);
    }

    private void Add(byte tag, bool? value)
    {
        if (value is { } known)
            Add(tag, known ? 1L : 0L);
    }

    private void Add(byte tag, DateOnly? date)
    {
        if (date is { } known)
            Add(tag, (long)known.DayNumber);
    }

    /// <summary>Amounts are read with a scale of two, so their mantissa is the number of cents.</summary>
    private void AddAmount(byte tag, decimal? amount)
    {
        if (amount is not { } known)
            return;

        Span<int> bits = stackalloc int[4];
        if (known.Scale != 2)
            known = decimal.Round(known * 1.00m, 2);
        decimal.GetBits(known, bits);
        var cents = ((long)bits[1] << 32) | (uint)bits[0];
        Add(tag, decimal.IsNegative(known) ? -cents : cents);
    }

    private void Reserve(int bytes)
    {
        if (_bytes.Length < _used + bytes)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + bytes));
    }
}
