using System.Net.Sockets;
using System.Security.Claims;
using Camino.Host.Configuration;
using Camino.Host.Limits;
using Camino.People;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Camino.Host;

/// <summary>Sign-in at the company's identity provider by OpenID Connect: code flow with PKCE, state and nonce; only where the configuration names one. Nothing is asked of the provider before the first person presses the button.</summary>
internal static partial class CompanyScheme
{
    /// <summary>Where the provider sends people back to; it is registered there.</summary>
    public const string CallbackPath = "/sign-in/company/callback";

    /// <summary>Under this the framework writes what the provider said, people's data among it; it is written nowhere.</summary>
    public const string FrameworkLog = "Microsoft.AspNetCore.Authentication.OpenIdConnect";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>Signatures by keys of the provider; never none, and never by a shared secret.</summary>
    private static readonly string[] s_algorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512, SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512];

    public static void AddCompanyProvider(this IServiceCollection services, CompanyProviderSettings settings, LimitsSettings limits)
    {
        var values = (settings.SecondFactorValues ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var groups = settings.AddPeople ? settings.Groups.ToLookup(group => group.Group, group => group.Role, StringComparer.Ordinal) : null;
        var authority = string.IsNullOrEmpty(settings.Authority) ? null : settings.Authority;
        var administrator = string.IsNullOrEmpty(settings.LocalAdministrator) ? null : settings.LocalAdministrator;
        var provider = new CompanyProvider(authority, settings.Name, settings.EmailClaim, settings.TrustEmails, values, settings.LocalSignIn, administrator, settings.GroupClaim, groups);
        services.AddSingleton(provider);
        services.AddScoped<FindCompanyUser>();
        services.AddScoped<EndCompanySessions>();
        if (!provider.IsThere)
            return;
        // a key that is not known yet is looked for at once, in the request that came with it
        AppContext.SetSwitch("Switch.Microsoft.IdentityModel.UpdateConfigAsBlocking", true);
        var answers = RateLimits.OfAnswers(limits);
        services.AddAuthentication().AddOpenIdConnect(CompanyProvider.Scheme, company =>
        {
            company.Authority = authority;
            company.ClientId = settings.ClientId;
            company.ClientSecret = settings.ClientSecret;
            company.RequireHttpsMetadata = authority?.StartsWith("https://", StringComparison.Ordinal) == true;
            company.ResponseType = OpenIdConnectResponseType.Code;
            company.ResponseMode = OpenIdConnectResponseMode.Query;
            company.UsePkce = true;
            company.Scope.Clear();
            foreach (var scope in (string[])["openid", "email", "profile"])
                company.Scope.Add(scope);
            company.MapInboundClaims = false;
            company.SaveTokens = false;
            company.ClaimActions.Clear(); // iss and amr are needed
            company.GetClaimsFromUserInfoEndpoint = settings.AskUserInfo;
            if (settings.AskUserInfo)
            {
                foreach (var claim in (string[])[settings.EmailClaim, "email_verified", "name", settings.GroupClaim])
                    company.ClaimActions.MapJsonKey(claim, claim);
            }

            company.SignInScheme = IdentityConstants.ExternalScheme;
            company.CallbackPath = CallbackPath;
            company.RemoteSignOutPath = default; // a frame of another site has no cookie of ours to end; the provider posts (EndCompanySessions)
            company.SignedOutCallbackPath = "/sign-in/company/left";
            company.BackchannelTimeout = s_patience;
            company.RefreshInterval = TimeSpan.FromSeconds(30);
            company.RemoteAuthenticationTimeout = TimeSpan.FromMinutes(15);
            company.TokenValidationParameters.ValidAlgorithms = s_algorithms;
            company.TokenValidationParameters.RequireSignedTokens = true;
            company.TokenValidationParameters.RequireExpirationTime = true;
            company.TokenValidationParameters.ClockSkew = TimeSpan.FromMinutes(1);
            company.CorrelationCookie.Name = "camino.company."; // as all names: HostCookies puts the prefix before it
            company.NonceCookie.Name = "camino.nonce.";
            foreach (var cookie in (CookieBuilder[])[company.CorrelationCookie, company.NonceCookie])
                (cookie.SameSite, cookie.SecurePolicy) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest);
            company.Events.OnMessageReceived = async context =>
            {
                using var lease = answers.AttemptAcquire(context.HttpContext);
                if (lease.IsAcquired)
                    return;
                await RateLimits.TooManyAsync(context.HttpContext, seconds: 10);
                context.HandleResponse();
            };
            // what comes by the code need not be signed, says the framework; here it must
            company.Events.OnTokenValidated = context =>
            {
                if (context.SecurityToken is not { RawSignature.Length: > 0 } token || !s_algorithms.Contains(token.SignatureAlgorithm))
                    context.Fail("The token is not signed by a key of the provider.");
                return Task.CompletedTask;
            };
            company.Events.OnTicketReceived = context =>
            {
                context.Principal = OnlyNeeded(context.Principal, settings);
                return Task.CompletedTask;
            };
            company.Events.OnAccessDenied = context => LeadBackAsync(context, CompanySignInPage.Denied);
            company.Events.OnRemoteFailure = context =>
            {
                var what = WordFor(context.Failure);
                LogFailed(context.HttpContext.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(CompanyScheme)), what, TroubleOf(context.Failure));
                return LeadBackAsync(context, what);
            };
        });
    }

    /// <summary>The cookie between the callback and our page holds what that page asks about and nothing else that the provider said.</summary>
    private static ClaimsPrincipal? OnlyNeeded(ClaimsPrincipal? said, CompanyProviderSettings settings)
    {
        string[] needed = ["iss", "sub", "sid", "auth_time", "amr", "acr", "name", "email_verified", settings.EmailClaim];
        var groups = settings.AddPeople ? settings.Groups.Select(group => group.Group).ToHashSet(StringComparer.Ordinal) : [];
        return said is null ? null : new ClaimsPrincipal(new ClaimsIdentity(
            said.Claims.Where(claim => needed.Contains(claim.Type) || (claim.Type == settings.GroupClaim && groups.Contains(claim.Value))).Select(claim => new Claim(claim.Type, claim.Value)), CompanyProvider.Scheme));
    }

    private static Task LeadBackAsync(HandleRequestContext<RemoteAuthenticationOptions> context, string what)
    {
        context.Response.Redirect(CompanySignInPage.SignInAddress(what, null));
        context.HandleResponse();
        return Task.CompletedTask;
    }

    /// <summary>What people are told.</summary>
    private static string WordFor(Exception? failure)
    {
        for (var one = failure; one is not null; one = one.InnerException)
        {
            switch (one)
            {
                case SecurityTokenExpiredException or SecurityTokenNotYetValidException or SecurityTokenInvalidLifetimeException:
                    return CompanySignInPage.Clock;
                case HttpRequestException or SocketException or TaskCanceledException or TimeoutException or IOException:
                    return CompanySignInPage.Away;
                case AuthenticationFailureException when one.Message is "Correlation failed." || one.Message.Contains("message.State", StringComparison.Ordinal):
                    return CompanySignInPage.Late;
                default:
                    break;
            }
        }

        return CompanySignInPage.Refused;
    }

    /// <summary>The kind of failure and its number; what else it says may name people.</summary>
    private static string TroubleOf(Exception? failure)
    {
        var kinds = new List<string>();
        for (var one = failure; one is not null && kinds.Count < 4; one = one.InnerException)
            kinds.Add(one.GetType().Name + (one.Message.StartsWith("IDX", StringComparison.Ordinal) ? " " + one.Message.Split(':')[0] : ""));
        return string.Join(", ", kinds);
    }

    [LoggerMessage(163, LogLevel.Warning, "What came back from the company's identity provider was not taken: {What} ({Trouble})")]
    private static partial void LogFailed(ILogger log, string what, string trouble);
}
