using System.Reflection;
using System.Text.RegularExpressions;
using Camino.Host;
using Camino.Host.Configuration;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>"What may I touch from here?" of the house plan, as far as code can tell.</summary>
public sealed partial class TouchTests
{
    /// <summary>Clock, waiting, files, network, log, settings, process: none of them is a fact about a loan.</summary>
    private static readonly string[] NotInLending =
    [
        "System.TimeProvider", "System.Environment", "System.Console", "System.Random", "System.AppContext", "System.Activator",
        "System.IO.File", "System.IO.Directory", "System.IO.FileStream", "System.IO.Path", "System.Threading", "System.Net", "System.Diagnostics.Process", "System.Diagnostics.Stopwatch",
        "System.Data", "System.Reflection.Assembly", "Microsoft",
    ];

    /// <summary>The framework's own pattern: Identity and data protection set these from outside.</summary>
    private static readonly string[] SetByTheFramework = ["StaffUser", "FirstAdminLink", "DataProtectionKeyRow"];

    /// <summary>The smoke's own job: it changes nothing, so it has no operation.</summary>
    private static readonly string[] MaySaveInAnEndpoint = ["Camino.Operations.JobApi.EchoAsync"];

    [Test]
    public void Lending_declares_nothing_of_clocks_logs_settings_or_waiting()
    {
        var found = House.Lending.GetTypes().SelectMany(type => House.SignatureTypes(type).Where(IsForbidden).Select(part => $"{type}: {part}"));

        Assert.That(found.Distinct(), Is.Empty);
    }

    [Test]
    public void Lending_calls_nothing_of_clocks_logs_settings_or_waiting()
    {
        var found =
            from type in House.Lending.GetTypes()
            from method in House.Methods(type)
            from member in House.Uses(method)
            where member.Name != "get_CurrentManagedThreadId" // the compiler's, in every method with yield
            where IsForbidden(member as Type ?? member.DeclaringType ?? typeof(object)) || (member.DeclaringType == typeof(DateTime) || member.DeclaringType == typeof(DateTimeOffset)) && member.Name is "get_Now" or "get_UtcNow" or "get_Today"
            select $"{type}.{method.Name}: {member.DeclaringType}.{member.Name}";

        Assert.That(found.Distinct(), Is.Empty);
    }

    [Test]
    public void Nothing_below_the_host_asks_the_machine_for_the_time()
    {
        var found =
            from assembly in new[] { House.Lending, House.Jobs, House.Camino }
            from type in assembly.GetTypes()
            from method in House.Methods(type)
            from member in House.Uses(method)
            where (member.DeclaringType == typeof(DateTime) || member.DeclaringType == typeof(DateTimeOffset)) && member.Name is "get_Now" or "get_UtcNow" or "get_Today"
            select $"{type}.{method.Name}: {member.DeclaringType}.{member.Name}";

        Assert.That(found.Distinct(), Is.Empty);
    }

    [Test]
    public void What_is_stored_is_changed_by_its_own_methods_only()
    {
        using var db = new DesignTime().CreateDbContext([]);
        var open =
            from type in db.Model.GetEntityTypes().Select(entity => entity.ClrType).Distinct()
            where type.Assembly == House.Camino && !SetByTheFramework.Contains(type.Name)
            from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            where property.SetMethod is { IsPublic: true }
            select $"{type.Name}.{property.Name}";

        Assert.That(open, Is.Empty, "Give the entity a method that says what happens, and make the setter private.");
    }

    [Test]
    public void Endpoints_and_pages_save_nothing_themselves()
    {
        var saving =
            from outer in House.Types(House.Camino)
            where !outer.IsNested && IsEdge(outer)
            from type in House.WithNested(outer)
            from method in House.Methods(type)
            where House.Uses(method).Any(member => member.Name is "SaveChanges" or "SaveChangesAsync" or "ExecuteUpdateAsync" or "ExecuteDeleteAsync" or "Enqueue" && member.DeclaringType is { } declaring && (declaring.IsAssignableTo(typeof(DbContext)) || declaring.Name.StartsWith("EntityFramework", StringComparison.Ordinal)))
            select $"{outer.FullName}.{(WrittenName().Match(type.Name) is { Success: true } made ? made.Groups["name"].Value : method.Name)}";

        Assert.That(saving.Distinct(), Is.EquivalentTo(MaySaveInAnEndpoint), "An endpoint or page calls an operation; the operation saves.");
    }

    [Test]
    public void Only_the_host_knows_the_role()
    {
        var found = House.Files("src", ".cs", ".cshtml").Where(file => !House.Short(file).StartsWith("src/Camino.Host/", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(file).Where(line => RoleName().IsMatch(line) && !line.TrimStart().StartsWith("//", StringComparison.Ordinal)).Select(line => $"{House.Short(file)}: {line.Trim()}"));

        Assert.That(typeof(Role).Assembly, Is.EqualTo(House.Host));
        Assert.That(found, Is.Empty);
    }

    [Test]
    public void A_job_carries_ids_dates_and_numbers()
    {
        Type[] allowed = [typeof(Guid), typeof(DateOnly), typeof(DateTimeOffset), typeof(int), typeof(long), typeof(bool), typeof(decimal)];
        var other =
            from kind in new Jobs.JobRegistry().AddCaminoKinds().Kinds
            where kind.Name != "operations.echo" // its text is what the smoke test compares
            from property in kind.ArgsType.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            where !allowed.Contains(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType)
            select $"{kind.Name}: {property.PropertyType.Name} {property.Name}";

        Assert.That(other, Is.Empty, "Arguments cross deployments as JSON and are shown to staff: ids and dates only, never personal data.");
    }

    private static bool IsForbidden(Type type) =>
        NotInLending.Any(name => type.FullName is { } full && (full == name || full.StartsWith(name + ".", StringComparison.Ordinal))) && type.Assembly != House.Lending;

    /// <summary>A page, or a class that maps routes and is no operation itself.</summary>
    private static bool IsEdge(Type type) =>
        type.IsAssignableTo(typeof(PageModel))
        || (type is { IsAbstract: true, IsSealed: true } && type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Any(method => method.GetParameters().Any(parameter => parameter.ParameterType.IsAssignableTo(typeof(IEndpointRouteBuilder)))));

    [GeneratedRegex(@"^<(?<name>\w+)>d__", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex WrittenName();

    [GeneratedRegex("""\bBackOffice\b|"Async"|\bRole\.Async\b""", RegexOptions.None, 1_000)]
    private static partial Regex RoleName();
}
