using System.Globalization;
using Camino.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Camino.Servicing;

/// <summary>Makes an invented book for trying Camino out: two products and a handful of loans in different states, every borrower invented.</summary>
/// <remarks>Each act goes through its operation, with a key of its own: a second run finds them done.</remarks>
public sealed class SeedBook(IServiceScopeFactory scopes)
{
    private const string Monthly = """{"principalFrom":"2000.00","principalTo":"50000.00","rateFrom":"0","rateTo":"36","paymentsFrom":3,"paymentsTo":60,"terms":{"method":"equalPayment","dayCount":"actual/365","unit":"month","every":1}}""";
    private const string MonthlyRules = """{"lateFee":{"amount":"25.00","graceDays":10},"returnFee":{"amount":"15.00"},"tolerance":"1.00","renewal":{"onTimeMonths":4,"graceDays":5}}""";
    private const string Weekly = """{"principalFrom":"1000.00","principalTo":"15000.00","rateFrom":"0","rateTo":"48","paymentsFrom":8,"paymentsTo":104,"terms":{"method":"equalPayment","dayCount":"actual/360","unit":"week","every":1}}""";
    private const string WeeklyRules = """{"lateFee":{"percent":"5","graceDays":3,"cap":"50.00"},"returnFee":{"amount":"15.00"},"surplus":"lastInstallment"}""";

    /// <summary>Loans as they stand some months after they were made; days count back from the business date.</summary>
    private static readonly Story[] Stories =
    [
        new("WC-MONTHLY", "Copper Kettle Coffee Roasters LLC", "18000.00", "11.5", 24, 152, [(121, "record-payment", null), (91, "record-payment", null), (60, "record-payment", null), (30, "record-payment", null)]),
        new("WC-MONTHLY", "Tres Lunas Panadería Inc", "12500.00", "13.25", 18, 130, [(99, "record-payment", null), (69, "record-payment", null)]),
        new("WC-MONTHLY", "Blue Heron Bicycle Repair", "6000.00", "12", 12, 215, [(184, "record-payment", null), (153, "record-payment", null), (150, "record-payment", "5200.00")]),
        new("WC-MONTHLY", "Night Owl Janitorial Co", "9000.00", "14.9", 24, 250, [(219, "record-payment", null), (188, "record-payment", null), (20, "charge-off", null), (6, "recover", "250.00")]),
        new("WC-WEEKLY", "Saltgrass Food Truck LLC", "4800.00", "24", 26, 62, [(55, "record-payment", null), (48, "record-payment", null), (41, "record-payment", null), (39, "return-payment", "3"), (34, "record-payment", null), (27, "record-payment", null), (20, "record-payment", null), (13, "record-payment", null), (6, "record-payment", null)]),
        new("WC-WEEKLY", "Jacaranda Hair Studio", "3200.00", "21", 20, 48, [(41, "record-payment", null), (34, "record-payment", null), (30, "skip-installment", null), (20, "record-payment", null)]),
        new("WC-MONTHLY", "Granite Creek Welding", "24000.00", "10.75", 36, 0, []),
    ];

    /// <param name="by">The demo officer, in whose name all of it is done.</param>
    public async Task RunAsync(Guid by, CancellationToken ct)
    {
        await ProductAsync("WC-MONTHLY", "Working capital, monthly", MonthlyRules, Monthly, by, ct);
        await ProductAsync("WC-WEEKLY", "Working capital, weekly", WeeklyRules, Weekly, by, ct);
        var today = await DoAsync(services => services.GetRequiredService<CaminoDb>().TodayAsync(ct));
        for (var i = 0; i < Stories.Length; i++)
            await LoanAsync(Stories[i], string.Create(CultureInfo.InvariantCulture, $"demo-{i}"), today, by, ct);
        await SpreadAsync(ct);
    }

