using Camino.Data;
using Camino.Jobs;
using Camino.Lending;

namespace Camino.Servicing;

/// <summary>Closes the business date when its night has come; the recurring schedule asks for it shortly after midnight, Eastern Standard Time.</summary>
public sealed record CloseDue : IJobArgs
{
    public static string Kind => "servicing.close-due"; // stored in rows: never rename, never reuse

    /// <summary>Name of the recurring entry.</summary>
    public const string Schedule = "servicing.nightly-close";

    /// <summary>Five minutes past midnight, Eastern Standard Time, in UTC.</summary>
    public const string Cron = "5 5 * * *";

    /// <summary>So many days are made up for; books that are further behind are closed by a person, who knows why.</summary>
    public const int MostDays = 7;

    private static readonly TimeSpan BehindUtc = TimeSpan.FromHours(5);

    /// <remarks>
    /// Safe to run twice: a date that is closed already is passed over. Several days are closed one after the other, each when the one before has finished or has no job left that would.
    /// </remarks>
    public sealed class Handler(CaminoDb db, CloseDay close, TimeProvider clock) : IJobHandler<CloseDue>
    {
        public async Task RunAsync(CloseDue args, JobContext job, CancellationToken ct)
        {
            var open = await db.TodayAsync(ct);
            var here = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime - BehindUtc);
            var behind = here.DayNumber - open.DayNumber;
            if (behind <= 0)
                return;
            if (behind > MostDays)
                throw new JobAbandonedException($"The business date {open:yyyy-MM-dd} is {behind} days behind; more than {MostDays} are closed by hand.");
            try
            {
                await close.RunAsync(open, null, ct);
            }
            catch (RefusedException refused) when (refused.Code == "close.running")
            {
                throw new JobSnoozedException(TimeSpan.FromMinutes(1), "The close before is still at work.");
            }

            if (behind > 1)
                throw new JobSnoozedException(TimeSpan.FromMinutes(1), $"{behind - 1} more days are to be closed.");
        }
    }
}
