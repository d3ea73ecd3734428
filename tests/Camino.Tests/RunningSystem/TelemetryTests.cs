using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Testing;
using Camino.Tests.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>Traces, metrics and logs leave by OTLP when the standard variables say where to; one trace goes from the click to the job's last statement.</summary>
[Parallelizable]
public sealed class TelemetryTests
{
    [Test]
    public async Task One_trace_goes_from_the_request_to_the_job_on_the_other_server_and_its_statements()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        using var configs = new Configs();
        var address = CaminoProcess.FreeAddress();
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["CAMINO_Database__ConnectionString"] = camino.ConnectionString,
            ["CAMINO_Files__Folder"] = camino.FilesFolder,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "200",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
        };
        await using var office = CaminoProcess.Start(variables, "run", "--config", configs.Of("BackOffice", urls: address.ToString().TrimEnd('/')));
        await using var work = CaminoProcess.Start(variables, "run", "--config", configs.Of("Async"));
        using var api = new HttpClient { BaseAddress = address };
        api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", camino.ApiKey);
        await UntilAsync(async () => await IsReadyAsync(api), "the Back Office to be ready", receiver);

        using var asked = await api.PostAsJsonAsync("/api/v1/jobs/echo", new { text = "traced" });
        Assert.That(asked.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        var trace = Convert.FromHexString(asked.Headers.GetValues("X-Request-Id").Single());
        var job = (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("jobId").GetGuid();
        await UntilAsync(async () => (await api.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{job}")).GetProperty("state").GetString() == "done", "the job to be done", receiver);

        foreach (var (path, of, service, text) in new[]
        {
            ("/v1/traces", trace, "camino-backoffice", "POST /api/v1/jobs/echo"), ("/v1/traces", trace, "camino-async", "operations.echo"), ("/v1/traces", trace, "camino-backoffice", "INSERT INTO jobs.job"),
            ("/v1/logs", trace, "camino-async", "operations.echo"), ("/v1/metrics", [], "camino-async", "camino.jobs.run"), ("/v1/metrics", [], "camino-backoffice", "failed_last_hour"),
        })
            await UntilAsync(() => Task.FromResult(receiver.Has(path, of, service, text)), $"{path} of {service} with {text}", receiver);
        Assert.That(receiver.Has("/v1/logs", [], "camino-backoffice", "traced"), Is.False, "what was sent in the body stays inside");
    }

    private static async Task<bool> IsReadyAsync(HttpClient api)
    {
        try
        {
            using var answer = await api.GetAsync(new Uri("/health/ready", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string what, Receiver receiver)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
                Assert.Fail($"Waited in vain for {what}; what came: {receiver.Names}");
            await Task.Delay(100, CancellationToken.None);
        }
    }

    /// <summary>Takes OTLP over HTTP and keeps it as it came.</summary>
    private sealed class Receiver : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly ConcurrentQueue<(string Path, byte[] Body)> _taken = new();

        private Receiver(WebApplication app) => _app = app;

        public string Address => RunningCamino.AddressOf(_app).ToString().TrimEnd('/');

        public static async Task<Receiver> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var receiver = new Receiver(builder.Build());
            receiver._app.Run(async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                receiver._taken.Enqueue((context.Request.Path.Value ?? "", body.ToArray()));
                context.Response.ContentType = "application/x-protobuf";
            });
            await receiver._app.StartAsync();
            return receiver;
        }

        /// <summary>Whether one message to that path holds the trace and both texts. Text travels in Protocol Buffers as it is.</summary>
        public bool Has(string path, byte[] trace, string service, string text) =>
            _taken.Any(message => message.Path == path && Holds(message.Body, trace) && Holds(message.Body, Encoding.UTF8.GetBytes(service)) && Holds(message.Body, Encoding.UTF8.GetBytes(text)));

        /// <summary>What came, for whoever waits in vain: path, service and length of each message.</summary>
        public string Names => string.Join(", ", _taken.Select(message => $"{message.Path} {(Holds(message.Body, "camino-async"u8.ToArray()) ? "async" : "office")} {message.Body.Length}"));

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private static bool Holds(byte[] body, byte[] part) => body.AsSpan().IndexOf(part) >= 0;
    }
}
