using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>docs/security.md against what it names.</summary>
public sealed partial class SecurityDocumentTests
{
    /// <summary>Requirements of levels 1 and 2 of the standard in its version 5.0.0.</summary>
    private const int Requirements = 253;

    private static string Text => File.ReadAllText(Path.Combine(House.Root, "docs/security.md"));

    [Test]
    public void Every_test_that_it_names_is_there()
    {
        var files = House.Files("tests", ".cs").ToLookup(file => Path.GetFileNameWithoutExtension(file), StringComparer.Ordinal);
        var named = TestName().Matches(Text).Select(match => (Class: match.Groups["class"].Value, Sentence: match.Groups["sentence"].Value)).Distinct().ToList();

        Assert.That(named, Has.Count.GreaterThan(80));
        Assert.That(named.Where(one => !files[one.Class].Any(file => Regex.IsMatch(File.ReadAllText(file), $@"\b(Task|void) {one.Sentence}\(", RegexOptions.None, TimeSpan.FromSeconds(1)))), Is.Empty);
    }

    [Test]
    public void Every_file_that_it_names_is_there()
    {
        var named = FileName().Matches(Text).Select(match => match.Groups["file"].Value).Distinct().ToList();

        Assert.That(named, Has.Count.GreaterThan(30));
        Assert.That(named.Where(file => !Path.Exists(Path.Combine(House.Root, file))), Is.Empty);
    }

    [Test]
    public void Each_requirement_stands_once_with_its_verdict_and_the_sums_are_right()
    {
        var lines = Line().Matches(Text).ToList();
        string Sum(string verdict) => lines.Count(line => line.Groups["verdict"].Value == verdict).ToString(CultureInfo.InvariantCulture);

        Assert.That(lines.Select(line => line.Groups["number"].Value), Is.Unique);
        Assert.That(lines, Has.Count.EqualTo(Requirements));
        Assert.That(Text, Does.Contain($"**{Sum("Held")} held, {Sum("Not held")} not held, {Sum("Does not apply")} do not apply**, of {Requirements}."));
        Assert.That(lines.Where(line => line.Groups["verdict"].Value == "Held" && line.Groups["why"].Value.Length < 10).Select(line => line.Value), Is.Empty);
    }

    [GeneratedRegex(@"`(?<class>\w+Tests)\.(?<sentence>\w+)`", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex TestName();

    [GeneratedRegex("`(?<file>(src|deploy|docs|tests)/[^` ]+)`", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex FileName();

    [GeneratedRegex(@"^\| (?<number>\d+\.\d+\.\d+) \| [12] \| [^|]+ \| \*\*(?<verdict>Held|Not held|Does not apply)\*\*: (?<why>[^|]+) \|$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1_000)]
    private static partial Regex Line();
}
