using System.Globalization;
using System.Net.Sockets;
using Camino.Data;
using Camino.Host.Configuration;
using Camino.Host.Logging;
using Camino.Host.Telemetry;
using Npgsql;
using Serilog;

namespace Camino.Host;

/// <summary>What both roles do around their work: refuse a database outside the schema window, serve, end cleanly.</summary>
internal static partial class RoleProcess
{
    /// <summary>Serves until SIGTERM, Ctrl-C or the end of the process that <c>CAMINO_PARENT_PID</c> names.</summary>
    /// <returns>0 after a clean stop; 1 when a part of the host failed or the database is outside the window.</returns>
    public static async Task<int> ServeAsync(HostSettings settings, string configPath, Func<HostSettings, string, NpgsqlDataSource, Serilog.ILogger, WebApplication> build)
    {
        await using var log = HostLog.Create(settings);
        await using var source = Database.Connect(settings, settings.Role.ToString());
        // the database is asked while the parts of the host are put together
        var asked = Task.Run(() => WhyNotStartAsync(source, settings, configPath));
        using var export = OtlpExport.Start(settings);
        await using var app = build(settings, configPath, source, log);
        if (await asked is { } refusal)
        {
            log.Fatal("{Refusal}", refusal);
            await Console.Error.WriteLineAsync(refusal);
            return 1;
        }

        using var parent = WatchParent(app.Lifetime);
        try
        {
            await app.RunAsync();
            return Environment.ExitCode;
        }
        catch (Exception refused) when (WhyNotListening(refused) is { } reason)
        {
            var sentence = $"{configPath}: Web:Urls is {settings.Web.Urls}; {reason}";
            log.Fatal("{Refusal}", sentence);
            await Console.Error.WriteLineAsync(sentence);
            return 1;
        }
    }

    /// <summary>Why the web server could not listen where Web:Urls says; null when something else failed.</summary>
    private static string? WhyNotListening(Exception refused) => refused switch
    {
        IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } => "another program listens there already.",
        SocketException unusable => $"this machine cannot listen there ({unusable.Message}).",
        InvalidOperationException or FormatException or NotSupportedException when refused.StackTrace?.Contains("Kestrel", StringComparison.Ordinal) == true => $"that is no address to listen on ({refused.Message})",
        _ => null,
    };

    /// <summary>A builder without the framework's own configuration sources: one file decides, and it is read already.</summary>
    public static WebApplicationBuilder Builder(HostSettings settings, string configPath, NpgsqlDataSource source, Serilog.ILogger log)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "camino", ContentRootPath = AppContext.BaseDirectory, EnvironmentName = Environments.Production });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(OtlpExport.Variables()); // nothing else comes from the environment past HostConfig
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        builder.Logging.AddSerilog(log);
        OtlpExport.AddLogs(builder.Logging, settings);
        builder.WebHost.UseUrls(settings.Web.Urls.Split(';'));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(settings.Web.ShutdownSeconds));
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(new Health.ConfigPath(configPath));
        builder.Services.AddSingleton<Health.Readiness>();
        builder.Services.AddSingleton<Health.WarmUp>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddDatabase(source);
        return builder;
    }

    private static async Task<string?> WhyNotStartAsync(NpgsqlDataSource source, HostSettings settings, string configPath)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync();
            return SchemaWindow.Refusal(await SchemaWindow.ReadAsync(connection, CancellationToken.None), configPath)
                ?? await JobEngine.WhyNotAsync(connection, settings, configPath, CancellationToken.None);
        }
        catch (NpgsqlException silent)
        {
            return $"{configPath}: the database of Database:ConnectionString cannot be reached ({silent.Message}).";
        }
    }

    /// <summary>Ends the role when the process that started it is gone, so that a killed <c>camino up</c> leaves no server behind.</summary>
    internal static Timer? WatchParent(IHostApplicationLifetime lifetime)
    {
        if (!int.TryParse(Environment.GetEnvironmentVariable("CAMINO_PARENT_PID"), CultureInfo.InvariantCulture, out var pid))
            return null;
        var started = StartOf(pid);
        return new Timer(_ =>
        {
            if (StartOf(pid) is not { } now || now != started)
                lifetime.StopApplication();
        }, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    private static DateTime? StartOf(int pid)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            return process.HasExited ? null : process.StartTime;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
