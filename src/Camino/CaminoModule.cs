using Camino.Applications;
using Camino.Applications.Acceptance;
using Camino.Applications.Messages;
using Camino.Applications.Papers;
using Camino.Applications.Statements;
using Camino.Applications.Underwriting;
using Camino.Approvals;
using Camino.Audit;
using Camino.Borrowers;
using Camino.Branches;
using Camino.Clients;
using Camino.Documents;
using Camino.Filters;
using Camino.Imports;
using Camino.Jobs;
using Camino.Loans;
using Camino.Operations;
using Camino.Papers;
using Camino.People;
using Camino.Portfolio;
using Camino.Reference;
using Camino.Releases;
using Camino.Screening;
using Camino.Servicing;
using Camino.Tasks;
using Camino.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Camino;

/// <summary>The capabilities, listed by hand: nothing is scanned, and start-up can be read.</summary>
public static class CaminoModule
{
    /// <summary>Operations and what they need; both roles have them all.</summary>
    public static void AddCamino(this IServiceCollection services, FileStoreOptions files, ImportOptions imports, ScreeningOptions screening, Providers providers, DocumentOptions documents, WebhookOptions webhooks, ApprovalOptions approvals, LenderOptions lender)
    {
        services.AddSingleton(files);
        services.AddSingleton<FileStore>();
        services.AddSingleton(imports);
        services.AddScoped<ReceiveImport>();
        services.AddScoped<LoadImport>();
        services.AddScoped<CancelImport>();
        services.AddScoped<MapImport>();
        services.AddScoped<RejectedRows>();
        services.AddScoped<ImportPass>();
        services.AddSingleton<ImportEvents>();
        services.AddScoped<ActOnJobs>();
        services.AddScoped<ActOnAllJobs>();
        services.AddScoped<PauseWork>();
        services.AddScoped<SteerWork>();
        services.AddSingleton<JobFeed>();
        services.AddScoped<ListServers>();

        services.AddSingleton(approvals);
        services.AddScoped<AskApproval>();
        services.AddScoped<AddProduct>();
        services.AddScoped<ChangeProduct>();
        services.AddScoped<PublishProduct>();
        services.AddScoped<RetireProduct>();
        services.AddScoped<SavePolicyDraft>();
        services.AddScoped<PublishPolicy>();
        services.AddScoped<SeedPolicy>();
        services.AddScoped<SeedLists>();
        services.AddScoped<BookLoan>();
        services.AddSingleton<LoanTurns>();
        services.AddScoped<RunLoanCommand>();
        services.AddScoped<CloseDay>();
        services.AddScoped<CloseWork>();
        services.AddScoped<ResumeClose>();
        services.AddScoped<AskLedgerCheck>();
        services.AddScoped<SeedBook>();

        services.AddScoped<AddBorrower>();
        services.AddScoped<ChangeBorrower>();
        services.AddScoped<MergeBorrowers>();
        services.AddScoped<UndoMerge>();
        services.AddSingleton(screening);
        services.AddSingleton<CurrentWatchList>();
        services.AddSingleton<SanctionsGate>();
        services.AddSingleton<ReadScreenings>();
        services.AddScoped<ImportLists>();
        services.AddScoped<AskForBook>();
        services.AddScoped<ScreenName>();
        services.AddScoped<ReviewHit>();

        services.AddSingleton(providers);
        services.AddSingleton<ExchangeVault>();
        services.AddSingleton<ProviderRest>();
        services.AddSingleton<ProviderClient>();
        services.AddSingleton<SendMail>();
        services.AddScoped<IApplicationCheck, SanctionsCheck>();
        services.AddScoped<IApplicationCheck, BankAccountCheck>();
        foreach (var kind in ProviderCheck.Kinds)
            services.AddScoped<IApplicationCheck>(provider => ProviderCheck.Of(kind, provider.GetRequiredService<Providers>(), provider.GetRequiredService<ProviderClient>()));

        services.AddSingleton(provider => new BranchScope(provider.GetService<IHttpContextAccessor>()));
        services.AddScoped<KeepBranch>();
        services.AddScoped<BindBranches>();
        services.AddScoped<MoveToBranch>();
        services.AddScoped<ListBranches>();
        services.AddSingleton(lender);
        services.AddScoped<ReadPaperValues>();

        services.AddScoped<AddClient>();
        services.AddScoped<ChangeClient>();
        services.AddScoped<RotateClientKey>();
        services.AddScoped<DisableClient>();
        services.AddScoped<ListClients>();
        services.AddScoped<ReadClientFigures>();

        services.AddScoped<KeepFilter>();
        services.AddScoped<ListFilters>();
        services.AddScoped<AddTask>();
        services.AddScoped<WorkOnTask>();
        services.AddScoped<AddNote>();
        services.AddScoped<RemoveNote>();

        services.AddSingleton(documents);
        services.AddSingleton<IObjectStore>(_ => documents.Bucket is { } bucket ? new S3ObjectStore(bucket) : new FolderObjectStore(documents.Folder ?? throw new InvalidOperationException("Documents have neither a folder nor a bucket.")));
        services.AddScoped<KeepDocument>();
        services.AddScoped<ChangeDocument>();
        services.AddScoped<OpenDocument>();
        services.AddScoped<KeepMade>();
        services.AddScoped<AskApplicant>();
        services.AddScoped<ReceiveFromApplicant>();

        services.AddSingleton(webhooks);
        services.AddSingleton<WebhookVault>();
        services.AddSingleton(provider => new WebhookSender(webhooks, provider.GetRequiredService<TimeProvider>()));
        services.AddScoped<AddEndpoint>();
        services.AddScoped<ChangeEndpoint>();
        services.AddScoped<RotateSecret>();
        services.AddScoped<SwitchEndpoint>();
        services.AddScoped<ReplayWebhooks>();
        services.AddScoped<ListWebhooks>();

        services.AddScoped<AddApiKey>();
        services.AddScoped<BeginSession>();
        services.AddScoped<EndSessions>();
        services.AddSingleton<SignInLog>();
        services.AddScoped<AddStaff>();
        services.AddScoped<ChangeRoles>();
        services.AddScoped<DisableStaff>();
        services.AddScoped<UnlinkCompany>();
        services.AddScoped<OfferPasswordLink>();
        services.AddScoped<ChoosePassword>();
        services.AddScoped<ListStaff>();
        services.AddScoped<ListAudit>();
        services.AddScoped<SecondFactors>();
        services.AddScoped<OfferFirstAdminLink>();
        services.AddScoped<CreateFirstAdmin>();
        services.AddScoped<SeedDemo>();
    }

