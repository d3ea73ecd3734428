using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Data;

/// <content>The lender's own book.</content>
public sealed partial class CaminoDb
{
    public DbSet<Product> Products => Set<Product>();
    public DbSet<ProductVersion> ProductVersions => Set<ProductVersion>();
    public DbSet<ServicedLoan> ServicedLoans => Set<ServicedLoan>();
    public DbSet<RecordedEvent> LoanEvents => Set<RecordedEvent>();
    public DbSet<LoanInstallment> LoanInstallments => Set<LoanInstallment>();
    public DbSet<LedgerTransaction> LedgerTransactions => Set<LedgerTransaction>();
    public DbSet<LedgerEntry> LedgerEntries => Set<LedgerEntry>();
    public DbSet<LoanBalance> LoanBalances => Set<LoanBalance>();
    public DbSet<BusinessDay> BusinessDays => Set<BusinessDay>();
    public DbSet<CloseRun> CloseRuns => Set<CloseRun>();
    public DbSet<CloseChunk> CloseChunks => Set<CloseChunk>();
    public DbSet<LedgerCheck> LedgerChecks => Set<LedgerCheck>();
    public DbSet<HandledRequest> HandledRequests => Set<HandledRequest>();
    public DbSet<LoanLetter> LoanLetters => Set<LoanLetter>();
}
