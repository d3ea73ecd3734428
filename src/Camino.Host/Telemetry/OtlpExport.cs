using Camino.Host.Configuration;
using Camino.Jobs;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Camino.Host.Telemetry;

/// <summary>
/// Traces, metrics and logs by OTLP, when the standard environment variables name an endpoint (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and its relatives); nothing at all otherwise.
/// One trace goes from the request through the insert of the job to the job on whichever server and its statements.
/// </summary>
internal sealed class OtlpExport : IDisposable
{
    private static readonly string[] s_endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"];

    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;

    private OtlpExport(ResourceBuilder resource)
    {
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .SetSampler(new ParentBasedSampler(new WorkOnly()))
            .AddSource("Microsoft.AspNetCore", "System.Net.Http", "Npgsql", JobTelemetry.Name)
            .AddOtlpExporter()
            .Build();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Health.MetricsText.Meters)
            .AddOtlpExporter()
            .Build();
    }

    /// <summary>Whether anybody wants to hear.</summary>
    public static bool IsWanted =>
        !string.Equals(Environment.GetEnvironmentVariable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)
        && s_endpoints.Any(name => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)));

    /// <summary>The standard variables for the host's own configuration, where the exporter of logs looks for them.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> Variables() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().Where(entry => ((string)entry.Key).StartsWith("OTEL_", StringComparison.Ordinal)).Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value));

    /// <summary>Begins to export; null when nobody wants to hear. Dispose it last: what is still held is sent then.</summary>
    public static OtlpExport? Start(HostSettings settings) => IsWanted ? new OtlpExport(ResourceOf(settings)) : null;

    /// <summary>Log lines of the process, as far as they may leave it: no SQL parameters, no request paths.</summary>
    public static void AddLogs(ILoggingBuilder logging, HostSettings settings)
    {
        if (!IsWanted)
            return;
        logging.AddOpenTelemetry(options =>
        {
            options.IncludeScopes = true;
            options.IncludeFormattedMessage = true;
            options.SetResourceBuilder(ResourceOf(settings));
            options.AddOtlpExporter();
        });
        logging.AddFilter<OpenTelemetryLoggerProvider>(null, LogLevel.Information);
        logging.AddFilter<OpenTelemetryLoggerProvider>("Microsoft", LogLevel.Warning);
        logging.AddFilter<OpenTelemetryLoggerProvider>("Microsoft.EntityFrameworkCore.Database.Command", LogLevel.Error);
        logging.AddFilter<OpenTelemetryLoggerProvider>("Npgsql", LogLevel.Error);
        logging.AddFilter<OpenTelemetryLoggerProvider>(CompanyScheme.FrameworkLog, LogLevel.None);
    }

    public void Dispose()
    {
        _traces.Dispose();
        _metrics.Dispose();
    }

    private static ResourceBuilder ResourceOf(HostSettings settings) => ResourceBuilder.CreateDefault()
        .AddService(settings.Role == Role.BackOffice ? "camino-backoffice" : "camino-async", serviceNamespace: "camino", serviceVersion: Release.Name, autoGenerateServiceInstanceId: false, serviceInstanceId: FormattableString.Invariant($"{Environment.MachineName}/{Environment.ProcessId}"))
        .AddAttributes([new("camino.role", settings.Role.ToString()), new("camino.release", (long)Release.Number)])
        .AddEnvironmentVariableDetector();

    /// <summary>Begins a trace for what was asked for, not for every look into the queue: a statement that belongs to no request and no job is no trace of its own.</summary>
    private sealed class WorkOnly : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
            new(samplingParameters.Kind == System.Diagnostics.ActivityKind.Client ? SamplingDecision.Drop : SamplingDecision.RecordAndSample);
    }
}
