using Microsoft.AspNetCore.Builder;

namespace Camino.Web.Reference;

/// <summary>A word of the query or a header that an endpoint reads for itself, so that the generator of the document cannot see it.</summary>
/// <param name="Name">As it is sent.</param>
/// <param name="About">What it says, with limits.</param>
/// <param name="IsHeader">False: a word of the query.</param>
/// <param name="IsRequired">Left out, the request is refused.</param>
public sealed record ApiParameter(string Name, string About, bool IsHeader, bool IsRequired);

/// <summary>A body that an endpoint reads for itself. Unlike the framework's Accepts it refuses nothing.</summary>
/// <param name="Shape">What it holds, as a type of ours; null: bytes.</param>
/// <param name="ContentTypes">How it may be sent.</param>
public sealed record ApiBody(Type? Shape, params string[] ContentTypes);

/// <summary>What endpoints of the API say about themselves for its description.</summary>
public static class ApiParameters
{
    /// <summary>A word of the query; optional.</summary>
    public static TBuilder Asks<TBuilder>(this TBuilder endpoint, string name, string about)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new ApiParameter(name, about, IsHeader: false, IsRequired: false));

    /// <summary>A body that the endpoint reads for itself.</summary>
    public static TBuilder Reads<TBuilder>(this TBuilder endpoint, Type? shape, params string[] contentTypes)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new ApiBody(shape, contentTypes));

    /// <summary>The header <c>Idempotency-Key</c>, required.</summary>
    public static TBuilder NeedsIdempotencyKey<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new ApiParameter("Idempotency-Key", "Any text of 1 to 64 characters that this caller uses once, and again only to repeat this request. A repetition is answered with the first answer and the header Idempotency-Replayed: true.", IsHeader: true, IsRequired: true));

    /// <summary>The header <c>If-Match</c>, required.</summary>
    public static TBuilder NeedsIfMatch<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new ApiParameter("If-Match", "The ETag of what was looked at, or * for whatever it is now.", IsHeader: true, IsRequired: true));
}
