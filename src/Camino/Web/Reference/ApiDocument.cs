using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;

namespace Camino.Web.Reference;

/// <summary>The description of <c>/api/v1</c> as OpenAPI 3.1, generated from the endpoints; made once a process, when it is first asked for.</summary>
/// <param name="services">Of the application.</param>
public sealed class ApiDocument(IServiceProvider services)
{
    /// <summary>Where it is served, to everybody: it holds no data, and generators of clients have no key.</summary>
    public const string Address = "/api/v1/openapi.json";

    private const string Version = "v1";
    private readonly Lazy<Task<(OpenApiDocument Document, byte[] Json)>> _made = new(() => MakeAsync(services));

    /// <summary>The document itself, for the page that shows it.</summary>
    public async Task<OpenApiDocument> GetAsync() => (await _made.Value).Document;

    /// <summary>Adds the generator; it works when the document is first asked for.</summary>
    public static void AddTo(IServiceCollection services)
    {
        services.AddSingleton<ApiDocument>();
        services.AddOpenApi(Version, options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.ShouldInclude = description => description.RelativePath?.StartsWith("api/v1/", StringComparison.Ordinal) == true;
            options.AddOperationTransformer(async (operation, context, ct) =>
            {
                if (context.Description.ActionDescriptor.EndpointMetadata.OfType<ApiBody>().FirstOrDefault() is { } body)
                    operation.RequestBody = ApiOperation.Body(body, body.Shape is { } shape ? await SchemaOfAsync(shape, context, ct) : null);
                ApiOperation.Complete(operation, context.Description, context.Document);
            });
            options.AddDocumentTransformer((document, _, _) =>
            {
                ApiOperation.Complete(document);
                return Task.CompletedTask;
            });
        });
    }

    /// <summary>Serves the document.</summary>
    public static void Map(IEndpointRouteBuilder app) => app.MapGet(Address, ServeAsync).AllowAnonymous().ExcludeFromDescription();

    /// <summary>A body of ours stands among the schemas under the name of its type, and so does what its lists hold, so that generators of clients need not invent one.</summary>
    private static async Task<IOpenApiSchema> SchemaOfAsync(Type shape, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        var schema = await context.GetOrCreateSchemaAsync(shape, cancellationToken: ct);
        if (shape.Assembly != typeof(ApiDocument).Assembly || context.Document is not { } document)
            return schema;
        foreach (var part in shape.GetProperties())
        {
            if (part.PropertyType is { IsGenericType: true } list && list.GetGenericArguments() is [{ IsClass: true } element] && element.Assembly == shape.Assembly
                && schema.Properties?.TryGetValue(JsonNamingPolicy.CamelCase.ConvertName(part.Name), out var many) == true && many is OpenApiSchema { Items: not null } held)
                held.Items = await SchemaOfAsync(element, context, ct);
        }

        document.AddComponent(shape.Name, schema);
        return new OpenApiSchemaReference(shape.Name, document);
    }

    private static async Task<IResult> ServeAsync(ApiDocument document, HttpContext context)
    {
        var (_, json) = await document._made.Value;
        context.Response.Headers.CacheControl = "public, max-age=300";
        return Results.Bytes(json, "application/json", entityTag: new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(json))[..16]}\""));
    }

    private static async Task<(OpenApiDocument Document, byte[] Json)> MakeAsync(IServiceProvider services)
    {
        await using var scope = services.CreateAsyncScope();
        var document = await scope.ServiceProvider.GetRequiredKeyedService<IOpenApiDocumentProvider>(Version).GetOpenApiDocumentAsync();
        var text = new StringBuilder();
        await using (var words = new StringWriter(text, CultureInfo.InvariantCulture))
            document.SerializeAsV31(new OpenApiJsonWriter(words, new OpenApiJsonWriterSettings { Terse = true }));
        return (document, Encoding.UTF8.GetBytes(text.ToString()));
    }
}
