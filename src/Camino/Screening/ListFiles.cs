using System.Security.Cryptography;
using Camino.Lending;
using Camino.Lending.Screening;

namespace Camino.Screening;

/// <summary>Both lists as they were read, with the hash of all their bytes.</summary>
/// <param name="Source">Where they came from, for people: a folder or an address.</param>
public sealed record ReadLists(string Source, byte[] Hash, IReadOnlyList<ListedParty> Parties, OfacCounts Counts);

/// <summary>Gets the eight files of OFAC from a folder or an address.</summary>
public static class ListFiles
{
    private static readonly string[] s_sdn = ["sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv"];
    private static readonly string[] s_consolidated = ["cons_prim.csv", "cons_alt.csv", "cons_add.csv", "cons_comments.csv"];

    /// <summary>One client for the life of the process, as the framework wants it.</summary>
    private static readonly HttpClient s_client = new() { Timeout = TimeSpan.FromMinutes(5), MaxResponseContentBufferSize = OfacFiles.LargestFile };

    /// <summary>Reads a folder.</summary>
    /// <exception cref="RefusedException"><c>ofac.file_missing</c> and what <see cref="OfacFiles"/> refuses.</exception>
    public static async Task<ReadLists> FromFolderAsync(string folder, CancellationToken ct)
    {
        var files = new List<OfacFile>();
        foreach (var name in s_sdn.Concat(s_consolidated))
        {
            var path = new FileInfo(Path.Combine(folder, name));
            Refuse.If(!path.Exists, "ofac.file_missing", $"There is no file {name} in {folder}; all eight files of the two lists are needed.");
            Refuse.If(path.Length > OfacFiles.LargestFile, "ofac.too_large", $"{name} has {path.Length} bytes; the limit is {OfacFiles.LargestFile}.");
            files.Add(new OfacFile(name, await File.ReadAllBytesAsync(path.FullName, ct)));
        }

        return Of(folder, files);
    }

    /// <summary>Fetches the files: those of the SDN list below the address, those of the consolidated list below its folder <c>consolidated</c>.</summary>
    /// <exception cref="HttpRequestException">the other side does not answer as it should; the job tries again.</exception>
    public static async Task<ReadLists> FromAddressAsync(Uri address, CancellationToken ct)
    {
        var root = new Uri(address.AbsoluteUri.TrimEnd('/') + "/");
        var files = new List<OfacFile>();
        foreach (var name in s_sdn)
            files.Add(new OfacFile(name, await s_client.GetByteArrayAsync(new Uri(root, name), ct)));
        foreach (var name in s_consolidated)
            files.Add(new OfacFile(name, await s_client.GetByteArrayAsync(new Uri(root, "consolidated/" + name), ct)));
        return Of(root.Host, files);
    }

    /// <summary>Reads the eight files of both lists, in the order in which they are fetched.</summary>
    internal static ReadLists Of(string source, List<OfacFile> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
            hash.AppendData(file.Bytes.Span);
        var sdn = OfacFiles.Read(new OfacFileSet("sdn", files[0], files[1], files[2], files[3]));
        var consolidated = OfacFiles.Read(new OfacFileSet("cons", files[4], files[5], files[6], files[7]));
        return new ReadLists(source, hash.GetHashAndReset(), [.. sdn.Parties, .. consolidated.Parties], new OfacCounts(
            sdn.Counts.Entries + consolidated.Counts.Entries, sdn.Counts.OtherNames + consolidated.Counts.OtherNames, sdn.Counts.Addresses + consolidated.Counts.Addresses, sdn.Counts.Comments + consolidated.Counts.Comments));
    }
}
