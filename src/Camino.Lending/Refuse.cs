using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Camino.Lending;

/// <summary>What a refusal says: the sentence, and apart from each other its pattern and its values, so that it can be said in another language with the same values.</summary>
/// <param name="Text">The sentence in English.</param>
/// <param name="Pattern">The same with <c>{0}</c>, <c>{1}</c> where values stand.</param>
/// <param name="Values">What stands there, in order.</param>
public sealed record RefusalSentence(string Text, string Pattern, IReadOnlyList<object?> Values)
{
    /// <summary>A sentence without values.</summary>
    public static RefusalSentence Plain(string text) => new(text, RefusalMessage.Escape(text), []);
}

/// <summary>The rules say no. Travels untouched to one mapping: problem+json for the API, a message on the form for a page.</summary>
public sealed class RefusedException : Exception
{
    /// <param name="code">Stable, dotted, lower case: <c>loan.not_open</c>. Clients may branch on it.</param>
    /// <param name="message">A sentence with what was given, the limit and what to do; never personal data.</param>
    public RefusedException(string code, string message)
        : this(code, RefusalSentence.Plain(message))
    {
    }

    /// <inheritdoc cref="RefusedException(string, string)"/>
    public RefusedException(string code, ref RefusalMessage message)
        : this(code, message.Said())
    {
    }

    /// <summary>The same sentence under a code of its own.</summary>
    public RefusedException(string code, RefusalSentence sentence)
        : base(sentence.Text)
    {
        Code = code;
        Sentence = sentence;
    }

    /// <summary>Stable code of the refusal.</summary>
    public string Code { get; }

    /// <summary>The message with its values apart.</summary>
    public RefusalSentence Sentence { get; }
}

/// <summary>States a rule in one line: <c>Refuse.If(amount &lt;= Money.Zero, "payment.not_positive", $"...")</c>.</summary>
public static class Refuse
{
    /// <exception cref="RefusedException">when <paramref name="broken"/> is true.</exception>
    public static void If([DoesNotReturnIf(true)] bool broken, string code, string message)
    {
        if (broken)
            throw new RefusedException(code, message);
    }

    /// <summary>The same with a message that is put together only when the rule is broken: rules stand in loops that run a million times a night.</summary>
    /// <exception cref="RefusedException">when <paramref name="broken"/> is true.</exception>
    public static void If([DoesNotReturnIf(true)] bool broken, string code, [InterpolatedStringHandlerArgument(nameof(broken))] ref RefusalMessage message)
    {
        if (broken)
            throw new RefusedException(code, message.Said());
    }
}

/// <summary>The message of a refusal, in US form whatever the culture.</summary>
[InterpolatedStringHandler]
[StructLayout(LayoutKind.Auto)]
public readonly ref struct RefusalMessage
{
    private readonly StringBuilder? _text;
    private readonly StringBuilder? _pattern;
    private readonly List<object?>? _values;

    /// <param name="literalLength">Set by the compiler.</param>
    /// <param name="formattedCount">Set by the compiler.</param>
    public RefusalMessage(int literalLength, int formattedCount)
    {
        _text = new StringBuilder(literalLength + (formattedCount * 12));
        _pattern = new StringBuilder(literalLength + (formattedCount * 3));
        _values = new List<object?>(formattedCount);
    }

    /// <inheritdoc cref="RefusalMessage(int, int)"/>
    /// <param name="broken">Whether there is a refusal at all.</param>
    /// <param name="isNeeded">Whether the parts are to be put together.</param>
    public RefusalMessage(int literalLength, int formattedCount, bool broken, out bool isNeeded)
    {
        isNeeded = broken;
        if (broken)
            this = new RefusalMessage(literalLength, formattedCount);
    }

    public void AppendLiteral(string value)
    {
        _text?.Append(value);
        _pattern?.Append(Escape(value));
    }

    public void AppendFormatted<T>(T value) => AppendFormatted(value, null);

    public void AppendFormatted<T>(T value, string? format)
    {
        if (_values is null)
            return;
        _text?.Append(value is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture) : value?.ToString());
        _pattern?.Append('{').Append(_values.Count).Append('}');
        _values.Add(value);
    }

    /// <summary>What was put together.</summary>
    internal RefusalSentence Said() => new(_text?.ToString() ?? "", _pattern?.ToString() ?? "", _values ?? []);

    /// <summary>Text as part of a pattern.</summary>
    internal static string Escape(string text) => text.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
}
