using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Camino.Lending;

/// <summary>The rules say no. Travels untouched to one mapping: problem+json for the API, a message on the form for a page.</summary>
/// <param name="code">Stable, dotted, lower case: <c>loan.not_open</c>. Clients may branch on it.</param>
/// <param name="message">A sentence with what was given, the limit and what to do; never personal data.</param>
public sealed class RefusedException(string code, string message) : Exception(message)
{
    /// <summary>Stable code of the refusal.</summary>
    public string Code { get; } = code;
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
            throw new RefusedException(code, message.ToString());
    }
}

/// <summary>The message of a refusal, in US form whatever the culture.</summary>
[InterpolatedStringHandler]
[StructLayout(LayoutKind.Auto)]
public ref struct RefusalMessage
{
    private DefaultInterpolatedStringHandler _text;

    /// <param name="literalLength">Set by the compiler.</param>
    /// <param name="formattedCount">Set by the compiler.</param>
    /// <param name="broken">Whether there is a refusal at all.</param>
    /// <param name="isNeeded">Whether the parts are to be put together.</param>
    public RefusalMessage(int literalLength, int formattedCount, bool broken, out bool isNeeded)
    {
        isNeeded = broken;
        _text = broken ? new DefaultInterpolatedStringHandler(literalLength, formattedCount, CultureInfo.InvariantCulture) : default;
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string? format) => _text.AppendFormatted(value, format);

    public override string ToString() => _text.ToStringAndClear();
}
