using System.Net;
using Camino.Servicing;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>Many at once on one loan, and staff against the close: each must leave a loan that a replay agrees with and a ledger that balances.</summary>
internal sealed class LoanRaceTests
{
    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync();
    }

    [TearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task Four_simultaneous_payments_are_all_received()
    {
        var id = await _book.DisbursedLoanAsync();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _book.OkAsync(id, "record-payment", new { on = "2026-02-01", amount = "100.00" })));

        Assert.That(await _book.SumAsync(id, "Cash"), Is.EqualTo(-12_000.00m + 400.00m));
        Assert.That(await _camino.ScalarAsync<decimal>($"select sum(paid_principal + paid_interest + paid_fee + paid_penalty) from camino.loan_installments where loan_id = '{id}'"), Is.EqualTo(400.00m));
        await _book.MustBeRightAsync(id);
    }

    [Test]
    public async Task The_same_payment_sent_by_eight_at_once_is_received_once()
    {
        var id = await _book.DisbursedLoanAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _book.CommandAsync(id, "record-payment", new { on = "2026-02-01", amount = "100.00" }, "one key")));

        Assert.That(answers.Select(answer => answer.StatusCode), Is.All.EqualTo(HttpStatusCode.Created));
        Assert.That(await _book.SumAsync(id, "Cash"), Is.EqualTo(-12_000.00m + 100.00m));
        foreach (var answer in answers)
            answer.Dispose();
    }

    [Test]
    public async Task Fifty_simultaneous_commands_leave_a_loan_that_a_replay_agrees_with()
    {
        var id = await _book.DisbursedLoanAsync();
        (string Command, object Body)[] kinds =
        [
            ("record-payment", new { on = "2026-02-03", amount = "61.07" }), ("charge-fee", new { on = "2026-02-05", amount = "3.00", portion = "fee" }), ("record-payment", new { on = "2026-02-20", amount = "18.35" }),
            ("change-rate", new { on = "2026-02-10", annualRatePercent = "11" }), ("reamortize", new { on = "2026-02-11" }),
        ];

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => _book.OkAsync(id, kinds[i % kinds.Length].Command, kinds[i % kinds.Length].Body)));

        Assert.That(await _camino.ScalarAsync<int>($"select version from camino.serviced_loans where id = '{id}'"), Is.EqualTo(52));
        Assert.That(await _book.SumAsync(id, "Cash"), Is.EqualTo(-12_000.00m + (10 * 61.07m) + (10 * 18.35m)));
        await _book.MustBeRightAsync(id);
    }

    [Test]
    public async Task Commands_that_wait_for_one_loan_leave_the_connections_to_everybody_else()
    {
        var id = await _book.DisbursedLoanAsync();
        await using var somebody = await _camino.Source.OpenConnectionAsync();
        await using var holding = await somebody.BeginTransactionAsync();
        await using (var hold = new Npgsql.NpgsqlCommand($"select 1 from camino.serviced_loans where id = '{id}' for update", somebody, holding))
            await hold.ExecuteNonQueryAsync();

        var paying = Enumerable.Range(0, 30).Select(_ => _book.OkAsync(id, "record-payment", new { on = "2026-02-01", amount = "10.00" })).ToList();
        var turns = _camino.Office.Services.GetRequiredService<LoanTurns>();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (turns.Here(id) < paying.Count)
            await Task.Delay(20, limit.Token);

        using var ready = await _camino.Api.GetAsync(new Uri("/health/ready", UriKind.Relative));
        using var page = await _camino.Api.GetAsync(new Uri($"/api/v1/loans/{id}", UriKind.Relative));
        Assert.That((ready.StatusCode, page.StatusCode), Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.OK)));
        await holding.CommitAsync();
        await Task.WhenAll(paying);
        Assert.That(await _book.SumAsync(id, "Cash"), Is.EqualTo(-12_000.00m + 300.00m));
        Assert.That(turns.Here(id), Is.Zero);
        await _book.MustBeRightAsync(id);
    }

    [Test]
    public async Task Payments_against_a_running_close_are_neither_lost_nor_doubled()
    {
        var loans = new List<Guid>();
        for (var i = 0; i < 6; i++)
            loans.Add(await _book.DisbursedLoanAsync());

        var closing = _book.CloseAsync("2026-03-01");
        var paying = loans.SelectMany(id => Enumerable.Range(0, 3).Select(_ => _book.OkAsync(id, "record-payment", new { on = "2026-03-01", amount = "50.00" }))).ToList();
        await Task.WhenAll(paying);
        await _book.FinishedAsync(await closing);

        foreach (var id in loans)
        {
            Assert.That(await _book.SumAsync(id, "Cash"), Is.EqualTo(-12_000.00m + 150.00m));
            Assert.That(await _camino.ScalarAsync<DateOnly>($"select as_of from camino.serviced_loans where id = '{id}'"), Is.EqualTo(new DateOnly(2026, 3, 2)));
            await _book.MustBeRightAsync(id);
        }
    }

    [Test]
    public async Task A_close_ages_every_loan_once_and_sets_a_bad_one_aside()
    {
        var good = await _book.DisbursedLoanAsync();
        var bad = await _book.DisbursedLoanAsync();
        var waiting = await _book.BookedLoanAsync();
        await using (var spoil = _camino.Source.CreateCommand($"update camino.serviced_loans set terms = '{{}}' where id = '{bad}'"))
            await spoil.ExecuteNonQueryAsync();

        var run = await _book.CloseAsync("2026-03-01");
        await _book.FinishedAsync(run);

        Assert.That(await _camino.ScalarAsync<int>($"select days_past_due from camino.serviced_loans where id = '{good}'"), Is.EqualTo(29));
        Assert.That(await _camino.ScalarAsync<DateOnly>($"select as_of from camino.serviced_loans where id = '{waiting}'"), Is.EqualTo(new DateOnly(2026, 3, 2)));
        Assert.That(await _camino.ScalarAsync<DateOnly>($"select as_of from camino.serviced_loans where id = '{bad}'"), Is.EqualTo(new DateOnly(2026, 3, 1)));
        Assert.That(await _camino.ScalarAsync<string>($"select set_aside_reason from camino.serviced_loans where id = '{bad}'"), Does.StartWith("stored."));
        Assert.That(await _camino.ScalarAsync<long>($"select sum(closed) * 10 + sum(set_aside) from camino.close_chunks where run_id = '{run.Id}'"), Is.EqualTo(21));
        await _book.MustBeRightAsync(good);
        Assert.That(async () => await _book.CloseAsync("2026-03-01"), Throws.InstanceOf<Lending.RefusedException>().With.Property("Code").EqualTo("close.not_today"));
    }

    [Test]
    public async Task The_ledger_check_finds_no_difference_and_says_so_when_there_is_one()
    {
        var id = await _book.DisbursedLoanAsync();
        await _book.OkAsync(id, "record-payment", new { on = "2026-02-01", amount = "1066.19" });

        var clean = await CheckAsync();
        await using (var spoil = _camino.Source.CreateCommand($"update camino.serviced_loans set principal_receivable = principal_receivable + 1 where id = '{id}'"))
            await spoil.ExecuteNonQueryAsync();
        var spoilt = await CheckAsync();

        Assert.That((clean.Differences, clean.Total), Is.EqualTo((0L, 0.00m)));
        Assert.That(spoilt.Differences, Is.EqualTo(1));
    }

    private async Task<(long Differences, decimal Total)> CheckAsync()
    {
        using var asked = await _book.SendAsync("/api/v1/ledger/checks", new { }, null, null);
        var check = (await ServicedBook.ReadAsync(asked, HttpStatusCode.Accepted)).GetProperty("id").GetGuid();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (true)
        {
            var view = await _book.GetAsync($"/api/v1/ledger/checks/{check}");
            if (view.GetProperty("finishedAt").ValueKind != System.Text.Json.JsonValueKind.Null)
                return (view.GetProperty("differences").GetInt64(), decimal.Parse(view.GetProperty("total").GetString() ?? "", System.Globalization.CultureInfo.InvariantCulture));
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
