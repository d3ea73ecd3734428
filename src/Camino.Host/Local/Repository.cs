namespace Camino.Host.Local;

/// <summary>The checkout that the running build was made from: `camino up` and the tests take the two role files and the PostgreSQL package list from it.</summary>
public static class Repository
{
    /// <summary>The folder that holds Camino.sln, or null when the build runs outside a checkout (in the image).</summary>
    public static string? Root { get; } = Above(AppContext.BaseDirectory) ?? Above(Directory.GetCurrentDirectory());

    /// <summary>The data folder of `camino up`, and of what works on its data, when none is named: in the checkout, else in the current folder.</summary>
    public static string DefaultDataFolder => Path.Combine(Root ?? Directory.GetCurrentDirectory(), ".camino");

    private static string? Above(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Camino.sln")))
                return folder.FullName;
        }

        return null;
    }
}
