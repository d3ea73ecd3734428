using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Camino.Rehearsal;

/// <summary>The scenes, in the order in which they are played on one stage. Each leaves two releases known and the last one promoted.</summary>
/// <param name="previous">The release that is deployed already.</param>
/// <param name="next">The one that is deployed now.</param>
internal sealed partial class Play(Stage stage, Build previous, Build next, int requestsPerSecond, TimeSpan steady, Action<string> say, CancellationToken ct)
{
    private const string EffectsLog = """
        create schema rehearsal;
        create table rehearsal.effects (job_id uuid not null, at timestamptz not null default clock_timestamp());
        create function rehearsal.note() returns trigger language plpgsql security definer as $$ begin insert into rehearsal.effects (job_id) values (new.id); return null; end $$;
        create trigger rehearsal_effect after insert on jobs.finished for each row when (new.state = 'done') execute function rehearsal.note();
        """;

    private const int ImportRows = 4_000;

    /// <summary>Two rounds of the proxy's check: so long it may take to see who is there and who is not.</summary>
    private static readonly TimeSpan TwoChecks = TimeSpan.FromMilliseconds(600);

    private readonly List<ChildProcess> _async = [];
    private readonly List<(ChildProcess Process, Uri Address)> _offices = [];
    private long _mostConnections;
    private int _imports;

    /// <summary>The release before this one, running: two of each role.</summary>
    public async Task BeginAsync()
    {
        say("migrating, and starting the previous release: two Back Offices, two Async Servers");
        await stage.RunAsync(previous, "migrate");
        await stage.ExecuteAsync(EffectsLog);
        await stage.SeedAsync(previous);
        await StartAsync(previous);
        await stage.RunAsync(previous, "release", "promote");
    }

    /// <summary>Proofs 1 and 11, and the first half of 2: from the previous release to this one, while requests and jobs go on; one old Async Server is forgotten.</summary>
    public Task<Scene> ForwardAsync() => DeployAsync("previous release to this one, one old worker forgotten", async () =>
    {
        var (oldOffices, oldAsync) = Take();
        await stage.RunAsync(next, "release", "guard");
        await stage.RunAsync(next, "migrate");
        await stage.RunAsync(next, "release", "admit");
        await StartAsync(next);
        await EndAllAsync([.. oldOffices.Select(office => office.Process), oldAsync[0]]);
        await SmokeAsync();
        await stage.RunAsync(next, "release", "promote");
        var promoted = await stage.NowAsync(); // what was claimed before the move was committed is the old release's by right
        await Task.Delay(steady, ct);
        var forgotten = oldAsync[1];
        Expect(!forgotten.HasEnded, "the forgotten worker is gone, so nothing was shown");
        var took = await stage.ScalarAsync<long>(string.Create(CultureInfo.InvariantCulture, $"select count(*) from jobs.finished where server like '%/{forgotten.Pid}' and started_at > '{promoted:O}'"));
        Expect(took == 0, $"the forgotten worker took {took} jobs after the fence had moved");
        Expect(forgotten.Lines.Any(line => line.Contains("has taken over", StringComparison.Ordinal)), "the forgotten worker does not say that it is retired");
        await forgotten.StopAsync();
    });

    /// <summary>Back again: the older release is started beside this one, the work is given to it, this one is stopped.</summary>
    public Task<Scene> BackAsync() => DeployAsync("this release back to the previous one", async () =>
    {
        var (oldOffices, oldAsync) = Take();
        await stage.RunAsync(previous, "release", "guard", "--rollback");
        await stage.RunAsync(previous, "release", "admit", "--rollback");
        await StartAsync(previous);
        await EndAllAsync([.. oldOffices.Select(office => office.Process), .. oldAsync]);
        await SmokeAsync();
        await stage.RunAsync(previous, "release", "rollback", previous.Release.ToString(CultureInfo.InvariantCulture));
        await Task.Delay(steady, ct);
    });

