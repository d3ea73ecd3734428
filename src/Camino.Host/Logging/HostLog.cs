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
        var json = settings.Log.Format == LogFormat.Json || (settings.Log.Format == LogFormat.Auto && Console.IsOutputRedirected);
        var configuration = Configure(settings);
        configuration = json
            ? configuration.WriteTo.Console(new JsonFormatter(renderMessage: true))
            : configuration.WriteTo.Console(outputTemplate: Text, formatProvider: System.Globalization.CultureInfo.InvariantCulture);
        return configuration.CreateLogger();
    }

    /// <summary>What is written, whoever reads it: levels that keep personal data out, role and release on every line.</summary>
    public static LoggerConfiguration Configure(HostSettings settings)
    {
        var level = Enum.Parse<LogEventLevel>(settings.Log.Level.ToString());
        return new LoggerConfiguration()
            .MinimumLevel.Is(level)
            .MinimumLevel.Override("Microsoft", Max(level, LogEventLevel.Warning))
            .MinimumLevel.Override("Microsoft.Hosting.Lifetime", Max(level, LogEventLevel.Information))
            // these two write SQL parameters and request paths, which may hold personal data
            .MinimumLevel.Override("Microsoft.EntityFrameworkCore.Database.Command", LogEventLevel.Error)
            .MinimumLevel.Override("Npgsql", LogEventLevel.Error)
            // and this one what the company's identity provider said about somebody; CompanyScheme says what happened
            .MinimumLevel.Override(CompanyScheme.FrameworkLog, LogEventLevel.Fatal)
            .Enrich.FromLogContext()
            .Enrich.WithProperty("Role", settings.Role.ToString())
            .Enrich.WithProperty("Release", Release.Name);
    }

    private static LogEventLevel Max(LogEventLevel a, LogEventLevel b) => a > b ? a : b;
}
