using Camino.Host.Configuration;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Json;

namespace Camino.Host.Logging;

/// <summary>One log for both roles: JSON lines in production, text on a terminal; role and release on every line, trace, request and job id where there is one.</summary>
internal static class HostLog
{
    private const string Text = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Role} {Message:lj}  {TraceId} {JobId}{NewLine}{Exception}";

    /// <summary>The logger of this process; dispose it last, so that nothing is lost.</summary>
    public static Logger Create(HostSettings settings)
    {
        var level = Enum.Parse<LogEventLevel>(settings.Log.Level.ToString());
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(level)
            .MinimumLevel.Override("Microsoft", Max(level, LogEventLevel.Warning))
            .MinimumLevel.Override("Microsoft.Hosting.Lifetime", Max(level, LogEventLevel.Information))
            // these two write SQL parameters and request paths, which may hold personal data
            .MinimumLevel.Override("Microsoft.EntityFrameworkCore.Database.Command", LogEventLevel.Error)
            .MinimumLevel.Override("Npgsql", LogEventLevel.Error)
            .Enrich.FromLogContext()
            .Enrich.WithProperty("Role", settings.Role.ToString())
            .Enrich.WithProperty("Release", Release.Name);
        var json = settings.Log.Format == LogFormat.Json || (settings.Log.Format == LogFormat.Auto && Console.IsOutputRedirected);
        configuration = json
            ? configuration.WriteTo.Console(new JsonFormatter(renderMessage: true))
            : configuration.WriteTo.Console(outputTemplate: Text, formatProvider: System.Globalization.CultureInfo.InvariantCulture);
        return configuration.CreateLogger();
    }

    private static LogEventLevel Max(LogEventLevel a, LogEventLevel b) => a > b ? a : b;
}
