using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Notices;

/// <summary>What the reader was told, newest first; opening a notice marks it read.</summary>
[Authorize(Permissions.Own)]
public sealed class NoticeListPage(ListNotices list, ReadNotice read, IStringLocalizer<Texts> texts) : PageModel
{
    public IReadOnlyList<NoticeLine> Lines { get; private set; } = [];

    public Guid? Next { get; private set; }

    public async Task OnGetAsync(Guid? after, CancellationToken ct)
    {
        var lines = await list.RunAsync(User.Id(), after, ct);
        Lines = [.. lines.Take(ListNotices.PageSize)];
        Next = lines.Count > ListNotices.PageSize ? Lines[^1].Id : null;
    }

    /// <summary>One notice: marks it read and goes where it points. None: marks all read.</summary>
    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostAsync(Guid? id, CancellationToken ct)
    {
        var link = await read.RunAsync(id, User.Id(), ct);
        return LocalRedirect(Url.IsLocalUrl(link) ? link : "/notices");
    }

    /// <summary>The notice in the reader's language. An argument such as <c>@ApprovalKind.loan.waive</c> names a text.</summary>
    public string TextOf(NoticeLine line)
    {
        var arguments = line.Arguments.Select(Shown).ToArray();
        var text = texts[line.Text, [.. arguments]];
        return text.ResourceNotFound ? string.Join(' ', arguments) : text.Value;
    }

    private string Shown(string argument) => argument.StartsWith('@') ? texts.Or(argument[1..], argument) : argument;
}
