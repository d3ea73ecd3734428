using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Camino.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace Camino.Tests.Webhooks;

/// <summary>One message as it came in.</summary>
internal sealed record Received(string Path, string Id, string Timestamp, string[] Signatures, string Body)
{
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Body);

    public string? Type => Json.GetProperty("type").GetString();

    /// <summary>Checks one signature as a program would do it, from the text of the specification: HMAC-SHA-256 of id.timestamp.body with the bytes behind whsec_, in base 64.</summary>
    public bool IsSignedBy(string secret)
    {
        using var hmac = new HMACSHA256(Convert.FromBase64String(secret["whsec_".Length..]));
        var wanted = Convert.ToBase64String(hmac.ComputeHash(Encoding.UTF8.GetBytes(Id + "." + Timestamp + "." + Body)));
        return Signatures.Contains("v1," + wanted);
    }
}

/// <summary>A program that is told: a real web server on a free port, whose answers a test decides.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Received> _received = new();
    private readonly SemaphoreSlim _news = new(0);

    private Receiver(WebApplication app) => _app = app;

    /// <summary>What is answered; 204 where nothing is said.</summary>
    public Func<Received, HttpContext, Task> Answer { get; set; } = (_, _) => Task.CompletedTask;

    public IReadOnlyList<Received> All => [.. _received];

    public Uri At(string path) => new(RunningCamino.AddressOf(_app), path);

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["urls"] = "http://127.0.0.1:0";
        var receiver = new Receiver(builder.Build());
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>Waits until so many messages of a kind came to a path.</summary>
    public async Task<IReadOnlyList<Received>> UntilAsync(string path, Func<Received, bool> which, int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            var found = _received.Where(one => one.Path == path && which(one)).ToList();
            if (found.Count >= count)
                return found;
            try
            {
                await _news.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException late)
            {
                throw new AssertionException($"{path} got {found.Count} of {count}: {string.Join(", ", _received.Select(one => one.Path + " " + one.Type))}", late);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _news.Dispose();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var headers = context.Request.Headers;
        var one = new Received(context.Request.Path, headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString(), headers["webhook-signature"].ToString().Split(' '), await reader.ReadToEndAsync());
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        _received.Enqueue(one);
        _news.Release();
        await Answer(one, context);
    }
}
