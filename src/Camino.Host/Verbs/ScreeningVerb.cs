using System.CommandLine;
using Camino.Host.Configuration;
using Camino.Screening;

namespace Camino.Host.Verbs;

/// <summary><c>camino screening import FOLDER</c>: takes OFAC's files in, as the recurring job does.</summary>
internal static class ScreeningVerb
{
    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("FOLDER") { Description = "A folder with sdn.csv, alt.csv, add.csv, sdn_comments.csv, cons_prim.csv, cons_alt.csv, cons_add.csv and cons_comments.csv." };
        var data = Options.Data();
        var config = Options.Config();
        var import = new Command("import", "Take a version of the sanctions lists in; when it changes something, every borrower is screened again.") { folder, data, config };
        import.SetAction((parse, ct) => ImportAsync(parse.GetRequiredValue(folder), parse.GetValue(config) is { } file ? HostConfig.Read(file) : VerbServices.OfRunning(parse.GetRequiredValue(data)), ct));
        return new Command("screening", "Sanctions lists.") { import };
    }

    private static async Task<int> ImportAsync(DirectoryInfo folder, HostSettings settings, CancellationToken ct)
    {
        var lists = await ListFiles.FromFolderAsync(folder.FullName, ct);
        await using var services = await VerbServices.BuildAsync(settings, "screening", ct);
        await using var scope = services.CreateAsyncScope();
        var result = await scope.ServiceProvider.GetRequiredService<ImportLists>().RunAsync(lists, null, ct);
        Console.WriteLine(result.IsNew
            ? FormattableString.Invariant($"List {result.Number} is in force: {result.Counts.Entries} entries, {result.Counts.OtherNames} other names, {result.Counts.Addresses} addresses; {result.Added} added, {result.Removed} removed, {result.Changed} changed. The book is being screened.")
            : FormattableString.Invariant($"List {result.Number} holds these files already; nothing was changed."));
        return 0;
    }
}
