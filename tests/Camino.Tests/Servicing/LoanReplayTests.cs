using Camino.Data;
using Camino.Lending;
using Camino.Lending.Loans;
using Camino.Servicing;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Servicing;

/// <summary>A loan in hand is replayed once for each date, however much of a page reads from it.</summary>
internal sealed class LoanReplayTests
{
    private RunningCamino _camino = null!;
    private Guid _loan;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false);
        var book = new ServicedBook(_camino);
        await book.PrepareAsync();
        _loan = await book.DisbursedLoanAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task One_replay_serves_all_that_is_asked_about_a_date_and_the_next_event_ends_it()
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var loan = await db.LoanForChangeAsync(_loan, CancellationToken.None);

        var plain = loan.AccountOn(loan.Today);
        var told = loan.AccountOn(loan.Today, explains: true);
        Assert.That(loan.AccountOn(loan.Today), Is.SameAs(told), "a replay that explains knows all that another knows");
        Assert.That(plain.Explain(), Is.Empty);
        Assert.That(told.Explain(), Is.Not.Empty);
        Assert.That(loan.AccountOn(loan.Today.AddDays(1)), Is.Not.SameAs(told));
        var before = loan.StateOn(loan.Today).Owed.Total;

        loan.Record(new LoanEvent { Key = "new", Type = LoanEventType.Pay, On = loan.Today, Amount = new Money(100m) }, null, DateTimeOffset.UtcNow, Guid.NewGuid());

        Assert.That(loan.StateOn(loan.Today).Owed.Total, Is.LessThan(before));
    }

    [Test]
    public async Task A_loan_that_was_read_to_be_looked_at_takes_no_event()
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        var loan = await db.LoanToLookAtAsync(_loan, CancellationToken.None);

        Assert.That(loan, Is.Not.Null);
        Assert.That(() => loan.Record(new LoanEvent { Key = "new", Type = LoanEventType.Pay, On = loan.Today, Amount = new Money(100m) }, null, DateTimeOffset.UtcNow, Guid.NewGuid()), Throws.InvalidOperationException);
        Assert.That(() => loan.BringForward(DateTimeOffset.UtcNow), Throws.InvalidOperationException);
        Assert.That((loan.Events.Count, loan.NewEvents.Count, loan.NewInstallments.Count), Is.EqualTo((1, 0, 0)));
        Assert.That(await db.LoanToLookAtAsync(_loan, CancellationToken.None, toTry: true), Is.Not.Null);
    }
}
