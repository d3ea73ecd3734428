using Camino.Jobs;
using Camino.Lending;

namespace Camino.Screening;

/// <summary>Fetches the lists from where the configuration says and takes them in when they have changed.</summary>
public sealed record RefreshLists : IJobArgs
{
    public static string Kind => "screening.refresh"; // stored in rows: never rename, never reuse

    /// <remarks>Safe to run twice: files that are in force already change nothing. A file that is not whole ends the job with its line; the version in force stays.</remarks>
    public sealed class Handler(ImportLists import, ScreeningOptions options) : IJobHandler<RefreshLists>
    {
        public async Task RunAsync(RefreshLists args, JobContext job, CancellationToken ct)
        {
            if (options is { Folder: null, Address: null })
            {
                job.SetResult(new { source = "none" });
                return;
            }

            try
            {
                var lists = options.Address is { } address ? await ListFiles.FromAddressAsync(address, ct) : await ListFiles.FromFolderAsync(options.Folder ?? "", ct);
                await job.LogAsync($"{lists.Counts.Entries} entries, {lists.Counts.OtherNames} other names, {lists.Counts.Addresses} addresses were read.", ct);
                var result = await import.RunAsync(lists, Guid.TryParse(job.RequestedBy, out var by) ? by : null, ct);
                job.SetResult(new { list = result.Number, isNew = result.IsNew, added = result.Added, removed = result.Removed, changed = result.Changed });
            }
            catch (RefusedException refused)
            {
                throw new JobAbandonedException(refused.Message);
            }
        }
    }
}
