using Camino.Jobs;

namespace Camino.Operations;

/// <summary>Answers with what it was given: proof that a queue is served from end to end.</summary>
/// <param name="Text">1 to 200 characters.</param>
public sealed record Echo(string Text) : IJobArgs
{
    public static string Kind => "operations.echo"; // stored in rows: never rename, never reuse

    public sealed class Handler : IJobHandler<Echo>
    {
        public Task RunAsync(Echo args, JobContext job, CancellationToken ct)
        {
            job.SetResult(new { text = args.Text });
            return Task.CompletedTask;
        }
    }
}
