using Camino.Approvals;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Ledger;
using Camino.Resources;
using Camino.Servicing;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Journal;

/// <summary>The entries that people made by hand, the newest first.</summary>
[Authorize(Permissions.LedgerRead)]
public sealed class JournalListPage(ReadJournal journal) : PageModel
{
    public JournalFilter Filter { get; private set; } = new();

    public ListPage<PostedEntry> Entries { get; private set; } = ListPage.Empty<PostedEntry>();

    /// <summary>What was just asked for and waits for a second person.</summary>
    public Guid? Asked { get; private set; }

    public async Task OnGetAsync(Guid? asked, CancellationToken ct)
    {
        Asked = asked;
        Filter = JournalFilter.FromQuery(Request.Query);
        Entries = await journal.ListAsync(Filter, ListCursor.Of(Request.Query["after"], Request.Query["before"]), ct);
    }
}

/// <summary>An entry by hand is written down and asked for.</summary>
[Authorize(Permissions.LedgerPost)]
public sealed class JournalNewPage(PostJournal post, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private const int LinesAtFirst = 4;
    private const int LinesMore = 4;

    public string? On { get; private set; }

    public string? Memo { get; private set; }

    public IReadOnlyList<JournalLineInput> Lines { get; private set; } = [];

    /// <summary>Made with the form: pressed twice, the entry is still asked for once.</summary>
    public string Key { get; private set; } = "";

    public DateOnly Today { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>There is room for more lines.</summary>
    public bool CanHaveMore => Lines.Count < JournalEntry.MostLines;

    public async Task OnGetAsync(CancellationToken ct)
    {
        Today = await db.TodayAsync(ct);
        On = Today.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        Key = Guid.CreateVersion7().ToString("N");
        Lines = Padded([], LinesAtFirst);
    }

    /// <summary>The same form with more lines; nothing is asked for.</summary>
    [Needs(Permissions.LedgerPost)]
    public async Task<IActionResult> OnPostMoreAsync(JournalInput input, string? key, CancellationToken ct)
    {
        await KeepAsync(input, key, ct);
        Lines = Padded(Lines, Math.Min(JournalEntry.MostLines, Lines.Count + LinesMore));
        return Page();
    }

    [Needs(Permissions.LedgerPost)]
    public async Task<IActionResult> OnPostAsync(JournalInput input, string? key, CancellationToken ct)
    {
        await KeepAsync(input, key, ct);
        try
        {
            return RedirectToPage("/Journal/JournalList", new { asked = (await post.AskAsync(input, new AskedBy(User.Id(), Key), ct)).ApprovalId });
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            return Page();
        }
    }

    private async Task KeepAsync(JournalInput input, string? key, CancellationToken ct)
    {
        Today = await db.TodayAsync(ct);
        (On, Memo, Key) = (input.On, input.Memo, key ?? Guid.CreateVersion7().ToString("N"));
        Lines = Padded([.. (input.Lines ?? []).Take(JournalEntry.MostLines)], LinesAtFirst);
    }

    private static List<JournalLineInput> Padded(IReadOnlyList<JournalLineInput> lines, int least) => [.. lines, .. Enumerable.Repeat(new JournalLineInput(null, null, null), Math.Max(0, least - lines.Count))];
}

/// <summary>One entry, and the way to take it back.</summary>
[Authorize(Permissions.LedgerRead)]
public sealed class JournalDetailsPage(ReadJournal journal, PostJournal post, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    private PostedEntry? _entry;

    public PostedEntry Entry => _entry ?? throw new InvalidOperationException("The entry was not read.");

    public DateOnly Today { get; private set; }

    public string? On { get; private set; }

    public string? Memo { get; private set; }

    /// <summary>Made with the form: pressed twice, it is still asked for once.</summary>
    public string Key { get; private set; } = "";

    public string? Problem { get; private set; }

    /// <summary>It can be taken back: it was not yet, and takes back no other.</summary>
    public bool CanReverse => Entry.ReversedBy is null && Entry.Reverses is null && User.May(Permissions.LedgerPost);

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => ShowAsync(id, null, ct);

    [Needs(Permissions.LedgerPost)]
    public async Task<IActionResult> OnPostReverseAsync(Guid id, string? on, string? memo, string? key, CancellationToken ct)
    {
        (On, Memo) = (on, memo);
        key ??= Guid.CreateVersion7().ToString("N");
        try
        {
            return RedirectToPage("/Journal/JournalList", new { asked = (await post.AskReversalAsync(id, on, memo, new AskedBy(User.Id(), key), ct)).ApprovalId });
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = refused.Code.StartsWith("approval.", StringComparison.Ordinal) ? ApprovalText.Refused(texts, refused) : texts.Refused(refused);
            return await ShowAsync(id, key, ct);
        }
    }

    private async Task<IActionResult> ShowAsync(Guid id, string? key, CancellationToken ct)
    {
        _entry = await journal.OneAsync(id, ct);
        if (_entry is null)
            return NotFound();
        Today = await db.TodayAsync(ct);
        On ??= Today.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        Key = key ?? Guid.CreateVersion7().ToString("N");
        return Page();
    }
}
