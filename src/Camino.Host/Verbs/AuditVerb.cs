using System.CommandLine;
using Camino.Audit;
using Camino.Host.Configuration;

namespace Camino.Host.Verbs;

/// <summary><c>camino audit verify</c>: proves that nobody changed or removed what the audit trail says.</summary>
internal static class AuditVerb
{
    public static Command Create()
    {
        var config = Options.Config();
        var data = Options.Data();
        var verify = new Command("verify", "Reckon every hash of the audit trail anew; say which row was tampered with.") { config, data };
        verify.SetAction((parse, ct) => VerifyAsync(parse.GetValue(config) is { } file ? HostConfig.Read(file) : VerbServices.OfRunning(parse.GetRequiredValue(data)), ct));
        return new Command("audit", "Prove the audit trail.") { verify };
    }

    private static async Task<int> VerifyAsync(HostSettings settings, CancellationToken ct)
    {
        await using var source = Database.Connect(settings, "audit");
        var verdict = await new VerifyAudit(source).RunAsync(ct);
        if (verdict.Fault is { } fault)
        {
            await Console.Error.WriteLineAsync(fault);
            return 1;
        }

        Console.WriteLine(FormattableString.Invariant($"The audit trail is whole: {verdict.Entries} entries about {verdict.Streams} subjects; {verdict.Older} entries are older than the chain and not covered."));
        return 0;
    }
}
