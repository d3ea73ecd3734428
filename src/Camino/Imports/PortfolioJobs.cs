using System.Diagnostics;
using Camino.Borrowers;
using Camino.Jobs;
using Camino.Loans;
using Camino.Portfolio;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Imports;

/// <summary>Dry run of one file: every row is read and judged, nothing is stored but what was found.</summary>
public sealed record CheckPortfolio(Guid ImportId) : IJobArgs
{
    public static string Kind => "imports.check"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    public static JobRetry Retry => ImportPass.Retry;

    /// <remarks>Safe to run twice: it starts over and replaces what it found.</remarks>
    public sealed class Handler(ImportPass pass) : IJobHandler<CheckPortfolio>
    {
        public Task RunAsync(CheckPortfolio args, JobContext job, CancellationToken ct) => pass.RunAsync(pass.CheckAsync, args.ImportId, job, ct);
    }
}

/// <summary>Stores the rows of one file.</summary>
public sealed record LoadPortfolio(Guid ImportId) : IJobArgs
{
    public static string Kind => "imports.load"; // stored in rows: never rename, never reuse

    public static string Queue => JobQueues.Bulk;

    public static JobRetry Retry => ImportPass.Retry;

    /// <remarks>Safe to run twice: rows and the count of records done are committed together, and a second run goes on behind them.</remarks>
    public sealed class Handler(ImportPass pass) : IJobHandler<LoadPortfolio>
    {
        public Task RunAsync(LoadPortfolio args, JobContext job, CancellationToken ct) => pass.RunAsync(pass.LoadAsync, args.ImportId, job, ct);
    }
}

/// <summary>One pass over one file, dry or for good. Rows are read on one thread and stored, chunk by chunk, on another.</summary>
public sealed partial class ImportPass(NpgsqlDataSource source, FileStore files, JobWriter jobs, ImportOptions options, ILogger<ImportPass> log)
{
    /// <summary>Rows with findings that a dry run keeps to show; all are counted.</summary>
    public const int DryRunRowsKept = 1_000;

    /// <summary>Chunks of different imports are stored one after the other, so that two files with the same loans cannot both think a loan is new. The number spells "loans" in base 36.</summary>
    private const long LoansLock = 36_361_000;

    /// <summary>Long enough for a database that restarts, short enough for a person who waits: a dozen attempts in about five minutes.</summary>
    public static JobRetry Retry { get; } = new(12, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(40));

