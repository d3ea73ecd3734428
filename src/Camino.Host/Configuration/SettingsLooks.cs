using System.ComponentModel;
using System.Data.Common;
using System.Globalization;
using System.Text.RegularExpressions;
using Camino.Settings;
using Npgsql;

namespace Camino.Host.Configuration;

/// <summary>Puts the settings of one configuration together for people to see. What is secret is masked here, before anything else hears of it.</summary>
internal static partial class SettingsLooks
{
    /// <summary>Characters of a value that are shown.</summary>
    private const int LongestValue = 500;

    private const string Variables = "Variables";

    /// <summary>Variables of OpenTelemetry that can hold no secret; of the others only that they are set is shown.</summary>
    private static readonly HashSet<string> s_openTelemetry = new(StringComparer.Ordinal)
    {
        "OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    };

    /// <summary>Npgsql's own mark of what is a password.</summary>
    private static readonly HashSet<string> s_passwords = TypeDescriptor.GetProperties(typeof(NpgsqlConnectionStringBuilder)).Cast<PropertyDescriptor>()
        .Where(property => property.Attributes.OfType<PasswordPropertyTextAttribute>().Any(attribute => attribute.Password)).SelectMany(property => (string[])[property.Name, property.DisplayName]).Append("Password").Append("SSL Password").ToHashSet(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] s_ours = [Release.NumberVariable, Release.ImageVariable, "CAMINO_PARENT_PID"];

    /// <summary>The variables that a process uses beside its settings.</summary>
    public static IReadOnlyDictionary<string, string> OthersOf(IReadOnlyDictionary<string, string> variables) =>
        variables.Where(one => one.Value.Length > 0 && (s_ours.Contains(one.Key, StringComparer.Ordinal) || one.Key.StartsWith("OTEL_", StringComparison.Ordinal))).ToDictionary(StringComparer.Ordinal);

    /// <summary>All of it: where the file came from, every setting of the role in the order of the classes, keys that nobody knows beside their section, and variables.</summary>
    /// <param name="role">Null: the configuration names none; the settings of both are shown.</param>
    public static SettingsLook Of(Role? role, ConfigOrigin file, IReadOnlyList<ConfigOrigin> origins, string? refusal)
    {
        var lines = new List<SettingLine>();
        if (origins.Count > 0)
        {
            lines.Add(new SettingLine("", file.IsNamedByVariable ? "CAMINO_CONFIG" : "--config", "Host.Config", file.Name, file.IsNamedByVariable ? SettingSource.Environment : SettingSource.CommandLine, null, IsSecret: false, SettingStanding.Used, null));
            foreach (var setting in Setting.All.Where(setting => role is null || setting.OnlyFor is null || setting.OnlyFor == role))
                lines.AddRange(KeysOf(setting, origins).Select(key => Line(setting, key, origins)));
            lines.AddRange(origins.SelectMany(origin => origin.Values.Where(pair => Standing(pair.Key, pair.Value, role) != SettingStanding.Used).Select(pair => Wrong(pair.Key, origin, role))));
            lines.AddRange(origins.SelectMany(origin => origin.Others).OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => Variable(one.Key, one.Value)));
        }

        return new SettingsLook(role?.ToString() ?? "", file.Name, [.. lines.OrderBy(line => line.Section.Length > 0).ThenBy(line => line.Section == Variables)], refusal);
    }

    private static SettingStanding Standing(string key, string? value, Role? role) => HostConfig.SettingOf(key) switch
    {
        null => HostConfig.IsSection(key) && string.IsNullOrEmpty(value) ? SettingStanding.Used : SettingStanding.Unknown,
        { OnlyFor: { } owner } when role is not null && owner != role => SettingStanding.OtherRole,
        _ => SettingStanding.Used,
    };

    /// <summary>The keys that a setting has here: one; for what stands in a list, one an entry; a list without entries its own.</summary>
    private static IEnumerable<string> KeysOf(Setting setting, IReadOnlyList<ConfigOrigin> origins)
    {
        var at = setting.Path.IndexOf(":#:", StringComparison.Ordinal);
        if (at < 0)
            return setting.IsList && IndexesOf(setting.Path, origins).Any() ? [] : [setting.Path];
        return IndexesOf(setting.Path[..at], origins).Select(index => $"{setting.Path[..at]}:{index.ToString(CultureInfo.InvariantCulture)}:{setting.Path[(at + 3)..]}");
    }

