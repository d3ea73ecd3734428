using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Camino.Clients;
using Camino.Host.Configuration;
using Camino.Host.Releases;

namespace Camino.Host.Limits;

/// <summary>How often somebody may ask: sign-ins and what applicants do by their links by address, everything else by who is signed in. API clients have limits of their own (<see cref="ClientGate"/>).</summary>
internal static class RateLimits
{
    public static void AddRateLimits(this IServiceCollection services, LimitsSettings limits) => services.AddRateLimiter(limiter =>
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => RouteClasses.Of(context.Request) == RouteClass.Always || context.Features.Get<KnownClient>() is not null
            ? RateLimitPartition.GetNoLimiter("")
            : context.Request.Path.StartsWithSegments("/sign-in/company", StringComparison.Ordinal)
            ? InAMinute("company " + context.Connection.RemoteIpAddress, limits.SignInsAMinute)
            : context.Request.Path.StartsWithSegments("/sign-in", StringComparison.Ordinal) && HttpMethods.IsPost(context.Request.Method)
            ? InAMinute("sign-in " + context.Connection.RemoteIpAddress, limits.SignInsAMinute)
            : context.Request.Path.StartsWithSegments("/upload", StringComparison.Ordinal)
            ? InAMinute("upload " + context.Connection.RemoteIpAddress, limits.SignInsAMinute)
            : context.Request.Path.StartsWithSegments("/offer", StringComparison.Ordinal)
            ? InAMinute("offer " + context.Connection.RemoteIpAddress, limits.SignInsAMinute)
            : context.Request.Path.StartsWithSegments("/signature", StringComparison.Ordinal)
            ? InAMinute("signature " + context.Connection.RemoteIpAddress, limits.PerUserAMinute)
            : context.User.FindFirstValue(ClaimTypes.NameIdentifier) is { } user
            ? InAMinute("user " + user, limits.PerUserAMinute)
            : RateLimitPartition.GetNoLimiter(""));
        limiter.OnRejected = async (rejected, _) =>
        {
            var seconds = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)) : 10;
            await TooManyAsync(rejected.HttpContext, seconds);
        };
    });

    /// <summary>The same number of tries by address, for what is answered before the limiter's turn comes.</summary>
    public static PartitionedRateLimiter<HttpContext> OfAnswers(LimitsSettings limits) =>
        PartitionedRateLimiter.Create<HttpContext, string>(context => InAMinute("answer " + context.Connection.RemoteIpAddress, limits.SignInsAMinute));

    /// <summary>Says so, with the time after which asking again makes sense.</summary>
    public static Task TooManyAsync(HttpContext context, int seconds) =>
        Shed.AnswerAsync(context, seconds, "request.too_many", string.Create(CultureInfo.InvariantCulture, $"Too many requests in a minute; ask again in {seconds} s."), StatusCodes.Status429TooManyRequests);

    private static RateLimitPartition<string> InAMinute(string who, int permits) => RateLimitPartition.GetSlidingWindowLimiter(who, _ => new SlidingWindowRateLimiterOptions
    {
        PermitLimit = permits,
        Window = TimeSpan.FromMinutes(1),
        SegmentsPerWindow = 6,
        QueueLimit = 0,
    });
}
