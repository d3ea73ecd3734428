using System.Runtime.Versioning;
using Camino.Host.Local;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace Camino.Tests.Local;

/// <summary>Roles as processes: small shells stand in for them.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class StartedRoleTests
{
    private static readonly Dictionary<string, string?> NoVariables = [];
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("camino-role-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_role_that_ends_before_it_is_ready_is_told_at_once_with_its_last_words()
    {
        using var role = Start("echo '{\"Level\":\"Fatal\",\"RenderedMessage\":\"Jobs:Slots is 0; it must be 1 to 256\"}'; exit 78");
        using var http = new HttpClient();

        var refused = await Assert.ThrowsAsync<LocalStartException>(() => role.ReadyAsync(http, TimeSpan.FromSeconds(30), CancellationToken.None));

        Assert.That(refused?.Message, Does.Contain("exit code 78").And.Contain("Jobs:Slots is 0; it must be 1 to 256"));
    }

    [Test]
    public async Task A_role_is_ready_when_its_health_says_so()
    {
        var asked = 0;
        await using var app = Quiet();
        app.MapGet("/health/ready", () => Interlocked.Increment(ref asked) < 3 ? Results.StatusCode(503) : Results.Ok());
        await app.StartAsync();
        using var role = Start("sleep 60", app.Urls.First());
        using var http = new HttpClient();

        await role.ReadyAsync(http, TimeSpan.FromSeconds(30), CancellationToken.None);

        Assert.That(asked, Is.EqualTo(3));
        Assert.That(await role.StopAsync(TimeSpan.FromSeconds(10)), Is.True);
    }

    [Test]
    public async Task A_role_that_is_not_ready_in_time_is_reported_with_its_last_answer()
    {
        await using var app = Quiet();
        app.MapGet("/health/ready", () => Results.Text("The database does not answer.", statusCode: 503));
        await app.StartAsync();
        using var role = Start("sleep 60", app.Urls.First());
        using var http = new HttpClient();

        var refused = await Assert.ThrowsAsync<LocalStartException>(() => role.ReadyAsync(http, TimeSpan.FromMilliseconds(300), CancellationToken.None));

        Assert.That(refused?.Message, Does.Contain("The database does not answer."));
        await role.StopAsync(TimeSpan.FromSeconds(10));
    }

    [Test]
    public async Task A_role_that_does_not_listen_to_the_request_to_stop_is_killed()
    {
        using var role = Start("trap '' TERM; echo deaf; while :; do sleep 60; done");
        await WaitForLogAsync(role, "deaf");

        Assert.That(await role.StopAsync(TimeSpan.FromMilliseconds(200)), Is.False);
        Assert.That(role.Ended.IsCompleted, Is.True);
    }

    [Test]
    public async Task Errors_in_the_log_are_shown_and_nothing_else()
    {
        using var role = Start("printf '%s\\n' '{\"Level\":\"Information\",\"RenderedMessage\":\"quiet\"}' '{\"Level\":\"Error\",\"RenderedMessage\":\"Job 7 failed\",\"Exception\":\"System.IO.IOException: disk full\\n at X\"}'");
        var shown = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var enough = new CancellationTokenSource();

        var showing = role.Log.ShowErrorsAsync(line => shown.TrySetResult(line), enough.Token);

        Assert.That(await shown.Task.WaitAsync(TimeSpan.FromSeconds(20)), Is.EqualTo("Async: Job 7 failed (System.IO.IOException: disk full)"));
        await enough.CancelAsync();
        await showing;
    }

    [Test]
    public async Task Three_earlier_logs_are_kept()
    {
        for (var start = 1; start <= 5; start++)
        {
            var log = RoleLog.Begin(_folder, "Async");
            await File.WriteAllTextAsync(log.File, $"start {start}");
        }

        var kept = Directory.GetFiles(_folder).Order(StringComparer.Ordinal).Select(file => (Path.GetFileName(file), File.ReadAllText(file)));
        Assert.That(kept, Is.EqualTo([("Async.1.log", "start 4"), ("Async.2.log", "start 3"), ("Async.3.log", "start 2"), ("Async.log", "start 5")]));
    }

    [Test]
    public async Task What_a_killed_run_left_behind_is_ended_and_other_programs_are_not()
    {
        var data = Path.Combine(_folder, "data");
        using var role = Start("sleep 60 # camino run --config /camino/appsettings.Async.json");
        using var other = Start("sleep 60 # something else");
        using var folder = DataFolder.Take(data);
        await Running("Async", role.Pid, other.Pid).WriteAsync(data, CancellationToken.None);
        var said = new List<string>();

        await folder.StopLeftoversAsync(said.Add, CancellationToken.None);

        await role.Ended.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.That(other.Ended.IsCompleted, Is.False);
        Assert.That(said, Has.Count.EqualTo(1));
        Assert.That(Host.Local.Running.Read(data), Is.Null);
        await other.StopAsync(TimeSpan.FromSeconds(5));
    }

    [Test]
    public async Task A_second_up_on_the_same_folder_is_refused_with_the_address_of_the_first()
    {
        using var folder = DataFolder.Take(_folder);
        await Running("Async").WriteAsync(_folder, CancellationToken.None);

        var refused = Assert.Throws<LocalStartException>(() => DataFolder.Take(_folder));

        Assert.That(refused?.Message, Does.Contain("already running").And.Contain("http://127.0.0.1:8080"));
        Assert.That(File.GetUnixFileMode(Path.Combine(_folder, "running.json")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    private static Running Running(string role, params int[] pids) => new()
    {
        Pid = Environment.ProcessId,
        Address = "http://127.0.0.1:8080",
        ConnectionString = "Host=127.0.0.1",
        FilesFolder = "/camino/files",
        Roles = [.. pids.Select(pid => new RunningRole(role, pid, "http://127.0.0.1:8081", "/camino/appsettings.Async.json"))],
    };

    private static WebApplication Quiet()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        return app;
    }

    private StartedRole Start(string script, string address = "http://127.0.0.1:1") =>
        StartedRole.Start("Async", address, "/camino/appsettings.Async.json", ["/bin/sh", "-c", script], NoVariables, RoleLog.Begin(_folder, "Async"));

    private static async Task WaitForLogAsync(StartedRole role, string text)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!role.Log.LastLines(5).Contains(text))
            await Task.Delay(10, limit.Token);
    }
}
