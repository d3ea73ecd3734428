using Camino.Rehearsal;
using NUnit.Framework;

namespace Camino.Tests.Rehearsals;

/// <summary>The rehearsal in its short form: the same scenes, with real processes, under a light load.</summary>
/// <remarks>
/// All twelve proofs of a deploy; 5 also in FirstSplitTests, 6 and 7 in MigrateTests, 10 in PasswordRotationTests, 12 in BackupTests, which everyday tests run.
/// </remarks>
[NonParallelizable]
public sealed class RehearsalTests
{
    [Test]
    [Explicit("It takes minutes and most of a machine; the pipeline's stage Rehearse plays it by deploy/scripts/rehearse.")]
    [CancelAfter(540_000)]
    public async Task A_deploy_there_and_back_a_forgotten_a_frozen_a_killed_and_a_cut_off_worker_a_bad_release_and_a_database_restart_lose_nothing_and_double_nothing(CancellationToken ct)
    {
        var program = Camino.Rehearsal.Program.ProgramBeside();
        IReadOnlyList<Scene> scenes;
        try
        {
            scenes = await Camino.Rehearsal.Program.PlayAllAsync(new Build(program, 101), new Build(program, 102), rate: 6, TimeSpan.FromSeconds(1), TestContext.Out.WriteLine, ct);
        }
        catch (RehearsalException missing) when (missing.Message.Contains("is not on this machine", StringComparison.Ordinal))
        {
            Assert.Ignore(missing.Message);
            return;
        }

        TestContext.Out.WriteLine(Table.Text(scenes));
        Assert.That(scenes.Select(scene => string.Join("; ", scene.Faults)), Is.All.Empty);
        Assert.That(scenes.Sum(scene => scene.FailedRequests), Is.Zero);
        Assert.That(scenes.Sum(scene => scene.Lost), Is.Zero);
        Assert.That(scenes.Sum(scene => scene.Doubled), Is.Zero);
        Assert.That(scenes, Has.Count.EqualTo(13));
        Assert.That(scenes.Take(2).Select(scene => scene.Jobs), Is.All.GreaterThan(0), "a deploy without work shows nothing");
    }

    [Test]
    [Explicit("It takes minutes and most of a machine; deploy/scripts/rehearse origination plays it in full.")]
    [CancelAfter(900_000)]
    public async Task Applications_reach_underwriting_once_and_reports_are_billed_once_while_services_fail_servers_are_killed_and_a_deploy_goes_on(CancellationToken ct)
    {
        var program = Camino.Rehearsal.Program.ProgramBeside();
        try
        {
            await using var stage = await Stage.StartAsync(TestContext.Out.WriteLine, ct);
            var terms = new OriginationTerms(Applications: 120, PerSecond: 20, Kill: TimeSpan.FromSeconds(5), Outage: TimeSpan.FromSeconds(3), Bulk: 50);
            var result = await new OriginationPlay(stage, new Build(program, 101), new Build(program, 102), terms, TestContext.Out.WriteLine, ct).RunAsync();

            TestContext.Out.WriteLine(Table.Text(result));
            Assert.That(result.Faults, Is.Empty);
            Assert.That(result.Kills, Is.GreaterThan(0), "a play in which nobody is killed shows nothing");
            Assert.That(result.Errors, Is.GreaterThan(0));
            Assert.That(result.Billed, Is.EqualTo(4 * terms.Applications));
        }
        catch (RehearsalException missing) when (missing.Message.Contains("is not on this machine", StringComparison.Ordinal))
        {
            Assert.Ignore(missing.Message);
        }
    }
}
