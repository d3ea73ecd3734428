using System.Buffers;
using System.CommandLine;
using Camino.Lending.Quotes;

namespace Camino.Host.Verbs;

/// <summary><c>camino quote WHAT</c>: the calculator at the command line; JSON lines in, JSON lines out, in the same order.</summary>
internal static class QuoteVerb
{
    /// <summary>Bytes read at once: what is there already is worked together, a person who types gets each answer at once.</summary>
    private const int BlockSize = 64 * 1024;

    /// <summary>Blocks that are worked side by side; their answers wait for their turn.</summary>
    private static readonly int _ahead = Math.Clamp(Environment.ProcessorCount * 2, 2, 16);

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
        await using var input = Console.OpenStandardInput();
        await using var output = Console.OpenStandardOutput();
        var answers = new Queue<Task<QuoteAnswers>>();
        var buffer = new ArrayBufferWriter<byte>(BlockSize);
        var isFirst = true;
        var reading = input.ReadAsync(buffer.GetMemory(BlockSize), ct).AsTask();
        while (true)
        {
            if (answers.Count > 0 && (answers.Count >= _ahead || !reading.IsCompleted))
            {
                // What is ready goes out at once, and before more than a few blocks are under way.
                if (answers.Count < _ahead && await Task.WhenAny(reading, answers.Peek()) == reading)
                    continue;
                await WriteAsync(output, answers.Dequeue(), ct);
                continue;
            }

            var read = await reading;
            if (read == 0)
                break;
            buffer.Advance(read);
            if (isFirst && buffer.WrittenSpan.StartsWith("\uFEFF"u8))
                buffer = From(buffer.WrittenSpan[3..]);
            isFirst = false;
            var whole = buffer.WrittenSpan.LastIndexOf((byte)'\n') + 1;
            if (whole > 0)
            {
                var lines = buffer.WrittenMemory[..whole];
                buffer = From(buffer.WrittenSpan[whole..]);
                answers.Enqueue(Task.Run(() => Quote.AnswerLines(what, lines), ct));
            }

            reading = input.ReadAsync(buffer.GetMemory(BlockSize), ct).AsTask();
        }

        var last = buffer.WrittenMemory;
        answers.Enqueue(Task.Run(() => Quote.AnswerLines(what, last), ct));
        while (answers.Count > 0)
            await WriteAsync(output, answers.Dequeue(), ct);
        return 0;
    }

    private static async Task WriteAsync(Stream output, Task<QuoteAnswers> answering, CancellationToken ct)
    {
        using var answers = await answering;
        if (!answers.Utf8.IsEmpty)
            await output.WriteAsync(answers.Utf8, ct);
    }

    private static ArrayBufferWriter<byte> From(ReadOnlySpan<byte> bytes)
    {
        var buffer = new ArrayBufferWriter<byte>(bytes.Length + BlockSize);
        buffer.Write(bytes);
        return buffer;
    }
}
