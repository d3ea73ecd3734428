#if HANGFIRE
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.Operations;

/// <summary>Both roles with Hangfire behind the contract. Built with <c>-p:JobEngine=Hangfire</c>.</summary>
[Parallelizable]
public sealed partial class HangfireTests
{
    [Test]
    public async Task Staff_work_as_ever_and_the_dashboard_asks_for_a_right_of_its_own_to_look_and_to_press()
    {
        await using var camino = await RunningCamino.StartAsync(engine: "Hangfire");
        var import = await camino.ImportAsync("Loan number,Amount\n1,2\n"u8.ToArray(), query: "&dryRun=true");
        Assert.That(import.GetProperty("status").GetString(), Is.Not.Null);
        using (var asked = await camino.Api.PostAsJsonAsync("/api/v1/jobs/echo", new { text = "by Hangfire" }))
        {
            var id = (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("jobId").GetGuid();
            await UntilAsync(async () => (await camino.Api.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{id}")).GetProperty("state").GetString() == "done");
        }

        using var nobody = camino.Client();
        using var away = await nobody.GetAsync(new Uri("/hangfire", UriKind.Relative));
        Assert.That((away.StatusCode, away.Headers.Location?.PathAndQuery), Is.EqualTo((HttpStatusCode.Redirect, "/sign-in?ReturnUrl=%2Fhangfire")));

        using var viewer = await SignedInAsync(camino, "viewer");
        Assert.That(await viewer.GetStringAsync(new Uri("/hangfire/jobs/succeeded", UriKind.Relative)), Does.Contain("operations.echo").And.Not.Contain("js-jobs-list-command"), "a viewer looks and has no button");
        using var admin = await SignedInAsync(camino, "admin");
        Assert.That(await admin.GetStringAsync(new Uri("/hangfire/jobs/succeeded", UriKind.Relative)), Does.Contain("js-jobs-list-command"));
        using var bare = await viewer.PostAsync(new Uri("/hangfire/jobs/actions/requeue/1", UriKind.Relative), null);
        Assert.That((int)bare.StatusCode, Is.InRange(400, 403), "neither the right nor the token");
        Assert.That(await camino.ScalarAsync<long>("SELECT count(*) FROM camino.audit_entries WHERE subject = 'hangfire'"), Is.Zero, "nothing was asked by somebody who may");

        using var form = new FormUrlEncodedContent([new("jobs[]", "7"), new("jobs[]", "maria@example.com"), new("jobs[]", "8")]);
        using var pressed = await admin.PostAsync(new Uri("/hangfire/jobs/succeeded/requeue", UriKind.Relative), form);
        using var figures = await admin.PostAsync(new Uri("/hangfire/stats", UriKind.Relative), null);
        using var typed = await admin.PostAsync(new Uri("/hangfire/recurring/Maria%20Perez", UriKind.Relative), null);
        Assert.That(
            await camino.ScalarAsync<string[]>("SELECT array_agg(action || ' ' || subject_id || ' ' || (details->>'jobs') || ' ' || (user_id IS NOT NULL) ORDER BY id) FROM camino.audit_entries WHERE subject = 'hangfire'"),
            Is.EqualTo(new[] { "hangfire.asked /jobs/succeeded/requeue [7, 8] true", "hangfire.asked /recurring/* [] true" }));
    }

    private static async Task<HttpClient> SignedInAsync(RunningCamino camino, string name)
    {
        var client = camino.Client();
        var page = await client.GetStringAsync(new Uri("/sign-in", UriKind.Relative));
        var token = Token().Match(page).Groups["token"].Value;
        using var form = new FormUrlEncodedContent([new("__RequestVerificationToken", token), new("Email", $"{name}@demo.camino.example"), new("Password", RunningCamino.Password)]);
        using var signedIn = await client.PostAsync(new Uri("/sign-in", UriKind.Relative), form);
        Assert.That(signedIn.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        return client;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
            await Task.Delay(50, limit.Token);
    }

    [GeneratedRegex("""name="__RequestVerificationToken"[^>]*value="(?<token>[^"]+)""", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Token();
}
#endif
