using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.OpenApi;

namespace Camino.Web.Reference;

/// <summary>The description of the API for people who write programs: the same document as <see cref="ApiDocument.Address"/>, to read.</summary>
[Authorize(Permissions.Own)]
public sealed class DevelopersPage(ApiDocument document) : PageModel
{
    /// <summary>Operations of one first segment.</summary>
    public sealed record Part(string Name, IReadOnlyList<Operation> Operations);

    public sealed record Operation(string Id, string Method, string Path, string Summary, string? About, IReadOnlyList<Field> Fields, IReadOnlyList<Answer> Answers);

    /// <param name="Place">path, query, header or body.</param>
    public sealed record Field(string Name, string Place, string Type, string About);

    public sealed record Answer(string Status, string About);

    public IReadOnlyList<Part> Parts { get; private set; } = [];

    /// <summary>How programs begin every address.</summary>
    public string Root => $"{Request.Scheme}://{Request.Host}";

    public async Task OnGetAsync()
    {
        var found = await document.GetAsync();
        Parts =
        [
            .. found.Paths.SelectMany(path => path.Value.Operations ?? [], (path, operation) => Of(path.Key, operation.Key.Method, operation.Value)).GroupBy(one => one.Path.Split('/')[3], StringComparer.Ordinal)
                .OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new Part(group.Key, [.. group.OrderBy(one => one.Path, StringComparer.Ordinal).ThenBy(one => one.Method, StringComparer.Ordinal)])),
        ];
    }

    private static Operation Of(string path, string method, OpenApiOperation operation) => new(
        operation.OperationId ?? "", method, path, operation.Summary ?? "", operation.Description,
        [
            .. (operation.Parameters ?? []).Select(word => new Field(word.Name ?? "", Place(word.In), TypeOf(word.Schema), word.Description ?? "")),
            .. (operation.RequestBody?.Content?.Values.FirstOrDefault()?.Schema is { } body ? body.Properties ?? new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal) : new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal))
                .Select(property => new Field(property.Key, "body", TypeOf(property.Value), property.Value.Description ?? "")),
        ],
        [.. (operation.Responses ?? []).OrderBy(answer => answer.Key, StringComparer.Ordinal).Select(answer => new Answer(answer.Key, answer.Value.Description ?? ""))]);

    private static string Place(ParameterLocation? place) => place switch { ParameterLocation.Path => "path", ParameterLocation.Header => "header", _ => "query" };

    private static string TypeOf(IOpenApiSchema? schema) => schema switch
    {
        OpenApiSchemaReference reference => reference.Reference.Id ?? "object",
        { Type: { } type } => string.Join(" or ", Enum.GetValues<JsonSchemaType>().Where(one => type.HasFlag(one) && one != JsonSchemaType.Null).Select(one => JsonNamingPolicy.CamelCase.ConvertName(one.ToString()))) + (schema.Format is { } format ? $" ({format})" : ""),
        _ => "any",
    };
}
