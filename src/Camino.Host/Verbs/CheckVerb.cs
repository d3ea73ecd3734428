using System.CommandLine;
using System.Globalization;
using Camino.Data;
using Camino.Host.Configuration;
using Camino.Jobs;
using Camino.People;
using Npgsql;

namespace Camino.Host.Verbs;

/// <summary><c>camino check --config A [--config B]</c>: everything that a start would refuse, without starting.</summary>
internal static class CheckVerb
{
    /// <summary>Says how many seconds the orchestrator gives a process to stop before it kills it; left out, it is taken to be a little more than the host needs.</summary>
    private const string OrchestratorVariable = "CAMINO_STOP_SECONDS";

    /// <summary>Seconds that an orchestrator should give beyond Web:ShutdownSeconds.</summary>
    private const int OrchestratorReserve = 10;

    public static Command Create()
    {
        var configs = new Option<string[]>("--config", "-c") { Description = "A configuration file; name both roles' files to check them as a pair.", Arity = new ArgumentArity(1, 2), Required = true };
        var command = new Command("check", "Say everything that a start would refuse, without starting: files, files as a pair, database, schema, connection budget.") { configs };
        command.SetAction((parse, ct) => RunAsync(parse.GetRequiredValue(configs), ct));
        return command;
    }

    private static async Task<int> RunAsync(string[] paths, CancellationToken ct)
    {
        var files = new List<(string Path, HostSettings Settings)>();
        var refused = false;
        foreach (var path in paths)
        {
            try
            {
                files.Add((path, HostConfig.Read(path)));
                Say(true, $"{path}: every key is known and in range; Role is {files[^1].Settings.Role}.");
            }
            catch (ConfigRefusedException refusal)
            {
                refused = true;
                Say(false, refusal.Message);
            }
        }

        if (refused)
            return ConfigRefusedException.ExitCode;
        var well = files.Count < 2 || Pair(files[0], files[1]);
        if (!well)
            return ConfigRefusedException.ExitCode;
        foreach (var (path, settings) in files)
            well &= Stopping(path, settings) & Protected(path, settings) & Record(path, settings.SignIn.BreachedPasswords);
        foreach (var (path, settings) in files)
            well &= await DatabaseAsync(path, settings, files, ct);
        return well ? 0 : 1;
    }

    private static bool Pair((string Path, HostSettings Settings) a, (string Path, HostSettings Settings) b)
    {
        var well = true;
        if (a.Settings.Role == b.Settings.Role)
            well = Say(false, $"{a.Path} and {b.Path}: both say Role {a.Settings.Role}; a pair has one BackOffice and one Async.");
        foreach (var setting in Setting.All.Where(s => s.IsSameInBoth))
        {
            var (inA, inB) = (ValueOf(a.Settings, setting), ValueOf(b.Settings, setting));
            if (!Equals(inA, inB))
                well = Say(false, $"{setting.Path} is \"{inA}\" in {a.Path} and \"{inB}\" in {b.Path}; it must be the same in both.");
        }

        var (databaseA, databaseB) = (Place(a.Settings), Place(b.Settings));
        if (databaseA != databaseB)
            well = Say(false, $"Database:ConnectionString names {databaseA} in {a.Path} and {databaseB} in {b.Path}; both roles need the same database.");
        if (a.Settings.Web.Urls == b.Settings.Web.Urls && IsLoopback(a.Settings.Web.Urls))
            well = Say(false, $"Web:Urls is {a.Settings.Web.Urls} in both files; two processes of one machine need two addresses.");

        var served = (a.Settings.Role == Role.Async ? a : b).Settings.Jobs.Queues.Select(q => q.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var kind in new JobRegistry().AddCaminoKinds().Kinds.Where(k => !served.Contains(k.Queue)))
            well = Say(false, $"Jobs:Queues serves no queue \"{kind.Queue}\", which {kind.Name} needs; its jobs would wait for ever.");
        if (well)
            Say(true, $"{a.Path} and {b.Path} fit together.");
        return well;
    }

