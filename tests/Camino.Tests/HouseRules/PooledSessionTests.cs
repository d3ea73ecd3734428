using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>Connections go back to the pool as they are, so that no question waits for a reset: whatever a statement sets ends with its transaction.</summary>
public sealed partial class PooledSessionTests
{
    /// <summary>On connections of their own, which they close.</summary>
    private static readonly string[] s_own = ["src/Camino/Data/Migrator.cs", "src/Camino/Applications/ApplicationNews.cs", "src/Camino.Jobs/WakeListener.cs"];

    [Test]
    public void No_statement_leaves_a_setting_a_lock_or_a_table_behind_in_its_session()
    {
        var found = House.Files("src", ".cs").Where(file => !House.Short(file).Contains("/Migrations/", StringComparison.Ordinal) && !s_own.Contains(House.Short(file)))
            .SelectMany(file => File.ReadLines(file).Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && Leaves().IsMatch(line)).Select(line => $"{House.Short(file)}: {line.Trim()}"));

        Assert.That(found, Is.Empty);
    }

    [TestCase("set statement_timeout = 0", true)]
    [TestCase("set role camino_web", true)]
    [TestCase("set time zone 'UTC'", true)]
    [TestCase("listen jobs", true)]
    [TestCase("set local statement_timeout = 0", false)]
    [TestCase("set local statement_timeout = 0; set local plan_cache_mode = force_custom_plan", false)]
    [TestCase("update camino.tasks set state = 1", false)]
    [TestCase("select set_config('jit', 'off', false)", true)]
    [TestCase("select set_config('jit', 'off', true)", false)]
    [TestCase("select pg_advisory_lock(1)", true)]
    [TestCase("select pg_try_advisory_lock(1)", true)]
    [TestCase("select pg_advisory_xact_lock_shared(1)", false)]
    [TestCase("create temporary table changed as select 1", true)]
    [TestCase("create temp table changed on commit drop as select 1", false)]
    public void What_stays_is_told_from_what_ends_with_the_transaction(string sql, bool stays) => Assert.That(Leaves().IsMatch($"\"{sql}\""), Is.EqualTo(stays));

    [GeneratedRegex("""["';] *set (?!local )(role|time zone|session|[a-z_.]+ *(=|to ))|["'](listen|prepare transaction) |set_config\(.*, *false\)|pg_(try_)?advisory_lock|create temp(orary)? table (?!.*on commit drop)""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Leaves();
}
