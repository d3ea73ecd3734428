using System.Diagnostics;
using System.Text;

namespace Camino.Host.Local;

/// <summary>Runs one program of the machine to its end, without a shell and without input, and keeps what it wrote.</summary>
internal static class Tool
{
    /// <param name="start">Program, arguments, folder, environment and user; streams are set here.</param>
    /// <param name="limit">After this long the program and its children are killed.</param>
    /// <exception cref="LocalStartException">The program cannot be started or ran longer than <paramref name="limit"/>.</exception>
    public static async Task<ToolResult> RunAsync(ProcessStartInfo start, TimeSpan limit, CancellationToken ct)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.UseShellExecute = false;

        var output = new StringBuilder();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Keep(output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(output, line.Data);
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception broken)
        {
            throw new LocalStartException($"{start.FileName} cannot be started: {broken.Message}", broken);
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        using var timer = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timer.CancelAfter(limit);
        try
        {
            await process.WaitForExitAsync(timer.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            ct.ThrowIfCancellationRequested();
            throw new LocalStartException($"{start.FileName} did not end within {limit.TotalSeconds:0} seconds.{Environment.NewLine}{output}");
        }

        lock (output)
            return new ToolResult(process.ExitCode, output.ToString().Trim());
    }

    /// <returns>The full path of a program on PATH, or null.</returns>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);

    /// <summary>Adds variables to what the program gets from us, and leaves out those that are null.</summary>
    public static void Set(this ProcessStartInfo start, IReadOnlyDictionary<string, string?> variables)
    {
        foreach (var (name, value) in variables)
        {
            start.Environment.Remove(name);
            if (value is not null)
                start.Environment[name] = value;
        }
    }

    private static void Keep(StringBuilder output, string? line)
    {
        if (line is null)
            return;
        lock (output)
            output.AppendLine(line);
    }
}

/// <param name="ExitCode">0 for success, as programs say it.</param>
/// <param name="Output">Both streams, in the order in which the lines came.</param>
internal sealed record ToolResult(int ExitCode, string Output)
{
    public bool Succeeded => ExitCode == 0;
}
