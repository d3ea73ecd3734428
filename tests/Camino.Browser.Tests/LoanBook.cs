namespace Camino.Browser;

/// <summary>The invented serviced book that the tests of its pages share: a product, and loans made as a test asks for them.</summary>
internal static class LoanBook
{
    private static readonly Lazy<Task<ServicedBook>> Prepared = new(async () =>
    {
        var book = new ServicedBook(Site.Camino);
        await book.PrepareAsync();
        return book;
    });

    /// <summary>The business date is 2026-03-01.</summary>
    public static Task<ServicedBook> OpenAsync() => Prepared.Value;

    /// <summary>A loan with a past: an installment paid in part, an entry that was a mistake, a fee, changed terms.</summary>
    public static async Task<Guid> LateLoanAsync()
    {
        var book = await OpenAsync();
        var late = await book.DisbursedLoanAsync();
        await book.OkAsync(late, "record-payment", new { on = "2026-02-01", amount = "500.00", note = "by check" });
        var wrong = await book.OkAsync(late, "record-payment", new { on = "2026-02-10", amount = "99.00" });
        await book.OkAsync(late, "reverse", new { on = "2026-02-11", of = wrong.GetProperty("event").GetString() });
        await book.OkAsync(late, "charge-fee", new { on = "2026-02-12", amount = "30.00", portion = "fee" });
        var returned = await book.OkAsync(late, "record-payment", new { on = "2026-02-20", amount = "566.19" });
        await book.OkAsync(late, "return-payment", new { on = "2026-02-24", of = returned.GetProperty("event").GetString(), bankCode = "R01" });
        return late;
    }
}
