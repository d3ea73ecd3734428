using Camino.Branches;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Lending.Loans;
using Camino.Servicing;
using Npgsql;

namespace Camino.Applications;

/// <summary>One offer of an application as it was made, and where it stands on the business date.</summary>
/// <param name="Product">Its code.</param>
/// <param name="Payment">The first regular installment, in dollars.</param>
/// <param name="ExpiresOn">The last business date on which it can be accepted.</param>
/// <param name="MadeBy">Name of who made it.</param>
/// <param name="How">How it was accepted.</param>
/// <param name="Note">What was written down about the acceptance.</param>
public sealed record OfferLine(
    int Number, OfferState State, string Product, int ProductVersion, decimal Principal, decimal RatePercent, int Payments, decimal Payment, decimal FinanceCharge, decimal TotalPayments, decimal AprPercent, DateOnly MaturesOn,
    DateOnly OfferedOn, DateOnly ExpiresOn, DateTimeOffset MadeAt, string? MadeBy, AcceptedBy? How, string? Note)
{
    /// <summary>The colour of its state.</summary>
    public string Tone => State switch { OfferState.Open => "warn", OfferState.Accepted => "good", _ => "quiet" };
}

/// <summary>One offer with everything that it comes to.</summary>
/// <param name="Renewal">The loan that it was to pay off on the day of its disbursement; null when the application renews none.</param>
public sealed record OfferView(OfferLine Line, OfferFigures Figures, RenewalPayoff? Renewal);

/// <summary>Something that is shown elsewhere.</summary>
public sealed record NumberedLink(Guid Id, string Number);

/// <summary>Reads offers, and which loan came from which application.</summary>
public sealed class ShowOffers(NpgsqlDataSource source, BranchScope scope)
{
    private const string Lines =
        """
        select o.number, case when o.state = 1 and o.expires_on < (select today from camino.business_day) then 4 else o.state end, p.code, o.product_version, o.principal, o.rate_percent, o.payments, o.payment, o.finance_charge,
            o.total_payments, o.apr_percent, o.matures_on, o.offered_on, o.expires_on, o.made_at, u.display_name, case when exists (select from camino.application_signatures s where s.application_id = o.application_id and s.offer_number = o.number) then 4::smallint else o.accepted_how end, o.accepted_note, o.terms::text, o.place_state, y.loan_id, y.payoff, (select s.number from camino.serviced_loans s where s.id = y.loan_id)
        from camino.application_offers o join camino.products p on p.id = o.product_id left join camino.staff_users u on u.id = o.made_by left join camino.offer_payoffs y on y.application_id = o.application_id and y.offer_number = o.number where o.application_id = $1
        """;

    /// <summary>All offers of an application in the order in which they were made.</summary>
    public async Task<IReadOnlyList<OfferLine>> RunAsync(Guid applicationId, CancellationToken ct)
    {
        await using var command = Command(source, applicationId);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var lines = new List<OfferLine>();
        while (await rows.ReadAsync(ct))
            lines.Add(await LineAsync(rows, ct));
        return lines;
    }

    /// <summary>One offer with its schedule, or null.</summary>
    public async Task<OfferView?> OneAsync(Guid applicationId, int number, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Lines + " and o.number = $2");
        command.Parameters.Add(new NpgsqlParameter { Value = applicationId });
        command.Parameters.Add(new NpgsqlParameter { Value = number });
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            return null;
        var line = await LineAsync(row, ct);
        var renewal = await row.IsDBNullAsync(20, ct) ? null : new RenewalPayoff(row.GetGuid(20), row.GetString(22), new Money(row.GetDecimal(21)), new Money(line.Principal - row.GetDecimal(21)));
        return new OfferView(line, OfferFigures.Of(StoredForm.ReadTerms(row.GetString(18)), row.GetString(19), line.OfferedOn), renewal);
    }

    /// <summary>The loan that an application became.</summary>
    public Task<NumberedLink?> LoanAsync(Guid applicationId, CancellationToken ct) =>
        LinkAsync("select s.id, s.number from camino.application_loans l join camino.serviced_loans s on s.id = l.loan_id where l.application_id = $1" + BranchSql.And(scope.Seen, BranchSql.Loan("s.id", "$2")), applicationId, ct);

    /// <summary>The application that a loan came from.</summary>
    public Task<NumberedLink?> OfLoanAsync(Guid loanId, CancellationToken ct) =>
        LinkAsync("select a.id, a.number from camino.application_loans l join camino.applications a on a.id = l.application_id where l.loan_id = $1" + BranchSql.And(scope.Seen, BranchSql.Row("a", "$2")), loanId, ct);

    /// <summary>The statement that reads all offers of an application.</summary>
    internal static NpgsqlCommand Command(NpgsqlDataSource source, Guid applicationId)
    {
        var command = source.CreateCommand(Lines + " order by o.number");
        command.Parameters.Add(new NpgsqlParameter { Value = applicationId });
        return command;
    }

    private async Task<NumberedLink?> LinkAsync(string sql, Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.AddNextBranches(scope.Seen);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? new NumberedLink(row.GetGuid(0), row.GetString(1)) : null;
    }

    private static async Task<OfferLine> LineAsync(NpgsqlDataReader row, CancellationToken ct) => new(
        row.GetInt16(0), (OfferState)row.GetInt32(1), row.GetString(2), row.GetInt32(3), row.GetDecimal(4), row.GetDecimal(5), row.GetInt32(6), row.GetDecimal(7), row.GetDecimal(8), row.GetDecimal(9), row.GetDecimal(10),
        row.GetFieldValue<DateOnly>(11), row.GetFieldValue<DateOnly>(12), row.GetFieldValue<DateOnly>(13), row.GetFieldValue<DateTimeOffset>(14), await row.IsDBNullAsync(15, ct) ? null : row.GetString(15),
        await row.IsDBNullAsync(16, ct) ? null : (AcceptedBy)row.GetInt16(16), await row.IsDBNullAsync(17, ct) ? null : row.GetString(17));
}
