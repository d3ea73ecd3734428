using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Camino.Host.Configuration;

namespace Camino.Host.Health;

/// <summary>
/// What the meters of the process measured, as Prometheus text when somebody asks. Counters are summed, histograms keep count and sum,
/// observable instruments are read at the moment of the question.
/// </summary>
internal sealed class MetricsText : IDisposable
{
    private static readonly string[] s_meters = ["Camino", "Camino.Jobs", "Npgsql", "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel"];

    /// <summary>Series at most; a label that explodes must not eat the memory of the process.</summary>
    private const int MaxSeries = 5_000;

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, Series> _series = new(StringComparer.Ordinal);
    private readonly HostSettings _settings;

    public MetricsText(HostSettings settings)
    {
        _settings = settings;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (s_meters.Contains(instrument.Meter.Name, StringComparer.Ordinal))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>Everything measured so far.</summary>
    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# TYPE camino_info gauge\ncamino_info{{role=\"{_settings.Role}\",release=\"{Release.Name}\"}} 1\n");
        string? family = null;
        foreach (var series in _series.Values.OrderBy(s => s.Name, StringComparer.Ordinal).ThenBy(s => s.Labels, StringComparer.Ordinal))
        {
            if (series.Name != family)
            {
                family = series.Name;
                text.Append(CultureInfo.InvariantCulture, $"# TYPE {series.Name} {series.Type}\n");
            }

            series.Write(text);
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new StringBuilder();
        foreach (var (key, tag) in tags)
        {
            if (key is "network.peer.address" or "server.address" or "db.client.connection.pool.name" or "url.path")
                continue;
            labels.Append(labels.Length == 0 ? "" : ",").Append(Clean(key)).Append("=\"").Append(Convert.ToString(tag, CultureInfo.InvariantCulture)?.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('"');
        }

        var name = Clean(instrument.Name);
        var id = $"{name}{{{labels}}}";
        if (!_series.TryGetValue(id, out var series))
        {
            if (_series.Count >= MaxSeries)
                return;
            series = _series.GetOrAdd(id, new Series(name, labels.ToString(), KindOf(instrument)));
        }

        series.Add(value);
    }

    private static SeriesKind KindOf(Instrument instrument)
    {
        var type = instrument.GetType().Name;
        return type.StartsWith("Histogram", StringComparison.Ordinal) ? SeriesKind.Summary
            : type.StartsWith("ObservableCounter", StringComparison.Ordinal) ? SeriesKind.CounterRead
            : type.StartsWith("Observable", StringComparison.Ordinal) || type.StartsWith("Gauge", StringComparison.Ordinal) ? SeriesKind.GaugeRead
            : type.StartsWith("UpDownCounter", StringComparison.Ordinal) ? SeriesKind.GaugeSum
            : SeriesKind.CounterSum;
    }

    private static string Clean(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private enum SeriesKind
    {
        CounterSum,
        CounterRead,
        GaugeSum,
        GaugeRead,
        Summary,
    }

    private sealed class Series(string name, string labels, SeriesKind kind)
    {
        private readonly Lock _lock = new();
        private double _value;
        private long _count;

        public string Name => name;
        public string Labels => labels;
        public string Type => kind switch { SeriesKind.Summary => "summary", SeriesKind.CounterSum or SeriesKind.CounterRead => "counter", _ => "gauge" };

        public void Add(double value)
        {
            lock (_lock)
            {
                _count++;
                _value = kind is SeriesKind.CounterRead or SeriesKind.GaugeRead ? value : _value + value;
            }
        }

        public void Write(StringBuilder text)
        {
            lock (_lock)
            {
                var braces = labels.Length == 0 ? "" : $"{{{labels}}}";
                if (kind == SeriesKind.Summary)
                    text.Append(CultureInfo.InvariantCulture, $"{name}_count{braces} {_count}\n{name}_sum{braces} {_value:R}\n");
                else
                    text.Append(CultureInfo.InvariantCulture, $"{name}{braces} {_value:R}\n");
            }
        }
    }
}

/// <summary><c>GET /metrics</c>.</summary>
internal static class MetricsEndpoint
{
    /// <summary>Prometheus text. On the Back Office it needs an administrator or a key like everything else; the Async Server listens inside only.</summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/metrics", (MetricsText metrics) => Results.Text(metrics.Write(), "text/plain; version=0.0.4; charset=utf-8")).ExcludeFromDescription();
}
