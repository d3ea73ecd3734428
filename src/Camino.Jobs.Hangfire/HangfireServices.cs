using Hangfire;
using Hangfire.AspNetCore;
using Hangfire.Dashboard;
using Hangfire.Logging;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Jobs.Hangfire;

/// <summary>Puts Hangfire behind the job contract.</summary>
public static class HangfireServices
{
    /// <summary>The Async role, before or after <see cref="JobServices.AddJobServer"/>: Hangfire's workers bring the jobs.</summary>
    /// <exception cref="ArgumentException">an option asks for what Hangfire cannot do; the message says which and what is allowed.</exception>
    public static IServiceCollection AddHangfireCarrier(this IServiceCollection services, JobServerOptions options)
    {
        if (Faults(options) is { Count: > 0 } faults)
            throw new ArgumentException(string.Join(' ', faults), nameof(options));
        AddStorage(services);
        services.AddSingleton<IJobCarrierFactory, Factory>();
        return services;
    }

    /// <summary>The Back Office: what the dashboard reads.</summary>
    public static IServiceCollection AddHangfireDashboardFor(this IServiceCollection services)
    {
        AddStorage(services);
        services.AddHangfire((provider, configuration) => configuration.UseStorage(provider.GetRequiredService<HangfireStorage>().Storage));
        return services;
    }

    /// <summary>Hangfire's dashboard as an endpoint; who may see it is for the caller to say, by the policy of the endpoint.</summary>
    /// <param name="path">Where it stands.</param>
    /// <param name="mayAct">Asked at every request; false: everything can be looked at and nothing pressed.</param>
    public static IEndpointConventionBuilder MapHangfireDashboardFor(this IEndpointRouteBuilder endpoints, string path, Func<HttpContext, bool> mayAct) =>
        endpoints.MapHangfireDashboard(path, new DashboardOptions
        {
            Authorization = [], // not the default, which lets everybody in who comes from this machine
            IsReadOnlyFunc = context => !mayAct(context.GetHttpContext()),
            AppPath = "/jobs",
            DashboardTitle = "Camino",
            DisplayStorageConnectionString = false,
        });

    /// <summary>Every option that Hangfire cannot honour, as sentences; what it cannot do is refused and never done less well in silence.</summary>
    /// <param name="section">What stands before a key, for example <c>Jobs</c>.</param>
    public static IReadOnlyList<string> Faults(JobServerOptions options, string section = "Jobs")
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = new List<string>();
        if (options.Order != JobOrder.Strict)
            faults.Add($"{section}:Order is {options.Order}; with the engine Hangfire it must be Strict.");
        if (options.AgeingSeconds != 0)
            faults.Add(FormattableString.Invariant($"{section}:AgeingSeconds is {options.AgeingSeconds}; with the engine Hangfire, which knows no ageing, it must be 0."));
        for (var place = 0; place < options.Queues.Count; place++)
        {
            if (options.Queues[place].MaxSlots is { } most)
                faults.Add(FormattableString.Invariant($"{section}:Queues:{place}:MaxSlots is {most}; with the engine Hangfire it must be left out."));
        }

        return faults;
    }

    private static void AddStorage(IServiceCollection services)
    {
        services.TryAddSingleton(provider =>
        {
            LogProvider.SetCurrentLogProvider(new AspNetCoreLogProvider(provider.GetRequiredService<ILoggerFactory>()));
            return new HangfireStorage(provider.GetRequiredService<NpgsqlDataSource>(), provider.GetRequiredService<JobClientOptions>());
        });
    }

    private sealed class Factory(HangfireStorage storage) : IJobCarrierFactory
    {
        public IJobCarrier Make(CarrierParts parts) => new HangfireCarrier(parts, storage);
    }
}
