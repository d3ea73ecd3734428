namespace Camino.Lending.Delinquency;

/// <summary>How late a loan is. Source: lending rules, "Delinquency and loss".</summary>
public enum Bucket
{
    /// <summary>Not late.</summary>
    Current,

    /// <summary>1 to 30 days.</summary>
    Days1To30,

    /// <summary>31 to 60 days.</summary>
    Days31To60,

    /// <summary>61 to 90 days.</summary>
    Days61To90,

    /// <summary>91 to 120 days.</summary>
    Days91To120,

    /// <summary>More than 120 days.</summary>
    Over120,
}

/// <summary>What became of a loan from one day's reading to another.</summary>
public enum Roll
{
    /// <summary>The same bucket.</summary>
    Stayed,

    /// <summary>A later bucket.</summary>
    Worsened,

    /// <summary>An earlier bucket, still late.</summary>
    Improved,

    /// <summary>Late before, not late now.</summary>
    Cured,
}

/// <summary>Buckets and how loans roll between them.</summary>
public static class Buckets
{
    /// <summary>The bucket of a number of days past due.</summary>
    /// <param name="daysPastDue">0 or more.</param>
    /// <exception cref="RefusedException"><c>delinquency.days</c>.</exception>
    public static Bucket Of(int daysPastDue)
    {
        Refuse.If(daysPastDue < 0, "delinquency.days", $"Days past due are 0 or more; got {daysPastDue}.");
        return daysPastDue switch
        {
            0 => Bucket.Current,
            <= 30 => Bucket.Days1To30,
            <= 60 => Bucket.Days31To60,
            <= 90 => Bucket.Days61To90,
            <= 120 => Bucket.Days91To120,
            _ => Bucket.Over120,
        };
    }

    /// <summary>How a loan rolled between two readings.</summary>
    public static Roll Between(Bucket before, Bucket now)
    {
        if (before == now)
            return Roll.Stayed;
        if (now == Bucket.Current)
            return Roll.Cured;
        return now > before ? Roll.Worsened : Roll.Improved;
    }
}
