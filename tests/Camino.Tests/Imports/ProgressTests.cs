using System.Net.Http.Headers;
using System.Text.Json;
using Camino.Testing;
using Microsoft.AspNetCore.Builder;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>Live progress, whichever Back Office is asked.</summary>
internal sealed class ProgressTests
{
    [Test]
    public async Task Every_Back_Office_shows_the_same_import_running_until_it_is_over()
    {
        await using var camino = await RunningCamino.StartAsync(chunkRows: 500);
        await using var second = await camino.StartSecondOfficeAsync();
        using var other = ClientOf(camino, second);
        var id = await camino.ReceiveAsync(ImportClient.Template(ImportClient.Rows(20_000)));

        var both = await Task.WhenAll(EventsAsync(camino.Api, id), EventsAsync(other, id));

        foreach (var events in both)
        {
            Assert.That(events, Is.Not.Empty);
            Assert.That(events.Select(e => e.GetProperty("rows").GetInt64()), Is.Ordered);
            Assert.That(events[^1].GetProperty("isOver").GetBoolean());
            Assert.That(events[^1].GetProperty("status").GetString(), Is.EqualTo("done"));
            Assert.That(events[^1].GetProperty("rows").GetInt64(), Is.EqualTo(20_000));
            Assert.That(events[^1].GetProperty("imported").GetInt64(), Is.EqualTo(20_000));
            Assert.That(events[^1].GetProperty("percent").GetDouble(), Is.EqualTo(100));
        }

        await second.StopAsync();
    }

    [Test]
    public async Task A_Back_Office_that_stops_ends_its_streams_in_order()
    {
        await using var camino = await RunningCamino.StartAsync();
        await using var second = await camino.StartSecondOfficeAsync();
        using var other = ClientOf(camino, second);
        var id = await camino.ReceiveAsync(ImportClient.Template(ImportClient.Row("A-1")), query: "&review=true");
        await camino.OverAsync(id); // it waits for a person, so the stream has no end of its own
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/api/v1/imports/{id}/events", UriKind.Relative));
        using var answer = await other.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.That(await lines.ReadLineAsync(), Does.StartWith("data:"));

        var stopped = second.StopAsync();

        Assert.That(async () => await lines.ReadToEndAsync(), Throws.Nothing, "the stream ends, it is not torn");
        await stopped;
    }

    private static HttpClient ClientOf(RunningCamino camino, WebApplication office)
    {
        var client = new HttpClient { BaseAddress = RunningCamino.AddressOf(office), Timeout = TimeSpan.FromMinutes(5) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", camino.ApiKey);
        return client;
    }

    private static async Task<List<JsonElement>> EventsAsync(HttpClient client, Guid id)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/api/v1/imports/{id}/events", UriKind.Relative));
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        Assert.That(answer.Content.Headers.ContentType?.MediaType, Is.EqualTo("text/event-stream"));
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(limit.Token));
        var events = new List<JsonElement>();
        while (await lines.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("data:", StringComparison.Ordinal))
                events.Add(JsonSerializer.Deserialize<JsonElement>(line[5..]));
        }

        return events;
    }
}
