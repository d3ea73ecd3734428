using System.CommandLine;
using System.Runtime.InteropServices;
using Camino.Host.Local;
using Npgsql;

namespace Camino.Benchmarks;

/// <summary>A verb that measures: its two options, its way out on Ctrl-C, its exit code.</summary>
internal static class BenchVerb
{
    /// <param name="run">Fills the report. What it makes it removes, also when it is cancelled.</param>
    public static Command Create(string name, string description, Func<Report, CancellationToken, Task> run) =>
        Create(name, description, (report, _, ct) => run(report, ct));

    /// <summary>The same with options of its own.</summary>
    public static Command Create(string name, string description, Func<Report, ParseResult, CancellationToken, Task> run, params Option[] more)
    {
        var quick = new Option<bool>("--quick") { Description = "A smaller run, under a minute on an unloaded machine." };
        var json = new Option<bool>("--json") { Description = "One JSON object on standard output; progress goes to standard error in any case." };
        var command = new Command(name, description) { quick, json };
        foreach (var option in more)
            command.Add(option);
        // Not an asynchronous action: for those the command-line library has its own idea of Ctrl-C, and we have servers to stop first.
        command.SetAction(parsed =>
            MeasureAsync(new Report(name, parsed.GetValue(quick)), parsed.GetValue(json), (report, ct) => run(report, parsed, ct)).GetAwaiter().GetResult());
        return command;
    }

    private static async Task<int> MeasureAsync(Report report, bool json, Func<Report, CancellationToken, Task> run)
    {
        if (OperatingSystem.IsWindows())
        {
            await Console.Error.WriteLineAsync("The benchmarks need Linux; on Windows, use the Linux subsystem (WSL).");
            return 1;
        }

        using var stop = new CancellationTokenSource();
        Signal.HearInterrupt();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, StopInOrder);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, StopInOrder);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, StopInOrder);
        void StopInOrder(PosixSignalContext signal)
        {
            signal.Cancel = true; // we end ourselves, when what we started has ended
            stop.Cancel();
        }

        try
        {
            await run(report, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 130;
        }
        catch (Exception broken) when (broken is LocalStartException or BenchFailedException or NpgsqlException or HttpRequestException or IOException)
        {
            await Console.Error.WriteLineAsync($"Not measured: {broken.Message}");
            return 1;
        }

        Console.WriteLine(json ? report.ToJson() : report.ToText());
        return report.IsRight ? 0 : 1;
    }
}

/// <summary>Something that is measured did not work at all.</summary>
internal sealed class BenchFailedException(string message) : Exception(message);
