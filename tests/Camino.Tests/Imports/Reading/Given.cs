using System.Globalization;
using System.IO.Compression;
using System.Text;
using Camino.Imports;
using NUnit.Framework;

namespace Camino.Tests.Imports.Reading;

/// <summary>Portfolio files made in code, and the shared ones next to the repository.</summary>
internal static class Given
{
    public const string SbaHeader =
        "LoanNr_ChkDgt,Name,City,State,Zip,Bank,BankState,NAICS,ApprovalDate,ApprovalFY,Term,NoEmp,NewExist,CreateJob,RetainedJob,FranchiseCode,"
        + "UrbanRural,RevLineCr,LowDoc,ChgOffDate,DisbursementDate,DisbursementGross,BalanceGross,MIS_Status,ChgOffPrinGr,GrAppv,SBA_Appv";

    /// <summary>A good SBA row with an invented borrower.</summary>
    public static string SbaRow(
        string number = "5000000001", string name = "BLUE HERON BAKERY", string city = "SPRINGFIELD", string approved = "28-Feb-97", string term = "84",
        string revolving = "N", string disbursed = "\"$60,000.00 \"") =>
        $"{number},{name},{city},IL,62701,EXAMPLE BANK,IL,311811,{approved},1997,{term},4,2,0,0,1,0,{revolving},Y,,28-Feb-99,{disbursed},$0.00 ,P I F,$0.00 ,"
        + "\"$60,000.00 \",\"$48,000.00 \"";

    /// <summary>Reads a text as a file of UTF-8.</summary>
    public static PortfolioReading Text(string text, Layout? mapping = null, ReaderLimits? limits = null) =>
        Bytes(Encoding.UTF8.GetBytes(text), mapping, limits);

    /// <summary>One row of Camino's template with the given column set to a value, as the file has it.</summary>
    public static PortfolioRow Cell(string column, string value, Layout? mapping = null) =>
        Text($"LoanNumber,BorrowerName,Employees,{column}\nL-1,Blue Heron Bakery LLC,4,{value}\n", mapping).Rows.Single();

    public static PortfolioReading Bytes(byte[] bytes, Layout? mapping = null, ReaderLimits? limits = null)
    {
        var path = Path.Combine(Path.GetTempPath(), $"camino-reading-{Guid.CreateVersion7():N}");
        try
        {
            System.IO.File.WriteAllBytes(path, bytes);
            return File(path, mapping, limits);
        }
        finally
        {
            System.IO.File.Delete(path);
        }
    }

    public static PortfolioReading File(string path, Layout? mapping = null, ReaderLimits? limits = null)
    {
        using var reader = PortfolioReader.Open(path, "portfolio.csv", limits ?? ReaderLimits.Default, mapping);
        var rows = new List<PortfolioRow>();
        for (var row = new PortfolioRow(); reader.Shape.Layout is not null && reader.TryRead(row); row = new PortfolioRow())
            rows.Add(row);

        return new PortfolioReading(reader.Shape, rows);
    }

    public static byte[] Gzip(string text) => Gzip(Encoding.UTF8.GetBytes(text));

    public static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(bytes);

        return packed.ToArray();
    }

    public static byte[] Zip(params (string Name, string Text)[] entries)
    {
        using var packed = new MemoryStream();
        using (var zip = new ZipArchive(packed, ZipArchiveMode.Create))
        {
            foreach (var (name, text) in entries)
            {
                using var entry = zip.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(text));
            }
        }

        return packed.ToArray();
    }

    /// <summary>A file of the shared data; the test is passed over where that folder is not there.</summary>
    public static string Shared(string relative)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !System.IO.File.Exists(Path.Combine(root.FullName, "Camino.sln")))
            root = root.Parent;

        var path = Path.Combine(root?.FullName ?? ".", "..", "shared", "data", relative);
        if (!System.IO.File.Exists(path))
            Assert.Ignore($"The shared data file {relative} is not here; it belongs in the folder shared/data beside the repository.");

        return path;
    }

    public static string Csv(string value) => "\"" + value.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    public static DateOnly Day(string iso) => DateOnly.ParseExact(iso, "yyyy-MM-dd", CultureInfo.InvariantCulture);
}

/// <summary>A file as read.</summary>
internal sealed record PortfolioReading(FileShape Shape, IReadOnlyList<PortfolioRow> Rows)
{
    public string? Layout => Shape.Layout?.Name;

    public int Count(RowOutcome outcome) => Rows.Count(row => row.Outcome == outcome);

    public int Findings(string code) => Rows.Sum(row => row.Findings.Count(finding => finding.Code == code));

    public decimal? Sum(Func<LoanFacts, decimal?> amount) => Rows.Sum(row => amount(row.Facts));
}
