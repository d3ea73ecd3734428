using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Jobs;

/// <summary>The kinds that this process knows, listed by hand: start-up can be read, and nothing is found by accident.</summary>
public sealed class JobRegistry
{
    private readonly Dictionary<string, JobKind> _kinds = new(StringComparer.Ordinal);
    private readonly List<JobKind> _inOrder = [];

    /// <summary>All kinds, in the order in which they were added.</summary>
    public IReadOnlyCollection<JobKind> Kinds => _inOrder;

    /// <summary>Adds a kind together with its handler: it can be enqueued and, on a server, run.</summary>
    /// <param name="aliases">Names that the kind had in earlier releases; rows that still have them are run by the same handler.</param>
    /// <exception cref="ArgumentException">the kind's name, queue, version, attempts or timeout is out of range, or the kind is already there.</exception>
    public JobRegistry Add<TArgs, THandler>(params string[] aliases)
        where TArgs : IJobArgs
        where THandler : class, IJobHandler<TArgs>
        => Put(Describe<TArgs>() with { HandlerType = typeof(THandler), Run = RunAsync<TArgs, THandler>, Aliases = [.. aliases.Select(alias => JobNames.Kind(alias))] });

    /// <summary>Adds a kind without a handler: this process may enqueue it, another runs it.</summary>
    /// <exception cref="ArgumentException">as for <see cref="Add{TArgs,THandler}"/>.</exception>
    public JobRegistry AddKind<TArgs>()
        where TArgs : IJobArgs
        => Put(Describe<TArgs>());

    /// <summary>Reads arguments of an older payload version: each converter leads from its version to the next, and all of them apply in turn.</summary>
    /// <param name="from">The version that the change starts from, 1 or more and under the kind's own.</param>
    /// <param name="change">Gets the arguments as they were stored and gives them as the next version has them.</param>
    /// <exception cref="ArgumentException">the kind is not there yet, or the version is out of range or there already.</exception>
    public JobRegistry Convert<TArgs>(int from, Func<JsonObject, JsonObject> change)
        where TArgs : IJobArgs
    {
        var kind = Find(TArgs.Kind) ?? throw new ArgumentException($"The kind '{TArgs.Kind}' is not registered yet; add it first.", nameof(change));
        if (from < 1 || from >= kind.Version)
            throw new ArgumentException($"from is {from}; '{kind.Name}' is version {kind.Version}, so it must be 1 to {kind.Version - 1}.", nameof(from));
        return kind.Converters.TryAdd(from, change) ? this : throw new ArgumentException($"'{kind.Name}' has a converter from version {from} already.", nameof(from));
    }

    /// <summary>The kind with that name, or null.</summary>
    public JobKind? Find(string kind) => _kinds.GetValueOrDefault(kind);

    internal static JobKind Describe<TArgs>()
        where TArgs : IJobArgs
    {
        var kind = new JobKind(JobNames.Kind(TArgs.Kind), TArgs.Version, TArgs.Queue, TArgs.Retry, TArgs.Timeout, typeof(TArgs));
        Check(kind);
        return kind;
    }

    private static void Check(JobKind kind)
    {
        JobNames.Queue(kind.Queue, $"{kind.Name}.Queue");
        if (kind.Version < 1)
            throw new ArgumentException($"{kind.Name}.Version is {kind.Version}; it must be 1 or more.", nameof(kind));
        if (kind.Retry.Attempts is < 1 or > 100)
            throw new ArgumentException($"{kind.Name}.Retry.Attempts is {kind.Retry.Attempts}; it must be 1 to 100.", nameof(kind));
        if (kind.Retry.First <= TimeSpan.Zero || kind.Retry.Longest < kind.Retry.First || kind.Retry.Longest > TimeSpan.FromDays(30))
            throw new ArgumentException($"{kind.Name}.Retry waits {kind.Retry.First} to {kind.Retry.Longest}; above zero, in that order, at most 30 days.", nameof(kind));
        if (kind.Timeout is { } timeout && (timeout < TimeSpan.FromSeconds(1) || timeout > TimeSpan.FromDays(7)))
            throw new ArgumentException($"{kind.Name}.Timeout is {timeout}; it must be 1 second to 7 days.", nameof(kind));
    }

    private JobRegistry Put(JobKind kind)
    {
        foreach (var name in kind.Names)
        {
            if (!_kinds.TryAdd(name, kind))
                throw new ArgumentException($"The kind '{name}' is registered twice: {_kinds[name].ArgsType.Name} and {kind.ArgsType.Name}.", nameof(kind));
        }
        _inOrder.Add(kind);
        return this;
    }

    private static async Task RunAsync<TArgs, THandler>(IServiceProvider services, string json, JobContext job, CancellationToken ct)
        where TArgs : IJobArgs
        where THandler : class, IJobHandler<TArgs>
    {
        TArgs args;
        try
        {
            args = JsonSerializer.Deserialize<TArgs>(json, JobJson.Options) ?? throw new JsonException("The arguments are null.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new JobUnreadableException(job.Kind, e);
        }
        await services.GetRequiredService<THandler>().RunAsync(args, job, ct);
    }
}

/// <summary>One kind as it was registered.</summary>
/// <param name="Name">Stable name, stored in rows.</param>
/// <param name="Version">The newest payload version that this process reads; it reads all older ones too.</param>
/// <param name="Queue">The queue used when the caller names none.</param>
/// <param name="Retry">Attempts and waits.</param>
/// <param name="Timeout">The longest attempt, or null.</param>
/// <param name="ArgsType">The type of the arguments.</param>
public sealed record JobKind(string Name, int Version, string Queue, JobRetry Retry, TimeSpan? Timeout, Type ArgsType)
{
    /// <summary>The handler, or null where this process only enqueues.</summary>
    public Type? HandlerType { get; init; }

    /// <summary>Names of earlier releases.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    internal Dictionary<int, Func<JsonObject, JsonObject>> Converters { get; } = [];

    /// <summary>Arguments as the newest version has them.</summary>
    /// <exception cref="JobUnreadableException">a converter refuses them.</exception>
    internal string Newest(string args, int version)
    {
        if (version >= Version || Converters.Count == 0)
            return args;
        try
        {
            var json = JsonNode.Parse(args)?.AsObject() ?? throw new JsonException("The arguments are null.");
            for (var at = version; at < Version; at++)
            {
                if (Converters.TryGetValue(at, out var convert))
                    json = convert(json);
            }
            return json.ToJsonString(JobJson.Options);
        }
        catch (Exception e)
        {
            throw new JobUnreadableException(Name, e);
        }
    }

    internal IEnumerable<string> Names => Aliases.Prepend(Name);

    internal Func<IServiceProvider, string, JobContext, CancellationToken, Task>? Run { get; init; }
}

/// <summary>The stored arguments do not fit the kind's type: another attempt would end the same way.</summary>
internal sealed class JobUnreadableException(string kind, Exception inner)
    : Exception($"The stored arguments cannot be read as those of '{kind}': {inner.Message}", inner);
