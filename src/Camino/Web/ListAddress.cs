using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Camino.Web;

/// <summary>Reads from an address which part of a list is wanted, and in which order; what cannot be read is left out.</summary>
public readonly struct ListAddress(IQueryCollection query)
{
    /// <summary>1 to 100 characters that the database can hold, or null.</summary>
    public string? Text(string key) => query[key].ToString().Trim() is { Length: > 0 and <= 100 } text && !text.Contains('\0', StringComparison.Ordinal) ? text : null;

    /// <summary>A whole number within limits, or null.</summary>
    public int? Whole(string key, int least, int most) =>
        int.TryParse(Text(key), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;

    /// <summary>A day as <c>2026-11-27</c>, or null.</summary>
    public DateOnly? Day(string key) => DateOnly.TryParseExact(Text(key), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    /// <summary>A sum as people write it, below a trillion, or null.</summary>
    public decimal? Sum(string key) =>
        decimal.TryParse(Text(key)?.Replace(",", "", StringComparison.Ordinal).TrimStart('$'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var sum) && sum < 1_000_000_000_000m ? sum : null;

    /// <summary>One of the names, in any case, or null.</summary>
    public T? Name<T>(string key)
        where T : struct, Enum => Text(key) is { } text ? Named<T>(text) : null;

    /// <summary>The order: a name, turned round by a hyphen before it; the first of the names when there is none.</summary>
    public (T Sort, bool Reverse) Sort<T>()
        where T : struct, Enum
    {
        var text = Text("sort") ?? "";
        return (Named<T>(text.TrimStart('-')) ?? default, text.StartsWith('-'));
    }

    private static T? Named<T>(string text)
        where T : struct, Enum =>
        text.Length > 0 && !char.IsDigit(text[0]) && Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) ? value : null;
}

/// <summary>Writes what <see cref="ListAddress"/> reads: <c>?state=CA&amp;sort=amount</c>; empty where there is nothing to say.</summary>
public sealed class ListAddressWriter
{
    private readonly QueryBuilder _query = [];

    /// <summary>Leaves out what is null.</summary>
    public ListAddressWriter Add(string key, string? value)
    {
        if (value is not null)
            _query.Add(key, value);
        return this;
    }

    /// <inheritdoc cref="Add(string, string)"/>
    public ListAddressWriter Add(string key, DateOnly? value) => Add(key, value?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    /// <inheritdoc cref="Add(string, string)"/>
    public ListAddressWriter Add<T>(string key, T? value)
        where T : struct, Enum => Add(key, value?.ToString().ToLowerInvariant());

    /// <summary>The order, where it is not the usual one.</summary>
    public ListAddressWriter Sort<T>(T sort, bool reverse)
        where T : struct, Enum =>
        EqualityComparer<T>.Default.Equals(sort, default) && !reverse ? this : Add("sort", (reverse ? "-" : "") + sort.ToString().ToLowerInvariant());

    /// <summary>The place where a page begins, where there is one.</summary>
    public string ToQuery(string? cursorName, string? cursor) => (cursorName is null ? this : Add(cursorName, cursor)).ToString();

    /// <inheritdoc/>
    public override string ToString() => _query.ToString();
}

/// <summary>Where a page of a list begins: the sort value and the id of the row next to it.</summary>
/// <param name="Value">As text in invariant form; null where the row has none (those come last).</param>
/// <param name="Backward">The rows before it are wanted, not those after it.</param>
public sealed record ListCursor(string? Value, Guid Id, bool Backward)
{
    /// <summary>What an address says: <c>after</c>, else <c>before</c>, else the beginning.</summary>
    public static ListCursor? Of(string? after, string? before) => Read(after, backward: false) ?? Read(before, backward: true);

    /// <summary>Reads what <see cref="ToString"/> wrote; anything else is no cursor.</summary>
    public static ListCursor? Read(string? text, bool backward)
    {
        if (text?.LastIndexOf('~') is not { } cut || cut < 0)
            return null;
        return Guid.TryParse(text[(cut + 1)..], out var id) ? new ListCursor(cut == 0 ? null : text[..cut], id, backward) : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Value}~{Id}";
}

/// <summary>One page of a list.</summary>
/// <param name="Count">Counted up to <see cref="ListPage.CountedAtMost"/>.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
/// <param name="Previous">Where the page before ends; null on the first.</param>
public sealed record ListPage<TLine>(IReadOnlyList<TLine> Lines, int Count, ListCursor? Next, ListCursor? Previous)
{
    /// <summary>There are more than were counted.</summary>
    public bool CountIsCapped => Count >= ListPage.CountedAtMost;
}

/// <summary>How lists are cut into pages.</summary>
public static class ListPage
{
    /// <summary>Lines of one page.</summary>
    public const int Size = 50;

    /// <summary>Where counting stops.</summary>
    public const int CountedAtMost = 10_001;

    /// <summary>A page without lines.</summary>
    public static ListPage<TLine> Empty<TLine>() => new([], 0, null, null);

    /// <summary>Makes a page of the lines that were read from a cursor on, in the order they were read.</summary>
    /// <param name="lines">At most one more than <see cref="Size"/>.</param>
    /// <param name="cursorOf">The cursor of a line; true for backward.</param>
    public static ListPage<TLine> Cut<TLine>(List<TLine> lines, int count, ListCursor? cursor, Func<TLine, bool, ListCursor> cursorOf)
    {
        var more = lines.Count > Size;
        if (more)
            lines.RemoveAt(Size);
        var backward = cursor is { Backward: true };
        if (backward)
            lines.Reverse();
        var hasNext = lines.Count > 0 && (backward || more);
        var hasPrevious = lines.Count > 0 && (backward ? more : cursor is not null);
        return new ListPage<TLine>(lines, count, hasNext ? cursorOf(lines[^1], false) : null, hasPrevious ? cursorOf(lines[0], true) : null);
    }
}
