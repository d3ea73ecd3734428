using System.Diagnostics.CodeAnalysis;

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
}
