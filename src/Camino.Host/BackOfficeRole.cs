using Camino.Applications;
using Camino.Applications.Acceptance;
using Camino.Applications.Underwriting;
using Camino.Approvals;
using Camino.Audit;
using Camino.Borrowers;
using Camino.Branches;
using Camino.Clients;
using Camino.Data;
using Camino.Documents;
using Camino.Host.Configuration;
using Camino.Host.Health;
using Camino.Host.Limits;
using Camino.Host.Logging;
using Camino.Host.Releases;
using Camino.Imports;
using Camino.Journal;
using Camino.Operations;
using Camino.People;
using Camino.Quotes;
using Camino.Releases;
using Camino.Screening;
using Camino.Search;
using Camino.Servicing;
using Camino.Settings;
using Camino.Tasks;
using Camino.Web;
using Camino.Web.Reference;
using Camino.Webhooks;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Camino.Host;

/// <summary>The Back Office: pages for staff, the API for programs. It works no queue.</summary>
internal static class BackOfficeRole
{
    /// <summary>Chooses cookie or key by what the request carries.</summary>
    private const string EitherScheme = "Camino";

    public static WebApplication Build(HostSettings settings, string configPath, NpgsqlDataSource source, Serilog.ILogger log)
    {
        var builder = RoleProcess.Builder(settings, configPath, source, log);
        var services = builder.Services;
        builder.WebHost.UseStaticWebAssets();
        services.AddCaminoApplication(settings);
        services.AddCaminoRelease(settings);
        AddSignIn(services, settings);
        services.AddRateLimits(settings.Limits);
        services.AddProblemDetails();
        services.AddHttpContextAccessor();
        services.AddSingleton<RequestOrigin>();
        services.AddSingleton(settings.InEffect);
        services.AddExceptionHandler<ProblemMapping>();
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true); // so that a body that cannot be read is told in words
        services.AddSingleton<MetricsText>();
        services.AddCaminoFigures();
        services.AddCaminoPages();
        services.AddSingleton(_ => new NewsSource(Database.ConnectListener(settings)));
        JobEngine.AddDashboardTo(services, settings);
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.Never);
        if (settings.Web.BehindProxy)
        {
            services.AddHostedService<Drain>();
            services.Configure<ForwardedHeadersOptions>(forwarded =>
            {
                forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
                forwarded.KnownIPNetworks.Clear();
                forwarded.KnownProxies.Clear();
                foreach (var network in settings.Web.ProxyNetworks is { Length: > 0 } named ? named.Split(';') : [])
                    forwarded.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(network));
            });
        }

        var app = builder.Build();
        app.Services.GetRequiredService<MetricsText>(); // it counts from here on, whoever asks when
        if (settings.Web.BehindProxy)
            app.UseForwardedHeaders();
        app.UseMiddleware<RequestLog>();
        app.UseWhen(WebSetup.IsForPrograms, programs =>
        {
            programs.UseExceptionHandler();
            programs.UseStatusCodePages();
        });
        app.UseCaminoPages();
        app.UseMiddleware<FloodGate>();
        app.UseMiddleware<OverloadGate>();
        app.UseMiddleware<RetiredGate>();
        app.UseMiddleware<ReadAgain>();
        app.UseRouting();
        app.Use(RequestLog.KeepRouteAsync);
        app.UseMiddleware<DeprecationHeaders>();
        app.UseAuthentication();
        app.UseMiddleware<SessionWatch>();
        app.UseMiddleware<SecondFactorGate>();
        app.UseMiddleware<ClientGate>();
        app.UseRateLimiter();
        app.UseAuthorization();
        app.UseMiddleware<BranchGate>();
        Map(app);
        JobEngine.MapDashboard(app, settings);
        if (settings.Web is { BehindProxy: true, WarmUpSeconds: > 0 })
            app.Services.GetRequiredService<WarmUp>().Begin(app.Lifetime);
        else
            app.Lifetime.ApplicationStarted.Register(() => _ = Task.Run(() => BuildModel(app.Services)));
        return app;
    }

    /// <summary>The model of the database takes longer than all the rest of the start and nothing of the start needs it: it is built meanwhile, so that the first page finds it.</summary>
    private static void BuildModel(IServiceProvider services)
    {
        using var scope = services.CreateScope();
        _ = scope.ServiceProvider.GetRequiredService<CaminoDb>().Model;
    }

    private static void Map(WebApplication app)
    {
        app.MapHealth();
        app.MapMetrics().RequireAuthorization(Permissions.MetricsRead);
        app.MapStaticAssets().AllowAnonymous();
        app.MapCaminoPages();
        app.MapImportDownloads();
        app.MapDocumentFiles();
        app.MapOfferLinkFiles();
        app.MapSignatureCallback();
        app.MapJobFeeds();
        EndCompanySessions.Map(app);
        var api = app.MapGroup("/api/v1").RequireAuthorization(policy => policy.AddAuthenticationSchemes(ApiKeyHandler.SchemeName).RequireAuthenticatedUser());
        api.MapImportApi();
        api.MapJobApi();
        api.MapQuoteApi();
        api.MapServerApi();
        api.MapSettingsApi();
        api.MapAuditApi();
        api.MapServicingApi();
        api.MapJournalApi();
        api.MapScreeningApi();
        ApiDocument.Map(app);
        api.MapBorrowerApi();
        api.MapMergeApi();
        api.MapApplicationApi();
        api.MapSearchApi();
        api.MapWebhookApi();
        api.MapTaskApi();
        api.MapDocumentApi();
        api.MapApprovalApi();
        api.MapBranchApi();
        api.MapUnderwritingApi();
    }

    private static void AddSignIn(IServiceCollection services, HostSettings settings)
    {
        services.AddAuthentication(EitherScheme)
            .AddPolicyScheme(EitherScheme, null, either => either.ForwardDefaultSelector = context => ApiKeyHandler.IsPresent(context.Request) || context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal) ? ApiKeyHandler.SchemeName : IdentityConstants.ApplicationScheme)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, null)
            .AddIdentityCookies();
        // the half-way cookie between password and code; as with all names, HostCookies puts the prefix before it
        services.Configure<CookieAuthenticationOptions>(IdentityConstants.TwoFactorUserIdScheme, step => step.Cookie.Name = "camino.step");
        services.Configure<CookieAuthenticationOptions>(IdentityConstants.ExternalScheme, vouched => vouched.Cookie.Name = "camino.vouched");
        services.ConfigureApplicationCookie(cookie =>
        {
            cookie.Cookie.Name = "camino.session";
            cookie.Cookie.SameSite = SameSiteMode.Lax;
            cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            cookie.LoginPath = "/sign-in";
            cookie.LogoutPath = "/sign-out";
            cookie.ReturnUrlParameter = "ReturnUrl";
            cookie.ExpireTimeSpan = TimeSpan.FromHours(settings.SignIn.AbsoluteHours); // when nobody uses it, its row in the database says so
            cookie.SlidingExpiration = false;
            cookie.Events.OnRedirectToLogin = SessionEnd.LeadToSignIn;
            cookie.Events.OnRedirectToAccessDenied = SessionEnd.Refuse;
            cookie.Events.OnSigningIn = SessionGuard.BeginAsync;
            cookie.Events.OnValidatePrincipal = SessionGuard.CheckAsync;
            cookie.Events.OnSigningOut = SessionGuard.EndAsync;
        });
        services.AddSingleton<CheckSession>();
        services.AddSingleton<CheckClient>();
        services.AddSingleton<ClientTurns>();
        services.AddSingleton<ClientUse>();
        services.AddHostedService(provider => provider.GetRequiredService<ClientUse>());
        services.AddSingleton(new SecondFactorPolicy(settings.SignIn.SecondFactor == SecondFactorMode.Required, settings.SignIn.SecondFactor == SecondFactorMode.Everybody));
        var site = new PasskeySite(settings.SignIn.Address);
        services.AddSingleton(site);
        services.TryAddScoped<IPasskeyHandler<StaffUser>, PasskeyHandler<StaffUser>>();
        services.Configure<IdentityPasskeyOptions>(passkeys =>
        {
            passkeys.ServerDomain = site.Host;
            passkeys.UserVerificationRequirement = "required";
            passkeys.ResidentKeyRequirement = "required"; // so that it is found without a name
            passkeys.AttestationConveyancePreference = "none";
            passkeys.AuthenticatorTimeout = Passkeys.Patience;
            passkeys.ValidateOrigin = asked => ValueTask.FromResult(!asked.CrossOrigin && asked.Origin == site.OriginOf(asked.HttpContext.Request));
        });
        services.AddCompanyProvider(settings.SignIn.Provider, settings.Limits);
        services.AddAuthorization(Permissions.AddTo);
        services.AddCaminoIdentity(settings);
        services.AddDataProtection().SetApplicationName("Camino");
        services.AddSingleton<DataProtectionKeys>();
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider => new ConfigureOptions<KeyManagementOptions>(keys =>
        {
            keys.XmlRepository = provider.GetRequiredService<DataProtectionKeys>();
            keys.XmlEncryptor = provider.GetService<KeyEncryptionSecrets>() is { } secrets ? new KeyEncryptor(secrets) : null;
        }));
        if (settings.Keys.Secret is { Length: > 0 } secret)
            services.AddSingleton(new KeyEncryptionSecrets(secret, settings.Keys.PreviousSecret));
    }
}
