using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Camino.Web.Reference;

/// <summary>An endpoint of the API that will be taken away.</summary>
/// <param name="Since">The day on which it was said.</param>
/// <param name="Sunset">The day on which it may be gone; at least <see cref="Months"/> months later.</param>
/// <param name="Instead">What programs do instead, for the description of the API.</param>
public sealed record Deprecation(DateOnly Since, DateOnly Sunset, string Instead)
{
    /// <summary>For so many months a deprecated endpoint goes on working as it did.</summary>
    public const int Months = 12;

    /// <summary>Where a person reads more.</summary>
    public const string Page = "/developers";
}

/// <summary>Tells programs with every answer of a deprecated endpoint, refusals among them, that it will be taken away and when.</summary>
/// <remarks>Source: RFC 9745 (Deprecation, a date of RFC 9651), RFC 8594 (Sunset, a date of HTTP).</remarks>
public sealed class DeprecationHeaders(RequestDelegate next)
{
    /// <summary>Adds the headers just before the answer starts: whoever turns an exception into an answer clears them first.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<Deprecation>() is { } deprecation)
        {
            context.Response.OnStarting(() =>
            {
                context.Response.Headers["Deprecation"] = string.Create(CultureInfo.InvariantCulture, $"@{MidnightOf(deprecation.Since).ToUnixTimeSeconds()}");
                context.Response.Headers["Sunset"] = MidnightOf(deprecation.Sunset).ToString("R", CultureInfo.InvariantCulture);
                context.Response.Headers.Append("Link", $"<{Deprecation.Page}>; rel=\"deprecation\"; type=\"text/html\"");
                return Task.CompletedTask;
            });
        }

        return next(context);
    }

    private static DateTimeOffset MidnightOf(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
}

/// <summary>Marks endpoints of the API as deprecated.</summary>
public static class DeprecatedEndpoints
{
    /// <summary>From <paramref name="since"/> on the endpoint tells with every answer that it may be gone on <paramref name="sunset"/>, and the description marks it.</summary>
    /// <exception cref="ArgumentException">The time between them is shorter than the API promises.</exception>
    public static TBuilder Deprecated<TBuilder>(this TBuilder endpoint, DateOnly since, DateOnly sunset, string instead)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(instead);
        if (sunset < since.AddMonths(Deprecation.Months))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The sunset is {sunset:yyyy-MM-dd}; it must be {Deprecation.Months} months after {since:yyyy-MM-dd} or later."), nameof(sunset));
        return endpoint.WithMetadata(new Deprecation(since, sunset, instead));
    }
}
