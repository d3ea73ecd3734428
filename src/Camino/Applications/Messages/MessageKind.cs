namespace Camino.Applications.Messages;

/// <summary>What an applicant is written about. The values are stored and never change.</summary>
public enum MessageKind
{
    /// <summary>An offer, with the link by which it is accepted.</summary>
    Offer = 1,

    /// <summary>The decision not to lend, with the notice attached.</summary>
    Decline = 2,

    /// <summary>Documents that are needed, with the link by which they are handed in.</summary>
    Documents = 3,
}

/// <summary>How an applicant is written to. The values are stored and never change.</summary>
public enum MessageChannel
{
    /// <summary>E-mail.</summary>
    Email = 1,

    /// <summary>Text message to a phone.</summary>
    Text = 2,
}

/// <summary>Where a message stands. The values are stored and never change.</summary>
public enum MessageState
{
    /// <summary>It waits for its turn, or for another attempt.</summary>
    Queued = 0,

    /// <summary>The service took it.</summary>
    Sent = 1,

    /// <summary>The last attempt failed.</summary>
    Failed = 2,
}
