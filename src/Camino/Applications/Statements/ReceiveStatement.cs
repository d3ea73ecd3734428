using System.Text.Json;
using System.Text.Json.Serialization;
using Camino.Applications.Underwriting;
using Camino.Audit;
using Camino.Data;
using Camino.Imports;
using Camino.Jobs;
using Camino.Lending;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Camino.Applications.Statements;

/// <summary>One bank statement as it is handed in.</summary>
/// <param name="Content">The bytes as they come.</param>
/// <param name="Name">What the person's machine calls it; folders in it are dropped.</param>
/// <param name="Account">The last four digits of the account's number, where the file does not name it.</param>
/// <param name="Dates"><c>mdy</c> or <c>dmy</c>: in which order the file writes dates, where it does not show it.</param>
public sealed record HandedInStatement(Stream Content, string Name, string? Account, string? Dates)
{
    /// <summary>Bytes that the sender announces, where it does.</summary>
    public long? ExpectedBytes { get; init; }
}

/// <summary>A statement that was taken in.</summary>
/// <param name="State"><c>received</c>, <c>reading</c>, <c>read</c> or <c>refused</c>.</param>
public sealed record StatementAnswer(Guid StatementId, string State, string Url)
{
    /// <summary>The same file was taken in before; this is that one.</summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }
}

/// <summary>Takes a bank statement in: its row, its file, the audit entry and the job that reads it come together or not at all. The same file of the same application is taken in once.</summary>
public sealed class ReceiveStatement(CaminoDb db, FileStore files, TimeProvider clock)
{
    /// <summary>Statements of one application.</summary>
    public const int Most = 60;

    private sealed record Known(Guid Id, short State);

    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>application.ended</c>, <c>statement.*</c>, <c>input.account</c>, <c>input.dates</c>, <c>import.disk_full</c>.</exception>
    public async Task<StatementAnswer> RunAsync(Guid id, HandedInStatement file, Guid by, CancellationToken ct)
    {
        var name = StorableText.Of(ReceiveImport.Clean(file.Name));
        Refuse.If(name.Length == 0, "statement.file_name", $"The file has no name; give one of 1 to {ReceiveImport.LongestFileName} characters.");
        var last4 = string.IsNullOrWhiteSpace(file.Account) ? null : file.Account.Trim();
        Refuse.If(last4 is not null && (last4.Length != 4 || !last4.All(char.IsAsciiDigit)), "input.account", $"account is the last four digits of the account's number; got {last4?.Length ?? 0} characters.");
        var dates = string.IsNullOrWhiteSpace(file.Dates) ? (StatementDates?)null : file.Dates.Trim() switch
        {
            "mdy" => StatementDates.MonthFirst,
            "dmy" => StatementDates.DayFirst,
            var other => throw new RefusedException("input.dates", $"dates is mdy or dmy; got {InputText.Short(other)}."),
        };
        Refuse.If(file.ExpectedBytes > StatementReader.MostBytes, "statement.too_large", $"A statement has at most {StatementReader.MostBytes} bytes; this file has {file.ExpectedBytes}.");

        var statement = Guid.CreateVersion7();
        var stored = await SaveAsync(statement, file, ct);
        var isKept = false;
        try
        {
            Refuse.If(stored.SizeBytes == 0, "statement.empty", "The file is empty.");
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.LockOpenApplicationAsync(id, ct);
            var known = await db.Database.SqlQuery<Known>($"select id as \"Id\", state as \"State\" from camino.application_statements where application_id = {id} and sha256 = {stored.Sha256} and state <> 3").ToListAsync(ct);
            if (known.Count > 0)
                return new StatementAnswer(known[0].Id, ShowStatements.States[known[0].State], Address(id, known[0].Id)) { IsRepeated = true };
            var there = await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.application_statements where application_id = {id}").SingleAsync(ct);
            Refuse.If(there >= Most, "statement.too_many", $"An application has at most {Most} statements; remove one first.");
            var at = clock.GetUtcNow();
            await db.Database.ExecuteSqlAsync(
                $"""
                insert into camino.application_statements (id, application_id, file_name, size_bytes, sha256, state, last4, dates, received_at, received_by)
                values ({statement}, {id}, {name}, {stored.SizeBytes}, {stored.Sha256}, 0, {last4}, {(short?)dates}, {at}, {by})
                """, ct);
            db.Enqueue(new ReadBankStatement(statement), new JobOptions { RequestedBy = by.ToString() });
            db.AuditEntries.Add(new AuditEntry(at, by, "application.statement-received", "application", id.ToString(), JsonSerializer.Serialize(new { statement, bytes = stored.SizeBytes })));
            await db.SaveChangesAsync(ct);
            isKept = true; // whether a commit whose answer is lost took place, the sweep of files finds out
            await transaction.CommitAsync(CancellationToken.None);
            return new StatementAnswer(statement, ShowStatements.States[0], Address(id, statement));
        }
        finally
        {
            if (!isKept)
                files.Delete(stored.Key);
        }
    }

    private async Task<StoredFile> SaveAsync(Guid statement, HandedInStatement file, CancellationToken ct)
    {
        try
        {
            return await files.SaveAsync(statement, file.Content, file.ExpectedBytes, ct, StatementReader.MostBytes);
        }
        catch (RefusedException large) when (large.Code == "import.file.too_large")
        {
            throw new RefusedException("statement.too_large", $"A statement has at most {StatementReader.MostBytes} bytes; this file has more.");
        }
    }

    private static string Address(Guid id, Guid statement) => $"/api/v1/applications/{id}/statements/{statement}";
}

/// <summary>Takes a statement back that was handed in by mistake: its lines go, the figures are reckoned without it, and a job that reads it stops. What an ended application was decided on stays.</summary>
public sealed class RemoveStatement(CaminoDb db, FileStore files, TimeProvider clock)
{
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>application.ended</c>, <c>statement.not_found</c>.</exception>
    public async Task RunAsync(Guid id, Guid statement, Guid by, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.LockOpenApplicationAsync(id, ct);
        var removed = await db.Database.SqlQuery<int>($"delete from camino.application_statements where id = {statement} and application_id = {id} returning line_count as \"Value\"").ToListAsync(ct);
        Refuse.If(removed.Count == 0, "statement.not_found", "This application has no such statement.");
        await StatementTable.ReckonAsync((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction(), id, ct);
        await db.EvaluateAsync(id, EvaluationCause.Statements, null, null, clock.GetUtcNow(), ct);
        db.AuditEntries.Add(new AuditEntry(clock.GetUtcNow(), by, "application.statement-removed", "application", id.ToString(), JsonSerializer.Serialize(new { statement, lines = removed[0] })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        files.Delete(FileStore.KeyOf(statement));
    }
}
