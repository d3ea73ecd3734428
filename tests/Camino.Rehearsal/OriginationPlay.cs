using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Camino.Rehearsal;

/// <summary>How large the play is and what goes wrong in it.</summary>
/// <param name="Applications">Handed in by all clients together, 20 to 100,000.</param>
/// <param name="PerSecond">Handed in each second, by all clients together.</param>
/// <param name="Kill">An Async Server is killed this often.</param>
/// <param name="Outage">So long no outside service answers, once.</param>
/// <param name="Bulk">Lines of the bulk request at the end, when nobody works the queue; 0: none.</param>
internal sealed record OriginationTerms(int Applications, int PerSecond, TimeSpan Kill, TimeSpan Outage, int Bulk)
{
    public const int Clients = 20;
    public const double Errors = 0.05;

    /// <summary>Of each outside service: questions at once, and begun within any minute.</summary>
    public const int AtOnce = 6;
    public const int PerMinute = 6_000;
}

/// <summary>What the play showed.</summary>
internal sealed record OriginationResult(
    int Applications, double Seconds, int Kills, int Outages, long Asked, long Billed, long Repeated, long Errors, long Down, int MostAtOnce, int MostInMinute, long Attempts,
    double AnswerP50, double AnswerP99, double PageIdleP99, double PageP50, double PageP99, double BulkLinesPerSecond, IReadOnlyList<string> Faults);

/// <summary>
/// Many clients hand applications in while outside services fail and fall silent, Async Servers are killed and a deploy goes on: every application reaches underwriting once, nobody is asked to be paid twice for a report, and the limits of
/// the services hold.
/// </summary>
internal sealed class OriginationPlay(Stage stage, Build previous, Build next, OriginationTerms terms, Action<string> say, CancellationToken ct)
{
    private const int Tries = 200;

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly List<ChildProcess> _workers = [];
    private readonly List<(ChildProcess Process, Uri Address)> _offices = [];
    private readonly ConcurrentBag<double> _answers = [];
    private readonly ConcurrentQueue<string> _faults = new();
    private bool _isDeployed;
    private string _services = "";
    private int _kills;
    private long _sent;

    private Build Current => _isDeployed ? next : previous;

    public async Task<OriginationResult> RunAsync()
    {
        _services = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Stage.FreePort()}");
        await BeginAsync();
        using var sandbox = new HttpClient { BaseAddress = new Uri(_services) };
        var keys = await ClientsAsync();
        say("pages alone");
        var idle = await PagesAsync(TimeSpan.FromSeconds(5), CancellationToken.None);

        say(string.Create(CultureInfo.InvariantCulture, $"{OriginationTerms.Clients} clients hand in {terms.Applications:#,0} applications, {terms.PerSecond} a second"));
        var began = Stopwatch.GetTimestamp();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var pages = PagesAsync(Timeout.InfiniteTimeSpan, over.Token);
        var killing = KillAsync(over.Token);
        var sending = Task.WhenAll(keys.Select((key, i) => SendAllAsync(key, i)));
        await UntilSentAsync(terms.Applications / 4);
        say("no outside service answers");
        using (var outage = await sandbox.PostAsJsonAsync("/sandbox/outage", new { seconds = (int)terms.Outage.TotalSeconds }, ct))
            outage.EnsureSuccessStatusCode();
        await UntilSentAsync(terms.Applications / 2);
        await DeployAsync();
        await sending;
        await UntilUnderwritingAsync();
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await over.CancelAsync();
        await killing;
        var busy = await pages;

