using Microsoft.Extensions.Logging;

namespace Camino.People;

/// <summary>Writes refused sign-ins into the log, by the account's id: what is typed may be anybody's e-mail, or a password in the wrong field, and stands nowhere.</summary>
/// <remarks>Source: OWASP ASVS 5.0, 16.3.1. Sign-ins that come about are in the audit trail.</remarks>
public sealed partial class SignInLog(ILogger<SignInLog> log)
{
    /// <summary>There is no such account, or it may not come in this way.</summary>
    public const string Unknown = "unknown";

    /// <summary>The account is disabled, or locked after too many tries.</summary>
    public const string Locked = "locked";

    /// <summary>The password was another one.</summary>
    public const string Password = "password";

    /// <summary>The code was another one, or was used before.</summary>
    public const string Code = "code";

    /// <summary>The passkey's answer was not right in every part.</summary>
    public const string Passkey = "passkey";

    /// <summary>The account changed at the very moment.</summary>
    public const string Changed = "changed";

    /// <param name="user">Whose account; null: nobody's, or not known.</param>
    /// <param name="why">One of the words above.</param>
    [LoggerMessage(2100, LogLevel.Warning, "A sign-in of {User} was refused: {Why}")]
    public partial void Refused(Guid? user, string why);
}
