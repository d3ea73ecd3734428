using System.Globalization;
using System.Net;
using Camino.Data;
using Camino.People;
using Camino.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>The Back Office keeps its statements prepared, so that a page costs the database less.</summary>
internal sealed class PreparedStatementTests
{
    /// <summary>As often as the driver wants to see a statement on a connection before it prepares it (5), on each of the few there are.</summary>
    private const int Often = 5 * Connections;

    /// <summary>The least that a pool may have.</summary>
    private const int Connections = 4;

    private static readonly string[] s_pages = ["/", "/loans", "/borrowers", "/servicing", "/applications", "/tasks", "/approvals", "/screening", "/imports", "/jobs", "/servers", "/people", "/people/add", "/branches", "/audit", "/clients", "/settings", "/sessions", "/notices", "/underwriting", "/books"];

    [Test]
    public async Task A_migration_that_adds_columns_beneath_a_running_server_fails_nothing_that_it_keeps_prepared()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        var book = new ServicedBook(camino);
        await book.PrepareAsync();
        var loan = await book.DisbursedLoanAsync();
        await using var office = await camino.StartSecondOfficeAsync(change: settings => settings.Database.MaxPoolSize = Connections);
        using var staff = new StaffBrowser(RunningCamino.AddressOf(office));
        (await staff.SignInAsync("admin")).Dispose();
        var user = await camino.ScalarAsync<Guid>("select id from camino.staff_users where email = 'admin@demo.camino.example'");
        string[] pages = [.. s_pages, $"/servicing/{loan}"];
        for (var i = 0; i < Often; i++)
        {
            foreach (var page in pages)
                (await OkAsync(staff, page)).Dispose();
            await book.OkAsync(loan, "record-payment", new { on = "2026-02-01", amount = "10.00" });
            await LockUserAsync(office, user);
        }

        Assert.That(await KeptAsync(office), Is.GreaterThan(s_pages.Length), "so much is kept prepared on all connections together");
        await using (var next = camino.Source.CreateCommand("do $$ declare t record; begin for t in select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('camino', 'jobs') loop execute 'alter table ' || t.name || ' add column of_the_next_release int'; end loop; end $$"))
            await next.ExecuteNonQueryAsync();

        foreach (var page in pages)
            (await OkAsync(staff, page)).Dispose();
        await book.OkAsync(loan, "record-payment", new { on = "2026-02-01", amount = "10.00" });
        await LockUserAsync(office, user);
    }

    [Test]
    public async Task What_is_asked_often_is_prepared_and_nothing_is_reset_between_two_questions()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        var office = new NpgsqlConnectionStringBuilder(camino.Office.Services.GetRequiredService<NpgsqlDataSource>().ConnectionString);

        Assert.That(office.MaxAutoPrepare, Is.GreaterThan(0));
        Assert.That(office.NoResetOnClose, Is.True);
    }

    [Test]
    public async Task A_request_shares_the_languages_formats_with_every_other()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        var languages = camino.Office.Services.GetRequiredService<IOptions<RequestLocalizationOptions>>().Value;

        IEnumerable<CultureInfo> all = [.. languages.SupportedCultures ?? [], .. languages.SupportedUICultures ?? [], languages.DefaultRequestCulture?.Culture ?? CultureInfo.InvariantCulture];
        Assert.That(all.Select(culture => culture.Name), Is.EquivalentTo(new[] { "en-US", "es-US", "en", "es", "en-US" }));
        Assert.That(all, Has.All.Property(nameof(CultureInfo.IsReadOnly)).True, "of one that could be changed, the framework makes a copy for each request");
    }

    /// <summary>
    /// Statements kept prepared on the connections of <paramref name="office"/>, all of which are held at once: which of them a page
    /// was asked on is chance, so that one alone may keep few.
    /// </summary>
    private static async Task<long> KeptAsync(WebApplication office)
    {
        var source = office.Services.GetRequiredService<NpgsqlDataSource>();
        var held = new List<NpgsqlConnection>();
        try
        {
            var kept = 0L;
            for (var i = 0; i < Connections; i++)
            {
                held.Add(await source.OpenConnectionAsync());
                await using var count = new NpgsqlCommand("select count(*) from pg_prepared_statements", held[^1]);
                kept += (long)(await count.ExecuteScalarAsync() ?? 0L);
            }
            return kept;
        }
        finally
        {
            foreach (var connection in held)
                await connection.DisposeAsync();
        }
    }

    /// <summary>An entity by a statement of our own, as every act on a person begins.</summary>
    private static async Task LockUserAsync(WebApplication office, Guid user)
    {
        await using var scope = office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        await using var transaction = await db.Database.BeginTransactionAsync();
        Assert.That((await db.UserForChangeAsync(user, CancellationToken.None)).Id, Is.EqualTo(user));
    }

    private static async Task<HttpResponseMessage> OkAsync(StaffBrowser staff, string page)
    {
        var answer = await staff.GetAsync(page);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), $"{page}: {await answer.Content.ReadAsStringAsync()}");
        return answer;
    }
}
