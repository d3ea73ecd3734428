using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Imports;

/// <summary>What a job needs to know of an import when it begins.</summary>
internal sealed record ImportWork(Guid Id, string FileName, string StoredAs, ImportStatus Status, ImportPlan Plan, Guid RequestedBy, Layout? Mapping, ImportFigures? CheckFigures, ImportFigures? LoadFigures);

/// <summary>The jobs' statements on <c>camino.imports</c> and <c>camino.import_rows</c>. Each one that changes an import says which status it expects: a cancelled one is never touched again.</summary>
internal static class ImportTable
{
    private const string Read = "select file_name, stored_as, status, plan, requested_by, mapping, check_figures, load_figures from camino.imports where id = $1";

    private const string Start =
        "update camino.imports set status = $2, started_at = now(), progress_at = now(), finished_at = null, shape = $3, layout_name = $4, bytes_done = 0, error_code = null, error_arguments = '{}' " +
        "where id = $1 and status <> 7";

    private const string AskForMapping = "update camino.imports set status = 1, shape = $2, progress_at = now(), started_at = null where id = $1 and status <> 7";

    private const string StatusNow = "select status from camino.imports where id = $1";

    private const string StoreLoad = "update camino.imports set load_figures = $2, bytes_done = $3, progress_at = now() where id = $1 and status = 4";

    private const string StoreCheck = "update camino.imports set check_figures = $2, bytes_done = $3, progress_at = now() where id = $1 and status = 2";

    private const string FinishCheck = "update camino.imports set status = 3, check_figures = $2, bytes_done = size_bytes, progress_at = now(), finished_at = case when plan = 2 then now() end where id = $1 and status = 2";

    private const string FinishLoad = "update camino.imports set status = 5, load_figures = $2, bytes_done = size_bytes, progress_at = now(), finished_at = now() where id = $1 and status = 4";

    private const string Fail = "update camino.imports set status = 6, error_code = $2, error_arguments = $3, progress_at = now(), finished_at = now() where id = $1 and status not in (5, 7)";

    private const string DropDryRunRows = "delete from camino.import_rows where import_id = $1 and dry_run";

    private const string CopyRows = "copy camino.import_rows (import_id, dry_run, line, outcome, number, findings, raw) from stdin (format binary)";

    private const string Tell = "insert into camino.notices (id, user_id, text, arguments, link, created_at) values ($1, $2, $3, $4, $5, now())";

