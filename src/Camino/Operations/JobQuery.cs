using System.Globalization;
using Camino.Jobs;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.AspNetCore.Http;

namespace Camino.Operations;

/// <summary>What the list of jobs is limited to, as it stands in an address; the page, the API, the command line and bulk acts read it alike.</summary>
public static class JobQuery
{
    private const int LongestText = 200;

    private static readonly string[] s_known = ["q", "state", "queue", "kind", "tag", "key", "by", "parent", "cause", "open", "from", "to"];

    /// <summary>Reads the known words of a query; what cannot be a value limits nothing.</summary>
    public static JobFilter Read(IQueryCollection query)
    {
        string? Text(string name) => query[name].FirstOrDefault()?.Trim() is { Length: > 0 and <= LongestText } text && !text.Contains('\0', StringComparison.Ordinal) ? text : null;
        return Read(Text);
    }

    /// <summary>Reads the words that an earlier <see cref="Words"/> gave.</summary>
    public static JobFilter Read(IReadOnlyDictionary<string, string> words) => Read(name => words.GetValueOrDefault(name));

    /// <summary>The same for an act on all that match: what cannot be read, or is no word of a filter, must not widen it.</summary>
    /// <exception cref="RefusedException"><c>job.filter</c>: which word, what was given, what it can be.</exception>
    public static JobFilter ReadForAct(IReadOnlyDictionary<string, string> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        foreach (var (word, value) in words)
        {
            Refuse.If(!s_known.Contains(word, StringComparer.Ordinal), "job.filter", $"A filter has no {InputText.Short(word)}; it has {string.Join(", ", s_known)}.");
            var given = value ?? "";
            Refuse.If(given.Length is 0 or > LongestText || given.Contains('\0', StringComparison.Ordinal), "job.filter", $"{word} of a filter has 1 to {LongestText} characters; got {given.Length}.");
        }

        var filter = Read(words);
        var read = filter.Words();
        foreach (var (word, value) in words)
            Refuse.If(!read.ContainsKey(word) && (word, value) is not ("open", "false"), "job.filter", $"{word} of a filter cannot be {InputText.Short(value)}.");
        return filter;
    }

    /// <summary>The same for a page, whose address has words of its own beside those of the filter.</summary>
    /// <exception cref="RefusedException"><c>job.filter</c>.</exception>
    public static JobFilter ReadForAct(IQueryCollection query) =>
        ReadForAct(s_known.Select(word => (Word: word, Value: query[word].FirstOrDefault()?.Trim())).Where(one => one.Value is { Length: > 0 }).ToDictionary(one => one.Word, one => one.Value ?? "", StringComparer.Ordinal));

    /// <summary>The filter as words of a query, without what it does not limit.</summary>
    public static IReadOnlyDictionary<string, string> Words(this JobFilter filter)
    {
        var words = new Dictionary<string, string>(StringComparer.Ordinal);
        void Add(string name, string? value)
        {
            if (value is not null)
                words[name] = value;
        }

        Add("q", filter.Text);
        Add("state", filter.State?.ToString().ToLowerInvariant());
        Add("queue", filter.Queue);
        Add("kind", filter.Kind);
        Add("tag", filter.Tag);
        Add("key", filter.UniqueKey);
        Add("by", filter.RequestedBy);
        Add("parent", filter.ParentId?.ToString());
        Add("cause", filter.Cause);
        Add("open", filter.Unacknowledged ? "true" : null);
        Add("from", filter.From?.ToString("O", CultureInfo.InvariantCulture));
        Add("to", filter.To?.ToString("O", CultureInfo.InvariantCulture));
        return words;
    }

    /// <summary>The filter as a query with its question mark; empty where nothing is limited.</summary>
    /// <param name="more">Further words, as pairs; null values are left out.</param>
    public static string ToQuery(this JobFilter filter, params (string Name, string? Value)[] more)
    {
        var parts = filter.Words().Select(word => (Name: word.Key, Value: (string?)word.Value)).Concat(more)
            .Where(word => word.Value is not null).Select(word => $"{word.Name}={Uri.EscapeDataString(word.Value ?? "")}").ToList();
        return parts.Count == 0 ? "" : "?" + string.Join('&', parts);
    }

    /// <summary>True when nothing is limited.</summary>
    public static bool IsEmpty(this JobFilter filter) => filter.Words().Count == 0;

    private static JobFilter Read(Func<string, string?> word)
    {
        var text = word("q");
        return new JobFilter(
            Enum.TryParse<JobState>(word("state"), ignoreCase: true, out var state) && Enum.IsDefined(state) ? state : null,
            word("queue"),
            word("kind"))
        {
            Text = text is { Length: >= 2 } ? text : null,
            Tag = word("tag"),
            UniqueKey = word("key"),
            RequestedBy = word("by"),
            ParentId = Guid.TryParse(word("parent"), out var parent) ? parent : null,
            Cause = word("cause"),
            Unacknowledged = word("open") == "true",
            From = Time(word("from")),
            To = Time(word("to")),
        };
    }

    private static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
