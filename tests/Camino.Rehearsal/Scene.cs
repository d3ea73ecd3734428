using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Camino.Rehearsal;

/// <summary>What one scene of the rehearsal showed.</summary>
/// <param name="Name">What was played.</param>
/// <param name="Requests">Requests sent; 0 in a scene without them.</param>
/// <param name="FailedRequests">Requests that were not answered as they should.</param>
/// <param name="Jobs">Jobs that were promised.</param>
/// <param name="Effects">Committed effects of those jobs.</param>
/// <param name="Doubled">Effects beyond one a job.</param>
/// <param name="Lost">Jobs without effect.</param>
/// <param name="LongestRequest">Milliseconds from due to the last byte.</param>
/// <param name="LongestPause">Milliseconds from a job's being due to its start, the worst.</param>
/// <param name="FenceRefusals">Writes and effects that the fence or a lost lease refused.</param>
/// <param name="Faults">What was not as it should be, in words; empty when all was well.</param>
internal sealed record Scene(
    string Name, long Requests, long FailedRequests, long Jobs, long Effects, long Doubled, long Lost, double LongestRequest, double LongestPause, long FenceRefusals, IReadOnlyList<string> Faults)
{
    public bool IsWell => Faults.Count == 0 && FailedRequests == 0 && Doubled == 0 && Lost == 0;
}

/// <summary>The rehearsal's result, for people and for the build's artifacts.</summary>
internal static class Table
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static string Text(IReadOnlyList<Scene> scenes)
    {
        var text = new StringBuilder();
        text.AppendLine("scene                                                                     requests failed    jobs effects doubled  lost  longest ms  pause ms  refused");
        foreach (var scene in scenes)
        {
            text.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{(scene.IsWell ? "ok  " : "FAIL")} {scene.Name,-68} {scene.Requests,8} {scene.FailedRequests,6} {scene.Jobs,7} {scene.Effects,7} {scene.Doubled,7} {scene.Lost,5} {scene.LongestRequest,11:0} {scene.LongestPause,9:0} {scene.FenceRefusals,8}"));
            foreach (var fault in scene.Faults)
                text.AppendLine($"       {fault}");
        }

        return text.ToString();
    }

    public static string Json(IReadOnlyList<Scene> scenes, string builds) => JsonSerializer.Serialize(new { builds, well = scenes.All(scene => scene.IsWell), scenes }, s_json);
}
