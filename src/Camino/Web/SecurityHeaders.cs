using Microsoft.AspNetCore.Http;

namespace Camino.Web;

/// <summary>Says to the browser what a page may load, who may frame it, that it comes back over TLS alone, and that nothing personal is kept in its cache.</summary>
public sealed class SecurityHeaders(RequestDelegate next)
{
    private const string ContentPolicy =
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>A year, and all hosts below this one.</summary>
    private const string TransportPolicy = "max-age=31536000; includeSubDomains";

    private const string Permissions = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()";

    /// <summary>Adds the headers just before the answer starts, so that error pages carry them too.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        context.Response.OnStarting(static state =>
        {
            var response = ((HttpContext)state).Response;
            response.Headers.ContentSecurityPolicy = ContentPolicy;
            response.Headers.XContentTypeOptions = "nosniff";
            response.Headers["Referrer-Policy"] = "same-origin";
            response.Headers["Permissions-Policy"] = Permissions;
            response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
            response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
            if (response.HttpContext.Request.IsHttps)
                response.Headers.StrictTransportSecurity = TransportPolicy;
            if (response.ContentType is { } type && (type.StartsWith("text/html", StringComparison.Ordinal) || type.StartsWith("text/csv", StringComparison.Ordinal)))
                response.Headers.CacheControl = "no-store";
            else if (response.Headers.CacheControl.Count == 0 && response.HttpContext.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal))
                response.Headers.CacheControl = "no-store";
            return Task.CompletedTask;
        }, context);
        return next(context);
    }
}
