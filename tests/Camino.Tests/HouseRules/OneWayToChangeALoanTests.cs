using System.Reflection;
using Camino.Servicing;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>"Known pulls" 1 of the house plan: every operation that changes a loan loads it through the one method that locks it first.</summary>
public sealed class OneWayToChangeALoanTests
{
    [Test]
    public void Only_the_loan_in_hand_changes_a_stored_loan()
    {
        var mutators = typeof(ServicedLoan).GetMethods(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly)
            .Where(method => !method.IsSpecialName && method.ReturnType == typeof(void)).Select(method => method.Name).ToHashSet(StringComparer.Ordinal);

        Assert.That(mutators, Is.Not.Empty);
        Assert.That(Callers(member => member.DeclaringType == typeof(ServicedLoan) && mutators.Contains(member.Name)), Is.EquivalentTo([nameof(LoanInHand), nameof(LoanAccess)]));
    }

    [Test]
    public void Loans_in_hand_come_from_the_method_that_locks_or_are_new() =>
        Assert.That(Callers(member => member is ConstructorInfo && member.DeclaringType == typeof(LoanInHand)), Is.EquivalentTo([nameof(LoanAccess), nameof(LoanInHand)]));

    [Test]
    public void Whoever_keeps_a_loan_has_locked_it_or_made_it()
    {
        var keepers = Callers(member => member.DeclaringType == typeof(LoanAccess) && member.Name == nameof(LoanAccess.Keep)).ToList();
        var lockers = Callers(member => member.DeclaringType == typeof(LoanAccess) && member.Name is nameof(LoanAccess.LoanForChangeAsync) or nameof(LoanAccess.LoansForChangeAsync)
            or nameof(LoanAccess.RenewedLoanForChangeAsync)).ToList();

        Assert.That(keepers, Is.Not.Empty);
        Assert.That(keepers.Except(lockers), Is.EquivalentTo([nameof(BookLoan)]), "A loan that is kept was loaded by the method that locks it; only booking makes a new one.");
    }

    [Test]
    public void No_statement_changes_the_tables_of_a_loan_behind_its_back()
    {
        string[] tables = ["serviced_loans", "loan_events", "loan_installments", "loan_balances", "ledger_transactions", "ledger_entries"];
        var found = House.Files("src", ".cs").Where(file => !House.Short(file).Contains("/Migrations/", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(file).Where(line => tables.Any(table => new[] { "update camino.", "delete from camino.", "insert into camino." }.Any(verb => line.Contains(verb + table, StringComparison.OrdinalIgnoreCase)))).Select(line => $"{House.Short(file)}: {line.Trim()}"));

        Assert.That(found, Is.Empty);
    }

    private static IEnumerable<string> Callers(Func<MemberInfo, bool> wanted) =>
        (from outer in House.Types(House.Camino)
         where !outer.IsNested
         from type in House.WithNested(outer)
         from method in House.Methods(type)
         where House.Uses(method).Any(wanted)
         select outer.Name).Distinct();
}
