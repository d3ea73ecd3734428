using System.Diagnostics;
using System.Text;
using Camino.Host.Local;
using NUnit.Framework;

namespace Camino.Deploy.Tests;

/// <summary>The checkout, the shared schemas beside it, and programs of the machine.</summary>
internal static class Place
{
    /// <summary>Only a program that hangs reaches it.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    public static string Root
    {
        get
        {
            if (Repository.Root is null)
                Assert.Ignore("The build runs outside a checkout.");
            return Repository.Root ?? "";
        }
    }

    public static string File(string relative) => Path.Combine(Root, relative);

    public static string Text(string relative) => System.IO.File.ReadAllText(File(relative));

    /// <summary>Files below a folder of the checkout, as paths within it.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(File(folder), pattern, SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/')).Order(StringComparer.Ordinal);

    /// <summary>A file or folder of the shared schemas; the test is passed over where that folder is not there.</summary>
    public static string Schemas(string relative)
    {
        var path = Path.Combine(Root, "..", "shared", "schemas", relative);
        if (!Path.Exists(path))
            Assert.Ignore($"The shared schema {relative} is not here; it belongs in the folder shared/schemas beside the repository.");
        return path;
    }

    /// <summary>The program's path, or null when the machine has none.</summary>
    public static string? Program(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)).FirstOrDefault(System.IO.File.Exists);

    /// <summary>Passes the test over where the machine lacks a program.</summary>
    public static void Needs(params string[] programs)
    {
        foreach (var program in programs.Where(program => Program(program) is null))
            Assert.Ignore($"There is no {program} on this machine.");
    }

    /// <summary>Runs a program to its end, with nothing of this process's Camino settings.</summary>
    public static async Task<Ended> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? variables = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder ?? Root, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("CAMINO_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = new Process { StartInfo = start };
        var (output, error) = (new StringBuilder(), new StringBuilder());
        process.OutputDataReceived += (_, line) => output.AppendLine(line.Data);
        process.ErrorDataReceived += (_, line) => error.AppendLine(line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(Limit);
        // the exit, not the end of the output: a server that a script started keeps the pipe open
        while (!process.HasExited)
            await process.WaitForExitAsync(limit.Token);
        return new Ended(process.ExitCode, output.ToString().Trim(), error.ToString().Trim());
    }
}

/// <summary>What a program left behind.</summary>
internal sealed record Ended(int Code, string Output, string Error)
{
    public override string ToString() => $"exit code {Code}\n{Output}\n{Error}";
}
