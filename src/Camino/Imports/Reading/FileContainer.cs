using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;

namespace Camino.Imports;

/// <summary>Takes the text out of whatever the file is: plain, gzip (one member or several), or zip with one file. Decided by content, not by name.</summary>
internal static class FileContainer
{
    private const int MostZipEntries = 1_000;
    private const int MostZipDirectoryBytes = 1 << 20;

    /// <summary>The unpacked bytes, guarded against more than the limits allow.</summary>
    /// <exception cref="ImportFileException">Empty, damaged, several files, or no text at all.</exception>
    public static (string Container, Stream Content) Open(FileStream file, string fileName, ReaderLimits limits)
    {
        Span<byte> head = stackalloc byte[16];
        head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        file.Position = 0;

        if (head.Length == 0)
            throw Problems.Empty(fileName);
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return ("gzip", new GuardedStream(new GzipMembers(file), file, fileName, "import.file.gzip_damaged", limits));
        if (head.StartsWith("PK\u0003\u0004"u8) || head.StartsWith("PK\u0005\u0006"u8))
            return ("zip", OpenZip(file, fileName, limits));

        RefuseKnownBinary(head, fileName);
        return ("plain", new GuardedStream(file, packed: null, fileName, "import.file.unreadable", limits));
    }

    /// <summary>Refuses content that starts like a well-known binary format. Also asked of what comes out of a gzip or zip.</summary>
    public static void RefuseKnownBinary(ReadOnlySpan<byte> head, string fileName)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0]))
            throw Problems.Spreadsheet(fileName);

        var kind =
            head.StartsWith("PK\u0003\u0004"u8) ? "zip inside an archive"
            : head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? "gzip inside an archive"
            : head.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47]) ? "PNG picture"
            : head.StartsWith("%PDF-"u8) ? "PDF"
            : head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) ? "JPEG picture"
            : head.StartsWith("GIF8"u8) ? "GIF picture"
            : head.StartsWith((ReadOnlySpan<byte>)[0x37, 0x7A, 0xBC, 0xAF]) ? "7z archive"
            : head.StartsWith("Rar!"u8) ? "RAR archive"
            : head.StartsWith((ReadOnlySpan<byte>)[0xFD, 0x37, 0x7A, 0x58]) ? "xz archive"
            : head.StartsWith("BZh"u8) && head.Length > 3 && head[3] is >= (byte)'1' and <= (byte)'9' ? "bzip2 archive"
            : head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "zstd archive"
            : head.StartsWith((ReadOnlySpan<byte>)[0x7F, 0x45, 0x4C, 0x46]) ? "program"
            : head.StartsWith("PAR1"u8) ? "Parquet file"
            : null;
        if (kind is not null)
            throw Problems.Binary(fileName, kind);
    }

    private static GuardedStream OpenZip(FileStream file, string fileName, ReaderLimits limits)
    {
        CheckDirectorySize(file, fileName);
        ZipArchive? archive = null;
        try
        {
            archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
            var entries = archive.Entries.Where(IsContent).ToList();
            if (entries.Exists(entry => entry.FullName is "[Content_Types].xml" or "content.xml"))
                throw Problems.Spreadsheet(fileName);
            if (entries.Count == 0)
                throw new ImportFileException("import.file.zip_empty", $"{fileName} holds no file.", Problems.Args(fileName));
            if (entries.Count > 1)
                throw Several(fileName, entries.Count, string.Join(", ", entries.Take(5).Select(entry => Shown.Text(entry.FullName))));

            var only = entries[0];
            if (only.IsEncrypted)
                throw new ImportFileException("import.file.zip_encrypted", $"{fileName} is locked with a password; unlock it first.", Problems.Args(fileName));
            if (only.Length > limits.MaxExpandedBytes)
                throw Problems.TooLarge(fileName, limits);

            var crc = new ExpectedContent(only.Length, only.Crc32);
            var guarded = new GuardedStream(only.Open(), file, fileName, "import.file.zip_damaged", limits, crc, archive);
            archive = null;
            return guarded;
        }
        catch (InvalidDataException damage)
        {
            throw Problems.Damaged("import.file.zip_damaged", fileName, damage);
        }
        finally
        {
            archive?.Dispose();
        }
    }

    /// <summary>Before the directory of a zip is taken into memory: a hostile one could be as large as the file.</summary>
    private static void CheckDirectorySize(FileStream file, string fileName)
    {
        var tail = new byte[(int)Math.Min(file.Length, 22 + ushort.MaxValue)];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        file.Position = 0;

        var end = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (end < 0 || tail.Length - end < 22)
            throw Problems.Damaged("import.file.zip_damaged", fileName, inner: null);

        var entries = BinaryPrimitives.ReadUInt16LittleEndian(tail.AsSpan(end + 10));
        var bytes = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end + 12));
        if (entries > MostZipEntries || bytes > MostZipDirectoryBytes)
            throw Several(fileName, entries, "");
    }

    private static bool IsContent(ZipArchiveEntry entry) =>
        !entry.FullName.EndsWith('/')
        && !entry.FullName.StartsWith("__MACOSX/", StringComparison.Ordinal)
        && !entry.Name.StartsWith('.');

    private static ImportFileException Several(string fileName, int count, string names) => new(
        "import.file.zip_several",
        $"{fileName} holds {count.ToString(CultureInfo.InvariantCulture)} files; a zip may hold exactly one CSV.",
        new Dictionary<string, string> { ["file"] = fileName, ["count"] = count.ToString(CultureInfo.InvariantCulture), ["names"] = names });
}
