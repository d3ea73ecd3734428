using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Camino.Applications;
using Camino.Applications.Acceptance;
using Camino.Applications.Messages;
using Camino.Applications.Papers;
using Camino.Applications.Statements;
using Camino.Applications.Underwriting;
using Camino.Approvals;
using Camino.Borrowers;
using Camino.Documents;
using Camino.Imports;
using Camino.Journal;
using Camino.Loans;
using Camino.Notices;
using Camino.Operations;
using Camino.People;
using Camino.Portfolio;
using Camino.Search;
using Camino.Servicing;
using Camino.Tasks;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.Razor;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.WebEncoders;

namespace Camino.Web;

/// <summary>What the host calls to serve the pages: services, middleware, endpoints.</summary>
public static class WebSetup
{
    /// <summary>Header in which scripts send the anti-forgery token.</summary>
    public const string AntiforgeryHeader = "X-CSRF-Token";

    /// <summary>Razor Pages of this assembly with their texts, languages, anti-forgery and read queries.</summary>
    public static IServiceCollection AddCaminoPages(this IServiceCollection services)
    {
        services.AddLocalization();
        // letters of every language travel as they are; what matters in HTML is still escaped
        services.Configure<WebEncoderOptions>(options => options.TextEncoderSettings = new TextEncoderSettings(UnicodeRanges.All));
        services.Configure<RequestLocalizationOptions>(options =>
        {
            // those that the framework keeps and nobody can change: of any other, it makes a copy for each request, with names and formats read anew
            options.DefaultRequestCulture = new RequestCulture(CultureInfo.GetCultureInfo(Language.English.Culture), CultureInfo.GetCultureInfo(Language.English.Code));
            options.SupportedCultures = [.. Language.All.Select(language => CultureInfo.GetCultureInfo(language.Culture))];
            options.SupportedUICultures = [.. Language.All.Select(language => CultureInfo.GetCultureInfo(language.Code))];
            options.RequestCultureProviders = [new CustomRequestCultureProvider(Language.ChooseAsync)];
        });
        services.AddAntiforgery(options =>
        {
            options.HeaderName = AntiforgeryHeader;
            options.Cookie.Name = "camino.csrf"; // as all names: HostCookies puts the prefix before it
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.SuppressXFrameOptionsHeader = true;
        });
        services.AddRazorPages(options =>
        {
            options.RootDirectory = "/";
            options.Conventions.ConfigureFilter(new HandlerPermissions());
            options.Conventions.ConfigureFilter(new Filters.OpenFilter());
        }).ConfigureApplicationPartManager(AddPagesOfThisAssembly);
        services.Configure<RazorViewEngineOptions>(options => options.PageViewLocationFormats.Add("/Web/{0}.cshtml"));
        ApiDocument.AddTo(services);
        services.AddScoped<IUserClaimsPrincipalFactory<StaffUser>, StaffClaims>();
        services.AddScoped<ReadNotice>();
        services.AddScoped<ListNotices>();
        services.AddScoped<ListSessions>();
        services.AddScoped<Passkeys>();
        services.AddScoped<ListImports>();
        services.AddScoped<ShowImport>();
        services.AddScoped<ListLoans>();
        services.AddScoped<ShowLoan>();
        services.AddScoped<ReadPortfolio>();
        services.AddScoped<ReadDay>();
        services.AddScoped<ListJobs>();
        services.AddScoped<ListServicedLoans>();
        services.AddScoped<ShowServicedLoan>();
        services.AddScoped<ReadLedger>();
        services.AddSingleton<ReadJournal>();
        services.AddScoped<PostJournal>();
        services.AddScoped<ReadProducts>();
        services.AddScoped<IApprovalKind, ChargeOffApproval>();
        services.AddScoped<IApprovalKind, WriteOffApproval>();
        services.AddScoped<IApprovalKind, WaiveApproval>();
        services.AddScoped<IApprovalKind, RolesApproval>();
        services.AddScoped<IApprovalKind, PasswordLinkApproval>();
        services.AddScoped<IApprovalKind, SecondFactorApproval>();
        services.AddScoped<IApprovalKind, BulkJobsApproval>();
        services.AddScoped<IApprovalKind, PublishProductApproval>();
        services.AddScoped<IApprovalKind, RetireProductApproval>();
        services.AddScoped<IApprovalKind, PublishPolicyApproval>();
        services.AddScoped<IApprovalKind, OfferApproval>();
        services.AddScoped<IApprovalKind, JournalApproval>();
        services.AddScoped<DecideApproval>();
        services.AddScoped<ListApprovals>();
        services.AddScoped<ShowApproval>();
        services.AddSingleton<FieldVault>();
        services.AddScoped<SetIdentifier>();
        services.AddScoped<RevealIdentifier>();
        services.AddScoped<AddBankAccount>();
        services.AddScoped<VerifyBankAccount>();
        services.AddScoped<RemoveBankAccount>();
        services.AddScoped<ListBorrowers>();
        services.AddScoped<FindBorrowers>();
        services.AddScoped<SearchEverything>();
        services.AddScoped<ShowBorrower>();
        services.AddScoped<ShowMerges>();
        services.AddScoped<ListTasks>();
        services.AddScoped<ShowTask>();
        services.AddScoped<NameSubject>();
        services.AddScoped<ListNotes>();
        services.AddScoped<ShowDocuments>();
        services.AddSingleton<ExchangeKeys>();
        services.AddScoped<ReceiveApplication>();
        services.AddScoped<RenewLoan>();
        services.AddScoped<ShowRenewal>();
        services.AddScoped<GiveBankAccount>();
        services.AddScoped<ReadDocument>();
        services.AddScoped<Applications.Acceptance.AskSignature>();
        services.AddScoped<Applications.Acceptance.LookSooner>();
        services.AddScoped<ShowReading>();
        services.AddSingleton<BulkApplications>();
        services.AddScoped<MoveApplication>();
        services.AddScoped<RetryStep>();
        services.AddScoped<ReadPolicies>();
        services.AddScoped<ShowEvaluation>();
        services.AddScoped<ShowDecisions>();
        services.AddScoped<ShowChecklist>();
        services.AddScoped<TickItem>();
        services.AddScoped<EvaluateApplication>();
        services.AddScoped<MakeOffer>();
        services.AddScoped<AcceptOffer>();
        services.AddScoped<WithdrawOffer>();
        services.AddScoped<BookApplication>();
        services.AddScoped<ShowOffers>();
        services.AddSingleton<SignedLink>();
        services.AddScoped<LinkOffer>();
        services.AddScoped<OpenOffer>();
        services.AddScoped<SignOffer>();
        services.AddScoped<WriteApplicant>();
        services.AddScoped<ShowMessages>();
        services.AddScoped<ShowPapers>();
        services.AddScoped<RetryPaper>();
        services.AddScoped<ShowStatements>();
        services.AddScoped<ReceiveStatement>();
        services.AddScoped<RemoveStatement>();
        services.AddScoped<ReportApplications>();
        services.AddScoped<ListApplications>();
        services.AddScoped<ShowApplication>();
        services.AddScoped<FindDuplicates>();
        services.AddSingleton<ApplicationNews>();
        return services;
    }

