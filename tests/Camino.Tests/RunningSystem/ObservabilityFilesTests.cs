using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Camino.Testing;
using Camino.Tests.HouseRules;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>Alert rules and dashboards speak of figures that exist, and each alert says what to do.</summary>
[Parallelizable]
public sealed partial class ObservabilityFilesTests
{
    private static string Folder => Path.Combine(House.Root, "deploy", "observability");

    private static string Alerts => File.ReadAllText(Path.Combine(Folder, "alerts.yml"));

    private static IReadOnlyList<string> Names => [.. AlertName().Matches(Alerts).Select(match => match.Groups["name"].Value)];

    [Test]
    public void Every_alert_has_its_page_and_every_page_its_alert()
    {
        var pages = Directory.GetFiles(Path.Combine(House.Root, "deploy", "runbooks"), "*.md").Select(Path.GetFileNameWithoutExtension);

        Assert.That(Names, Is.Not.Empty.And.Unique);
        Assert.That(pages, Is.SupersetOf(Names));
        foreach (var name in Names)
        {
            Assert.That(Alerts, Does.Contain($"runbook: deploy/runbooks/{name}.md"));
            var page = File.ReadAllText(Path.Combine(House.Root, "deploy", "runbooks", name + ".md"));
            Assert.That(page, Does.Contain("## What it means").And.Contain("## What to do").And.Contain("## When it is over"), name);
        }
    }

    [Test]
    public async Task Every_figure_that_a_rule_or_a_dashboard_names_is_told_by_a_role()
    {
        await using var camino = await RunningCamino.StartAsync();
        using (await camino.Api.PostAsJsonAsync("/api/v1/jobs/echo", new { text = "counted" }))
        {
        }

        using var inside = new HttpClient { BaseAddress = RunningCamino.AddressOf(camino.Async ?? throw new InvalidOperationException()) };
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var told = "";
        while (!told.Contains("camino_jobs_run_bucket", StringComparison.Ordinal))
        {
            await Task.Delay(100, limit.Token);
            told = await inside.GetStringAsync(new Uri("/metrics", UriKind.Relative), limit.Token) + await OfficeAsync(camino);
        }

        var known = Known().Matches(told).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        var named = Directory.GetFiles(Folder).Where(file => Path.GetFileName(file) == "alerts.yml" || file.EndsWith(".json", StringComparison.Ordinal)).SelectMany(file => Expressions(file).SelectMany(expression => Metric().Matches(Labels().Replace(expression, "")).Select(match => Base(match.Value)))).Distinct().ToList();

        Assert.That(named, Has.Count.GreaterThan(20));
        Assert.That(named.Where(name => !known.Contains(name) && !name.StartsWith("http_client", StringComparison.Ordinal)), Is.Empty);
        foreach (var figure in new[] { "camino_tasks{", "camino_jobs_done", "camino_jobs_run_bucket", "http_server_request_duration_count", "camino_requests_in_work", "camino_database_connections " })
            Assert.That(told, Does.Contain(figure), "the old cron jobs collected it");
    }

    private static async Task<string> OfficeAsync(RunningCamino camino)
    {
        using var answer = await camino.Api.GetAsync(new Uri("/metrics", UriKind.Relative));
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync() : OfficeText(camino);
    }

    /// <summary>The key of the tests is an officer's; the figures are an administrator's.</summary>
    private static string OfficeText(RunningCamino camino) =>
        ((Camino.Host.Health.MetricsText?)camino.Office.Services.GetService(typeof(Camino.Host.Health.MetricsText)) ?? throw new InvalidOperationException()).Write();

    private static IEnumerable<string> Expressions(string file)
    {
        if (file.EndsWith(".json", StringComparison.Ordinal))
        {
            using var board = JsonDocument.Parse(File.ReadAllText(file));
            return [.. board.RootElement.GetProperty("panels").EnumerateArray().SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString() ?? "")];
        }

        return Expression().Matches(File.ReadAllText(file)).Select(match => match.Groups["text"].Value);
    }

    /// <summary>A histogram is told by three families of one name.</summary>
    private static string Base(string name) => Suffix().Replace(name, "");

    [GeneratedRegex(@"- alert: (?<name>\w+)", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex AlertName();

    [GeneratedRegex(@"^# TYPE (?<name>\w+) ", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1_000)]
    private static partial Regex Known();

    [GeneratedRegex(@"expr: >-\n\s+(?<text>[^\n]+)", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Expression();

    [GeneratedRegex(@"\{[^}]*\}|by \([^)]*\)", RegexOptions.None, 1_000)]
    private static partial Regex Labels();

    [GeneratedRegex(@"\b(camino|http|dotnet|aspnetcore|kestrel|db)_[a-z0-9_]+", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Metric();

    [GeneratedRegex("_(bucket|count|sum)$", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Suffix();
}
