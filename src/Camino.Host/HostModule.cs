using Camino.Data;
using Camino.Host.Configuration;
using Camino.Imports;
using Camino.Jobs;
using Camino.People;
using Microsoft.AspNetCore.Identity;

namespace Camino.Host;

/// <summary>Turns settings into the application's own options; the one place that knows both.</summary>
internal static class HostModule
{
    /// <summary>What both roles and the verbs have in common.</summary>
    public static void AddCaminoApplication(this IServiceCollection services, HostSettings settings)
    {
        services.AddCamino(new FileStoreOptions(Path.GetFullPath(settings.Files.Folder), settings.Imports.MaxFileBytes), new ImportOptions(settings.Imports.ChunkRows, settings.Imports.KeepFilesDays));
        services.AddJobs(registry => registry.AddCaminoKinds());
        services.AddJobClient();
    }

    /// <summary>Users and passwords; without cookies, so that verbs can use it too.</summary>
    public static void AddCaminoIdentity(this IServiceCollection services, HostSettings settings)
    {
        services.AddIdentityCore<StaffUser>(identity =>
            {
                identity.Password.RequiredLength = 12;
                identity.Password.RequireDigit = false;
                identity.Password.RequireLowercase = false;
                identity.Password.RequireUppercase = false;
                identity.Password.RequireNonAlphanumeric = false;
                identity.Lockout.MaxFailedAccessAttempts = settings.SignIn.Attempts;
                identity.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5);
                identity.User.RequireUniqueEmail = true;
            })
            .AddRoles<IdentityRole<Guid>>()
            .AddEntityFrameworkStores<CaminoDb>()
            .AddSignInManager()
            .AddDefaultTokenProviders();
    }

    /// <summary>The engine that works the queues.</summary>
    public static void AddCaminoJobServer(this IServiceCollection services, HostSettings settings) => services.AddJobServer(new JobServerOptions
    {
        Release = Release.Name,
        Slots = settings.Jobs.Slots,
        LeaseSeconds = settings.Jobs.LeaseSeconds,
        PollMilliseconds = settings.Jobs.PollMilliseconds,
        GraceSeconds = settings.Jobs.GraceSeconds,
        AgeingSeconds = settings.Jobs.AgeingSeconds,
        Queues = [.. settings.Jobs.Queues.Select(q => new JobQueueOptions { Name = q.Name, ReservedSlots = q.ReservedSlots, MaxSlots = q.MaxSlots == 0 ? null : q.MaxSlots })],
    });
}
