using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Camino.Tests.Servicing;

/// <summary>Finds in source what refusals say: every sentence given to <c>Refuse.If</c>, to an exception of refusal or to one that puts a job off, with {0} where a value stands.</summary>
internal static partial class RefusalSentences
{
    /// <summary>Patterns of the sentences in one file.</summary>
    public static IEnumerable<string> In(string source)
    {
        var code = Remark().Replace(source, "");
        foreach (Match call in Call().Matches(code))
        {
            var arguments = Arguments(code, call.Index + call.Length);
            var sentence = arguments[call.Groups["rule"].Success ? 2 : 1];
            if (sentence.StartsWith('"') || sentence.StartsWith("$\"", StringComparison.Ordinal))
                yield return Literal(sentence, 0).Pattern;
        }
    }

    private static List<string> Arguments(string code, int at)
    {
        var arguments = new List<string>();
        var argument = new StringBuilder();
        var depth = 0;
        while (true)
        {
            var end = at + 1;
            if (IsLiteral(code, at))
            {
                end = Literal(code, at).End;
            }
            else if (code[at] == '\'')
            {
                end = code.IndexOf('\'', code[at + 1] == '\\' ? at + 3 : at + 1) + 1;
            }
            else if (code[at] is '(' or '[' or '{')
            {
                depth++;
            }
            else if (code[at] is ')' or ']' or '}' && depth-- == 0)
            {
                arguments.Add(argument.ToString().Trim());
                return arguments;
            }
            else if (code[at] == ',' && depth == 0)
            {
                arguments.Add(argument.ToString().Trim());
                argument.Clear();
                at = end;
                continue;
            }

            argument.Append(code, at, end - at);
            at = end;
        }
    }

    /// <summary>The text of a literal, its values numbered, and where it ends.</summary>
    private static (string Pattern, int End) Literal(string code, int at)
    {
        var hasValues = code[at] == '$';
        at += hasValues ? 2 : 1;
        var pattern = new StringBuilder();
        var values = 0;
        while (code[at] != '"')
        {
            if (code[at] == '\\')
            {
                pattern.Append(code[at + 1]);
                at += 2;
            }
            else if (hasValues && code[at] == '{' && code[at + 1] != '{')
            {
                at = EndOfValue(code, at + 1);
                pattern.Append(CultureInfo.InvariantCulture, $"{{{values++}}}");
            }
            else if (code[at] is '{' or '}')
            {
                pattern.Append(code[at], 2);
                at += hasValues ? 2 : 1;
            }
            else
            {
                pattern.Append(code[at++]);
            }
        }

        return (pattern.ToString(), at + 1);
    }

    private static int EndOfValue(string code, int at)
    {
        for (var depth = 1; depth > 0;)
        {
            if (IsLiteral(code, at))
            {
                at = Literal(code, at).End;
                continue;
            }

            depth += code[at] switch { '{' => 1, '}' => -1, _ => 0 };
            at++;
        }

        return at;
    }

    private static bool IsLiteral(string code, int at) => code[at] == '"' || (code[at] == '$' && code[at + 1] == '"');

    [GeneratedRegex("///[^\n]*", RegexOptions.None, 1_000)]
    private static partial Regex Remark();

    [GeneratedRegex(@"(?<rule>Refuse\.If)\(|(?:new RefusedException|new FieldException|new JobSnoozedException|\.Wrong)\(", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Call();
}
