using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Data;
using Camino.People;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>The serviced book of a running Camino, as tests talk about it: invented products and loans, a business date that the test sets.</summary>
internal sealed class Book(RunningCamino camino)
{
    /// <summary>Monthly, equal payments, actual/365, a late fee of $25.00 after 10 days, a fee of $15.00 for returned payments.</summary>
    public const string Product = "WC-12";

    private const string Rules = """{"lateFee":{"amount":"25.00","graceDays":10},"returnFee":{"amount":"15.00"},"tolerance":"0.50"}""";
    private const string Offer = """{"principalFrom":"500.00","principalTo":"50000.00","rateFrom":"0","rateTo":"60","paymentsFrom":1,"paymentsTo":60,"terms":{"method":"equalPayment","dayCount":"actual/365","unit":"month","every":1}}""";

    public async Task PrepareAsync(string today = "2026-03-01")
    {
        await SetTodayAsync(today);
        await using var scope = camino.Office.Services.CreateAsyncScope();
        var by = await OfficerAsync(scope);
        var product = await scope.ServiceProvider.GetRequiredService<AddProduct>().RunAsync(Product, "Working capital", Rules, Offer, by, CancellationToken.None);
        await using var other = camino.Office.Services.CreateAsyncScope();
        await other.ServiceProvider.GetRequiredService<PublishProduct>().RunAsync(product.Id, by, CancellationToken.None);
    }

    public async Task SetTodayAsync(string today)
    {
        await using var command = camino.Source.CreateCommand("update camino.business_day set today = $1");
        command.Parameters.AddWithValue(DateOnly.ParseExact(today, "yyyy-MM-dd", CultureInfo.InvariantCulture));
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>12,000.00 at 12 percent in 12 months from 2026-01-01, handed out then.</summary>
    public async Task<Guid> DisbursedLoanAsync(string principal = "12000.00", string on = "2026-01-01")
    {
        var id = await BookedLoanAsync(principal, on);
        await OkAsync(id, "disburse", new { on, amount = principal });
        return id;
    }

    public async Task<Guid> BookedLoanAsync(string principal = "12000.00", string on = "2026-01-01")
    {
        using var answer = await SendAsync("/api/v1/loans", new { product = Product, borrowerName = "Harbor Lantern Bakery LLC", principal, annualRatePercent = "12", payments = 12, disburseOn = on }, Guid.NewGuid().ToString(), "*");
        return (await ReadAsync(answer, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
    }

    public async Task<JsonElement> OkAsync(Guid id, string command, object body)
    {
        using var answer = await CommandAsync(id, command, body);
        return await ReadAsync(answer, HttpStatusCode.Created);
    }

    public async Task<JsonElement> RefusedAsync(Guid id, string command, object body, HttpStatusCode status = HttpStatusCode.UnprocessableEntity)
    {
        using var answer = await CommandAsync(id, command, body);
        return await ReadAsync(answer, status);
    }

    public Task<HttpResponseMessage> CommandAsync(Guid id, string command, object body, string? key = null, string ifMatch = "*") =>
        SendAsync($"/api/v1/loans/{id}/{command}", body, key ?? Guid.NewGuid().ToString(), ifMatch);

    public async Task<HttpResponseMessage> SendAsync(string path, object body, string? key, string? ifMatch, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = JsonContent.Create(body) };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        var answer = await (client ?? camino.Api).SendAsync(request);
        if (answer.StatusCode == HttpStatusCode.InternalServerError)
            Assert.Fail(camino.LogLines.LastOrDefault(line => line.Contains("broke", StringComparison.Ordinal)) ?? "The log says nothing.");
        return answer;
    }

    public static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.StatusCode, Is.EqualTo(status), text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    public Task<JsonElement> GetAsync(string path) => camino.Api.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative));

    /// <summary>A key of the demo user with this role.</summary>
    public async Task<string> KeyOfAsync(string role)
    {
        await using var scope = camino.Office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        var user = await db.Users.SingleAsync(one => one.UserName == (role == StaffRoles.Administrator ? "admin" : role) + "@demo.camino.example");
        return await scope.ServiceProvider.GetRequiredService<AddApiKey>().RunAsync("test " + role, user.Id, CancellationToken.None);
    }

