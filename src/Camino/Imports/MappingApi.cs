using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Localization;

namespace Camino.Imports;

/// <summary>For programs what the mapping page is for people: look at the columns of a file, say which is what, keep that under a name, use it again.</summary>
public static class MappingApi
{
    /// <summary>What is known of the file's columns.</summary>
    /// <param name="Preview">The first 20 records; answers about race, ethnicity, sex and veteran status are blanked out.</param>
    /// <param name="Suggested">Heading to field as Camino would guess.</param>
    /// <param name="Fields">All fields that a column can be.</param>
    public sealed record ColumnsView(
        string Container, string Encoding, string Delimiter, string? Layout, IReadOnlyList<string> Header, IReadOnlyList<string[]> Preview, IReadOnlyList<string> IgnoredColumns,
        IReadOnlyDictionary<string, string> Suggested, IReadOnlyList<string> Fields);

    /// <summary>A mapping with a name.</summary>
    /// <param name="Columns">Heading to field.</param>
    public sealed record MappingView(string Name, IReadOnlyDictionary<string, string> Columns, [property: JsonConverter(typeof(JsonStringEnumConverter<LoanSource>))] LoanSource Source, DateStyle Dates, bool DecimalComma);

    /// <summary>Either a saved mapping by its name, or the columns themselves.</summary>
    /// <param name="Mapping">Name of a saved mapping.</param>
    /// <param name="Columns">Heading to field; headings that are left out are not taken in.</param>
    /// <param name="Source">Whose loan numbers these are.</param>
    /// <param name="Dates">How dates without a month in letters are written.</param>
    /// <param name="DecimalComma">1.234,56 instead of 1,234.56.</param>
    /// <param name="SaveAs">Keeps the mapping under this name, 1 to 60 characters.</param>
    public sealed record MappingRequest(
        string? Mapping = null, Dictionary<string, string>? Columns = null, [property: JsonConverter(typeof(JsonStringEnumConverter<LoanSource>))] LoanSource Source = LoanSource.Camino, DateStyle Dates = DateStyle.MonthFirst, bool DecimalComma = false, string? SaveAs = null);

    internal static void MapMappingApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/imports/mappings", ListAsync).RequireAuthorization(Permissions.ImportsRead).WithSummary("Saved mappings of columns");
        api.MapGet("/imports/{id:guid}/columns", ColumnsAsync).RequireAuthorization(Permissions.ImportsWrite).WithSummary("The columns of a file, and what they may mean");
        api.MapPost("/imports/{id:guid}/mapping", PostAsync).RequireAuthorization(Permissions.ImportsWrite).WithSummary("Says what the columns of a file mean");
    }

    private static async Task<Ok<List<MappingView>>> ListAsync(ShowImport show, CancellationToken ct)
    {
        var saved = await show.SavedMappingsAsync(ct);
        return TypedResults.Ok(saved.Where(line => line.Layout is not null).Select(line => ViewOf(line.Name, line.Layout ?? throw new InvalidOperationException("Filtered above."))).ToList());
    }

    private static async Task<Results<Ok<ColumnsView>, ProblemHttpResult>> ColumnsAsync(Guid id, ShowImport show, CancellationToken ct)
    {
        if (await show.RunAsync(id, ct) is not { } import)
            return ImportEndpoints.NotFound(id);
        if (import.Shape is not { } shape)
            throw new RefusedException("import.not_opened", $"The import is {import.Status}; its file was not opened yet, or could not be.");
        var form = MappingForm.Suggest(shape.Header, shape.Preview);
        var suggested = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < shape.Header.Count; i++)
        {
            if (form.Fields[i] is { } field && shape.Header[i].Length > 0)
                suggested[shape.Header[i]] = LoanFields.Name(field);
        }

        return TypedResults.Ok(new ColumnsView(
            shape.Container, shape.Encoding, shape.Delimiter.ToString(), shape.Layout?.Name, shape.Header, shape.Preview, shape.IgnoredColumns, suggested, [.. LoanFields.All.Select(LoanFields.Name)]));
    }

    private static async Task<Accepted<ImportReport>> PostAsync(Guid id, MappingRequest request, ShowImport show, MapImport map, CaminoDb db, IStringLocalizer<Texts> texts, ClaimsPrincipal user, CancellationToken ct)
    {
        var import = await show.RunAsync(id, ct) ?? throw new RefusedException("import.not_found", $"There is no import {id}.");
        if (import is not { CanBeMapped: true, Shape: { } shape })
            throw new RefusedException("import.not_waiting_for_mapping", $"The import is {import.Status}; columns can be said only for a file that was opened and of which nothing is stored.");
        var form = await FormAsync(request, shape, db, ct);
        if (form.Problems() is { Count: > 0 } problems)
            throw new RefusedException("import.mapping_incomplete", string.Join(' ', problems.Select(problem => texts[problem.Text, problem.Field is { } field ? LoanFields.Name(field) : ""].Value)));
        return TypedResults.Accepted($"/api/v1/imports/{id}", ImportReport.Of(await map.RunAsync(id, form.ToLayout(shape.Header), form.SaveAs, user.Id(), ct)));
    }

    private static async Task<MappingForm> FormAsync(MappingRequest request, FileShape shape, CaminoDb db, CancellationToken ct)
    {
        if (request.Mapping is { } name)
        {
            var saved = await db.SavedMappings.NamedAsync(name, ct) ?? throw new RefusedException("import.mapping.not_found", $"There is no saved mapping named {name}.");
            var layout = JsonSerializer.Deserialize(saved.Layout, ImportJson.Default.Layout) ?? throw new InvalidOperationException($"The saved mapping {saved.Id} holds no layout.");
            return MappingForm.From(layout, shape.Header);
        }

        var names = new string?[shape.Header.Count];
        foreach (var (heading, field) in request.Columns ?? [])
        {
            var column = Headings.Find(shape.Header, heading);
            Refuse.If(column < 0, "import.mapping.column_unknown", $"The file has no column \"{heading}\".");
            Refuse.If(!LoanFields.TryParse(field, out _), "import.mapping.field_unknown", $"\"{field}\" is not a field; allowed are {string.Join(", ", LoanFields.All.Select(LoanFields.Name))}.");
            names[column] = field;
        }

        return MappingForm.Filled(shape.Header, names, request.Source, request.Dates, request.DecimalComma, request.SaveAs);
    }

    private static MappingView ViewOf(string name, Layout layout) => new(
        name, layout.Columns.ToDictionary(use => use.Column, use => LoanFields.Name(use.Field), StringComparer.Ordinal), layout.Source, layout.Options.Dates, layout.Options.DecimalComma);
}