    /// <summary>Every kind of job and who runs it.</summary>
    public static JobRegistry AddCaminoKinds(this JobRegistry registry) => registry
        .Add<Echo, Echo.Handler>()
        .Add<ActOnManyJobs, ActOnManyJobs.Handler>()
        .Add<CheckPortfolio, CheckPortfolio.Handler>()
        .Add<LoadPortfolio, LoadPortfolio.Handler>()
        .Add<SweepFiles, SweepFiles.Handler>()
        .Add<IndexNames, IndexNames.Handler>()
        .Add<LinkBorrowers, LinkBorrowers.Handler>()
        .Add<RefreshPortfolio, RefreshPortfolio.Handler>()
        .Add<CloseDue, CloseDue.Handler>()
        .Add<PlanClose, PlanClose.Handler>()
        .Add<CloseLoans, CloseLoans.Handler>()
        .Add<CheckLedger, CheckLedger.Handler>()
        .Add<WriteLetter, WriteLetter.Handler>()
        .Add<RefreshLists, RefreshLists.Handler>()
        .Add<ScreenBook, ScreenBook.Handler>()
        .Add<BeginChecks, BeginChecks.Handler>()
        .Add<RunCheck, RunCheck.Handler>()
        .Add<CheckBankAccount, CheckBankAccount.Handler>()
        .Add<EndChecks, EndChecks.Handler>()
        .Add<ExpireApplications, ExpireApplications.Handler>()
        .Add<RemoveResults, RemoveResults.Handler>()
        .Add<MakePaper, MakePaper.Handler>()
        .Add<SendMessage, SendMessage.Handler>()
        .Add<DeliverMessage, DeliverMessage.Handler>()
        .Add<SendEnvelope, SendEnvelope.Handler>()
        .Add<AskEnvelope, AskEnvelope.Handler>()
        .Add<ReadBankStatement, ReadBankStatement.Handler>()
        .Add<ScanDocument, ScanDocument.Handler>()
        .Add<SendReading, SendReading.Handler>()
        .Add<AskReading, AskReading.Handler>()
        .Add<SweepDocuments, SweepDocuments.Handler>()
        .Add<RemindOfTasks, RemindOfTasks.Handler>()
        .Add<WatchSteps, WatchSteps.Handler>()
        .Add<ExpireApprovals, ExpireApprovals.Handler>()
        .Add<DeliverWebhook, DeliverWebhook.Handler>()
        .Add<PruneWebhooks, PruneWebhooks.Handler>()
        .Add<PruneSessions, PruneSessions.Handler>();

    /// <summary>What comes again and again; the configuration may give it other times or switch it off.</summary>
    public static JobSchedules AddCaminoSchedules(this JobSchedules schedules) => schedules
        .Calendar(BankHolidays.CalendarName, BankHolidays.UnitedStates.IsBusinessDay)
        .Add("portfolio.nightly", new RefreshPortfolio(), "15 2 * * *", InNewYork)
        .Add("borrowers.nightly", new LinkBorrowers(null), "45 2 * * *", InNewYork)
        .Add("imports.weekly-clean-up", new SweepFiles(), "30 3 * * SUN", InNewYork)
        .Add("people.nightly-clean-up", new PruneSessions(), "50 3 * * *", InNewYork)
        .Add("approvals.expire", new ExpireApprovals(), "*/10 * * * *")
        .Add("applications.expire", new ExpireApplications(), "20 1 * * *", InNewYork)
        .Add("applications.remove-results", new RemoveResults(), "25 1 * * *", InNewYork)
        .Add("applications.watch-steps", new WatchSteps(), "*/5 * * * *")
        .Add("documents.nightly", new SweepDocuments(), "20 3 * * *", InNewYork)
        .Add("tasks.remind", new RemindOfTasks(), "0 7 * * MON-FRI", InNewYork)
        .Add("webhooks.nightly-clean-up", new PruneWebhooks(), "35 3 * * *", InNewYork)
        .Add("screening.refresh", new RefreshLists(), "40 4 * * *", InNewYork)
        .Add(CloseDue.Schedule, new CloseDue(), CloseDue.Cron);

    private static JobSchedule InNewYork(JobSchedule entry) => entry with { Zone = TimeZoneInfo.FindSystemTimeZoneById("America/New_York") };
}
