using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Camino.Host.Local;

/// <summary>Asks processes to end, which the framework can only force.</summary>
[UnsupportedOSPlatform("windows")]
internal static class Signal
{
    private const int Interrupt = 2;
    private const int Terminate = 15;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ForceLimit = TimeSpan.FromSeconds(5);
    private static readonly IntPtr Default = IntPtr.Zero;

    /// <summary>Asks with SIGTERM, waits, and ends by force what is still there. Harmless for a process that is gone.</summary>
    /// <returns>Whether it ended by itself.</returns>
    public static async Task<bool> StopAsync(Process process, TimeSpan patience)
    {
        if (!IsOver(process))
            _ = Kill(process.Id, Terminate); // fails only when it is just gone
        if (await EndsAsync(process, patience))
            return true;
        process.Kill(entireProcessTree: true);
        await EndsAsync(process, ForceLimit);
        return false;
    }

    private static async Task<bool> EndsAsync(Process process, TimeSpan limit)
    {
        var watch = Stopwatch.StartNew();
        while (!IsOver(process))
        {
            if (watch.Elapsed > limit)
                return false;
            await Task.Delay(Pause);
        }

        return true;
    }

    /// <summary>Also true for a dead process whose number is still taken because nobody has asked how it ended: in a container the first process often does not ask.</summary>
    private static bool IsOver(Process process)
    {
        if (process.HasExited || !OperatingSystem.IsLinux())
            return process.HasExited;
        try
        {
            var stat = File.ReadAllText($"/proc/{process.Id}/stat");
            return stat[stat.LastIndexOf(')')..] is [_, _, 'Z' or 'X', ..]; // number (name) state ...
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Listens to Ctrl-C also when a script started us in the background: shells make such programs deaf to it, and that is inherited.</summary>
    public static void HearInterrupt() => _ = SetHandler(Interrupt, Default);

    [DllImport("libc", EntryPoint = "signal")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern IntPtr SetHandler(int signal, IntPtr handler);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);
}
