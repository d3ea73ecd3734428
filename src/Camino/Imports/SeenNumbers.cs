namespace Camino.Imports;

/// <summary>What is known of a number that came before in the same file.</summary>
internal enum Seen
{
    /// <summary>The number is new to this file; it is now noted.</summary>
    First,

    /// <summary>It came before with the same content.</summary>
    SameContent,

    /// <summary>It came before with other content.</summary>
    OtherContent,
}

/// <summary>
/// Which loan numbers stood in the file so far: 8 bytes a row, in tables that double, so that memory grows in steps and is never copied.
/// It holds fingerprints (32 bits of the number behind a position of 20 bits and more, 32 bits of the content): two different numbers are taken for one with
/// a chance of about one in a billion a row, and then the second row is rejected as a duplicate, visibly, instead of being stored wrongly.
/// </summary>
internal sealed class SeenNumbers
{
    private const int FirstBits = 16;
    private readonly List<ulong[]> _tables = [];
    private int _inNewest;

    /// <summary>Looks the number up and notes it when it is new.</summary>
    public Seen Add(LoanFacts facts)
    {
        var number = Mix(HashOf(facts.Number) ^ ((ulong)facts.Source << 56));
        Span<byte> content = stackalloc byte[16];
        facts.ContentHash.TryWriteBytes(content);
        var slot = ((ulong)(uint)(number >> 32) << 32) | BitConverter.ToUInt32(content);
        if (slot >> 32 == 0)
            slot |= 1UL << 32;

        foreach (var table in _tables)
        {
            var mask = (uint)table.Length - 1;
            for (var at = (uint)number & mask; table[at] != 0; at = (at + 1) & mask)
            {
                if (table[at] >> 32 == slot >> 32)
                    return (uint)table[at] == (uint)slot ? Seen.SameContent : Seen.OtherContent;
            }
        }

        if (_tables.Count == 0 || _inNewest >= _tables[^1].Length / 4 * 3)
        {
            _tables.Add(new ulong[1 << Math.Min(FirstBits + _tables.Count, 26)]);
            _inNewest = 0;
        }

        var newest = _tables[^1];
        var free = (uint)number & ((uint)newest.Length - 1);
        while (newest[free] != 0)
            free = (free + 1) & ((uint)newest.Length - 1);
        newest[free] = slot;
        _inNewest++;
        return Seen.First;
    }

    /// <summary>FNV-1a over the characters: the same in every process, so that a resumed import knows what the first run knew.</summary>
    private static ulong HashOf(string number)
    {
        var hash = 14_695_981_039_346_656_037UL;
        foreach (var c in number)
            hash = (hash ^ c) * 1_099_511_628_211UL;
        return hash;
    }

    /// <summary>Spreads the bits (the finaliser of MurmurHash3).</summary>
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdUL;
        value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53UL;
        return value ^ (value >> 33);
    }
}