    /// <summary>Runs one step; when even the last attempt breaks, the import says so instead of standing still for ever.</summary>
    public async Task RunAsync(Func<Guid, JobContext, CancellationToken, Task> step, Guid importId, JobContext job, CancellationToken ct)
    {
        try
        {
            await step(importId, job, ct);
        }
        catch (Exception broken) when (job.Attempt >= job.MaxAttempts && broken is not OperationCanceledException and not LeaseLostException)
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await job.HoldLeaseAsync(connection, transaction, ct);
            await ImportTable.FailAsync(connection, transaction, importId, "import.broken", [job.JobId.ToString()], ct);
            if (await ImportTable.ReadAsync(connection, importId, ct) is { } import)
                await ImportTable.TellAsync(connection, transaction, import, "Notice.ImportFailed");
            await transaction.CommitAsync(ct);
            throw;
        }
    }

    /// <summary>The dry run.</summary>
    public async Task CheckAsync(Guid importId, JobContext job, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        if (await BeginAsync(connection, importId, ImportStatus.Checking, job, ct) is not { } begun)
            return;
        await using var reader = begun.Reader;
        var figures = ImportFigures.For(begun.Layout);
        var kept = 0;
        try
        {
            var pace = StepBack.On(connection, options);
            await using var chunks = new RowChunks(reader, pace, skip: 0, ct);
            await foreach (var chunk in chunks.AllAsync(ct))
            {
                var began = Stopwatch.GetTimestamp();
                var sorted = new SortedChunk(chunk, await FindStoredAsync(connection, null, chunk, ct), figures);
                var show = sorted.WithFindings.OrderByDescending(r => r.Outcome).Take(DryRunRowsKept - kept).ToList();
                kept += show.Count;
                await using var transaction = await connection.BeginTransactionAsync(ct);
                if (!await HoldAsync(connection, transaction, importId, ImportStatus.Checking, job, ct))
                    return;
                await ImportTable.CopyRowsAsync(connection, importId, dryRun: true, show, ct);
                if (!await ImportTable.StoreCheckAsync(connection, transaction, importId, figures, chunk.BytesRead, ct))
                    return;
                await transaction.CommitAsync(ct);
                await job.ReportProgressAsync(chunk.BytesRead, reader.FileLength, ct: ct);
                chunks.Return(chunk);
                await pace.AfterAsync(Stopwatch.GetElapsedTime(began), ct);
            }
        }
        catch (ImportFileException wrong)
        {
            await FailAsync(connection, begun.Import, wrong, job, ct);
            return;
        }

        await using var last = await connection.BeginTransactionAsync(ct);
        await job.HoldLeaseAsync(connection, last, ct);
        if (!await ImportTable.FinishCheckAsync(connection, last, importId, figures, ct))
            return;
        await ImportTable.TellAsync(connection, last, begun.Import, "Notice.ImportChecked");
        await job.CompleteAsync(connection, last, new { rows = figures.Rows }, ct);
        await last.CommitAsync(ct);
        LogChecked(importId, figures.Rows, figures.Rejected);
    }

    /// <summary>The load.</summary>
    public async Task LoadAsync(Guid importId, JobContext job, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        if (await BeginAsync(connection, importId, ImportStatus.Loading, job, ct) is not { } begun)
            return;
        await using var reader = begun.Reader;
        var figures = begun.Import.LoadFigures ?? ImportFigures.For(begun.Layout);
        var branch = await ImportTable.BranchAsync(connection, importId, ct);
        try
        {
            var pace = StepBack.On(connection, options);
            await using var chunks = new RowChunks(reader, pace, skip: figures.Rows, ct);
            await foreach (var chunk in chunks.AllAsync(ct))
            {
                var began = Stopwatch.GetTimestamp();
                if (!await StoreAsync(connection, importId, branch, chunk, figures, job, ct))
                {
                    await EndCancelledAsync(connection, importId, ct);
                    return;
                }

                await job.ReportProgressAsync(chunk.BytesRead, reader.FileLength, ct: ct);
                chunks.Return(chunk);
                await pace.AfterAsync(Stopwatch.GetElapsedTime(began), ct);
            }
        }
        catch (ImportFileException wrong)
        {
            await FailAsync(connection, begun.Import, wrong, job, ct);
            return;
        }

        await using var last = await connection.BeginTransactionAsync(ct);
        await job.HoldLeaseAsync(connection, last, ct);
        if (!await ImportTable.FinishLoadAsync(connection, last, importId, figures, ct))
        {
            await last.RollbackAsync(ct);
            await EndCancelledAsync(connection, importId, ct);
            return;
        }

        await ImportTable.TellAsync(connection, last, begun.Import, "Notice.ImportDone");
        await FollowUpAsync(connection, last, importId, ct);
        await job.CompleteAsync(connection, last, new { rows = figures.Rows, rejected = figures.Rejected }, ct);
        await last.CommitAsync(ct);
        LogLoaded(importId, figures.Rows, figures.Imported, figures.Unchanged, figures.Corrected, figures.Rejected);
    }

    /// <summary>One chunk in one transaction: loans, findings, figures and the place to go on from are committed together or not at all.</summary>
    private static async Task<bool> StoreAsync(NpgsqlConnection connection, Guid importId, Guid? branch, RowChunk chunk, ImportFigures figures, JobContext job, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var alone = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection, transaction) { Parameters = { new() { Value = LoansLock } }, CommandTimeout = 0 })
            await alone.ExecuteNonQueryAsync(ct);
        if (!await HoldAsync(connection, transaction, importId, ImportStatus.Loading, job, ct))
            return false;

        var sorted = new SortedChunk(chunk, await FindStoredAsync(connection, transaction, chunk, ct), figures);
        await using (var clock = new NpgsqlCommand("select now()", connection, transaction))
        {
            var at = (DateTime)(await clock.ExecuteScalarAsync(ct) ?? throw new InvalidOperationException("The database did not say what time it is."));
            if (sorted.New.Count > 0)
                await LoanTable.InsertAsync(connection, sorted.New, importId, at, ct);
            if (branch is { } one && sorted.New.Count > 0)
                await LoanTable.PlaceAsync(connection, transaction, sorted.New, one, ct);
            if (sorted.Changed.Count > 0)
                await LoanTable.ReplaceAsync(connection, transaction, sorted.Changed, importId, at, ct);
        }

        await ImportTable.CopyRowsAsync(connection, importId, dryRun: false, sorted.WithFindings, ct);
        if (!await ImportTable.StoreLoadAsync(connection, transaction, importId, figures, chunk.BytesRead, ct))
            return false;
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>Opens the file and marks the step as begun; null when there is nothing (more) to do.</summary>
    private async Task<(ImportWork Import, PortfolioReader Reader, Layout Layout)?> BeginAsync(NpgsqlConnection connection, Guid importId, ImportStatus step, JobContext job, CancellationToken ct)
    {
        var import = await ImportTable.ReadAsync(connection, importId, ct) ?? throw new JobAbandonedException($"There is no import {importId}.");
        if (import.Status is ImportStatus.Cancelled or ImportStatus.Done or ImportStatus.Failed or ImportStatus.NeedsMapping || (import.Status == ImportStatus.Checked && step == ImportStatus.Checking))
            return null;

        PortfolioReader? reader = null;
        try
        {
            reader = PortfolioReader.Open(files.PathOf(import.StoredAs), import.FileName, ReaderLimits.Default, import.Mapping);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await job.HoldLeaseAsync(connection, transaction, ct);
            if (reader.Shape.Layout is not { } layout)
            {
                await ImportTable.AskForMappingAsync(connection, transaction, importId, reader.Shape, ct);
                await ImportTable.TellAsync(connection, transaction, import, "Notice.ImportNeedsMapping");
                await job.CompleteAsync(connection, transaction, new { needsMapping = true }, ct);
                await transaction.CommitAsync(ct);
                await reader.DisposeAsync();
                return null;
            }

            await ImportTable.StartAsync(connection, transaction, importId, step, reader.Shape, ct);
            if (step == ImportStatus.Checking)
                await ImportTable.DropDryRunRowsAsync(connection, transaction, importId, ct);
            await transaction.CommitAsync(ct);
            return (import, reader, layout);
        }
        catch (ImportFileException wrong)
        {
            if (reader is not null)
                await reader.DisposeAsync();
            await FailAsync(connection, import, wrong, job, ct);
            return null;
        }
        catch (FileNotFoundException)
        {
            await FailAsync(connection, import, new ImportFileException("import.file.gone", "The stored file is not in the file store any more; hand it in again.", new Dictionary<string, string>(StringComparer.Ordinal) { ["file"] = import.FileName }), job, ct);
            return null;
        }
    }

    /// <summary>Compares the lease, and keeps it until the commit, and the import's status, which is compared once more with the last statement.</summary>
    private static async Task<bool> HoldAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid importId, ImportStatus expected, JobContext job, CancellationToken ct)
    {
        await job.HoldLeaseAsync(connection, transaction, ct);
        return await ImportTable.IsAsync(connection, transaction, importId, expected, ct);
    }

    private static Task<Dictionary<string, StoredLoan>> FindStoredAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, RowChunk chunk, CancellationToken ct)
    {
        var numbers = new List<string>(chunk.Count);
        var source = LoanSource.Camino;
        foreach (var row in chunk.Rows)
        {
            if (row.Outcome == RowOutcome.Rejected)
                continue;
            source = row.Facts.Source;
            numbers.Add(row.Facts.Number);
        }

        return LoanTable.FindAsync(connection, transaction, source, numbers, ct);
    }

    private async Task FailAsync(NpgsqlConnection connection, ImportWork import, ImportFileException wrong, JobContext job, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await job.HoldLeaseAsync(connection, transaction, ct);
        await ImportTable.FailAsync(connection, transaction, import.Id, wrong.Code, [.. wrong.Args.Values], ct);
        await ImportTable.TellAsync(connection, transaction, import, "Notice.ImportFailed");
        if ((await ImportTable.ReadAsync(connection, import.Id, ct))?.LoadFigures is { Rows: > 0 })
            await FollowUpAsync(connection, transaction, import.Id, ct);
        await job.CompleteAsync(connection, transaction, new { error = wrong.Code }, ct);
        await transaction.CommitAsync(ct);
        LogFailed(import.Id, wrong.Code);
    }

    /// <summary>What had been counted of a chunk that may not be committed does not count: the stored figures do.</summary>
    private async Task EndCancelledAsync(NpgsqlConnection connection, Guid importId, CancellationToken ct)
    {
        var stored = (await ImportTable.ReadAsync(connection, importId, ct))?.LoadFigures?.Rows ?? 0;
        LogCancelled(importId, stored);
        if (stored == 0)
            return;
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await FollowUpAsync(connection, transaction, importId, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Names become searchable, loans find their borrowers, the portfolio's pictures are drawn anew, and files that nobody needs any more go.</summary>
    private async Task FollowUpAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid importId, CancellationToken ct)
    {
        await jobs.EnqueueAsync(connection, transaction, new RefreshPortfolio(), new JobOptions { UniqueKey = "portfolio" }, ct);
        await jobs.EnqueueAsync(connection, transaction, new IndexNames(importId), null, ct);
        await jobs.EnqueueAsync(connection, transaction, new LinkBorrowers(importId), null, ct);
        await jobs.EnqueueAsync(connection, transaction, new SweepFiles(), new JobOptions { UniqueKey = "files" }, ct);
    }

    [LoggerMessage(200, LogLevel.Information, "Import {ImportId} was checked: {Rows} rows, {Rejected} would be rejected")]
    private partial void LogChecked(Guid importId, long rows, long rejected);

    [LoggerMessage(201, LogLevel.Information, "Import {ImportId} was loaded: {Rows} rows, {Imported} imported, {Unchanged} unchanged, {Corrected} corrected, {Rejected} rejected")]
    private partial void LogLoaded(Guid importId, long rows, long imported, long unchanged, long corrected, long rejected);

    [LoggerMessage(202, LogLevel.Warning, "Import {ImportId} failed as a whole: {Code}")]
    private partial void LogFailed(Guid importId, string code);

    [LoggerMessage(203, LogLevel.Information, "Import {ImportId} was cancelled after {Rows} rows")]
    private partial void LogCancelled(Guid importId, long rows);
}

