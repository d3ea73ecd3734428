namespace Camino.Applications.Papers;

/// <summary>What Camino writes about an application. The values are stored and never change.</summary>
public enum PaperKind
{
    /// <summary>An offer with everything that must be disclosed, and its schedule.</summary>
    Offer = 1,

    /// <summary>The letter that tells of the approval.</summary>
    Approval = 2,

    /// <summary>Promissory note and loan agreement.</summary>
    Contract = 3,

    /// <summary>Notice of adverse action.</summary>
    Decline = 4,
}

/// <summary>Where a paper stands. The values are stored and never change.</summary>
public enum PaperState
{
    /// <summary>It is being made.</summary>
    Waiting = 0,

    /// <summary>It is made, and never made again.</summary>
    Made = 1,

    /// <summary>The last attempt failed.</summary>
    Failed = 2,
}
