using System.Net;
using System.Net.Sockets;
using System.Security.Claims;

namespace Camino.People;

/// <summary>How long a session lasts.</summary>
/// <param name="Idle">Without a request that a person made; 5 minutes to 12 hours.</param>
/// <param name="Absolute">However busy it is; 1 to 24 hours.</param>
public sealed record SessionLimits(TimeSpan Idle, TimeSpan Absolute);

/// <summary>Why a session ended, as its row says it.</summary>
public static class SessionEnds
{
    /// <summary>Its owner signed out.</summary>
    public const string SignedOut = "signed-out";

    /// <summary>Its owner ended it from another session.</summary>
    public const string Owner = "owner";

    /// <summary>An administrator, or an operator at the shell, ended all of its owner's.</summary>
    public const string Administrator = "administrator";

    /// <summary>The same browser signed in anew.</summary>
    public const string Replaced = "replaced";

    /// <summary>Nobody used it for too long.</summary>
    public const string Idle = "idle";

    /// <summary>It reached its greatest age.</summary>
    public const string TooOld = "too-old";
}

/// <summary>What a session remembers of where it was begun: enough for its owner to know it again, too little to follow anybody.</summary>
public static class SessionPlace
{
    private static readonly (string Mark, string Name)[] s_browsers = [("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];

    private static readonly (string Mark, string Name)[] s_systems = [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")];

    /// <summary>The network that an address belongs to: <c>203.0.113.0/24</c>, <c>2001:db8:12::/48</c>; empty for none.</summary>
    public static string Network(IPAddress? address)
    {
        if (address is null)
            return "";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        var isOld = address.AddressFamily == AddressFamily.InterNetwork;
        Array.Clear(bytes, isOld ? 3 : 6, isOld ? 1 : 10);
        return new IPAddress(bytes) + (isOld ? "/24" : "/48");
    }

    /// <summary>Browser and system by family, without versions: <c>Firefox, Windows</c>; empty where it is none that is known.</summary>
    public static string Family(string? userAgent)
    {
        var browser = Array.Find(s_browsers, one => userAgent?.Contains(one.Mark, StringComparison.Ordinal) == true).Name;
        var system = Array.Find(s_systems, one => userAgent?.Contains(one.Mark, StringComparison.Ordinal) == true).Name;
        return string.Join(", ", new[] { browser, system }.Where(name => name is not null));
    }
}

/// <summary>The session that a signed-in reader came by.</summary>
public static class SessionClaims
{
    /// <summary>Claim in the cookie's ticket: the id of the row.</summary>
    public const string Session = "camino.session";

    /// <summary>The session's id; null for programs, and for cookies of releases that knew no sessions.</summary>
    public static Guid? SessionId(this ClaimsPrincipal user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return Guid.TryParse(user.FindFirstValue(Session), out var id) ? id : null;
    }
}
