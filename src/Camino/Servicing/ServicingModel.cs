using Camino.Data;
using Microsoft.EntityFrameworkCore;

namespace Camino.Servicing;

/// <summary>Tables of the serviced book. The triggers that keep what is written once stand in the migration.</summary>
internal static class ServicingModel
{
    /// <summary>Largest amount: $999,999,999,999.99.</summary>
    private const int AmountDigits = 14;

    public static void AddServicing(this ModelBuilder builder)
    {
        builder.HasSequence<long>("serviced_loan_numbers", CaminoDb.Schema).StartsAt(100_001);
        builder.Entity<Product>(product =>
        {
            product.ToTable("products");
            product.Property(p => p.Id).ValueGeneratedNever();
            product.Property(p => p.Code).HasMaxLength(20);
            product.Property(p => p.Name).HasMaxLength(100);
            product.HasIndex(p => p.Code).IsUnique();
        });
        builder.Entity<ProductVersion>(version =>
        {
            version.ToTable("product_versions");
            version.HasKey(v => new { v.ProductId, v.Number });
            version.Property(v => v.Status).HasConversion<short>();
            version.Property(v => v.Rules).HasColumnType("jsonb");
            version.Property(v => v.Offer).HasColumnType("jsonb");
            version.HasOne<Product>().WithMany().HasForeignKey(v => v.ProductId).OnDelete(DeleteBehavior.Restrict);
        });
        builder.Entity<ServicedLoan>(Loan);
        builder.Entity<RecordedEvent>(one =>
        {
            one.ToTable("loan_events", table => table.HasCheckConstraint("ck_loan_events_amount", "amount is null or amount > 0"));
            one.Property(e => e.Id).ValueGeneratedNever();
            one.Property(e => e.Key).HasMaxLength(64);
            one.Property(e => e.OfKey).HasMaxLength(64);
            one.Property(e => e.Type).HasConversion<short>();
            one.Property(e => e.Amount).HasPrecision(AmountDigits, 2);
            one.Property(e => e.Body).HasColumnType("jsonb");
            one.Property(e => e.Note).HasMaxLength(500);
            one.HasIndex(e => new { e.LoanId, e.Sequence }).IsUnique();
            one.HasIndex(e => new { e.LoanId, e.Key }).IsUnique();
            one.HasOne<ServicedLoan>().WithMany().HasForeignKey(e => e.LoanId).OnDelete(DeleteBehavior.Restrict);
        });
        builder.Entity<LoanInstallment>(row =>
        {
            row.ToTable("loan_installments");
            row.HasKey(i => new { i.LoanId, i.Number });
            foreach (var amount in row.Metadata.ClrType.GetProperties().Where(property => property.PropertyType == typeof(decimal)))
                row.Property<decimal>(amount.Name).HasPrecision(AmountDigits, 2);
            row.HasOne<ServicedLoan>().WithMany().HasForeignKey(i => i.LoanId).OnDelete(DeleteBehavior.Restrict);
        });
        AddLedger(builder);
        AddDays(builder);
        builder.Entity<HandledRequest>(request =>
        {
            request.ToTable("handled_requests");
            request.HasKey(r => new { r.UserId, r.Key });
            request.Property(r => r.Key).HasMaxLength(64);
            request.Property(r => r.Answer).HasColumnType("jsonb");
            request.HasIndex(r => r.At);
        });
        builder.Entity<LoanLetter>(letter =>
        {
            letter.ToTable("loan_letters");
            letter.Property(l => l.Id).ValueGeneratedNever();
            letter.Property(l => l.Kind).HasConversion<short>();
            letter.Property(l => l.Facts).HasColumnType("jsonb");
            letter.HasIndex(l => new { l.LoanId, l.Sequence, l.Kind }).IsUnique();
            letter.HasOne<ServicedLoan>().WithMany().HasForeignKey(l => l.LoanId).OnDelete(DeleteBehavior.Restrict);
        });
    }

