using System.Globalization;

namespace Camino.Web;

/// <summary>Numbers, money and dates as the reader writes them. Money is always US dollars.</summary>
public static class Show
{
    /// <summary>Stands where there is nothing to show.</summary>
    public const string None = "–";

    private static bool Spanish => CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "es";

    /// <summary>12,345</summary>
    public static string Number(long value) => value.ToString("N0", CultureInfo.CurrentCulture);

    /// <summary>12,345, or a dash.</summary>
    public static string Count(int? value) => value is { } number ? Number(number) : None;

    /// <summary>$1,234.56, or a dash.</summary>
    public static string Money(decimal? value) => value is { } amount ? amount.ToString("C2", CultureInfo.CurrentCulture) : None;

    /// <summary>$1.08 B: three digits, for headlines and charts; the exact sum stands beside it or in its title.</summary>
    public static string ShortMoney(decimal value) => "$" + Compact(value);

    /// <summary>1.08 B, 13.2 K, 950.</summary>
    public static string Compact(decimal value)
    {
        var size = Math.Abs(value);
        return size switch
        {
            >= 999_500_000m when !Spanish => Digits(value / 1_000_000_000m) + " B",
            >= 999_500m => Digits(value / 1_000_000m) + " M",
            >= 9_995m => Digits(value / 1_000m) + (Spanish ? " mil" : " K"),
            _ => value.ToString("#,0", CultureInfo.CurrentCulture),
        };
    }

    /// <summary>12.3%</summary>
    public static string Percent(decimal share, int decimals = 1) => share.ToString("P" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.CurrentCulture);

    /// <summary>A yearly rate given in percent: 11.75%.</summary>
    public static string Rate(decimal? percent) => percent is { } rate ? (rate / 100m).ToString("P2", CultureInfo.CurrentCulture) : None;

    /// <summary>Part of a whole; a dash where there is no whole.</summary>
    public static string Share(decimal part, decimal whole) => whole == 0m ? None : Percent(part / whole);

    /// <summary>Feb 28, 1997, or a dash.</summary>
    public static string Date(DateOnly? value) => value is { } day ? day.ToString(DatePattern, CultureInfo.CurrentCulture) : None;

    /// <summary>Feb 28, 1997, 2:05 PM UTC; a script turns it into the reader's own time.</summary>
    public static string Time(DateTimeOffset value) => value.UtcDateTime.ToString(DatePattern + " H:mm", CultureInfo.CurrentCulture) + " UTC";

    /// <summary>What machines read in a time element.</summary>
    public static string Iso(DateTimeOffset value) => value.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>3 min 20 s</summary>
    public static string Duration(TimeSpan value) => value switch
    {
        { TotalSeconds: < 1 } => string.Create(CultureInfo.CurrentCulture, $"{value.TotalMilliseconds:N0} ms"),
        { TotalSeconds: < 10 } => string.Create(CultureInfo.CurrentCulture, $"{value.TotalSeconds:N1} s"),
        { TotalMinutes: < 1 } => string.Create(CultureInfo.CurrentCulture, $"{value.TotalSeconds:N0} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.CurrentCulture, $"{(int)value.TotalMinutes} min {value.Seconds} s"),
        _ => string.Create(CultureInfo.CurrentCulture, $"{(int)value.TotalHours} h {value.Minutes} min"),
    };

    /// <summary>1.6 MB (powers of ten, as file managers and providers count).</summary>
    public static string Bytes(long value) => value switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.CurrentCulture, $"{value / 1e9:N2} GB"),
        >= 1_000_000 => string.Create(CultureInfo.CurrentCulture, $"{value / 1e6:N1} MB"),
        >= 1_000 => string.Create(CultureInfo.CurrentCulture, $"{value / 1e3:N1} KB"),
        _ => string.Create(CultureInfo.CurrentCulture, $"{value:N0} B"),
    };

    /// <summary>A sum for a form field: no grouping, a point, at most two decimals.</summary>
    public static string? Plain(decimal? value) => value?.ToString("0.##", CultureInfo.InvariantCulture);

    private static string DatePattern => Spanish ? "d MMM yyyy" : "MMM d, yyyy";

    private static string Digits(decimal value) => Math.Abs(value) switch
    {
        >= 99.95m => value.ToString("#,0", CultureInfo.CurrentCulture),
        >= 9.995m => value.ToString("0.#", CultureInfo.CurrentCulture),
        _ => value.ToString("0.##", CultureInfo.CurrentCulture),
    };
}