/// <summary>What is to become of each row of one chunk; counted into the figures of the import.</summary>
internal sealed class SortedChunk
{
    public SortedChunk(RowChunk chunk, Dictionary<string, StoredLoan> stored, ImportFigures figures)
    {
        for (var i = 0; i < chunk.Count; i++)
        {
            var row = chunk[i];
            figures.Rows++;
            if (row.Outcome == RowOutcome.Rejected)
            {
                figures.Rejected++;
                figures.RejectedSums.Add(row.Facts);
                Keep(row, figures);
                continue;
            }

            figures.Accepted.Add(row.Facts);
            var there = stored.TryGetValue(row.Facts.Number, out var loan);
            if (chunk.IsRepeat(i) || (there && loan.ContentHash == row.Facts.ContentHash))
            {
                figures.Unchanged++;
                continue;
            }

            if (there)
            {
                figures.Changed++;
                Changed.Add((row, loan.Id));
            }
            else
            {
                figures.New++;
                New.Add((row, Guid.CreateVersion7()));
            }

            if (row.Outcome == RowOutcome.Corrected)
            {
                figures.Corrected++;
                Keep(row, figures);
            }
            else
            {
                figures.Imported++;
                figures.Count(row.Findings);
            }
        }
    }

    /// <summary>Loans that are not there yet, with the ids that they get.</summary>
    public List<(PortfolioRow Row, Guid Id)> New { get; } = [];

    /// <summary>Loans that are there with other content.</summary>
    public List<(PortfolioRow Row, Guid Id)> Changed { get; } = [];

    /// <summary>Corrected and rejected rows.</summary>
    public List<PortfolioRow> WithFindings { get; } = [];

    private void Keep(PortfolioRow row, ImportFigures figures)
    {
        WithFindings.Add(row);
        figures.Count(row.Findings);
    }
}
