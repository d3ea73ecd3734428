using System.Text;
using Camino.Imports;
using NUnit.Framework;

namespace Camino.Tests.Imports.Reading;

/// <summary>Empty, packed, damaged, oversized and altogether other files.</summary>
public sealed class ContainerTests
{
    private const string Two = "LoanNumber,BorrowerName,Approved\nL-1,Blue Heron Bakery LLC,25000.00\nL-2,Red Barn Repair Inc,1200.50\n";

    private static string CodeOf(byte[] file, ReaderLimits? limits = null) =>
        (Assert.Throws<ImportFileException>(() => Given.Bytes(file, limits: limits)) ?? throw new AssertionException("no exception")).Code;

    [Test]
    public void A_file_without_a_byte_is_refused_as_empty() => Assert.That(CodeOf([]), Is.EqualTo("import.file.empty"));

    [Test]
    public void A_gzip_of_nothing_is_refused_as_empty() => Assert.That(CodeOf(Given.Gzip("")), Is.EqualTo("import.file.empty"));

    [TestCase("\uFEFF")]
    [TestCase("\r\n \r\n")]
    public void A_file_of_nothing_but_blanks_is_refused_as_empty(string text) =>
        Assert.That(CodeOf(Encoding.UTF8.GetBytes(text)), Is.EqualTo("import.file.empty"));

    [TestCase("LoanNumber,BorrowerName,Approved")]
    [TestCase("LoanNumber,BorrowerName,Approved\r\n")]
    public void A_header_alone_is_a_file_of_no_rows(string text)
    {
        var reading = Given.Text(text);

        Assert.That(reading.Layout, Is.EqualTo("camino"));
        Assert.That(reading.Rows, Is.Empty);
    }

    [Test]
    public void A_packed_file_reads_like_the_plain_one_whatever_its_name()
    {
        var plain = Given.Text(Two);
        var gzip = Given.Bytes(Given.Gzip(Two));
        var zip = Given.Bytes(Given.Zip(("loans/", ""), ("__MACOSX/._a.csv", "x"), (".DS_Store", "x"), ("loans/a.csv", Two)));

        Assert.That(new[] { plain.Shape.Container, gzip.Shape.Container, zip.Shape.Container }, Is.EqualTo(new[] { "plain", "gzip", "zip" }));
        Assert.That(gzip.Rows.Select(row => row.Facts.ContentHash), Is.EqualTo(plain.Rows.Select(row => row.Facts.ContentHash)));
        Assert.That(zip.Rows.Select(row => row.Facts.ContentHash), Is.EqualTo(plain.Rows.Select(row => row.Facts.ContentHash)));
    }

    [Test]
    public void A_gzip_of_several_members_is_one_file()
    {
        var reading = Given.Bytes([.. Given.Gzip(Two), .. Given.Gzip("L-3,Green Door Florist,10.00\n")]);

        Assert.That(reading.Rows.Select(row => row.Facts.Number), Is.EqualTo(new[] { "L-1", "L-2", "L-3" }));
    }

    [Test]
    public void A_gzip_of_many_small_and_large_members_reads_whole()
    {
        var text = new StringBuilder();
        var packed = new List<byte>(Given.Gzip("LoanNumber,BorrowerName,Approved\n"));
        for (var member = 0; member < 400; member++)
        {
            text.Clear();
            for (var i = 0; i < member * member % 3_000; i++)
                text.Append("L-").Append(member).Append('-').Append(i).Append(",A,1.00\n");

            packed.AddRange(Given.Gzip(text.Append("L-").Append(member).Append(",B,1.00\n").ToString()));
        }

        var rows = Given.Bytes([.. packed]).Rows;

        Assert.That(rows, Has.Count.EqualTo(400 + Enumerable.Range(0, 400).Sum(member => member * member % 3_000)));
        Assert.That(rows, Has.All.Property(nameof(PortfolioRow.Outcome)).EqualTo(RowOutcome.Accepted));
    }

