using Camino.Data;
using Camino.Host.Configuration;
using Camino.Host.Health;
using Camino.Host.Releases;
using Camino.Host.Telemetry;
using Camino.Imports;
using Camino.Jobs;
using Camino.People;
using Camino.Releases;
using Microsoft.AspNetCore.Identity;

namespace Camino.Host;

/// <summary>Turns settings into the application's own options; the one place that knows both.</summary>
internal static class HostModule
{
    /// <summary>What both roles and the verbs have in common.</summary>
    public static void AddCaminoApplication(this IServiceCollection services, HostSettings settings)
    {
        services.AddCamino(
            new FileStoreOptions(Path.GetFullPath(settings.Files.Folder), settings.Imports.MaxFileBytes),
            new ImportOptions(settings.Imports.ChunkRows, settings.Imports.KeepFilesDays, settings.Imports.StepBack),
            new Screening.ScreeningOptions(settings.Screening.Threshold, settings.Screening.Required, settings.Screening.Folder, settings.Screening.Address is { Length: > 0 } address ? new Uri(address) : null),
            new Applications.Providers(ProviderOf("registry", settings.Providers.Registry), ProviderOf("credit", settings.Providers.Credit), ProviderOf("identity", settings.Providers.Identity), EmailOf(settings), ProviderOf("text", settings.Providers.Text))
            {
                Account = ProviderOf("account", settings.Providers.Account),
                Reading = ProviderOf("reading", settings.Providers.Reading),
                Signature = ProviderOf("signature", settings.Providers.Signature),
                Smtp = SmtpOf(settings),
            },
            DocumentsOf(settings),
            new Webhooks.WebhookOptions(settings.Webhooks.AllowPrivateAddresses, settings.Webhooks.Secret, settings.Webhooks.PreviousSecret),
            new Approvals.ApprovalOptions(TimeSpan.FromHours(settings.Approvals.ExpireAfterHours), decimal.Parse(settings.Approvals.WaiveOver, System.Globalization.CultureInfo.InvariantCulture)),
            LenderOf(settings.Lender));
        services.AddSingleton(new Applications.Acceptance.SignatureCallbackOptions(settings.Signature.CallbackSecret));
        services.AddSingleton(new Tasks.ServiceLevels(TimeSpan.FromMinutes(settings.Applications.StepLimitMinutes)));
        services.AddJobs(registry => registry.AddCaminoKinds());
        services.AddJobClient();
    }

    private static Papers.LenderOptions LenderOf(LenderSettings given) => new(
        given.Name, (given.Address ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), given.Phone ?? "", given.Agency, given.CreditBureau ?? "");

