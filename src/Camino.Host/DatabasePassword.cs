using Npgsql;

namespace Camino.Host;

/// <summary>
/// The password of a new connection, read when the connection is made and not when the process started: a rotation needs no restart. The secrets folder wins over
/// what the process was started with.
/// </summary>
/// <param name="folder">The secrets folder, or null.</param>
/// <param name="group"><c>Database</c> or <c>Migration</c>: the file is <c>Database__Password</c>.</param>
/// <param name="given">What the environment said at the start.</param>
/// <remarks>
/// PostgreSQL knows one password a user, and two places cannot change in the same instant. So a rotation puts the new one beside the old one first
/// (<c>Database__PasswordNext</c>), then changes the user, then moves the file: while both files are there, the one that signs in is found by trying. The server asks for the
/// password after it has read its own, so a sign-in that is under way during the change may be refused: <see cref="SignInAgain"/>.
/// </remarks>
internal sealed class DatabasePassword(string? folder, string group, string? given)
{
    /// <summary>Seconds that a trial sign-in may take.</summary>
    private const int TrialSeconds = 5;

    /// <summary>False: no password is known anywhere, and PostgreSQL must let the user in without one.</summary>
    public bool IsThere => !string.IsNullOrEmpty(given) || FileOf("Password") is not null;

    public string Read(NpgsqlConnectionStringBuilder at)
    {
        if (FileOf("PasswordNext") is not { } next)
            return Current;
        return SignsIn(at, next) ? next : Current;
    }

    public async ValueTask<string> ReadAsync(NpgsqlConnectionStringBuilder at, CancellationToken ct)
    {
        if (FileOf("PasswordNext") is not { } next)
            return Current;
        return await SignsInAsync(at, next, ct) ? next : Current;
    }

    private string Current => FileOf("Password") ?? given ?? "";

    private string? FileOf(string name)
    {
        if (string.IsNullOrEmpty(folder))
            return null;
        try
        {
            var text = File.ReadAllText(Path.Combine(folder, $"{group}__{name}")).Trim();
            return text.Length == 0 ? null : text;
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static string Trial(NpgsqlConnectionStringBuilder at, string password) =>
        new NpgsqlConnectionStringBuilder(at.ConnectionString) { Password = password, Pooling = false, Timeout = TrialSeconds, ApplicationName = "camino password trial" }.ConnectionString;

    private static bool SignsIn(NpgsqlConnectionStringBuilder at, string password)
    {
        try
        {
            using var trial = new NpgsqlConnection(Trial(at, password));
            trial.Open();
            return true;
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification)
        {
            return false;
        }
    }

    private static async Task<bool> SignsInAsync(NpgsqlConnectionStringBuilder at, string password, CancellationToken ct)
    {
        try
        {
            await using var trial = new NpgsqlConnection(Trial(at, password));
            await trial.OpenAsync(ct);
            return true;
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification)
        {
            return false;
        }
    }
}
