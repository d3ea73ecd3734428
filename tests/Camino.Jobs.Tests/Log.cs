using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Camino.Jobs.Tests;

/// <summary>One line of the log with what stood around it.</summary>
internal sealed record LogLine(int Event, LogLevel Level, string Text, IReadOnlyDictionary<string, object?> Scope);

/// <summary>Keeps every line of the engine's log.</summary>
internal sealed class Log : ILoggerProvider, ISupportExternalScope
{
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public ConcurrentQueue<LogLine> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => new Writer(this);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    private sealed class Writer(Log log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => log._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var around = new Dictionary<string, object?>(StringComparer.Ordinal);
            log._scopes.ForEachScope((scope, all) =>
            {
                if (scope is IEnumerable<KeyValuePair<string, object?>> properties)
                {
                    foreach (var (name, value) in properties)
                        all[name] = value;
                }
            }, around);
            log.Lines.Enqueue(new LogLine(eventId.Id, logLevel, formatter(state, exception), around));
        }
    }
}
