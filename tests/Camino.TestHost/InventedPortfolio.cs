using System.Globalization;
using System.Text;

namespace Camino.Testing;

/// <summary>
/// A loan portfolio in Camino's own template in which every name is made up, with the shape of a true one: more loans in large states, a bad run of years
/// before 2009, short terms for small amounts. The same seed gives the same file.
/// </summary>
public static class InventedPortfolio
{
    private static readonly string[] First =
    [
        "Amber", "Birch", "Cobalt", "Dune", "Ember", "Fern", "Granite", "Harbor", "Indigo", "Juniper", "Kestrel", "Larch", "Mesa", "Nimbus", "Olive", "Prairie",
        "Quarry", "Redwood", "Sable", "Timber", "Umber", "Violet", "Willow", "Yarrow", "Zephyr", "Peña", "Sol y Luna", "Río Claro",
    ];

    private static readonly string[] Second =
    [
        "Lantern", "Meadow", "Needle", "Orchard", "Pebble", "Quill", "Ribbon", "Sparrow", "Thistle", "Compass", "Anvil", "Barrel", "Canyon", "Delta", "Feather",
        "Grove", "Hollow", "Island", "Junction", "Kettle", "Ladder", "Mill", "North", "Oak", "Pine",
    ];

    private static readonly (string Name, string Naics, int Weight, int Typical)[] Trades =
    [
        ("Bakery LLC", "311811", 5, 60_000), ("Auto Repair Inc", "811111", 8, 80_000), ("Dental Care PLLC", "621210", 6, 260_000), ("Hardware Co", "444130", 4, 140_000),
        ("Landscaping LLC", "561730", 7, 45_000), ("Taqueria LLC", "722511", 11, 110_000), ("Trucking Inc", "484121", 7, 120_000), ("Hair Studio", "812112", 6, 30_000),
        ("Family Dentistry PC", "621210", 3, 240_000), ("Child Care Center", "624410", 5, 90_000), ("Brewing Company", "312120", 2, 320_000), ("Motel LLC", "721110", 3, 850_000),
        ("Plumbing & Heating Inc", "238220", 6, 70_000), ("Machine Works Inc", "332710", 4, 380_000), ("Veterinary Clinic", "541940", 4, 290_000), ("Fitness Club LLC", "713940", 4, 130_000),
        ("Bookkeeping LLC", "541219", 3, 25_000), ("Builders Inc", "236118", 6, 95_000), ("Farm Supply Co", "424910", 2, 210_000), ("Bicycles LLC", "451110", 3, 50_000),
    ];

    private static readonly (string City, string State, string Zip, int Weight)[] Places =
    [
        ("Fresno", "CA", "93721", 15), ("Austin", "TX", "78701", 12), ("Rochester", "NY", "14604", 8), ("Tampa", "FL", "33602", 9), ("Dayton", "OH", "45402", 6), ("Springfield", "IL", "62701", 5),
        ("Erie", "PA", "16501", 5), ("Macon", "GA", "31201", 4), ("Duluth", "MN", "55802", 4), ("Boise", "ID", "83702", 3), ("Portland", "OR", "97204", 3), ("Portland", "ME", "04101", 2),
        ("Tucson", "AZ", "85701", 4), ("Boulder", "CO", "80302", 4), ("Tacoma", "WA", "98402", 4), ("Lansing", "MI", "48933", 3), ("Madison", "WI", "53703", 3), ("Asheville", "NC", "28801", 3),
        ("Omaha", "NE", "68102", 2), ("Santa Fe", "NM", "87501", 2), ("Helena", "MT", "59601", 1),
    ];

    private static readonly int[] Terms = [12, 24, 36, 48, 60, 84, 84, 84, 120, 120, 180, 240, 300];

    /// <summary>How many loans a year made beside the others, and the percentage of its closed loans that were charged off.</summary>
    private static readonly (int Year, int Weight, int Bad)[] Years =
    [
        (2001, 9, 7), (2002, 11, 6), (2003, 14, 7), (2004, 17, 10), (2005, 21, 16), (2006, 24, 26), (2007, 25, 33), (2008, 15, 30), (2009, 9, 18), (2010, 11, 11), (2011, 13, 8),
        (2012, 14, 6), (2013, 15, 5), (2014, 17, 5), (2015, 19, 6), (2016, 20, 6), (2017, 22, 7), (2018, 22, 8), (2019, 23, 9), (2020, 17, 6), (2021, 21, 5), (2022, 24, 6), (2023, 26, 4),
        (2024, 28, 2), (2025, 30, 1),
    ];

