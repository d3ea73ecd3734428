using System.Collections.Concurrent;
using System.Globalization;
using Camino.Host.Local;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace Camino.Tests.Local;

/// <summary>The smoke against a stand-in for the Back Office that answers as agreed, and against one that does not.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class SmokeTests
{
    private const string Header = "LoanNumber,BorrowerName,Street,City,State,Zip,Naics,ApprovedOn,TermMonths,Approved,Disbursed,Unheard,Status";
    private static readonly DemoAccess Demo = new([new DemoUser("ana@example.test", "correct horse", "Administrator")], "key-1");

    [Test]
    public async Task Everything_in_order_passes_with_one_line_for_each_check()
    {
        var (passed, lines) = await RunAsync(new StandIn());

        Assert.That(passed, Is.True, string.Join('\n', lines));
        Assert.That(lines.Select(line => line.Split(" (")[0]), Is.EqualTo(
        [
            "ok   the sign-in page answers",
            "ok   sign-in works",
            "ok   the queues are known",
            "ok   a job goes through the queue urgent",
            "ok   a job goes through the queue bulk",
            "ok   a portfolio of 500 loans is imported",
        ]));
    }

    [Test]
    public async Task A_cent_too_much_in_the_sum_fails()
    {
        var (passed, lines) = await RunAsync(new StandIn { Surplus = 0.01m });

        Assert.That(passed, Is.False);
        Assert.That(lines[^1], Does.StartWith("FAIL a portfolio of 500 loans is imported: disbursed adds up to").And.Contain("and must be"));
    }

    [Test]
    public async Task A_failed_job_fails_its_queue_and_the_other_checks_go_on()
    {
        var (passed, lines) = await RunAsync(new StandIn { BrokenQueue = "urgent" });

        Assert.That(passed, Is.False);
        Assert.That(lines.Count(line => line.StartsWith("FAIL", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(lines[3], Does.StartWith("FAIL a job goes through the queue urgent").And.Contain("ended as failed"));
        Assert.That(lines[^1], Does.StartWith("ok   a portfolio"));
    }

    [Test]
    public async Task A_password_that_is_refused_fails_the_sign_in()
    {
        var (passed, lines) = await RunAsync(new StandIn { Password = "another" });

        Assert.That(passed, Is.False);
        Assert.That(lines[1], Is.EqualTo("FAIL sign-in works: POST /sign-in answered 200, not a redirect"));
    }

    [Test]
    public async Task A_server_that_is_not_there_fails_every_check_in_words()
    {
        var lines = new List<string>();
        using var smoke = new Smoke(new Uri("http://127.0.0.1:1"), Demo, lines.Add);

        Assert.That(await smoke.RunAsync(CancellationToken.None), Is.False);
        Assert.That(lines, Is.All.StartsWith("FAIL"));
    }

    [Test]
    public void The_portfolio_fills_only_columns_it_knows_and_sums_to_the_cent()
    {
        var (csv, disbursed) = SmokePortfolio.Make("Disbursed,Unheard,LoanNumber", "R1");

        var lines = csv.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(501));
        Assert.That(lines[1], Is.EqualTo("5137.31,,SMOKE-R1-0001"));
        Assert.That(lines.Skip(1).Sum(line => decimal.Parse(line.Split(',')[0], CultureInfo.InvariantCulture)), Is.EqualTo(disbursed));
        Assert.That(disbursed, Is.EqualTo(19_698_077.50m)); // 500 x 5,000.00 + 137.31 x (1 + 2 + ... + 500)
        Assert.That(lines.Select(line => line.Split(',')[2]).Distinct().Count(), Is.EqualTo(501));
    }

    private static async Task<(bool Passed, List<string> Lines)> RunAsync(StandIn standIn)
    {
        await using var app = standIn.Build();
        await app.StartAsync();
        var lines = new List<string>();
        using var smoke = new Smoke(new Uri(app.Urls.First()), Demo, lines.Add);
        return (await smoke.RunAsync(CancellationToken.None), lines);
    }

    /// <summary>Answers what the Back Office has promised to answer.</summary>
    private sealed class StandIn
    {
        private readonly ConcurrentDictionary<string, (string Queue, string Text, int Asked)> _jobs = new();
        private decimal _disbursed;
        private int _rows;

        public string Password { get; init; } = "correct horse";

        public string? BrokenQueue { get; init; }

        public decimal Surplus { get; init; }

        public WebApplication Build()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            app.Urls.Add("http://127.0.0.1:0");
            app.MapGet("/sign-in", () => Results.Content("<form><input type=\"hidden\" name=\"__RequestVerificationToken\" value=\"a&#x2B;b\" /></form>", "text/html"));
            app.MapPost("/sign-in", async (HttpContext context) =>
            {
                var form = await context.Request.ReadFormAsync();
                if (form["__RequestVerificationToken"] != "a+b")
                    return Results.BadRequest();
                if (form["Email"] != "ana@example.test" || form["Password"] != Password)
                    return Results.Content("<p>no</p>", "text/html");
                context.Response.Cookies.Append("session", "1");
                return Results.Redirect("/");
            });
            app.MapGet("/", (HttpContext context) => context.Request.Cookies["session"] == "1" ? Results.Content("home", "text/html") : Results.Redirect("/sign-in"));
            app.MapGet("/api/v1/queues", (HttpContext context) =>
                context.Request.Headers.Authorization == "Bearer key-1" ? Results.Json(new { items = new[] { new { name = "urgent" }, new { name = "bulk" } } }) : Results.Unauthorized());
            app.MapPost("/api/v1/jobs/echo", (EchoRequest request) =>
            {
                var jobId = Guid.CreateVersion7().ToString();
                _jobs[jobId] = (request.Queue, request.Text, 0);
                return Results.Json(new { jobId }, statusCode: 202);
            });
            app.MapGet("/api/v1/jobs/{id}", (string id) =>
            {
                var job = _jobs.AddOrUpdate(id, _ => default, (_, old) => old with { Asked = old.Asked + 1 });
                return job.Asked < 2 ? Results.Json(new { state = "running" })
                    : job.Queue == BrokenQueue ? Results.Json(new { state = "failed" })
                    : Results.Json(new { state = "done", result = new { text = job.Text } });
            });
            app.MapGet("/api/v1/imports/template", () => Results.Text($"{Header}\r\nL-1,Example\r\n", "text/csv"));
            app.MapPost("/api/v1/imports", async (HttpContext context, string fileName) =>
            {
                using var reader = new StreamReader(context.Request.Body);
                var lines = (await reader.ReadToEndAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
                if (lines[0] != Header || fileName != "smoke.csv")
                    return Results.BadRequest();
                _rows = lines.Length - 1;
                _disbursed = lines.Skip(1).Sum(line => decimal.Parse(line.Split(',')[10], CultureInfo.InvariantCulture));
                return Results.Json(new { importId = "i-1" }, statusCode: 202);
            });
            app.MapGet("/api/v1/imports/{id}", () => Results.Json(new
            {
                status = "done",
                rows = _rows,
                imported = _rows - 3,
                unchanged = 1,
                corrected = 2,
                rejected = 0,
                accepted = new { disbursed = (_disbursed + Surplus).ToString("0.00", CultureInfo.InvariantCulture) },
            }));
            return app;
        }

        private sealed record EchoRequest(string Queue, string Text);
    }
}
