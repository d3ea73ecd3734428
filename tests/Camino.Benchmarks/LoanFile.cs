using System.Globalization;
using System.IO.Compression;
using System.Text;
using Camino.Host.Local;

namespace Camino.Benchmarks;

/// <summary>A portfolio file of any length in the columns of the SBA's national file, written as a stream, with the sums that it must give.</summary>
internal sealed record LoanFile(string Path, long Rows, long Bytes, decimal Disbursed, decimal Approved, decimal Guaranteed, decimal ChargedOff)
{
    private const string SampleOfCheckout = "../shared/data/loans/sba-7a-raw-8000.csv";
    private const int DisbursedColumn = 21;
    private const int ChargedOffColumn = 24;
    private const int ApprovedColumn = 25;
    private const int GuaranteedColumn = 26;

    /// <summary>The published sample beside the checkout, or invented rows of the same shape when it is not there.</summary>
    public static LoanSample Sample()
    {
        var published = System.IO.Path.Combine(Repository.Root ?? Directory.GetCurrentDirectory(), SampleOfCheckout);
        return File.Exists(published)
            ? LoanSample.Of(File.ReadAllText(published, Encoding.Latin1), "the SBA's published 7(a) sample (8,000 rows), repeated with other loan numbers")
            : LoanSample.Of(InventedRows.Text(8_000), "8,000 invented rows in the SBA's columns (the published sample is not beside the checkout), repeated with other loan numbers");
    }

    /// <summary>Writes the sample over and over, each row with a ten-digit number of its own, ascending as in the real file.</summary>
    /// <param name="firstNumber">1,000,000,000 or more.</param>
    public static LoanFile Write(string path, LoanSample sample, long rows, long firstNumber, bool gzip, CancellationToken ct)
    {
        decimal disbursed = 0, approved = 0, guaranteed = 0, chargedOff = 0;
        using (var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20))
        using (var packed = gzip ? new GZipStream(file, CompressionLevel.Fastest) : null)
        using (var buffered = new BufferedStream((Stream?)packed ?? file, 1 << 20))
        {
            buffered.Write(Encoding.Latin1.GetBytes(sample.Header + "\n"));
            Span<byte> number = stackalloc byte[10];
            for (var row = 0L; row < rows; row++)
            {
                if (row % 10_000 == 0)
                    ct.ThrowIfCancellationRequested();
                var from = sample.Rows[(int)(row % sample.Rows.Count)];
                (firstNumber + row).TryFormat(number, out _, default, CultureInfo.InvariantCulture);
                buffered.Write(number);
                buffered.Write(from.BehindNumber);
                disbursed += from.Disbursed;
                approved += from.Approved;
                guaranteed += from.Guaranteed;
                chargedOff += from.ChargedOff;
            }
        }

        return new LoanFile(path, rows, new FileInfo(path).Length, disbursed, approved, guaranteed, chargedOff);
    }

    /// <summary>Reads a sample's rows with a parser of its own, so that the sums do not come from the reader that is measured.</summary>
    internal static LoanRow Row(string line)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        foreach (var c in line)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (c == ',' && !quoted)
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else
            {
                cell.Append(c);
            }
        }

        cells.Add(cell.ToString());
        decimal Money(int column) => decimal.Parse(cells[column], NumberStyles.Currency, CultureInfo.GetCultureInfo("en-US"));
        return new LoanRow(Encoding.Latin1.GetBytes(line[line.IndexOf(',', StringComparison.Ordinal)..] + "\n"), Money(DisbursedColumn), Money(ApprovedColumn), Money(GuaranteedColumn), Money(ChargedOffColumn));
    }
}

/// <param name="BehindNumber">The row from its first comma on, with its line end.</param>
internal sealed record LoanRow(byte[] BehindNumber, decimal Disbursed, decimal Approved, decimal Guaranteed, decimal ChargedOff);

/// <summary>The rows that a file repeats.</summary>
internal sealed record LoanSample(string Header, IReadOnlyList<LoanRow> Rows, string Description)
{
    public static LoanSample Of(string text, string description)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new LoanSample(lines[0].TrimStart('\uFEFF'), [.. lines.Skip(1).Select(LoanFile.Row)], description);
    }
}

/// <summary>Rows that nobody ever borrowed, in the columns and spellings of the SBA's national file.</summary>
internal static class InventedRows
{
    private const string Header =
        "LoanNr_ChkDgt,Name,City,State,Zip,Bank,BankState,NAICS,ApprovalDate,ApprovalFY,Term,NoEmp,NewExist,CreateJob,RetainedJob,FranchiseCode,UrbanRural,"
        + "RevLineCr,LowDoc,ChgOffDate,DisbursementDate,DisbursementGross,BalanceGross,MIS_Status,ChgOffPrinGr,GrAppv,SBA_Appv";

    private static readonly string[] Places = ["AUSTIN,TX,73301", "BOISE,ID,83701", "DAYTON,OH,45402", "ERIE,PA,16501", "FRESNO,CA,93650", "GARY,IN,46401", "MACON,GA,31201", "OLYMPIA,WA,98501"];
    private static readonly string[] First = ["AMBER", "BIRCH", "CEDAR", "DELTA", "EMBER", "FJORD", "GROVE", "HARBOR", "INLET", "JUNIPER"];
    private static readonly string[] Second = ["BAKERY", "CYCLES", "DENTAL", "FARMS", "FREIGHT", "GARAGE", "MILLWORK", "PRINTING", "ROOFING", "TEXTILES"];
    private static readonly string[] Industries = ["238160", "311811", "323111", "441310", "484121", "621210", "722511", "811111"];

    /// <summary>The same rows in every run.</summary>
    public static string Text(int rows)
    {
        var chance = new Random(7);
        string Of(string[] choices) => choices[chance.Next(choices.Length)];
        string Day(int year) => new DateOnly(year, 1, 1).AddDays(chance.Next(360)).ToString("d-MMM-yy", CultureInfo.InvariantCulture);
        string Money(long dollars) => string.Create(CultureInfo.InvariantCulture, $"\"${dollars:#,0}.00 \"");
        var text = new StringBuilder(Header).Append('\n');
        for (var row = 0; row < rows; row++)
        {
            var year = 1995 + chance.Next(14);
            var amount = 5_000L + (chance.Next(600) * 500L);
            var lost = chance.Next(6) == 0;
            text.Append(CultureInfo.InvariantCulture, $"{1_000_000_000 + row},{Of(First)} {Of(Second)} {chance.Next(10_000)} INC,{Of(Places)},INVENTED BANK {chance.Next(300)},NC,{Of(Industries)},{Day(year)},{year},{12 + chance.Next(228)},{chance.Next(60)},{1 + chance.Next(2)},0,0,1,{chance.Next(3)},N,N,");
            text.Append(CultureInfo.InvariantCulture, $"{(lost ? Day(year + 3) : "")},{Day(year + 1)},{Money(amount)},{Money(0)},{(lost ? "CHGOFF" : "P I F")},{Money(lost ? amount / 2 : 0)},{Money(amount)},{Money(amount * 3 / 4)}\n");
        }

        return text.ToString();
    }
}