    public async Task<CloseRun> CloseAsync(string closes)
    {
        await using var scope = camino.Office.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<CloseDay>().RunAsync(DateOnly.ParseExact(closes, "yyyy-MM-dd", CultureInfo.InvariantCulture), null, CancellationToken.None);
    }

    /// <summary>Waits until every chunk of a close is done.</summary>
    public async Task FinishedAsync(CloseRun run)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (await camino.ScalarAsync<object>($"select finished_at from camino.close_runs where id = '{run.Id}'") is null or DBNull)
            await timer.WaitForNextTickAsync(limit.Token);
    }

    /// <summary>The stored reading is that of a replay, the ledger is that of the reading, and every transaction comes to zero.</summary>
    public async Task MustBeRightAsync(Guid id)
    {
        await using var scope = camino.Office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        var loan = await db.LoanToLookAtAsync(id, CancellationToken.None) ?? throw new InvalidOperationException("There is no such loan.");
        var stored = loan.Loan;
        var state = loan.StateOn(stored.AsOf);
        var rows = await db.LoanInstallments.AsNoTracking().Where(row => row.LoanId == id).OrderBy(row => row.Number).ToListAsync();
        Assert.Multiple(() =>
        {
            Assert.That(stored.Events, Is.EqualTo(loan.Events.Count), "events counted");
            Assert.That(stored.Status, Is.EqualTo(state.Status));
            Assert.That((stored.PrincipalOwed, stored.InterestOwed, stored.FeesOwed, stored.PenaltiesOwed, stored.AccruedInterest, stored.Credit), Is.EqualTo(
                (state.Owed.Principal.Dollars, state.Owed.Interest.Dollars, state.Owed.Fee.Dollars, state.Owed.Penalty.Dollars, state.AccruedInterest.Dollars, state.Credit.Dollars)), "balances");
            Assert.That((stored.DaysPastDue, stored.PastDue), Is.EqualTo((state.DaysPastDue, state.PastDue.Dollars)), "days past due");
            Assert.That(rows.Select(row => (row.Number, row.DueOn, row.IsDue, row.DuePrincipal, row.DueInterest, row.PaidPrincipal, row.PaidInterest, row.PaidFee, row.WaivedFee)), Is.EqualTo(
                state.Rows.Select(row => (row.Number, row.DueOn, row.IsDue, row.Due.Principal.Dollars, row.Due.Interest.Dollars, row.Paid.Principal.Dollars, row.Paid.Interest.Dollars, row.Paid.Fee.Dollars, row.Waived.Fee.Dollars))), "installments");
        });
        Assert.That(await camino.ScalarAsync<long>($"select count(*) from (select transaction_id from camino.ledger_entries where loan_id = '{id}' group by 1 having sum(amount) <> 0) unbalanced"), Is.Zero);
        Assert.That(await camino.ScalarAsync<long>($"select count(*) from (select account, sum(amount) as amount from camino.ledger_entries where loan_id = '{id}' group by 1) e full join (select account, amount from camino.loan_balances where loan_id = '{id}') b using (account) where coalesce(e.amount, 0) <> coalesce(b.amount, 0)"), Is.Zero, "kept balances");
        Assert.That(await SumAsync(id, "LoansReceivable"), Is.EqualTo(stored.PrincipalReceivable));
        Assert.That(await SumAsync(id, "InterestReceivable"), Is.EqualTo(stored.InterestReceivable));
        Assert.That(await SumAsync(id, "BorrowerCredits"), Is.EqualTo(-stored.Credit));
    }

    /// <summary>What a loan's entries on one account come to.</summary>
    public async Task<decimal> SumAsync(Guid id, string account) => await camino.ScalarAsync<decimal>($"select coalesce(sum(amount), 0) from camino.ledger_entries where loan_id = '{id}' and account = '{account}'");

    private static async Task<Guid> OfficerAsync(AsyncServiceScope scope) =>
        (await scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.FirstAsync(user => user.UserName == "officer@demo.camino.example")).Id;
}
