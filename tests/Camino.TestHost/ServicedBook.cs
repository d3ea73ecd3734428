using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Data;
using Camino.People;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Testing;

/// <summary>The serviced book of a running Camino, as tests talk about it: invented products and loans, a business date that the test sets.</summary>
public sealed class ServicedBook(RunningCamino camino)
{
    /// <summary>What it runs on.</summary>
    public RunningCamino Camino { get; } = camino;

    /// <summary>Monthly, equal payments, actual/365, a late fee of $25.00 after 10 days, a fee of $15.00 for returned payments, renewed after two months on time.</summary>
    public const string Product = "WC-12";

    private const string Rules = """{"lateFee":{"amount":"25.00","graceDays":10},"returnFee":{"amount":"15.00"},"tolerance":"0.50","renewal":{"onTimeMonths":2,"graceDays":3}}""";
    private const string Offer = """{"principalFrom":"500.00","principalTo":"50000.00","rateFrom":"0","rateTo":"60","paymentsFrom":1,"paymentsTo":60,"terms":{"method":"equalPayment","dayCount":"actual/365","unit":"month","every":1}}""";

    public async Task PrepareAsync(string today = "2026-03-01")
    {
        await SetTodayAsync(today);
        await using var scope = Camino.Office.Services.CreateAsyncScope();
        var by = await OfficerAsync(scope);
        var product = await scope.ServiceProvider.GetRequiredService<AddProduct>().RunAsync(Product, "Working capital", Rules, Offer, by, CancellationToken.None);
        await using var other = Camino.Office.Services.CreateAsyncScope();
        await other.ServiceProvider.GetRequiredService<PublishProduct>().RunAsync(product.Id, by, CancellationToken.None);
    }

    public async Task SetTodayAsync(string today)
    {
        await using var command = Camino.Source.CreateCommand("update camino.business_day set today = $1");
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

    public async Task<Guid> BookedLoanAsync(string principal = "12000.00", string on = "2026-01-01", string borrower = "Harbor Lantern Bakery LLC")
    {
        using var answer = await SendAsync("/api/v1/loans", new { product = Product, borrowerName = borrower, principal, annualRatePercent = "12", payments = 12, disburseOn = on }, Guid.NewGuid().ToString(), "*");
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
        var answer = await (client ?? Camino.Api).SendAsync(request);
        if (answer.StatusCode == HttpStatusCode.InternalServerError)
            throw new InvalidOperationException(Camino.LogLines.LastOrDefault(line => line.Contains("broke", StringComparison.Ordinal)) ?? "The log says nothing.");
        return answer;
    }

    public static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        var text = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode != status)
            throw new InvalidOperationException($"{status} was expected, got {answer.StatusCode}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    public Task<JsonElement> GetAsync(string path) => Camino.Api.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative));

    /// <summary>A key of the demo user with this role.</summary>
    public async Task<string> KeyOfAsync(string role)
    {
        await using var scope = Camino.Office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        var user = await db.Users.SingleAsync(one => one.UserName == (role == StaffRoles.Administrator ? "admin" : role) + "@demo.camino.example");
        return await scope.ServiceProvider.GetRequiredService<AddApiKey>().RunAsync("test " + role, user.Id, CancellationToken.None);
    }

    public async Task<CloseRun> CloseAsync(string closes)
    {
        await using var scope = Camino.Office.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<CloseDay>().RunAsync(DateOnly.ParseExact(closes, "yyyy-MM-dd", CultureInfo.InvariantCulture), null, CancellationToken.None);
    }

    /// <summary>Waits until every chunk of a close is done.</summary>
    public async Task FinishedAsync(CloseRun run)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (await Camino.ScalarAsync<object>($"select finished_at from camino.close_runs where id = '{run.Id}'") is null or DBNull)
            await timer.WaitForNextTickAsync(limit.Token);
    }

    /// <summary>What a loan's entries on one account come to.</summary>
    public async Task<decimal> SumAsync(Guid id, string account) => await Camino.ScalarAsync<decimal>($"select coalesce(sum(amount), 0) from camino.ledger_entries where loan_id = '{id}' and account = '{account}'");

    private static async Task<Guid> OfficerAsync(AsyncServiceScope scope) =>
        (await scope.ServiceProvider.GetRequiredService<CaminoDb>().Users.FirstAsync(user => user.UserName == "officer@demo.camino.example")).Id;
}
