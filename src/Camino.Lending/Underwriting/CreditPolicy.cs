namespace Camino.Lending.Underwriting;

/// <summary>What a rule has come of it when it applies.</summary>
public enum RuleEffect
{
    /// <summary>The application is to be declined.</summary>
    Decline = 1,

    /// <summary>A person decides, whatever the score.</summary>
    Refer = 2,
}

/// <summary>What a rule does where a fact that it asks for is not known.</summary>
public enum WhenMissing
{
    /// <summary>It does not apply.</summary>
    Passes = 1,

    /// <summary>It applies.</summary>
    Applies = 2,

    /// <summary>A person decides.</summary>
    Refers = 3,
}

/// <summary>A sentence in both languages.</summary>
/// <param name="En">1 to 200 characters.</param>
/// <param name="Es">1 to 200 characters.</param>
public sealed record TwoTongues(string En, string Es)
{
    /// <summary>The sentence in the language of a code.</summary>
    public string In(string language) => language == "es" ? Es : En;
}

/// <summary>What must hold of one fact. All that is said must hold.</summary>
/// <param name="From">At least so much.</param>
/// <param name="Below">Less than so much.</param>
/// <param name="Is">One of these words; empty: not asked.</param>
/// <param name="IsNot">None of these words; empty: not asked.</param>
public sealed record Condition(string Fact, decimal? From, decimal? Below, IReadOnlyList<string> Is, IReadOnlyList<string> IsNot)
{
    /// <summary>Whether it holds; null where the fact is not known.</summary>
    public bool? Holds(CreditFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (facts.Text(Fact) is not { } word)
            return null;
        if (Is.Count > 0 || IsNot.Count > 0)
            return (Is.Count == 0 || Is.Contains(word, StringComparer.Ordinal)) && !IsNot.Contains(word, StringComparer.Ordinal);
        var number = facts.Number(Fact);
        return (From is null || number >= From) && (Below is null || number < Below);
    }
}

/// <summary>One rule: a knock-out or a referral.</summary>
/// <param name="Code">Unique within the policy; stored with each evaluation.</param>
/// <param name="When">1 to 4 conditions, all of which must hold.</param>
/// <param name="Reason">A code of <see cref="Applications.AdverseReasons"/>.</param>
/// <param name="IsAbsolute">Nobody decides against it.</param>
public sealed record CreditRule(string Code, RuleEffect Effect, IReadOnlyList<Condition> When, WhenMissing Missing, string Reason, bool IsAbsolute, TwoTongues Says);

/// <summary>What a stretch of values, or some words, are worth.</summary>
/// <param name="Below">Values under this that no bin before it took; null in the last, which takes the rest.</param>
/// <param name="Is">Words that it takes; empty in the last and for numbers.</param>
public sealed record Bin(decimal? Below, IReadOnlyList<string> Is, int Points);

/// <summary>One line of a scorecard.</summary>
/// <param name="Missing">Points where the fact is not known.</param>
/// <param name="Reason">A code of <see cref="Applications.AdverseReasons"/>: why points are missing.</param>
public sealed record ScoreLine(string Fact, string Reason, int Missing, IReadOnlyList<Bin> Bins)
{
    /// <summary>The most that it can give.</summary>
    public int Most => Bins.Max(bin => bin.Points);

    /// <summary>What a value is worth.</summary>
    public int PointsOf(CreditFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (facts.Text(Fact) is not { } word)
            return Missing;
        if (Bins[0].Below is null)
            return Bins.First(bin => bin.Is.Count == 0 || bin.Is.Contains(word, StringComparer.Ordinal)).Points;
        var number = facts.Number(Fact);
        return Bins.First(bin => bin.Below is null || number < bin.Below).Points;
    }
}

/// <summary>A scorecard.</summary>
/// <param name="ApproveFrom">So many points and more: approve.</param>
/// <param name="DeclineBelow">Fewer points: decline. Between the two a person decides.</param>
public sealed record Scorecard(int Base, int ApproveFrom, int DeclineBelow, IReadOnlyList<ScoreLine> Lines);

/// <summary>How much somebody of a role may decide about alone.</summary>
/// <param name="Offer">Dollars of one offer.</param>
/// <param name="Override">Dollars of one offer against the recommendation.</param>
public sealed record RoleLimit(string Role, Money Offer, Money Override);

/// <summary>Who may decide about how much.</summary>
/// <param name="SecondSignatureOver">An offer of more needs a second person; null: none does.</param>
/// <param name="Roles">A role that is not here decides nothing.</param>
public sealed record DecisionLimits(Money? SecondSignatureOver, IReadOnlyList<RoleLimit> Roles)
{
    /// <summary>What somebody with these roles may offer, and offer against the recommendation; the most of each.</summary>
    public (Money Offer, Money Override) Of(IEnumerable<string> roles)
    {
        var mine = Roles.Where(limit => roles.Contains(limit.Role, StringComparer.Ordinal)).ToList();
        return (mine.Count == 0 ? Money.Zero : Money.FromCents(mine.Max(one => one.Offer.Cents)), mine.Count == 0 ? Money.Zero : Money.FromCents(mine.Max(one => one.Override.Cents)));
    }
}

/// <summary>Up to when something of a checklist must be there.</summary>
public enum CheckBefore
{
    /// <summary>Before an offer is made.</summary>
    Offer = 1,

    /// <summary>Before the loan is booked.</summary>
    Booking = 2,
}

/// <summary>One item of the checklist.</summary>
/// <param name="Code">Unique within the policy; stored with each tick.</param>
/// <param name="From">Asked for from this principal on.</param>
/// <param name="Products">Codes of products; empty: of all.</param>
/// <param name="Document">The kind of document that does it by itself; null: somebody ticks it.</param>
/// <param name="StatementDays">Days of bank statements that do it by themselves; null: somebody ticks it.</param>
/// <param name="Roles">Who may tick it; empty: everybody who works applications.</param>
public sealed record ChecklistItem(string Code, CheckBefore Before, Money From, IReadOnlyList<string> Products, string? Document, int? StatementDays, IReadOnlyList<string> Roles, TwoTongues Says)
{
    /// <summary>Whether it is asked for.</summary>
    /// <param name="product">Null: of any product.</param>
    public bool IsFor(string? product, Money principal) => principal >= From && (product is null || Products.Count == 0 || Products.Contains(product, StringComparer.Ordinal));
}

/// <summary>The lender's credit policy in one version: rules, scorecard, limits and checklist.</summary>
public sealed record CreditPolicy(IReadOnlyList<CreditRule> Rules, Scorecard? Scorecard, DecisionLimits Limits, IReadOnlyList<ChecklistItem> Checklist)
{
    public const int MostRules = 60;
    public const int MostConditions = 4;
    public const int MostLines = 30;
    public const int MostBins = 20;
    public const int MostItems = 40;
    public const int MostPoints = 1_000;

    /// <summary>Longest document, in characters.</summary>
    public const int LongestDocument = 60_000;
}