    [Test]
    public void A_gzip_that_is_cut_off_or_altered_is_damaged()
    {
        var random = new Random(7);
        var text = new StringBuilder("LoanNumber,BorrowerName,Approved\n");
        for (var i = 0; i < 50_000; i++)
            text.Append("L-").Append(i).Append(",Borrower ").Append(random.Next()).Append(',').Append(random.Next(1_000_000)).Append(".00\n");

        var whole = Given.Gzip(text.ToString());
        var altered = whole.ToArray();
        altered[^20] ^= 0xFF;

        foreach (var cut in new[] { 1, 7, 8, 9, 1_000, whole.Length / 2 })
            Assert.That(CodeOf(whole[..^cut]), Is.EqualTo("import.file.gzip_damaged"), $"cut by {cut}");

        Assert.That(CodeOf(altered), Is.EqualTo("import.file.gzip_damaged"));
        Assert.That(CodeOf([.. whole, 1, 2, 3]), Is.EqualTo("import.file.gzip_damaged"), "something behind it");
        Assert.That(Given.Bytes([.. whole, .. new byte[512]]).Rows, Has.Count.EqualTo(50_000), "a block filled with zero bytes");
    }

    [Test]
    public void A_zip_with_two_files_is_refused_by_name() =>
        Assert.That(CodeOf(Given.Zip(("a.csv", Two), ("b.csv", Two))), Is.EqualTo("import.file.zip_several"));

    [Test]
    public void A_zip_without_a_file_is_refused() => Assert.That(CodeOf(Given.Zip(("folder/", ""))), Is.EqualTo("import.file.zip_empty"));

    [Test]
    public void A_zip_whose_content_does_not_match_its_check_sum_is_damaged()
    {
        var zip = Given.Zip(("a.csv", Two));
        var crc = zip.AsSpan().LastIndexOf("PK\u0001\u0002"u8) + 16;
        zip[crc] ^= 0xFF;

        Assert.That(CodeOf(zip), Is.EqualTo("import.file.zip_damaged"));
        Assert.That(CodeOf(zip[..60]), Is.EqualTo("import.file.zip_damaged"));
    }

    [Test]
    public void A_file_that_unpacks_to_far_more_than_its_size_is_refused_early()
    {
        var bomb = new byte[64 << 20];
        bomb.AsSpan().Fill((byte)'\n');
        "LoanNumber,BorrowerName,Approved\nL-1,Blue Heron Bakery LLC,1.00"u8.CopyTo(bomb);

        Assert.That(CodeOf(Given.Gzip(bomb)), Is.EqualTo("import.file.zip_bomb"));
    }

    [Test]
    public void A_file_of_more_text_than_allowed_is_refused()
    {
        var limits = new ReaderLimits { MaxExpandedBytes = 100 };

        Assert.That(CodeOf(Given.Zip(("a.csv", Two + Two)), limits), Is.EqualTo("import.file.too_large"));
        Assert.That(CodeOf(Given.Gzip(Two + Two), limits), Is.EqualTo("import.file.too_large"));
        Assert.That(CodeOf(Encoding.UTF8.GetBytes(Two + Two), limits), Is.EqualTo("import.file.too_large"));
    }

    [Test]
    public void A_spreadsheet_is_refused_with_the_advice_to_save_it_as_CSV()
    {
        var xlsx = Given.Zip(("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", "<workbook/>"));

        Assert.That(CodeOf(xlsx), Is.EqualTo("import.file.spreadsheet"));
        Assert.That(CodeOf([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]), Is.EqualTo("import.file.spreadsheet"));
        Assert.That(() => Given.Bytes(xlsx), Throws.TypeOf<ImportFileException>().With.Message.Contains("save it as CSV"));
    }

    [Test]
    public void Binary_content_is_refused_with_its_kind()
    {
        var noise = new byte[100_000];
        new Random(1).NextBytes(noise);

        Assert.That(CodeOf([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]), Is.EqualTo("import.file.binary"));
        Assert.That(CodeOf(Encoding.ASCII.GetBytes("%PDF-1.7\n1 0 obj")), Is.EqualTo("import.file.binary"));
        Assert.That(CodeOf(new byte[5_000]), Is.EqualTo("import.file.binary"));
        Assert.That(CodeOf(Given.Gzip(Given.Gzip(Two))), Is.EqualTo("import.file.binary"));
        Assert.That(CodeOf(noise), Is.EqualTo("import.file.binary"));
    }

    [Test]
    public void Text_without_columns_is_refused() =>
        Assert.That(CodeOf(Encoding.UTF8.GetBytes("a letter\nof two lines\n")), Is.EqualTo("import.file.no_delimiter"));

    [Test]
    public void Bytes_read_reach_the_length_of_the_file()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Given.Gzip(Two));
            using var reader = PortfolioReader.Open(path, "a.csv.gz", ReaderLimits.Default);
            reader.Skip(long.MaxValue);

            Assert.That(reader.BytesRead, Is.EqualTo(reader.FileLength));
            Assert.That(reader.FileLength, Is.EqualTo(new FileInfo(path).Length));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
