using Camino.Borrowers;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Loans;

/// <summary>Everything that is known about one loan, where it came from and what changed.</summary>
[Authorize(Permissions.LoansRead)]
public sealed class LoanDetailsPage(ShowLoan show, ShowBorrower borrowers) : PageModel
{
    private LoanView? _view;

    public LoanView Found => _view ?? throw new InvalidOperationException("The loan was not read.");

    /// <summary>Whose it is; null until the loan was linked.</summary>
    public Guid? BorrowerId { get; private set; }

    public IReadOnlyList<LoanChange> Changes { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct)
    {
        _view = await show.RunAsync(id, ct);
        if (_view is null)
            return NotFound();
        BorrowerId = await borrowers.OfLoanAsync(id, ct);
        Changes = await show.ChangesAsync(id, ct);
        return Page();
    }
}
