using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>One close of business with how far it is.</summary>
/// <param name="Left">Whether it left loans behind for the close after it: a part of its work was never done.</param>
public sealed record CloseLine(DateOnly Closes, DateOnly Opens, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, int Planned, int Closed, int SetAside, bool Left);

/// <summary>The business day, the closes, the trial balance and the ledger checks.</summary>
[Authorize(Permissions.LedgerRead)]
public sealed class BooksPage(CaminoDb db, CloseDay close, CloseWork work, ResumeClose resume, AskLedgerCheck ask, ReadLedger ledger, IStringLocalizer<Texts> texts) : PageModel
{
    private const int Shown = 10;

    public DateOnly Today { get; private set; }

    public IReadOnlyList<CloseLine> Closes { get; private set; } = [];

    public IReadOnlyList<LedgerCheck> Checks { get; private set; } = [];

    public IReadOnlyList<TrialBalanceLine> Accounts { get; private set; } = [];

    /// <summary>Loans that the close could not bring forward.</summary>
    public int SetAside { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>A close has not finished and no job is left that would: its jobs have failed or were cancelled.</summary>
    public bool IsStuck { get; private set; }

    /// <summary>Whether something is still at work, so that the page looks again by itself.</summary>
    public bool IsMoving => (!IsStuck && Closes.Any(run => run.FinishedAt is null)) || Checks.Any(check => check.FinishedAt is null);

    public Task OnGetAsync(CancellationToken ct) => ReadAsync(ct);

    [Needs(Permissions.DayClose)]
    public async Task<IActionResult> OnPostCloseAsync(DateOnly closes, CancellationToken ct)
    {
        try
        {
            await close.RunAsync(closes, User.Id(), ct);
            return RedirectToPage();
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            await ReadAsync(ct);
            Problem = texts.Refused(refused);
            return Page();
        }
    }

    [Needs(Permissions.DayClose)]
    public async Task<IActionResult> OnPostResumeAsync(CancellationToken ct)
    {
        try
        {
            await resume.RunAsync(User.Id(), ct);
            return RedirectToPage();
        }
        catch (RefusedException refused)
        {
            await ReadAsync(ct);
            Problem = texts.Refused(refused);
            return Page();
        }
    }

    [Needs(Permissions.LedgerCheck)]
    public async Task<IActionResult> OnPostCheckAsync(CancellationToken ct)
    {
        await ask.RunAsync(User.Id(), ct);
        return RedirectToPage();
    }

    private async Task ReadAsync(CancellationToken ct)
    {
        Today = await db.TodayAsync(ct);
        Closes = await db.CloseRuns.AsNoTracking().OrderByDescending(run => run.Id).Take(Shown).Select(run => new CloseLine(
            run.Closes, run.Opens, run.StartedAt, run.FinishedAt,
            db.CloseChunks.Where(chunk => chunk.RunId == run.Id).Sum(chunk => chunk.Planned), db.CloseChunks.Where(chunk => chunk.RunId == run.Id).Sum(chunk => chunk.Closed),
            db.CloseChunks.Where(chunk => chunk.RunId == run.Id).Sum(chunk => chunk.SetAside), run.FinishedAt != null && (run.PlannedAt == null || db.CloseChunks.Any(chunk => chunk.RunId == run.Id && chunk.DoneAt == null)))).ToListAsync(ct);
        IsStuck = (await work.StuckAsync(ct)).Count > 0;
        Checks = await db.LedgerChecks.AsNoTracking().OrderByDescending(check => check.Id).Take(Shown).ToListAsync(ct);
        SetAside = await db.ServicedLoans.CountAsync(loan => loan.SetAsideAt != null, ct);
        Accounts = await ledger.TrialBalanceAsync(ct);
    }
}
