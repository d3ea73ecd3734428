using System.Runtime.InteropServices;
using Camino.Lending.Payments;

namespace Camino.Lending.Loans;

/// <summary>How interest accrues between two dates within an installment's period, so that whole periods come to what the schedule says.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct PeriodBasis(ScheduleTerms terms, DateOnly terminationDate)
{
    private readonly DayCountConvention _convention = terms.DayCount;
    private readonly PeriodUnit _unit = terms.Unit;
    private readonly int _every = terms.Every;
    private readonly DateOnly _terminationDate = terminationDate;

    private bool IsNominal => _convention == DayCountConvention.Thirty360 && _unit >= PeriodUnit.Month;

    /// <summary>Interest on a base from one date to another within a period: base x rate x part of a year, divided once.</summary>
    /// <param name="on">The base, in cents; 1 for the factor alone.</param>
    /// <param name="installment">The installment the period belongs to; none after the last.</param>
    /// <param name="from">First date.</param>
    /// <param name="to">Second date.</param>
    /// <param name="rate">The yearly rate.</param>
    public decimal Interest(decimal on, Installment? installment, DateOnly from, DateOnly to, Rate rate)
    {
        if (to <= from || installment is { IsInterestFree: true })
            return 0m;
        if (!IsNominal || installment is null)
        {
            var (numerator, denominator) = Between(from, to);
            return on * numerator * rate.Numerator / ((decimal)denominator * rate.Denominator);
        }

        var regularDays = Math.Max(1, installment.DueOn.DayNumber - installment.RegularFrom.DayNumber);
        var part = ToDue(installment, from, regularDays) - ToDue(installment, to, regularDays);
        return on * part * rate.Numerator / (360m * regularDays * rate.Denominator);
    }

    /// <summary>Days of 30-day months from a date to an installment's due date, x the calendar days of its regular period; the schedule counts a later disbursement the same way.</summary>
    private static long ToDue(Installment installment, DateOnly from, int regularDays)
    {
        var odd = DayCount.Days(DayCountConvention.Thirty360, installment.From, installment.RegularFrom);
        var regular = installment.Numerator - odd;
        return from < installment.RegularFrom
            ? (DayCount.Days(DayCountConvention.Thirty360, from, installment.RegularFrom) + regular) * regularDays
            : regular * (installment.DueOn.DayNumber - from.DayNumber);
    }

    /// <summary>Cents from interest added up in parts: what the 28 digits of its parts leave open is settled before it is rounded.</summary>
    public static long Cents(decimal interest, RoundingMode mode) => Rounding.ToWhole(decimal.Round(interest, 12, MidpointRounding.ToEven), mode);

    /// <summary>The numerator for a period that the schedule did not have.</summary>
    public long Numerator(DateOnly from, DateOnly to, bool isRegular)
    {
        if (isRegular && IsNominal)
            return _unit == PeriodUnit.Month ? 30L * _every : 15L;
        return Between(from, to).Numerator;
    }

    private (long Numerator, long Denominator) Between(DateOnly from, DateOnly to) => _convention == DayCountConvention.Thirty360 && !IsNominal
        ? (to.DayNumber - from.DayNumber, 360)
        : DayCount.Ratio(_convention, from, to, _terminationDate);
}
