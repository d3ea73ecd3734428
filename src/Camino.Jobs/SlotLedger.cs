namespace Camino.Jobs;

/// <summary>Who may use which slot: reserved ones only by their queue, the rest by all, each queue up to its own maximum. Not thread-safe.</summary>
internal sealed class SlotLedger
{
    private readonly int[] _reserved;
    private readonly int[] _most;
    private readonly int[] _started;
    private readonly int[] _held;
    private readonly int _shared;
    private readonly Dictionary<string, int> _ranks = new(StringComparer.Ordinal);

    public SlotLedger(JobServerOptions options)
    {
        Queues = options.Queues.Select(queue => queue.Name).ToArray();
        _reserved = options.Queues.Select(queue => queue.ReservedSlots).ToArray();
        _most = options.Queues.Select(queue => queue.MaxSlots ?? int.MaxValue).ToArray();
        _started = new int[Queues.Length];
        _held = new int[Queues.Length];
        _shared = options.Slots - _reserved.Sum();
        for (var rank = 0; rank < Queues.Length; rank++)
            _ranks[Queues[rank]] = rank;
    }

    /// <summary>The queues, most urgent first.</summary>
    public string[] Queues { get; }

    /// <summary>Jobs that run.</summary>
    public int Started { get; private set; }

    public int RankOf(string queue) => _ranks[queue];

    public bool Serves(string queue) => _ranks.ContainsKey(queue);

    /// <summary>True when a slot is free that this queue may use.</summary>
    public bool CanStart(int rank) =>
        _started[rank] < _most[rank] && (_started[rank] < _reserved[rank] || SharedUse(_started) < _shared);

    /// <summary>Reserved slots of this queue that neither a running nor a held job uses.</summary>
    public int OwnFree(int rank) => Math.Max(0, Math.Min(_reserved[rank], _most[rank]) - _started[rank] - _held[rank]);

    public void Hold(int rank) => _held[rank]++;

    public void LetGo(int rank) => _held[rank]--;

    public void Start(int rank)
    {
        _held[rank]--;
        _started[rank]++;
        Started++;
    }

    public void End(int rank)
    {
        _started[rank]--;
        Started--;
    }

    /// <summary>How many jobs each queue may be given now, with <paramref name="ahead"/> more than there are slots, at most <paramref name="mostTake"/>; null when none may.</summary>
    public (int[] Takes, int[] Owns, int Shared)? Room(int ahead, int mostTake = int.MaxValue)
    {
        var taken = new int[Queues.Length];
        for (var rank = 0; rank < taken.Length; rank++)
            taken[rank] = _started[rank] + _held[rank];

        var shared = Math.Clamp(_shared + ahead - SharedUse(taken), 0, mostTake);
        var owns = new int[taken.Length];
        var takes = new int[taken.Length];
        for (var rank = 0; rank < taken.Length; rank++)
        {
            owns[rank] = Math.Max(0, _reserved[rank] - taken[rank]);
            takes[rank] = Math.Clamp(_most[rank] - taken[rank], 0, owns[rank] + shared);
        }
        return takes.Any(take => take > 0) ? (takes, owns, shared) : null;
    }

    private int SharedUse(int[] taken)
    {
        var use = 0;
        for (var rank = 0; rank < taken.Length; rank++)
            use += Math.Max(0, taken[rank] - _reserved[rank]);
        return use;
    }
}
