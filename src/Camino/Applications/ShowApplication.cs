using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Borrowers;
using Camino.Lending;
using Camino.Lending.Applications;
using Npgsql;

namespace Camino.Applications;

/// <param name="Kind"><c>sanctions</c></param>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>done</c>, <c>failed</c> (another attempt follows) or <c>cancelled</c>.</param>
/// <param name="Problem">What the last attempt ran into; never personal data.</param>
/// <param name="Result">Ids, counts and codes.</param>
/// <param name="OwnerId">The owner that it is about; null: the business.</param>
public sealed record StepView(Guid Id, string Kind, Guid? OwnerId, string State, int Attempts, string? Problem, JsonElement? Result, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt);

/// <summary>An application as the one who handed it in sees it: a task with a state and an end.</summary>
/// <param name="State">RECEIVED, IN_PROGRESS, DONE, FAILED, CANCELLED or EXPIRED.</param>
/// <param name="Step">Where exactly it stands: <c>received</c>, <c>checking</c>, <c>underwriting</c>, <c>offered</c>, <c>accepted</c>, <c>booked</c>, <c>declined</c>, <c>withdrawn</c>, <c>expired</c>, <c>cancelled</c> or <c>failed</c>.</param>
/// <param name="Progress">0 to 100.</param>
/// <param name="Result">How it ended, as <paramref name="Step"/> says it; null while it is open.</param>
/// <param name="LoanId">The loan that it became.</param>
/// <param name="ResultRemovedAt">When the time was over for which the client sees results: result, loan and steps are left out for it from then on.</param>
public sealed record ApplicationTask(
    Guid Id, string Number, string? ExternalId, string State, string Step, int Progress, string? Result, int Version, DateTimeOffset ReceivedAt, DateTimeOffset ChangedAt, DateTimeOffset ExpiresAt, DateTimeOffset? EndedAt, Guid? LoanId, IReadOnlyList<StepView> Steps, DateTimeOffset? ResultRemovedAt)
{
    /// <summary>As the client sees it that handed it in.</summary>
    internal ApplicationTask ForClient() => ResultRemovedAt is null ? this : this with { Result = null, LoanId = null, Steps = [] };

    /// <summary>Changes with everything that the task shows: the version, and the steps that are over.</summary>
    [JsonIgnore]
    public string Tag => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"\"{Version}-{Steps.Count(step => step.EndedAt is not null)}{(ResultRemovedAt is null ? "" : "-r")}\"");
}

/// <summary>One owner on an application.</summary>
public sealed record ApplicantOwner(Guid Id, string Name, decimal? SharePercent, bool IsGuarantor, DateOnly? BirthDate);

/// <summary>One event of the course, with the name of who did it.</summary>
public sealed record EventLine(int Sequence, ApplicationMove Move, ApplicationState? From, ApplicationState To, ActorKind ActorKind, string? Actor, string? Reason, IReadOnlyList<string>? AdverseReasons, DateTimeOffset At);

/// <summary>All that is kept about an application; numbers are masked.</summary>
public sealed record ApplicationView(
    ApplicationTask Task, ApplicationState State, string Channel, string Name, string? TradeName, string Language, AddressView Address, decimal Amount, string? Purpose, int? TermMonths, decimal? AnnualRevenue, DateOnly? StartedOn, bool CreditConsent,
    IReadOnlyList<string> Phones, IReadOnlyList<string> Emails, IReadOnlyList<ApplicantOwner> Owners, IReadOnlyList<IdentifierView> Identifiers, IReadOnlyList<EventLine> Events, string? ReceivedBy, ApplicantAccount? BankAccount);

/// <summary>Reads one application with everything that hangs on it in one query.</summary>
public sealed class ShowApplication(NpgsqlDataSource source)
{
    /// <summary>The newest events that are shown.</summary>
    public const int MostEvents = 200;

    private static readonly string[] s_states = ["waiting", "running", "done", "failed", "cancelled"];

    private const string Steps =
        "coalesce((select jsonb_agg(jsonb_build_object('id', s.id, 'kind', s.kind, 'ownerId', s.owner_id, 'state', s.state, 'attempts', s.attempts, 'problem', s.problem, 'result', s.result, 'startedAt', s.started_at, 'endedAt', s.ended_at) order by s.kind, s.id) from camino.application_steps s where s.application_id = a.id), '[]')::text";

    private const string Asked = "select a.id, a.number, a.external_id, a.state, a.version, a.received_at, a.changed_at, a.expires_at, a.ended_at, " + Steps + ", (select l.loan_id from camino.application_loans l where l.application_id = a.id), a.result_removed_at";

