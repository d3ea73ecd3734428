using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Imports;

/// <summary>Where staff say which column of an unknown file is what.</summary>
[Authorize(Permissions.ImportsWrite)]
public sealed class ImportMappingPage(ShowImport show, MapImport map, IStringLocalizer<Texts> texts) : PageModel
{
    private ImportView? _import;
    private FileShape? _shape;

    public ImportView Import => _import ?? throw new InvalidOperationException("The import was not read.");

    public FileShape Shape => _shape ?? throw new InvalidOperationException("The file was not opened.");

    public MappingForm Form { get; private set; } = new();

    public IReadOnlyList<SavedMappingLine> Saved { get; private set; } = [];

    /// <summary>The saved mapping that is applied.</summary>
    public Guid? Applied { get; private set; }

    public IReadOnlyList<string> Problems { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(Guid id, Guid? saved, CancellationToken ct)
    {
        if (await ReadAsync(id, ct) is { } other)
            return other;
        var applied = Saved.FirstOrDefault(line => line.Id == saved);
        Applied = applied?.Id;
        Form = applied?.Layout is { } layout ? MappingForm.From(layout, Shape.Header)
            : (Import.Mapping ?? Shape.Layout) is { } present ? MappingForm.From(present, Shape.Header)
            : MappingForm.Suggest(Shape.Header, Shape.Preview);
        return Page();
    }

    [Needs(Permissions.ImportsWrite)]
    public async Task<IActionResult> OnPostAsync(Guid id, string?[] fields, LoanSource source, DateStyle dates, bool decimalComma, string? saveAs, CancellationToken ct)
    {
        if (await ReadAsync(id, ct) is { } other)
            return other;
        Form = MappingForm.Filled(Shape.Header, fields, source, dates, decimalComma, saveAs);
        var problems = Form.Problems();
        if (problems.Count > 0)
        {
            Problems = [.. problems.Select(problem => texts[problem.Text, problem.Field is { } field ? texts.Of(field) : ""].Value)];
            return Page();
        }

        try
        {
            await map.RunAsync(id, Form.ToLayout(Shape.Header), Form.SaveAs, User.Id(), ct);
            return LocalRedirect($"/imports/{id}");
        }
        catch (RefusedException refused)
        {
            Problems = [texts.Refusal(refused)];
            return Page();
        }
    }

    /// <summary>Reads the import and the saved mappings; an answer where there is nothing to map.</summary>
    private async Task<IActionResult?> ReadAsync(Guid id, CancellationToken ct)
    {
        _import = await show.RunAsync(id, ct);
        if (_import is null)
            return NotFound();
        if (_import is not { CanBeMapped: true, Shape: { } shape })
            return LocalRedirect($"/imports/{id}");
        _shape = shape;
        Saved = await show.SavedMappingsAsync(ct);
        return null;
    }
}
