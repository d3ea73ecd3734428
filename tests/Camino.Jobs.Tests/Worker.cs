using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Camino.Jobs.Tests;

/// <summary>A job server as a process of its own, so that a test can kill, stop and continue it.</summary>
internal static class Worker
{
    public static async Task<int> Main(string[] args)
    {
        if (args is not [var connectionString, var name, var engine])
        {
            await Console.Error.WriteLineAsync("This is a test assembly: run it with dotnet test.");
            return 64;
        }
        var options = Bed.Options(options =>
        {
            options.ServerName = name;
            if (engine != "camino")
                options.AgeingSeconds = 0;
        });
        using var host = Bed.MakeHost(connectionString, connectionString, options, builder =>
        {
            builder.Services.AddSingleton<Probe>();
#if HANGFIRE
            if (engine == "hangfire")
                Hangfire.HangfireServices.AddHangfireCarrier(builder.Services, options);
#endif
        });
        await host.RunAsync();
        return 0;
    }

    /// <param name="engine">camino, or hangfire in a build with it.</param>
    public static Process Start(string connectionString, string name, string engine = "camino")
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            ArgumentList = { typeof(Worker).Assembly.Location, connectionString, name, engine },
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CAMINO_JOBS_TEST_WORKER"] = "1";
        return Process.Start(start) ?? throw new InvalidOperationException("The worker did not start.");
    }

    public static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        kill.WaitForExit();
    }
}
