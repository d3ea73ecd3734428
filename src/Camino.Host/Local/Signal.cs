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
    private static readonly IntPtr Default = IntPtr.Zero;

    /// <summary>Asks with SIGTERM, waits, and ends by force what is still there. Harmless for a process that is gone.</summary>
    /// <returns>Whether it ended by itself.</returns>
    public static async Task<bool> StopAsync(Process process, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        try
        {
            if (!process.HasExited)
                _ = Kill(process.Id, Terminate); // fails only when it is just gone
            await process.WaitForExitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            return false;
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
