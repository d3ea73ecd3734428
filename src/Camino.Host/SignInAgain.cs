using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace Camino.Host;

/// <summary>
/// Opens a connection a second time when the password was changed while the first was being made: the server reads the old one when a sign-in begins and asks for the password
/// after that, so nobody can tell which one it will compare with. The second sign-in begins after the change and is told apart by trying (<see cref="DatabasePassword"/>).
/// </summary>
internal sealed class SignInAgain : DbConnectionInterceptor
{
    public static SignInAgain Instance { get; } = new();

    /// <summary>Whether a sign-in was refused that may have begun before the password changed.</summary>
    public static bool IsAboutThePassword(Exception broken) => broken is PostgresException { SqlState: PostgresErrorCodes.InvalidPassword } || (broken.InnerException is { } inside && IsAboutThePassword(inside));

    public override async ValueTask<InterceptionResult> ConnectionOpeningAsync(DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        try
        {
            await connection.OpenAsync(cancellationToken);
            return InterceptionResult.Suppress();
        }
        catch (PostgresException refused) when (IsAboutThePassword(refused))
        {
            return result; // the caller opens it: the second time
        }
    }

    public override InterceptionResult ConnectionOpening(DbConnection connection, ConnectionEventData eventData, InterceptionResult result)
    {
        try
        {
            connection.Open();
            return InterceptionResult.Suppress();
        }
        catch (PostgresException refused) when (IsAboutThePassword(refused))
        {
            return result;
        }
    }
}

/// <summary>The same for what a page reads past EF: nothing was answered yet and reading changes nothing, so the request is carried out once more.</summary>
internal sealed class ReadAgain(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception refused) when (SignInAgain.IsAboutThePassword(refused) && IsRead(context.Request) && !context.Response.HasStarted)
        {
            context.Response.Clear();
            await next(context);
        }
    }

    private static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
}
