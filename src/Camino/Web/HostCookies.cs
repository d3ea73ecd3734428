using System.Collections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Camino.Web;

/// <summary>
/// The one place that decides under which names cookies travel. Over TLS each of ours is called <c>__Host-</c> and its name, is secure and belongs to this host and all of its paths: no other host of the domain can set or read one,
/// and what comes without the prefix is nobody's. On plain HTTP, which is one's own machine, browsers refuse such names, and cookies have their own.
/// </summary>
/// <remarks>Source: RFC 6265bis, section 4.1.3.2. Everything behind it knows the names without the prefix.</remarks>
public sealed class HostCookies(RequestDelegate next)
{
    /// <summary>What browsers take as the promise.</summary>
    public const string Prefix = "__Host-";

    /// <summary>Stands behind whatever says whether the request came over TLS, and before whatever reads a cookie.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Request.IsHttps)
        {
            context.Features.Set<IRequestCookiesFeature>(new Taken(context.Request.Cookies));
            context.Features.Set<IResponseCookiesFeature>(new Given(context.Response.Cookies));
        }

        return next(context);
    }

    private sealed class Taken(IRequestCookieCollection sent) : IRequestCookiesFeature
    {
        public IRequestCookieCollection Cookies { get; set; } = new Ours(sent);
    }

    /// <summary>What carries the prefix, without it.</summary>
    private sealed class Ours(IRequestCookieCollection sent) : IRequestCookieCollection
    {
        public int Count => Keys.Count;

        public ICollection<string> Keys { get; } = [.. sent.Keys.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..])];

        public string? this[string key] => sent[Prefix + key];

        public bool ContainsKey(string key) => sent.ContainsKey(Prefix + key);

        public bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value) => sent.TryGetValue(Prefix + key, out value);

        public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => Keys.Select(name => KeyValuePair.Create(name, this[name] ?? "")).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class Given(IResponseCookies answer) : IResponseCookiesFeature
    {
        public IResponseCookies Cookies { get; } = new Kept(answer);
    }

    private sealed class Kept(IResponseCookies answer) : IResponseCookies
    {
        public void Append(string key, string value) => answer.Append(Prefix + key, value, Bound(new CookieOptions()));

        public void Append(string key, string value, CookieOptions options) => answer.Append(Prefix + key, value, Bound(options));

        public void Append(ReadOnlySpan<KeyValuePair<string, string>> keyValuePairs, CookieOptions options)
        {
            foreach (var (key, value) in keyValuePairs)
                Append(key, value, options);
        }

        public void Delete(string key) => answer.Delete(Prefix + key, Bound(new CookieOptions()));

        public void Delete(string key, CookieOptions options) => answer.Delete(Prefix + key, Bound(options));

        /// <summary>Browsers refuse the prefix with anything else.</summary>
        private static CookieOptions Bound(CookieOptions options) => new(options) { Secure = true, Path = "/", Domain = null };
    }
}
