using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Localization;

namespace Camino.Settings;

/// <summary>The settings in effect for programs of administrators.</summary>
public static class SettingsApi
{
    /// <param name="Section">The first part of the key; empty for what stands in no section.</param>
    /// <param name="Value">Null: nothing is set. A secret that is set is shown as ••••••.</param>
    /// <param name="Source">default, file, secretsFolder, environment or commandLine.</param>
    /// <param name="Place">The file or the variable.</param>
    /// <param name="Standing">used, unknown or otherRole.</param>
    /// <param name="About">What it does.</param>
    public sealed record Line(string Section, string Key, string? Value, bool IsSecret, string Source, string? Place, string Standing, string? Nearest, string About);

    /// <param name="Now">Null: it is not there.</param>
    /// <param name="Then">Null: it will not be there.</param>
    public sealed record Change(string Key, Line? Now, Line? Then);

    /// <param name="Refusal">Why the next start would be refused; null: it would not.</param>
    public sealed record Next(string? Refusal, IReadOnlyList<Change> Changes);

    public sealed record Answer(string Role, string File, IReadOnlyList<Line> Lines, Next NextStart);

    /// <summary>Adds <c>GET /settings</c>: every value that the process which answers uses, and where it came from.</summary>
    public static void MapSettingsApi(this IEndpointRouteBuilder api) => api.MapGet("/settings", Show).RequireAuthorization(Permissions.SettingsRead).WithSummary("Settings in effect in the process that answers, secrets masked");

    private static Ok<Answer> Show(SettingsInEffect settings, IStringLocalizer<Texts> texts)
    {
        var (refusal, changes) = settings.NextStart();
        return TypedResults.Ok(new Answer(settings.AtStart.Role, settings.AtStart.File, [.. settings.AtStart.Lines.Select(line => Of(line, texts))],
            new Next(refusal, [.. changes.Select(change => new Change(change.Key, Of(change.Now, texts), Of(change.Then, texts)))])));
    }

    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(line))]
    private static Line? Of(SettingLine? line, IStringLocalizer<Texts> texts) => line is null
        ? null
        : new Line(line.Section, line.Key, line.Value, line.IsSecret, Name(line.Source.ToString()), line.Place, Name(line.Standing.ToString()), line.Nearest, line.About.Length == 0 ? "" : texts["Setting." + line.About]);

    private static string Name(string word) => char.ToLowerInvariant(word[0]) + word[1..];
}
