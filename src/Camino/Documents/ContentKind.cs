using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Unicode;
using Camino.Lending;

namespace Camino.Documents;

/// <summary>What a file is by its content. Names and what a browser says about a file count for nothing.</summary>
/// <param name="MediaType">As it is sent to browsers.</param>
/// <param name="Extension">With the dot; the name of a download ends so.</param>
/// <param name="IsPicture">A browser can show it in a page.</param>
internal sealed record ContentKind(string MediaType, string Extension, bool IsPicture = false)
{
    public static readonly ContentKind Pdf = new("application/pdf", ".pdf");
    public static readonly ContentKind Png = new("image/png", ".png", IsPicture: true);
    public static readonly ContentKind Jpeg = new("image/jpeg", ".jpg", IsPicture: true);
    public static readonly ContentKind Webp = new("image/webp", ".webp", IsPicture: true);
    public static readonly ContentKind Heic = new("image/heic", ".heic");
    public static readonly ContentKind Tiff = new("image/tiff", ".tif");
    public static readonly ContentKind Word = new("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx");
    public static readonly ContentKind Excel = new("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx");
    public static readonly ContentKind Text = new("text/plain; charset=utf-8", ".txt");

    /// <summary>Every kind that is taken.</summary>
    public static IReadOnlyList<ContentKind> All { get; } = [Pdf, Png, Jpeg, Webp, Heic, Tiff, Word, Excel, Text];

    /// <summary>A value of the sentence and no part of it, so that it is found in Spanish.</summary>
    private static readonly string s_taken = "PDF, PNG, JPEG, WebP, HEIC, TIFF, docx, xlsx, txt";

    /// <summary>Bytes at the end of a file that are looked at.</summary>
    private const int TailBytes = 66_000;

    private const int MostEntries = 5_000;
    private const long MostUnpacked = 256L * 1024 * 1024;
    private const int MostRatio = 200;

    /// <summary>The kind of that media type; text for one that is not known any more.</summary>
    public static ContentKind OfMediaType(string mediaType) => All.FirstOrDefault(kind => kind.MediaType == mediaType) ?? Text;

