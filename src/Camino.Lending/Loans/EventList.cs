using System.Runtime.InteropServices;

namespace Camino.Lending.Loans;

/// <summary>Which events of an append-only list are in effect on a date, and in which order.</summary>
internal sealed class EventList
{
    /// <summary>The most events of one loan.</summary>
    public const int MaxEvents = 20_000;

    private readonly Dictionary<string, int> _byKey = new(StringComparer.Ordinal);
    private readonly List<LoanEvent> _events = [];
    private readonly int[] _takenBackBy;

    /// <summary>Checks the events, keeps those up to a date and known by another, and finds out which of them were taken back by it.</summary>
    /// <exception cref="RefusedException">See <see cref="LoanEvent.Check"/>; <c>event.key</c> for one key with two bodies, <c>event.of</c> for a reversal of nothing or of something reversed.</exception>
    public EventList(IReadOnlyList<LoanEvent> events, DateOnly date, DateOnly knownOn)
    {
        Refuse.If(events.Count > MaxEvents, "event.count", $"A loan has at most {MaxEvents} events; got {events.Count}.");
        var given = new Dictionary<string, LoanEvent>(StringComparer.Ordinal);
        foreach (var one in events)
        {
            one.Check();
            if (given.TryGetValue(one.Key, out var before))
            {
                Refuse.If(before != one, "event.key", $"Key {one.Key} was given before with another body.");
                continue;
            }

            given.Add(one.Key, one);
            HasDisbursements |= one.Type == LoanEventType.Disburse;
            if (one.On > date || (one.PostedOn ?? one.On) > knownOn)
                continue;
            _byKey.Add(one.Key, _events.Count);
            _events.Add(one);
        }

        foreach (var one in _events)
        {
            if (!one.TakesBack)
                continue;
            Refuse.If(!given.TryGetValue(one.Of ?? "", out var target), "event.of", $"There is no event {one.Of} to take back.");
            Refuse.If(target.On > one.On, "event.of", $"Event {one.Of} on {target.On:yyyy-MM-dd} comes after what takes it back, on {one.On:yyyy-MM-dd}.");
            Refuse.If(one.Type == LoanEventType.Return && target.Type is not (LoanEventType.Pay or LoanEventType.Recover), "event.of", $"A bank returns a payment; {one.Of} is a {target.Type}.");
        }

        _takenBackBy = FindTakenBack();
    }

    /// <summary>Whether the list holds disbursements at all, on whatever date.</summary>
    public bool HasDisbursements { get; }

    /// <summary>The events in effect, in the order of replay.</summary>
    public List<LoanEvent> InOrder()
    {
        var order = new List<(LoanEvent Event, int Index)>(_events.Count);
        for (var i = 0; i < _events.Count; i++)
        {
            if (_takenBackBy[i] < 0)
                order.Add((_events[i], i));
        }

        order.Sort(static (one, other) =>
        {
            var byDate = one.Event.On.CompareTo(other.Event.On);
            if (byDate != 0)
                return byDate;
            var byType = ((int)one.Event.Type).CompareTo((int)other.Event.Type);
            return byType != 0 ? byType : one.Index.CompareTo(other.Index);
        });
        return order.ConvertAll(static one => one.Event);
    }

    /// <summary>The events taken back, each with what took it back: they stay visible.</summary>
    public IEnumerable<TakenBack> TakenBackOnes()
    {
        for (var i = 0; i < _events.Count; i++)
        {
            if (_takenBackBy[i] >= 0)
                yield return new TakenBack(_events[i], _events[_takenBackBy[i]]);
        }
    }

    private int[] FindTakenBack()
    {
        // What takes back is itself in effect unless taken back: from the last in the list to the first, a chain is decided from its end.
        var takenBackBy = new int[_events.Count];
        Array.Fill(takenBackBy, -1);
        var takers = new List<int>();
        for (var i = 0; i < _events.Count; i++)
        {
            if (_events[i].TakesBack)
                takers.Add(i);
        }

        // The order of dates, then of the list, is the order in which they were taken back.
        takers.Sort((one, other) => _events[one].On != _events[other].On ? _events[other].On.CompareTo(_events[one].On) : other.CompareTo(one));
        foreach (var taker in takers)
        {
            if (takenBackBy[taker] >= 0 || !_byKey.TryGetValue(_events[taker].Of ?? "", out var target))
                continue;
            Refuse.If(target == taker, "event.of", $"Event {_events[taker].Key} takes itself back.");
            Refuse.If(takenBackBy[target] >= 0, "event.of", $"Event {_events[taker].Of} is taken back twice, by {_events[taker].Key} and {(takenBackBy[target] >= 0 ? _events[takenBackBy[target]].Key : "")}.");
            takenBackBy[target] = taker;
        }

        return takenBackBy;
    }
}

/// <summary>An event and what took it back.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TakenBack(LoanEvent Event, LoanEvent By);
