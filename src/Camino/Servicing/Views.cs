using Camino.Data;
using Camino.Journal;
using Camino.Lending.Ledger;
using Camino.Lending.Loans;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Camino.Servicing;

/// <summary>An amount for each portion, as programs read it.</summary>
public sealed record PortionsView(string Principal, string Interest, string Fee, string Penalty, string Total)
{
    public static PortionsView Of(Portions of) => new(Words.Amount(of.Principal.Dollars), Words.Amount(of.Interest.Dollars), Words.Amount(of.Fee.Dollars), Words.Amount(of.Penalty.Dollars), Words.Amount(of.Total.Dollars));
}

/// <summary>One installment, as programs read it.</summary>
public sealed record InstallmentView(int Number, DateOnly DueOn, bool IsDue, PortionsView Due, PortionsView Paid, PortionsView Waived, string Outstanding);

/// <summary>A loan on a date, as programs read it.</summary>
public sealed record StateView(DateOnly On, string Status, PortionsView Owed, string AccruedInterest, string Credit, int DaysPastDue, string PastDue, string ChargedOff, string Recovered, int Restructures, IReadOnlyList<InstallmentView> Installments)
{
    public static StateView Of(LoanState state) => new(
        state.On, Words.Camel(state.Status), PortionsView.Of(state.Owed), Words.Amount(state.AccruedInterest.Dollars), Words.Amount(state.Credit.Dollars), state.DaysPastDue, Words.Amount(state.PastDue.Dollars),
        Words.Amount(state.ChargedOff.Dollars), Words.Amount(state.Recovered.Dollars), state.Restructures,
        [.. state.Rows.Select(row => new InstallmentView(row.Number, row.DueOn, row.IsDue, PortionsView.Of(row.Due), PortionsView.Of(row.Paid), PortionsView.Of(row.Waived), Words.Amount(row.Outstanding.Total.Dollars)))]);
}

/// <summary>One transaction of the ledger with its lines.</summary>
public sealed record LedgerLine(Guid Transaction, DateOnly PostedOn, DateOnly EffectiveOn, string Act, string Event, bool IsCorrection, string Account, decimal Debit, decimal Credit);

/// <summary>One account with what all its entries come to.</summary>
/// <param name="Code">Its code in the house's chart; a product may post under another.</param>
public sealed record TrialBalanceLine(string Code, string Account, decimal Debit, decimal Credit);

/// <summary>A page of a loan's ledger, the newest transactions first.</summary>
/// <param name="Next">The last transaction of this page, where an older one follows; the next page begins after it.</param>
public sealed record LedgerPage(IReadOnlyList<LedgerLine> Lines, Guid? Next);

/// <summary>Reads the ledger.</summary>
public sealed class ReadLedger(CaminoDb db, ReadJournal journal, NpgsqlDataSource source)
{
    /// <summary>Transactions of one page.</summary>
    public const int PageSize = 100;

    /// <summary>A loan's lines, the newest transactions first.</summary>
    /// <param name="after">The last transaction of the page before; null for the first page.</param>
    public async Task<LedgerPage> OfLoanAsync(Guid loanId, Guid? after, CancellationToken ct)
    {
        await using var command = Page(source, loanId, after);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<LedgerLine>();
        var transactions = 0;
        while (await rows.ReadAsync(ct))
        {
            var id = rows.GetGuid(0);
            if ((lines.Count == 0 || lines[^1].Transaction != id) && transactions++ == PageSize)
                return new LedgerPage(lines, lines[^1].Transaction);
            var amount = rows.GetDecimal(7);
            lines.Add(new LedgerLine(
                id, rows.GetFieldValue<DateOnly>(1), rows.GetFieldValue<DateOnly>(2), rows.GetString(3), rows.GetString(4), rows.GetBoolean(5), rows.GetString(6), Math.Max(0m, amount), Math.Max(0m, -amount)));
        }

        return new LedgerPage(lines, null);
    }