    /// <summary>Looks at a whole file, and leaves it at its beginning.</summary>
    /// <exception cref="RefusedException"><c>document.kind</c>: it is of no kind that is taken. <c>document.two_kinds</c>: it is two files in one. <c>document.archive</c>: what it is packed of is dangerous.</exception>
    public static async Task<ContentKind> ReadAsync(Stream file, CancellationToken ct)
    {
        var head = new byte[64];
        file.Position = 0;
        var length = await file.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct);
        Refuse.If(length == 0, "document.empty", "The file is empty.");
        var tail = new byte[(int)Math.Min(file.Length, TailBytes)];
        file.Position = file.Length - tail.Length;
        await file.ReadExactlyAsync(tail, ct);
        file.Position = 0;
        var kind = OfHead(head.AsSpan(0, length)) ?? await OfTextAsync(file, ct) ?? throw new RefusedException("document.kind", $"The file is none of the kinds that are taken: {s_taken}.");
        if (kind == Word || kind == Excel)
            kind = OfArchive(file);
        else
            Refuse.If(!EndsAs(kind, tail) || HasArchive(tail), "document.two_kinds", $"The file begins as {kind.Extension} and ends as something else; a file is of one kind. Save it anew.");
        file.Position = 0;
        return kind;
    }

    private static ContentKind? OfHead(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("%PDF-"u8))
            return Pdf;
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]))
            return Png;
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return Jpeg;
        if (head.StartsWith("RIFF"u8) && head.Length >= 12 && head[8..].StartsWith("WEBP"u8))
            return Webp;
        if (head.Length >= 12 && head[4..].StartsWith("ftyp"u8) && (head[8..].StartsWith("heic"u8) || head[8..].StartsWith("heix"u8) || head[8..].StartsWith("mif1"u8) || head[8..].StartsWith("hevc"u8)))
            return Heic;
        if (head.StartsWith((ReadOnlySpan<byte>)[(byte)'I', (byte)'I', 42, 0]) || head.StartsWith((ReadOnlySpan<byte>)[(byte)'M', (byte)'M', 0, 42]))
            return Tiff;
        return head.StartsWith((ReadOnlySpan<byte>)[(byte)'P', (byte)'K', 3, 4]) ? Word : null;
    }

    /// <summary>Where the end of a kind is known, the file ends there: what hangs behind it is another file.</summary>
    private static bool EndsAs(ContentKind kind, ReadOnlySpan<byte> tail)
    {
        if (kind == Pdf)
            return tail.LastIndexOf("%%EOF"u8) is >= 0 and var at && tail.Length - at <= 1_024 + 5;
        if (kind == Png)
            return tail.Length >= 12 && tail[^8..^4].SequenceEqual("IEND"u8);
        if (kind == Jpeg)
            return tail.TrimEnd((byte)0) is [.., 0xFF, 0xD9];
        return true;
    }

    /// <summary>The directory of a ZIP archive ends the file: whatever the file says it is, an unpacker takes it for one.</summary>
    private static bool HasArchive(ReadOnlySpan<byte> tail) =>
        tail.LastIndexOf((ReadOnlySpan<byte>)[(byte)'P', (byte)'K', 5, 6]) is >= 0 and var at && at + 22 <= tail.Length && at + 22 + BinaryPrimitives.ReadUInt16LittleEndian(tail[(at + 20)..]) == tail.Length;

    private static ContentKind OfArchive(Stream file)
    {
        try
        {
            using var archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
            Refuse.If(archive.Entries.Count > MostEntries, "document.archive", $"The file is packed of {archive.Entries.Count} parts; at most {MostEntries} are taken.");
            long unpacked = 0;
            foreach (var entry in archive.Entries)
            {
                unpacked += entry.Length;
                Refuse.If(unpacked > MostUnpacked || entry.Length > 1_000_000 && entry.Length / Math.Max(1, entry.CompressedLength) > MostRatio, "document.archive", $"Unpacked the file is larger than {MostUnpacked} bytes, or {MostRatio} times what it is packed.");
                Refuse.If(entry.FullName.Split('/', '\\').Contains("..", StringComparer.Ordinal) || Path.IsPathRooted(entry.FullName), "document.archive", "A part of the file names a place outside of it.");
                Refuse.If(entry.FullName.EndsWith("vbaProject.bin", StringComparison.OrdinalIgnoreCase), "document.archive", "The file carries macros; save it without them.");
            }

            var names = archive.Entries.Select(entry => entry.FullName).ToHashSet(StringComparer.Ordinal);
            if (names.Contains("[Content_Types].xml"))
            {
                if (names.Contains("word/document.xml"))
                    return Word;
                if (names.Contains("xl/workbook.xml"))
                    return Excel;
            }
        }
        catch (InvalidDataException)
        {
            // no archive after all
        }

        throw new RefusedException("document.kind", $"The file is none of the kinds that are taken: {s_taken}.");
    }

    /// <summary>UTF-8 without control characters, that is neither markup nor a program.</summary>
    private static async Task<ContentKind?> OfTextAsync(Stream file, CancellationToken ct)
    {
        var buffer = new byte[64 * 1024];
        var kept = 0;
        var isFirst = true;
        file.Position = 0;
        while (true)
        {
            var read = await file.ReadAtLeastAsync(buffer.AsMemory(kept), 1, throwOnEndOfStream: false, ct);
            var length = kept + read;
            if (length == 0)
                return isFirst ? null : Text;
            var whole = read == 0 ? length : Whole(buffer, length);
            if (!IsPlain(buffer.AsSpan(0, whole), isFirst))
                return null;
            isFirst = false;
            kept = length - whole;
            buffer.AsSpan(whole, kept).CopyTo(buffer);
        }
    }

    /// <summary>Up to the last character that is whole.</summary>
    private static int Whole(byte[] buffer, int length)
    {
        for (var back = 1; back <= Math.Min(3, length); back++)
        {
            var lead = buffer[length - back];
            if (lead < 0x80)
                return length;
            if (lead >= 0xC0)
                return (lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2) > back ? length - back : length;
        }

        return length;
    }

    private static bool IsPlain(ReadOnlySpan<byte> bytes, bool isFirst)
    {
        if (!Utf8.IsValid(bytes) || bytes.IndexOfAnyInRange((byte)0, (byte)8) >= 0 || bytes.IndexOfAnyInRange((byte)14, (byte)31) >= 0)
            return false;
        if (!isFirst)
            return true;
        var begin = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, 512)]).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        return !begin.StartsWith('<') && !begin.StartsWith("#!", StringComparison.Ordinal) && !begin.StartsWith("MZ", StringComparison.Ordinal);
    }
}
