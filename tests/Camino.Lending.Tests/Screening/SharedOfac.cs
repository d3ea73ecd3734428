using Camino.Lending.Screening;

namespace Camino.Lending.Tests.Screening;

/// <summary>The published lists in the folder shared/data beside the repository; tests that need them are passed over where it is not.</summary>
internal static class SharedOfac
{
    private static readonly Lazy<WatchList> s_list = new(() => new WatchList(Sdn().Parties.Concat(Consolidated().Parties)));

    /// <summary>Both lists, ready to be searched.</summary>
    public static WatchList List => s_list.Value;

    public static OfacContents Sdn() => OfacFiles.Read(new OfacFileSet("sdn", File("sdn.csv"), File("alt.csv"), File("add.csv"), File("sdn_comments.csv")));

    public static OfacContents Consolidated() => OfacFiles.Read(new OfacFileSet("cons", File("cons_prim.csv"), File("cons_alt.csv"), File("cons_add.csv"), File("cons_comments.csv")));

    public static OfacFile File(string name) => new(name, System.IO.File.ReadAllBytes(Shared("ofac/" + name)));

    public static string Shared(string relative)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !System.IO.File.Exists(Path.Combine(root.FullName, "Camino.sln")))
            root = root.Parent;

        var path = Path.Combine(root?.FullName ?? ".", "..", "shared", "data", relative);
        if (!System.IO.File.Exists(path))
            Assert.Ignore($"The shared data file {relative} is not here; it belongs in the folder shared/data beside the repository.");
        return path;
    }
}
