using Camino.Audit;
using Camino.Branches;
using Camino.Imports;
using Camino.Jobs;
using Camino.Loans;
using Camino.Notices;
using Camino.People;
using Camino.Portfolio;
using Camino.Servicing;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace Camino.Data;

/// <summary>The application's tables, all in schema <c>camino</c>. It is the repository and the unit of work; there is no other.</summary>
/// <param name="writer">Puts enqueued jobs into the same save; left out where nothing is enqueued (migrations).</param>
/// <param name="fence">Refuses the saves of a retired release; left out where the release does not matter (verbs of operators).</param>
/// <param name="scope">The branches of whoever asks; left out where everything is seen.</param>
/// <param name="origin">Says in the audit trail where an act came from; left out where no requests are answered.</param>
public sealed partial class CaminoDb(DbContextOptions<CaminoDb> options, JobWriter? writer = null, ReleaseFence? fence = null, RequestOrigin? origin = null, BranchScope? scope = null) : IdentityDbContext<StaffUser, IdentityRole<Guid>, Guid>(options)
{
    private JobWriter Writer { get; } = writer ?? new JobWriter(new JobClientOptions());

    /// <summary>What whoever asks may see and touch.</summary>
    internal BranchScope Scope { get; } = scope ?? BranchScope.Everything;

    /// <summary>The schema of every table of the application (the queue has its own).</summary>
    public const string Schema = "camino";

    public DbSet<Loan> Loans => Set<Loan>();
    public DbSet<LoanVersion> LoanVersions => Set<LoanVersion>();
    public DbSet<LoanName> LoanNames => Set<LoanName>();
    public DbSet<Import> Imports => Set<Import>();
    public DbSet<ImportRow> ImportRows => Set<ImportRow>();
    public DbSet<SavedMapping> SavedMappings => Set<SavedMapping>();
    public DbSet<PortfolioFigure> PortfolioFigures => Set<PortfolioFigure>();
    public DbSet<Notice> Notices => Set<Notice>();
    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();
    public DbSet<FirstAdminLink> FirstAdminLinks => Set<FirstAdminLink>();
    public DbSet<DataProtectionKeyRow> DataProtectionKeys => Set<DataProtectionKeyRow>();

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.HasDefaultSchema(Schema);

        builder.Entity<StaffUser>(user =>
        {
            user.ToTable("staff_users");
            user.Property(u => u.DisplayName).HasMaxLength(100);
            user.Property(u => u.Language).HasMaxLength(2);
        });
        builder.Entity<IdentityRole<Guid>>().ToTable("staff_roles");
        builder.Entity<IdentityUserRole<Guid>>().ToTable("staff_user_roles");
        builder.Entity<IdentityUserClaim<Guid>>().ToTable("staff_user_claims");
        builder.Entity<IdentityUserLogin<Guid>>().ToTable("staff_user_logins");
        builder.Entity<IdentityUserToken<Guid>>().ToTable("staff_user_tokens");
        builder.Entity<IdentityRoleClaim<Guid>>().ToTable("staff_role_claims");

        builder.Entity<Loan>(loan =>
        {
            loan.ToTable("loans", table =>
            {
                table.HasCheckConstraint("ck_loans_amounts_not_negative", "disbursed >= 0 and approved >= 0 and guaranteed >= 0 and charged_off >= 0 and balance >= 0");
                table.HasCheckConstraint("ck_loans_number", "length(number) between 1 and 40");
            });
            loan.Property(l => l.Id).ValueGeneratedNever();
            loan.Ignore(l => l.Vintage);
            loan.Property(l => l.Source).HasConversion<short>();
            loan.Property(l => l.Status).HasConversion<short>();
            loan.Property(l => l.Number).UseCollation("C");
            foreach (var amount in new[] { nameof(Loan.Disbursed), nameof(Loan.Approved), nameof(Loan.Guaranteed), nameof(Loan.ChargedOff), nameof(Loan.Balance), nameof(Loan.AmountFrom), nameof(Loan.AmountTo), nameof(Loan.Amount) })
                loan.Property<decimal?>(amount).HasPrecision(14, 2);
            loan.Property(l => l.InterestRatePercent).HasPrecision(8, 5);
            loan.Property(l => l.Amount).HasComputedColumnSql("coalesce(disbursed, approved, amount_from)", stored: true);
            loan.HasIndex(l => new { l.Number, l.Source }).IsUnique();
            loan.HasIndex(l => new { l.Amount, l.Id });
            loan.HasIndex(l => new { l.ApprovedOn, l.Id });
            loan.HasIndex(l => new { l.State, l.Id });
            loan.HasIndex(l => new { l.ImportId, l.Id });
        });
        builder.Entity<LoanVersion>(version =>
        {
            version.Property(v => v.Facts).HasColumnType("jsonb");
            version.HasIndex(v => v.LoanId);
        });

