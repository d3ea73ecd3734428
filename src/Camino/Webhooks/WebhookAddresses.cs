using System.Net;
using System.Net.Sockets;
using Camino.Lending;

namespace Camino.Webhooks;

/// <summary>Where notices may go: to the public internet by https. What lies in a private network, on this machine, or answers about the machine itself (metadata) is refused.</summary>
public static class WebhookAddresses
{
    /// <summary>Longest address, in characters.</summary>
    public const int LongestUrl = 500;

    private static readonly IPNetwork[] s_refused4 =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        }.Select(text => IPNetwork.Parse(text)),
    ];

    private static readonly IPNetwork s_global6 = IPNetwork.Parse("2000::/3");

    /// <summary>Inside the global range: protocol assignments with Teredo, documentation, 6to4, and those that carry an IPv4 address.</summary>
    private static readonly IPNetwork[] s_refused6 = [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(text => IPNetwork.Parse(text))];

    /// <summary>Whether an address lies in the public internet. Source: the special-purpose registries of IANA (RFC 6890), and the metadata addresses of clouds.</summary>
    public static bool IsPublic(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.AddressFamily switch
        {
            AddressFamily.InterNetwork => !s_refused4.Any(network => network.Contains(plain)),
            AddressFamily.InterNetworkV6 => s_global6.Contains(plain) && !s_refused6.Any(network => network.Contains(plain)),
            _ => false,
        };
    }

    /// <summary>Reads the address of an endpoint. Names are not resolved here: what counts is where a connection goes when it is made.</summary>
    /// <exception cref="RefusedException"><c>webhook.url</c>.</exception>
    internal static string Read(string? text, WebhookOptions options)
    {
        var given = text?.Trim() ?? "";
        Refuse.If(given.Length is 0 or > LongestUrl, "webhook.url", $"url has {given.Length} characters; it must have 1 to {LongestUrl}.");
        if (!Uri.TryCreate(given, UriKind.Absolute, out var url) || given.Any(letter => letter is <= ' ' or > '~') || url.HostNameType is UriHostNameType.Unknown or UriHostNameType.Basic)
            throw new RefusedException("webhook.url", "url is no address such as https://example.com/camino, in ASCII.");
        Refuse.If(url.Scheme != Uri.UriSchemeHttps && !(options.AllowPrivateAddresses && url.Scheme == Uri.UriSchemeHttp), "webhook.url", $"url begins with {url.Scheme}; it must begin with https.");
        Refuse.If(url.UserInfo.Length > 0 || url.Fragment.Length > 0, "webhook.url", "url holds a user name or a fragment; it must hold neither.");
        var isAddress = IPAddress.TryParse(url.IdnHost, out var address);
        Refuse.If(!options.AllowPrivateAddresses && ((isAddress && address is not null && !IsPublic(address)) || IsLocalName(url.IdnHost)), "webhook.url", "url leads to this machine or into a private network; it must lead to the public internet.");
        return url.AbsoluteUri;
    }

    private static bool IsLocalName(string host)
    {
        var name = host.TrimEnd('.');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".internal", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".local", StringComparison.OrdinalIgnoreCase);
    }
}
