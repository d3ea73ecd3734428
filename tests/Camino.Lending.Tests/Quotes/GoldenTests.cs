using Camino.Lending.Quotes;

namespace Camino.Lending.Tests.Quotes;

/// <summary>The same terms give the same answer for ever: a change of a golden file is a change of what borrowers were promised.</summary>
public class GoldenTests
{
    public static IEnumerable<TestCaseData> Lines() => Quote.Kinds.SelectMany(LinesOf);

    [TestCaseSource(nameof(Lines))]
    public void The_answer_is_the_one_on_file(string what, string asked, string answered) => Assert.That(Quote.Answer(what, asked), Is.EqualTo(answered));

    private static IEnumerable<TestCaseData> LinesOf(string what)
    {
        var folder = Path.Combine(TestContext.CurrentContext.TestDirectory, "Golden");
        var asked = File.ReadAllLines(Path.Combine(folder, $"{what}.in.jsonl"));
        var answered = File.ReadAllLines(Path.Combine(folder, $"{what}.out.jsonl"));
        Assert.That(answered, Has.Length.EqualTo(asked.Length), $"{what}: a question without an answer");
        for (var i = 0; i < asked.Length; i++)
            yield return new TestCaseData(what, asked[i], answered[i]).SetArgDisplayNames($"{what} {i + 1}");
    }
}
