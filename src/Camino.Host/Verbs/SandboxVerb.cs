using System.CommandLine;
using Camino.Host.Sandbox;

namespace Camino.Host.Verbs;

/// <summary><c>camino sandbox</c>: invented outside services for trying things out, on the loopback address only.</summary>
internal static class SandboxVerb
{
    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "Port on the loopback address; 0 takes any free one.", DefaultValueFactory = _ => 8090 };
        var seed = new Option<int>("--seed") { Description = "The same seed: the same reports, errors and times.", DefaultValueFactory = _ => 1 };
        var milliseconds = new Option<int>("--milliseconds") { Description = "Median time of an answer.", DefaultValueFactory = _ => 40 };
        var errors = new Option<double>("--errors") { Description = "Share of questions answered 500, 0 to 1." };
        var wrong = new Option<double>("--wrong") { Description = "Share of questions answered with nonsense, 0 to 1." };
        var perSecond = new Option<int>("--per-second") { Description = "Questions a second before 429; 0: as many as come." };
        var command = new Command("sandbox", "Invented business registry, credit bureau and other services, until Ctrl-C; for trying things out.") { port, seed, milliseconds, errors, wrong, perSecond };
        command.Validators.Add(result =>
        {
            foreach (var share in new[] { errors, wrong })
            {
                if (result.GetValue(share) is < 0 or > 1)
                    result.AddError($"{share.Name} is {result.GetValue(share)}; it must be 0 to 1.");
            }

            if (result.GetValue(port) is < 0 or > 65_535)
                result.AddError($"--port {result.GetValue(port)} is not a port; it must be 0 to 65535.");
            if (result.GetValue(milliseconds) is < 0 or > 60_000)
                result.AddError($"--milliseconds is {result.GetValue(milliseconds)}; it must be 0 to 60000.");
        });
        command.SetAction(async (parse, ct) =>
        {
            var behaviour = new SandboxBehaviour(parse.GetValue(seed), parse.GetValue(milliseconds), parse.GetValue(errors), parse.GetValue(wrong), parse.GetValue(perSecond));
            await using var app = SandboxHost.Build(FormattableString.Invariant($"http://127.0.0.1:{parse.GetValue(port)}"), behaviour);
            await app.StartAsync(ct);
            Console.WriteLine($"The sandbox answers at {app.Urls.First()}; all that it says is invented. Ctrl-C stops it.");
            using var parent = RoleProcess.WatchParent(app.Lifetime);
            await app.WaitForShutdownAsync(ct);
            return 0;
        });
        return command;
    }
}