    /// <summary>The import as it stands; null when there is none.</summary>
    public static async Task<ImportWork?> ReadAsync(NpgsqlConnection connection, Guid id, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Read, connection) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            return null;
        return new ImportWork(
            id,
            reader.GetString(0),
            reader.GetString(1),
            (ImportStatus)reader.GetInt16(2),
            (ImportPlan)reader.GetInt16(3),
            reader.GetGuid(4),
            reader.IsDBNull(5) ? null : JsonSerializer.Deserialize(reader.GetString(5), ImportJson.Default.Layout),
            ImportFigures.FromJson(reader.IsDBNull(6) ? null : reader.GetString(6)),
            ImportFigures.FromJson(reader.IsDBNull(7) ? null : reader.GetString(7)));
    }

    /// <summary>The branch whose its new loans are; null: the whole house's.</summary>
    public static async Task<Guid?> BranchAsync(NpgsqlConnection connection, Guid id, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select branch_id from camino.imports where id = $1", connection) { Parameters = { new() { Value = id } } };
        return await command.ExecuteScalarAsync(ct) is Guid branch ? branch : null;
    }

    /// <summary>The step begins; what the file turned out to be is stored.</summary>
    public static Task StartAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, ImportStatus status, FileShape shape, CancellationToken ct) =>
        RunAsync(connection, transaction, Start, ct, new() { Value = id }, new() { Value = (short)status }, Json(JsonSerializer.Serialize(shape, ImportJson.Default.FileShape)), new() { Value = (object?)shape.Layout?.Name ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });

    /// <summary>Nobody knows the columns: staff must say.</summary>
    public static Task AskForMappingAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, FileShape shape, CancellationToken ct) =>
        RunAsync(connection, transaction, AskForMapping, ct, new() { Value = id }, Json(JsonSerializer.Serialize(shape, ImportJson.Default.FileShape)));

    /// <summary>Looks, and locks nothing: whoever cancels an import does not wait for the chunk that is being worked.</summary>
    /// <returns>False when it is no longer in that status: a person cancelled it.</returns>
    public static async Task<bool> IsAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, ImportStatus expected, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(StatusNow, connection, transaction) { Parameters = { new() { Value = id } } };
        return await command.ExecuteScalarAsync(ct) is short status && status == (short)expected;
    }

    /// <summary>Figures of the load, in the transaction that stored the rows they count; the last statement before its commit, because it locks the import's row.</summary>
    /// <returns>False when a person cancelled the import meanwhile: nothing of the transaction may be committed.</returns>
    public static Task<bool> StoreLoadAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, ImportFigures figures, long bytes, CancellationToken ct) =>
        RunAsync(connection, transaction, StoreLoad, ct, new() { Value = id }, Json(figures.ToJson()), new() { Value = bytes });

    /// <summary>Figures of the dry run so far.</summary>
    /// <inheritdoc cref="StoreLoadAsync" path="/returns"/>
    public static Task<bool> StoreCheckAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, ImportFigures figures, long bytes, CancellationToken ct) =>
        RunAsync(connection, transaction, StoreCheck, ct, new() { Value = id }, Json(figures.ToJson()), new() { Value = bytes });

    /// <summary>The dry run is done.</summary>
    /// <inheritdoc cref="StoreLoadAsync" path="/returns"/>
    public static Task<bool> FinishCheckAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, ImportFigures figures, CancellationToken ct) =>
        RunAsync(connection, transaction, FinishCheck, ct, new() { Value = id }, Json(figures.ToJson()));

    /// <summary>Every row has its outcome.</summary>
    /// <inheritdoc cref="StoreLoadAsync" path="/returns"/>
    public static Task<bool> FinishLoadAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, ImportFigures figures, CancellationToken ct) =>
        RunAsync(connection, transaction, FinishLoad, ct, new() { Value = id }, Json(figures.ToJson()));

    /// <summary>The file as a whole cannot be worked.</summary>
    public static Task FailAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, string code, string[] arguments, CancellationToken ct) =>
        RunAsync(connection, transaction, Fail, ct, new() { Value = id }, new() { Value = code }, new() { Value = arguments });

    /// <summary>A dry run starts over: what an interrupted one found is dropped.</summary>
    public static Task DropDryRunRowsAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid id, CancellationToken ct) =>
        RunAsync(connection, transaction, DropDryRunRows, ct, new NpgsqlParameter { Value = id });

    /// <summary>Tells the person who asked.</summary>
    public static Task TellAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, ImportWork import, string text, params string[] arguments) =>
        RunAsync(connection, transaction, Tell, CancellationToken.None, new() { Value = Guid.CreateVersion7() }, new() { Value = import.RequestedBy }, new() { Value = text }, new() { Value = (string[])[import.FileName, .. arguments] }, new() { Value = $"/imports/{import.Id}" });

    /// <summary>Stores what was found in rows; findings as JSON, the raw text of rejected ones.</summary>
    public static async Task CopyRowsAsync(NpgsqlConnection connection, Guid id, bool dryRun, List<PortfolioRow> rows, CancellationToken ct)
    {
        if (rows.Count == 0)
            return;
        await using var copy = await connection.BeginBinaryImportAsync(CopyRows, ct);
        foreach (var row in rows)
        {
            copy.StartRow();
            copy.Write(id, NpgsqlDbType.Uuid);
            copy.Write(dryRun, NpgsqlDbType.Boolean);
            copy.Write(row.Line, NpgsqlDbType.Bigint);
            copy.Write((short)row.Outcome, NpgsqlDbType.Smallint);
            if (row.Facts.Number.Length > 0)
                copy.Write(StorableText.Of(row.Facts.Number), NpgsqlDbType.Text);
            else
                copy.WriteNull();
            copy.Write(StorableText.OfJson(JsonSerializer.Serialize(row.Findings, ImportJson.Default.IReadOnlyListFinding)), NpgsqlDbType.Jsonb);
            if (row.Outcome == RowOutcome.Rejected)
                copy.Write(StorableText.Of(row.Raw), NpgsqlDbType.Text);
            else
                copy.WriteNull();
        }

        await copy.CompleteAsync(ct);
    }

    private static NpgsqlParameter Json(string json) => new() { Value = StorableText.OfJson(json), NpgsqlDbType = NpgsqlDbType.Jsonb };

    private static async Task<bool> RunAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return await command.ExecuteNonQueryAsync(ct) > 0;
    }
}

/// <summary>Settings of the import jobs.</summary>
/// <param name="ChunkRows">Rows of one transaction.</param>
/// <param name="KeepFilesDays">Days after the last event of an import for which its file is kept.</param>
/// <param name="StepBack">So many times the time of a piece an import waits at most while others are served; 0: never.</param>
public sealed record ImportOptions(int ChunkRows, int KeepFilesDays, int StepBack);
