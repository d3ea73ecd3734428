using System.CommandLine;
using Camino.Data;

namespace Camino.Host.Verbs;

/// <summary><c>camino version</c>.</summary>
internal static class VersionVerb
{
    public static Command Create()
    {
        var command = new Command("version", "Print the release, its commit and the schema versions that it works on.");
        command.SetAction(_ =>
        {
            Console.WriteLine(FormattableString.Invariant($"camino {Release.Name}, release {Release.Number}"));
            Console.WriteLine(FormattableString.Invariant($"schema {SchemaWindow.Newest} (works on {SchemaWindow.Oldest} to {SchemaWindow.NewestAccepted})"));
            Console.WriteLine($"runtime {System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}");
            return 0;
        });
        return command;
    }
}
