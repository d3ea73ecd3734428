using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Jobs;

/// <summary>The connections of a server: statements may go through a transaction pooler, the listener may not.</summary>
/// <param name="Engine">Claims, results and heartbeat; 4 connections at most, besides those that handlers use.</param>
/// <param name="Listener">One connection that stays; straight to the database.</param>
/// <param name="KeepsStatements">
/// Whether a connection of <paramref name="Engine"/> stays with one session of the database, so that the claim's statements are parsed and planned once for each.
/// Not so behind a transaction pooler.
/// </param>
public sealed record JobConnections(NpgsqlDataSource Engine, NpgsqlDataSource Listener, bool KeepsStatements = false);

/// <summary>Adds the engine to a host.</summary>
public static class JobServices
{
    /// <summary>Lists the kinds of this process: <c>jobs.Add&lt;AgeLoan, AgeLoan.Handler&gt;()</c>. May be called more than once; all land in one registry.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services, Action<JobRegistry> add)
    {
        var registry = RegistryOf(services);
        add(registry);
        foreach (var kind in registry.Kinds)
        {
            if (kind.HandlerType is not null)
                services.TryAddScoped(kind.HandlerType);
        }
        return services;
    }

    /// <summary>Both roles: <see cref="JobWriter"/> and <see cref="JobStore"/> on the host's <see cref="NpgsqlDataSource"/>.</summary>
    /// <exception cref="ArgumentException">an option is out of range; the message says which and what is allowed.</exception>
    public static IServiceCollection AddJobClient(this IServiceCollection services, Action<JobClientOptions>? configure = null)
    {
        var options = new JobClientOptions();
        configure?.Invoke(options);
        if (options.Validate() is { Count: > 0 } faults)
            throw new ArgumentException(string.Join(' ', faults), nameof(configure));

        RegistryOf(services);
        services.TryAddSingleton(options);
        services.TryAddSingleton(provider => new JobWriter(provider.GetRequiredService<JobClientOptions>(), provider.GetRequiredService<JobRegistry>(), provider.GetService<ILogger<JobWriter>>()));
        services.TryAddSingleton(provider => new JobStore(provider.GetRequiredService<NpgsqlDataSource>(), provider.GetRequiredService<JobClientOptions>(), provider.GetService<ILogger<JobStore>>()));
        return services;
    }

    /// <summary>Lists recurring jobs and calendars. May be called more than once; all land in one list, which a server works off.</summary>
    public static IServiceCollection AddJobSchedules(this IServiceCollection services, Action<JobSchedules> add)
    {
        if (services.FirstOrDefault(service => service.ServiceType == typeof(JobSchedules))?.ImplementationInstance is not JobSchedules schedules)
        {
            schedules = new JobSchedules();
            services.AddSingleton(schedules);
        }
        add(schedules);
        return services;
    }

    /// <summary>The Async role only: takes and runs jobs. Calls <see cref="AddJobClient"/> when that was not done.</summary>
    /// <param name="options">Checked here.</param>
    /// <param name="connections">
    /// Data sources of the engine's own, so that handlers cannot starve it; null: the host's <see cref="NpgsqlDataSource"/> for all.
    /// </param>
    /// <exception cref="ArgumentException">an option is out of range; the message says which and what is allowed.</exception>
    public static IServiceCollection AddJobServer(
        this IServiceCollection services, JobServerOptions options, Func<IServiceProvider, JobConnections>? connections = null)
    {
        if (options.Validate() is { Count: > 0 } faults)
            throw new ArgumentException(string.Join(' ', faults), nameof(options));

        services.AddJobClient();
        services.AddJobSchedules(_ => { });
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(options);
        services.TryAddSingleton(provider => new JobMetrics(provider.GetService<IMeterFactory>()));
        services.TryAddSingleton(connections ?? Shared);
        services.TryAddSingleton<JobServer>();
        services.TryAddSingleton<IJobServerState>(provider => provider.GetRequiredService<JobServer>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<JobServer>());
        return services;
    }

    private static JobConnections Shared(IServiceProvider provider)
    {
        var source = provider.GetRequiredService<NpgsqlDataSource>();
        return new JobConnections(source, source);
    }

    /// <summary>One registry for each collection, filled while the host is put together.</summary>
    private static JobRegistry RegistryOf(IServiceCollection services)
    {
        if (services.FirstOrDefault(service => service.ServiceType == typeof(JobRegistry))?.ImplementationInstance is JobRegistry existing)
            return existing;
        var registry = new JobRegistry();
        services.AddSingleton(registry);
        return registry;
    }
}
