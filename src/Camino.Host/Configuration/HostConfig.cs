using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Camino.People;
using Camino.Settings;
using Npgsql;

namespace Camino.Host.Configuration;

/// <summary>The start is refused because of what a configuration says. The program ends with exit code 78 (EX_CONFIG of sysexits.h).</summary>
public sealed class ConfigRefusedException(string sentence) : Exception(sentence)
{
    /// <summary>EX_CONFIG.</summary>
    public const int ExitCode = 78;
}

/// <summary>
/// Reads one configuration file, the secrets folder and the environment (prefix <c>CAMINO_</c>, later wins), and refuses in one sentence what is unknown,
/// missing, of the wrong type or out of range: file, key, value, what is allowed, and the nearest key that exists.
/// </summary>
public static class HostConfig
{
    /// <summary>What the engine needs after the grace time: tokens fire, handlers return, jobs go back to their place.</summary>
    private const int SecondsToReturnJobs = 10;

    /// <summary>Variables with the prefix that are not settings.</summary>
    private static readonly string[] s_notSettings = ["CONFIG", "DATABASE", "POSTGRES", "PARENT", "TEST", "BENCH", "LOCAL", "RELEASE", "IMAGE", "STOP"];

    /// <summary>Queues that one server serves at most; the engine says so too.</summary>
    private const int MostQueues = 32;

    /// <summary>The checked settings of the file at <paramref name="path"/>.</summary>
    /// <exception cref="ConfigRefusedException">with the first thing found, file before environment.</exception>
    public static HostSettings Read(string? path, IReadOnlyDictionary<string, string>? environment = null)
    {
        var (file, origins) = Gather(path, environment);
        var settings = Check(file, origins);
        settings.InEffect = new SettingsInEffect(() => SettingsLooks.Of(settings.Role, file, origins, refusal: null), () => Look(path, environment));
        return settings;
    }

    /// <summary>What a start with the file at <paramref name="path"/> would use, also where it would be refused.</summary>
    public static SettingsLook Look(string? path, IReadOnlyDictionary<string, string>? environment = null)
    {
        ConfigOrigin file = new(path ?? "", []);
        List<ConfigOrigin> origins = [];
        try
        {
            (file, origins) = Gather(path, environment);
            return SettingsLooks.Of(Check(file, origins).Role, file, origins, refusal: null);
        }
        catch (ConfigRefusedException refused)
        {
            return SettingsLooks.Of(origins.Count == 0 ? null : NamedRole(origins), file, origins, refused.Message);
        }
    }

    /// <summary>Everything that the file, the secrets folder and the environment say; later wins.</summary>
    private static (ConfigOrigin File, List<ConfigOrigin> Origins) Gather(string? path, IReadOnlyDictionary<string, string>? environment)
    {
        var variables = environment ?? Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);
        var named = path ?? Environment.GetEnvironmentVariable("CAMINO_CONFIG");
        if (string.IsNullOrWhiteSpace(named))
            throw new ConfigRefusedException("No configuration file is named; say --config appsettings.BackOffice.json or --config appsettings.Async.json (or set CAMINO_CONFIG). There is no default role.");
        var full = Path.GetFullPath(named);
        if (!File.Exists(full))
            throw new ConfigRefusedException($"{named}: there is no such configuration file.");

        var file = new ConfigOrigin(named, Flatten(new ConfigurationBuilder().AddInMemoryCollection(ReadJson(named, full)).Build())) { IsFile = true, IsNamedByVariable = path is null };
        var origins = new List<ConfigOrigin> { file };
        var fromEnvironment = FromEnvironment(variables);

        var secrets = fromEnvironment.GetValueOrDefault(nameof(HostSettings.SecretsFolder)) ?? file.Values.GetValueOrDefault(nameof(HostSettings.SecretsFolder));
        if (!string.IsNullOrEmpty(secrets))
        {
            if (!Directory.Exists(secrets))
                throw new ConfigRefusedException($"{named}: SecretsFolder is \"{secrets}\"; there is no such folder.");
            var fromSecrets = Flatten(new ConfigurationBuilder().AddKeyPerFile(Path.GetFullPath(secrets), optional: false).Build());
            // the new passwords of a rotation that is under way; read when a connection is made
            fromSecrets.Remove("Database:PasswordNext");
            fromSecrets.Remove("Migration:PasswordNext");
            origins.Add(new ConfigOrigin($"secrets folder {secrets}", fromSecrets) { SecretsFolder = secrets });
        }

