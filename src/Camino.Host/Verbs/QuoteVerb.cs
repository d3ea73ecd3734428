using System.CommandLine;
using System.Text;
using Camino.Lending.Quotes;

namespace Camino.Host.Verbs;

/// <summary><c>camino quote WHAT</c>: the calculator at the command line; JSON lines in, JSON lines out, in the same order.</summary>
internal static class QuoteVerb
{
    /// <summary>Lines that are worked side by side.</summary>
    private const int Batch = 512;

    public static Command Create()
    {
        var what = new Argument<string>("WHAT") { Description = $"{string.Join(", ", Quote.Kinds)}." };
        what.AcceptOnlyFromAmong([.. Quote.Kinds]);
        var command = new Command("quote", "Answer one JSON object a line from standard input with one a line on standard output, in the same order.") { what };
        command.SetAction((parse, ct) => RunAsync(parse.GetRequiredValue(what), ct));
        return command;
    }

    private static async Task<int> RunAsync(string what, CancellationToken ct)
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        using var input = new StreamReader(Console.OpenStandardInput(), utf8, detectEncodingFromByteOrderMarks: true, bufferSize: 64 * 1024);
        await using var output = new StreamWriter(Console.OpenStandardOutput(), utf8, bufferSize: 64 * 1024);
        var lines = new List<string>(Batch);
        var answers = new string[Batch];
        var reading = input.ReadLineAsync(ct).AsTask();
        while (await reading is { } first)
        {
            lines.Clear();
            lines.Add(first);
            reading = input.ReadLineAsync(ct).AsTask();
            // what is there already is worked together; a person who types gets each answer at once
            while (lines.Count < Batch && reading.IsCompletedSuccessfully && await reading is { } next)
            {
                lines.Add(next);
                reading = input.ReadLineAsync(ct).AsTask();
            }

            if (lines.Count == 1)
                answers[0] = AnswerOf(what, lines[0]);
            else
                Parallel.For(0, lines.Count, new ParallelOptions { CancellationToken = ct }, i => answers[i] = AnswerOf(what, lines[i]));
            for (var i = 0; i < lines.Count; i++)
            {
                if (answers[i].Length > 0)
                    await output.WriteLineAsync(answers[i]);
            }

            if (!reading.IsCompleted)
                await output.FlushAsync(ct);
        }

        return 0;
    }

    /// <summary>An empty line asks nothing and gets nothing.</summary>
    private static string AnswerOf(string what, string line) => string.IsNullOrWhiteSpace(line) ? "" : Quote.Answer(what, line);
}
