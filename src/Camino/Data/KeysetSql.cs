using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Data;

/// <summary>What a list's statement is put together from. Values travel as parameters; only fixed words are joined.</summary>
internal sealed class KeysetSql(NpgsqlCommand command)
{
    private readonly List<string> _conditions = [];

    /// <summary>The conditions so far.</summary>
    public IReadOnlyList<string> Conditions => _conditions;

    /// <summary>One condition more, with its parameters.</summary>
    public void Add(string condition, params (string Name, object Value)[] values)
    {
        _conditions.Add(condition);
        foreach (var (name, value) in values)
            command.Parameters.AddWithValue(name, value);
    }

    /// <summary>The rows beyond a cursor in the order of a column and the id.</summary>
    /// <param name="value">The cursor's sort value as text.</param>
    /// <returns>Null when the text is no such value.</returns>
    public string? Beyond(string column, string id, NpgsqlDbType type, string? value, bool descending)
    {
        if (Parse(type, value) is not { } key)
            return null;
        command.Parameters.Add(new NpgsqlParameter("cursor_value", type) { Value = key });
        return $"({column}, {id}) {Sign(descending)} (@cursor_value, @cursor_id)";
    }

    /// <summary>What comes after a row in this order is...</summary>
    public static string Sign(bool descending) => descending ? "<" : ">";

    /// <inheritdoc cref="Sign"/>
    public static string Direction(bool descending) => descending ? "desc" : "asc";

    /// <summary>Joins conditions; nothing for none.</summary>
    public static string Where(IReadOnlyCollection<string> conditions) => conditions.Count == 0 ? "" : " where " + string.Join(" and ", conditions);

    /// <summary>A row count in a statement.</summary>
    public static string Rows(int count) => count.ToString(CultureInfo.InvariantCulture);

    /// <summary>Counts up to a limit.</summary>
    public static string Count(string from, IReadOnlyCollection<string> conditions, int most) => $"select count(*) from (select 1 from {from}{Where(conditions)} limit {Rows(most)}) counted";

    /// <summary>Words that begin so, all of them, in the language of full-text search; null when the text has no word.</summary>
    public static string? Beginnings(string text) => Words(text) is { Count: > 0 } words ? string.Join(" & ", words.Select(word => word + ":*")) : null;

    /// <summary>Runs of letters and digits, at most eight of 40 characters; nothing else reaches the search's own language.</summary>
    private static List<string> Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var c in text.ToLowerInvariant() + " ")
        {
            if (char.IsLetterOrDigit(c) && word.Length < 40)
            {
                word.Append(c);
            }
            else if (!char.IsLetterOrDigit(c) && word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }

        return [.. words.Take(8)];
    }

    private static object? Parse(NpgsqlDbType type, string? value) => type switch
    {
        NpgsqlDbType.Text => value,
        NpgsqlDbType.Numeric => decimal.TryParse(value, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
        NpgsqlDbType.Integer => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
        NpgsqlDbType.Date => DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Lists are sorted by texts, numbers and dates."),
    };
}
