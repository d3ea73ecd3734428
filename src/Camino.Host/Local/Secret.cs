using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Camino.Host.Local;

/// <summary>Passwords that nobody types, in files that nobody else reads.</summary>
[UnsupportedOSPlatform("windows")]
internal static class Secret
{
    /// <returns>160 random bits in letters and digits that need no escaping anywhere.</returns>
    public static string New() => RandomNumberGenerator.GetHexString(40, lowercase: true);

    /// <summary>Writes a file that only its owner can read, at no time open to others.</summary>
    public static async Task WriteAsync(string file, string text, CancellationToken ct)
    {
        var unfinished = file + ".unfinished";
        File.Delete(unfinished);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        await using (var stream = new FileStream(unfinished, options))
        await using (var writer = new StreamWriter(stream))
            await writer.WriteAsync(text.AsMemory(), ct);
        File.Move(unfinished, file, overwrite: true);
    }
}
