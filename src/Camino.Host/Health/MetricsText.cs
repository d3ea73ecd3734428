using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Camino.Host.Configuration;

namespace Camino.Host.Health;

/// <summary>
/// What the meters of the process measured, as Prometheus text when somebody asks. Counters are summed, histograms keep count, sum and buckets,
/// observable instruments are read at the moment of the question. What was never measured is named all the same, so that a rule that names it can be checked.
/// </summary>
internal sealed class MetricsText : IDisposable
{
    /// <summary>The meters that are told, here and by OTLP.</summary>
    public static string[] Meters { get; } = ["Camino", "Camino.Jobs", "Npgsql", "System.Runtime", "System.Net.Http", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting"];

    /// <summary>Upper bounds of the buckets of times, in seconds, and of counts.</summary>
    private static readonly double[] s_seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
    private static readonly double[] s_counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

    /// <summary>Series at most; a label that explodes must not eat the memory of the process.</summary>
    private const int MaxSeries = 5_000;

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, Series> _series = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _families = new(StringComparer.Ordinal);
    private readonly HostSettings _settings;

    public MetricsText(HostSettings settings)
    {
        _settings = settings;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!Meters.Contains(instrument.Meter.Name, StringComparer.Ordinal))
                return;
            _families[Clean(instrument.Name)] = TypeOf(KindOf(instrument));
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

        foreach (var (name, type) in _families.Where(known => _series.Values.All(series => series.Name != known.Key)).OrderBy(known => known.Key, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {type}\n");
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
            series = _series.GetOrAdd(id, new Series(name, labels.ToString(), KindOf(instrument), instrument.Unit == "s" ? s_seconds : s_counts));
        }

        series.Add(value);
    }

    private static SeriesKind KindOf(Instrument instrument)
    {
        var type = instrument.GetType().Name;
        return type.StartsWith("Histogram", StringComparison.Ordinal) ? SeriesKind.Buckets
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
        Buckets,
    }

    private static string TypeOf(SeriesKind kind) => kind switch { SeriesKind.Buckets => "histogram", SeriesKind.CounterSum or SeriesKind.CounterRead => "counter", _ => "gauge" };

    private sealed class Series(string name, string labels, SeriesKind kind, double[] bounds)
    {
        private readonly Lock _lock = new();
        private double _value;
        private readonly long[] _buckets = kind == SeriesKind.Buckets ? new long[bounds.Length] : [];
        private long _count;

        public string Name => name;
        public string Labels => labels;
        public string Type => TypeOf(kind);

        public void Add(double value)
        {
            lock (_lock)
            {
                _count++;
                for (var i = _buckets.Length - 1; i >= 0 && value <= bounds[i]; i--)
                    _buckets[i]++;
                _value = kind is SeriesKind.CounterRead or SeriesKind.GaugeRead ? value : _value + value;
            }
        }

        public void Write(StringBuilder text)
        {
            lock (_lock)
            {
                var braces = labels.Length == 0 ? "" : $"{{{labels}}}";
                if (kind != SeriesKind.Buckets)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{braces} {_value:R}\n");
                    return;
                }

                var before = labels.Length == 0 ? "" : labels + ",";
                for (var i = 0; i < _buckets.Length; i++)
                    text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"{bounds[i]}\"}} {_buckets[i]}\n");
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"+Inf\"}} {_count}\n{name}_count{braces} {_count}\n{name}_sum{braces} {_value:R}\n");
            }
        }
    }
}

/// <summary><c>GET /metrics</c>.</summary>
internal static class MetricsEndpoint
{
    /// <summary>Prometheus text. On the Back Office it needs an administrator or a key like everything else; the Async Server listens inside only.</summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/metrics", async (MetricsText metrics, DatabaseFigures figures, CancellationToken ct) =>
        {
            await figures.RefreshAsync(ct);
            return Results.Text(metrics.Write(), "text/plain; version=0.0.4; charset=utf-8");
        }).ExcludeFromDescription();
}
