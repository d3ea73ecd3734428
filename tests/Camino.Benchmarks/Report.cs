using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Camino.Benchmarks;

/// <summary>What one run measured: figures beside their limits and peers, checks of the results, remarks.</summary>
internal sealed class Report(string bench, bool quick)
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly List<Figure> _figures = [];
    private readonly List<(string What, bool Right)> _checks = [];
    private readonly List<string> _remarks = [];
    private readonly string _loadBefore = Load();

    /// <summary>Whether the smaller run was asked for.</summary>
    public bool Quick => quick;

    /// <summary>Whether every measured result was also the right result.</summary>
    public bool IsRight => _checks.TrueForAll(check => check.Right);

    /// <summary>Adds a figure.</summary>
    public void Add(Figure figure) => _figures.Add(figure);

    /// <summary>Notes that a result was compared with what it must be.</summary>
    public void Check(string what, bool right) => _checks.Add((what, right));

    /// <summary>Says something that a reader of the figures must know.</summary>
    public void Remark(string text) => _remarks.Add(text);

    /// <summary>Progress, for the one who waits.</summary>
    public void Say(string line) => Console.Error.WriteLine($"{bench}: {line}");

    /// <summary>A table for people.</summary>
    public string ToText()
    {
        string[][] rows = [["figure", "value", "limit", "beside", ""], .. _figures.Select(Cells)];
        var widths = Enumerable.Range(0, 5).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        text.AppendLine(Machine());
        foreach (var row in rows)
            text.AppendLine($"{row[0].PadRight(widths[0])}  {row[1].PadLeft(widths[1])}  {row[2].PadRight(widths[2])}  {row[3].PadRight(widths[3])}  {row[4]}".TrimEnd());
        foreach (var (what, right) in _checks)
            text.AppendLine($"{(right ? "right" : "WRONG")}: {what}");
        foreach (var remark in _remarks)
            text.AppendLine(remark);
        return text.ToString().TrimEnd();
    }

    /// <summary>The same as one JSON object.</summary>
    public string ToJson()
    {
        var figures = new JsonObject();
        foreach (var figure in _figures)
            figures.Add(figure.Key, figure.ToJson());
        return new JsonObject
        {
            ["bench"] = bench,
            ["quick"] = quick,
            ["right"] = IsRight,
            ["machine"] = Machine(),
            ["figures"] = figures,
            ["checks"] = new JsonArray([.. _checks.Select(check => new JsonObject { ["what"] = check.What, ["right"] = check.Right })]),
            ["remarks"] = new JsonArray([.. _remarks.Select(remark => JsonValue.Create(remark))]),
        }.ToJsonString(Json);
    }

    private string Machine() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Environment.ProcessorCount} cores, {RuntimeInformation.FrameworkDescription}, load {_loadBefore} before and {Load()} after{(quick ? ", quick run" : "")}");

    /// <summary>How busy the machine was in the last minute: 2.00 means two programs that want to run at any time.</summary>
    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    private static string[] Cells(Figure figure) =>
        [figure.What, $"{Figure.Show(figure.Value)} {figure.Unit}", figure.LimitText, figure.Beside ?? "", figure.IsMet switch { true => "met", false => "MISSED", null => "" }];
}

/// <summary>One number that was measured.</summary>
/// <param name="Key">Its name in JSON.</param>
/// <param name="What">Its name for people.</param>
/// <param name="Unit">rows/s, s, ms, MB, x.</param>
/// <param name="Beside">The peer of the same run, in words.</param>
internal sealed record Figure(string Key, string What, double Value, string Unit, string? Beside = null)
{
    /// <summary>The aim, where less would be too little.</summary>
    public double? AtLeast { get; init; }

    /// <summary>The aim, where more would be too much.</summary>
    public double? AtMost { get; init; }

    /// <summary>Null where there is no aim.</summary>
    public bool? IsMet => AtLeast is { } least ? Value >= least : AtMost is { } most ? Value <= most : null;

    /// <summary>The aim in words.</summary>
    public string LimitText => AtLeast is { } least ? $"at least {Show(least)}" : AtMost is { } most ? $"at most {Show(most)}" : "";

    /// <summary>Three digits that count, thousands in groups.</summary>
    public static string Show(double value) => value.ToString(Math.Abs(value) switch { >= 100 => "#,0", >= 10 => "0.0", >= 1 => "0.00", _ => "0.000" }, CultureInfo.InvariantCulture);

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["what"] = What, ["value"] = Math.Round(Value, 4), ["unit"] = Unit };
        if (AtLeast is { } least)
            json["atLeast"] = least;
        if (AtMost is { } most)
            json["atMost"] = most;
        if (IsMet is { } met)
            json["met"] = met;
        if (Beside is not null)
            json["beside"] = Beside;
        return json;
    }
}
