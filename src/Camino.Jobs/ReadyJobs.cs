namespace Camino.Jobs;

/// <summary>A job that is taken and waits for a slot of this process.</summary>
/// <param name="Level">The place of its queue, less one for each term of waiting.</param>
internal sealed record ReadyJob(JobRun Run, int Level, long HeldAt)
{
    /// <summary>Level, then age, then id: the order of the claim.</summary>
    public static int Compare(ReadyJob one, ReadyJob other)
    {
        var order = one.Level.CompareTo(other.Level);
        return order != 0 ? order : CompareAge(one, other);
    }

    public static int CompareAge(ReadyJob one, ReadyJob other)
    {
        var order = one.Run.Job.DueAt.CompareTo(other.Run.Job.DueAt);
        return order != 0 ? order : one.Run.JobId.CompareTo(other.Run.JobId);
    }
}

/// <summary>The jobs that are taken and wait for a slot, by queue and age. Not thread-safe.</summary>
internal sealed class ReadyJobs
{
    private readonly List<ReadyJob>[] _byRank;
    private readonly bool[] _unsorted;

    public ReadyJobs(int ranks)
    {
        _byRank = Enumerable.Range(0, ranks).Select(_ => new List<ReadyJob>()).ToArray();
        _unsorted = new bool[ranks];
    }

    public int Count { get; private set; }

    public void Add(ReadyJob job)
    {
        _byRank[job.Run.Rank].Add(job);
        _unsorted[job.Run.Rank] = true;
        Count++;
    }

    /// <summary>Takes out the job that goes first among those that find a slot; null when none does.</summary>
    public ReadyJob? Next(SlotLedger slots)
    {
        if (Count == 0)
            return null;
        ReadyJob? first = null;
        for (var rank = 0; rank < _byRank.Length; rank++)
        {
            if (_byRank[rank].Count > 0 && slots.CanStart(rank) && Sorted(rank)[^1] is var head && (first is null || ReadyJob.Compare(head, first) < 0))
                first = head;
        }
        if (first is not null)
        {
            _byRank[first.Run.Rank].RemoveAt(_byRank[first.Run.Rank].Count - 1);
            Count--;
        }
        return first;
    }

    /// <summary>Their ids, in no order.</summary>
    public IEnumerable<Guid> Ids => _byRank.SelectMany(jobs => jobs.Select(job => job.Run.JobId));

    /// <summary>Takes out all that fit, in no order.</summary>
    public List<ReadyJob> Remove(Predicate<ReadyJob> fits)
    {
        var removed = new List<ReadyJob>();
        foreach (var jobs in _byRank)
        {
            removed.AddRange(jobs.FindAll(fits));
            jobs.RemoveAll(fits);
        }
        Count -= removed.Count;
        return removed;
    }

    /// <summary>The oldest stands last, where it is taken out without moving the others.</summary>
    private List<ReadyJob> Sorted(int rank)
    {
        if (_unsorted[rank])
        {
            _byRank[rank].Sort(static (one, other) => ReadyJob.CompareAge(other, one));
            _unsorted[rank] = false;
        }
        return _byRank[rank];
    }
}
