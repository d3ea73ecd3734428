using System.Collections.Concurrent;
using System.Reflection;
using Camino.Applications;
using Camino.Borrowers;
using Camino.Loans;
using Camino.Servicing;
using Camino.Tasks;
using Camino.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Filters;

/// <summary>A list whose filters can be kept.</summary>
/// <param name="Name">Stored with the filter: never rename.</param>
/// <param name="Address">Where the list is.</param>
/// <param name="Permission">What the list asks for.</param>
/// <param name="Text">What it is called.</param>
/// <param name="Read">What an address means, written again: what the list does not know is left out.</param>
public sealed record FilterList(string Name, string Address, string Permission, string Text, Func<IQueryCollection, string> Read)
{
    /// <summary>Everything, whatever filter opens first.</summary>
    public string Everything => Address + "?filter=none";

    /// <summary>A query as the list understands it; empty where it says nothing.</summary>
    /// <param name="query">With or without its question mark.</param>
    public string Canonical(string? query) => Read(new QueryCollection(QueryHelpers.ParseQuery(query)));
}

/// <summary>The table of lists whose filters can be kept.</summary>
public static class FilterLists
{
    /// <summary>All, in the order of the navigation.</summary>
    public static IReadOnlyList<FilterList> All { get; } =
    [
        new("loans", "/loans", Permissions.LoansRead, "Loans.Title", query => LoanFilter.FromQuery(query).ToQuery()),
        new("servicing", "/servicing", Permissions.BookRead, "Serviced.Title", query => ServicedFilter.FromQuery(query).ToQuery()),
        new("borrowers", "/borrowers", Permissions.BorrowersRead, "Borrowers.Title", query => BorrowerFilter.FromQuery(query).ToQuery()),
        new("applications", "/applications", Permissions.ApplicationsRead, "Applications.Title", query => ApplicationFilter.FromQuery(query).ToQuery()),
        new("tasks", "/tasks", Permissions.TasksRead, "Tasks.Title", query => TaskFilter.FromQuery(query).ToQuery()),
    ];

    /// <summary>The list of this name, or null.</summary>
    public static FilterList? Find(string? name) => All.FirstOrDefault(list => list.Name == name);
}

/// <summary>Filters of this list can be kept on the page.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class KeepsFiltersAttribute(string list) : Attribute
{
    /// <summary>Its name in <see cref="FilterLists"/>.</summary>
    public string List { get; } = list;
}

/// <summary>Reads the reader's filters once for a page that keeps them, and opens the one that opens first where the address says nothing.</summary>
public sealed class OpenFilter : IAsyncPageFilter
{
    private readonly ConcurrentDictionary<Type, KeepsFiltersAttribute?> _keeps = new();

    /// <inheritdoc/>
    public Task OnPageHandlerSelectionAsync(PageHandlerSelectedContext context) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        var http = context.HttpContext;
        if (_keeps.GetOrAdd(context.HandlerInstance.GetType(), static page => page.GetCustomAttribute<KeepsFiltersAttribute>()) is { } keeps && FilterLists.Find(keeps.List) is { } list)
        {
            var filters = await http.RequestServices.GetRequiredService<ListFilters>().RunAsync(list, http.User.Id(), http.RequestAborted);
            if (HttpMethods.IsGet(http.Request.Method) && http.Request.Query.Count == 0 && filters.FirstOrDefault(one => one.IsDefault) is { } first)
            {
                context.Result = new LocalRedirectResult(list.Address + first.Query);
                return;
            }

            http.Items[typeof(OpenFilter)] = filters;
        }

        await next();
    }

    /// <summary>The filters that were read for this request.</summary>
    public static IReadOnlyList<FilterLine> Of(HttpContext context) => context?.Items[typeof(OpenFilter)] as IReadOnlyList<FilterLine> ?? [];
}
