using Npgsql;
using NpgsqlTypes;

namespace Camino.Jobs;

/// <content>Lists, and commands on many jobs at once.</content>
public sealed partial class JobStore
{
    /// <summary>Jobs that one statement of a command on many looks at.</summary>
    private const int BulkRows = 500;

    /// <summary>One page of jobs, newest first, live and finished ones; without arguments and results.</summary>
    /// <param name="filter">Null fields do not limit.</param>
    /// <param name="cursor"><see cref="JobPage.Next"/> of the page before; null for the first.</param>
    /// <param name="take">1 to 200.</param>
    /// <exception cref="ArgumentException">names the field of the filter, its value and what is allowed.</exception>
    public async Task<JobPage> ListAsync(JobFilter filter, Guid? cursor = null, int take = 50, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, LargestPage);
        await using var connection = await _source.OpenConnectionAsync(ct);
        var (ids, next, cut) = await FindAsync(connection, filter, cursor, take, ct);
        return new JobPage(await LinesAsync(connection, ids, ct), next) { Cut = cut };
    }

    /// <summary>How many jobs match, up to <see cref="CountCap"/>: the dry run of a command on many.</summary>
    /// <exception cref="ArgumentException">names the field of the filter, its value and what is allowed.</exception>
    public async Task<JobCount> CountAsync(JobFilter filter, CancellationToken ct = default)
    {
        if (!JobSql.TouchesLive(filter) && !JobSql.TouchesOver(filter))
            return new JobCount(0);
        await using var command = Command(_sql.Count(filter));
        AddFilter(command, filter);
        command.Parameters.AddWithValue("cap", CountCap);
        return new JobCount(await command.ExecuteScalarAsync(ct) is long count ? count : 0);
    }

    /// <summary>Failed jobs that nobody acknowledged, grouped by cause, the most frequent first; at most 200 groups.</summary>
    public async Task<IReadOnlyList<JobCause>> CausesAsync(CancellationToken ct = default)
    {
        await using var command = Command(_sql.Causes);
        var causes = new List<JobCause>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            causes.Add(new JobCause(
                TextAt(reader, 0) ?? "", reader.GetString(1), reader.GetInt64(2), reader.GetFieldValue<DateTimeOffset>(3), reader.GetFieldValue<DateTimeOffset>(4), reader.GetGuid(5)));
        }
        return causes;
    }

    /// <summary>Carries a command out on these jobs, each at most once.</summary>
    /// <param name="ids">At most 10,000.</param>
    /// <exception cref="ArgumentException">names the field of the command, its value and what is allowed.</exception>
    public async Task<JobBulkProgress> ApplyAsync(JobCommand command, IReadOnlyCollection<Guid> ids, CancellationToken ct = default)
    {
        Check(command);
        if (ids.Count > 10_000)
            throw new ArgumentException($"ids has {ids.Count} entries; at most 10000 are allowed. Use a filter.", nameof(ids));
        long done = 0;
        var distinct = ids.Distinct().ToList();
        foreach (var some in distinct.Chunk(BulkRows))
            done += await ApplyToAsync(command, some, ct);
        return new JobBulkProgress(distinct.Count, done, distinct.Count - done, Cursor: null);
    }

    /// <summary>
    /// Carries a command out on one bounded batch of those that match, newest first; call it again with the answer's cursor until that is null. Start with the
    /// highest id that may be touched, so that jobs enqueued meanwhile are left alone.
    /// </summary>
    /// <param name="below">Only jobs enqueued before this one, <see cref="Guid.CreateVersion7()"/> at the beginning.</param>
    /// <exception cref="ArgumentException">names the field of the command or filter, its value and what is allowed.</exception>
    public async Task<JobBulkProgress> ApplyNextAsync(JobCommand command, JobFilter filter, Guid below, CancellationToken ct = default)
    {
        Check(command);
        IReadOnlyList<Guid> ids;
        Guid? next;
        await using (var connection = await _source.OpenConnectionAsync(ct))
            (ids, next, _) = await FindAsync(connection, filter, below, BulkRows, ct);
        var done = ids.Count == 0 ? 0 : await ApplyToAsync(command, ids, ct);
        return new JobBulkProgress(ids.Count, done, ids.Count - done, next);
    }

    private static void Check(JobCommand command)
    {
        JobNames.Text(command.By, "By", JobNames.LongestUser);
        JobNames.Text(command.Reason, "Reason", 500);
        if ((command.Action == JobAction.ChangeDue) != (command.DueAt is not null))
            throw new ArgumentException($"Action is {command.Action} and DueAt {(command.DueAt is null ? "is missing" : "is set")}; ChangeDue needs it, and only ChangeDue.", nameof(command));
    }

    private async Task<long> ApplyToAsync(JobCommand command, IReadOnlyCollection<Guid> ids, CancellationToken ct)
    {
        try
        {
            var touched = await ApplyOnceAsync(command, ids, ct);
            if (command.Action is JobAction.Cancel or JobAction.Acknowledge)
                await ResolveAsync(touched, ct);
            return touched.Count;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Two of them have one key, or somebody just took it: the first one gets it.
            if (ids.Count == 1)
                return 0;
            long done = 0;
            foreach (var id in ids)
                done += await ApplyToAsync(command, [id], ct);
            return done;
        }
    }

    private async Task<IReadOnlyList<Guid>> ApplyOnceAsync(JobCommand command, IReadOnlyCollection<Guid> ids, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        return await ApplyOnceAsync(command, ids, connection, transaction: null, ct);
    }

    private async Task<IReadOnlyList<Guid>> ApplyOnceAsync(JobCommand command, IReadOnlyCollection<Guid> ids, NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken ct)
    {
        var text = command.Action switch
        {
            JobAction.Cancel => _sql.CancelMany,
            JobAction.Retry => _sql.RetryMany,
            JobAction.RunNow => _sql.RunNowMany,
            JobAction.ChangeDue => _sql.ChangeDueMany,
            _ => _sql.AcknowledgeMany,
        };
        await using var apply = new NpgsqlCommand(text, connection, transaction) { CommandTimeout = CommandSeconds };
        apply.Parameters.AddWithValue("ids", ids.ToArray());
        if (command.Action is JobAction.Cancel or JobAction.Retry or JobAction.Acknowledge)
            apply.Parameters.AddWithValue("by", command.By);
        if (command.Action == JobAction.Cancel)
            apply.Parameters.Add(Optional("reason", NpgsqlDbType.Text, command.Reason));
        if (command.DueAt is { } due)
            apply.Parameters.AddWithValue("due", due.ToUniversalTime());
        if (command.Action != JobAction.Acknowledge)
            AddWake(apply);
        var touched = await ReadIdsAsync(apply, ct);
        var word = command.Action switch
        {
            JobAction.Cancel => "cancelled or to be cancelled",
            JobAction.Retry => "to be tried again",
            JobAction.RunNow => "due now",
            JobAction.ChangeDue => "due at another time",
            _ => "acknowledged",
        };
        foreach (var id in touched)
            JobLog.Commanded(_logger, id, word);
        return touched;
    }

    /// <summary>The ids of one page, and where the next begins.</summary>
    private async Task<(IReadOnlyList<Guid> Ids, Guid? Next, bool Cut)> FindAsync(NpgsqlConnection connection, JobFilter filter, Guid? cursor, int take, CancellationToken ct)
    {
        var found = new List<Guid>();
        Guid? floor = null;
        if (JobSql.TouchesLive(filter))
            floor = await LookAsync(connection, filter, cursor, take, _sql.LiveIds(filter), _sql.LiveFloor(filter), found, ct);
        if (JobSql.TouchesOver(filter) && await LookAsync(connection, filter, cursor, take, _sql.OverIds(filter), _sql.OverFloor(filter), found, ct) is { } other)
            floor = floor is { } one && one.CompareTo(other) > 0 ? one : other;

        // What lies behind the end of a look is found by the next page, together with what that look did not reach.
        var ids = found.Distinct().Where(id => floor is not { } end || id.CompareTo(end) >= 0).OrderDescending().ToList();
        if (ids.Count > take)
        {
            ids.RemoveRange(take, ids.Count - take);
            return (ids, ids[^1], false);
        }
        return (ids, floor, floor is not null);
    }

    /// <summary>Adds what one side finds; the last row looked at when the look ended before the side did.</summary>
    private static async Task<Guid?> LookAsync(
        NpgsqlConnection connection, JobFilter filter, Guid? cursor, int take, string ids, string? floor, List<Guid> found, CancellationToken ct)
    {
        var look = JobSql.LookOf(filter);
        int count;
        await using (var command = new NpgsqlCommand(ids, connection) { CommandTimeout = CommandSeconds })
        {
            AddSide(command, filter, cursor, look);
            command.Parameters.AddWithValue("take", take + 1);
            var some = await ReadIdsAsync(command, ct);
            found.AddRange(some);
            count = some.Count;
        }
        if (count > take || floor is null)
            return null;
        await using var end = new NpgsqlCommand(floor, connection) { CommandTimeout = CommandSeconds };
        AddSide(end, filter, cursor, look);
        return await end.ExecuteScalarAsync(ct) is Guid last ? last : null;
    }

    private static void AddSide(NpgsqlCommand command, JobFilter filter, Guid? cursor, int look)
    {
        AddFilter(command, filter);
        command.Parameters.Add(Optional("before", NpgsqlDbType.Uuid, cursor));
        command.Parameters.AddWithValue("look", look);
    }

    private static void AddFilter(NpgsqlCommand command, JobFilter filter)
    {
        if (filter.Text is { Length: < 2 or > 200 })
            throw new ArgumentException($"Text has {filter.Text.Length} characters; it must have 2 to 200.", nameof(filter));
        Add("state", filter.State is { } state ? NameOf(state) : null);
        Add("queue", filter.Queue);
        Add("kind", filter.Kind);
        Add("tag", filter.Tag);
        Add("key", filter.UniqueKey);
        Add("by", filter.RequestedBy);
        Add("cause", filter.Cause);
        Add("text", filter.Text is null ? null : $"%{filter.Text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%");
        if (filter.ParentId is { } parent)
            command.Parameters.AddWithValue("parent", parent);
        if (filter.From is { } from)
            command.Parameters.AddWithValue("from", from.ToUniversalTime());
        if (filter.To is { } to)
            command.Parameters.AddWithValue("to", to.ToUniversalTime());

        void Add(string name, string? value)
        {
            if (value is not null)
                command.Parameters.AddWithValue(name, value.Replace('\0', ' '));
        }
    }

    private async Task<IReadOnlyList<JobLine>> LinesAsync(NpgsqlConnection connection, IReadOnlyList<Guid> ids, CancellationToken ct)
    {
        if (ids.Count == 0)
            return [];
        await using var command = new NpgsqlCommand(_sql.Lines, connection) { CommandTimeout = CommandSeconds };
        command.Parameters.AddWithValue("ids", ids.ToArray());
        var jobs = new List<JobLine>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var line = new Columns(reader);
            jobs.Add(new JobLine(
                line.Id("id"), StateNamed(line.Text("state")), line.Text("queue"), line.Text("kind"), line.Number("attempt"), line.Number("max_attempts"),
                line.TextOrNull("requested_by"), line.Time("enqueued_at"), line.Time("due_at"), line.TimeOrNull("started_at"), line.TimeOrNull("finished_at"),
                line.TextOrNull("server"), line.Flag("cancel_requested"), line.TextOrNull("error"), line.Progress())
            {
                Tags = line.Texts("tags"),
            });
        }
        return jobs;
    }
}
