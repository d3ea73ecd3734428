using System.Text.Json;
using Camino.Jobs;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Operations;

/// <summary>One job: where it stands, what it was asked, what went wrong, what came out.</summary>
public sealed class JobDetailsPage(ListJobs list, CancelJob cancel, IAuthorizationService rights, IStringLocalizer<Texts> texts, TimeProvider clock) : PageModel
{
    private static readonly JsonSerializerOptions s_readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private JobDetail? _job;

    public JobDetail Job => _job ?? throw new InvalidOperationException("The job was not read.");

    /// <summary>Who asked or cancelled, by user id.</summary>
    public IReadOnlyDictionary<string, string> Names { get; private set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>When the page was made.</summary>
    public DateTimeOffset Now { get; private set; }

    /// <summary>Why the last act was refused.</summary>
    public string? Problem { get; private set; }

    public Task<IActionResult> OnGetAsync(Guid id, CancellationToken ct) => ShowAsync(id, ct);

    public async Task<IActionResult> OnPostCancelAsync(Guid id, CancellationToken ct)
    {
        if (!(await rights.AuthorizeAsync(User, Rights.CanWrite)).Succeeded)
            return Forbid();
        try
        {
            await cancel.RunAsync(id, User.Id(), null, ct);
            return LocalRedirect($"/jobs/{id}");
        }
        catch (RefusedException refused)
        {
            Problem = texts.Refusal(refused);
            return await ShowAsync(id, ct);
        }
    }

    /// <summary>The name behind a user id; the system where there is none.</summary>
    public string NameOf(string? userId) => userId is null ? texts["Jobs.System"] : Names.GetValueOrDefault(userId, userId);

    /// <summary>JSON with a line for each value.</summary>
    public static string Readable(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, s_readable);
    }

    private async Task<IActionResult> ShowAsync(Guid id, CancellationToken ct)
    {
        _job = await list.OneAsync(id, ct);
        if (_job is null)
            return NotFound();
        Names = await list.NamesAsync([_job.RequestedBy, _job.Cancellation?.By], ct);
        Now = clock.GetUtcNow();
        return Page();
    }
}
