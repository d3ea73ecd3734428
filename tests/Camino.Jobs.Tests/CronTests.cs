using System.Globalization;

namespace Camino.Jobs.Tests;

/// <summary>Cron expressions, written out with the moments that they name.</summary>
internal sealed class CronTests
{
    private static readonly TimeZoneInfo NewYork = TimeZoneInfo.FindSystemTimeZoneById("America/New_York");

    [TestCase("0 9 * * *", "2026-03-02 08:59:59", "2026-03-02 09:00:00")]
    [TestCase("0 9 * * *", "2026-03-02 09:00:00", "2026-03-03 09:00:00")]
    [TestCase("*/15 * * * *", "2026-03-02 09:50:01", "2026-03-02 10:00:00")]
    [TestCase("5/20 * * * *", "2026-03-02 09:26:00", "2026-03-02 09:45:00")]
    [TestCase("0 22-2 * * *", "2026-03-02 23:10:00", "2026-03-03 00:00:00")]
    [TestCase("0 0 * * MON-FRI", "2026-03-06 00:00:00", "2026-03-09 00:00:00")]
    [TestCase("0 0 * * 5-7", "2026-03-08 01:00:00", "2026-03-13 00:00:00")]
    [TestCase("0 0 * * SAT-SUN", "2026-03-02 00:00:00", "2026-03-07 00:00:00")]
    [TestCase("0 0 31 * *", "2026-04-01 00:00:00", "2026-05-31 00:00:00")]
    [TestCase("0 0 L * *", "2028-02-01 00:00:00", "2028-02-29 00:00:00")]
    [TestCase("0 0 L-3 * *", "2026-02-01 00:00:00", "2026-02-25 00:00:00")]
    [TestCase("0 0 LW * ?", "2026-05-01 00:00:00", "2026-05-29 00:00:00")]
    [TestCase("0 0 15W * *", "2026-08-01 00:00:00", "2026-08-14 00:00:00")]
    [TestCase("0 0 1W * *", "2026-08-01 00:00:00", "2026-08-03 00:00:00")]
    [TestCase("0 0 * * MON#2", "2026-03-01 00:00:00", "2026-03-09 00:00:00")]
    [TestCase("0 0 * * FRIL", "2026-03-01 00:00:00", "2026-03-27 00:00:00")]
    [TestCase("0 0 13 * FRI", "2026-03-01 00:00:00", "2026-03-06 00:00:00")]
    [TestCase("0 0 29 FEB *", "2026-01-01 00:00:00", "2028-02-29 00:00:00")]
    [TestCase("30 59 23 31 12 *", "2026-01-01 00:00:00", "2026-12-31 23:59:30")]
    [TestCase("* * * * * *", "2026-01-01 00:00:00", "2026-01-01 00:00:01")]
    [TestCase("@monthly", "2026-01-15 00:00:00", "2026-02-01 00:00:00")]
    public void The_next_moment(string expression, string after, string next) =>
        Assert.That(Cron.Parse(expression).Next(Utc(after), TimeZoneInfo.Utc), Is.EqualTo(Utc(next)));

    [Test]
    public void A_fixed_time_that_clocks_skip_is_made_up_for_at_the_jump_once() =>
        Assert.That(Moments("30 2 * * *", "2026-03-07T00:00:00-05:00", 3), Is.EqualTo(new[] { "2026-03-07 02:30 -05", "2026-03-08 03:00 -04", "2026-03-09 02:30 -04" }));

    [Test]
    public void Two_fixed_times_in_the_skipped_hour_are_made_up_for_together() =>
        Assert.That(Moments("0,30 2 * * *", "2026-03-08T00:00:00-05:00", 2), Is.EqualTo(new[] { "2026-03-08 03:00 -04", "2026-03-09 02:00 -04" }));

    [Test]
    public void A_fixed_time_that_comes_twice_counts_the_first_time() =>
        Assert.That(Moments("30 1 * * *", "2026-10-31T12:00:00-04:00", 2), Is.EqualTo(new[] { "2026-11-01 01:30 -04", "2026-11-02 01:30 -05" }));

    [Test]
    public void What_repeats_goes_on_in_real_time_over_both_changes()
    {
        Assert.That(Moments("*/30 * * * *", "2026-03-08T01:15:00-05:00", 3), Is.EqualTo(new[] { "2026-03-08 01:30 -05", "2026-03-08 03:00 -04", "2026-03-08 03:30 -04" }));
        Assert.That(
            Moments("*/30 * * * *", "2026-11-01T00:45:00-04:00", 6),
            Is.EqualTo(new[] { "2026-11-01 01:00 -04", "2026-11-01 01:30 -04", "2026-11-01 01:00 -05", "2026-11-01 01:30 -05", "2026-11-01 02:00 -05", "2026-11-01 02:30 -05" }));
    }

    [Test]
    public void Every_minute_of_a_year_with_both_changes_comes_once_and_in_order()
    {
        var cron = Cron.Parse("* * * * *");
        var moment = new DateTimeOffset(2026, 10, 31, 23, 0, 0, TimeSpan.FromHours(-4));
        for (var minute = 0; minute < 600; minute++)
        {
            var next = cron.Next(moment, NewYork) ?? throw new AssertionException("There is none.");
            Assert.That(next - moment, Is.EqualTo(TimeSpan.FromMinutes(1)));
            moment = next;
        }
    }

    [TestCase("0 0 30 FEB *")]
    [TestCase("0 0 31 4,6,9,11 *")]
    public void What_never_comes_has_no_next_moment(string expression) =>
        Assert.That(Cron.Parse(expression).Next(Utc("2026-01-01 00:00:00"), TimeZoneInfo.Utc), Is.Null);

    [TestCase("* * * *", "has 4 fields")]
    [TestCase("60 * * * *", "the minute is '60'; it must be 0 to 59")]
    [TestCase("* 24 * * *", "the hour is '24'; it must be 0 to 23")]
    [TestCase("* * 0 * *", "the day of month is '0'; it must be 1 to 31")]
    [TestCase("* * * FOO *", "the month is 'FOO'; it must be 1 to 12 or JAN to DEC")]
    [TestCase("* * * * 8", "the day of week is '8'; it must be 0 to 6 or SUN to SAT")]
    [TestCase("*/0 * * * *", "the step of the minute is '0'")]
    [TestCase("1-x * * * *", "the minute is 'X'")]
    [TestCase("* * 40W * *", "the day of month is '40'")]
    [TestCase("* * * * MON#6", "the number of the weekday is '6'; it must be 1 to 5")]
    [TestCase(",", "has 1 fields")]
    [TestCase("0 ,1 * * *", "the hour is ''")]
    public void What_is_wrong_is_named(string expression, string words) =>
        Assert.That(() => Cron.Parse(expression), Throws.ArgumentException.With.Message.Contains(words));

    private static string[] Moments(string expression, string after, int count)
    {
        var cron = Cron.Parse(expression);
        var moment = DateTimeOffset.Parse(after, CultureInfo.InvariantCulture);
        var moments = new List<string>();
        while (moments.Count < count)
        {
            moment = cron.Next(moment, NewYork) ?? throw new AssertionException("There is none.");
            moments.Add(moment.ToString("yyyy-MM-dd HH:mm zz", CultureInfo.InvariantCulture));
        }
        return [.. moments];
    }

    private static DateTimeOffset Utc(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
