namespace Camino.Host.Limits;

/// <summary>How long a request may take and whether it counts as work in hand.</summary>
internal enum RouteClass
{
    /// <summary>Pages and the API: short, or cancelled.</summary>
    Ordinary,

    /// <summary>Files that arrive and lists that are written out: as long as the line takes.</summary>
    Transfer,

    /// <summary>An open line on which a page or a program hears of progress: no work while it waits; so many at once and no more.</summary>
    Listening,

    /// <summary>Health, metrics, style sheets: always answered, never shed.</summary>
    Always,
}

/// <summary>Which class a request is of; by method and path, because it is asked before routing.</summary>
internal static class RouteClasses
{
    public static RouteClass Of(HttpRequest request)
    {
        var path = request.Path.Value ?? "";
        if (Begins(path, "/health") || Begins(path, "/error") || path == "/metrics" || IsAsset(path))
            return RouteClass.Always;
        if (HttpMethods.IsGet(request.Method) && path.StartsWith("/api/v1/applications/", StringComparison.Ordinal) && request.Headers["Prefer"].Any(value => value?.Contains("wait=", StringComparison.OrdinalIgnoreCase) == true))
            return RouteClass.Listening;
        if (HttpMethods.IsGet(request.Method) && path.EndsWith("/events", StringComparison.Ordinal) && !path.StartsWith("/api/v1/loans/", StringComparison.Ordinal))
            return RouteClass.Listening;
        if (HttpMethods.IsPost(request.Method) && (path is "/api/v1/imports" or "/api/v1/applications/bulk" || Begins(path, "/imports/upload") || Begins(path, "/documents") || path == "/upload" || path.StartsWith("/api/v1/", StringComparison.Ordinal) && (path.EndsWith("/documents", StringComparison.Ordinal) || path.EndsWith("/versions", StringComparison.Ordinal))))
            return RouteClass.Transfer;
        if (HttpMethods.IsGet(request.Method) && (path.EndsWith(".csv", StringComparison.Ordinal) || path is "/offer/document" || path.EndsWith("/rejected", StringComparison.Ordinal) || path.Contains("/versions/", StringComparison.Ordinal) || path.EndsWith("/export", StringComparison.Ordinal) || path.EndsWith(".pdf", StringComparison.Ordinal) || path.EndsWith(".xlsx", StringComparison.Ordinal)))
            return RouteClass.Transfer;
        return RouteClass.Ordinary;
    }

    private static bool Begins(string path, string prefix) => path == prefix || path.StartsWith(prefix + "/", StringComparison.Ordinal);

    private static bool IsAsset(string path) => path.EndsWith(".css", StringComparison.Ordinal) || path.EndsWith(".js", StringComparison.Ordinal) || path.EndsWith(".svg", StringComparison.Ordinal) || path.EndsWith(".woff2", StringComparison.Ordinal) || path.EndsWith(".png", StringComparison.Ordinal);
}
