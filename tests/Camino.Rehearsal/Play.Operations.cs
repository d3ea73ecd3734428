using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Camino.Rehearsal;

/// <content>Approvals, migrations, passwords and backups: proofs 5, 6, 7, 10 and 12.</content>
internal sealed partial class Play
{
    /// <summary>A migration that may be run again at any time: the script of the queue's tables.</summary>
    private const string Repeatable = "20261127220000_QueueReturns";

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <summary>Proof 5: ten releases that are approved in random order end with the newest, and none goes over a newer one.</summary>
    public async Task<Scene> LateApprovalsAsync()
    {
        say("ten releases that are approved in random order");
        var faults = _faults = [];
        var numbers = Enumerable.Range(next.Release + 10, 10).ToArray();
        Random.Shared.Shuffle(numbers);
        var newest = next.Release;
        foreach (var number in numbers)
        {
            var build = next with { Release = number };
            var (code, text) = await stage.TryAsync(build, "release", "guard");
            if ((code == 0) != (number > newest))
                faults.Add($"in the order {string.Join(", ", numbers)} the guard said {text} to {number} after {newest}");
            if (code == 0)
            {
                await stage.RunAsync(build, "release", "admit");
                await stage.RunAsync(build, "release", "promote", "--even-if-nobody-lives");
            }

            newest = Math.Max(newest, number);
            if (await FenceAsync() != (newest, newest))
                faults.Add($"after {number} the fence does not stand at {newest}");
        }

        await stage.RunAsync(next, "release", "rollback", next.Release.ToString(CultureInfo.InvariantCulture));
        await ServingAsync();
        return Plain("ten late approvals in random order: the newest stays", faults);
    }

    /// <summary>Proof 6: a migration that a long transaction blocks fails within its budget, requests go on, and it goes through when the way is free.</summary>
    public async Task<Scene> BlockedMigrationAsync()
    {
        say("a migration that a long transaction blocks");
        var faults = _faults = [];
        var version = await stage.ScalarAsync<int>("select version from camino.schema_info");
        var load = new Load(stage, requestsPerSecond);
        load.Start();
        await using (var report = await stage.Database.OpenConnectionAsync(ct))
        await using (var held = await report.BeginTransactionAsync(ct))
        {
            await ReadJobsAsync(report, held);
            await ForgetMigrationAsync();
            var blocked = await stage.TryAsync(next, [("CAMINO_Migration__LockTimeoutSeconds", "1"), ("CAMINO_Migration__Attempts", "2")], "migrate");
            if (blocked.Code == 0)
                faults.Add("the migration went through although its table was held");
            if (await stage.ScalarAsync<long>($"select count(*) from camino.migrations_history where \"MigrationId\" = '{Repeatable}'") != 0)
                faults.Add("the migration that failed is written down as done");
        }

        await stage.RunAsync(next, "migrate");
        await RememberVersionAsync(version);
        await load.StopAsync();
        return await CountAsync("a blocked migration fails in time, a retry succeeds", load, load.Jobs, faults);
    }

