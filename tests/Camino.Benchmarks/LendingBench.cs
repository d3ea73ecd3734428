using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Camino.Lending;
using Camino.Lending.Disclosures;
using Camino.Lending.Loans;

namespace Camino.Benchmarks;

/// <summary>The loan engine: a schedule, a rate, a replay and the calculator's process, beside a plain loop over the same 60 rows.</summary>
internal sealed class LendingBench(Report report)
{
    private const int Rounds = 25;
    private const int ThreadProcessorTime = 3; // CLOCK_THREAD_CPUTIME_ID
    private static readonly DateOnly Start = new(2026, 1, 15);

    public static Task RunAsync(Report report, CancellationToken ct) => new LendingBench(report).RunAsync(ct);

    private async Task RunAsync(CancellationToken ct)
    {
        report.Say("schedules, rates and replays in one thread");
        Engine(ct);
        report.Say("the calculator as a process");
        await CalculatorAsync(ct);
        report.Remark(string.Create(CultureInfo.InvariantCulture,
            $"Processor time of one thread, after warming up: the median of {Rounds} rounds of some milliseconds each, so that a busy machine counts less. Bytes are what one call allocates, its result included."));
    }

    private void Engine(CancellationToken ct)
    {
        var monthly = Terms(DayCountConvention.Thirty360);
        var exact = Terms(DayCountConvention.ActualActual);
        var loop = Measure(() => PlainLoop(20_000m, 0.18m / 12m, 60), 400, ct);
        report.Add(Time("loop", "60 rows by a plain decimal loop", loop, null, null));
        report.Add(Time("schedule", "schedule of 60 months, 30/360", Measure(() => Schedule.Of(monthly).Rows.Length, 400, ct), 20, loop));
        report.Add(Time("scheduleActual", "schedule of 60 months, actual/actual", Measure(() => Schedule.Of(exact).Rows.Length, 400, ct), 20, loop));
        report.Add(Time("scheduleDaily", "schedule of 480 days, actual/365", Measure(() => Schedule.Of(Daily()).Rows.Length, 50, ct), null, loop));

        UnitStream[] advances = [new(new Money(5_000m), 1, new UnitTime(0, 0, 1))];
        UnitStream[] payments = [new(new Money(230m), 24, new UnitTime(1, 0, 1))];
        report.Check("Appendix J (c)(1)(i) is 9.69 %", decimal.Round(Apr.Percent(12m, advances, payments), 2) == 9.69m);
        report.Add(Time("apr", "APR of 24 payments in unit-periods", Measure(() => (int)Apr.Percent(12m, advances, payments), 400, ct), 50, loop));
        var (lent, paid) = Dated(exact);
        report.Add(Time("aprDates", "APR of 60 payments by their dates", Measure(() => (int)Apr.Percent(lent, paid), 400, ct), 50, loop));

        var product = new LoanProduct { LateFee = new FeeRule { Percent = 5m, GraceDays = 10, Cap = new Money(50m) }, ReturnFee = new FeeRule { Amount = new Money(25m) }, Surplus = SurplusRule.NextInstallment };
        var history = History();
        var asOf = Start.AddYears(5);
        report.Check("the replayed loan has 150 events", history.Count == 150);
        report.Check("its ledger agrees with it", Lending.Ledger.LoanLedger.Differences(
            LoanAccount.On(product, exact, history, asOf, posts: true), LoanAccount.On(product, exact, history, asOf, posts: true).Entries, product.Basis).Count == 0);
        report.Add(Time("replay", "replay of 5 years with 150 events", Measure(() => LoanAccount.On(product, exact, history, asOf).State().DaysPastDue, 40, ct), 1_000, loop));
        report.Add(Time("replayLedger", "the same with its ledger", Measure(() => LoanAccount.On(product, exact, history, asOf, posts: true).Entries.Count, 40, ct), 1_000, loop));
    }

