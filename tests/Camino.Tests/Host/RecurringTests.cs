using Camino.Jobs;
using Camino.Reference;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Hosting;

/// <summary>The recurring jobs of the release and their calendar.</summary>
public sealed class RecurringTests
{
    // Juneteenth 2026 is a Friday; Independence Day 2026 a Saturday, for which the Federal Reserve keeps no other day; Christmas 2022 a Sunday.
    [TestCase("2026-06-19", false)]
    [TestCase("2026-07-03", true)]
    [TestCase("2022-12-26", false)]
    [TestCase("2026-11-26", false)]
    [TestCase("2026-11-27", true)]
    [TestCase("2026-11-28", false)]
    public void The_banks_calendar_knows_the_days_on_which_the_Federal_Reserve_is_closed(string day, bool open) =>
        Assert.That(BankHolidays.UnitedStates.IsBusinessDay(DateOnly.ParseExact(day, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture)), Is.EqualTo(open));

    [Test]
    public void The_releases_entries_fire_at_their_time_in_New_York()
    {
        var entries = new JobSchedules().AddCaminoSchedules().Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        var after = new DateTimeOffset(2026, 3, 7, 12, 0, 0, TimeSpan.Zero);

        // 2026-03-08 is the day on which clocks jump from 02:00 to 03:00: what stands at 02:15 comes at 03:00.
        Assert.That(entries["portfolio.nightly"].Next(after, isOpen: null), Is.EqualTo(new DateTimeOffset(2026, 3, 8, 3, 0, 0, TimeSpan.FromHours(-4))));
        Assert.That(entries["imports.weekly-clean-up"].Next(after, isOpen: null), Is.EqualTo(new DateTimeOffset(2026, 3, 8, 3, 30, 0, TimeSpan.FromHours(-4))));
    }

    [Test]
    public async Task The_clean_up_removes_what_no_import_names_and_nothing_else()
    {
        await using var camino = await RunningCamino.StartAsync();
        await camino.ReceiveAsync("number,amount\n1,2\n"u8.ToArray());
        var named = Directory.GetFiles(Path.Combine(camino.FilesFolder, "imports")).Single();
        string[] leftovers = [Path.Combine(camino.FilesFolder, "incoming", "broken.part"), Path.Combine(camino.FilesFolder, "imports", Guid.NewGuid().ToString("N"))];
        var fresh = Path.Combine(camino.FilesFolder, "incoming", "under-way.part");
        foreach (var file in leftovers.Append(fresh))
            await File.WriteAllTextAsync(file, "x");
        foreach (var file in leftovers.Append(named))
            File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(fresh).AddDays(-2));

        var store = camino.Office.Services.GetRequiredService<JobStore>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        Guid? asked = null;
        // The Async Server lists its entries when it leads.
        while ((asked ??= await store.RunRecurringAsync("imports.weekly-clean-up", "user-1", ct: limit.Token)) is null)
            await timer.WaitForNextTickAsync(limit.Token);
        var id = asked ?? Guid.Empty;
        while ((await store.GetAsync(id, limit.Token))?.State != JobState.Done)
            await timer.WaitForNextTickAsync(limit.Token);

        Assert.That(leftovers.Where(File.Exists), Is.Empty);
        Assert.That(new[] { named, fresh }.All(File.Exists), Is.True);
        Assert.That((await store.GetAsync(id, limit.Token))?.Result, Is.EqualTo("""{"files": 1, "parts": 1}"""));
    }
}
