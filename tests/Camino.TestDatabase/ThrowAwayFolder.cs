using System.Diagnostics;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using Camino.Host.Local;

namespace Camino.Testing;

/// <summary>A folder for a server to throw away. A small shell waits on a pipe from this process; when the pipe closes, also by a kill -9, it stops the server and deletes the folder.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class ThrowAwayFolder
{
    private const string NamePattern = "camino-test-*.lock";
    private const long Room = 1024L * 1024 * 1024;
    private static readonly TimeSpan CleanUpLimit = TimeSpan.FromSeconds(20);

    /// <summary>SIGQUIT is PostgreSQL's immediate stop: these data are not wanted any more.</summary>
    private const string CleanUp =
        """
        trap '' INT TERM HUP
        read -r _
        place=$(cat "$1/elsewhere" 2>/dev/null) || place=$1
        if pid=$(head -n 1 "$place/data/postmaster.pid" 2>/dev/null); then
          kill -QUIT "$pid" 2>/dev/null
          turns=0
          while [ -e "$place/data/postmaster.pid" ] && kill -0 "$pid" 2>/dev/null && [ "$turns" -lt 200 ]; do sleep 0.05; turns=$((turns + 1)); done
        fi
        if container=$(cat "$1/container" 2>/dev/null); then
          for engine in docker podman; do
            "$engine" rm --force "$container" && "$engine" volume rm --force "$container" && break
          done
        fi
        rm -rf "$place" "$1" "$2"
        """;

    private readonly FileStream _lock;
    private readonly Process _cleaner;

    private ThrowAwayFolder(string folder, FileStream taken, Process cleaner)
    {
        Folder = folder;
        _lock = taken;
        _cleaner = cleaner;
    }

    public string Folder { get; }

    /// <summary>Makes a folder in memory when there is room, else in the temporary folder; first removes what killed processes left where no shell could.</summary>
    public static async Task<ThrowAwayFolder> TakeAsync()
    {
        var parent = Parent();
        await RemoveLeftoversAsync(parent);
        while (true)
        {
            var folder = Path.Combine(parent, $"camino-test-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
            if (FolderLock.TryTake(folder + ".lock") is not { } taken)
                continue; // another process is just looking whether it is a left-over
            Directory.CreateDirectory(folder);
            return new ThrowAwayFolder(folder, taken, StartCleaner(folder));
        }
    }

    /// <summary>Stops the server and deletes the folder; returns when it is done.</summary>
    public void Release()
    {
        _cleaner.StandardInput.Close();
        _cleaner.WaitForExit(CleanUpLimit);
        _cleaner.Dispose();
        _lock.Dispose();
    }

    internal static async Task RemoveLeftoversAsync(string parent)
    {
        foreach (var file in Directory.GetFiles(parent, NamePattern))
        {
            try
            {
                await using var taken = FolderLock.TryTake(file);
                if (taken is null)
                    continue; // its process lives
                using var cleaner = StartCleaner(file[..^".lock".Length]);
                cleaner.StandardInput.Close();
                await cleaner.WaitForExitAsync().WaitAsync(CleanUpLimit);
            }
            catch (UnauthorizedAccessException)
            {
                continue; // another user's
            }
        }
    }

    private static string Parent()
    {
        const string Memory = "/dev/shm";
        return Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > Room ? Memory : Path.GetTempPath();
    }

    private static Process StartCleaner(string folder)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec >/dev/null 2>&1\n" + CleanUp, "sh", folder, folder + ".lock"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            WorkingDirectory = "/",
        };
        return Process.Start(start) ?? throw new InvalidOperationException("/bin/sh did not start.");
    }
}
