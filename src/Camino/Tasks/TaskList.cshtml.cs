using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Tasks;

/// <summary>What is to be done, by whom and until when.</summary>
[Authorize(Permissions.TasksRead)]
[Filters.KeepsFilters("tasks")]
public sealed class TaskListPage(ListTasks list) : PageModel
{
    public TaskFilter Filter { get; private set; } = new();

    public ListPage<TaskLine> Tasks { get; private set; } = ListPage.Empty<TaskLine>();

    public async Task OnGetAsync(string? after, string? before, CancellationToken ct)
    {
        Filter = TaskFilter.FromQuery(Request.Query);
        Tasks = await list.RunAsync(Filter, User.Id(), ListCursor.Of(after, before), ct);
    }
}
