using System.Text.Json;
using Camino.Applications.Statements;
using Camino.Lending;
using Camino.Lending.Applications.CashFlows;
using Camino.Lending.Underwriting;
using Camino.Screening;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Applications.Underwriting;

/// <summary>Why an application was evaluated. The values are stored and never change.</summary>
public enum EvaluationCause
{
    /// <summary>The last check ended.</summary>
    Checks = 1,

    /// <summary>Bank statements came or went.</summary>
    Statements = 2,

    /// <summary>A person asked for it.</summary>
    Asked = 3,

    /// <summary>Something is offered.</summary>
    Offer = 4,

    /// <summary>It is declined.</summary>
    Decline = 5,
}

/// <summary>An evaluation as it is stored, for good.</summary>
/// <param name="Number">1 for the first of the application.</param>
/// <param name="Policy">The version that it was made under.</param>
/// <param name="Principal">Dollars; what is asked for, or what was to be offered.</param>
public sealed record StoredEvaluation(int Number, int Policy, decimal Principal, EvaluationCause Cause, CreditFacts Facts, CreditEvaluation Result, DateTimeOffset At, Guid? By);

/// <summary>The statements on evaluations. Whoever stores one has locked the application before, so that they follow one another.</summary>
internal static class EvaluationTable
{
    /// <summary>What is known of an application now; owners are those that were asked for.</summary>
    private const string Sources =
        """
        select a.amount, a.term_months, a.annual_revenue, a.started_on, (a.received_at at time zone 'America/New_York')::date, a.place_state, a.checks_done,
            (select count(*)::int from camino.application_owners o where o.application_id = a.id and o.is_guarantor),
            (select coalesce(jsonb_agg(jsonb_build_object('kind', s.kind, 'result', s.result) order by s.kind, s.id), '[]')::text from camino.application_steps s where s.application_id = a.id and s.state = 2 and s.result is not null),
            (select f.figures::text from camino.application_cash_flows f where f.application_id = a.id),
            (select max(case when h.state = @confirmed then 2 when h.state < @cleared then 1 else 0 end)
                from camino.application_steps s cross join lateral jsonb_array_elements_text(s.result -> 'screenings') x (id) join camino.screening_hits h on h.screening_id = x.id::uuid where s.application_id = a.id and s.kind = 1)
        from camino.applications a where a.id = @id
        """;

    private const string Columns = "select e.number, e.policy, e.principal, e.cause, e.facts::text, e.result::text, e.at, e.by from camino.application_evaluations e";

    private const string Newest = Columns + " where e.application_id = $1 order by e.number desc limit 1";

    private const string One = Columns + " where e.application_id = $1 and e.number = $2";

    private const string Published = "select number, document::text from camino.credit_policies where status = 1";

    private const string Add =
        "insert into camino.application_evaluations (application_id, number, policy, principal, cause, facts, result, recommendation, score, at, by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

    private sealed record StepResult(short Kind, JsonElement Result);

