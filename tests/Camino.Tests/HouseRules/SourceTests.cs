using System.Diagnostics;
using System.Text.RegularExpressions;
using Camino.Host.Local;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>What the checkout may hold, read as text.</summary>
public sealed class SourceTests
{
    private const int LongestFile = 600;

    /// <summary>From the house plan; dot-files are welcome beside them.</summary>
    private static readonly string[] TopLevel =
    [
        "README.md", "Camino.sln", "camino", "appsettings.BackOffice.json", "appsettings.Async.json", "azure-pipelines.yml", "deploy", "docs", "src", "tests",
        "Directory.Build.props", "Directory.Packages.props", "LICENSE",
    ];

    private static readonly string[] Needed = ["README.md", "Camino.sln", "camino", "appsettings.BackOffice.json", "appsettings.Async.json", "src", "tests", "docs", "LICENSE"];

    [Test]
    public void The_top_level_holds_what_the_house_plan_says_and_nothing_else()
    {
        var there = Directory.GetFileSystemEntries(House.Root).Select(path => Path.GetFileName(path)).Where(name => !name.StartsWith('.') && name != "artifacts").ToList();

        Assert.That(there.Except(TopLevel, StringComparer.Ordinal), Is.Empty);
        Assert.That(Needed.Except(there, StringComparer.Ordinal), Is.Empty);
    }

    [Test]
    public void No_source_file_is_too_long_to_read_at_once()
    {
        var tooLong = House.Files("src", ".cs", ".cshtml", ".js", ".css")
            .Where(file => !House.Short(file).Contains("/Migrations/", StringComparison.Ordinal))
            .Select(file => (File: House.Short(file), Lines: File.ReadLines(file).Count()))
            .Where(file => file.Lines > LongestFile);

        Assert.That(tooLong, Is.Empty, $"Split what has more than {LongestFile} lines.");
    }

    [Test]
    public void Nothing_is_left_for_later_slept_over_or_silenced()
    {
        // put together here, so that this file does not match itself
        var words = new Regex(string.Join('|', @"\bTO" + "DO", @"\bFIX" + "ME", "NotImplemented" + "Exception", @"Thread\." + "Sleep", "#pragma" + " warning disable"), RegexOptions.None, TimeSpan.FromSeconds(5));

        var found = House.Files("src", ".cs", ".cshtml", ".js", ".css", ".csproj").Concat(House.Files("tests", ".cs", ".csproj"))
            .Where(file => !House.Short(file).Contains("/Migrations/", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(file).Where(line => words.IsMatch(line)).Select(line => $"{House.Short(file)}: {line.Trim()}"));

        Assert.That(found, Is.Empty);
    }

    [Test]
    public void Lock_files_hold_no_download_address()
    {
        var files = House.Files("src", ".json").Concat(House.Files("tests", ".json")).Where(file => Path.GetFileName(file) is "packages.lock.json" or "package-lock.json").ToList();

        Assert.That(files, Is.Not.Empty);
        Assert.That(files.Where(file => File.ReadAllText(file).Contains("://", StringComparison.Ordinal)).Select(House.Short), Is.Empty);
    }

    [Test]
    public void Every_project_has_its_lock_file() =>
        Assert.That(House.Files("", ".csproj").Where(file => !File.Exists(Path.Combine(Path.GetDirectoryName(file) ?? "", "packages.lock.json"))).Select(House.Short), Is.Empty);

    /// <summary>
    /// Two of the three parts of <c>dotnet format</c>; spaces are a matter of the text alone, so that no project is opened for them. The third, analyzers, is the build's: it runs them all and
    /// their warnings are errors there, so a second time would only cost minutes.
    /// </summary>
    [TestCase("whitespace . --folder --exclude artifacts .camino")]
    [TestCase("style Camino.sln --no-restore")]
    [Category("Format")]
    [CancelAfter(600_000)]
    public async Task The_formatter_would_change_nothing(string part, CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet", ["format", .. part.Split(' '), "--verify-no-changes"]) { WorkingDirectory = House.Root };
        foreach (var variable in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name is "DOTNET_CLI_TELEMETRY_SESSIONID").ToList())
            start.Environment.Remove(variable);

        var ended = await Tool.RunAsync(start, TimeSpan.FromMinutes(9), ct);

        Assert.That(ended.ExitCode, Is.Zero, ended.Output + "\nRun: dotnet format Camino.sln");
    }

    [Test]
    public void Warnings_of_analyzers_and_style_are_errors_of_the_build() =>
        Assert.That(File.ReadAllText(Path.Combine(House.Root, "Directory.Build.props")), Does.Contain("<TreatWarningsAsErrors>true</TreatWarningsAsErrors>").And.Contain("<EnforceCodeStyleInBuild>true</EnforceCodeStyleInBuild>"));
}