    private static async Task<bool> DatabaseAsync(string path, HostSettings settings, List<(string Path, HostSettings Settings)> files, CancellationToken ct)
    {
        try
        {
            await using var source = Database.Connect(settings, "check");
            await using var connection = await source.OpenConnectionAsync(ct);
            Say(true, $"{path}: the database {Place(settings)} answers (PostgreSQL {connection.PostgreSqlVersion.Major}).");
            if (SchemaWindow.Refusal(await SchemaWindow.ReadAsync(connection, ct), path) is { } refusal)
                return Say(false, $"{path}: {refusal}");
            Say(true, $"{path}: the schema is inside the window {SchemaWindow.Oldest} to {SchemaWindow.NewestAccepted}.");
            return await BudgetAsync(connection, files, ct);
        }
        catch (NpgsqlException silent)
        {
            return Say(false, $"{path}: the database {Place(settings)} cannot be reached ({silent.Message}).");
        }
    }

    /// <summary>Jobs have less time than the engine, the engine less than the host, the host less than the orchestrator, so that each can tidy up before the next one kills it.</summary>
    private static bool Stopping(string path, HostSettings settings)
    {
        var host = settings.Web.ShutdownSeconds;
        var orchestrator = Environment.GetEnvironmentVariable(OrchestratorVariable) is { Length: > 0 } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var said) ? said : host + OrchestratorReserve;
        var chain = settings.Role == Role.Async
            ? string.Create(CultureInfo.InvariantCulture, $"jobs {settings.Jobs.GraceSeconds} s < engine {settings.Jobs.GraceSeconds + 10} s <= host {host} s < orchestrator {orchestrator} s")
            : string.Create(CultureInfo.InvariantCulture, $"requests {host} s < orchestrator {orchestrator} s");
        return Say(host < orchestrator, $"{path}: stopping takes {chain}{(host < orchestrator ? "." : $": raise the orchestrator's time to stop (terminationGracePeriodSeconds, stop_grace_period; here {OrchestratorVariable}) above Web:ShutdownSeconds, or lower that.")}");
    }

    private static bool Protected(string path, HostSettings settings)
    {
        var connection = new NpgsqlConnectionStringBuilder(settings.Database.ConnectionString);
        var near = connection.Host is "127.0.0.1" or "localhost" or "::1" || connection.Host?.StartsWith('/') == true;
        var encrypted = settings.Database.Tls != DatabaseTls.AsConnectionString || connection.SslMode is SslMode.Require or SslMode.VerifyCA or SslMode.VerifyFull;
        if (!near && !encrypted)
            Console.WriteLine($"note {path}: the connection to {connection.Host} need not be encrypted; set Database:Tls to Verified (or Required).");
        if (settings is { Role: Role.BackOffice, Keys.Secret: null or "" } && !near)
            Console.WriteLine($"note {path}: Keys:Secret is not set; the keys of cookies stand in the database as they are. Set CAMINO_Keys__Secret or put it into the secrets folder.");
        return true;
    }

    /// <summary>A start does not refuse a record that cannot be read, for only who chooses a password needs it; whoever checks is told.</summary>
    private static bool Record(string path, string? record) =>
        record is not { Length: > 0 } || BreachedPasswords.Fault(record) is not { } fault || Say(false, $"{path}: SignIn:BreachedPasswords is \"{record}\"; {fault}. It must be a file of upper-case SHA-1 hashes in their order, one a line.");

    private static async Task<bool> BudgetAsync(NpgsqlConnection connection, List<(string Path, HostSettings Settings)> files, CancellationToken ct)
    {
        var budget = await ConnectionBudget.AskAsync(connection, [.. files.Select(file => file.Settings)], ct);
        return Say(budget.IsKept, budget.Sentence);
    }

    private static object? ValueOf(HostSettings settings, Setting setting)
    {
        object? value = settings;
        foreach (var name in setting.Path.Split(':'))
            value = value?.GetType().GetProperty(name)?.GetValue(value);
        return value;
    }

    private static string Place(HostSettings settings)
    {
        var connection = new NpgsqlConnectionStringBuilder(settings.Database.ConnectionString);
        return string.Create(CultureInfo.InvariantCulture, $"{connection.Host}:{connection.Port}/{connection.Database}");
    }

    private static bool IsLoopback(string urls) => urls.Contains("//127.", StringComparison.Ordinal) || urls.Contains("//localhost", StringComparison.OrdinalIgnoreCase) || urls.Contains("//[::1]", StringComparison.Ordinal);

    private static bool Say(bool well, string sentence)
    {
        Console.WriteLine($"{(well ? "ok  " : "FAIL")} {sentence}");
        return well;
    }
}