    /// <summary>Evaluates an application whose checks were over once, and stores it unless the newest evaluation says the same of the same.</summary>
    /// <param name="principal">What is to be offered; null: what is asked for.</param>
    /// <returns>Null where no policy is published, or its checks never ended.</returns>
    public static async Task<StoredEvaluation?> EvaluateAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, EvaluationCause cause, Money? principal, Guid? by, DateTimeOffset at, CancellationToken ct)
    {
        if (await PublishedAsync(connection, transaction, ct) is not { } policy || await FactsAsync(connection, transaction, id, principal, ct) is not { } facts)
            return null;
        var newest = await NewestAsync(connection, transaction, id, ct);
        if (newest is not null && newest.Policy == policy.Number && newest.Facts.IsSame(facts))
            return newest;
        var result = CreditEvaluation.Of(PolicyForm.Read(policy.Document), facts);
        var stored = new StoredEvaluation((newest?.Number ?? 0) + 1, policy.Number, facts.Number("amount") ?? 0m, cause, facts, result, at, by);
        await using var command = new NpgsqlCommand(Add, connection, transaction)
        {
            Parameters =
            {
                new() { Value = id }, new() { Value = stored.Number }, new() { Value = stored.Policy }, new() { Value = stored.Principal }, new() { Value = (short)cause },
                new() { Value = JsonSerializer.Serialize(facts.Values), NpgsqlDbType = NpgsqlDbType.Jsonb }, new() { Value = JsonSerializer.Serialize(result, JsonSerializerOptions.Web), NpgsqlDbType = NpgsqlDbType.Jsonb },
                new() { Value = (short)result.Recommendation }, new() { Value = (object?)result.Score ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer }, new() { Value = at }, new() { Value = (object?)by ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
        return stored;
    }

    /// <summary>The published policy, or null.</summary>
    public static async Task<(int Number, string Document)?> PublishedAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Published, connection, transaction);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? (row.GetInt32(0), row.GetString(1)) : null;
    }

    /// <summary>The document of a version.</summary>
    public static async Task<string> DocumentAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, int number, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select document::text from camino.credit_policies where number = $1", connection, transaction) { Parameters = { new() { Value = number } } };
        return await command.ExecuteScalarAsync(ct) as string ?? throw new InvalidOperationException($"The credit policy has no version {number}.");
    }

    /// <summary>The facts of an application as it stands now; null where its checks never ended.</summary>
    public static async Task<CreditFacts?> FactsAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid id, Money? principal, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sources, connection, transaction);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("confirmed", (short)HitState.Confirmed);
        command.Parameters.AddWithValue("cleared", (short)HitState.Cleared);
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct) || !row.GetBoolean(6))
            return null;
        var steps = JsonSerializer.Deserialize<List<StepResult>>(row.GetString(8), JsonSerializerOptions.Web) ?? [];
        var cash = await row.IsDBNullAsync(9, ct) ? null : JsonSerializer.Deserialize<CashFlow>(row.GetString(9), MoneyJson.Options);
        List<StepResult> Of(CheckKind kind) => steps.FindAll(step => step.Kind == (short)kind);
        var sanctions = Of(CheckKind.Sanctions).Count == 0 ? null : await row.IsDBNullAsync(10, ct) ? "clear" : row.GetInt32(10) switch { 2 => "confirmed", 1 => "waiting", _ => "clear" };
        return CreditFacts.Of(new FactSources(
            principal ?? new Money(row.GetDecimal(0)), await row.IsDBNullAsync(1, ct) ? null : row.GetInt16(1), await row.IsDBNullAsync(2, ct) ? null : new Money(row.GetDecimal(2)), await row.IsDBNullAsync(3, ct) ? null : row.GetFieldValue<DateOnly>(3),
            row.GetFieldValue<DateOnly>(4), await row.IsDBNullAsync(5, ct) ? null : row.GetString(5), row.GetInt32(7), sanctions, Word(Of(CheckKind.Registry), "status").FirstOrDefault(),
            Of(CheckKind.BusinessCredit).ConvertAll(Report).FirstOrDefault(), Of(CheckKind.OwnerCredit).ConvertAll(Report), Word(Of(CheckKind.Identity), "outcome"), cash?.Whole, cash?.Lenders.Count ?? 0)
        {
            BankAccount = Word(Of(CheckKind.BankAccount), "outcome").FirstOrDefault(),
        });
    }

    /// <summary>The newest evaluation, or null.</summary>
    public static async Task<StoredEvaluation?> NewestAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid id, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Newest, connection, transaction) { Parameters = { new() { Value = id } } };
        return await ReadAsync(command, ct);
    }

    /// <summary>One evaluation, or null.</summary>
    public static async Task<StoredEvaluation?> OneAsync(NpgsqlConnection connection, Guid id, int number, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(One, connection) { Parameters = { new() { Value = id }, new() { Value = number } } };
        return await ReadAsync(command, ct);
    }

    private static async Task<StoredEvaluation?> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            return null;
        return new StoredEvaluation(
            row.GetInt32(0), row.GetInt32(1), row.GetDecimal(2), (EvaluationCause)row.GetInt16(3), FactsOf(row.GetString(4)), ResultOf(row.GetString(5)), row.GetFieldValue<DateTimeOffset>(6), await row.IsDBNullAsync(7, ct) ? null : row.GetGuid(7));
    }

    /// <summary>Stored facts.</summary>
    internal static CreditFacts FactsOf(string json) => new(JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? []);

    private static CreditEvaluation ResultOf(string json) => JsonSerializer.Deserialize<CreditEvaluation>(json, JsonSerializerOptions.Web) ?? throw new InvalidOperationException("The stored evaluation says nothing.");

    private static BureauReport Report(StepResult step) => new(step.Result.GetProperty("score").GetInt32(), step.Result.GetProperty("openLoans").GetInt32(), step.Result.GetProperty("latePayments").GetInt32());

    private static List<string> Word(List<StepResult> steps, string name) => [.. steps.Select(step => step.Result.TryGetProperty(name, out var word) ? word.GetString() : null).OfType<string>()];
}
