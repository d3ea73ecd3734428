using System.Text.Json;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Servicing;

/// <summary>One letter to the borrower, in the reader's language, ready to print.</summary>
[Authorize(Permissions.BookRead)]
public sealed class LetterPage(ShowServicedLoan show) : PageModel
{
    private ServicedView? _view;
    private LoanLetter? _letter;

    public ServicedView View => _view ?? throw new InvalidOperationException("The loan was not read.");

    public LoanLetter Letter => _letter ?? throw new InvalidOperationException("The letter was not read.");

    public LetterFacts Facts { get; private set; } = null!;

    public async Task<IActionResult> OnGetAsync(Guid id, Guid letter, CancellationToken ct)
    {
        _view = await show.RunAsync(id, ct);
        _letter = await show.LetterAsync(id, letter, ct);
        if (_view is null || _letter is null)
            return NotFound();
        Facts = JsonSerializer.Deserialize<LetterFacts>(_letter.Facts, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The letter states nothing.");
        return Page();
    }

    /// <summary>An amount of the letter as the reader writes it.</summary>
    public static decimal? Amount(string? text) => text is null ? null : decimal.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
