using System.Globalization;

namespace Camino.Imports;

/// <summary>Collects what is found in one row. The list is made only when there is something to put in.</summary>
internal sealed class RowFindings
{
    private List<Finding>? _list;

    public bool Rejects { get; private set; }

    public bool Corrects { get; private set; }

    public IReadOnlyList<Finding> List => _list ?? (IReadOnlyList<Finding>)[];

    /// <summary>Starts a new row; the old list belongs to whoever took it.</summary>
    public void Clear()
    {
        _list = null;
        Rejects = Corrects = false;
    }

    public void Reject(string code, string column, ReadOnlySpan<byte> value, string? limit = null) =>
        Add(new Finding(code, column, Shown.Text(value), limit, NewValue: null));

    /// <summary>A whole-row reason: what there is and what there should be.</summary>
    public void RejectCount(string code, long found, long limit) =>
        Add(new Finding(code, "", found.ToString(CultureInfo.InvariantCulture), limit.ToString(CultureInfo.InvariantCulture), NewValue: null));

    public void Drop(string code, string column, ReadOnlySpan<byte> value, string? limit = null) =>
        Add(new Finding(code, column, Shown.Text(value), limit, ""));

    public void Correct(string code, string column, ReadOnlySpan<byte> value, string? newValue, string? limit = null)
    {
        var old = Shown.Text(value);
        var now = Shown.Text(newValue ?? "");

        // A change beyond the hundredth character would look like none.
        Add(new Finding(code, column, string.Equals(old, now, StringComparison.Ordinal) ? old + " " : old, limit, now));
    }

    /// <summary>Kept as it is, but worth a look.</summary>
    public void Note(string code, string column, string value, string? limit = null) => Add(new Finding(code, column, value, limit, value));

    private void Add(Finding finding)
    {
        (_list ??= []).Add(finding);
        Rejects |= finding.Rejects;
        Corrects |= finding.Corrects;
    }
}
