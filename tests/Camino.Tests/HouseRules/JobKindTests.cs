using System.Reflection;
using Camino.Host.Configuration;
using Camino.Jobs;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>Job arguments lie in rows while releases change: what was enqueued yesterday must be read tomorrow.</summary>
public sealed class JobKindTests
{
    private const string ApprovedFile = "tests/Camino.Tests/HouseRules/JobKinds.approved.txt";

    [Test]
    public void Kinds_and_their_arguments_are_those_that_were_approved()
    {
        var now = new JobRegistry().AddCaminoKinds().Kinds.Select(Line).Order(StringComparer.Ordinal).ToList();
        var approved = File.ReadAllLines(Path.Combine(House.Root, ApprovedFile)).Where(line => line.Length > 0 && !line.StartsWith('#'));

        Assert.That(
            now,
            Is.EqualTo(approved),
            $"Rows of the last release hold these kinds and arguments. Adding a kind, or an argument that may be missing, is safe: write the lines as they are now into {ApprovedFile}. "
            + $"Renaming, removing or changing a type is not: add a new kind, or an alias, and keep the old one until no row has it.\nNow:\n{string.Join('\n', now)}");
    }

    [Test]
    public void Every_kind_has_a_queue_that_the_Async_Server_serves()
    {
        var served = HostConfig.Read(Path.Combine(House.Root, "appsettings.Async.json"), new Dictionary<string, string>()).Jobs.Queues.Select(queue => queue.Name);

        Assert.That(new JobRegistry().AddCaminoKinds().Kinds.Select(kind => kind.Queue).Distinct(), Is.SubsetOf(served));
    }

    [Test]
    public void Every_kind_has_a_handler() =>
        Assert.That(new JobRegistry().AddCaminoKinds().Kinds.Where(kind => kind.HandlerType is null).Select(kind => kind.Name), Is.Empty);

    [TestCase("Texts.resx")]
    [TestCase("Texts.es.resx")]
    public void Every_kind_has_a_name_that_staff_understand(string file)
    {
        var texts = File.ReadAllText(Path.Combine(House.Root, "src/Camino/Resources", file));

        Assert.That(new JobRegistry().AddCaminoKinds().Kinds.Select(kind => kind.Name).Where(name => !texts.Contains($"\"JobKind.{name}\"", StringComparison.Ordinal)), Is.Empty);
    }

    /// <summary>kind (old names) version queue: argument type, ...</summary>
    private static string Line(JobKind kind)
    {
        var arguments = kind.ArgsType.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .OrderBy(property => property.Name, StringComparer.Ordinal)
            .Select(property => $"{property.Name} {(Nullable.GetUnderlyingType(property.PropertyType) is { } inner ? inner.Name + "?" : property.PropertyType.Name)}");
        var aliases = kind.Aliases.Count == 0 ? "" : $" (was {string.Join(", ", kind.Aliases)})";
        return $"{kind.Name}{aliases} v{kind.Version} {kind.Queue}: {string.Join(", ", arguments)}".TrimEnd();
    }
}
