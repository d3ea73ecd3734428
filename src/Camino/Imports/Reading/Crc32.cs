using System.Buffers.Binary;

namespace Camino.Imports;

/// <summary>The check sum of gzip and zip, eight bytes at a time; the framework has it only in a package.</summary>
internal static class Crc32
{
    /// <summary>Value to begin with.</summary>
    public const uint Start = uint.MaxValue;

    private static readonly uint[] Table = MakeTable();

    /// <summary>Takes more bytes in.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        var table = Table;
        while (bytes.Length >= 8)
        {
            var low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc;
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = table[(7 * 256) + (int)(low & 0xFF)] ^ table[(6 * 256) + (int)((low >> 8) & 0xFF)]
                ^ table[(5 * 256) + (int)((low >> 16) & 0xFF)] ^ table[(4 * 256) + (int)(low >> 24)]
                ^ table[(3 * 256) + (int)(high & 0xFF)] ^ table[(2 * 256) + (int)((high >> 8) & 0xFF)]
                ^ table[256 + (int)((high >> 16) & 0xFF)] ^ table[(int)(high >> 24)];
            bytes = bytes[8..];
        }

        foreach (var one in bytes)
            crc = table[(int)((crc ^ one) & 0xFF)] ^ (crc >> 8);

        return crc;
    }

    /// <summary>The check sum of what was taken in.</summary>
    public static uint End(uint crc) => ~crc;

    private static uint[] MakeTable()
    {
        var table = new uint[8 * 256];
        for (var i = 0; i < 256; i++)
        {
            var crc = (uint)i;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;

            table[i] = crc;
        }

        for (var i = 256; i < table.Length; i++)
            table[i] = (table[i - 256] >> 8) ^ table[(int)(table[i - 256] & 0xFF)];

        return table;
    }
}