    private const string All =
        Asked +
        """
        , a.channel, a.name, a.trade_name, a.language, a.street, a.city, a.place_state, a.zip, a.amount, a.purpose, a.term_months, a.annual_revenue, a.started_on, a.credit_consent,
            coalesce((select array_agg(c.value order by c.position) from camino.application_contacts c where c.application_id = a.id and c.kind = 1), '{}'),
            coalesce((select array_agg(c.value order by c.position) from camino.application_contacts c where c.application_id = a.id and c.kind = 2), '{}'),
            coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'sharePercent', o.share_percent, 'isGuarantor', o.is_guarantor, 'birthDate', o.birth_date) order by o.position) from camino.application_owners o where o.application_id = a.id), '[]')::text,
            coalesce((select jsonb_agg(jsonb_build_object('id', i.id, 'ownerId', i.owner_id, 'kind', case i.kind when 1 then 'ssn' when 2 then 'itin' else 'ein' end, 'last4', i.last4) order by o.position nulls first, i.kind, i.id) from camino.application_identifiers i left join camino.application_owners o on o.id = i.owner_id where i.application_id = a.id), '[]')::text,
            coalesce((select jsonb_agg(jsonb_build_object('sequence', e.sequence, 'move', e.move, 'from', e.from_state, 'to', e.to_state, 'actorKind', e.actor_kind, 'actor', u.display_name, 'reason', e.reason, 'adverseReasons', e.adverse_reasons, 'at', e.at) order by e.sequence desc)
                from (select * from camino.application_events e where e.application_id = a.id order by e.sequence desc limit 200) e left join camino.staff_users u on u.id = e.actor_id), '[]')::text,
            (select u.display_name from camino.staff_users u where u.id = a.received_by),
            (select jsonb_build_object('id', x.id, 'holder', x.holder, 'routing', x.routing, 'last4', x.last4, 'givenAt', x.given_at, 'outcome', x.outcome, 'nameMatch', x.name_match, 'checkedAt', x.checked_at)::text from camino.application_accounts x where x.application_id = a.id)
        from camino.applications a where a.id = $1
        """;

    private sealed record StoredStep(Guid Id, short Kind, Guid? OwnerId, short State, int Attempts, string? Problem, JsonElement? Result, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt);

    /// <summary>The application, or null.</summary>
    public async Task<ApplicationView?> RunAsync(Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(All);
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            return null;
        return new ApplicationView(
            TaskOf(row), (ApplicationState)row.GetInt16(3), row.GetString(12), row.GetString(13), Text(row, 14), row.GetString(15), new AddressView(Text(row, 16), Text(row, 17), Text(row, 18), Text(row, 19)), row.GetDecimal(20), Text(row, 21),
            Value<short>(row, 22), Value<decimal>(row, 23), Value<DateOnly>(row, 24), row.GetBoolean(25),
            row.GetFieldValue<string[]>(26), row.GetFieldValue<string[]>(27), List<ApplicantOwner>(row, 28), List<IdentifierView>(row, 29), List<EventLine>(row, 30), Text(row, 31),
            Text(row, 32) is { } account ? JsonSerializer.Deserialize<ApplicantAccount>(account, JsonSerializerOptions.Web) : null);
    }

    /// <summary>Only what a program asks for: the task, or null.</summary>
    public async Task<ApplicationTask?> TaskAsync(Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Asked + " from camino.applications a where a.id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? TaskOf(row) : null;
    }

    /// <exception cref="RefusedException"><c>application.not_found</c></exception>
    public async Task MustBeThereAsync(Guid id, CancellationToken ct) =>
        Refuse.If(await TaskAsync(id, ct) is null, "application.not_found", $"There is no application {id}.");

    /// <summary>Whether a client handed an application in.</summary>
    public async Task<bool> IsOfAsync(Guid id, Guid clientId, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select exists (select from camino.applications where id = $1 and received_by = $2 and channel = 'api')");
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.Parameters.Add(new NpgsqlParameter { Value = clientId });
        return (bool)(await command.ExecuteScalarAsync(ct) ?? false);
    }

    private static ApplicationTask TaskOf(NpgsqlDataReader row)
    {
        var state = (ApplicationState)row.GetInt16(3);
        var steps = List<StoredStep>(row, 9).Select(step => new StepView(step.Id, Servicing.Words.Camel((CheckKind)step.Kind), step.OwnerId, s_states[step.State], step.Attempts, step.Problem, step.Result, step.StartedAt, step.EndedAt)).ToList();
        var ended = Value<DateTimeOffset>(row, 8);
        return new ApplicationTask(
            row.GetGuid(0), row.GetString(1), Text(row, 2), ApplicationWords.Task(state), ApplicationWords.Step(state), ApplicationWords.Percent(state, steps.Count, steps.Count(step => step.State == "done")),
            ended is null ? null : ApplicationWords.Step(state), row.GetInt32(4), row.GetFieldValue<DateTimeOffset>(5), row.GetFieldValue<DateTimeOffset>(6), row.GetFieldValue<DateTimeOffset>(7), ended, Value<Guid>(row, 10), steps, Value<DateTimeOffset>(row, 11));
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static T? Value<T>(NpgsqlDataReader row, int column)
        where T : struct => row.IsDBNull(column) ? null : row.GetFieldValue<T>(column);

    private static List<T> List<T>(NpgsqlDataReader row, int column) => JsonSerializer.Deserialize<List<T>>(row.GetString(column), JsonSerializerOptions.Web) ?? [];
}