    private static void Loan(Microsoft.EntityFrameworkCore.Metadata.Builders.EntityTypeBuilder<ServicedLoan> loan)
    {
        loan.ToTable("serviced_loans", table =>
        {
            table.HasCheckConstraint("ck_serviced_loans_borrower", "length(borrower_name) between 1 and 200");
            table.HasCheckConstraint("ck_serviced_loans_not_negative",
                "principal > 0 and principal_owed >= 0 and interest_owed >= 0 and fees_owed >= 0 and penalties_owed >= 0 and accrued_interest >= 0 and credit >= 0 and past_due >= 0 and days_past_due >= 0");
        });
        loan.Property(l => l.Id).ValueGeneratedNever();
        loan.Property(l => l.Number).HasMaxLength(20).UseCollation("C").HasDefaultValueSql("'L-' || nextval('camino.serviced_loan_numbers')").HasSentinel("");
        loan.Property(l => l.BorrowerName).HasMaxLength(200);
        loan.Property(l => l.Words).HasComputedColumnSql("to_tsvector('simple', borrower_name)", stored: true);
        loan.Property(l => l.Terms).HasColumnType("jsonb");
        loan.Property(l => l.RatePercent).HasPrecision(12, 8);
        loan.Property(l => l.Status).HasConversion<short>();
        loan.Property(l => l.Bucket).HasConversion<short>();
        foreach (var amount in new[]
        {
            nameof(ServicedLoan.Principal), nameof(ServicedLoan.PrincipalOwed), nameof(ServicedLoan.InterestOwed), nameof(ServicedLoan.FeesOwed), nameof(ServicedLoan.PenaltiesOwed),
            nameof(ServicedLoan.AccruedInterest), nameof(ServicedLoan.Owed), nameof(ServicedLoan.Credit), nameof(ServicedLoan.PastDue), nameof(ServicedLoan.ChargedOff), nameof(ServicedLoan.Recovered),
            nameof(ServicedLoan.PrincipalReceivable), nameof(ServicedLoan.InterestReceivable), nameof(ServicedLoan.FeesReceivable), nameof(ServicedLoan.PenaltiesReceivable),
        })
        {
            loan.Property<decimal>(amount).HasPrecision(AmountDigits, 2);
        }

        loan.Property(l => l.NextDue).HasPrecision(AmountDigits, 2);
        loan.Property(l => l.Owed).HasComputedColumnSql("principal_owed + interest_owed + fees_owed + penalties_owed + accrued_interest", stored: true);
        loan.Property(l => l.SetAsideReason).HasMaxLength(500);
        loan.HasIndex(l => l.Number).IsUnique();
        loan.HasIndex(l => l.Words).HasMethod("gin");
        loan.HasIndex(l => new { l.Status, l.Id });
        loan.HasIndex(l => new { l.ProductId, l.Id });
        loan.HasIndex(l => new { l.Owed, l.Id });
        loan.HasIndex(l => new { l.DaysPastDue, l.Id });
        loan.HasIndex(l => new { l.NextDueOn, l.Id });
        loan.HasIndex(l => new { l.AsOf, l.Id });
        loan.HasIndex(l => l.SetAsideAt).HasFilter("set_aside_at is not null");
        loan.HasOne<ProductVersion>().WithMany().HasForeignKey(l => new { l.ProductId, l.ProductVersion }).OnDelete(DeleteBehavior.Restrict);
    }

    private static void AddLedger(ModelBuilder builder)
    {
        builder.Entity<LedgerTransaction>(transaction =>
        {
            transaction.ToTable("ledger_transactions");
            transaction.Property(t => t.Id).ValueGeneratedNever();
            transaction.Property(t => t.Act).HasMaxLength(40);
            transaction.Property(t => t.EventKey).HasMaxLength(64);
            transaction.HasIndex(t => new { t.LoanId, t.Id });
            transaction.HasOne<ServicedLoan>().WithMany().HasForeignKey(t => t.LoanId).OnDelete(DeleteBehavior.Restrict);
            transaction.HasMany(t => t.Entries).WithOne().HasForeignKey(e => e.TransactionId).OnDelete(DeleteBehavior.Restrict);
            transaction.Navigation(t => t.Entries).HasField("_entries").UsePropertyAccessMode(PropertyAccessMode.Field);
        });
        builder.Entity<LedgerEntry>(entry =>
        {
            entry.ToTable("ledger_entries", table => table.HasCheckConstraint("ck_ledger_entries_amount", "amount <> 0"));
            entry.HasKey(e => new { e.TransactionId, e.Line });
            entry.Property(e => e.Account).HasMaxLength(40);
            entry.Property(e => e.Amount).HasPrecision(16, 2);
            entry.HasIndex(e => new { e.LoanId, e.Account });
            entry.HasIndex(e => new { e.Account, e.PostedOn });
        });
        builder.Entity<LoanBalance>(balance =>
        {
            balance.ToTable("loan_balances");
            balance.HasKey(b => new { b.LoanId, b.Account });
            balance.Property(b => b.Account).HasMaxLength(40);
            balance.Property(b => b.Amount).HasPrecision(16, 2);
            balance.HasOne<ServicedLoan>().WithMany().HasForeignKey(b => b.LoanId).OnDelete(DeleteBehavior.Restrict);
        });
    }

    private static void AddDays(ModelBuilder builder)
    {
        builder.Entity<BusinessDay>(day =>
        {
            day.ToTable("business_day", table => table.HasCheckConstraint("ck_business_day_one", "only_row"));
            day.HasKey(d => d.OnlyRow);
            day.Property(d => d.OnlyRow).ValueGeneratedNever();
        });
        builder.Entity<CloseRun>(run =>
        {
            run.ToTable("close_runs");
            run.Property(r => r.Id).ValueGeneratedNever();
            run.HasIndex(r => r.Opens).IsUnique();
        });
        builder.Entity<CloseChunk>(chunk =>
        {
            chunk.ToTable("close_chunks");
            chunk.HasKey(c => new { c.RunId, c.Number });
            chunk.HasOne<CloseRun>().WithMany().HasForeignKey(c => c.RunId).OnDelete(DeleteBehavior.Restrict);
        });
        builder.Entity<LedgerCheck>(check =>
        {
            check.ToTable("ledger_checks");
            check.Property(c => c.Id).ValueGeneratedNever();
            check.Property(c => c.Total).HasPrecision(20, 2);
            check.Property(c => c.Details).HasColumnType("jsonb");
        });
    }
}
