#if HANGFIRE
using System.Globalization;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Web;

namespace Camino.Host;

/// <summary>Stores an audit entry before an act on Hangfire's dashboard reaches it: what is not stored is not done.</summary>
internal sealed class DashboardAudit(RequestDelegate next, string dashboard)
{
    private const int MostJobs = 1_000;

    /// <summary>The dashboard asks for its figures with POST, every few seconds.</summary>
    private const string Figures = "/stats";

    public async Task InvokeAsync(HttpContext context, CaminoDb db, TimeProvider clock)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method) && context.Request.Path.StartsWithSegments(dashboard, StringComparison.OrdinalIgnoreCase, out var rest)
            && !rest.Equals(Figures, StringComparison.OrdinalIgnoreCase) && context.User.May(Permissions.JobsAll))
        {
            var jobs = context.Request.HasFormContentType ? (await context.Request.ReadFormAsync(context.RequestAborted))["jobs[]"].Select(NumberOf).OfType<long>().Take(MostJobs).ToArray() : [];
            db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), context.User.Id(), "hangfire.asked", "hangfire", Plain(rest), JsonSerializer.Serialize(new { jobs }, JsonSerializerOptions.Web)));
            await db.SaveChangesAsync(context.RequestAborted);
        }

        await next(context);
    }

    private static long? NumberOf(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Hangfire's own words and numbers; anything else that somebody typed into a path becomes a star.</summary>
    private static string Plain(PathString path) =>
        string.Join('/', (path.Value ?? "").Split('/').Take(8).Select(part => part.Length <= 40 && part.All(letter => letter is >= 'a' and <= 'z' or >= '0' and <= '9' or '-') ? part : "*"));
}
#endif
