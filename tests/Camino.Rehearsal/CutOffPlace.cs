using System.Diagnostics;
using System.Globalization;

namespace Camino.Rehearsal;

/// <summary>A network of its own for one process, joined to the machine's by one line that can be cut: what was sent is lost and nobody is told, as when a switch dies.</summary>
/// <remarks>Needs the right to make network namespaces (Linux, root, the program ip).</remarks>
internal sealed class CutOffPlace : IAsyncDisposable
{
    private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"camino{Environment.ProcessId}");

    /// <summary>At most 15 characters.</summary>
    private readonly string _line = string.Create(CultureInfo.InvariantCulture, $"cam{Environment.ProcessId % 10_000_000}");

    private CutOffPlace()
    {
    }

    /// <summary>The machine as it is seen from inside.</summary>
    public string Outside => string.Create(CultureInfo.InvariantCulture, $"10.213.{Environment.ProcessId % 200}.1");

    private string Inside => string.Create(CultureInfo.InvariantCulture, $"10.213.{Environment.ProcessId % 200}.2");

    /// <summary>What stands before a program that shall run inside.</summary>
    public IReadOnlyList<string> Enter => ["ip", "netns", "exec", _name];

    /// <summary>Makes one; null where the machine does not allow it.</summary>
    public static async Task<CutOffPlace?> TryMakeAsync()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return null;
        var place = new CutOffPlace();
        try
        {
            await place.RunAsync("netns", "add", place._name);
            await place.RunAsync("link", "add", place._line, "type", "veth", "peer", "name", "eth0", "netns", place._name);
            await place.RunAsync("addr", "add", $"{place.Outside}/30", "dev", place._line);
            await place.RunAsync("link", "set", place._line, "up");
            await place.RunAsync("-n", place._name, "addr", "add", $"{place.Inside}/30", "dev", "eth0");
            await place.RunAsync("-n", place._name, "link", "set", "eth0", "up");
            await place.RunAsync("-n", place._name, "link", "set", "lo", "up");
            return place;
        }
        catch (Exception refused) when (refused is RehearsalException or System.ComponentModel.Win32Exception)
        {
            await place.DisposeAsync();
            return null;
        }
    }

    /// <summary>From now on nothing goes through, in either direction.</summary>
    public Task CutAsync() => RunAsync("link", "set", _line, "down");

    public Task HealAsync() => RunAsync("link", "set", _line, "up");

    public async ValueTask DisposeAsync()
    {
        try
        {
            await RunAsync("netns", "del", _name); // the line goes with it
        }
        catch (Exception gone) when (gone is RehearsalException or System.ComponentModel.Win32Exception)
        {
            // it was never made
        }
    }

    private async Task RunAsync(params string[] arguments)
    {
        using var ip = Process.Start(new ProcessStartInfo("ip", arguments) { UseShellExecute = false, RedirectStandardError = true }) ?? throw new RehearsalException("ip did not start.");
        var said = await ip.StandardError.ReadToEndAsync();
        await ip.WaitForExitAsync();
        if (ip.ExitCode != 0)
            throw new RehearsalException($"ip {string.Join(' ', arguments)}: {said.Trim()}");
    }
}