    private static IEnumerable<int> IndexesOf(string list, IReadOnlyList<ConfigOrigin> origins) =>
        origins.SelectMany(origin => origin.Values.Keys).Where(key => key.StartsWith(list + ":", StringComparison.OrdinalIgnoreCase))
            .Select(key => int.TryParse(key[(list.Length + 1)..].Split(':')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1).Where(index => index >= 0).Distinct().Order();

    private static SettingLine Line(Setting setting, string key, IReadOnlyList<ConfigOrigin> origins)
    {
        var about = $"{setting.Property.DeclaringType?.Name.Replace("Settings", "", StringComparison.Ordinal)}.{setting.Property.Name}";
        if (origins.LastOrDefault(one => one.Values.TryGetValue(key, out var said) && (!setting.IsList || !string.IsNullOrEmpty(said))) is not { } origin)
            return new SettingLine(SectionOf(key), key, about, setting.IsSecret ? null : DefaultOf(setting), SettingSource.Default, null, setting.IsSecret, SettingStanding.Used, null);
        var value = origin.Values[key];
        var isSecret = setting.IsSecret || origin.IsSecret;
        var shown = string.IsNullOrEmpty(value) ? null : isSecret ? SettingLine.Mask : Shown(setting, value);
        return new SettingLine(SectionOf(key), key, about, shown, SourceOf(origin), PlaceOf(origin, key), isSecret, SettingStanding.Used, null);
    }

    /// <summary>A key that this role does not know. Its value is not shown: it may be a secret under a mistyped name.</summary>
    private static SettingLine Wrong(string key, ConfigOrigin origin, Role? role)
    {
        var standing = Standing(key, "?", role);
        return new SettingLine(SectionOf(key), key, "", null, SourceOf(origin), PlaceOf(origin, key), IsSecret: true, standing, standing == SettingStanding.Unknown ? HostConfig.NearestTo(key, role) : null);
    }

    private static SettingLine Variable(string name, string value)
    {
        var isSecret = name.StartsWith("OTEL_", StringComparison.Ordinal) && !s_openTelemetry.Contains(name);
        return new SettingLine(Variables, name, "Variable." + (s_ours.Contains(name, StringComparer.Ordinal) ? name : "OTEL"), isSecret ? SettingLine.Mask : Cut(WithoutSecrets(value)), SettingSource.Environment, name, isSecret, SettingStanding.Used, null);
    }

    private static string SectionOf(string key) => key.Contains(':', StringComparison.Ordinal) ? key[..key.IndexOf(':', StringComparison.Ordinal)] : "";

    private static SettingSource SourceOf(ConfigOrigin origin) => origin.IsFile ? SettingSource.File : origin.IsSecret ? SettingSource.SecretsFolder : SettingSource.Environment;

    private static string PlaceOf(ConfigOrigin origin, string key)
    {
        var underscored = key.Replace(":", "__", StringComparison.Ordinal);
        return origin.IsFile ? origin.Name : origin.SecretsFolder is { } folder ? Path.Combine(folder, underscored) : "CAMINO_" + underscored;
    }

    private static string? DefaultOf(Setting setting)
    {
        if (setting.IsList || setting.Property.DeclaringType is not { } type || setting.IsNeeded)
            return null;
        return setting.Property.GetValue(Activator.CreateInstance(type)) switch
        {
            null or "" => null,
            bool yes => yes ? "true" : "false",
            var value => Convert.ToString(value, CultureInfo.InvariantCulture),
        };
    }

    private static string Shown(Setting setting, string value) => Cut(setting.Path.EndsWith("ConnectionString", StringComparison.Ordinal) ? Connection(value) : WithoutSecrets(value));

    /// <summary>A connection string with its passwords masked; one that cannot be read is masked as a whole.</summary>
    private static string Connection(string value)
    {
        try
        {
            var connection = new NpgsqlConnectionStringBuilder(value);
            var shown = new DbConnectionStringBuilder();
            foreach (var key in connection.Keys)
                shown[key] = s_passwords.Contains(key) ? SettingLine.Mask : connection[key];
            return shown.ConnectionString;
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or KeyNotFoundException)
        {
            return SettingLine.Mask;
        }
    }

    /// <summary>An address may carry a name and a password before the host, and a key after the question mark.</summary>
    private static string WithoutSecrets(string value) => Query().Replace(UserInfo().Replace(value, "://" + SettingLine.Mask + "@"), "?" + SettingLine.Mask);

    private static string Cut(string value) => value.Length <= LongestValue ? value : value[..LongestValue] + "…";

    [GeneratedRegex(@"://[^/\s]*@", RegexOptions.None, 1_000)]
    private static partial Regex UserInfo();

    [GeneratedRegex(@"(?<=://[^\s?]*)\?[^\s;]*", RegexOptions.None, 1_000)]
    private static partial Regex Query();
}