        var figures = await sandbox.GetFromJsonAsync<Dictionary<string, JsonElement>>("/sandbox/figures", ct) ?? [];
        await JudgeAsync(figures);
        var bulk = terms.Bulk > 0 ? await BulkAsync(keys[0]) : 0;
        var answers = _answers.Order().ToList();
        long Sum(string name) => figures.Values.Sum(service => service.GetProperty(name).GetInt64());
        return new OriginationResult(
            terms.Applications, seconds, _kills, 1, Sum("asked"), Sum("billed"), Sum("repeated"), Sum("errors"), Sum("down"), figures.Values.Max(service => service.GetProperty("mostAtOnce").GetInt32()), figures.Values.Max(service => service.GetProperty("mostInMinute").GetInt32()),
            await stage.ScalarAsync<long>("select coalesce(sum(attempts), 0) from camino.application_steps"), Percentile(answers, 50), Percentile(answers, 99), Percentile(idle, 99), Percentile(busy, 50), Percentile(busy, 99), bulk, [.. _faults]);
    }

    private async Task BeginAsync()
    {
        say("migrating, and starting two Back Offices, two Async Servers and the outside services");
        await stage.RunAsync(previous, "migrate");
        await stage.SeedAsync(previous);
        await stage.RunAsync(previous, "screening", "import", WriteLists());
        stage.StartSandbox(previous, new Uri(_services), OriginationTerms.Errors);
        await Stage.UntilAsync(async () => await Stage.StatusAsync(new Uri(_services), "/health/ready") == 200, "the sandbox", ct);
        await StartAsync();
        await stage.RunAsync(previous, "release", "promote");
    }

    /// <returns>Their keys.</returns>
    private async Task<IReadOnlyList<string>> ClientsAsync()
    {
        var keys = new List<string>();
        for (var i = 1; i <= OriginationTerms.Clients; i++)
            keys.Add((await stage.RunAsync(previous, "client", "add", string.Create(CultureInfo.InvariantCulture, $"Broker {i}"), "--scopes", "applications:create,applications:read", "--per-minute", "6000", "--burst", "500")).Split('\n').Last(line => line.Length > 0).Trim());
        return keys;
    }

    private async Task StartAsync()
    {
        for (var i = 0; i < 2; i++)
        {
            var office = stage.StartOffice(Current);
            _offices.Add(office);
            await Stage.UntilAsync(async () => await Stage.StatusAsync(office.Address, "/health/ready") == 200, $"{office.Address} to be ready", ct);
            _workers.Add(StartWorker());
        }

        await Stage.UntilAsync(async () => await stage.ScalarAsync<long>(string.Create(CultureInfo.InvariantCulture, $"select count(*) from camino.processes where release_number = {Current.Release} and takes_work and state <> 'ended'")) >= 2, "the Async Servers to be known", ct);
        await Task.Delay(TimeSpan.FromMilliseconds(600), ct); // two rounds of the proxy's check
    }

    private ChildProcess StartWorker() => stage.StartAsyncServer(Current, [.. new[] { "Registry", "Credit", "Identity" }.SelectMany(name => new (string, string)[]
    {
        ($"CAMINO_Providers__{name}__Address", _services),
        ($"CAMINO_Providers__{name}__AtOnce", OriginationTerms.AtOnce.ToString(CultureInfo.InvariantCulture)),
        ($"CAMINO_Providers__{name}__PerMinute", OriginationTerms.PerMinute.ToString(CultureInfo.InvariantCulture)),
        ($"CAMINO_Providers__{name}__RestSeconds", "3"),
    })]);

    /// <summary>One worker after the other dies without a word, and another takes its place.</summary>
    private async Task KillAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.Delay(terms.Kill, stop);
                await _gate.WaitAsync(stop);
                try
                {
                    // the one before has taken its place, also on a machine where a start takes long: else nobody would be left to work
                    while (await stage.LivingAsync(_workers[^1]) == 0)
                        await Task.Delay(50, stop);
                    await _workers[0].KillAsync();
                    _workers.RemoveAt(0);
                    _workers.Add(StartWorker());
                    _kills++;
                }
                finally
                {
                    _gate.Release();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // all is over
        }
    }

    /// <summary>As the pipeline does it, while everything else goes on.</summary>
    private async Task DeployAsync()
    {
        say("a deploy");
        await stage.RunAsync(next, "release", "guard");
        await stage.RunAsync(next, "migrate");
        await stage.RunAsync(next, "release", "admit");
        var (oldOffices, oldWorkers) = (_offices.ToList(), new List<ChildProcess>());
        _offices.Clear();
        await _gate.WaitAsync(ct);
        try
        {
            oldWorkers.AddRange(_workers);
            _workers.Clear();
            _isDeployed = true;
            await StartAsync();
        }
        finally
        {
            _gate.Release();
        }

        var codes = await Task.WhenAll(oldOffices.Select(office => office.Process).Concat(oldWorkers).Select(process => process.StopAsync()));
        if (codes.Any(code => code != 0))
            _faults.Enqueue($"a server that was told to stop ended with exit codes {string.Join(", ", codes)}");
        await stage.RunAsync(next, "release", "promote");
        say("deployed");
    }

    private async Task SendAllAsync(string key, int client)
    {
        using var http = stage.Client();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        var count = (terms.Applications / OriginationTerms.Clients) + (client < terms.Applications % OriginationTerms.Clients ? 1 : 0);
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            var due = began + (long)((i + ((double)client / OriginationTerms.Clients)) * OriginationTerms.Clients / terms.PerSecond * Stopwatch.Frequency);
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, ct);
            await SendAsync(http, client, i);
            Interlocked.Increment(ref _sent);
        }
    }

    /// <summary>Until it is taken, with one key: what was taken and not heard is not taken again.</summary>
    private async Task SendAsync(HttpClient http, int client, int number)
    {
        var key = Guid.NewGuid().ToString();
        for (var attempt = 1; attempt <= Tries; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications", UriKind.Relative)) { Content = JsonContent.Create(Application(client, number)) };
            request.Headers.Add("Idempotency-Key", key);
            var sent = Stopwatch.GetTimestamp();
            try
            {
                using var answer = await http.SendAsync(request, ct);
                var text = await answer.Content.ReadAsStringAsync(ct);
                if (answer.StatusCode == HttpStatusCode.Accepted)
                {
                    _answers.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
                    return;
                }

                if ((int)answer.StatusCode is not (429 or >= 500))
                {
                    _faults.Enqueue(string.Create(CultureInfo.InvariantCulture, $"an application was answered {(int)answer.StatusCode}: {text[..Math.Min(text.Length, 200)]}"));
                    return;
                }
            }
            catch (Exception silent) when (silent is HttpRequestException or IOException || (silent is TaskCanceledException && !ct.IsCancellationRequested))
            {
                // asked again below
            }

            await Task.Delay(TimeSpan.FromMilliseconds(250), ct);
        }

        _faults.Enqueue("an application was never taken");
    }

    private static object Application(int client, int number)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Words[number % Words.Length]} {Words[number / Words.Length % Words.Length]} {client}-{number} LLC");
        return new
        {
            name,
            phones = new[] { string.Create(CultureInfo.InvariantCulture, $"512 {200 + client} {number % 10_000:0000}") },
            amount = "25000.00",
            ein = string.Create(CultureInfo.InvariantCulture, $"47-{client:00}{number:00000}"),
            creditConsent = true,
            owners = new[] { new { name = "Rosa Diaz", sharePercent = "100", isGuarantor = true, birthDate = "1980-01-02", taxNumber = string.Create(CultureInfo.InvariantCulture, $"{123 + client}-45-{1 + (number % 9_999):0000}") } },
        };
    }

    private static readonly string[] Words = ["Juniper", "Harbor", "Cedar", "Willow", "Granite", "Heron", "Copper", "Prairie", "Lantern", "Meadow", "Falcon", "Orchard"];

    private async Task UntilSentAsync(int count)
    {
        while (Interlocked.Read(ref _sent) < count)
            await Task.Delay(50, ct);
    }

    private async Task UntilUnderwritingAsync()
    {
        var last = -1L;
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var there = await stage.ScalarAsync<long>("select count(*) from camino.applications where state = 3");
            if (there >= terms.Applications)
                return;
            if (_faults.TryPeek(out var fault))
                throw new RehearsalException(fault);
            if (there != last)
                (last, since) = (there, Stopwatch.GetTimestamp());
            else if (Stopwatch.GetElapsedTime(since) > TimeSpan.FromMinutes(5))
                throw new RehearsalException($"{there} of {terms.Applications} applications are in underwriting, and for five minutes none came.");
            say(string.Create(CultureInfo.InvariantCulture, $"{there:#,0} of {terms.Applications:#,0} are in underwriting"));
            await Task.Delay(TimeSpan.FromSeconds(terms.Applications > 1_000 ? 10 : 1), ct);
        }
    }

    private async Task JudgeAsync(Dictionary<string, JsonElement> figures)
    {
        async Task ExpectAsync(string what, string sql, long wanted)
        {
            var found = await stage.ScalarAsync<long>(sql);
            if (found != wanted)
                _faults.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{what}: {found}, not {wanted}"));
        }

        void Expect(string what, long found, long wanted)
        {
            if (found != wanted)
                _faults.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{what}: {found}, not {wanted}"));
        }

        await ExpectAsync("applications", "select count(*) from camino.applications", terms.Applications);
        await ExpectAsync("applications in underwriting", "select count(*) from camino.applications where state = 3", terms.Applications);
        await ExpectAsync("moves of applications: received, checks begun, checks ended", "select count(*) from camino.application_events where move in (1, 2, 3)", 3L * terms.Applications);
        await ExpectAsync("moves of applications made twice", "select count(*) from (select 1 from camino.application_events group by application_id, move having count(*) > 1) twice", 0);
        await ExpectAsync("steps done", "select count(*) from camino.application_steps where state = 2", 5L * terms.Applications);
        await ExpectAsync("jobs that failed for good", "select count(*) from jobs.finished where state = 'failed'", 0);
        foreach (var (service, reports) in new[] { ("registry", 1), ("credit", 2), ("identity", 1) })
        {
            Expect($"reports billed by {service}", figures[service].GetProperty("billed").GetInt64(), (long)reports * terms.Applications);
            if (figures[service].GetProperty("mostAtOnce").GetInt32() is var most && most > OriginationTerms.AtOnce)
                _faults.Enqueue($"{service} was asked {most} questions at once; its limit is {OriginationTerms.AtOnce}");
            if (figures[service].GetProperty("mostInMinute").GetInt32() is var inMinute && inMinute > OriginationTerms.PerMinute)
                _faults.Enqueue($"{service} was asked {inMinute} questions in a minute; its limit is {OriginationTerms.PerMinute}");
        }
    }

    /// <summary>A page a tenth of a second, when the clock says so.</summary>
    /// <returns>Milliseconds from due to the last byte, ascending.</returns>
    private async Task<List<double>> PagesAsync(TimeSpan duration, CancellationToken stop)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop, ct);
        ends.CancelAfter(duration);
        var times = new ConcurrentBag<double>();
        var sent = new List<Task>();
        var began = Stopwatch.GetTimestamp();
        for (var i = 0L; !ends.IsCancellationRequested; i++)
        {
            var due = began + (i * Stopwatch.Frequency / 10);
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, CancellationToken.None);
            sent.Add(Task.Run(async () =>
            {
                try
                {
                    using var answer = await stage.Pages.GetAsync(new Uri("/sign-in", UriKind.Relative), ct);
                    _ = await answer.Content.ReadAsStringAsync(ct);
                    times.Add(Stopwatch.GetElapsedTime(due).TotalMilliseconds);
                    if (answer.StatusCode != HttpStatusCode.OK)
                        _faults.Enqueue(string.Create(CultureInfo.InvariantCulture, $"a page was answered {(int)answer.StatusCode}"));
                }
                catch (HttpRequestException broken)
                {
                    _faults.Enqueue($"a page was not answered: {broken.Message}");
                }
            }, ct));
            if (sent.Count > 500)
                sent.RemoveAll(task => task.IsCompleted);
        }

        await Task.WhenAll(sent);
        return [.. times.Order()];
    }

    /// <summary>One request with many lines, while nobody works the queue.</summary>
    /// <returns>Lines a second.</returns>
    private async Task<double> BulkAsync(string key)
    {
        say(string.Create(CultureInfo.InvariantCulture, $"one request with {terms.Bulk:#,0} lines"));
        await Task.WhenAll(_workers.Select(worker => worker.StopAsync()));
        var body = new StringBuilder();
        for (var i = 0; i < terms.Bulk; i++)
            body.Append(JsonSerializer.Serialize(Application(OriginationTerms.Clients, i))).Append('\n');
        using var http = stage.Client();
        http.Timeout = TimeSpan.FromHours(1);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_offices[0].Address, "/api/v1/applications/bulk")) { Content = new StringContent(body.ToString(), Encoding.UTF8, "application/x-ndjson") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        var began = Stopwatch.GetTimestamp();
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        var accepted = 0;
        var other = "";
        using (var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(ct)))
        {
            while (await reader.ReadLineAsync(ct) is { } line)
            {
                if (line.Contains("\"accepted\"", StringComparison.Ordinal))
                    accepted++;
                else if (line.Length > 0)
                    other = line;
            }
        }

        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        if (accepted != terms.Bulk)
            _faults.Enqueue($"{accepted} of {terms.Bulk} lines of the bulk request were taken; one answer: {other[..Math.Min(other.Length, 200)]}");
        var there = await stage.ScalarAsync<long>("select count(*) from camino.applications");
        if (there != terms.Applications + accepted)
            _faults.Enqueue($"{there} applications are there after the bulk request, not {terms.Applications + accepted}");
        return accepted / took;
    }

    /// <summary>Sanctions lists in OFAC's layout with invented names, so that nobody has to bring the real ones.</summary>
    private string WriteLists()
    {
        var folder = stage.MakeFolder("lists");
        const string Blank = "-0- ";
        foreach (var (name, line) in new[]
        {
            ("sdn.csv", $"1,\"VELASQUEZ IBARRA, Tomas\",\"individual\",\"TEST\",{Blank},{Blank},{Blank},{Blank},{Blank},{Blank},{Blank},\"DOB 14 Mar 1961.\""), ("alt.csv", "1,1,\"aka\",\"VELASCO, Tomas\",-0- "), ("add.csv", "1,1,\"Calle 1\",\"Cali\",\"Colombia\",-0- "),
            ("sdn_comments.csv", ""), ("cons_prim.csv", $"900,\"QUIMERA EXPORTADORA S.A. DE C.V.\",{Blank},\"TEST\",{Blank},{Blank},{Blank},{Blank},{Blank},{Blank},{Blank},{Blank}"), ("cons_alt.csv", ""), ("cons_add.csv", ""), ("cons_comments.csv", ""),
        })
            File.WriteAllText(Path.Combine(folder, name), line + "\u001A", Encoding.Latin1);
        return folder;
    }

    private static double Percentile(List<double> sorted, int percent) => sorted.Count == 0 ? double.NaN : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * percent / 100.0) - 1)];
}
