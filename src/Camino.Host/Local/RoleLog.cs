using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Camino.Host.Local;

/// <summary>The log file of one role: a new one for each start, three earlier ones kept; its errors are shown on the terminal as they come.</summary>
internal sealed class RoleLog
{
    private const int Kept = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private readonly string _role;

    private RoleLog(string role, string file)
    {
        _role = role;
        File = file;
    }

    public string File { get; }

    /// <summary>Makes room: ROLE.log becomes ROLE.1.log, and so on; the oldest goes.</summary>
    public static RoleLog Begin(string folder, string role)
    {
        string Name(int age) => Path.Combine(folder, age == 0 ? $"{role}.log" : $"{role}.{age.ToString(CultureInfo.InvariantCulture)}.log");
        for (var age = Kept - 1; age >= 0; age--)
        {
            if (System.IO.File.Exists(Name(age)))
                System.IO.File.Move(Name(age), Name(age + 1), overwrite: true);
        }

        System.IO.File.WriteAllText(Name(0), "");
        return new RoleLog(role, Name(0));
    }

    public IReadOnlyList<string> LastLines(int count) =>
        [.. Read(from: 0).Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(count).Select(ForPeople)];

    /// <summary>Shows each line of an error as it is written, until cancelled.</summary>
    public async Task ShowErrorsAsync(Action<string> say, CancellationToken ct)
    {
        var position = 0L;
        while (!ct.IsCancellationRequested)
        {
            var text = Read(position);
            var whole = text[..(text.LastIndexOf('\n') + 1)];
            position += Encoding.UTF8.GetByteCount(whole);
            foreach (var line in whole.Split('\n').Where(IsError))
                say($"{_role}: {ForPeople(line)}");
            await Task.Delay(Pause, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What stands in the file from a position on, while the role goes on writing.</summary>
    private string Read(long from)
    {
        using var stream = new FileStream(File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = from;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static bool IsError(string line) =>
        line.Contains("\"Level\":\"Error\"", StringComparison.Ordinal)
        || line.Contains("\"Level\":\"Fatal\"", StringComparison.Ordinal)
        || line.StartsWith("Unhandled exception", StringComparison.Ordinal);

    private static string ForPeople(string line)
    {
        if (!line.StartsWith('{'))
            return line;
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            var message = root.TryGetProperty("RenderedMessage", out var rendered) ? rendered.GetString() : null;
            var cause = root.TryGetProperty("Exception", out var exception) ? exception.GetString()?.Split('\n')[0] : null;
            return message is null ? line : cause is null ? message : $"{message} ({cause.Trim()})";
        }
        catch (JsonException)
        {
            return line;
        }
    }
}
