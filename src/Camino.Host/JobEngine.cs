using Camino.Host.Configuration;
using Camino.Jobs;
using Npgsql;
#if HANGFIRE
using Camino.Jobs.Hangfire;
using Camino.Web;
#endif

namespace Camino.Host;

/// <summary>The engine that carries the jobs, as <c>Jobs:Engine</c> says: Camino's own, or Hangfire where the program was built with <c>-p:JobEngine=Hangfire</c>.</summary>
internal static class JobEngine
{
    /// <summary>Where Hangfire's dashboard stands in the Back Office.</summary>
    public const string DashboardPath = "/hangfire";

    /// <summary>Everything about the engine that the settings get wrong, as sentences; empty when all is well.</summary>
    public static IReadOnlyList<string> Faults(HostSettings settings, JobServerOptions? server)
    {
        if (!IsHangfire(settings))
            return [];
#if HANGFIRE
        if (server is null)
            return [];
        // each worker has one connection for its errand and one to look for the next; the rest is for the engine itself
        var least = (2 * server.Slots) + 8;
        return settings.Database.MaxPoolSize >= least
            ? HangfireServices.Faults(server)
            : [FormattableString.Invariant($"Database:MaxPoolSize is {settings.Database.MaxPoolSize}; with the engine Hangfire and {server.Slots} slots it must be at least {least}.")];
#else
        return ["Jobs:Engine is \"Hangfire\", and this program was built without that engine; build it with -p:JobEngine=Hangfire (docs/engines.md), or set it to \"Camino\" in both configuration files."];
#endif
    }

    /// <summary>The Async Server: who brings the jobs.</summary>
    public static void AddTo(IServiceCollection services, HostSettings settings, JobServerOptions server)
    {
#if HANGFIRE
        if (IsHangfire(settings))
            services.AddHangfireCarrier(server);
#endif
    }

    /// <summary>The Back Office: what Hangfire's dashboard needs.</summary>
    public static void AddDashboardTo(IServiceCollection services, HostSettings settings)
    {
#if HANGFIRE
        if (IsHangfire(settings))
            services.AddHangfireDashboardFor();
#endif
    }

    /// <summary>Hangfire's dashboard: who may read jobs may look, who may act on everybody's jobs may press its buttons, each press in the audit trail first.</summary>
    public static void MapDashboard(WebApplication app, HostSettings settings)
    {
#if HANGFIRE
        if (!IsHangfire(settings))
            return;
        app.UseMiddleware<DashboardAudit>(DashboardPath); // the user is known and may see the dashboard by here
        app.MapHangfireDashboardFor(DashboardPath, context => context.User.May(Permissions.JobsAll)).RequireAuthorization(Permissions.JobsRead);
#endif
    }

    /// <summary>After a migration: the database hands its jobs to this engine and to no other.</summary>
    /// <param name="source">As the owner of the tables.</param>
    public static async Task PrepareAsync(NpgsqlDataSource source, HostSettings settings, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
#if HANGFIRE
        if (IsHangfire(settings))
        {
            await HangfireHandOver.InstallAsync(connection, ct: ct);
            return;
        }
#endif
        await JobSchema.TakeBackAsync(connection, ct: ct);
    }

    /// <summary>Null when this database's jobs reach the engine of the settings, else a sentence that says what to run.</summary>
    public static async Task<string?> WhyNotAsync(NpgsqlConnection connection, HostSettings settings, string configFile, CancellationToken ct)
    {
#if HANGFIRE
        if (settings.Role == Role.Async && IsHangfire(settings))
            return await HangfireHandOver.WhyNotAsync(connection, configFile, ct: ct);
#endif
        await Task.CompletedTask;
        return null;
    }

    private static bool IsHangfire(HostSettings settings) => settings.Jobs.Engine != JobsSettings.OwnEngine;
}
