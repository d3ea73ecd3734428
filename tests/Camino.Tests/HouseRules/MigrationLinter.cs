using System.Text.RegularExpressions;

namespace Camino.Tests.HouseRules;

/// <summary>One thing in a migration that would hurt the release that is still running.</summary>
/// <param name="Rule">Stable name.</param>
/// <param name="Statement">The statement, shortened.</param>
internal sealed record MigrationFault(string Rule, string Statement);

/// <summary>
/// Expand and contract: a migration runs while the release before still works, so it only adds, and takes no lock for long. A table that the same migration makes is
/// nobody's yet and may be treated as it likes.
/// </summary>
internal static partial class MigrationLinter
{
    private static readonly (string Rule, Regex Pattern)[] Rules =
    [
        ("drop", Drop()),
        ("rename", Rename()),
        ("type-change", TypeChange()),
        ("not-null-without-check", NotNull()),
        ("column-not-null-without-default", ColumnNotNull()),
        ("foreign-key-without-not-valid", ForeignKey()),
        ("check-without-not-valid", Check()),
        ("index-without-concurrently", Index()),
        ("backfill-beside-ddl", Backfill()),
        ("own-lock-timeout", LockTimeout()),
    ];

    /// <summary>Every fault of one migration's script.</summary>
    public static IReadOnlyList<MigrationFault> Check(string script)
    {
        var statements = Split(script);
        var made = statements.Select(statement => CreateTable().Match(statement)).Where(match => match.Success).Select(match => match.Groups["table"].Value.Trim('"')).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var hasDdl = statements.Any(statement => Ddl().IsMatch(statement));
        var faults = new List<MigrationFault>();
        foreach (var statement in statements)
        {
            foreach (var (rule, pattern) in Rules)
            {
                var match = pattern.Match(statement);
                if (!match.Success || made.Contains(match.Groups["table"].Value.Trim('"')) || Excused(rule, statement, statements) || (rule == "backfill-beside-ddl" && !hasDdl))
                    continue;
                faults.Add(new MigrationFault(rule, statement.Length > 120 ? statement[..120] : statement));
            }
        }

        return faults;
    }

    /// <summary>What a migration that was killed half way left of an index is taken away before the index is made anew. NOT NULL is quick where a validated check says so already; NOT VALID is the point of the two constraint rules.</summary>
    private static bool Excused(string rule, string statement, IReadOnlyList<string> all) => rule switch
    {
        "drop" => MadeAnew().Match(statement) is { Success: true } gone && all.Any(other => other.StartsWith($"create index concurrently {gone.Groups["index"].Value} on ", StringComparison.OrdinalIgnoreCase)),
        "foreign-key-without-not-valid" or "check-without-not-valid" => statement.Contains("not valid", StringComparison.OrdinalIgnoreCase),
        "not-null-without-check" => all.Any(other => other.Contains("validate constraint", StringComparison.OrdinalIgnoreCase)),
        "column-not-null-without-default" => statement.Contains("default", StringComparison.OrdinalIgnoreCase) || statement.Contains("generated", StringComparison.OrdinalIgnoreCase),
        "index-without-concurrently" => statement.Contains("concurrently", StringComparison.OrdinalIgnoreCase),
        // the version of the schema is one row, and belongs into the same transaction
        "backfill-beside-ddl" => statement.Contains("schema_info", StringComparison.OrdinalIgnoreCase) || statement.Contains(".meta", StringComparison.OrdinalIgnoreCase) || statement.Contains("migrations_history", StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    /// <summary>Statements without comments and without the bodies of functions, each on one line.</summary>
    private static List<string> Split(string script)
    {
        var text = Bodies().Replace(Comments().Replace(script, " "), "''");
        return [.. text.Split(';').Select(statement => Spaces().Replace(statement, " ").Trim()).Where(statement => statement.Length > 0)];
    }

    [GeneratedRegex(@"--[^\n]*|/\*.*?\*/", RegexOptions.Singleline, 5_000)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\$(?<tag>\w*)\$.*?\$\k<tag>\$", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Bodies();

    [GeneratedRegex(@"\s+", RegexOptions.None, 5_000)]
    private static partial Regex Spaces();

    [GeneratedRegex("""^create (unlogged )?table (if not exists )?(?<table>[\w."]+)""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex CreateTable();

    [GeneratedRegex(@"^drop index concurrently if exists (\w+\.)?(?<index>\w+)$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex MadeAnew();

    [GeneratedRegex(@"^(create|alter|drop) ", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Ddl();

    [GeneratedRegex("""^(drop (table|schema|view|materialized view|sequence|type|index|function|routine|trigger)|truncate|alter table (if exists )?(only )?(?<table>[\w."]+)[^;]*\bdrop (column|constraint)\b)""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Drop();

    [GeneratedRegex("""^alter (table|index|view|sequence|schema|type)[^;]*\brename\b""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Rename();

    [GeneratedRegex("""^alter table (if exists )?(only )?(?<table>[\w."]+)[^;]*\balter (column )?[\w"]+ (set data )?type\b""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex TypeChange();

    [GeneratedRegex("""^alter table (if exists )?(only )?(?<table>[\w."]+)[^;]*\bset not null\b""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex NotNull();

    [GeneratedRegex("""^alter table (if exists )?(only )?(?<table>[\w."]+) add (column )?(if not exists )?(?!constraint)[^;]*\bnot null\b""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex ColumnNotNull();

    [GeneratedRegex("""^alter table (if exists )?(only )?(?<table>[\w."]+)[^;]*\bforeign key\b""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex ForeignKey();

    [GeneratedRegex("""^alter table (if exists )?(only )?(?<table>[\w."]+) add constraint [\w"]+ check\b""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Check();

    [GeneratedRegex("""^create (unique )?index\b[^;]*? on (only )?(?<table>[\w."]+)""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Index();

    [GeneratedRegex("""^(update|delete from) (only )?(?<table>[\w."]+)|^insert into (?<table>[\w."]+)[^;]*\bselect\b""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Backfill();

    [GeneratedRegex(@"\bset (local |session )?lock_timeout\b", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex LockTimeout();
}
