using Camino.Borrowers;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>A new loan as a form: product, borrower, amount; then the schedule that would follow; then booked.</summary>
[Authorize(Permissions.BookLoans)]
public sealed class BookLoanFormPage(BookLoan book, ReadProducts products, ShowBorrower borrowers, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public IReadOnlyList<(string Code, string Name, ProductOffer Offer)> Offered { get; private set; } = [];

    public BookingInput Input { get; private set; } = new();

    /// <summary>Made with the form: pressed twice, one loan is booked.</summary>
    public string Key { get; private set; } = "";

    public Schedule? Schedule { get; private set; }

    public string? Problem { get; private set; }

    public async Task OnGetAsync(Guid? borrower, CancellationToken ct)
    {
        Offered = await products.OfferedAsync(ct);
        Key = Guid.CreateVersion7().ToString("N");
        var known = borrower is { } id ? await borrowers.RunAsync(id, ct) : null;
        Input = new BookingInput { BorrowerId = known?.Id, BorrowerName = known?.Name, DisburseOn = (await db.TodayAsync(ct)).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) };
    }

    [Needs(Permissions.BookLoans)]
    public async Task<IActionResult> OnPostPreviewAsync(BookingInput input, string? key, CancellationToken ct)
    {
        key ??= Guid.CreateVersion7().ToString("N");
        await TryAsync(input, key, ct);
        return Page();
    }

    [Needs(Permissions.BookLoans)]
    public async Task<IActionResult> OnPostConfirmAsync(BookingInput input, string? key, CancellationToken ct)
    {
        if (key is null)
            return await OnPostPreviewAsync(input, key, ct);
        try
        {
            var booked = await book.RunAsync(input, new AskedBy(User.Id(), key), ct);
            return RedirectToPage("/Servicing/ServicedDetails", new { id = booked.LoanId });
        }
        catch (RefusedException refused)
        {
            await TryAsync(input, key, ct);
            Problem = texts.Refused(refused);
            return Page();
        }
    }

    private async Task TryAsync(BookingInput input, string key, CancellationToken ct)
    {
        Offered = await products.OfferedAsync(ct);
        (Input, Key) = (input, key);
        try
        {
            Schedule = Schedule.Of(await book.TryAsync(input, ct));
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refused(refused);
        }
    }
}
