using System.Diagnostics;
using System.Runtime.Versioning;

namespace Camino.Host.Local;

/// <summary>
/// The account that PostgreSQL's programs run as. An ordinary user runs them as himself. PostgreSQL refuses root, so root runs them as
/// <c>nobody</c>; when the data lie below a folder that only root may enter (a checkout under /root, or a 0700 temporary folder), they get
/// the right to pass through folders and nothing else.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal sealed class PostgresAccount
{
    private const string Nobody = "nobody";
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(20);
    private readonly string? _user;
    private readonly string? _capability;

    private PostgresAccount(string? user, string? capability)
    {
        _user = user;
        _capability = capability;
    }

    /// <summary>The caller, or nobody for root.</summary>
    public static PostgresAccount Plain { get; } = new(Environment.IsPrivilegedProcess ? Nobody : null, capability: null);

    /// <summary>Finds the weakest account that can work in a folder.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <returns>Null when there is none: the data must be kept in another folder.</returns>
    public static async Task<PostgresAccount?> ForAsync(string folder, CancellationToken ct)
    {
        if (await Plain.CanEnterAsync(folder, ct))
            return Plain;
        if (!Environment.IsPrivilegedProcess || Tool.Find("setpriv") is null)
            return null;

        // Containers often lack the first and have the second.
        foreach (var capability in new[] { "dac_read_search", "dac_override" })
        {
            var account = new PostgresAccount(Nobody, capability);
            if (await account.CanEnterAsync(folder, ct))
                return account;
        }

        return null;
    }

    /// <summary>Whether this account can go into a folder.</summary>
    public async Task<bool> CanEnterAsync(string folder, CancellationToken ct) =>
        (await Tool.RunAsync(Start("/bin/sh", ["-c", "cd -- \"$1\"", "sh", folder]), ProbeLimit, ct)).Succeeded;

    /// <summary>Whether this account can run a program, its libraries included.</summary>
    public async Task<bool> CanRunAsync(string program, CancellationToken ct)
    {
        // `test -x` asks as PostgreSQL's own programs ask for each other; the second half finds missing libraries.
        var result = await Tool.RunAsync(Start("/bin/sh", ["-c", "test -x \"$1\" && exec \"$1\" --version", "sh", program]), ProbeLimit, ct);
        return result.Succeeded;
    }

    /// <summary>How to start a program as this account; the environment carries none of PostgreSQL's own variables.</summary>
    public ProcessStartInfo Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo { WorkingDirectory = "/" };
        if (_capability is null)
        {
            start.FileName = program;
            if (_user is not null)
                start.UserName = _user;
        }
        else
        {
            start.FileName = "setpriv";
            start.ArgumentList.Add($"--reuid={_user}");
            start.ArgumentList.Add("--regid=65534");
            start.ArgumentList.Add("--clear-groups");
            start.ArgumentList.Add($"--inh-caps=+{_capability}");
            start.ArgumentList.Add($"--ambient-caps=+{_capability}");
            start.ArgumentList.Add("--");
            start.ArgumentList.Add(program);
        }

        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C"; // messages that can be compared; the databases' own locale is an argument
        return start;
    }

    /// <summary>Makes this account the owner of a file or folder.</summary>
    public async Task OwnAsync(string path, CancellationToken ct)
    {
        if (_user is null)
            return;
        var start = new ProcessStartInfo("chown", ["--", _user, path]);
        var result = await Tool.RunAsync(start, ProbeLimit, ct);
        if (!result.Succeeded)
            throw new LocalStartException($"{path} cannot be given to the user {_user}, and PostgreSQL refuses to run as root: {result.Output}");
    }
}