    /// <summary>A file with a heading line.</summary>
    /// <param name="rows">Loans, 1 or more.</param>
    /// <param name="prefix">What the loan numbers begin with, so that two files can differ.</param>
    /// <param name="dirty">True: every 97th row has an amount that cannot be read, and every 131st names its state in full.</param>
    public static byte[] Csv(int rows, string prefix = "L", bool dirty = false)
    {
        var random = new Random(20_260_101);
        var text = new StringBuilder(Imports.Layouts.TemplateCsv).Append("\r\n");
        for (var row = 1; row <= rows; row++)
            AppendLoan(text, random, row, prefix, dirty);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>The same loans under headings that no layout knows: staff have to say which column is what.</summary>
    public static byte[] UnknownLayout(int rows)
    {
        var random = new Random(7);
        var text = new StringBuilder("Contract;Customer;Region;Paid out;Opened\r\n");
        for (var row = 1; row <= rows; row++)
        {
            var place = Pick(random, Places, one => one.Weight);
            text.Append(CultureInfo.InvariantCulture, $"K-{row:d5};{NameOf(random, "Kitchen LLC")};{place.State};{random.Next(5, 400)}00,00;{random.Next(1, 28):d2}.{random.Next(1, 12):d2}.2024\r\n");
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void AppendLoan(StringBuilder text, Random random, int row, string prefix, bool dirty)
    {
        var year = Pick(random, Years, one => one.Weight);
        var trade = Pick(random, Trades, one => one.Weight);
        var place = Pick(random, Places, one => one.Weight);
        var approvedOn = new DateOnly(year.Year, 1, 1).AddDays(random.Next(365));
        var term = Terms[random.Next(Terms.Length)];
        var approved = Math.Round((decimal)(trade.Typical * (0.3 + (random.NextDouble() * random.NextDouble() * 3.2))) / 100m) * 100m;
        var disbursedOn = approvedOn.AddDays(random.Next(7, 70));
        var isOver = disbursedOn.AddMonths(term) < new DateOnly(2025, 12, 31) || random.Next(100) < 25;
        var isBad = isOver && random.Next(100) < year.Bad;
        var lived = random.Next(30, 95) / 100m;
        var chargedOff = isBad ? Math.Round(approved * (1m - lived), 2) : 0m;
        var endedOn = isBad ? disbursedOn.AddMonths((int)(term * lived)) : disbursedOn.AddMonths(isOver ? Math.Min(term, 3 + (int)(term * lived)) : term);
        if (isOver && endedOn > new DateOnly(2025, 12, 31))
            endedOn = new DateOnly(2025, 12, 31);
        var balance = isOver ? 0m : Math.Round(approved * (1m - (lived * 0.8m)), 2);
        var guaranteed = Math.Round(approved * (random.Next(2) == 0 ? 0.5m : 0.75m), 2);
        var state = dirty && row % 131 == 0 ? "Georgia" : place.State;
        var amount = dirty && row % 97 == 0 ? "twelve thousand" : Amount(approved);

        string[] cells =
        [
            string.Create(CultureInfo.InvariantCulture, $"{prefix}-{row:d6}"), NameOf(random, trade.Name), $"{random.Next(1, 999)} Example Street", place.City, state, place.Zip, "Camino", trade.Naics,
            Date(approvedOn), Date(disbursedOn), term.ToString(CultureInfo.InvariantCulture), random.Next(1, 40).ToString(CultureInfo.InvariantCulture),
            (6m + (random.Next(0, 26) / 4m)).ToString("0.00", CultureInfo.InvariantCulture), Amount(approved), amount, Amount(guaranteed), Amount(chargedOff),
            isBad ? Date(endedOn) : "", isOver && !isBad ? Date(endedOn) : "", Amount(balance), isBad ? "Charged off" : isOver ? "Paid in full" : "Open",
        ];
        text.AppendJoin(',', cells).Append("\r\n");
    }

    private static string NameOf(Random random, string trade) => $"{First[random.Next(First.Length)]} {Second[random.Next(Second.Length)]} {trade}";

    private static T Pick<T>(Random random, T[] from, Func<T, int> weight)
    {
        var at = random.Next(from.Sum(weight));
        foreach (var one in from)
        {
            at -= weight(one);
            if (at < 0)
                return one;
        }
        return from[^1];
    }

    private static string Date(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Amount(decimal amount) => amount.ToString("0.00", CultureInfo.InvariantCulture);
}
