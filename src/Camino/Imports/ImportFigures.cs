using System.Text.Json;
using System.Text.Json.Serialization;

namespace Camino.Imports;

/// <summary>Sums of the money columns over a set of rows; null where the file has no such column.</summary>
public sealed record AmountSums
{
    public decimal? Disbursed { get; set; }
    public decimal? Approved { get; set; }
    public decimal? Guaranteed { get; set; }
    public decimal? ChargedOff { get; set; }
    public decimal? Balance { get; set; }

    /// <summary>Zero for each money column that the layout has, null for the others.</summary>
    public static AmountSums For(Layout layout)
    {
        decimal? Zero(LoanField field) => layout.Columns.Any(c => c.Field == field) ? 0m : null;
        return new AmountSums
        {
            Disbursed = Zero(LoanField.Disbursed),
            Approved = Zero(LoanField.Approved),
            Guaranteed = Zero(LoanField.Guaranteed),
            ChargedOff = Zero(LoanField.ChargedOff),
            Balance = Zero(LoanField.Balance),
        };
    }

    /// <summary>Adds one row's amounts.</summary>
    public void Add(LoanFacts facts)
    {
        if (facts.Disbursed is { } disbursed) Disbursed = (Disbursed ?? 0m) + disbursed;
        if (facts.Approved is { } approved) Approved = (Approved ?? 0m) + approved;
        if (facts.Guaranteed is { } guaranteed) Guaranteed = (Guaranteed ?? 0m) + guaranteed;
        if (facts.ChargedOff is { } chargedOff) ChargedOff = (ChargedOff ?? 0m) + chargedOff;
        if (facts.Balance is { } balance) Balance = (Balance ?? 0m) + balance;
    }
}

/// <summary>Counts and sums of one pass over a file. <c>Imported + Unchanged + Corrected + Rejected = Rows</c>, always.</summary>
public sealed record ImportFigures
{
    /// <summary>Data rows read so far.</summary>
    public long Rows { get; set; }

    /// <summary>Stored without correction: new, or in place of another content.</summary>
    public long Imported { get; set; }

    /// <summary>Already there with the same content.</summary>
    public long Unchanged { get; set; }

    /// <summary>Stored, with at least one value changed by a stated rule.</summary>
    public long Corrected { get; set; }

    /// <summary>Not stored; line, column, value and reason are kept.</summary>
    public long Rejected { get; set; }

    /// <summary>Of the imported and corrected ones: loans that were not there before.</summary>
    public long New { get; set; }

    /// <summary>Of the imported and corrected ones: loans that were there with other content.</summary>
    public long Changed { get; set; }

    /// <summary>Sums over imported, unchanged and corrected rows.</summary>
    public AmountSums Accepted { get; set; } = new();

    /// <summary>Sums over rejected rows, as far as their amounts could be read.</summary>
    public AmountSums RejectedSums { get; set; } = new();

    /// <summary>How often each finding stood: <c>code|column</c> to count.</summary>
    public SortedDictionary<string, long> Findings { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Figures at the beginning of a pass.</summary>
    public static ImportFigures For(Layout layout) => new() { Accepted = AmountSums.For(layout), RejectedSums = AmountSums.For(layout) };

    /// <summary>Exact JSON: amounts as numbers with their cents.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ImportJson.Default.ImportFigures);

    /// <summary>Reads what <see cref="ToJson"/> wrote; null gives null.</summary>
    public static ImportFigures? FromJson(string? json) => json is null ? null : JsonSerializer.Deserialize(json, ImportJson.Default.ImportFigures);

    /// <summary>Counts the findings of one row.</summary>
    public void Count(IReadOnlyList<Finding> findings)
    {
        for (var i = 0; i < findings.Count; i++)
        {
            var key = $"{findings[i].Code}|{findings[i].Column}";
            Findings[key] = Findings.GetValueOrDefault(key) + 1;
        }
    }
}

/// <summary>JSON of what imports store, made at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ImportFigures))]
[JsonSerializable(typeof(List<Finding>))]
[JsonSerializable(typeof(IReadOnlyList<Finding>))]
[JsonSerializable(typeof(FileShape))]
[JsonSerializable(typeof(Layout))]
public sealed partial class ImportJson : JsonSerializerContext;
