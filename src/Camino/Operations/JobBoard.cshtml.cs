using Camino.Jobs;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Operations;

/// <summary>One queue on the board: how it stands, and the last hour minute by minute.</summary>
public sealed record BoardQueue(QueueFigures Now, IReadOnlyList<QueueMinute> Minutes)
{
    public IReadOnlyList<double?> Ready { get; } = [.. Minutes.Select(minute => (double?)minute.Ready)];

    public IReadOnlyList<double?> Oldest { get; } = [.. Minutes.Select(minute => minute.OldestSeconds)];

    public IReadOnlyList<double?> Done { get; } = [.. Minutes.Select(minute => (double?)minute.Done)];

    public IReadOnlyList<double?> Failed { get; } = [.. Minutes.Select(minute => (double?)minute.Failed)];

    /// <summary>Jobs done a minute, over the last five.</summary>
    public double PerMinute => Minutes.Count == 0 ? 0 : Math.Round(Minutes.TakeLast(5).Average(minute => minute.Done));

    /// <summary>The highest value of an hour.</summary>
    public static double Most(IReadOnlyList<double?> values) => values.Max() ?? 0;
}

/// <summary>How the queues and servers stand now and went over the last hour, and what wants a person's look.</summary>
[Authorize(Permissions.JobsRead)]
public sealed class JobBoardPage(ListJobs list, JobStore jobs) : PageModel
{
    public IReadOnlyList<BoardQueue> Queues { get; private set; } = [];

    /// <summary>Those that live, and those that ended in the last day.</summary>
    public IReadOnlyList<JobServerLine> Servers { get; private set; } = [];

    public IReadOnlyList<JobAlarm> Alarms { get; private set; } = [];

    public IReadOnlyList<UnservedKind> Unserved { get; private set; } = [];

    public IReadOnlyList<JobPause> PausedKinds { get; private set; } = [];

    public IReadOnlyDictionary<string, string> Names { get; private set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The reader may pause and resume.</summary>
    public bool MayAct => User.May(Permissions.JobsAll);

    public async Task<IActionResult> OnGetAsync(string? state, string? queue, CancellationToken ct)
    {
        if (state is not null || queue is not null)
            return LocalRedirect("/jobs/all" + Request.QueryString);

        var figures = await jobs.QueueFiguresAsync(ct);
        var history = (await jobs.HistoryAsync(ct)).ToDictionary(one => one.Queue, one => one.Minutes, StringComparer.Ordinal);
        Queues = [.. figures.Select(one => new BoardQueue(one, history.GetValueOrDefault(one.Queue, [])))];
        Servers = [.. (await jobs.ServersAsync(ct)).Where(server => server.State is not ("stopped" or "lost") || server.SilentFor < TimeSpan.FromDays(1)).Take(50)];
        Alarms = await jobs.AlarmsAsync(ct: ct);
        Unserved = [.. (await jobs.UnservedAsync(ct)).Where(kind => !Alarms.Any(alarm => alarm.Subject == $"{kind.Queue}/{kind.Kind}"))];
        PausedKinds = [.. (await jobs.PausedAsync(ct)).Where(pause => pause.Scope == "kind")];
        Names = await list.NamesAsync(PausedKinds.Select(pause => pause.PausedBy), ct);
        return Page();
    }

    /// <summary>The name behind a user id.</summary>
    public string NameOf(string userId) => Names.GetValueOrDefault(userId, userId);
}
