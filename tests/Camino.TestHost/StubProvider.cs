using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Camino.Testing;

/// <summary>An identity provider on this machine: real addresses, real keys, real ID tokens. What it says about the person, and how it spoils the token, a test sets.</summary>
/// <remarks>Source: OpenID Connect Core 1.0, sections 3.1.2, 3.1.3 and 5.3; RFC 7636 for PKCE; Back-Channel Logout 1.0, section 2.4.</remarks>
public sealed class StubProvider : IAsyncDisposable
{
    public const string ClientId = "camino";
    public const string ClientSecret = "a secret that only both of them know";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (string Nonce, string Challenge, string Redirect)> _codes = new(StringComparer.Ordinal);
    private readonly WebApplication _app;
    private RSA _key = RSA.Create(2048);
    private int _keys = 1;
    private int _asked;

    private StubProvider(WebApplication app) => _app = app;

    /// <summary>Its address, which is its name as an issuer.</summary>
    public string Issuer => _app.Urls.First();

    /// <summary>Claims of whoever is signed in there.</summary>
    public JsonObject Person { get; set; } = [];

    /// <summary>What its userinfo says.</summary>
    public JsonObject UserInfo { get; set; } = [];

    /// <summary>Changes the claims of the next tokens.</summary>
    public Action<JsonObject> Spoil { get; set; } = _ => { };

    /// <summary>Of the next tokens; <c>none</c> and <c>RS256 without</c> leave the signature out.</summary>
    public string Algorithm { get; set; } = "RS256";

    /// <summary>Signs by a key that the description does not name.</summary>
    public bool SignsByAnotherKey { get; set; }

    /// <summary>Sends people back with this error instead of a code.</summary>
    public string? Error { get; set; }

    /// <summary>Breaks the line off where a code is handed in.</summary>
    public bool BreaksOff { get; set; }

    /// <summary>What the last person was led here with.</summary>
    public IReadOnlyDictionary<string, string> LastAsked { get; private set; } = new Dictionary<string, string>();

    /// <summary>How often a code was handed in that was used, unknown or without its verifier.</summary>
    public int WrongCodes { get; private set; }