        origins.Add(new ConfigOrigin("environment", fromEnvironment) { Others = SettingsLooks.OthersOf(variables) });
        return (file, origins);
    }

    private static Role? NamedRole(List<ConfigOrigin> origins)
    {
        try
        {
            return RoleOf("", origins);
        }
        catch (ConfigRefusedException)
        {
            return null;
        }
    }

    /// <summary>The setting that a key names, whatever the index of a list is; null: there is none.</summary>
    internal static Setting? SettingOf(string key)
    {
        var pattern = PatternOf(key);
        return Setting.All.FirstOrDefault(setting => string.Equals(setting.Path, pattern, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>A group of settings, which says nothing by itself.</summary>
    internal static bool IsSection(string key)
    {
        var section = PatternOf(key) + ":";
        return Setting.All.Any(setting => setting.Path.StartsWith(section, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The known key that a mistyped one resembles most.</summary>
    internal static string NearestTo(string key, Role? role) => Nearest(PatternOf(key), role);

    private static string PatternOf(string key) => Regex.Replace(key, @":\d+(?=:|$)", ":#", RegexOptions.None, TimeSpan.FromSeconds(1));

    private static HostSettings Check(ConfigOrigin file, List<ConfigOrigin> sources)
    {
        var path = file.Name;
        var role = RoleOf(path, sources);
        foreach (var source in sources)
        {
            foreach (var (key, value) in source.Values)
                CheckOne(source, key, value, role);
        }

        var merged = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in sources.SelectMany(source => source.Values))
            merged[key] = value;

        CheckNeeded(path, merged, role);
        var settings = new ConfigurationBuilder().AddInMemoryCollection(merged).Build().Get<HostSettings>() ?? new HostSettings();
        CheckTogether(path, settings);
        return settings;
    }

    private static Role RoleOf(string path, List<ConfigOrigin> sources)
    {
        string? text = null;
        var from = path;
        foreach (var source in sources)
        {
            if (source.Values.TryGetValue(nameof(HostSettings.Role), out var value))
                (text, from) = (value, source.Name);
        }

        if (text is null)
            throw new ConfigRefusedException($"{path}: Role is missing; it must be BackOffice or Async.");
        return Enum.TryParse<Role>(text, ignoreCase: false, out var role) && Enum.IsDefined(role) && !char.IsDigit(text[0])
            ? role
            : throw new ConfigRefusedException($"{from}: Role is \"{text}\"; it must be BackOffice or Async.");
    }

    private static void CheckOne(ConfigOrigin origin, string key, string? value, Role role)
    {
        var source = origin.Name;
        var setting = SettingOf(key);
        if (setting is null)
        {
            var isSection = IsSection(key);
            if (isSection && string.IsNullOrEmpty(value))
                return;
            var nearest = NearestTo(key, role);
            // what stands under a mistyped name may be a secret
            var shown = string.IsNullOrEmpty(value) ? "" : " (its value is not shown)";
            throw new ConfigRefusedException(isSection
                ? $"{source}: {key} is a text or a number; it is a group of settings and must be an object."
                : $"{source}: {key} is not a known key{shown}; the nearest known key is {nearest}.");
        }

        if (setting.OnlyFor is { } owner && owner != role)
            throw new ConfigRefusedException($"{source}: {key} is only for the role {owner}, and this file's Role is {role}; remove it.");
        if (setting.IsList)
        {
            if (string.IsNullOrEmpty(value))
                return;
            throw new ConfigRefusedException($"{source}: {key} is \"{Shown(value)}\"; it must be {setting.Allowed}.");
        }

        if (origin.IsFile && setting.IsSecret && !string.IsNullOrEmpty(value))
            throw new ConfigRefusedException($"{source}: {key} is a secret and must not stand in a file that is shared; set CAMINO_{key.Replace(":", "__", StringComparison.Ordinal)} or put it into the secrets folder.");
        if (value is null || !IsAllowed(setting, value))
            throw new ConfigRefusedException($"{source}: {key} is {(value is null ? "null" : setting.IsSecret || origin.IsSecret ? "not usable" : $"\"{Shown(value)}\"")}; it must be {setting.Allowed}.");
        if (origin.IsFile && key.EndsWith("ConnectionString", StringComparison.OrdinalIgnoreCase) && PasswordIn(source, key, value))
            throw new ConfigRefusedException($"{source}: {key} holds a password; set CAMINO_{key.Split(':')[0]}__Password or put it into the secrets folder.");
    }

    private static bool IsAllowed(Setting setting, string value)
    {
        if (setting.Type.IsEnum)
            return Enum.GetNames(setting.Type).Contains(value, StringComparer.Ordinal);
        if (setting.Type == typeof(bool))
            return value is "true" or "false" or "True" or "False";
        if (setting.Type == typeof(int) || setting.Type == typeof(long))
            return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && (setting.Between is not { } between || (number >= between.Least && number <= between.Most));
        return setting.Matching is not { } matching || Regex.IsMatch(value, matching.Pattern, RegexOptions.None, TimeSpan.FromSeconds(1));
    }

    private static void CheckNeeded(string path, Dictionary<string, string?> merged, Role role)
    {
        foreach (var setting in Setting.All.Where(s => s.IsNeeded && (s.OnlyFor is null || s.OnlyFor == role)))
        {
            if (setting.IsList)
            {
                if (!merged.Keys.Any(k => k.StartsWith(setting.Path + ":", StringComparison.OrdinalIgnoreCase)))
                    throw new ConfigRefusedException($"{path}: {setting.Path} is missing; it must be {setting.Allowed}.");
            }
            else if (setting.Path.Contains(":#:", StringComparison.Ordinal))
            {
                var list = setting.Path[..setting.Path.IndexOf(":#:", StringComparison.Ordinal)];
                var last = setting.Path[(setting.Path.LastIndexOf(':') + 1)..];
                var indexes = merged.Keys.Where(k => k.StartsWith(list + ":", StringComparison.OrdinalIgnoreCase)).Select(k => k[(list.Length + 1)..].Split(':')[0]).Distinct(StringComparer.Ordinal);
                foreach (var index in indexes)
                {
                    if (!merged.ContainsKey($"{list}:{index}:{last}"))
                        throw new ConfigRefusedException($"{path}: {list}:{index}:{last} is missing; it must be {setting.Allowed}.");
                }
            }
            else if (string.IsNullOrEmpty(merged.GetValueOrDefault(setting.Path)))
            {
                var variable = $"CAMINO_{setting.Path.Replace(":", "__", StringComparison.Ordinal)}";
                throw new ConfigRefusedException($"{path}: {setting.Path} is missing; it must be {setting.Allowed} (in the file, or as {variable}).");
            }
        }
    }

    private static void CheckSignIn(SignInSettings signIn, string path)
    {
        if (signIn.Provider is { Authority.Length: > 0 } provider && (string.IsNullOrEmpty(provider.ClientId) || string.IsNullOrEmpty(provider.ClientSecret)))
            throw new ConfigRefusedException($"{path}: SignIn:Provider:Authority is set; SignIn:Provider:ClientId and :ClientSecret must be, too.");
        if (!signIn.Provider.AdministratorsByGroup && signIn.Provider.Groups.FindIndex(group => group.Role == StaffRoles.Administrator) is >= 0 and var index)
            throw new ConfigRefusedException(FormattableString.Invariant($"{path}: SignIn:Provider:Groups:{index}:Role is \"administrator\"; that needs SignIn:Provider:AdministratorsByGroup to be true."));
        if (signIn.Provider is { AddPeople: true, Groups.Count: 0 })
            throw new ConfigRefusedException($"{path}: SignIn:Provider:AddPeople is true; SignIn:Provider:Groups must name at least one group, for whoever is in none is not added.");
    }

    private static void CheckProxy(WebSettings web, string path)
    {
        if (web.ProxyNetworks is not { Length: > 0 } networks)
            return;
        if (!web.BehindProxy)
            throw new ConfigRefusedException($"{path}: Web:ProxyNetworks is set and Web:BehindProxy is false; nothing would be believed of anybody, so remove one of them.");
        if (networks.Split(';').FirstOrDefault(network => !System.Net.IPNetwork.TryParse(network, out _)) is { } wrong)
            throw new ConfigRefusedException($"{path}: Web:ProxyNetworks names \"{wrong}\"; it must be networks such as 10.0.0.0/8 or fd00::/8, without bits set beyond the prefix, separated by semicolons.");
    }

    private static void CheckSmtp(HostSettings settings, string path)
    {
        if (settings.Smtp is not { Host.Length: > 0 } smtp)
            return;
        if (settings.Providers.Email.Address is { Length: > 0 })
            throw new ConfigRefusedException($"{path}: Smtp:Host and Providers:Email:Address are both set; e-mails go one way, so remove one of them.");
        if (string.IsNullOrEmpty(smtp.From))
            throw new ConfigRefusedException($"{path}: Smtp:Host is set; Smtp:From must be, too.");
        if (string.IsNullOrEmpty(smtp.User) != string.IsNullOrEmpty(smtp.Password))
            throw new ConfigRefusedException($"{path}: Smtp:User and Smtp:Password go together; set both or neither.");
        if (smtp.RootCertificate is { Length: > 0 } certificate && !File.Exists(certificate))
            throw new ConfigRefusedException($"{path}: Smtp:RootCertificate is \"{certificate}\"; there is no such file.");
    }

    private static void CheckTogether(string path, HostSettings settings)
    {
        if (settings.Web.Urls.Split(';').FirstOrDefault(address => int.TryParse(address.TrimEnd('/').Split(':')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 65535) is { } beyond)
            throw new ConfigRefusedException($"{path}: Web:Urls names {beyond}; a port must be 0 to 65535.");
        try
        {
            if (string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(settings.Database.ConnectionString).Host))
                throw new ConfigRefusedException($"{path}: Database:ConnectionString names no server; it must be like Host=...;Database=...;Username=....");
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw new ConfigRefusedException($"{path}: Database:ConnectionString is not a connection string that Npgsql understands ({wrong.Message.Split('\n')[0]}); it must be like Host=...;Database=...;Username=....");
        }

        if (settings is { Database.Tls: DatabaseTls.Verified, Database.RootCertificate: { Length: > 0 } certificate } && !File.Exists(certificate))
            throw new ConfigRefusedException($"{path}: Database:RootCertificate is \"{certificate}\"; there is no such file.");
        CheckSignIn(settings.SignIn, path);
        CheckProxy(settings.Web, path);
        CheckSmtp(settings, path);
        if (settings.Documents.Bucket is { Address.Length: > 0 } bucket && (string.IsNullOrEmpty(bucket.Name) || string.IsNullOrEmpty(bucket.KeyId) || string.IsNullOrEmpty(bucket.Secret)))
            throw new ConfigRefusedException($"{path}: Documents:Bucket:Address is set; Documents:Bucket:Name, :KeyId and :Secret must be, too.");
        if (settings is { Role: Role.BackOffice, Web.BehindProxy: true } && settings.Web.DrainSeconds >= settings.Web.ShutdownSeconds)
            throw new ConfigRefusedException(FormattableString.Invariant($"{path}: Web:DrainSeconds is {settings.Web.DrainSeconds}; it must be less than Web:ShutdownSeconds, which is {settings.Web.ShutdownSeconds}, so that requests in flight have time to end."));
        if (JobEngine.Faults(settings, settings.Role == Role.Async ? HostModule.OptionsOf(settings, listen: true) : null) is [var engine, ..])
            throw new ConfigRefusedException($"{path}: {engine}");
        if (settings.Role != Role.Async)
            return;
        var jobs = settings.Jobs;
        var twice = jobs.Queues.GroupBy(q => q.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
            throw new ConfigRefusedException($"{path}: Jobs:Queues names \"{twice.Key}\" twice; each queue must stand once, most urgent first.");
        var reserved = jobs.Queues.Sum(q => q.ReservedSlots);
        if (reserved >= jobs.Slots)
            throw new ConfigRefusedException(FormattableString.Invariant($"{path}: Jobs:Queues reserve {reserved} slots in all; it must be less than Jobs:Slots, which is {jobs.Slots}."));
        for (var i = 0; i < jobs.Queues.Count; i++)
        {
            if (jobs.Queues[i].MaxSlots != 0 && jobs.Queues[i].MaxSlots < jobs.Queues[i].ReservedSlots)
                throw new ConfigRefusedException(FormattableString.Invariant($"{path}: Jobs:Queues:{i}:MaxSlots is {jobs.Queues[i].MaxSlots}; it must be 0 or at least ReservedSlots, which is {jobs.Queues[i].ReservedSlots}."));
        }

        for (var i = 0; i < jobs.Queues.Count; i++)
        {
            if (jobs.Queues[i].MaxSlots > jobs.Slots)
                throw new ConfigRefusedException(FormattableString.Invariant($"{path}: Jobs:Queues:{i}:MaxSlots is {jobs.Queues[i].MaxSlots}; it must be 0 (no limit) to {jobs.Slots}, which is Jobs:Slots."));
        }

        if (jobs.Queues.Count > MostQueues)
            throw new ConfigRefusedException(FormattableString.Invariant($"{path}: Jobs:Queues has {jobs.Queues.Count} entries; it must have 1 to {MostQueues}."));
        if (jobs.GraceSeconds + SecondsToReturnJobs > settings.Web.ShutdownSeconds)
            throw new ConfigRefusedException(FormattableString.Invariant($"{path}: Jobs:GraceSeconds is {jobs.GraceSeconds}; it must be at least {SecondsToReturnJobs} less than Web:ShutdownSeconds, which is {settings.Web.ShutdownSeconds}, so that jobs can be returned before the process ends."));
        if (HostModule.OptionsOf(settings, listen: true).Validate() is [var fault, ..])
            throw new ConfigRefusedException($"{path}: {fault}");
        try
        {
            HostModule.SchedulesOf(settings);
        }
        catch (Exception wrong) when (wrong is ArgumentException or InvalidOperationException)
        {
            throw new ConfigRefusedException($"{path}: Jobs:Recurring: {wrong.Message.Split(" (Parameter ")[0]}");
        }
    }

    private static Dictionary<string, string?> ReadJson(string path, string full)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(full), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new ConfigRefusedException($"{path}: the file must hold one JSON object.");
            var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
            Add(path, "", document.RootElement, values);
            return values;
        }
        catch (JsonException wrong)
        {
            throw new ConfigRefusedException(FormattableString.Invariant($"{path}: line {wrong.LineNumber + 1} is not JSON ({wrong.Message.Split(". ")[0]})."));
        }
    }

    private static void Add(string path, string key, JsonElement element, Dictionary<string, string?> values)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                if (key.Length > 0)
                    values.TryAdd(key, null);
                foreach (var property in element.EnumerateObject())
                    Add(path, key.Length == 0 ? property.Name : $"{key}:{property.Name}", property.Value, values);
                return;
            case JsonValueKind.Array:
                values.TryAdd(key, null);
                var index = 0;
                foreach (var item in element.EnumerateArray())
                    Add(path, FormattableString.Invariant($"{key}:{index++}"), item, values);
                return;
            default:
                var text = element.ValueKind switch { JsonValueKind.Null => null, JsonValueKind.String => element.GetString(), _ => element.GetRawText() };
                if (!values.TryAdd(key, text))
                    throw new ConfigRefusedException($"{path}: {key} stands twice; each key must stand once.");
                return;
        }
    }

    private static Dictionary<string, string?> Flatten(IConfiguration configuration) =>
        configuration.AsEnumerable().ToDictionary(p => p.Key, p => p.Value, StringComparer.OrdinalIgnoreCase);

    private static Dictionary<string, string?> FromEnvironment(IReadOnlyDictionary<string, string> variables)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in variables)
        {
            if (!name.StartsWith("CAMINO_", StringComparison.Ordinal))
                continue;
            var key = name["CAMINO_".Length..];
            if (key.Contains("__", StringComparison.Ordinal) || !s_notSettings.Any(n => key == n || key.StartsWith(n + "_", StringComparison.Ordinal)))
                values[key.Replace("__", ":", StringComparison.Ordinal)] = value;
        }

        return values;
    }

    private static bool PasswordIn(string source, string key, string connectionString)
    {
        try
        {
            return !string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(connectionString).Password);
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw new ConfigRefusedException($"{source}: {key} is not a connection string that Npgsql understands ({wrong.Message.Split('\n')[0]}); it must be like Host=...;Database=...;Username=....");
        }
    }

    private static string Shown(string? value) => value is null ? "" : value.Length <= 100 ? value : value[..100] + "...";

    private static string Nearest(string key, Role? role) =>
        Setting.All.Where(s => role is null || s.OnlyFor is null || s.OnlyFor == role).SelectMany(s => WithGroups(s.Path)).MinBy(path => Distance(path.ToUpperInvariant(), key.ToUpperInvariant()))?.Replace(":#", ":0", StringComparison.Ordinal) ?? "Role";

    /// <summary>The path and the groups that it stands in: a group may be mistyped as well.</summary>
    private static IEnumerable<string> WithGroups(string path)
    {
        for (var end = path.Length; end > 0; end = path.LastIndexOf(':', end - 1))
            yield return path[..end];
    }

    /// <summary>Levenshtein: single letters to insert, drop or change.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }

        return row[b.Length];
    }
}
