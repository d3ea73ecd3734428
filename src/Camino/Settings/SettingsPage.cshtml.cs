using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Camino.Settings;

/// <summary>Every value of the configuration that this process uses, and where it came from.</summary>
[Authorize(Permissions.SettingsRead)]
public sealed class SettingsPage(SettingsInEffect settings) : PageModel
{
    public SettingsLook Look { get; private set; } = new("", "", [], null);

    /// <summary>Why the next start would be refused; null: it would not.</summary>
    public string? Refusal { get; private set; }

    public IReadOnlyList<SettingChange> Changes { get; private set; } = [];

    public IEnumerable<IGrouping<string, SettingLine>> Sections => Look.Lines.GroupBy(line => line.Section, StringComparer.Ordinal);

    public void OnGet()
    {
        Look = settings.AtStart;
        (Refusal, Changes) = settings.NextStart();
    }
}
