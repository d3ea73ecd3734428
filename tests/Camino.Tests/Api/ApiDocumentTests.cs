using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Camino.Testing;
using Camino.Tests.HouseRules;
using Camino.Web;
using Camino.Web.Reference;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Api;

/// <summary>The document that describes the API says what the endpoints do, all of it.</summary>
internal sealed class ApiDocumentTests
{
    private static readonly string[] Verbs = ["get", "post", "put", "patch", "delete"];

    private RunningCamino _camino = null!;
    private JsonDocument _document = null!;
    private string _text = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false);
        using var anybody = new HttpClient { BaseAddress = _camino.OfficeAddress };
        _text = await anybody.GetStringAsync(new Uri(ApiDocument.Address, UriKind.Relative));
        _document = JsonDocument.Parse(_text);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _document.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public void It_is_of_version_3_1_and_names_every_endpoint_of_the_api_and_nothing_else()
    {
        var served = _camino.Office.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText?.StartsWith("/api/v1/", StringComparison.Ordinal) == true && endpoint.RoutePattern.RawText != ApiDocument.Address)
            .Select(endpoint => $"{endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0].ToLowerInvariant()} {endpoint.RoutePattern.RawText?.Replace(":guid", "", StringComparison.Ordinal).Replace(":int", "", StringComparison.Ordinal)}");

        Assert.That(_document.RootElement.GetProperty("openapi").GetString(), Does.StartWith("3.1"));
        Assert.That(Operations().Select(one => $"{one.Verb} {one.Path}"), Is.EquivalentTo(served));
    }

    [Test]
    public void Every_operation_says_what_it_does_what_it_answers_and_how_it_refuses()
    {
        var wrong = new List<string>();
        foreach (var (path, verb, operation) in Operations())
        {
            var what = $"{verb} {path}";
            if (!operation.TryGetProperty("summary", out var summary) || summary.GetString()?.Length is not > 10)
                wrong.Add($"{what} has no summary: add WithSummary where it is mapped.");
            var answers = operation.GetProperty("responses").EnumerateObject().ToList();
            if (!answers.Any(answer => answer.Name.StartsWith('2')))
                wrong.Add($"{what} says nothing of its success: return a typed result, or add Produces.");
            wrong.AddRange(answers.Where(answer => answer.Name is "200" or "201" && !answer.Value.TryGetProperty("content", out _)).Select(answer => $"{what} says nothing of the body of {answer.Name}."));
            wrong.AddRange(new[] { "401", "403", "429", "503" }.Where(status => !answers.Any(answer => answer.Name == status)).Select(status => $"{what} does not say {status}."));
        }

        Assert.That(wrong, Is.Empty);
        Assert.That(Operations().Select(one => one.Operation.GetProperty("operationId").GetString()), Is.Unique);
    }

    [Test]
    public void What_moves_money_says_that_it_needs_the_keys_of_the_request_and_of_the_version()
    {
        var payment = Operations().Single(one => one is { Verb: "post", Path: "/api/v1/loans/{id}/record-payment" }).Operation;

        Assert.That(payment.GetProperty("parameters").EnumerateArray().Where(word => word.GetProperty("in").GetString() == "header").Select(word => word.GetProperty("name").GetString()), Is.EquivalentTo(["Idempotency-Key", "If-Match"]));
        Assert.That(payment.GetProperty("requestBody").GetProperty("content").TryGetProperty("application/json", out _), Is.True);
        Assert.That(payment.GetProperty("responses").TryGetProperty("412", out _), Is.True);
    }

    [Test]
    public void Every_operation_names_the_key_and_the_one_scope_that_it_needs()
    {
        var needed = Operations().Select(one => (What: $"{one.Verb} {one.Path}", Needed: one.Operation.GetProperty("security").EnumerateArray().SelectMany(way => way.EnumerateObject()).Select(scheme => (scheme.Name, Scopes: scheme.Value.EnumerateArray().Select(scope => scope.GetString()).ToList())).ToList())).ToList();

        Assert.That(needed.Where(one => one.Needed is not [("apiKey", [{ } scope])] || !Scopes.Knows(scope)).Select(one => one.What), Is.EquivalentTo(new[] { "screening-hits/{id}/propose", "screening-hits/{id}/agree", "screening-hits/{id}/disagree", "applications/{id}/decline", "applications/{id}/offers", "applications/{id}/offers/preview", "applications/{id}/offers/{number}/withdraw", "approvals/{id}/approve", "approvals/{id}/decline", "applications/{id}/evaluation", "applications/{id}/checklist/{item}/waive", "underwriting/policies/draft/publish" }.Select(act => "post /api/v1/" + act).Append("get /api/v1/audit").Append("post /api/v1/branches").Append("patch /api/v1/branches/{id}").Append("post /api/v1/branches/{id}/close").Append("post /api/v1/branches/{id}/open").Append("get /api/v1/settings").Append("put /api/v1/underwriting/policies/draft")
            .Concat(new[] { "underwriting/policies", "underwriting/policies/{number}", "underwriting/policies/{number}/trial", "applications/{id}/evaluation", "applications/{id}/evaluations/{number}", "applications/{id}/checklist", "applications/{id}/decisions" }.Select(read => "get /api/v1/" + read))), "what people decide, and what is said of them");
        Assert.That(needed.Single(one => one.What == "post /api/v1/loans/{id}/record-payment").Needed[0].Scopes, Is.EqualTo((string[])["loans:payments"]));
        Assert.That(_document.RootElement.GetProperty("components").GetProperty("securitySchemes").GetProperty("apiKey").GetProperty("description").GetString(), Does.Contain("loans:payments: Record"));
    }

    [Test]
    public void Every_reference_leads_somewhere()
    {
        var schemas = _document.RootElement.GetProperty("components").GetProperty("schemas").EnumerateObject().Select(one => "#/components/schemas/" + one.Name).ToHashSet(StringComparer.Ordinal);

        Assert.That(References(_document.RootElement).Where(reference => reference.StartsWith("#/components/schemas/", StringComparison.Ordinal) && !schemas.Contains(reference)), Is.Empty);
    }

    [Test]
    public async Task A_client_that_has_it_is_told_that_nothing_changed()
    {
        using var anybody = new HttpClient { BaseAddress = _camino.OfficeAddress };
        using var first = await anybody.GetAsync(new Uri(ApiDocument.Address, UriKind.Relative));
        using var again = new HttpRequestMessage(HttpMethod.Get, new Uri(ApiDocument.Address, UriKind.Relative));
        again.Headers.IfNoneMatch.Add(first.Headers.ETag ?? throw new InvalidOperationException("There is no ETag."));
        using var second = await anybody.SendAsync(again);

        Assert.That(second.StatusCode, Is.EqualTo(HttpStatusCode.NotModified));
    }

    [Test]
    public async Task The_linter_finds_nothing()
    {
        if (!Environment.GetEnvironmentVariable("PATH")?.Split(':').Any(folder => File.Exists(Path.Combine(folder, "npm"))) ?? true)
            Assert.Ignore("There is no npm on this machine to install the linter with.");
        var folder = Path.Combine(House.Root, "artifacts", "api-lint");
        Directory.CreateDirectory(folder);
        foreach (var name in new[] { "package.json", "package-lock.json" })
            File.Copy(Path.Combine(House.Root, "tests/Camino.Tests/Api/lint", name), Path.Combine(folder, name), overwrite: true);
        await File.WriteAllTextAsync(Path.Combine(folder, "openapi.json"), _text);
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            TestContext.Progress.WriteLine("installing the linter of the API's description ...");
            var (installed, how) = await RunAsync(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error");
            if (!installed)
                Assert.Ignore("npm could not install the linter: " + how);
        }

        var (clean, found) = await RunAsync(folder, "node_modules/.bin/spectral", "lint", "openapi.json", "--ruleset", Path.Combine(House.Root, ".spectral.yaml"), "--fail-severity", "hint");

        Assert.That(clean, Is.True, found);
    }

    private static async Task<(bool Ok, string Output)> RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program.Contains('/', StringComparison.Ordinal) ? Path.Combine(folder, program) : program, arguments) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode == 0, await output + await errors);
    }

    private IEnumerable<(string Path, string Verb, JsonElement Operation)> Operations() =>
        from path in _document.RootElement.GetProperty("paths").EnumerateObject()
        from verb in path.Value.EnumerateObject()
        where Verbs.Contains(verb.Name)
        select (path.Name, verb.Name, verb.Value);

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(one => one.Name == "$ref" && one.Value.GetString() is { } reference ? [reference] : References(one.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
