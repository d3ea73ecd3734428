using System.Globalization;
using System.Text;

namespace Camino.Host.Local;

/// <summary>A portfolio of invented loans in Camino's own template, with its sum known beforehand.</summary>
internal static class SmokePortfolio
{
    public const int Rows = 500;

    private static readonly string[] FirstWords = ["Amber", "Birch", "Cobalt", "Dune", "Ember", "Fern", "Granite", "Harbor", "Indigo", "Juniper"];
    private static readonly string[] SecondWords = ["Lantern", "Meadow", "Needle", "Orchard", "Pebble", "Quill", "Ribbon", "Sparrow", "Thistle", "Willow"];
    private static readonly string[] Trades = ["Bakery LLC", "Auto Repair Inc", "Dental Care PLLC", "Hardware Co", "Landscaping LLC"];
    private static readonly string[] Naics = ["311811", "811111", "621210", "444140", "561730"];

    private static readonly (string City, string State, string Zip)[] Places =
    [
        ("Springfield", "IL", "62701"), ("Fresno", "CA", "93721"), ("Austin", "TX", "78701"), ("Dayton", "OH", "45402"), ("Portland", "ME", "04101"),
    ];

    /// <param name="header">The template's header line; only columns that we know by name are filled.</param>
    /// <param name="run">Makes the loan numbers of this run different from those of all others.</param>
    /// <returns>The file's text and the sum of its disbursed amounts.</returns>
    public static (string Csv, decimal Disbursed) Make(string header, string run)
    {
        var columns = header.Split(',').Select(column => column.Trim().Trim('"')).ToArray();
        var text = new StringBuilder().AppendJoin(',', columns).Append("\r\n");
        var disbursed = 0m;
        for (var row = 1; row <= Rows; row++)
        {
            var loan = Loan(run, row);
            disbursed += decimal.Parse(loan["Disbursed"], CultureInfo.InvariantCulture);
            text.AppendJoin(',', columns.Select(column => loan.GetValueOrDefault(column, ""))).Append("\r\n");
        }

        return (text.ToString(), disbursed);
    }

    private static Dictionary<string, string> Loan(string run, int row)
    {
        var place = Places[row % Places.Length];
        var trade = row % Trades.Length;
        var approvedOn = new DateOnly(2024, 1, 2).AddDays(row % 360);
        var amount = 5_000m + (row * 137.31m); // cents that differ from row to row
        return new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["LoanNumber"] = string.Create(CultureInfo.InvariantCulture, $"SMOKE-{run}-{row:d4}"),
            ["BorrowerName"] = $"{FirstWords[row % 10]} {SecondWords[row / 10 % 10]} {Trades[trade]}",
            ["City"] = place.City,
            ["State"] = place.State,
            ["Zip"] = place.Zip,
            ["Naics"] = Naics[trade],
            ["ApprovedOn"] = Date(approvedOn),
            ["DisbursedOn"] = Date(approvedOn.AddDays(14)),
            ["TermMonths"] = (36 + (row % 5 * 12)).ToString(CultureInfo.InvariantCulture),
            ["Approved"] = Amount(amount),
            ["Disbursed"] = Amount(amount),
            ["Guaranteed"] = Amount(0m),
            ["ChargedOff"] = Amount(0m),
            ["Balance"] = Amount(decimal.Round(amount * 0.8m, 2)),
            ["Status"] = "Open",
        };
    }

    private static string Date(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Amount(decimal amount) => amount.ToString("0.00", CultureInfo.InvariantCulture);
}
