using System.Reflection;
using System.Xml.Linq;
using Camino.Applications;
using Camino.Applications.Underwriting;
using Camino.Approvals;
using Camino.Host.Configuration;
using Camino.Operations;
using Camino.People;
using Camino.Servicing;
using Camino.Tests.Hosting;
using Camino.Tests.HouseRules;
using Camino.Web;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;
using NUnit.Framework;

namespace Camino.Tests.Approvals;

/// <summary>What holds for every act that needs a second person.</summary>
internal sealed class ApprovalRuleTests
{
    /// <summary>Ways past the second person; each is for the approval itself, for invented data, or for an operator at the shell.</summary>
    private static readonly (Type Type, string Method)[] s_past =
    [
        (typeof(RunLoanCommand), nameof(RunLoanCommand.RunUnaskedAsync)),
        (typeof(RunLoanCommand), nameof(RunLoanCommand.RunApprovedAsync)),
        (typeof(ChangeRoles), nameof(ChangeRoles.RunAsync)),
        (typeof(ChangeRoles), nameof(ChangeRoles.RunApprovedAsync)),
        (typeof(AddStaff), nameof(AddStaff.RunAsync)),
        (typeof(PublishProduct), nameof(PublishProduct.RunAsync)),
        (typeof(PublishProduct), nameof(PublishProduct.RunApprovedAsync)),
        (typeof(RetireProduct), nameof(RetireProduct.RunApprovedAsync)),
        (typeof(MakeOffer), nameof(MakeOffer.RunApprovedAsync)),
        (typeof(PublishPolicy), nameof(PublishPolicy.RunAsync)),
        (typeof(PublishPolicy), nameof(PublishPolicy.RunApprovedAsync)),
        (typeof(ActOnAllJobs), nameof(ActOnAllJobs.RunApprovedAsync)),
    ];

    [Test]
    public void No_page_and_no_endpoint_goes_past_the_second_person()
    {
        var found =
            from outer in House.Types(House.Camino)
            where !outer.IsNested && IsEdge(outer)
            from type in House.WithNested(outer)
            from method in House.Methods(type)
            from used in House.Uses(method).OfType<MethodInfo>()
            where s_past.Any(way => way.Type == used.DeclaringType && way.Method == used.Name)
            select $"{outer.Name} calls {used.DeclaringType?.Name}.{used.Name}";

        Assert.That(found.Distinct(), Is.Empty);
    }

    [Test]
    public void Every_kind_of_the_table_is_carried_out_by_one_class_and_asks_for_a_permission_of_the_table()
    {
        var classes = House.Types(House.Camino).Where(type => type is { IsAbstract: false, IsInterface: false } && type.IsAssignableTo(typeof(IApprovalKind))).ToList();

        Assert.That(classes, Has.Count.EqualTo(ApprovalKinds.All.Count));
        Assert.That(ApprovalKinds.All.Select(one => one.Kind), Is.Unique.And.All.Match("^[a-z]+\\.[a-z-]+$"));
        Assert.That(ApprovalKinds.All.Select(one => one.Permission).Distinct(), Is.SubsetOf(Permissions.All));
    }

    [Test]
    public void Whoever_may_do_one_of_the_acts_may_ask_decide_and_withdraw()
    {
        foreach (var role in StaffRoles.All)
            Assert.That(Permissions.Of(role).Contains(Permissions.ApprovalsDecide) && Permissions.Of(role).Contains(Permissions.ApprovalsWithdraw), Is.EqualTo(ApprovalKinds.All.Any(one => Permissions.Of(role).Contains(one.Permission))), role);
    }

    [TestCase("Texts.resx")]
    [TestCase("Texts.es.resx")]
    public void Kinds_states_and_notices_have_texts(string file)
    {
        var texts = XElement.Load(Path.Combine(House.Root, "src/Camino/Resources", file)).Elements("data").Select(text => (string?)text.Attribute("name")).ToHashSet(StringComparer.Ordinal);
        var needed = ApprovalKinds.All.Select(one => "ApprovalKind." + one.Kind)
            .Concat(Enum.GetNames<ApprovalState>().Select(state => "ApprovalState." + state))
            .Concat(new[] { ApprovalState.Approved, ApprovalState.Declined, ApprovalState.Expired, ApprovalState.Refused }.Select(state => "Notice.Approval" + state))
            .Concat(Used().Where(key => key.StartsWith("Approvals.", StringComparison.Ordinal) && !key.EndsWith('.')));

        Assert.That(needed.Where(name => !texts.Contains(name) && !texts.Contains(name + ".Many")), Is.Empty);
    }

    [TestCase("Approvals:ExpireAfterHours", "0", "Approvals:ExpireAfterHours is \"0\"", "1 to 720")]
    [TestCase("Approvals:ExpireAfterHours", "721", "Approvals:ExpireAfterHours is \"721\"", "1 to 720")]
    [TestCase("Approvals:WaiveOver", "\"-1\"", "Approvals:WaiveOver is \"-1\"", "0.00 to 999999999.99")]
    [TestCase("Approvals:WaiveOver", "\"100.001\"", "Approvals:WaiveOver is \"100.001\"", "0.00 to 999999999.99")]
    public void A_limit_that_is_none_stops_the_start(string key, string json, params string[] words)
    {
        using var configs = new Configs();

        var refused = Assert.Throws<ConfigRefusedException>(() => HostConfig.Read(configs.With("BackOffice", key, json), new Dictionary<string, string>(StringComparer.Ordinal)));

        foreach (var word in words)
            Assert.That(refused?.Message, Does.Contain(word));
    }

    /// <summary>Names of texts as pages and code of the approvals write them.</summary>
    private static IEnumerable<string> Used() =>
        House.Files("src/Camino", ".cs", ".cshtml").SelectMany(file => System.Text.RegularExpressions.Regex.Matches(File.ReadAllText(file), "\"(?<key>Approvals\\.[A-Za-z.]+)\"", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Select(match => match.Groups["key"].Value));

    private static bool IsEdge(Type type) =>
        type.IsAssignableTo(typeof(PageModel))
        || (type is { IsAbstract: true, IsSealed: true } && type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Any(method => method.GetParameters().Any(parameter => parameter.ParameterType.IsAssignableTo(typeof(IEndpointRouteBuilder)))));
}
