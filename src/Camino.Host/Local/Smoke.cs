using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Camino.Host.Local;

/// <summary>The shortest proof that a running Camino works: a page, a sign-in, a job through every queue, a portfolio in and its sum right. One line each.</summary>
internal sealed partial class Smoke(Uri address, DemoAccess? demo, Action<string> say) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan JobLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ImportLimit = TimeSpan.FromMinutes(2);

    private readonly HttpClient _browser = Client(address);
    private readonly HttpClient _program = Client(address);
    private bool _passed = true;

    /// <summary>Runs all checks; one that fails does not keep the next from running.</summary>
    /// <returns>Whether all passed.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        if (demo?.ApiKey is { } key)
            _program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);

        await CheckAsync("the sign-in page answers", PageAnswersAsync, ct);
        await CheckAsync("sign-in works", SignInWorksAsync, ct);
        foreach (var queue in await QueuesAsync(ct))
            await CheckAsync($"a job goes through the queue {queue}", token => JobGoesThroughAsync(queue, token), ct);
        await CheckAsync($"a portfolio of {SmokePortfolio.Rows.ToString(CultureInfo.InvariantCulture)} loans is imported", PortfolioIsImportedAsync, ct);
        return _passed;
    }

    /// <summary>What may be asked of an environment with real loans: it must be ready and of that release, a page and the API answer, and a job goes through every queue. Nothing is stored but those jobs.</summary>
    /// <param name="release">Name or number that the answer must hold; null when any will do.</param>
    /// <returns>Whether all passed.</returns>
    public async Task<bool> RunOutsideAsync(int? release, CancellationToken ct)
    {
        if (demo?.ApiKey is { } key)
            _program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);

        await CheckAsync("the Back Office is ready", token => IsReadyAsync(release, token), ct);
        await CheckAsync("the sign-in page answers", PageAnswersAsync, ct);
        foreach (var queue in await QueuesAsync(ct))
            await CheckAsync($"a job goes through the queue {queue}", token => JobGoesThroughAsync(queue, token), ct);
        return _passed;
    }

    public void Dispose()
    {
        _browser.Dispose();
        _program.Dispose();
    }

    private async Task<string> IsReadyAsync(int? release, CancellationToken ct)
    {
        using var response = await _browser.GetAsync(Relative("/health/ready"), ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        Expect(response.StatusCode == HttpStatusCode.OK, $"GET /health/ready answered {Status(response)}: {text}");
        using var answer = JsonDocument.Parse(text);
        var number = answer.RootElement.GetProperty("number").GetInt32();
        Expect(release is not { } expected || expected == number, string.Create(CultureInfo.InvariantCulture, $"release {number} answers and not release {release}"));
        return string.Create(CultureInfo.InvariantCulture, $"release {number}");
    }

    private async Task<string> PageAnswersAsync(CancellationToken ct)
    {
        using var response = await _browser.GetAsync(Relative("/sign-in"), ct);
        Expect(response.StatusCode == HttpStatusCode.OK, $"GET /sign-in answered {Status(response)}");
        var type = response.Content.Headers.ContentType?.MediaType;
        Expect(type == "text/html", $"GET /sign-in answered {type}, not a page");
        return $"GET /sign-in {Status(response)}";
    }

    private async Task<string> SignInWorksAsync(CancellationToken ct)
    {
        var user = demo is { Users: [var first, ..] } ? first : throw new SmokeFailedException("there is no demo user");
        var page = await _browser.GetStringAsync(Relative("/sign-in"), ct);
        var token = TokenField().Match(page);
        Expect(token.Success, "the form on /sign-in has no field __RequestVerificationToken");

        using var form = new FormUrlEncodedContent(
        [
            new("__RequestVerificationToken", WebUtility.HtmlDecode(ValueAttribute().Match(token.Value).Groups["value"].Value)),
            new("Email", user.Email),
            new("Password", user.Password),
        ]);
        using var posted = await _browser.PostAsync(Relative("/sign-in"), form, ct);
        Expect((int)posted.StatusCode is 302 or 303, $"POST /sign-in answered {Status(posted)}, not a redirect");

        using var home = await _browser.GetAsync(Relative("/"), ct);
        Expect(home.StatusCode == HttpStatusCode.OK, $"after the sign-in, GET / answered {Status(home)}");
        return user.Email;
    }

    private async Task<IReadOnlyList<string>> QueuesAsync(CancellationToken ct)
    {
        IReadOnlyList<string> names = [];
        await CheckAsync(
            "the queues are known",
            async token =>
            {
                var queues = await GetAsync("/api/v1/queues", token);
                names = [.. queues.GetProperty("items").EnumerateArray().Select(queue => queue.GetProperty("name").GetString() ?? "")];
                Expect(names.Count > 0, "GET /api/v1/queues names none");
                return string.Join(", ", names);
            },
            ct);
        return names;
    }

    private async Task<string> JobGoesThroughAsync(string queue, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        var text = $"smoke {RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        using var posted = await _program.PostAsJsonAsync(Relative("/api/v1/jobs/echo"), new { queue, text }, ct);
        var id = (await AcceptedAsync(posted, ct)).GetProperty("jobId").GetString();

        var job = await EndAsync($"/api/v1/jobs/{id}", "state", JobLimit, ct);
        var state = job.GetProperty("state").GetString();
        Expect(state == "done", $"the job {id} ended as {state}: {job}");
        var result = job.GetProperty("result").GetProperty("text").GetString();
        Expect(result == text, $"the job {id} was to answer \"{text}\" and answered \"{result}\"");
        return string.Create(CultureInfo.InvariantCulture, $"{watch.ElapsedMilliseconds} ms");
    }

    private async Task<string> PortfolioIsImportedAsync(CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        var template = await _program.GetStringAsync(Relative("/api/v1/imports/template"), ct);
        var (csv, disbursed) = SmokePortfolio.Make(template.TrimStart('\uFEFF').Split('\n')[0].Trim(), RandomNumberGenerator.GetHexString(8));

        using var body = new StringContent(csv, Encoding.UTF8, "text/csv");
        using var posted = await _program.PostAsync(Relative("/api/v1/imports?fileName=smoke.csv"), body, ct);
        var id = (await AcceptedAsync(posted, ct)).GetProperty("importId").GetString();

        var import = await EndAsync($"/api/v1/imports/{id}", "status", ImportLimit, ct);
        var status = import.GetProperty("status").GetString();
        Expect(status == "done", $"the import {id} ended as {status}: {import}");
        long Count(string name) => import.GetProperty(name).GetInt64();
        Expect(Count("rows") == SmokePortfolio.Rows, $"it read {Count("rows")} rows");
        Expect(Count("rejected") == 0, $"it rejected {Count("rejected")} rows");
        var all = Count("imported") + Count("unchanged") + Count("corrected") + Count("rejected");
        Expect(all == SmokePortfolio.Rows, $"imported, unchanged, corrected and rejected add up to {all}");
        var sum = Amount(import.GetProperty("accepted").GetProperty("disbursed"));
        Expect(sum == disbursed, string.Create(CultureInfo.InvariantCulture, $"disbursed adds up to {sum:0.00} and must be {disbursed:0.00}"));
        return string.Create(CultureInfo.InvariantCulture, $"disbursed {disbursed:#,0.00}, {watch.Elapsed.TotalSeconds:0.0} s");
    }

    private async Task CheckAsync(string what, Func<CancellationToken, Task<string>> check, CancellationToken ct)
    {
        try
        {
            say($"ok   {what} ({await check(ct)})");
        }
        catch (Exception failed) when (failed is SmokeFailedException or HttpRequestException or TaskCanceledException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            ct.ThrowIfCancellationRequested();
            _passed = false;
            say($"FAIL {what}: {failed.Message}");
        }
    }

    /// <summary>Asks until the job or import has come to an end, good or bad.</summary>
    private async Task<JsonElement> EndAsync(string path, string stateName, TimeSpan limit, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        var last = "";
        while (watch.Elapsed < limit)
        {
            var now = await GetAsync(path, ct);
            last = now.GetProperty(stateName).GetString() ?? "";
            if (last is "done" or "failed" or "cancelled")
                return now;
            await Task.Delay(Pause, ct);
        }

        throw new SmokeFailedException(string.Create(CultureInfo.InvariantCulture, $"{path} is still \"{last}\" after {limit.TotalSeconds:0} seconds"));
    }

    private async Task<JsonElement> GetAsync(string path, CancellationToken ct)
    {
        using var response = await _program.GetAsync(Relative(path), ct);
        Expect(response.StatusCode == HttpStatusCode.OK, $"GET {path} answered {Status(response)}");
        return await response.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    private static async Task<JsonElement> AcceptedAsync(HttpResponseMessage response, CancellationToken ct)
    {
        Expect(
            response.StatusCode == HttpStatusCode.Accepted,
            $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath} answered {Status(response)}: {await response.Content.ReadAsStringAsync(ct)}");
        return await response.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    /// <summary>Amounts travel as text, so that no reader makes binary fractions of them.</summary>
    private static decimal Amount(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? decimal.Parse(value.GetString() ?? "", CultureInfo.InvariantCulture) : value.GetDecimal();

    private static void Expect(bool isSo, string otherwise)
    {
        if (!isSo)
            throw new SmokeFailedException(otherwise);
    }

    private static string Status(HttpResponseMessage response) => ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);

    private static Uri Relative(string path) => new(path, UriKind.Relative);

    private static HttpClient Client(Uri address) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };

    [GeneratedRegex("<input[^>]*name=\"__RequestVerificationToken\"[^>]*>", RegexOptions.CultureInvariant)]
    private static partial Regex TokenField();

    [GeneratedRegex("value=\"(?<value>[^\"]*)\"", RegexOptions.CultureInvariant)]
    private static partial Regex ValueAttribute();

    private sealed class SmokeFailedException(string message) : Exception(message);
}
