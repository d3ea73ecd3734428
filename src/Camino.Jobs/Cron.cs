using System.Globalization;
using System.Numerics;

namespace Camino.Jobs;

/// <summary>
/// A cron expression of five fields (minute, hour, day of month, month, day of week) or six (seconds first). Lists, ranges (also around the end, 22-2), steps,
/// names (JAN, MON), <c>?</c> for <c>*</c>; in the day of month <c>L</c>, <c>L-3</c>, <c>LW</c> and <c>15W</c>; in the day of week <c>5L</c> and <c>MON#2</c>;
/// 0 and 7 are Sunday. When both days are restricted either will do, as POSIX has it. Also @hourly, @daily, @weekly, @monthly, @yearly.
/// </summary>
/// <remarks>
/// Daylight saving: a time that a clock skips is made up for at the moment it jumps to, once; a time that comes twice counts the first time. Expressions that
/// repeat within the day (a star, range or step in seconds, minutes or hours) go on in real time instead: nothing is made up for, and the hour that comes
/// twice is worked twice.
/// </remarks>
public sealed class Cron
{
    /// <summary>What never comes within so many years never comes.</summary>
    private const int Horizon = 100;

    private static readonly string[] Months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] Days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    private readonly string _text;
    private readonly ulong _seconds;
    private readonly ulong _minutes;
    private readonly ulong _hours;
    private readonly ulong _months;
    private readonly DayRule _days = new();

    private Cron(string text, string[] fields)
    {
        _text = text;
        var withSeconds = fields.Length == 6;
        var at = withSeconds ? 1 : 0;
        _seconds = withSeconds ? Plain(fields[0], "second", 0, 59, []) : 1;
        _minutes = Plain(fields[at], "minute", 0, 59, []);
        _hours = Plain(fields[at + 1], "hour", 0, 23, []);
        DaysOfMonth(fields[at + 2]);
        _months = Plain(fields[at + 3], "month", 1, 12, Months);
        DaysOfWeek(fields[at + 4]);
        Repeats = fields.Take(at + 2).Any(field => field.AsSpan().IndexOfAny("*?-/") >= 0);
    }

    /// <summary>It repeats within a day, and so goes on in real time when clocks are changed.</summary>
    public bool Repeats { get; }

    /// <summary>Reads an expression.</summary>
    /// <exception cref="ArgumentException">names the field, its value and what is allowed.</exception>
    public static Cron Parse(string text)
    {
        var known = text.Trim().ToLowerInvariant() switch
        {
            "@hourly" => "0 * * * *",
            "@daily" or "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" or "@annually" => "0 0 1 1 *",
            _ => text.ToUpperInvariant(),
        };
        var fields = known.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length is not (5 or 6))
            throw new ArgumentException($"'{text}' has {fields.Length} fields; a cron expression has 5 (minute hour day month weekday) or 6 (seconds first).", nameof(text));
        try
        {
            return new Cron(text.Trim(), fields);
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"'{text}': {e.Message}", nameof(text), e);
        }
    }

    /// <summary>The first moment after <paramref name="after"/> that it names in that zone; null when there is none within 100 years.</summary>
    public DateTimeOffset? Next(DateTimeOffset after, TimeZoneInfo zone)
    {
        var local = Local(after, zone);
        // Where clocks are changed nearby, the same local times may lie before us once more.
        var from = zone.GetUtcOffset(after.AddHours(-4)) == zone.GetUtcOffset(after.AddHours(4)) ? local : local.AddHours(-4);
        DateTimeOffset? best = null;
        var last = local.AddYears(Horizon);
        while (NextLocal(from, last) is { } match)
        {
            foreach (var moment in Moments(match, zone))
            {
                if (moment > after && (best is null || moment < best))
                    best = moment;
            }
            // Two moments of one local time lie a few hours apart at most.
            if (best is { } found && match > Local(found, zone).AddHours(4))
                return best;
            if (best is not null && !zone.IsAmbiguousTime(match) && !zone.IsAmbiguousTime(from))
                return best;
            from = match;
        }
        return best;
    }

    /// <inheritdoc/>
    public override string ToString() => _text;

    private static DateTime Local(DateTimeOffset moment, TimeZoneInfo zone) =>
        DateTime.SpecifyKind(TimeZoneInfo.ConvertTime(moment, zone).DateTime, DateTimeKind.Unspecified);

    private IEnumerable<DateTimeOffset> Moments(DateTime local, TimeZoneInfo zone)
    {
        if (zone.IsInvalidTime(local))
        {
            if (!Repeats)
                yield return Jump(local, zone);
            yield break;
        }
        if (!zone.IsAmbiguousTime(local))
        {
            yield return new DateTimeOffset(local, zone.GetUtcOffset(local));
            yield break;
        }
        foreach (var offset in zone.GetAmbiguousTimeOffsets(local).OrderDescending().Take(Repeats ? 2 : 1))
            yield return new DateTimeOffset(local, offset);
    }

    /// <summary>The moment at which the clocks jump over this local time.</summary>
    private static DateTimeOffset Jump(DateTime local, TimeZoneInfo zone)
    {
        var late = local.AddHours(4);
        var offset = zone.GetUtcOffset(late);
        var low = new DateTimeOffset(local.AddHours(-4), zone.GetUtcOffset(local.AddHours(-4))).ToUnixTimeSeconds();
        var high = new DateTimeOffset(late, offset).ToUnixTimeSeconds();
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            if (zone.GetUtcOffset(DateTimeOffset.FromUnixTimeSeconds(middle)) == offset)
                high = middle;
            else
                low = middle;
        }
        return DateTimeOffset.FromUnixTimeSeconds(high).ToOffset(offset);
    }

    /// <summary>The first local time after <paramref name="from"/> (whole seconds) that the fields name.</summary>
    private DateTime? NextLocal(DateTime from, DateTime last)
    {
        var start = from.AddTicks(-(from.Ticks % TimeSpan.TicksPerSecond)).AddSeconds(1);
        var day = start.Date;
        var time = start.TimeOfDay;
        while (day <= last)
        {
            if (!Has(_months, day.Month))
            {
                day = new DateTime(day.Year, day.Month, 1, 0, 0, 0, DateTimeKind.Unspecified).AddMonths(1);
                time = TimeSpan.Zero;
                continue;
            }
            if (_days.Holds(day) && TimeFrom(time) is { } found)
                return day + found;
            day = day.AddDays(1);
            time = TimeSpan.Zero;
        }
        return null;
    }

    private TimeSpan? TimeFrom(TimeSpan time)
    {
        for (var hour = From(_hours, time.Hours); hour >= 0; hour = From(_hours, hour + 1))
        {
            var minuteFrom = hour == time.Hours ? time.Minutes : 0;
            for (var minute = From(_minutes, minuteFrom); minute >= 0; minute = From(_minutes, minute + 1))
            {
                var second = From(_seconds, hour == time.Hours && minute == time.Minutes ? time.Seconds : 0);
                if (second >= 0)
                    return new TimeSpan(hour, minute, second);
            }
        }
        return null;
    }

    /// <summary>The lowest bit at or above a place, or -1.</summary>
    private static int From(ulong bits, int place) =>
        place > 63 || bits >> place == 0 ? -1 : place + BitOperations.TrailingZeroCount(bits >> place);

    private static bool Has(ulong bits, int place) => (bits >> place & 1) == 1;

    private static ulong Plain(string field, string name, int least, int most, string[] names)
    {
        ulong bits = 0;
        foreach (var part in field.Split(','))
            bits |= Part(part, name, least, most, names);
        return bits;
    }

    private static ulong Part(string part, string name, int least, int most, string[] names)
    {
        var step = 1;
        var slash = part.IndexOf('/', StringComparison.Ordinal);
        var range = slash < 0 ? part : part[..slash];
        if (slash >= 0 && (!int.TryParse(part[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out step) || step < 1 || step > most))
            throw new FormatException($"the step of the {name} is '{part[(slash + 1)..]}'; it must be 1 to {most}.");
        int first, last;
        var dash = range.IndexOf('-', StringComparison.Ordinal);
        if (range is "*" or "?")
            (first, last) = (least, most);
        else if (dash > 0)
            (first, last) = (Value(range[..dash], name, least, most, names), Value(range[(dash + 1)..], name, least, most, names));
        else
            (first, last) = (Value(range, name, least, most, names), slash < 0 ? Value(range, name, least, most, names) : most);

        ulong bits = 0;
        var span = most - least + 1;
        var length = last >= first ? last - first : last + span - first;
        for (var at = 0; at <= length; at += step)
            bits |= 1UL << (least + (first - least + at) % span);
        return bits;
    }

    private static int Value(string text, string name, int least, int most, string[] names)
    {
        var named = Array.IndexOf(names, text);
        if (named >= 0)
            return least + named;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new FormatException($"the {name} is '{text}'; it must be {least} to {most}{(names.Length == 0 ? "" : $" or {names[0]} to {names[^1]}")}.");
    }

    private void DaysOfMonth(string field)
    {
        if (field is "*" or "?")
            return;
        _days.OfMonthSet = true;
        foreach (var part in field.Split(','))
        {
            if (part == "L")
                _days.FromLast.Add(0);
            else if (part == "LW")
                _days.LastWeekday = true;
            else if (part.StartsWith("L-", StringComparison.Ordinal))
                _days.FromLast.Add(Value(part[2..], "day before the last", 1, 30, []));
            else if (part.EndsWith('W'))
                _days.Nearest.Add(Value(part[..^1], "day of month", 1, 31, []));
            else
                _days.OfMonth |= Part(part, "day of month", 1, 31, []);
        }
    }

    private void DaysOfWeek(string field)
    {
        if (field is "*" or "?")
            return;
        _days.OfWeekSet = true;
        foreach (var part in field.Split(','))
        {
            var hash = part.IndexOf('#', StringComparison.Ordinal);
            if (hash > 0)
                _days.Nth.Add((Weekday(part[..hash]), Value(part[(hash + 1)..], "number of the weekday", 1, 5, [])));
            else if (part.Length > 1 && part.EndsWith('L'))
                _days.Last.Add(Weekday(part[..^1]));
            else
                _days.OfWeek |= WeekdayBits(part);
        }
    }

    /// <summary>7 is Sunday like 0; a range may end there.</summary>
    private static ulong WeekdayBits(string part)
    {
        var bits = part.Contains('7', StringComparison.Ordinal) && !part.Contains('/', StringComparison.Ordinal)
            ? Part(part, "day of week", 0, 7, [.. Days, "7"])
            : Part(part, "day of week", 0, 6, Days);
        return Has(bits, 7) ? (bits & 0x7F) | 1 : bits;
    }

    private static int Weekday(string text) => Value(text, "day of week", 0, 7, [.. Days, "7"]) % 7;

    /// <summary>Which days of a month are meant.</summary>
    private sealed class DayRule
    {
        public bool OfMonthSet { get; set; }

        public bool OfWeekSet { get; set; }

        public ulong OfMonth { get; set; }

        public ulong OfWeek { get; set; }

        public bool LastWeekday { get; set; }

        public HashSet<int> FromLast { get; } = [];

        public HashSet<int> Nearest { get; } = [];

        public HashSet<(int Day, int Number)> Nth { get; } = [];

        public HashSet<int> Last { get; } = [];

        public bool Holds(DateTime day) => (OfMonthSet, OfWeekSet) switch
        {
            (false, false) => true,
            (true, false) => ByMonth(day),
            (false, true) => ByWeek(day),
            _ => ByMonth(day) || ByWeek(day),
        };

        private bool ByMonth(DateTime day)
        {
            var length = DateTime.DaysInMonth(day.Year, day.Month);
            return Has(OfMonth, day.Day) || FromLast.Contains(length - day.Day) || (LastWeekday && day.Day == NearestTo(day, length))
                || Nearest.Any(wanted => wanted <= length && day.Day == NearestTo(day, wanted));
        }

        private bool ByWeek(DateTime day)
        {
            var weekday = (int)day.DayOfWeek;
            return Has(OfWeek, weekday) || Nth.Contains((weekday, (day.Day - 1) / 7 + 1))
                || (Last.Contains(weekday) && day.Day > DateTime.DaysInMonth(day.Year, day.Month) - 7);
        }

        /// <summary>The weekday of the same month that lies nearest to a day of it.</summary>
        private static int NearestTo(DateTime month, int day)
        {
            var length = DateTime.DaysInMonth(month.Year, month.Month);
            return new DateTime(month.Year, month.Month, day, 0, 0, 0, DateTimeKind.Unspecified).DayOfWeek switch
            {
                DayOfWeek.Saturday => day > 1 ? day - 1 : day + 2,
                DayOfWeek.Sunday => day < length ? day + 1 : day - 2,
                _ => day,
            };
        }
    }
}
