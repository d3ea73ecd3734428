using System.Diagnostics;
using System.Security.Claims;
using Camino.Data;
using Camino.Host.Configuration;
using Camino.Operations;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Camino.Host.Health;

/// <summary>
/// Behind a load balancer: asks once for what people and programs ask for all day, before readiness is given, so that the first of them does not wait for the compiler.
/// The pages are run for a reader who exists in this process alone, past the doors; what they write is thrown away.
/// </summary>
internal sealed partial class WarmUp(HostSettings settings, IServiceProvider services, TimeProvider clock, ILogger<WarmUp> log)
{
    /// <summary>Listed or counted by everybody, every day; each without parameters.</summary>
    internal static readonly string[] Addresses =
    [
        "/", "/portfolio", "/loans", "/applications", "/borrowers", "/search", "/servicing", "/screening", "/imports", "/jobs", "/notices", "/approvals",
        "/api/v1/queues", "/api/v1/jobs", "/api/v1/borrowers", "/api/v1/applications",
    ];

    /// <summary>Asked from outside, as the balancer does.</summary>
    private static readonly string[] Open = ["/sign-in", "/api/v1/queues"];

    /// <summary>True until it is done or its time is over.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>Holds readiness back from now on, and begins when the process listens.</summary>
    public void Begin(IHostApplicationLifetime lifetime)
    {
        IsUnderWay = true;
        lifetime.ApplicationStarted.Register(() => _ = Task.Run(() => RunAsync(lifetime.ApplicationStopping), CancellationToken.None));
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        var started = Stopwatch.GetTimestamp();
        var done = 0;
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(settings.Web.WarmUpSeconds), clock);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(time.Token, stopping);
        try
        {
            // what does not end when its time is over must not hold readiness back
            await using var ready = over.Token.Register(() => IsUnderWay = false);
            await TryAsync("the doors", () => AskAsync(over.Token), over.Token);
            await TryAsync("a job", () => EnqueueNothingAsync(over.Token), over.Token);
            foreach (var endpoint in Endpoints())
            {
                if (await TryAsync(endpoint.RoutePattern.RawText ?? "", () => RunAsync(endpoint, over.Token), over.Token))
                    done++;
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            Ended("its time is over");
        }
        finally
        {
            IsUnderWay = false;
            Warm(done, Addresses.Length, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
    }

    /// <summary>One that breaks stays cold and leaves the others their turn; a cold process is still a good one.</summary>
    private async Task<bool> TryAsync(string what, Func<Task> run, CancellationToken over)
    {
        try
        {
            await run();
            return true;
        }
        catch (Exception broken) when (broken is not OutOfMemoryException && !over.IsCancellationRequested)
        {
            Cold(what, broken.GetType().Name);
            return false;
        }
    }

    /// <summary>The endpoints of <see cref="Addresses"/>, in their order.</summary>
    internal IEnumerable<RouteEndpoint> Endpoints()
    {
        var all = services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>() is not { HttpMethods: var methods } || methods.Contains(HttpMethods.Get))
            .ToLookup(endpoint => "/" + endpoint.RoutePattern.RawText?.Trim('/'), StringComparer.Ordinal);
        return Addresses.SelectMany(address => all[address].Take(1));
    }

    private async Task RunAsync(RouteEndpoint endpoint, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        await using var scope = services.CreateAsyncScope();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider, User = Reader(), RequestAborted = ct };
        context.Request.Method = HttpMethods.Get;
        context.Request.Scheme = Uri.UriSchemeHttp;
        context.Request.Host = new HostString("localhost");
        context.Request.Path = "/" + endpoint.RoutePattern.RawText?.Trim('/');
        context.SetEndpoint(endpoint);
        await (endpoint.RequestDelegate?.Invoke(context) ?? Task.CompletedTask).WaitAsync(ct);
        if (context.Response.StatusCode >= StatusCodes.Status400BadRequest)
            throw new InvalidOperationException($"{context.Request.Path} answered {context.Response.StatusCode}.");
    }

    /// <summary>Through the doors, over the network of this machine: nobody is signed in, and the key is nobody's.</summary>
    private async Task AskAsync(CancellationToken ct)
    {
        var listening = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault(address => address.StartsWith("http://", StringComparison.Ordinal));
        if (listening is null)
            return;
        var address = BindingAddress.Parse(listening);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = new UriBuilder(Uri.UriSchemeHttp, HostOf(address.Host), address.Port).Uri };
        foreach (var path in Open)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("X-Api-Key", "warm-up");
            using var answer = await client.SendAsync(request, ct);
            await answer.Content.ReadAsByteArrayAsync(ct);
        }
    }

    /// <summary>Where this process hears itself: any address is also this machine's own.</summary>
    internal static string HostOf(string bound) => bound switch
    {
        "+" or "*" or "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        _ => bound,
    };

    /// <summary>A job that is enqueued and taken back: nobody ever sees it.</summary>
    private async Task EnqueueNothingAsync(CancellationToken ct)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        db.Enqueue(new Echo("warm-up"));
        await db.SaveChangesAsync(ct);
        await transaction.RollbackAsync(ct);
    }

    private static ClaimsPrincipal Reader() =>
        new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, Guid.Empty.ToString()), new(ClaimTypes.Role, People.StaffRoles.Administrator)], "warm-up", ClaimTypes.Name, ClaimTypes.Role));

    [LoggerMessage(LogLevel.Information, "Warm: {Done} of {All} pages ran before the first request, in {Milliseconds} ms")]
    private partial void Warm(int done, int all, long milliseconds);

    [LoggerMessage(LogLevel.Warning, "The warm-up ended early ({Reason}); what is cold stays cold until it is asked for")]
    private partial void Ended(string reason);

    [LoggerMessage(LogLevel.Warning, "The warm-up left out {What} ({Reason}); it stays cold until it is asked for")]
    private partial void Cold(string what, string reason);
}
