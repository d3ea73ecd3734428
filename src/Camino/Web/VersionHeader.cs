using System.Globalization;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.AspNetCore.Http;

namespace Camino.Web;

/// <summary>The version of something as the API says it: the ETag of an answer, and If-Match of a request that changes what was looked at.</summary>
internal static class VersionHeader
{
    /// <summary>The answer is about this version.</summary>
    /// <param name="isRepeated">The answer of an earlier request with the same key.</param>
    public static void Mark(HttpContext context, int version, bool isRepeated = false)
    {
        context.Response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");
        if (isRepeated)
            context.Response.Headers["Idempotency-Replayed"] = "true";
    }

    /// <summary>The version that was looked at; null: whatever it is now (<c>*</c>).</summary>
    /// <param name="of">What has the version, as codes name it: <c>loan</c>.</param>
    /// <param name="hasSteps">Its tags count steps behind the version (<c>"3-1"</c>), which are no business of a change.</param>
    /// <exception cref="RefusedException"><c>*.version_missing</c>, <c>*.version</c>.</exception>
    public static int? Read(HttpContext context, string of, bool hasSteps = false)
    {
        var given = context.Request.Headers.IfMatch.ToString().Trim();
        Refuse.If(given.Length == 0, of + ".version_missing", "The header If-Match is missing: the ETag of what was looked at, or * for whatever it is now.");
        if (given == "*")
            return null;
        var text = given.Trim('"');
        return int.TryParse(hasSteps ? text.Split('-')[0] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version : throw new RefusedException(of + ".version", $"If-Match is an ETag such as {(hasSteps ? "\"3-1\"" : "\"3\"")}, or *; got {InputText.Short(given)}.");
    }
}