    /// <summary>Real lines through a real pipe: 60-month schedules, their answers read to the end.</summary>
    private async Task CalculatorAsync(CancellationToken ct)
    {
        var lines = report.Quick ? 20_000 : 100_000;
        var asked = new StringBuilder();
        for (var i = 0; i < lines; i++)
        {
            asked.Append(CultureInfo.InvariantCulture,
                $$"""{"id":{{i}},"principal":"{{2_000 + (i % 48_000)}}.00","annualRatePercent":"{{5 + (i % 30)}}.25","method":"equalPayment","dayCount":"actual/365","disbursements":[{"on":"2026-01-15","amount":"{{2_000 + (i % 48_000)}}.00"}],"every":1,"unit":"month","payments":60}""").Append('\n');
        }

        var bytes = Encoding.UTF8.GetBytes(asked.ToString());
        var best = double.MaxValue;
        var processor = double.MaxValue;
        for (var run = 0; run < 3; run++)
        {
            using var program = Process.Start(new ProcessStartInfo("dotnet", [Bed.Program, "quote", "schedule"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, Environment = { ["DOTNET_TieredPGO"] = "0" } })
                ?? throw new BenchFailedException("camino quote did not start.");
            var (started, before) = (Stopwatch.GetTimestamp(), ChildSeconds());
            var writing = WriteAsync(program, bytes, ct);
            var answered = await CountAsync(program.StandardOutput.BaseStream, ct);
            await writing;
            await program.WaitForExitAsync(ct);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            report.Check($"run {run + 1} answered {lines} lines and ended with 0", answered == lines && program.ExitCode == 0);
            best = Math.Min(best, seconds);
            processor = Math.Min(processor, ChildSeconds() - before);
        }

        report.Add(new Figure("quote", "camino quote schedule, 60 months, start included, best of 3", lines / best, "lines/s", $"{Figure.Show(lines / processor)} lines for a second of processor time") { AtLeast = 20_000 });
    }

    private static async Task WriteAsync(Process program, byte[] bytes, CancellationToken ct)
    {
        await program.StandardInput.BaseStream.WriteAsync(bytes, ct);
        program.StandardInput.Close();
    }

    private static async Task<int> CountAsync(Stream stream, CancellationToken ct)
    {
        var buffer = new byte[1 << 16];
        var lines = 0;
        while (await stream.ReadAsync(buffer, ct) is > 0 and var read)
            lines += buffer.AsSpan(0, read).Count((byte)'\n');
        return lines;
    }

    private Figure Time(string key, string what, (double Microseconds, long Bytes) measured, double? limit, (double Microseconds, long Bytes)? beside) =>
        new(key, what, measured.Microseconds, "us", string.Create(CultureInfo.InvariantCulture,
            $"{measured.Bytes:#,0} bytes{(beside is { } peer ? $", {Figure.Show(measured.Microseconds / peer.Microseconds)} x the plain loop" : "")}"))
        { AtMost = limit };

    private (double Microseconds, long Bytes) Measure(Func<int> act, int times, CancellationToken ct)
    {
        var times0 = report.Quick ? Math.Max(10, times / 4) : times;
        for (var i = 0; i < times * 20; i++) // long enough for the second compilation
            act();
        var rounds = new double[Rounds];
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < Rounds; round++)
        {
            ct.ThrowIfCancellationRequested();
            var before = ThreadNanoseconds();
            for (var i = 0; i < times0; i++)
                act();
            rounds[round] = (ThreadNanoseconds() - before) / 1_000.0 / times0;
        }

        bytes = (GC.GetAllocatedBytesForCurrentThread() - bytes) / (Rounds * times0);
        Array.Sort(rounds);
        return (rounds[Rounds / 2], bytes);
    }

    /// <summary>Processor time of this thread.</summary>
    private static long ThreadNanoseconds()
    {
        if (ClockGetTime(ThreadProcessorTime, out var time) != 0)
            throw new BenchFailedException("The processor time of a thread cannot be read here.");
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }

