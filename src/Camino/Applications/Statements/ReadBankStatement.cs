using System.Globalization;
using Camino.Applications.Underwriting;
using Camino.Imports;
using Camino.Jobs;
using Camino.Lending;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Camino.Applications.Statements;

/// <summary>Reads one bank statement, stores its lines and reckons what all statements of its application come to.</summary>
public sealed partial record ReadBankStatement(Guid StatementId) : IJobArgs
{
    public static string Kind => "applications.read-statement"; // stored in rows: never rename, never reuse

    public static TimeSpan? Timeout => TimeSpan.FromMinutes(5);

    public static JobRetry Retry => new(10, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(40));

    /// <remarks>
    /// Safe to run twice: lines, figures and the end of the job are stored in one transaction, for a statement that is not read yet and still there; whoever was killed before it left nothing. The file
    /// goes when the statement was read or refused, for account numbers stand in it.
    /// </remarks>
    public sealed partial class Handler(NpgsqlDataSource source, FileStore files, TimeProvider clock, ILogger<Handler> log) : IJobHandler<ReadBankStatement>
    {
        public async Task RunAsync(ReadBankStatement args, JobContext job, CancellationToken ct)
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            if (await StatementTable.BeginAsync(connection, args.StatementId, job, ct) is not { } work)
                return;
            try
            {
                await ReadAsync(connection, work, job, ct);
            }
            catch (RefusedException refused)
            {
                await EndAsync(connection, work, refused, job, ct);
            }
            catch (Exception broken) when (job.Attempt >= job.MaxAttempts && broken is not (OperationCanceledException or LeaseLostException))
            {
                await EndAsync(connection, work, new RefusedException("statement.broken", $"The statement could not be read because something broke; the job {job.JobId} says more."), job, ct);
                throw;
            }
        }

        private async Task ReadAsync(NpgsqlConnection connection, StatementWork work, JobContext job, CancellationToken ct)
        {
            var path = files.PathOf(FileStore.KeyOf(work.Id));
            if (!File.Exists(path))
                throw new RefusedException("statement.gone", "The stored file is not there any more; hand it in again.");
            var read = StatementReader.Read(await File.ReadAllBytesAsync(path, ct), work.Hints);
            var lines = read.Accounts.Sum(one => one.Account.Lines.Count);
            await job.ReportProgressAsync(lines, lines, ct: ct);
            await using (var transaction = await connection.BeginTransactionAsync(ct))
            {
                if (!await StatementTable.StoreAsync(connection, transaction, work, read, clock.GetUtcNow(), ct))
                    return; // it was removed meanwhile
                await StatementTable.ReckonAsync(connection, transaction, work.ApplicationId, ct);
                await EvaluationTable.EvaluateAsync(connection, transaction, work.ApplicationId, EvaluationCause.Statements, null, null, clock.GetUtcNow(), ct);
                await StatementTable.TellAsync(connection, transaction, work, "Notice.StatementRead", lines.ToString("N0", CultureInfo.InvariantCulture));
                await job.CompleteAsync(connection, transaction, new { lines }, ct);
                await transaction.CommitAsync(ct);
            }

            files.Delete(FileStore.KeyOf(work.Id));
            LogRead(work.Id, lines);
        }

        private async Task EndAsync(NpgsqlConnection connection, StatementWork work, RefusedException refused, JobContext job, CancellationToken ct)
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            var isThere = await StatementTable.RefuseAsync(connection, transaction, work.Id, refused, ct);
            if (isThere)
                await StatementTable.TellAsync(connection, transaction, work, "Notice.StatementRefused");
            if (refused.Code == "statement.broken")
                await job.HoldLeaseAsync(connection, transaction, ct);
            else
                await job.CompleteAsync(connection, transaction, new { error = refused.Code }, ct);
            await transaction.CommitAsync(ct);
            files.Delete(FileStore.KeyOf(work.Id));
            LogRefused(work.Id, refused.Code);
        }

        [LoggerMessage(240, LogLevel.Information, "Bank statement {StatementId} was read: {Lines} lines")]
        private partial void LogRead(Guid statementId, int lines);

        [LoggerMessage(241, LogLevel.Information, "Bank statement {StatementId} was refused: {Code}")]
        private partial void LogRefused(Guid statementId, string code);
    }
}