    /// <summary>Proof 7: three migrators at once, and one that is killed half-way.</summary>
    public async Task<Scene> MigratorsAsync()
    {
        say("three migrators at once, and one that is killed half-way");
        var faults = _faults = [];
        var version = await stage.ScalarAsync<int>("select version from camino.schema_info");
        await ForgetMigrationAsync();
        foreach (var (code, text) in await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => stage.TryAsync(next, "migrate"))))
        {
            if (code != 0)
                faults.Add($"one of three migrators ended with {code}: {text}");
        }

        await RememberVersionAsync(version);
        await ForgetMigrationAsync();
        await using (var report = await stage.Database.OpenConnectionAsync(ct))
        await using (var held = await report.BeginTransactionAsync(ct))
        {
            await ReadJobsAsync(report, held);
            await using var killed = stage.StartVerb(next, "migrate");
            await Stage.UntilAsync(async () => await stage.ScalarAsync<long>("select count(*) from pg_stat_activity where usename = 'camino_migrator' and wait_event_type = 'Lock'") > 0, "the migrator to be half-way", ct);
            await killed.KillAsync();
        }

        await stage.RunAsync(next, "migrate");
        await RememberVersionAsync(version);
        if (await stage.ScalarAsync<long>($"select count(*) from camino.migrations_history where \"MigrationId\" = '{Repeatable}'") != 1)
            faults.Add("the migration is not written down once");
        await ServingAsync();
        return Plain("three migrators, one killed half-way: one works, again converges", faults);
    }

    /// <summary>Proof 10: the password of a Back Office's user is rotated twice while requests come; no process is started anew.</summary>
    public async Task<Scene> RotatedPasswordsAsync()
    {
        say("a password that is rotated twice");
        var faults = _faults = [];
        var secrets = stage.MakeSecrets();
        var pooled = _offices.ToList();
        _offices.Clear();
        for (var i = 0; i < 2; i++)
            _offices.Add(stage.StartDirectOffice(next, secrets));
        await ReadyAsync(next);
        await Task.WhenAll(pooled.Select(office => office.Process.StopAsync()));

        var load = new Load(stage, requestsPerSecond);
        load.Start();
        await Task.Delay(Soon, ct);
        foreach (var password in new[] { "the second password", "the third password", Stage.Password })
        {
            await stage.RotateAsync(secrets, "camino_web", password, between: () => Task.Delay(Soon + Soon, ct));
            await Task.Delay(Soon + Soon, ct);
        }

        await load.StopAsync();
        if (_offices.Any(office => office.Process.HasEnded))
            faults.Add("a Back Office has ended");
        var scene = await CountAsync("password rotated under load, without a restart", load, load.Jobs, faults);
        await RestartOfficesAsync(next);
        return scene;
    }

    /// <summary>Proof 12: backup, restore into a new database, the same rows, balance and trail; its key is known there and a job runs.</summary>
    public async Task<Scene> RestoredAsync()
    {
        say("backup, and restore into a new database");
        var faults = _faults = [];
        const string Name = "camino_restored";
        var asOwner = stage.AsOwner();
        var made = await stage.TryAsync(next, asOwner, "backup", "--to", stage.BackupFolder);
        if (made.Text.Contains("backup.no_tools", StringComparison.Ordinal))
            return Plain("backup and restore: left out, no pg_dump here", []);
        if (made.Code != 0)
            throw new RehearsalException($"camino backup ended with exit code {made.Code}: {made.Text}");
        var (code, text) = await stage.TryAsync(next, asOwner, "restore", Directory.GetFiles(stage.BackupFolder, "*.dump").Single(), "--into", Name);
        if (code != 0)
            throw new RehearsalException($"camino restore ended with exit code {code}: {text}");

        const string Sums = "select concat_ws(' ', (select count(*) from camino.loans), (select count(*) from camino.staff_users), (select count(*) from camino.ledger_entries), (select coalesce(sum(amount), 0) from camino.ledger_entries), (select count(*) from camino.audit_entries where action <> 'backup.made'))";
        await using (var restored = stage.Source(Name))
        {
            await using var ask = restored.CreateCommand(Sums);
            var (there, here) = (await ask.ExecuteScalarAsync(ct) as string, await stage.ScalarAsync<string>(Sums));
            if (there != here)
                faults.Add($"rows and balance are {there} there and {here} here");
        }

        (string, string)[] place = [("CAMINO_Database__ConnectionString", stage.ConnectionString(Name)), ("CAMINO_Database__Pooler", "false")];
        var (verified, said) = await stage.TryAsync(next, place, "audit", "verify");
        if (verified != 0)
            faults.Add($"the audit trail of the restored database is not whole: {said}");
        var (office, address) = stage.StartOffice(next, place);
        var worker = stage.StartAsyncServer(next, place);
        await Stage.UntilAsync(async () => await Stage.StatusAsync(address, "/health/ready") == 200, "the Back Office of the restored database", ct);
        using var client = stage.Client();
        client.DefaultRequestHeaders.Authorization = stage.Api.DefaultRequestHeaders.Authorization;
        using var asked = await client.PostAsJsonAsync(new Uri(address, "/api/v1/jobs/echo"), new { text = "after" }, ct);
        var job = (await asked.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("jobId").GetGuid();
        await Stage.UntilAsync(async () => (await client.GetFromJsonAsync<JsonElement>(new Uri(address, $"/api/v1/jobs/{job}"), ct)).GetProperty("state").GetString() == "done", "a job of the restored database", ct);
        await Task.WhenAll(office.StopAsync(), worker.StopAsync());
        return new Scene("backup, restored: same rows, balance, trail; works on", 0, 0, 1, 1, 0, 0, 0, 0, 0, faults);
    }

    private static Scene Plain(string name, List<string> faults) => new(name, 0, 0, 0, 0, 0, 0, 0, 0, 0, faults);

    private async Task<(int Lowest, int Highest)> FenceAsync() =>
        (await stage.ScalarAsync<int>("select lowest from jobs.fence"), await stage.ScalarAsync<int>("select highest from jobs.fence"));

    /// <summary>Waits until the balancer has found the Back Offices again, and sees that they work.</summary>
    private async Task ServingAsync()
    {
        await Stage.UntilAsync(async () => await Stage.StatusAsync(stage.Address, "/health/ready") == 200, "the proxy to find a Back Office", ct);
        await Task.Delay(TwoChecks, ct);
        await SmokeAsync();
    }

    private Task ForgetMigrationAsync() => stage.ExecuteAsync($"delete from camino.migrations_history where \"MigrationId\" = '{Repeatable}'");

    /// <summary>The migration writes its own version, and there may be later ones.</summary>
    private Task RememberVersionAsync(int version) => stage.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"update camino.schema_info set version = {version}"));

    private async Task ReadJobsAsync(NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        await using var read = new NpgsqlCommand("select count(*) from jobs.job", connection, transaction);
        await read.ExecuteScalarAsync(ct);
    }
}
