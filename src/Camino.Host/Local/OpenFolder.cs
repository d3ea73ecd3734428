using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Camino.Host.Local;

/// <summary>Stands in for a folder that PostgreSQL's user cannot reach: one under /var/tmp, found again by a pointer file in the closed folder.</summary>
[UnsupportedOSPlatform("windows")]
internal static class OpenFolder
{
    private const string Parent = "/var/tmp";
    private const string Pointer = "elsewhere";

    /// <param name="closed">An existing folder that we may write to.</param>
    /// <returns>The same open folder each time. Its name cannot be guessed, so nobody can have made it before us.</returns>
    public static async Task<string> ForAsync(string closed, CancellationToken ct)
    {
        if (await KnownAsync(closed, ct) is { } known)
            return known;

        var open = Path.Combine(Parent, "camino-" + RandomNumberGenerator.GetHexString(24, lowercase: true));
        Directory.CreateDirectory(open, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        await File.WriteAllTextAsync(Path.Combine(closed, Pointer), open, ct);
        return open;
    }

    /// <returns>The open folder that an earlier run made for this one and that is still there, or null.</returns>
    public static async Task<string?> KnownAsync(string folder, CancellationToken ct)
    {
        var pointer = Path.Combine(folder, Pointer);
        return File.Exists(pointer) && (await File.ReadAllTextAsync(pointer, ct)).Trim() is { Length: > 0 } known && Directory.Exists(known) ? known : null;
    }
}
