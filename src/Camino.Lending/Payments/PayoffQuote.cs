using Camino.Lending.Loans;

namespace Camino.Lending.Payments;

/// <summary>What pays a loan off.</summary>
/// <param name="On">The day quoted.</param>
/// <param name="Amount">Principal, interest to the day and unpaid fees, less the credit; $0.00 when nothing is owed.</param>
/// <param name="Owed">What the amount is made of, interest to the day included.</param>
/// <param name="Credit">The credit taken off.</param>
/// <param name="PerDiem">Interest for one more day.</param>
/// <param name="GoodThrough">Until when the amount plus the per diem of each day pays the loan off.</param>
public sealed record PayoffQuote(DateOnly On, Money Amount, Portions Owed, Money Credit, Money PerDiem, DateOnly GoodThrough);