    private static Documents.DocumentOptions DocumentsOf(HostSettings settings)
    {
        var bucket = settings.Documents.Bucket;
        var scanner = settings.Documents.Scanner is { Length: > 0 } at ? (at[..at.LastIndexOf(':')], int.Parse(at[(at.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture)) : ((string, int)?)null;
        return new Documents.DocumentOptions(
            Path.GetFullPath(settings.Files.Folder),
            bucket.Address is { Length: > 0 } address ? new Documents.BucketOptions(new Uri(address), bucket.Name ?? "", bucket.Region, bucket.KeyId ?? "", bucket.Secret ?? "") : null,
            settings.Documents.MaxFileBytes, scanner, settings.Documents.ExpiryDays)
        {
            ReadKinds = (settings.Documents.ReadKinds ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(kind => Enum.Parse<Documents.DocumentKind>(kind, ignoreCase: true)).ToHashSet(),
        };
    }

    /// <summary>Registers this start, watches the fence, and refuses every save of a retired release. Only running roles do; a verb of an operator belongs to no release.</summary>
    public static void AddCaminoRelease(this IServiceCollection services, HostSettings settings)
    {
        var me = new ThisProcess(Guid.CreateVersion7(), Release.Identity, settings.Role.ToString(), Environment.MachineName, Environment.ProcessId, settings.Web.Urls, settings.Role == Role.Async);
        services.AddSingleton(me);
        services.AddSingleton(new ReleaseFence(me.Release.Number, me.TakesWork));
        services.AddSingleton<ProcessRegistry>();
        services.AddSingleton<ReleaseStanding>();
        services.AddSingleton<FenceRefusals>();
        services.AddHostedService<ReleaseWatch>();
    }

    /// <summary>Figures of the database, and a warning where connections are short.</summary>
    public static void AddCaminoFigures(this IServiceCollection services)
    {
        services.AddSingleton<DatabaseFigures>();
        services.AddHostedService<ConnectionBudgetWatch>();
        if (OtlpExport.IsWanted)
            services.AddHostedService<FigureTimer>();
    }

    /// <summary>Users and passwords; without cookies, so that verbs can use it too.</summary>
    public static void AddCaminoIdentity(this IServiceCollection services, HostSettings settings)
    {
        services.AddSingleton(new SessionLimits(TimeSpan.FromMinutes(settings.SignIn.IdleMinutes), TimeSpan.FromHours(settings.SignIn.AbsoluteHours)));
        services.AddSingleton(new BreachedPasswords(settings.SignIn.BreachedPasswords));
        services.AddSingleton<PasswordRules>();
        services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = settings.SignIn.PasswordRounds);
        services.AddIdentityCore<StaffUser>(identity =>
            {
                identity.Password.RequiredLength = PasswordRules.Shortest;
                identity.Password.RequireDigit = false;
                identity.Password.RequireLowercase = false;
                identity.Password.RequireUppercase = false;
                identity.Password.RequireNonAlphanumeric = false;
                identity.Lockout.MaxFailedAccessAttempts = settings.SignIn.Attempts;
                identity.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5);
                identity.User.RequireUniqueEmail = true;
            })
            .AddRoles<IdentityRole<Guid>>()
            .AddPasswordValidator<PasswordRules>()
            .AddEntityFrameworkStores<CaminoDb>()
            .AddUserStore<StaffStore>()
            .AddSignInManager()
            .AddTokenProvider<SecondFactorProvider>(SecondFactorProvider.Name);
    }

    /// <summary>The engine that works the queues; its data sources end with the process.</summary>
    public static void AddCaminoJobServer(this IServiceCollection services, HostSettings settings)
    {
        var listener = Database.ConnectListener(settings);
        var engine = Database.ConnectEngine(settings);
        services.AddSingleton(SchedulesOf(settings));
        var options = OptionsOf(settings, listen: listener is not null);
        JobEngine.AddTo(services, settings, options);
        services.AddJobServer(options, _ => new JobConnections(engine, listener ?? engine, KeepsStatements: !settings.Database.Pooler));
    }

    /// <summary>The recurring jobs of the release, as the configuration has them.</summary>
    /// <exception cref="ArgumentException">names the entry, the field and what is allowed.</exception>
    /// <exception cref="InvalidOperationException">an entry can never fire.</exception>
    public static JobSchedules SchedulesOf(HostSettings settings)
    {
        var schedules = new JobSchedules().AddCaminoSchedules().Configure(settings.Jobs.Recurring.Select(entry => new JobScheduleOptions
        {
            Name = entry.Name,
            Kind = entry.Kind,
            Args = entry.Args,
            Cron = entry.Cron,
            Zone = entry.Zone,
            Calendar = entry.Calendar,
            Closed = entry.Closed,
            Misfire = entry.Misfire,
            WindowMinutes = entry.WindowMinutes,
            Overlap = entry.Overlap,
            Enabled = entry.Enabled,
            Queue = entry.Queue,
        }), new JobRegistry().AddCaminoKinds());
        schedules.CheckFire(TimeProvider.System.GetUtcNow());
        return schedules;
    }

    /// <summary>The engine's options.</summary>
    public static JobServerOptions OptionsOf(HostSettings settings, bool listen) => new()
    {
        Listen = listen,
        ServerName = FormattableString.Invariant($"{Environment.MachineName}/{Environment.ProcessId}"),
        Release = Release.Name,
        ReleaseNumber = Release.Number,
        Slots = settings.Jobs.Slots,
        LeaseSeconds = settings.Jobs.LeaseSeconds,
        PollMilliseconds = settings.Jobs.PollMilliseconds,
        GraceSeconds = settings.Jobs.GraceSeconds,
        AgeingSeconds = settings.Jobs.AgeingSeconds,
        Order = settings.Jobs.Order,
        LimitLeaseSeconds = settings.Jobs.LimitLeaseSeconds,
        KeepDays = settings.Jobs.KeepDays,
        KeepFailedDays = settings.Jobs.KeepFailedDays,
        Retention =
        [
            .. settings.Jobs.Retention.Select(rule => new JobRetention
            {
                Kind = rule.Kind,
                DoneDays = rule.DoneDays == 0 ? null : rule.DoneDays,
                CancelledDays = rule.CancelledDays == 0 ? null : rule.CancelledDays,
                FailedDays = rule.FailedDays == 0 ? null : rule.FailedDays,
            }),
        ],
        Alarms = new JobAlarmOptions
        {
            HorizonSeconds = settings.Jobs.Alarms.HorizonSeconds,
            DeadTuples = settings.Jobs.Alarms.DeadTuples,
            BloatMegabytes = settings.Jobs.Alarms.BloatMegabytes,
            RetriesInFiveMinutes = settings.Jobs.Alarms.RetriesInFiveMinutes,
        },
        Queues =
        [
            .. settings.Jobs.Queues.Select(q => new JobQueueOptions
            {
                Name = q.Name,
                ReservedSlots = q.ReservedSlots,
                MaxSlots = q.MaxSlots == 0 ? null : q.MaxSlots,
                Weight = q.Weight,
                TargetSeconds = q.TargetSeconds == 0 ? null : q.TargetSeconds,
            }),
        ],
    };

    /// <summary>The service over HTTP, or the mail server with its bounds.</summary>
    private static Applications.Provider EmailOf(HostSettings settings) => settings.Smtp is { Host.Length: > 0 } smtp
        ? new("smtp", new UriBuilder("smtp", smtp.Host, smtp.Port).Uri, "", TimeSpan.FromSeconds(smtp.TimeoutSeconds), TimeSpan.FromSeconds(smtp.RestSeconds), smtp.AtOnce, smtp.PerMinute)
        : ProviderOf("email", settings.Providers.Email);

    private static Applications.Messages.SmtpServer? SmtpOf(HostSettings settings)
    {
        if (settings.Smtp is not { Host.Length: > 0 } smtp)
            return null;
        System.Security.Cryptography.X509Certificates.X509Certificate2Collection? authorities = null;
        if (smtp.RootCertificate is { Length: > 0 } file)
        {
            authorities = [];
            authorities.ImportFromPemFile(file);
        }

        return new Applications.Messages.SmtpServer(smtp.Host, smtp.Port, smtp.Security == SmtpSecurity.Tls, string.IsNullOrEmpty(smtp.User) ? null : smtp.User, smtp.Password, smtp.From ?? "", settings.Lender.Name, authorities);
    }

    private static Applications.Provider ProviderOf(string name, ProviderSettings given) => new(
        name, given.Address is { Length: > 0 } address ? new Uri(address.TrimEnd('/') + "/") : null, given.Key ?? "", TimeSpan.FromSeconds(given.TimeoutSeconds), TimeSpan.FromSeconds(given.RestSeconds), given.AtOnce, given.PerMinute);
}
