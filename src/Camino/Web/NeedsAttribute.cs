using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;

namespace Camino.Web;

/// <summary>The permission that a handler of a page asks for, beside the one that its page asks for.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsAttribute(string permission) : Attribute
{
    /// <summary>From <see cref="Permissions"/>.</summary>
    public string Permission { get; } = permission;
}

/// <summary>Refuses a page's handler to those who lack what it <see cref="NeedsAttribute"/> names.</summary>
public sealed class HandlerPermissions : IAsyncPageFilter
{
    private readonly ConcurrentDictionary<MethodInfo, NeedsAttribute?> _needs = new();

    /// <inheritdoc/>
    public Task OnPageHandlerSelectionAsync(PageHandlerSelectedContext context) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        if (context.HandlerMethod?.MethodInfo is not { } handler || _needs.GetOrAdd(handler, static one => one.GetCustomAttribute<NeedsAttribute>()) is not { } needs || context.HttpContext.User.May(needs.Permission))
            return next();
        context.Result = new ForbidResult();
        return Task.CompletedTask;
    }
}