    /// <summary>Requests of any kind.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <param name="port">0: any.</param>
    public static async Task<StubProvider> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(FormattableString.Invariant($"http://127.0.0.1:{port}"));
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var provider = new StubProvider(app);
        app.Use((HttpContext context, RequestDelegate next) =>
        {
            Interlocked.Increment(ref provider._asked);
            return next(context);
        });
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(new Dictionary<string, object>
        {
            ["issuer"] = provider.Issuer,
            ["authorization_endpoint"] = provider.Issuer + "/authorize",
            ["token_endpoint"] = provider.Issuer + "/token",
            ["userinfo_endpoint"] = provider.Issuer + "/userinfo",
            ["jwks_uri"] = provider.Issuer + "/keys",
            ["end_session_endpoint"] = provider.Issuer + "/leave",
            ["response_types_supported"] = (string[])["code"],
            ["subject_types_supported"] = (string[])["public"],
            ["id_token_signing_alg_values_supported"] = (string[])["RS256"],
        }));
        app.MapGet("/keys", () => Results.Json(new { keys = new[] { provider.PublicKey() } }));
        app.MapGet("/authorize", (HttpContext context) => provider.Authorize(context.Request.Query));
        app.MapPost("/token", (Delegate)(async (HttpContext context) =>
        {
            if (provider.BreaksOff)
                context.Abort();
            return provider.Token(await context.Request.ReadFormAsync());
        }));
        app.MapGet("/userinfo", (HttpContext context) => context.Request.Headers.Authorization == "Bearer opaque" ? Results.Json(provider.UserInfo) : Results.Unauthorized());
        app.MapGet("/leave", () => Results.Text("You left."));
        await app.StartAsync();
        return provider;
    }

    /// <summary>A new key in place of the one before.</summary>
    public void Rotate()
    {
        using (_lock.EnterScope())
        {
            _key.Dispose();
            _key = RSA.Create(2048);
            _keys++;
        }
    }

    /// <summary>A token that says that somebody signed out here.</summary>
    public string LogoutToken(string? subject, string? session, Action<JsonObject>? spoil = null, string type = "logout+jwt")
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = ClientId,
            ["iat"] = now,
            ["exp"] = now + 120,
            ["jti"] = Guid.NewGuid().ToString(),
            ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
        };
        if (subject is not null)
            claims["sub"] = subject;
        if (session is not null)
            claims["sid"] = session;
        spoil?.Invoke(claims);
        return Sign(claims, type);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private object PublicKey()
    {
        using (_lock.EnterScope())
        {
            var key = _key.ExportParameters(false);
            return new { kty = "RSA", use = "sig", alg = "RS256", kid = KeyId(), n = Url(key.Modulus ?? []), e = Url(key.Exponent ?? []) };
        }
    }

    private string KeyId() => FormattableString.Invariant($"key-{_keys}");

    private IResult Authorize(IQueryCollection asked)
    {
        LastAsked = asked.ToDictionary(one => one.Key, one => one.Value.ToString(), StringComparer.Ordinal);
        if (asked["client_id"] != ClientId || asked["response_type"] != "code" || asked["code_challenge_method"] != "S256" || asked["nonce"].ToString().Length < 20 || asked["state"].ToString().Length < 20)
            return Results.BadRequest();
        var state = Uri.EscapeDataString(asked["state"].ToString());
        if (Error is { } error)
            return Results.Redirect($"{asked["redirect_uri"]}?error={error}&error_description=told+to+nobody&state={state}");
        var code = Url(RandomNumberGenerator.GetBytes(16));
        using (_lock.EnterScope())
            _codes[code] = (asked["nonce"].ToString(), asked["code_challenge"].ToString(), asked["redirect_uri"].ToString());
        return Results.Redirect($"{asked["redirect_uri"]}?code={code}&state={state}");
    }

    private IResult Token(IFormCollection asked)
    {
        (string Nonce, string Challenge, string Redirect) given;
        bool isKnown;
        using (_lock.EnterScope())
            isKnown = _codes.Remove(asked["code"].ToString(), out given);
        if (!isKnown || asked["client_id"] != ClientId || asked["client_secret"] != ClientSecret || asked["redirect_uri"] != given.Redirect
            || Url(SHA256.HashData(Encoding.ASCII.GetBytes(asked["code_verifier"].ToString()))) != given.Challenge)
        {
            WrongCodes++;
            return Results.Json(new { error = "invalid_grant", error_description = "told to nobody" }, statusCode: 400);
        }

        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new JsonObject { ["iss"] = Issuer, ["aud"] = ClientId, ["nonce"] = given.Nonce, ["iat"] = now, ["exp"] = now + 300 };
        foreach (var (name, value) in Person)
            claims[name] = value?.DeepClone();
        Spoil(claims);
        return Results.Json(new { access_token = "opaque", token_type = "Bearer", expires_in = 300, id_token = Sign(claims) });
    }

    private string Sign(JsonObject claims, string type = "JWT")
    {
        using (_lock.EnterScope())
        {
            var said = Url(JsonSerializer.SerializeToUtf8Bytes(new { alg = Algorithm.Split(' ')[0], typ = type, kid = KeyId() })) + "." + Url(Encoding.UTF8.GetBytes(claims.ToJsonString()));
            if (Algorithm is "none" or "RS256 without")
                return said + ".";
            if (Algorithm == "HS256")
                return said + "." + Url(HMACSHA256.HashData(Encoding.UTF8.GetBytes(ClientSecret), Encoding.ASCII.GetBytes(said)));
            using var other = SignsByAnotherKey ? RSA.Create(2048) : null;
            return said + "." + Url((other ?? _key).SignData(Encoding.ASCII.GetBytes(said), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        }
    }

    private static string Url(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
