using Camino.Documents;
using Camino.Lending;
using NUnit.Framework;

namespace Camino.Tests.Documents;

/// <summary>What a file is, is told by its content.</summary>
internal sealed class ContentKindTests
{
    private static IEnumerable<TestCaseData> Taken()
    {
        yield return new TestCaseData(SampleFiles.Pdf, "application/pdf").SetArgDisplayNames("pdf");
        yield return new TestCaseData(SampleFiles.Png, "image/png").SetArgDisplayNames("png");
        yield return new TestCaseData(SampleFiles.Jpeg, "image/jpeg").SetArgDisplayNames("jpeg");
        yield return new TestCaseData((byte[])[.. SampleFiles.Jpeg, 0, 0, 0], "image/jpeg").SetArgDisplayNames("jpeg padded by a phone");
        yield return new TestCaseData(SampleFiles.Word, "application/vnd.openxmlformats-officedocument.wordprocessingml.document").SetArgDisplayNames("docx");
        yield return new TestCaseData(SampleFiles.Excel, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet").SetArgDisplayNames("xlsx");
        yield return new TestCaseData((byte[])[.. "RIFF"u8, 4, 0, 0, 0, .. "WEBP"u8], "image/webp").SetArgDisplayNames("webp");
        yield return new TestCaseData((byte[])[0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0], "image/heic").SetArgDisplayNames("heic");
        yield return new TestCaseData((byte[])[(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0], "image/tiff").SetArgDisplayNames("tiff");
        yield return new TestCaseData(SampleFiles.Text("Fecha;Importe\n2026-01-02;1,50 \u20ac \U0001F600\n"), "text/plain; charset=utf-8").SetArgDisplayNames("text");
        yield return new TestCaseData(SampleFiles.Text(string.Concat(Enumerable.Repeat("a\u20ac\U0001F600", 40_000))), "text/plain; charset=utf-8").SetArgDisplayNames("long text whose characters lie across pieces");
    }

    private static IEnumerable<TestCaseData> Refused()
    {
        yield return new TestCaseData(Array.Empty<byte>(), "document.empty").SetArgDisplayNames("nothing");
        yield return new TestCaseData(SampleFiles.Text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), "document.kind").SetArgDisplayNames("svg with a script");
        yield return new TestCaseData(SampleFiles.Text("\uFEFF  <!doctype html><script>alert(1)</script>"), "document.kind").SetArgDisplayNames("html");
        yield return new TestCaseData(SampleFiles.Text("#!/bin/sh\nrm -rf /\n"), "document.kind").SetArgDisplayNames("a shell script");
        yield return new TestCaseData((byte[])[(byte)'M', (byte)'Z', 0x90, 0, 3, 0], "document.kind").SetArgDisplayNames("a program");
        yield return new TestCaseData((byte[])[0x7F, .. "ELF"u8, 2, 1, 1], "document.kind").SetArgDisplayNames("a Linux program");
        yield return new TestCaseData((byte[])[0xFF, 0xFE, (byte)'a', 0], "document.kind").SetArgDisplayNames("text that is no UTF-8");
        yield return new TestCaseData(SampleFiles.Zip(("a.txt", [1])), "document.kind").SetArgDisplayNames("a plain archive");
        yield return new TestCaseData((byte[])[.. "PK"u8, 3, 4, .. new byte[60]], "document.kind").SetArgDisplayNames("a broken archive");
        yield return new TestCaseData((byte[])[.. SampleFiles.Png, .. SampleFiles.Zip(("a.class", [1]))], "document.two_kinds").SetArgDisplayNames("a picture that is an archive, too");
        yield return new TestCaseData((byte[])[.. SampleFiles.Jpeg, .. "<script>alert(1)</script>"u8], "document.two_kinds").SetArgDisplayNames("a picture with a script behind it");
        yield return new TestCaseData((byte[])[.. SampleFiles.Pdf, .. SampleFiles.Zip(("a.class", [1]))], "document.two_kinds").SetArgDisplayNames("a PDF that is an archive, too");
        yield return new TestCaseData((byte[])[.. SampleFiles.Pdf, .. new byte[5_000]], "document.two_kinds").SetArgDisplayNames("a PDF with something behind it");
        yield return new TestCaseData(SampleFiles.Zip(("[Content_Types].xml", [1]), ("word/document.xml", [1]), ("word/vbaProject.bin", [1])), "document.archive").SetArgDisplayNames("macros");
        yield return new TestCaseData(SampleFiles.Zip(("[Content_Types].xml", [1]), ("word/document.xml", [1]), ("../../etc/passwd", [1])), "document.archive").SetArgDisplayNames("a part outside of the file");
        yield return new TestCaseData(SampleFiles.Zip(("[Content_Types].xml", [1]), ("word/document.xml", new byte[20_000_000])), "document.archive").SetArgDisplayNames("a bomb");
        yield return new TestCaseData(SampleFiles.Zip([("[Content_Types].xml", [1]), .. Enumerable.Range(0, 5_001).Select(n => ($"word/{n}.xml", Array.Empty<byte>()))]), "document.archive").SetArgDisplayNames("thousands of parts");
    }

    [TestCaseSource(nameof(Taken))]
    public async Task A_file_is_what_its_content_says(byte[] content, string mediaType)
    {
        using var file = new MemoryStream(content);

        Assert.That((await ContentKind.ReadAsync(file, CancellationToken.None)).MediaType, Is.EqualTo(mediaType));
        Assert.That(file.Position, Is.Zero, "it can be read from its beginning");
    }

    [TestCaseSource(nameof(Refused))]
    public async Task A_file_of_another_kind_or_of_two_is_refused(byte[] content, string code)
    {
        using var file = new MemoryStream(content);

        Assert.That((await Assert.ThrowsAsync<RefusedException>(() => ContentKind.ReadAsync(file, CancellationToken.None)))?.Code, Is.EqualTo(code));
    }

    [TestCase("..\\..\\windows\\win.ini", "win.pdf")]
    [TestCase("../../etc/passwd", "passwd.pdf")]
    [TestCase("C:evil.exe", "evil.pdf")]
    [TestCase("lease\u202Efdp.exe", "leasefdp.pdf")]
    [TestCase("a\0b\r\nc.pdf", "a\u2400bc.pdf")]
    [TestCase("Contrato señora Núñez.PDF", "Contrato señora Núñez.pdf")]
    [TestCase(".pdf", "document.pdf")]
    [TestCase("   ", "document.pdf")]
    [TestCase(null, "document.pdf")]
    public void A_name_has_no_folder_and_the_ending_of_its_content(string? given, string kept) => Assert.That(DocumentWords.FileName(given, ContentKind.Pdf), Is.EqualTo(kept));

    [Test]
    public void A_name_that_is_too_long_is_cut_before_its_ending() => Assert.That(DocumentWords.FileName(new string('n', 300) + ".pdf", ContentKind.Pdf), Has.Length.EqualTo(DocumentWords.LongestName).And.EndsWith("n.pdf"));
}
