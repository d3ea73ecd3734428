using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Imports;
using Camino.Lending;
using Camino.Servicing;

namespace Camino.Tasks;

/// <summary>Where a task stands. The values are stored and never change.</summary>
public enum TaskState
{
    /// <summary>Somebody has to do it.</summary>
    Open = 0,

    /// <summary>It was done.</summary>
    Done = 1,

    /// <summary>Nobody has to do it any more.</summary>
    Cancelled = 2,
}

/// <summary>What a task or a note is about. The values are stored and never change; the names stand in addresses and in the audit trail.</summary>
public enum SubjectKind
{
    /// <summary>A borrower.</summary>
    Borrower = 1,

    /// <summary>A loan application.</summary>
    Application = 2,

    /// <summary>A loan of the serviced book.</summary>
    Loan = 3,
}

/// <summary>What happened to a task. The values are stored and never change.</summary>
public enum TaskAct
{
    /// <summary>It was made.</summary>
    Added = 1,

    /// <summary>It was given to somebody, or back to everybody.</summary>
    Assigned = 2,

    /// <summary>It is due on another day, or on none.</summary>
    Due = 3,

    /// <summary>Somebody wrote something about it.</summary>
    Comment = 4,

    /// <summary>It was done.</summary>
    Done = 5,

    /// <summary>It was cancelled.</summary>
    Cancelled = 6,

    /// <summary>It has to be done after all.</summary>
    Reopened = 7,
}

/// <summary>A new task, as people and programs give it.</summary>
public sealed record TaskInput
{
    /// <summary>What is to be done: 1 to 200 characters.</summary>
    public string? Title { get; init; }

    /// <summary>More about it: up to 4,000 characters, in as many lines as it takes.</summary>
    public string? Detail { get; init; }

    /// <summary>Until which day: from today on, at most ten years ahead, such as 2026-03-01; left out where it does not matter.</summary>
    public string? DueOn { get; init; }

    /// <summary>Whose it is: the id of a user; left out for whoever comes first.</summary>
    public string? Assignee { get; init; }

    /// <summary><c>borrower</c>, <c>application</c> or <c>loan</c>; left out for a task about nothing in particular.</summary>
    public string? Subject { get; init; }

    /// <summary>The id of what it is about; given with <see cref="Subject"/> and only then.</summary>
    public string? SubjectId { get; init; }
}

/// <summary>What became of a task.</summary>
/// <param name="State"><c>open</c>, <c>done</c> or <c>cancelled</c>.</param>
/// <param name="Version">Counts the acts; the next one says which it looked at.</param>
public sealed record TaskAnswer(Guid TaskId, string State, int Version)
{
    /// <summary>The task that follows; left out where none does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Guid? FollowUp { get; init; }

    /// <summary>Whether this is the answer of an earlier request with the same key.</summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }

    internal static TaskAnswer Repeated(string answer) =>
        (JsonSerializer.Deserialize<TaskAnswer>(answer, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored answer is empty.")) with { IsRepeated = true };
}

/// <summary>Texts and days of tasks and notes, read and checked.</summary>
internal static class TaskWords
{
    public const int LongestTitle = 200;
    public const int LongestText = 4_000;

    /// <summary>Years ahead that something can be due.</summary>
    private const int YearsAhead = 10;

    /// <exception cref="RefusedException"><c>input.title</c>.</exception>
    public static string Title(string? text)
    {
        var title = InputText.Text("title", Plain(text), LongestTitle);
        Refuse.If(title.Any(char.IsControl), "input.title", "title is one line of text, without control characters.");
        return title;
    }

    /// <exception cref="RefusedException"><c>input.{name}</c>.</exception>
    public static string Text(string name, string? text) => InputText.Text(name, Plain(text), LongestText);

    /// <exception cref="RefusedException"><c>input.{name}</c>.</exception>
    public static string? Optional(string name, string? text) => string.IsNullOrWhiteSpace(text) ? null : Text(name, text);

    /// <summary>A day from yesterday (it is today somewhere) to ten years ahead.</summary>
    /// <exception cref="RefusedException"><c>input.dueOn</c>.</exception>
    public static DateOnly? DueOn(string? text, DateTimeOffset now)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        var day = InputText.Date("dueOn", text);
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var last = today.AddYears(YearsAhead);
        Refuse.If(day < today.AddDays(-1) || day > last, "input.dueOn", $"dueOn is a day from {today:yyyy-MM-dd} to {last:yyyy-MM-dd}; got {day:yyyy-MM-dd}.");
        return day;
    }

    /// <exception cref="RefusedException"><c>input.assignee</c>.</exception>
    public static Guid? Assignee(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        return Guid.TryParse(text.Trim(), out var id) ? id : throw new RefusedException("input.assignee", $"assignee is the id of a user; got {InputText.Short(text)}.");
    }

    /// <exception cref="RefusedException"><c>input.subject</c>, <c>input.subjectId</c>.</exception>
    public static (SubjectKind Kind, Guid Id)? Subject(string? kind, string? id)
    {
        if (string.IsNullOrWhiteSpace(kind) && string.IsNullOrWhiteSpace(id))
            return null;
        var found = Kind(kind) ?? throw new RefusedException("input.subject", $"subject is borrower, application or loan; got {InputText.Short(kind)}.");
        return Guid.TryParse(id?.Trim(), out var subject) ? (found, subject) : throw new RefusedException("input.subjectId", $"subjectId is the id of the {Word(found)}; got {InputText.Short(id)}.");
    }

    /// <summary>The kind of that name, or null.</summary>
    public static SubjectKind? Kind(string? word) => word?.Trim() switch
    {
        "borrower" => SubjectKind.Borrower,
        "application" => SubjectKind.Application,
        "loan" => SubjectKind.Loan,
        _ => null,
    };

    /// <summary>As addresses and the audit trail call it.</summary>
    public static string Word(SubjectKind kind) => kind switch
    {
        SubjectKind.Borrower => "borrower",
        SubjectKind.Application => "application",
        SubjectKind.Loan => "loan",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>As programs read it.</summary>
    public static string Word(TaskState state) => Words.Camel(state);

    /// <summary>The page that shows a subject.</summary>
    public static string Page(SubjectKind kind, Guid id) => string.Create(CultureInfo.InvariantCulture, $"/{(kind == SubjectKind.Borrower ? "borrowers" : kind == SubjectKind.Application ? "applications" : "servicing")}/{id}");

    /// <summary>As browsers and programs send it, with one kind of line end.</summary>
    private static string? Plain(string? text) => text is null ? null : StorableText.Of(text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n'));
}