    /// <summary>The statement of one page and one transaction more.</summary>
    internal static NpgsqlCommand Page(NpgsqlDataSource source, Guid loanId, Guid? after)
    {
        var command = source.CreateCommand(
            $"""
            select t.id, t.posted_on, t.effective_on, t.act, t.event_key, t.is_correction, e.account, e.amount
            from (select * from camino.ledger_transactions where loan_id = @loan{(after is null ? "" : " and id < @after")} order by id desc limit {KeysetSql.Rows(PageSize + 1)}) t
            join camino.ledger_entries e on e.transaction_id = t.id
            order by t.id desc, e.line
            """);
        command.Parameters.AddWithValue("loan", loanId);
        if (after is { } last)
            command.Parameters.AddWithValue("after", last);
        return command;
    }

    /// <summary>Every account of the house, from the balances that are kept for each loan and the entries by hand.</summary>
    public async Task<IReadOnlyList<TrialBalanceLine>> TrialBalanceAsync(CancellationToken ct)
    {
        var sums = await db.LoanBalances.AsNoTracking().GroupBy(balance => balance.Account).Select(group => new { Account = group.Key, Amount = group.Sum(balance => balance.Amount) }).ToDictionaryAsync(sum => sum.Account, sum => sum.Amount, ct);
        var byHand = await journal.BalancesAsync(ct);
        return [.. HouseChart.All.Select(entry => (entry.Code, entry.Name, Amount: sums.GetValueOrDefault(entry.Name) + byHand.GetValueOrDefault(entry.Name))).Select(line => new TrialBalanceLine(line.Code, line.Name, Math.Max(0m, line.Amount), Math.Max(0m, -line.Amount)))];
    }
}

/// <summary>A product with its versions, the newest first.</summary>
public sealed record ProductView(Guid Id, string Code, string Name, IReadOnlyList<ProductVersionView> Versions);

/// <summary>One version of a product.</summary>
public sealed record ProductVersionView(int Number, string Status, DateTimeOffset ChangedAt, DateTimeOffset? PublishedAt, System.Text.Json.JsonElement Rules, System.Text.Json.JsonElement Offer, long Loans);

/// <summary>Reads the products.</summary>
public sealed class ReadProducts(CaminoDb db)
{
    public async Task<IReadOnlyList<ProductView>> AllAsync(CancellationToken ct)
    {
        var products = await db.Products.AsNoTracking().OrderBy(product => product.Code).ToListAsync(ct);
        var versions = (await db.ProductVersions.AsNoTracking().OrderByDescending(version => version.Number).ToListAsync(ct)).ToLookup(version => version.ProductId);
        var loans = await db.ServicedLoans.GroupBy(loan => new { loan.ProductId, loan.ProductVersion }).Select(group => new { group.Key.ProductId, group.Key.ProductVersion, Count = group.LongCount() }).ToDictionaryAsync(group => (group.ProductId, group.ProductVersion), group => group.Count, ct);
        return
        [
            .. products.Select(product => new ProductView(product.Id, product.Code, product.Name,
            [
                .. versions[product.Id].Select(version => new ProductVersionView(
                    version.Number, Words.Camel(version.Status), version.ChangedAt, version.PublishedAt, System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(version.Rules).GetProperty("product"),
                    System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>(version.Offer), loans.GetValueOrDefault((product.Id, version.Number)))),
            ])),
        ];
    }

    /// <summary>Products under which loans can be booked.</summary>
    public async Task<IReadOnlyList<(string Code, string Name, ProductOffer Offer)>> OfferedAsync(CancellationToken ct)
    {
        var found = await (
            from version in db.ProductVersions.AsNoTracking()
            join product in db.Products on version.ProductId equals product.Id
            where version.Status == ProductStatus.Published
            orderby product.Code
            select new { product.Code, product.Name, version.Offer }).ToListAsync(ct);
        return [.. found.Select(one => (one.Code, one.Name, ProductOffer.Read(one.Offer)))];
    }
}
