using System.Globalization;
using System.Runtime.InteropServices;

namespace Camino.Host;

/// <summary>
/// Lets other processes of the machine go first. On one machine the Async Server shares the cores with the Back Office; bulk work that steps back for a moment is not
/// missed, a page is. Where every process has cores of its own (containers with limits), it changes nothing.
/// </summary>
internal static class Niceness
{
    private const int OfOneThread = 0;

    /// <summary>Sets it for every thread that there is; later ones inherit it. Nothing happens on other systems than Linux.</summary>
    /// <param name="nice">0 (like any other process) to 19 (only when nobody else wants to run).</param>
    public static void Set(int nice)
    {
        if (nice == 0 || !OperatingSystem.IsLinux())
            return;
        foreach (var thread in Directory.EnumerateDirectories("/proc/self/task"))
            _ = SetPriority(OfOneThread, uint.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), nice); // fails only for one that has just ended
    }

    [DllImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, uint who, int nice);
}
