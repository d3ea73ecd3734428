using Camino.Branches;
using Camino.Imports;
using Camino.Jobs;
using Camino.Portfolio;
using Camino.Tasks;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Web;

/// <summary>What waits today for somebody of this role, what this person asked for and runs, what came in last, and how large the book is.</summary>
[Authorize(Permissions.Own)]
public sealed class HomePage(ListImports imports, ReadPortfolio portfolio, ReadDay day, ListTasks tasks, JobStore jobs, BranchScope scope) : PageModel
{
    private const int NewestShown = 5;
    private const int JobsShown = 5;
    private const int TasksShown = 7;

    /// <summary>Kinds of work that wait, with how much of each.</summary>
    public IReadOnlyList<DayLine> Day { get; private set; } = [];

    /// <summary>Open tasks of this person, the first due first.</summary>
    public IReadOnlyList<TaskLine> Tasks { get; private set; } = [];

    /// <summary>Jobs that this person asked for and that run now, the newest first.</summary>
    public IReadOnlyList<JobLine> Running { get; private set; } = [];

    public IReadOnlyList<ImportLine> Waiting { get; private set; } = [];

    public IReadOnlyList<ImportLine> Newest { get; private set; } = [];

    /// <summary>Whether the first portfolio is asked for, where none came in yet: not of those who do not hand any in, being bound to branches.</summary>
    public bool InvitesImport => !scope.IsBound;

    public (Figure Total, DateTimeOffset AsOf)? Book { get; private set; }

    public async Task OnGetAsync(CancellationToken ct)
    {
        // what came in and how large the book is, is about the whole house
        var lines = scope.IsBound ? [] : await imports.ForHomeAsync(ct);
        Waiting = [.. lines.Where(line => line.WaitsForPerson)];
        Newest = [.. lines.Take(NewestShown)];
        Book = scope.IsBound ? null : await portfolio.TotalAsync(ct);
        Day = await day.RunAsync(User, ct);
        if (User.May(Permissions.TasksWork))
            Tasks = await tasks.OfReaderAsync(User.Id(), TasksShown, ct);
        if (User.May(Permissions.JobsRead))
            Running = (await jobs.ListAsync(new JobFilter { State = JobState.Running, RequestedBy = User.Id().ToString() }, take: JobsShown, ct: ct)).Jobs;
    }
}
