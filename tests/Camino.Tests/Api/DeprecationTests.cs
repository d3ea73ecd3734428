using System.Net;
using System.Text.Json;
using Camino.Lending;
using Camino.Testing;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Api;

/// <summary>An endpoint that will be taken away says so, in its answers and in the description.</summary>
internal sealed class DeprecationTests
{
    private static readonly DateOnly Since = new(2026, 12, 1);
    private static readonly DateOnly Sunset = new(2027, 12, 1);

    [TestCase("/api/v1/old", HttpStatusCode.OK)]
    [TestCase("/api/v1/old-refused", HttpStatusCode.InternalServerError)]
    public async Task Every_answer_of_a_deprecated_endpoint_says_since_when_and_until_when_refusals_too(string path, HttpStatusCode status)
    {
        await using var app = await ServeAsync();
        using var program = new HttpClient { BaseAddress = RunningCamino.AddressOf(app) };

        using var answer = await program.GetAsync(new Uri(path, UriKind.Relative));
        using var other = await program.GetAsync(new Uri("/api/v1/new", UriKind.Relative));

        Assert.That(answer.StatusCode, Is.EqualTo(status));
        Assert.That(answer.Headers.GetValues("Deprecation"), Is.EqualTo((string[])["@1796083200"])); // 2026-12-01
        Assert.That(answer.Headers.GetValues("Sunset"), Is.EqualTo((string[])["Wed, 01 Dec 2027 00:00:00 GMT"]));
        Assert.That(answer.Headers.GetValues("Link"), Is.EqualTo((string[])["</developers>; rel=\"deprecation\"; type=\"text/html\""]));
        Assert.That(other.Headers.Select(header => header.Key).Intersect(["Deprecation", "Sunset", "Link"]), Is.Empty);
        await app.StopAsync();
    }

    [Test]
    public async Task The_description_marks_it_and_says_what_to_do_instead()
    {
        await using var app = await ServeAsync();
        using var program = new HttpClient { BaseAddress = RunningCamino.AddressOf(app) };

        using var document = JsonDocument.Parse(await program.GetStringAsync(new Uri(ApiDocument.Address, UriKind.Relative)));
        var paths = document.RootElement.GetProperty("paths");

        Assert.That(paths.GetProperty("/api/v1/old").GetProperty("get").GetProperty("deprecated").GetBoolean(), Is.True);
        Assert.That(paths.GetProperty("/api/v1/old").GetProperty("get").GetProperty("description").GetString(), Does.Contain("Deprecated since 2026-12-01; it may be gone on 2027-12-01. Ask /api/v1/new instead."));
        Assert.That(paths.GetProperty("/api/v1/new").GetProperty("get").TryGetProperty("deprecated", out _), Is.False);
        await app.StopAsync();
    }

    [Test]
    public void Nobody_takes_an_endpoint_away_sooner_than_was_promised()
    {
        var builder = WebApplication.CreateSlimBuilder();
        using var app = builder.Build();

        var refused = Assert.Throws<ArgumentException>(() => app.MapGet("/api/v1/old", () => "old").Deprecated(Since, Sunset.AddDays(-1), "Ask elsewhere."));

        Assert.That(refused?.Message, Does.StartWith("The sunset is 2027-11-30; it must be 12 months after 2026-12-01 or later."));
    }

    /// <summary>Routing, the handler of exceptions and the headers in the order in which the Back Office has them.</summary>
    private static async Task<WebApplication> ServeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddProblemDetails();
        ApiDocument.AddTo(builder.Services);
        var app = builder.Build();
        app.UseExceptionHandler();
        app.UseRouting();
        app.UseMiddleware<DeprecationHeaders>();
        app.MapGet("/api/v1/old", () => "old").WithSummary("What was").Deprecated(Since, Sunset, "Ask /api/v1/new instead.");
        app.MapGet("/api/v1/old-refused", string () => throw new RefusedException("test.refused", "It is refused.")).WithSummary("What was").Deprecated(Since, Sunset, "Ask /api/v1/new instead.");
        app.MapGet("/api/v1/new", () => "new").WithSummary("What is");
        ApiDocument.Map(app);
        await app.StartAsync();
        return app;
    }
}
