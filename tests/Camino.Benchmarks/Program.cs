using System.CommandLine;
using System.Runtime.Versioning;

[assembly: UnsupportedOSPlatform("windows")]

namespace Camino.Benchmarks;

/// <summary>The figures of docs/figures.md, each with one command: <c>./camino bench NAME [--quick] [--json]</c>.</summary>
internal static class Program
{
    /// <summary>0 measured, 1 not measured or a measured result was wrong, 130 stopped by Ctrl-C. A missed limit is a figure, not a failure.</summary>
    public static int Main(string[] args) =>
        new RootCommand("Camino's figures. Each benchmark sets up what it needs, measures, and cleans up.")
        {
            BenchVerb.Create("import", "A portfolio of 1,000,000 rows beside PostgreSQL's own COPY of the same rows.", ImportBench.RunAsync),
            PagesBench.Verb(),
            QueueBench.Verb(),
            SoakBench.Verb(),
            BoardBench.Verb(),
            QueueWorker.Verb(),
            BenchVerb.Create("lending", "The loan engine: a schedule, a rate, a replay, the calculator's process.", LendingBench.RunAsync),
            BenchVerb.Create("close", "The nightly close of 20,000 loans beside bare updates of as many rows.", CloseBench.RunAsync),
            BenchVerb.Create("split", "Page times while a backlog drains: both roles in one process, in two, weighted, on cores of their own.", SplitBench.RunAsync),
            BothInOne.Verb(),
            BenchVerb.Create("scale", "The engine with 1, 2 and 4 servers and with up to 200 simulated ones: work, pick-up, connections, statements.", ScaleBench.RunAsync),
            BenchVerb.Create("intake", "Applications from programs: how soon they are taken in, alone, beside a flood of another program and beside a bulk request; lines of a bulk request a second.", IntakeBench.RunAsync),
            ScreeningBench.Verb(),
            SearchBench.Verb(),
            BenchVerb.Create("startup", "Start of each role from exec to ready, beside the start of the runtime.", StartupBench.RunAsync),
        }.Parse(args).Invoke(new InvocationConfiguration { ProcessTerminationTimeout = null });
}
