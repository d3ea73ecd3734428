using System.CommandLine;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Camino.Host.Local;

/// <summary>`camino up`: all of Camino on this machine with one command, until Ctrl-C.</summary>
public static class Up
{
    /// <summary>The verb with its options.</summary>
    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "Port of the Back Office on the loopback address; 0 takes any free one.", DefaultValueFactory = _ => 8080 };
        port.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out var number) && number is >= 0 and <= 65535))
                result.AddError($"--port {token.Value} is not a port; it must be 0 to 65535.");
        });
        var data = new Option<string?>("--data") { Description = "Folder that keeps everything: database, files, logs (default: .camino in the checkout)." };
        var noDemo = new Option<bool>("--no-demo") { Description = "No invented users: print a one-time link for the first administrator instead." };
        var smoke = new Option<bool>("--smoke") { Description = "Start, check pages, sign-in, queues and an import, stop; exit code 0 or 1." };
        var up = new Command("up", "Start the database and both roles on this machine, until Ctrl-C.") { port, data, noDemo, smoke };
        up.Validators.Add(result =>
        {
            if (result.GetValue(noDemo) && result.GetValue(smoke))
                result.AddError("--smoke signs in as a demo user, so it cannot go together with --no-demo.");
        });

        // Not an asynchronous action: for those the command-line library ends the process 2 seconds after a Ctrl-C, which is too early for us.
        up.SetAction(parsed =>
        {
            if (OperatingSystem.IsWindows())
            {
                Console.Error.WriteLine("`camino up` needs Linux or macOS; on Windows, use the Linux subsystem (WSL).");
                return 1;
            }

            var folder = parsed.GetValue(data) is { Length: > 0 } given ? given : Repository.DefaultDataFolder;
            return RunAsync(new UpSettings(parsed.GetValue(port), Path.GetFullPath(folder), !parsed.GetValue(noDemo), parsed.GetValue(smoke))).GetAwaiter().GetResult();
        });
        return up;
    }

    [UnsupportedOSPlatform("windows")]
    internal static async Task<int> RunAsync(UpSettings settings)
    {
        using var stop = new CancellationTokenSource();
        Signal.HearInterrupt();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, StopInOrder);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, StopInOrder);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, StopInOrder);
        void StopInOrder(PosixSignalContext signal)
        {
            signal.Cancel = true; // we end ourselves, when the rest has ended
            if (!stop.IsCancellationRequested)
                stop.Cancel();
        }

        var code = 0;
        try
        {
            await using var camino = new LocalCamino(settings, Say);
            try
            {
                await camino.StartAsync(stop.Token);
                code = settings.Smoke ? await SmokeAsync(camino, stop.Token) : await StayAsync(camino, settings, stop.Token);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                code = settings.Smoke ? 1 : 0; // an interrupted check has not passed
            }

            Say("stopping");
        }
        catch (LocalStartException refused)
        {
            await Console.Error.WriteLineAsync(refused.Message);
            return 1;
        }

        Say($"stopped; the data stay in {settings.Data}");
        return code;
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task<int> StayAsync(LocalCamino camino, UpSettings settings, CancellationToken ct)
    {
        Say("");
        Say($"Camino is running at {camino.Address}");
        if (camino.Demo is { } demo)
        {
            Say("");
            foreach (var user in demo.Users)
                Say($"  {user.Role,-16} {user.Email,-32} {user.Password}");
            Say("  Demo: a second factor is optional here; without SignIn:SecondFactor=Optional every role that moves money needs one.");
            if (demo.ApiKey is { } key)
                Say($"  {"API key",-16} {key}");
        }
        else
        {
            Say(camino.FirstAdministratorLink is { } link ? $"  The first administrator signs in here, once: {link}" : "  There is an administrator already; sign in as before.");
        }

        Say("");
        Say($"Logs are in {Path.Combine(settings.Data, "logs")}. Ctrl-C stops everything; the data stay.");
        if (await camino.RoleEndedAsync(ct) is not { } ended)
            return 0;
        await Console.Error.WriteLineAsync(ended);
        return 1;
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task<int> SmokeAsync(LocalCamino camino, CancellationToken ct)
    {
        using var smoke = new Smoke(new Uri(camino.Address), camino.Demo, Say);
        return await smoke.RunAsync(ct) ? 0 : 1;
    }

    /// <summary>A terminal that is gone is no reason to stop stopping.</summary>
    private static void Say(string line)
    {
        try
        {
            Console.WriteLine(line);
        }
        catch (IOException)
        {
            return;
        }
    }
}