    /// <summary>The second half of proof 2: a worker that is frozen inside an effect while the fence moves; its late effect is refused and made elsewhere, once.</summary>
    public async Task<Scene> LateEffectAsync()
    {
        say("a worker that is frozen inside an effect while the fence moves");
        var faults = new List<string>();
        var old = TakeWorkers();
        await old[1].StopAsync();
        (Guid Id, int Rows) import;
        await using (await stage.HoldLoansAsync())
        {
            import = await HandInAsync(ImportRows);
            await stage.UntilHeldUpAsync(ct);
            old[0].Freeze();
        }

        await stage.RunAsync(next, "release", "promote", "--even-if-nobody-lives");
        _async.Add(stage.StartAsyncServer(next));
        old[0].Thaw();
        var loans = await OverAsync(import, faults);
        var refused = old[0].Lines.Count(line => line.Contains("lease was lost", StringComparison.Ordinal) || line.Contains("lost its lease", StringComparison.Ordinal) || line.Contains("is retired", StringComparison.Ordinal));
        if (refused == 0)
            faults.Add("the frozen worker says nothing of a refusal");
        await old[0].StopAsync();
        _async.Add(stage.StartAsyncServer(next));
        await RestartOfficesAsync(next);
        return Effects("late effect of a retired worker", loans, refused, faults);
    }

    /// <summary>Proof 3: kill -9 inside an effect.</summary>
    public async Task<Scene> KilledAsync()
    {
        say("kill -9 of a worker inside an effect");
        var faults = new List<string>();
        var workers = TakeWorkers();
        await workers[1].StopAsync();
        (Guid Id, int Rows) import;
        await using (await stage.HoldLoansAsync())
        {
            import = await HandInAsync(ImportRows);
            await stage.UntilHeldUpAsync(ct);
            await workers[0].KillAsync();
        }

        _async.Add(stage.StartAsyncServer(next));
        _async.Add(stage.StartAsyncServer(next));
        return Effects("kill -9 inside an effect", await OverAsync(import, faults), 0, faults);
    }

    /// <summary>The network between a worker and the database dies inside an effect: nobody is told, the worker lives on, and comes back when all is over.</summary>
    public async Task<Scene> CutOffAsync()
    {
        say("the network of a worker is cut inside an effect");
        await using var place = await CutOffPlace.TryMakeAsync();
        if (place is null)
            return new Scene("network cut: left out, no right to make networks", 0, 0, 0, 0, 0, 0, 0, 0, 0, []);
        var faults = new List<string>();
        await Task.WhenAll(TakeWorkers().Select(worker => worker.StopAsync()));
        var cut = stage.StartAsyncServer(next, place);
        await Stage.UntilAsync(async () => await stage.LivingAsync(cut) == 1, "the worker behind the line to register", ct);
        (Guid Id, int Rows) import;
        await using (await stage.HoldLoansAsync())
        {
            import = await HandInAsync(ImportRows);
            await stage.UntilHeldUpAsync(ct);
            await place.CutAsync();
            _async.Add(stage.StartAsyncServer(next));
            await Stage.UntilAsync(async () => await stage.LivingAsync(cut) == 0, "the worker that was cut off to be given up", ct);
        }

        await SmokeAsync(); // the others go on
        var loans = await OverAsync(import, faults);
        await place.HealAsync();
        await Stage.UntilAsync(async () => await stage.LivingAsync(cut) == 1, "the worker that was cut off to come back", ct);
        var refused = cut.Lines.Count(line => line.Contains("lease was lost", StringComparison.Ordinal) || line.Contains("lost its lease", StringComparison.Ordinal));
        if (await cut.StopAsync() is not 0 and var code)
            faults.Add($"the worker that came back ended with exit code {code}");
        _async.Add(stage.StartAsyncServer(next));
        return Effects("network cut inside an effect, healed afterwards", loans, refused, faults);
    }

