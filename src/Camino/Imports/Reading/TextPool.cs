using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Camino.Imports;

/// <summary>Gives the same string for the same ASCII bytes: lenders, cities and codes come again and again, and need no new string each time.</summary>
/// <remarks>A table of fixed size in which a new string takes the place of an older one: memory stays flat whatever a file holds.</remarks>
internal sealed class TextPool
{
    private const int Slots = 1 << 14;
    private const int Longest = 64;

    private readonly string?[] _strings = new string?[Slots];

    /// <summary>The text of bytes that are known to be ASCII.</summary>
    public string Ascii(ReadOnlySpan<byte> ascii)
    {
        if (ascii.Length > Longest)
            return Encoding.ASCII.GetString(ascii);

        ref var slot = ref _strings[Slot(ascii)];
        if (slot is not null && slot.Length == ascii.Length && System.Text.Ascii.Equals(ascii, slot))
            return slot;

        return slot = Encoding.ASCII.GetString(ascii);
    }

    private static int Slot(ReadOnlySpan<byte> bytes)
    {
        var hash = (ulong)bytes.Length * 0x9E3779B97F4A7C15;
        while (bytes.Length >= 8)
        {
            hash = (BitOperations.RotateLeft(hash, 23) ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) * 0x9E3779B97F4A7C15;
            bytes = bytes[8..];
        }

        foreach (var one in bytes)
            hash = (BitOperations.RotateLeft(hash, 23) ^ one) * 0x9E3779B97F4A7C15;

        return (int)(hash >> (64 - 14));
    }
}
