using System.Net;
using Camino.Testing;
using Camino.Tests.Imports;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.Loans;

/// <summary>A list that is written out takes as long as its reader's line.</summary>
internal sealed class ExportTests
{
    [Test]
    public async Task An_export_goes_on_beyond_the_time_that_the_databases_user_has_for_one_statement()
    {
        await using var camino = await RunningCamino.StartAsync();
        await camino.ImportAsync(ImportClient.Template(ImportClient.Row("E-1", name: "Slow Line Bakery LLC")));
        await using (var limit = camino.Source.CreateCommand($"alter database \"{new NpgsqlConnectionStringBuilder(camino.ConnectionString).Database}\" set statement_timeout = '2s'"))
            await limit.ExecuteNonQueryAsync();
        await using var office = await camino.StartSecondOfficeAsync(); // its connections have the limit
        using var staff = new StaffBrowser(RunningCamino.AddressOf(office));
        (await staff.SignInAsync("officer")).Dispose();

        await using var holder = await camino.Source.OpenConnectionAsync();
        await using var held = await holder.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("lock table camino.loans in access exclusive mode", holder, held))
            await hold.ExecuteNonQueryAsync();
        var export = staff.GetAsync("/loans/export.csv");
        await camino.UntilAsync<long>("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%camino.loans%' and query_start < clock_timestamp() - interval '3s'", waiting => waiting == 1);
        await held.CommitAsync();
        using var answer = await export;

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("Slow Line Bakery LLC"));
        await office.StopAsync();
    }
}