    /// <summary>Proof 4: jobs of a newer kind wait while only older workers run; the alarm sees them, nothing fails.</summary>
    public async Task<Scene> NewerKindAsync()
    {
        say("jobs of a kind that no running worker knows");
        var faults = new List<string>();
        await stage.ExecuteAsync("insert into jobs.job (id, due_at, max_attempts, queue, kind, args) select gen_random_uuid(), now() - interval '2 minutes', 3, 'urgent', 'rehearsal.newer', '{}' from generate_series(1, 5)");
        await SmokeAsync(); // known kinds pass them by
        var told = await stage.ScalarAsync<long>("select count(*) from jobs.job where kind = 'rehearsal.newer' and lease is null and attempt = 0");
        if (told != 5)
            faults.Add($"{5 - told} of the 5 jobs were taken by somebody who does not know them");
        if (await stage.ScalarAsync<long>("select count(*) from jobs.finished where kind = 'rehearsal.newer'") != 0)
            faults.Add("a job of the newer kind is over");
        var alarm = await MetricAsync("camino_kinds_unserved{kind=\"rehearsal.newer\"}");
        if (alarm != 5)
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"the figure of the alarm is {alarm}, not 5"));
        await stage.ExecuteAsync("delete from jobs.job where kind = 'rehearsal.newer'");
        return new Scene("jobs of a newer kind wait, the alarm sees them", 0, 0, 5, 0, 0, 0, 0, 0, 0, faults);
    }

    /// <summary>Proof 8: a release that does not start, and one whose smoke fails.</summary>
    public async Task<Scene> BadReleaseAsync()
    {
        say("a bad image, and a bad smoke");
        var faults = new List<string>();
        var bad = next with { Release = next.Release + 1 };
        await stage.RunAsync(bad, "release", "guard");
        await stage.RunAsync(bad, "release", "admit");
        var broken = stage.StartAsyncServer(bad, ("CAMINO_Jobs__Slots", "0"));
        if (await broken.EndAsync() == 0)
            faults.Add("the bad image started");
        await stage.RunAsync(bad, "release", "rollback");
        if (await stage.ScalarAsync<long>("select lowest * 1000 + highest from jobs.fence") != (next.Release * 1000) + next.Release)
            faults.Add("the fence does not stand where it stood");
        await SmokeAsync();

        await stage.RunAsync(bad, "release", "admit");
        var (office, address) = stage.StartOffice(bad);
        var worker = stage.StartAsyncServer(bad);
        await Stage.UntilAsync(async () => await Stage.StatusAsync(address, "/health/ready") == 200, "the tried Back Office to be ready", ct);
        await stage.RunAsync(bad, "release", "rollback"); // its smoke was bad
        await Stage.UntilAsync(async () => await Stage.StatusAsync(address, "/health/ready") == 503, "the rolled back Back Office to let go", ct);
        await Task.Delay(TwoChecks, ct); // until then the proxy may send it what it answers with 503 and Retry-After
        var moved = await stage.NowAsync();
        await SmokeAsync();
        if (await stage.ScalarAsync<long>(string.Create(CultureInfo.InvariantCulture, $"select count(*) from jobs.finished where server like '%/{worker.Pid}' and started_at > '{moved:O}'")) != 0)
            faults.Add("the rolled back worker took work");
        await office.StopAsync();
        await worker.StopAsync();
        var late = await stage.TryAsync(previous, "release", "guard");
        if (late.Code == 0 || !late.Text.Contains("not newer", StringComparison.Ordinal))
            faults.Add("an older release would be let over a newer one");
        return new Scene("bad image and bad smoke: fence and traffic return", 0, 0, 0, 0, 0, 0, 0, 0, 0, faults);
    }

    /// <summary>Proof 9: the database is restarted under everybody.</summary>
    public async Task<Scene> DatabaseRestartAsync()
    {
        say("the database is restarted");
        var faults = new List<string>();
        var before = new List<Guid>();
        for (var i = 0; i < 20; i++)
            before.Add(await EchoAsync("default"));
        var address = _offices[0].Address;
        await stage.RestartDatabaseAsync(async () =>
        {
            await Stage.UntilAsync(async () => await Stage.StatusAsync(address, "/health/ready") == 503, "readiness to drop", ct);
            if (await Stage.StatusAsync(address, "/health/live") != 200)
                faults.Add("liveness does not stay green while the database is away");
        }, ct);
        await Stage.UntilAsync(async () => await Stage.StatusAsync(address, "/health/ready") == 200, "readiness to return", ct);
        await Stage.UntilAsync(async () => await Stage.StatusAsync(stage.Address, "/health/ready") == 200, "the proxy to find a Back Office", ct);
        for (var i = 0; i < 5; i++)
            before.Add(await EchoAsync("urgent"));
        return await CountAsync("database restart", null, before, faults);
    }

    public async Task EndAsync()
    {
        await Task.WhenAll(_async.Concat(_offices.Select(office => office.Process)).Select(process => process.StopAsync()));
    }

    /// <summary>SIGTERM to all of a release at once, as a rollout does when the new ones are ready.</summary>
    private async Task EndAllAsync(IReadOnlyList<ChildProcess> processes)
    {
        var codes = await Task.WhenAll(processes.Select(process => process.StopAsync()));
        Expect(codes.All(code => code == 0), $"a server that was told to stop ended with exit codes {string.Join(", ", codes)}");
    }

    private async Task<Scene> DeployAsync(string name, Func<Task> deploy)
    {
        say($"{name}, at {requestsPerSecond} requests a second");
        var load = new Load(stage, requestsPerSecond);
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var watch = WatchConnectionsAsync(watching.Token);
        load.Start();
        await Task.Delay(steady, ct);
        var faults = new List<string>();
        _faults = faults;
        await TimedAsync(deploy, load);
        await load.StopAsync();
        await watching.CancelAsync();
        await watch;
        if (_mostConnections > stage.Budget)
            faults.Add($"{_mostConnections} connections at once; the budget is {stage.Budget}");
        say($"at most {_mostConnections} connections to the database; the budget is {stage.Budget}");
        return await CountAsync(name, load, load.Jobs, faults);
    }

    /// <summary>Says when the deploy began and ended, and which request took longest, so that the one can be laid beside the other.</summary>
    private async Task TimedAsync(Func<Task> deploy, Load load)
    {
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        await deploy();
        var (milliseconds, what) = load.Longest;
        say(string.Create(CultureInfo.InvariantCulture, $"the deploy took from {steady.TotalSeconds:0.0} to {steady.TotalSeconds + System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s of the load; the longest request, {milliseconds:0} ms: {what}"));
        foreach (var line in stage.SlowestRequests(5))
            say($"the balancer saw: {line}");
    }

    private List<string> _faults = [];

    private void Expect(bool well, string fault)
    {
        if (!well)
            _faults.Add(fault);
    }

    private async Task<Scene> CountAsync(string name, Load? load, IReadOnlyCollection<Guid> jobs, List<string> faults)
    {
        var ids = jobs.ToArray();
        await Stage.UntilAsync(async () => await CountAsync("select count(*) from jobs.job where id = any($1)", ids) == 0, $"the last of {ids.Length} jobs", ct);
        var effects = await CountAsync("select count(*) from rehearsal.effects where job_id = any($1)", ids);
        var distinct = await CountAsync("select count(distinct job_id) from rehearsal.effects where job_id = any($1)", ids);
        var pause = ids.Length == 0 ? 0 : await CountAsync("select coalesce(max(extract(epoch from started_at - due_at)) * 1000, 0)::bigint from jobs.finished where id = any($1)", ids);
        if (load is not null)
            faults.AddRange(load.Failures.Take(5));
        return new Scene(name, load?.Sent ?? 0, load?.Failures.Count ?? 0, ids.Length, effects, effects - distinct, ids.Length - distinct, load?.Longest.Milliseconds ?? 0, pause, 0, faults);
    }

    private async Task<long> CountAsync(string sql, Guid[] ids)
    {
        await using var command = stage.Database.CreateCommand(sql);
        command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = ids });
        return Convert.ToInt64(await command.ExecuteScalarAsync(ct), CultureInfo.InvariantCulture);
    }

    private async Task WatchConnectionsAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                var now = await stage.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = 'camino' and application_name <> 'camino rehearsal'");
                _mostConnections = Math.Max(_mostConnections, now);
                await Task.Delay(250, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The deploy is over.
        }
    }

    /// <summary>One process after another, as a rollout adds them: on a small machine several that start at once would take the processors from those that serve.</summary>
    private async Task StartAsync(Build build)
    {
        for (var i = 0; i < 2; i++)
        {
            var office = stage.StartOffice(build);
            _offices.Add(office);
            await Stage.UntilAsync(async () => await Stage.StatusAsync(office.Address, "/health/ready") == 200, $"{office.Address} to be ready", ct);
            var worker = stage.StartAsyncServer(build);
            _async.Add(worker);
            await Stage.UntilAsync(async () => await stage.LivingAsync(worker) == 1, "an Async Server to register", ct);
        }

        await ReadyAsync(build);
    }

    private async Task ReadyAsync(Build build)
    {
        foreach (var (_, address) in _offices)
            await Stage.UntilAsync(async () => await Stage.StatusAsync(address, "/health/ready") == 200, $"{address} to be ready", ct);
        await Stage.UntilAsync(async () => await stage.ScalarAsync<long>(string.Create(CultureInfo.InvariantCulture, $"select count(*) from jobs.server where number = {build.Release} and stopped_at is null and lost_at is null")) >= 2, "the Async Servers to register", ct);
        await Stage.UntilAsync(async () => await stage.ScalarAsync<long>(string.Create(CultureInfo.InvariantCulture, $"select count(*) from camino.processes where release_number = {build.Release} and takes_work and state <> 'ended'")) >= 2, "the Async Servers to be known", ct);
        await Stage.UntilAsync(async () => await Stage.StatusAsync(stage.Address, "/health/ready") == 200, "the proxy to find a Back Office", ct);
        await Task.Delay(TwoChecks, ct); // it knows the new ones before the old ones go
    }

    /// <summary>Back Offices of the old release are retired since the fence moved: this release's own take their place.</summary>
    private async Task RestartOfficesAsync(Build build)
    {
        await Task.WhenAll(_offices.Select(office => office.Process.StopAsync()));
        _offices.Clear();
        for (var i = 0; i < 2; i++)
            _offices.Add(stage.StartOffice(build));
        await ReadyAsync(build);
    }

    private (List<(ChildProcess Process, Uri Address)> Offices, List<ChildProcess> Async) Take()
    {
        var offices = _offices.ToList();
        _offices.Clear();
        return (offices, TakeWorkers());
    }

    private List<ChildProcess> TakeWorkers()
    {
        var workers = _async.ToList();
        _async.Clear();
        return workers;
    }

    /// <summary>A page, and a job through every queue.</summary>
    private async Task SmokeAsync()
    {
        using var page = await stage.Pages.GetAsync(new Uri("/sign-in", UriKind.Relative), ct);
        Expect(page.IsSuccessStatusCode, $"the smoke's page was answered with {(int)page.StatusCode}");
        foreach (var queue in new[] { "urgent", "default", "bulk" })
        {
            var id = await EchoAsync(queue);
            await Stage.UntilAsync(async () => (await stage.Api.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{id}", ct)).GetProperty("state").GetString() == "done", $"a job through {queue}", ct);
        }
    }

    private async Task<Guid> EchoAsync(string queue)
    {
        using var asked = await stage.Api.PostAsJsonAsync("/api/v1/jobs/echo", new { text = "smoke", queue }, ct);
        var text = await asked.Content.ReadAsStringAsync(ct);
        return asked.IsSuccessStatusCode ? JsonDocument.Parse(text).RootElement.GetProperty("jobId").GetGuid() : throw new RehearsalException($"a job was not taken: {(int)asked.StatusCode} {text}");
    }

    /// <summary>Hands in a portfolio: each row is an effect that can be counted, and a row applied twice leaves an older version behind.</summary>
    private async Task<(Guid Id, int Rows)> HandInAsync(int rows)
    {
        var run = ++_imports;
        var text = new StringBuilder("LoanNumber,BorrowerName,City,State,Zip,Naics,ApprovedOn,DisbursedOn,TermMonths,Approved,Disbursed,Guaranteed,ChargedOff,Balance,Status\r\n");
        for (var row = 1; row <= rows; row++)
            text.Append(CultureInfo.InvariantCulture, $"REH{run}-{row:d6},Juniper Bakery LLC,Austin,TX,78701,311811,2024-03-05,2024-03-19,60,{1_000 + row}.00,{1_000 + row}.00,0.00,0.00,{900 + row}.00,Open\r\n");
        using var body = new StringContent(text.ToString());
        using var taken = await stage.Api.PostAsync(new Uri($"/api/v1/imports?fileName=rehearsal{run}.csv", UriKind.Relative), body, ct);
        var answer = await taken.Content.ReadAsStringAsync(ct);
        return taken.IsSuccessStatusCode ? (JsonDocument.Parse(answer).RootElement.GetProperty("importId").GetGuid(), rows) : throw new RehearsalException($"the portfolio was not taken: {answer}");
    }

    private async Task<(long Rows, long Loans, long Again)> OverAsync((Guid Id, int Rows) import, List<string> faults)
    {
        await Stage.UntilAsync(async () => await stage.ScalarAsync<bool>($"select finished_at is not null from camino.imports where id = '{import.Id}'"), "the import to be over", ct);
        var loans = await stage.ScalarAsync<long>($"select count(*) from camino.loans where import_id = '{import.Id}'");
        var again = await stage.ScalarAsync<long>($"select count(*) from camino.loan_versions where replaced_by_import_id = '{import.Id}'");
        if (loans != import.Rows)
            faults.Add($"{loans} loans of {import.Rows} rows");
        if (again != 0)
            faults.Add($"{again} rows were applied twice");
        return (import.Rows, loans, again);
    }

    private static Scene Effects(string name, (long Rows, long Loans, long Again) loans, long refused, List<string> faults) =>
        new(name, 0, 0, loans.Rows, loans.Loans, loans.Again, loans.Rows - loans.Loans, 0, 0, refused, faults);

    private async Task<double> MetricAsync(string series)
    {
        var address = await stage.ScalarAsync<string>("select address from camino.processes where takes_work and state = 'serving' order by started_at desc limit 1");
        using var inside = new HttpClient();
        var port = _async.Select(worker => worker.Lines.Select(Listening).FirstOrDefault(found => found is not null)).FirstOrDefault(found => found is not null) ?? address;
        var text = await inside.GetStringAsync(new Uri(new Uri(port), "/metrics"), ct);
        var line = text.Split('\n').FirstOrDefault(one => one.StartsWith(series, StringComparison.Ordinal));
        return line is null ? double.NaN : double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>The address in the host's own line "Now listening on".</summary>
    private static string? Listening(string line)
    {
        const string Scheme = "http://127.0.0.1:";
        var at = line.Contains("Now listening on", StringComparison.Ordinal) ? line.IndexOf(Scheme, StringComparison.Ordinal) : -1;
        return at < 0 ? null : Scheme + string.Concat(line[(at + Scheme.Length)..].TakeWhile(char.IsAsciiDigit));
    }
}
