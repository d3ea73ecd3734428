using Camino.Host.Configuration;
using Camino.Host.Health;
using Camino.Host.Logging;
using Npgsql;

namespace Camino.Host;

/// <summary>The Async Server: works the queues; serves nothing but health and metrics.</summary>
internal static class AsyncRole
{
    public static WebApplication Build(HostSettings settings, string configPath, NpgsqlDataSource source, Serilog.ILogger log)
    {
        var builder = RoleProcess.Builder(settings, configPath, source, log);
        builder.Services.AddRoutingCore();
        builder.Services.AddAuthorization();
        builder.Services.AddSingleton<MetricsText>();
        builder.Services.AddCaminoFigures();
        builder.Services.AddCaminoApplication(settings);
        builder.Services.AddCaminoRelease(settings);
        builder.Services.AddCaminoJobServer(settings);

        var app = builder.Build();
        app.Services.GetRequiredService<MetricsText>(); // it counts from here on, whoever asks when
        app.UseMiddleware<RequestLog>();
        app.MapHealth();
        app.MapMetrics();
        return app;
    }
}
