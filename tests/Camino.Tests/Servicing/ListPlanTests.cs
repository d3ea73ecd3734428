using Camino.Lending.Loans;
using Camino.Servicing;
using Camino.Testing;
using Camino.Web;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>Lists of the serviced book read a page from an index, however many loans there are: no sort, no reading of the whole table.</summary>
internal sealed class ListPlanTests
{
    private const int Loans = 20_000;

    private static RunningCamino s_camino = null!;
    private static Guid s_loan;

    [OneTimeSetUp]
    public static async Task StartAsync()
    {
        s_camino = await RunningCamino.StartAsync(withAsync: false);
        var book = new ServicedBook(s_camino);
        await book.PrepareAsync();
        s_loan = await book.DisbursedLoanAsync();
        await ManyLoans.CopyAsync(s_camino.Source, s_loan, Loans);
    }

    [OneTimeTearDown]
    public static async Task StopAsync() => await s_camino.DisposeAsync();

    [TestCase("?sort=newest", "PK_serviced_loans|pk_serviced_loans")]
    [TestCase("?sort=-newest", "PK_serviced_loans|pk_serviced_loans")]
    [TestCase("?sort=number", "ix_serviced_loans_number")]
    [TestCase("?sort=owed", "ix_serviced_loans_owed_id")]
    [TestCase("?sort=-late", "ix_serviced_loans_days_past_due_id")]
    public async Task A_page_deep_in_the_list_comes_from_an_index(string query, string index)
    {
        var filter = ServicedFilter.FromQuery(new Microsoft.AspNetCore.Http.QueryCollection(Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query)));
        var list = new ListServicedLoans(s_camino.Source);
        var first = await list.RunAsync(filter, null, CancellationToken.None);
        var second = await list.RunAsync(filter, first.Next, CancellationToken.None);
        var back = await list.RunAsync(filter, second.Previous, CancellationToken.None);

        await using var page = ListServicedLoans.Page(s_camino.Source, filter, second.Next);
        var plan = await QueryPlan.OfAsync(page);

        Assert.That(back.Lines, Is.EqualTo(first.Lines));
        Assert.That(second.Lines.Select(line => line.Id).Intersect(first.Lines.Select(line => line.Id)), Is.Empty);
        Assert.That(plan, Does.Match(index).And.Not.Contain("Seq Scan on serviced_loans"));
        Assert.That(plan, Does.Not.Match(@"(?m)^ *(->  )?Sort  \(cost"), plan);
    }

    [TestCase("?sort=newest", "pk_serviced_loans")]
    [TestCase("?sort=-late", "ix_serviced_loans_days_past_due_id")]
    public async Task A_page_for_somebody_of_a_branch_comes_from_an_index_too(string query, string index)
    {
        await using (var place = s_camino.Source.CreateCommand("insert into camino.loan_branches (loan_id, branch_id) select s.id, r.id from camino.serviced_loans s join camino.branches r on r.code = case when s.id::text < '8' then 'SAV' else 'ATL' end on conflict do nothing; analyze camino.loan_branches"))
            await place.ExecuteNonQueryAsync();
        var branch = await s_camino.ScalarAsync<Guid>("select id from camino.branches where code = 'SAV'");
        var filter = ServicedFilter.FromQuery(new Microsoft.AspNetCore.Http.QueryCollection(Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query))) with { Branches = [branch] };

        await using var page = ListServicedLoans.Page(s_camino.Source, filter, null);
        var plan = await QueryPlan.OfAsync(page);

        Assert.That(plan, Does.Match("(?i)" + index).And.Not.Contain("Seq Scan on serviced_loans"));
        Assert.That(plan, Does.Not.Match(@"(?m)^ *(->  )?Sort  \(cost"), plan);
    }

    [Test]
    public async Task What_waits_today_is_counted_from_indexes()
    {
        await using var day = ReadDay.Command(s_camino.Source, Guid.NewGuid(), DateTimeOffset.UtcNow);

        Assert.That(await QueryPlan.OfAsync(day), Does.Not.Contain("Seq Scan on serviced_loans"));
    }

    [Test]
    public async Task A_page_of_the_list_of_one_status_comes_from_an_index()
    {
        await using var page = ListServicedLoans.Page(s_camino.Source, new ServicedFilter { Status = LoanStatus.ChargedOff }, new ListCursor(null, Guid.NewGuid(), Backward: false));

        Assert.That(await QueryPlan.OfAsync(page), Does.Not.Contain("Seq Scan on serviced_loans"));
    }

    [Test]
    public async Task A_page_of_a_loans_ledger_comes_from_an_index()
    {
        await using var page = ReadLedger.Page(s_camino.Source, s_loan, Guid.CreateVersion7());

        var plan = await QueryPlan.OfAsync(page);

        Assert.That(plan, Does.Contain("ix_ledger_transactions_loan_id_id").And.Not.Contain("Seq Scan"));
    }
}
