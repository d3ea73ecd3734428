using Camino.Imports;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>An import steps back while the database serves others, and goes on all the same.</summary>
internal sealed class StepBackTests
{
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(0.3);
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(9);

    [Test]
    public async Task While_answers_are_quick_it_never_waits_and_takes_whole_pieces()
    {
        var asked = 0;
        var pace = new StepBack(5, 10_000, _ => Answer(Quick, () => asked++));
        for (var i = 0; i < 10; i++)
            await pace.AfterAsync(TimeSpan.FromHours(1), CancellationToken.None);

        Assert.That((pace.Rows, asked), Is.EqualTo((10_000, 30)));
    }

    [Test]
    public async Task While_they_are_late_pieces_become_smaller_and_it_waits_for_so_many_times_the_piece_and_no_longer()
    {
        var asked = 0;
        var pace = new StepBack(5, 10_000, _ => Answer(asked < 3 ? Quick : Late, () => asked++));
        await pace.AfterAsync(TimeSpan.Zero, CancellationToken.None);
        var rows = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            await pace.AfterAsync(TimeSpan.FromMilliseconds(1), CancellationToken.None);
            rows.Add(pace.Rows);
        }

        Assert.That(rows, Is.EqualTo((int[])[5_000, 2_500, 1_250, 625, 500, 500]));
        Assert.That(asked, Is.InRange(3 + (6 * 3), 3 + (6 * 2 * 3)), "each time a look, and at most one pause with a look behind it");
    }

    [Test]
    public async Task It_goes_on_as_soon_as_answers_are_quick_again_and_grows_back()
    {
        var asked = 0;
        var pace = new StepBack(100, 4_000, _ => Answer(asked is >= 3 and < 9 ? Late : Quick, () => asked++));
        await pace.AfterAsync(TimeSpan.Zero, CancellationToken.None);
        await pace.AfterAsync(TimeSpan.FromHours(1), CancellationToken.None);
        Assert.That((pace.Rows, asked), Is.EqualTo((2_000, 12)));

        await pace.AfterAsync(TimeSpan.FromHours(1), CancellationToken.None);
        Assert.That(pace.Rows, Is.EqualTo(4_000));
    }

    [Test]
    public async Task One_late_answer_of_three_is_chance_and_a_slow_network_is_no_load()
    {
        var asked = 0;
        var far = TimeSpan.FromMilliseconds(20);
        var pace = new StepBack(5, 1_000, _ => Answer(asked % 3 == 1 ? far * 10 : far + TimeSpan.FromMilliseconds(asked % 2), () => asked++));
        for (var i = 0; i < 5; i++)
            await pace.AfterAsync(TimeSpan.FromHours(1), CancellationToken.None);

        Assert.That((pace.Rows, asked), Is.EqualTo((1_000, 15)));
    }

    [Test]
    public async Task Switched_off_it_asks_nothing()
    {
        var pace = new StepBack(0, 1_000, _ => throw new InvalidOperationException("It asked."));
        await pace.AfterAsync(TimeSpan.FromHours(1), CancellationToken.None);

        Assert.That(pace.Rows, Is.EqualTo(1_000));
    }

    [Test]
    public void A_cancelled_import_does_not_wait_to_the_end()
    {
        var asked = 0;
        using var end = new CancellationTokenSource();
        var pace = new StepBack(100, 1_000, _ => Answer(asked < 3 ? Quick : Late, () =>
        {
            if (++asked == 9)
                end.Cancel();
        }));

        Assert.That(async () =>
        {
            await pace.AfterAsync(TimeSpan.Zero, CancellationToken.None);
            await pace.AfterAsync(TimeSpan.FromHours(1), end.Token);
        }, Throws.InstanceOf<OperationCanceledException>());
    }

    private static Task<TimeSpan> Answer(TimeSpan took, Action asked)
    {
        asked();
        return Task.FromResult(took);
    }
}
