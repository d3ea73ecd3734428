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

    /// <summary>What the play of many applications showed, a line each.</summary>
    public static string Text(OriginationResult result)
    {
        (string What, string Seen)[] rows =
        [
            ("applications, all in underwriting, each once", Number(result.Applications)),
            ("seconds from the first to the last in underwriting", Number(result.Seconds)),
            ("Async Servers killed", Number(result.Kills)),
            ("questions to outside services", Number(result.Asked)),
            ("  answered with an error", Number(result.Errors)),
            ("  cut off by the outage", Number(result.Down)),
            ("  about a report that was made already, and not billed again", Number(result.Repeated)),
            ("reports billed, each once", Number(result.Billed)),
            ("most questions to one service at once (limit " + Number(OriginationTerms.AtOnce) + ")", Number(result.MostAtOnce)),
            ("most questions to one service in a minute (limit " + Number(OriginationTerms.PerMinute) + ")", Number(result.MostInMinute)),
            ("attempts of steps (5 steps an application)", Number(result.Attempts)),
            ("answer 202, p50 ms", Number(result.AnswerP50)),
            ("answer 202, p99 ms", Number(result.AnswerP99)),
            ("page before it, p99 ms", Number(result.PageIdleP99)),
            ("page meanwhile, p50 ms", Number(result.PageP50)),
            ("page meanwhile, p99 ms", Number(result.PageP99)),
            ("bulk request, lines a second", Number(result.BulkLinesPerSecond)),
        ];
        var text = new StringBuilder();
        foreach (var (what, seen) in rows)
            text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"{what,-66} {seen,10}"));
        foreach (var fault in result.Faults.GroupBy(fault => fault, StringComparer.Ordinal).Take(20))
            text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"NOT WELL: {fault.Key} ({fault.Count()} times)"));
        return text.ToString();
    }

    private static string Number(double value) => value.ToString(Math.Abs(value) >= 100 || value == Math.Floor(value) ? "#,0" : "0.0", CultureInfo.InvariantCulture);

    public static string Json(IReadOnlyList<Scene> scenes, string builds) => JsonSerializer.Serialize(new { builds, well = scenes.All(scene => scene.IsWell), scenes }, s_json);
}
