using Camino.Data;
using Camino.Host.Configuration;
using Camino.Host.Releases;
using Npgsql;

namespace Camino.Host.Health;

/// <summary>What both roles answer to the orchestrator.</summary>
internal static class HealthEndpoints
{
    /// <summary><c>/health/live</c> never touches the database; <c>/health/ready</c> asks it, compares the schema, and fails at once on SIGTERM.</summary>
    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/health/live", (HostSettings settings) => Results.Json(new Answer("live", settings.Role.ToString(), Release.Name, null))).AllowAnonymous().ExcludeFromDescription();
        endpoints.MapGet("/health/ready", ReadyAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private sealed record Answer(string Status, string Role, string Release, string? Reason)
    {
        public int Number { get; } = Host.Release.Number;
    }

    private static async Task<IResult> ReadyAsync(HostSettings settings, Readiness readiness, HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var reason = await readiness.WhyNotAsync(context.RequestAborted);
        return reason is null
            ? Results.Json(new Answer("ready", settings.Role.ToString(), Release.Name, null))
            : Results.Json(new Answer("not ready", settings.Role.ToString(), Release.Name, reason), statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}

/// <summary>Says whether this process may be given work.</summary>
internal sealed class Readiness(NpgsqlDataSource source, IHostApplicationLifetime lifetime, ConfigPath config, ReleaseStanding standing, WarmUp warmUp)
{
    /// <summary>Seconds after which a silent database counts as not there.</summary>
    private const int DatabaseSeconds = 2;

    /// <summary>Null when ready, else one sentence.</summary>
    public async Task<string?> WhyNotAsync(CancellationToken ct)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            return "The process is stopping.";
        if (standing.Reason is { } retired)
            return retired;
        if (warmUp.IsUnderWay)
            return "The process warms up.";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(DatabaseSeconds));
        try
        {
            await using var connection = await source.OpenConnectionAsync(limit.Token);
            return SchemaWindow.Refusal(await SchemaWindow.ReadAsync(connection, limit.Token), config.Path);
        }
        catch (Exception silent) when (silent is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            return "The database does not answer.";
        }
    }
}

/// <summary>The file that this process was started with, for sentences.</summary>
internal sealed record ConfigPath(string Path);