    /// <summary>Processor seconds of the programs that were started here and have ended (proc(5), cutime and cstime, in hundredths).</summary>
    private static double ChildSeconds()
    {
        var fields = File.ReadAllText("/proc/self/stat").Split(") ")[^1].Split(' ');
        return (long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture)) / 100.0;
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ClockGetTime(int clock, out TimeOfClock time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeOfClock
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>What a first program would do: the annuity formula, and 60 rows rounded to cents.</summary>
    private static int PlainLoop(decimal principal, decimal rate, int payments)
    {
        var rows = new (decimal Interest, decimal Principal, decimal Balance)[payments];
        var level = decimal.Round(principal * rate / (1m - (1m / (decimal)Math.Pow(1.0 + (double)rate, payments))), 2);
        for (var i = 0; i < payments; i++)
        {
            var interest = decimal.Round(principal * rate, 2);
            var part = i == payments - 1 ? principal : level - interest;
            principal -= part;
            rows[i] = (interest, part, principal);
        }

        return rows.Length;
    }

    private static ScheduleTerms Terms(DayCountConvention dayCount) => new()
    {
        Principal = new Money(20_000m),
        Rate = Rate.FromPercent(18m),
        DayCount = dayCount,
        Disbursements = [new Disbursement(Start, new Money(20_000m))],
        Payments = 60,
    };

    private static ScheduleTerms Daily() => Terms(DayCountConvention.Actual365) with { Unit = PeriodUnit.Day, Payments = 480 };

    private static (DatedAmount[] Advances, DatedAmount[] Payments) Dated(ScheduleTerms terms)
    {
        var payments = new List<DatedAmount>();
        foreach (ref readonly var row in Schedule.Of(terms).Rows)
            payments.Add(new DatedAmount(row.DueOn, row.Due, row.DueOn.Day));
        return ([new DatedAmount(Start, terms.Principal, Start.Day)], [.. payments]);
    }

    /// <summary>Five years of a troubled loan: payments on time, late, short and ahead, returns, fees, a pause, a rate change, a new level.</summary>
    private static List<LoanEvent> History()
    {
        var due = Schedule.Of(Terms(DayCountConvention.ActualActual)).Rows[0].Due;
        var events = new List<LoanEvent>();
        for (var month = 1; month <= 59; month++)
        {
            var on = Start.AddMonths(month);
            Add(on.AddDays(month % 7 == 0 ? 14 : 0), LoanEventType.Pay, month % 9 == 0 ? due - new Money(100m) : due);
            if (month % 2 == 0)
                Add(on.AddDays(3), LoanEventType.Pay, new Money(25m + month));
            if (month % 4 == 0)
                Add(on.AddDays(5), LoanEventType.Fee, new Money(15m));
            if (month % 5 == 0)
                events.Add(new LoanEvent { Key = $"e{events.Count}", On = on.AddDays(18), Type = LoanEventType.Return, Of = events[^1].Type == LoanEventType.Pay ? events[^1].Key : events[^2].Key, BankCode = "R01" });
        }

        events.Add(new LoanEvent { Key = $"e{events.Count}", On = Start.AddMonths(20).AddDays(9), Type = LoanEventType.InterestPause, Until = Start.AddMonths(21) });
        events.Add(new LoanEvent { Key = $"e{events.Count}", On = Start.AddMonths(30).AddDays(9), Type = LoanEventType.RateChange, Rate = Rate.FromPercent(15m) });
        events.Add(new LoanEvent { Key = $"e{events.Count}", On = Start.AddMonths(40).AddDays(9), Type = LoanEventType.Reamortize });
        for (var day = 0; events.Count < 150; day++)
            Add(Start.AddMonths(2 + day).AddDays(21), LoanEventType.Pay, new Money(10m));
        return events;

        void Add(DateOnly on, LoanEventType type, Money amount) => events.Add(new LoanEvent { Key = $"e{events.Count}", On = on, Type = type, Amount = amount });
    }
}