    /// <summary>Every third loan of the demonstration, with its borrower, is each demo branch's; the rest is the whole house's.</summary>
    private Task<int> SpreadAsync(CancellationToken ct) => DoAsync(services => services.GetRequiredService<CaminoDb>().Database.ExecuteSqlAsync(
        $"""
        with spread as (
            select k.loan_id, k.borrower_id, r.id as branch_id
            from (select s.id, row_number() over (order by s.id) % 3 as turn from camino.serviced_loans s where s.id in (select (h.answer ->> 'loanId')::uuid from camino.handled_requests h where h.key ~ '^demo-[0-9]+$')) s
            join camino.loan_borrowers k on k.loan_id = s.id
            join (select id, row_number() over (order by created_at, id) % 3 as turn from camino.branches where name like '%(demo)') r on r.turn = s.turn
            where not exists (select from camino.loan_branches)
        ), borrowed as (
            update camino.borrowers b set branch_id = s.branch_id from spread s where b.id = s.borrower_id
        )
        insert into camino.loan_branches (loan_id, branch_id) select loan_id, branch_id from spread on conflict (loan_id) do nothing
        """, ct));

    private async Task LoanAsync(Story story, string key, DateOnly today, Guid by, CancellationToken ct)
    {
        if (await DoAsync(services => services.GetRequiredService<CaminoDb>().HandledRequests.AnyAsync(request => request.UserId == by && request.Key == key, ct)))
            return;
        var start = today.AddDays(-story.DaysAgo);
        var input = new BookingInput { Product = story.Product, BorrowerName = story.Borrower, Principal = story.Principal, AnnualRatePercent = story.Rate, Payments = story.Payments, DisburseOn = Text(start) };
        var loan = (await DoAsync(services => services.GetRequiredService<BookLoan>().RunAsync(input, new AskedBy(by, key), ct))).LoanId;
        if (story.Acts.Count == 0)
            return;
        await CommandAsync(loan, LoanCommand.Disburse, new CommandInput { On = Text(start), Amount = story.Principal }, key + "-0", by, ct);
        for (var i = 0; i < story.Acts.Count; i++)
        {
            var (daysAgo, name, value) = story.Acts[i];
            var command = LoanCommand.Find(name) ?? throw new InvalidOperationException($"There is no command {name}.");
            var act = new CommandInput
            {
                On = Text(today.AddDays(-daysAgo)),
                Amount = command.Has(CommandFields.Amount) ? value ?? await InstallmentAsync(loan, ct) : null,
                Of = command.Has(CommandFields.Of) ? value : null,
                BankCode = command.Has(CommandFields.BankCode) ? "R01" : null,
            };
            await CommandAsync(loan, command, act, string.Create(CultureInfo.InvariantCulture, $"{key}-{i + 1}"), by, ct);
        }
    }

    /// <summary>One installment, as planned.</summary>
    private Task<string> InstallmentAsync(Guid loan, CancellationToken ct) => DoAsync(async services =>
        Words.Amount(await services.GetRequiredService<CaminoDb>().LoanInstallments.Where(row => row.LoanId == loan).OrderBy(row => row.Number).Select(row => row.DuePrincipal + row.DueInterest).FirstAsync(ct)));

    private Task<CommandAnswer> CommandAsync(Guid loan, LoanCommand command, CommandInput input, string key, Guid by, CancellationToken ct) =>
        DoAsync(services => services.GetRequiredService<RunLoanCommand>().RunUnaskedAsync(loan, command, input, new AskedBy(by, key), ct));

    private async Task ProductAsync(string code, string name, string rules, string offer, Guid by, CancellationToken ct)
    {
        if (await DoAsync(services => services.GetRequiredService<CaminoDb>().Products.AnyAsync(product => product.Code == code, ct)))
            return;
        var product = await DoAsync(services => services.GetRequiredService<AddProduct>().RunAsync(code, name, rules, offer, by, ct));
        await DoAsync(services => services.GetRequiredService<PublishProduct>().RunAsync(product.Id, by, ct));
    }

    private async Task<T> DoAsync<T>(Func<IServiceProvider, Task<T>> act)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await act(scope.ServiceProvider);
    }

    private static string Text(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private sealed record Story(string Product, string Borrower, string Principal, string Rate, int Payments, int DaysAgo, IReadOnlyList<(int DaysAgo, string Command, string? Value)> Acts);
}
