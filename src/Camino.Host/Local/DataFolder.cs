using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace Camino.Host.Local;

/// <summary>Everything that `camino up` keeps, in one folder: delete it, and the machine is as before.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class DataFolder : IDisposable
{
    private const UnixFileMode OnlyOurs = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream taken)
    {
        Path = path;
        _lock = taken;
    }

    public string Path { get; }

    public string Postgres => System.IO.Path.Combine(Path, "pg");

    public string Package => System.IO.Path.Combine(Path, "postgres");

    /// <summary>Files handed in; they hold what borrowers entrusted to us, also in a demo.</summary>
    public string Files => System.IO.Path.Combine(Path, "files");

    public string Logs => System.IO.Path.Combine(Path, "logs");

    /// <summary>Makes the folder when missing and takes it for this process alone.</summary>
    /// <exception cref="LocalStartException">Another `camino up` has it.</exception>
    public static DataFolder Take(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        // Others may pass through, because PostgreSQL's user must, but not look around.
        Directory.CreateDirectory(full, Environment.IsPrivilegedProcess ? OnlyOurs | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : OnlyOurs);
        var taken = FolderLock.TryTake(System.IO.Path.Combine(full, "lock"))
            ?? throw new LocalStartException(Running.Read(full) is { } running
                ? $"`camino up` is already running on {full}, at {running.Address} (process {running.Pid.ToString(CultureInfo.InvariantCulture)})."
                : $"Another `camino up` is just starting or stopping on {full}.");
        var folder = new DataFolder(full, taken);
        Directory.CreateDirectory(folder.Files, OnlyOurs);
        Directory.CreateDirectory(folder.Logs, OnlyOurs);
        return folder;
    }

    /// <summary>Ends what a killed run left behind and forgets it.</summary>
    public async Task StopLeftoversAsync(Action<string> say, CancellationToken ct)
    {
        if (Running.Read(Path) is not { } running)
            return;
        foreach (var left in running.Roles)
        {
            if (await FindAsync(left, ct) is not { } process)
                continue;
            using (process)
            {
                say($"stopping the {left.Role} that a killed run left behind (process {left.Pid.ToString(CultureInfo.InvariantCulture)})");
                await Signal.StopAsync(process, LocalCamino.RolePatience);
            }
        }

        Running.Remove(Path);
    }

    public void Dispose() => _lock.Dispose();

    /// <summary>The process of a role, unless it is gone or its number belongs to another program by now.</summary>
    private static async Task<Process?> FindAsync(RunningRole left, CancellationToken ct)
    {
        Process process;
        try
        {
            process = Process.GetProcessById(left.Pid);
        }
        catch (ArgumentException)
        {
            return null;
        }

        var commandLine = await CommandLineAsync(left.Pid, ct);
        if (commandLine.Contains("camino", StringComparison.Ordinal) && commandLine.Contains(left.Config, StringComparison.Ordinal))
            return process;
        process.Dispose();
        return null;
    }

    private static async Task<string> CommandLineAsync(int pid, CancellationToken ct)
    {
        if (!OperatingSystem.IsLinux())
            return (await Tool.RunAsync(new ProcessStartInfo("ps", ["-o", "command=", "-p", pid.ToString(CultureInfo.InvariantCulture)]), TimeSpan.FromSeconds(5), ct)).Output;
        try
        {
            return (await File.ReadAllTextAsync($"/proc/{pid}/cmdline", ct)).Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "";
        }
    }
}
