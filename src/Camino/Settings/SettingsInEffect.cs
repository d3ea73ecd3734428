namespace Camino.Settings;

/// <summary>What a value of the configuration was taken from.</summary>
public enum SettingSource
{
    /// <summary>Nobody said anything: the release's own value.</summary>
    Default,

    File,
    SecretsFolder,
    Environment,
    CommandLine,
}

/// <summary>Whether the process can use a key.</summary>
public enum SettingStanding
{
    Used,

    /// <summary>No such key: a start is refused because of it.</summary>
    Unknown,

    /// <summary>A key of the other role: a start is refused because of it.</summary>
    OtherRole,
}

/// <summary>One value of the configuration, as people may see it: what is secret never gets here.</summary>
/// <param name="Section">The first part of the key; empty for what stands in no section.</param>
/// <param name="Key">With colons, as the file has it; variables that are no settings by their name.</param>
/// <param name="About">Name of the sentence that says what it does (a text <c>Setting.</c> and this); empty where nobody knows.</param>
/// <param name="Value">Null: nothing is set, or it is a key that nobody knows and its value is not shown.</param>
/// <param name="Place">The file, the secret's file or the variable; null for values of the release.</param>
/// <param name="IsSecret">Its value is <see cref="Mask"/>, however long it is.</param>
/// <param name="Nearest">The known key that an unknown one resembles most.</param>
public sealed record SettingLine(string Section, string Key, string About, string? Value, SettingSource Source, string? Place, bool IsSecret, SettingStanding Standing, string? Nearest)
{
    /// <summary>Stands for every secret that is set.</summary>
    public const string Mask = "••••••";
}

/// <summary>Every value that a process of this configuration uses.</summary>
/// <param name="Role">Which role it takes; empty where the configuration does not say so.</param>
/// <param name="File">The configuration file.</param>
/// <param name="Refusal">Why a start with it is refused; null: it is not.</param>
public sealed record SettingsLook(string Role, string File, IReadOnlyList<SettingLine> Lines, string? Refusal);

/// <summary>What is different from what the process uses, and will be used from its next start on.</summary>
/// <param name="Now">Null: it is not there.</param>
/// <param name="Then">Null: it will not be there.</param>
public sealed record SettingChange(string Key, SettingLine? Now, SettingLine? Then);

/// <summary>What this process uses, and what a start of this moment would use instead.</summary>
/// <param name="atStart">Taken when the process read its configuration.</param>
/// <param name="lookAgain">Reads the same places once more; it throws nothing.</param>
public sealed class SettingsInEffect(Func<SettingsLook> atStart, Func<SettingsLook> lookAgain)
{
    private readonly Lazy<SettingsLook> _atStart = new(atStart);

    /// <summary>As this process has it until it ends.</summary>
    public SettingsLook AtStart => _atStart.Value;

    /// <summary>What stands there now.</summary>
    public (string? Refusal, IReadOnlyList<SettingChange> Changes) NextStart()
    {
        var then = lookAgain();
        if (then.Lines.Count == 0)
            return (then.Refusal, []);
        var before = AtStart.Lines.ToDictionary(line => line.Key, StringComparer.OrdinalIgnoreCase);
        var after = then.Lines.ToDictionary(line => line.Key, StringComparer.OrdinalIgnoreCase);
        return (then.Refusal,
        [
            .. then.Lines.Where(line => !before.TryGetValue(line.Key, out var now) || now.Value != line.Value || now.Standing != line.Standing).Select(line => new SettingChange(line.Key, before.GetValueOrDefault(line.Key), line)),
            .. AtStart.Lines.Where(line => !after.ContainsKey(line.Key)).Select(line => new SettingChange(line.Key, line, null)),
        ]);
    }
}