    /// <summary>The names of cookies, security headers, the reader's language, and error pages. Call it first, and <c>UseRouting</c> after it, so that an error page can be routed.</summary>
    public static IApplicationBuilder UseCaminoPages(this IApplicationBuilder app)
    {
        app.UseMiddleware<HostCookies>();
        app.UseMiddleware<SecurityHeaders>();
        app.UseRequestLocalization();
        app.UseWhen(context => !IsForPrograms(context), pages =>
        {
            // the handler only sets the status; around it, every bare status becomes a page
            pages.UseStatusCodePagesWithReExecute("/error/{0}");
            pages.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandlingPath = "/error/500" });
        });
        return app;
    }

    /// <summary>The pages, and the downloads that belong to them.</summary>
    public static void MapCaminoPages(this WebApplication app)
    {
        app.MapRazorPages().WithStaticAssets();
        ExportLoans.Map(app);
        app.MapReportDownload();
    }

    /// <summary>Programs, and scripts of our pages that upload, get problem+json; people get pages.</summary>
    public static bool IsForPrograms(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal)
        || context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal)
        || context.Request.Path.StartsWithSegments("/metrics", StringComparison.Ordinal)
        || (context.Request.Path.StartsWithSegments("/imports/upload", StringComparison.Ordinal) && !context.Request.HasFormContentType);

    private static void AddPagesOfThisAssembly(ApplicationPartManager manager)
    {
        var assembly = typeof(WebSetup).Assembly;
        if (manager.ApplicationParts.OfType<CompiledRazorAssemblyPart>().Any(part => part.Assembly == assembly))
            return;
        foreach (var part in new CompiledRazorAssemblyApplicationPartFactory().GetApplicationParts(assembly))
            manager.ApplicationParts.Add(part);
        if (!manager.ApplicationParts.OfType<AssemblyPart>().Any(part => part.Assembly == assembly))
            manager.ApplicationParts.Add(new AssemblyPart(assembly));
    }
}