        builder.Entity<LoanName>(name =>
        {
            name.HasKey(n => n.LoanId);
            name.HasIndex(n => n.Words).HasMethod("gin");
        });

        builder.Entity<Import>(import =>
        {
            import.Property(i => i.Id).ValueGeneratedNever();
            import.Property(i => i.FileName).HasMaxLength(255);
            import.Property(i => i.StoredAs).HasMaxLength(200);
            import.Property(i => i.Status).HasConversion<short>();
            import.Property(i => i.Plan).HasConversion<short>();
            import.Property(i => i.Mapping).HasColumnType("jsonb");
            import.Property(i => i.Shape).HasColumnType("jsonb");
            import.Property(i => i.CheckFigures).HasColumnType("jsonb");
            import.Property(i => i.LoadFigures).HasColumnType("jsonb");
            import.Property<uint>("xmin").HasColumnType("xid").IsRowVersion();
        });
        builder.Entity<ImportRow>(row =>
        {
            row.HasKey(r => new { r.ImportId, r.DryRun, r.Line });
            row.Property(r => r.Outcome).HasConversion<short>();
            row.Property(r => r.Findings).HasColumnType("jsonb");
            row.HasOne<Import>().WithMany().HasForeignKey(r => r.ImportId);
        });
        builder.Entity<SavedMapping>(mapping =>
        {
            mapping.Property(m => m.Id).ValueGeneratedNever();
            mapping.Property(m => m.Name).HasMaxLength(60);
            mapping.Property(m => m.Layout).HasColumnType("jsonb");
            mapping.HasIndex(m => m.Name).IsUnique();
        });
        builder.Entity<PortfolioFigure>(figure =>
        {
            figure.HasKey(f => new { f.Dimension, f.Key });
            foreach (var amount in new[] { nameof(PortfolioFigure.Disbursed), nameof(PortfolioFigure.Approved), nameof(PortfolioFigure.Guaranteed), nameof(PortfolioFigure.ChargedOff), nameof(PortfolioFigure.Balance) })
                figure.Property<decimal>(amount).HasPrecision(20, 2);
        });
        builder.Entity<Notice>(notice =>
        {
            notice.Property(n => n.Id).ValueGeneratedNever();
            notice.HasIndex(n => new { n.UserId, n.Id });
        });
        builder.Entity<AuditEntry>(entry =>
        {
            entry.Property(e => e.Id).ValueGeneratedNever();
            entry.Property(e => e.Details).HasColumnType("jsonb");
            entry.HasIndex(e => new { e.Subject, e.SubjectId, e.Id });
        });
        builder.Entity<ApiKey>(key =>
        {
            key.Property(k => k.Id).ValueGeneratedNever();
            key.Property(k => k.Name).HasMaxLength(100);
            key.HasIndex(k => k.Hash).IsUnique();
        });
        builder.Entity<FirstAdminLink>(link => link.HasIndex(l => l.Hash).IsUnique());
        builder.Entity<DataProtectionKeyRow>();

        builder.AddServicing();
        SnakeCase.Apply(builder);
    }
}
