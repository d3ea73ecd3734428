using System.Globalization;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.OpenApi;

namespace Camino.Web.Reference;

/// <summary>What every operation of the API has in common and no endpoint says by itself: its name, its tag, who may ask, how it refuses.</summary>
internal static class ApiOperation
{
    private const string ProblemSchema = "Problem";
    private const string KeyScheme = "apiKey";
    private const string ProblemType = "application/problem+json";

    private static readonly Dictionary<string, string> s_refusals = new(StringComparer.Ordinal)
    {
        ["400"] = "The request cannot be read.",
        ["401"] = "There is no key, or one that is not valid; WWW-Authenticate says which.",
        ["403"] = "The client's scopes do not give this; WWW-Authenticate names the one that is missing.",
        ["404"] = "There is no such thing.",
        ["412"] = "If-Match is not the version of now.",
        ["413"] = "The body is too large.",
        ["422"] = "Refused; code and detail say which field, which value and which limit.",
        ["428"] = "If-Match is missing.",
        ["429"] = "Too many requests; Retry-After says when to ask again, RateLimit what is left.",
        ["503"] = "Not now; Retry-After says when to ask again. Under the same Idempotency-Key nothing is done twice.",
    };

    /// <summary>What the endpoint did not say.</summary>
    public static void Complete(OpenApiOperation operation, ApiDescription description, OpenApiDocument? document)
    {
        var metadata = description.ActionDescriptor.EndpointMetadata;
        var path = (description.RelativePath ?? "").Split('/')[2..];
        operation.Summary = metadata.OfType<Microsoft.AspNetCore.Http.Metadata.IEndpointSummaryMetadata>().LastOrDefault()?.Summary ?? operation.Summary; // before what a comment says
        operation.OperationId ??= IdOf(description.HttpMethod ?? "GET", path);
        operation.Tags = new HashSet<OpenApiTagReference> { new(path[0]) };
        if (metadata.OfType<Microsoft.AspNetCore.Authorization.IAuthorizeData>().LastOrDefault(data => data.Policy is not null)?.Policy is { } permission)
        {
            var scope = Scopes.Giving(permission);
            operation.Description ??= scope is null ? $"Needs the permission {permission}, which no scope of an API client gives." : $"Needs the scope {scope}.";
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = scope is null ? [] : [scope] }];
        }

        if (metadata.OfType<Deprecation>().LastOrDefault() is { } deprecation)
        {
            operation.Deprecated = true;
            operation.Description = string.Create(CultureInfo.InvariantCulture, $"{operation.Description} Deprecated since {deprecation.Since:yyyy-MM-dd}; it may be gone on {deprecation.Sunset:yyyy-MM-dd}. {deprecation.Instead}").TrimStart();
        }

        foreach (var word in metadata.OfType<ApiParameter>())
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = word.Name,
                Description = word.About,
                Required = word.IsRequired,
                In = word.IsHeader ? ParameterLocation.Header : ParameterLocation.Query,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }

        operation.Responses ??= [];
        operation.Responses.Remove("404");
        foreach (var status in Refusals(operation, metadata, description.HttpMethod != "GET"))
            operation.Responses.TryAdd(status, Refusal(status));
    }

    /// <summary>A body that its endpoint reads for itself.</summary>
    /// <param name="schema">Null: bytes.</param>
    public static OpenApiRequestBody Body(ApiBody body, IOpenApiSchema? schema) => new()
    {
        Required = schema is null,
        Content = body.ContentTypes.ToDictionary(type => type, _ => new OpenApiMediaType { Schema = schema ?? new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } }, StringComparer.Ordinal),
    };

    /// <summary>What the document says once.</summary>
    public static void Complete(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Camino",
            Version = "1",
            Description =
                "Loans, imports, quotes and the queue of a small-business lender. Sign in with a client's key: Authorization: Bearer camino_client_... or X-Api-Key; each operation names the scope that it needs. Every answer says by RateLimit-Policy and RateLimit how often the client may ask. Amounts and rates are decimal text such as \"1234.56\", dates are such as 2026-03-01. "
                + "Lists are paged by key: follow next until it is null. Refusals are problem+json (RFC 9457) with a stable code. What is to be removed is marked deprecated here and, by the headers Deprecation and Sunset, in its answers, and goes on working for twelve months at least; what is added may come at any time, so ignore what you do not know.",
            Contact = new OpenApiContact { Name = "The administrator of this Camino" },
            License = new OpenApiLicense { Name = "For clients of the lender" },
        };
        document.Servers = [new OpenApiServer { Url = "/", Description = "This Camino" }];
        document.Components ??= new OpenApiComponents();
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
        document.Components.Schemas[ProblemSchema] = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "Why the request was not carried out (RFC 9457).",
            Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
            {
                ["type"] = Text("urn:camino:problem: and the code."),
                ["title"] = Text("The class of refusal."),
                ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Description = "The HTTP status." },
                ["detail"] = Text("The field, the value and the limit, in a sentence."),
                ["code"] = Text("Never renamed; programs decide by it."),
                ["requestId"] = Text("Under which the log has this request."),
            },
            Required = new HashSet<string>(StringComparer.Ordinal) { "type", "title", "status" },
        };
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [KeyScheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The key of an API client, which an administrator made; it begins with camino_client_. What it opens are the client's scopes. " + string.Join(" ", Scopes.All.Select(scope => $"{scope.Name}: {scope.About}")) },
        };
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = [] }];
        document.Tags = document.Paths.Keys.Select(path => path.Split('/')[3]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select(name => new OpenApiTag { Name = name, Description = $"Everything below /api/v1/{name}." }).ToHashSet();
    }

    private static IEnumerable<string> Refusals(OpenApiOperation operation, IList<object> metadata, bool changes)
    {
        yield return "401";
        yield return "403";
        yield return "429";
        yield return "503";
        var parameters = operation.Parameters ?? [];
        if (parameters.Any(parameter => parameter.In == ParameterLocation.Path))
            yield return "404";
        if (operation.RequestBody is not null || parameters.Any(parameter => parameter.In is ParameterLocation.Query or ParameterLocation.Header))
            yield return "400";
        if (operation.RequestBody is not null)
            yield return "413";
        if (operation.RequestBody is not null || changes)
            yield return "422";
        if (metadata.OfType<ApiParameter>().Any(word => word.Name == "If-Match"))
        {
            yield return "412";
            yield return "428";
        }
    }

    private static OpenApiResponse Refusal(string status) => new()
    {
        Description = s_refusals[status],
        Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal) { [ProblemType] = new OpenApiMediaType { Schema = new OpenApiSchemaReference(ProblemSchema) } },
    };

    private static OpenApiSchema Text(string about) => new() { Type = JsonSchemaType.String, Description = about };

    /// <summary><c>GET loans/{id}/schedule</c> is getLoansByIdSchedule.</summary>
    private static string IdOf(string method, string[] path)
    {
        var words = path.SelectMany(part => part.StartsWith('{') ? ["by", .. Words(part.Trim('{', '}').Split(':')[0])] : Words(part));
        return method.ToLowerInvariant() + string.Concat(words.Select(word => char.ToUpper(word[0], CultureInfo.InvariantCulture) + word[1..]));
    }

    private static string[] Words(string part) => part.Split(['-', '.', ':'], StringSplitOptions.RemoveEmptyEntries);
}
