using System.CommandLine;
using Camino.Host.Configuration;
using Camino.Host.Local;
using Camino.Host.Verbs;
using Camino.Lending;
using Npgsql;

namespace Camino.Host;

/// <summary>The one executable: every verb of <c>camino</c>.</summary>
public static class Program
{
    /// <summary>0 done, 1 failed or refused (the database gone among them), 78 the configuration is refused, 130 stopped by Ctrl-C.</summary>
    public static async Task<int> Main(string[] args)
    {
        var root = new RootCommand("Camino, the back office of a small-business lender. One executable; the configuration file says which role it takes.")
        {
            RunVerb.Create(),
            CheckVerb.Create(),
            SettingsVerb.Create(),
            MigrateVerb.Create(),
            ProbeVerb.Create(),
            VersionVerb.Create(),
            ReleaseVerb.Create(),
            BackupVerb.Create(),
            RestoreVerb.Create(),
            ManifestVerb.Create(),
            SmokeVerb.Create(),
            ImportVerb.Create(),
            QuoteVerb.Create(),
            JobsVerb.Create(),
            AuditVerb.Create(),
            ScreeningVerb.Create(),
            SandboxVerb.Create(),
            UserVerb.Create(),
            ClientVerb.Create(),
            BranchVerb.Create(),
            WebhookVerb.Create(),
            SeedDemoVerb.Create(),
            FirstAdminLinkVerb.Create(),
            Up.Create(),
        };
        try
        {
            // Ctrl-C and SIGTERM are the host's and the verbs' own business: the library's handler would end the process after 2 s
            return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (ConfigRefusedException refused)
        {
            await Console.Error.WriteLineAsync(refused.Message);
            return ConfigRefusedException.ExitCode;
        }
        catch (RefusedException refused)
        {
            await Console.Error.WriteLineAsync($"{refused.Message} ({refused.Code})");
            return 1;
        }
        catch (PostgresException said)
        {
            await Console.Error.WriteLineAsync($"The database refused: {said.MessageText} ({said.SqlState}).");
            return 1;
        }
        catch (NpgsqlException silent)
        {
            await Console.Error.WriteLineAsync($"The database of Database:ConnectionString cannot be reached ({silent.Message}).");
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }
}
