using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.RegularExpressions;
using Camino.Clients;
using Camino.People;
using Camino.Testing;
using Camino.Tests.HouseRules;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Mvc.RazorPages.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>The permission table against the running Back Office: every route is asked by every role, and by nobody.</summary>
internal sealed partial class PermissionTests
{
    private const string Nobody = "nobody";

    private RunningCamino _camino = null!;
    private List<Way> _ways = [];

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync(withAsync: false);
        _ways = await WaysAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public void Every_page_and_endpoint_names_one_permission_of_the_table_or_is_open_to_everybody() =>
        Assert.That(_ways.Where(way => !way.IsOpen && !(way.Permissions.Count > 0 && way.Permissions.All(Permissions.All.Contains))).Select(way => way.ToString()), Is.Empty);

    [Test]
    public void Every_handler_that_changes_something_names_its_permission() =>
        Assert.That(
            _ways.Where(way => way is { Page: not null, IsOpen: false }).SelectMany(way => way.Page?.GetMethods() ?? []).Where(method => method.Name.StartsWith("OnPost", StringComparison.Ordinal) && method.GetCustomAttribute<NeedsAttribute>() is null)
                .Select(method => $"{method.DeclaringType?.Name}.{method.Name}"),
            Is.Empty);

    [Test]
    public void What_stays_open_to_everybody_is_what_comes_before_the_sign_in() =>
        Assert.That(
            _ways.Where(way => way.IsOpen && !way.IsFile).Select(way => way.Path).Distinct().Order(StringComparer.Ordinal),
            Is.EqualTo((string[])["/error/{code:int}", "/first-admin", "/health/live", "/health/ready", "/offer", "/preferences", "/set-password", "/sign-in", "/sign-in/code", "/sign-in/company", "/sign-in/company/ended", "/sign-out", "/signature/callback", "/upload"]));

    [Test]
    public void Every_role_has_its_line_in_the_table_and_who_only_looks_changes_nothing()
    {
        Assert.That(StaffRoles.All.Where(role => Permissions.Of(role).Count == 0), Is.Empty);
        Assert.That(Permissions.Of("janitor"), Is.Empty);
        Assert.That(Permissions.Of(StaffRoles.Viewer).Where(one => !one.EndsWith(".read", StringComparison.Ordinal)), Is.EquivalentTo((string[])[Permissions.Own, Permissions.QuotesUse]));
        Assert.That(Permissions.Of(StaffRoles.Administrator), Is.EquivalentTo(Permissions.All));
        Assert.That(Permissions.All, Is.Unique);
        Assert.That(StaffRoles.All.Where(role => Permissions.Of(role).Contains(Permissions.SettingsRead)), Is.EqualTo((string[])[StaffRoles.Administrator]));
    }

    [TestCase(Nobody)]
    [TestCase(StaffRoles.Viewer)]
    [TestCase(StaffRoles.Officer)]
    [TestCase(StaffRoles.Underwriter)]
    [TestCase(StaffRoles.Servicing)]
    [TestCase(StaffRoles.Collections)]
    [TestCase(StaffRoles.Accountant)]
    [TestCase(StaffRoles.Administrator)]
    public async Task Every_route_answers_a_role_as_the_table_says(string role)
    {
        using var pages = _camino.Client();
        using var api = _camino.Client();
        if (role != Nobody)
            await SignInAsync(role, pages, api);

        var wrong = new List<string>();
        foreach (var way in _ways.Where(way => !way.IsOpen))
        {
            var may = role != Nobody && way.Permissions.All(Permissions.Of(role).Contains);
            if (may && way.Path.EndsWith("/events", StringComparison.Ordinal))
                continue; // an open line answers when there is news
            using var answer = await AskAsync(way, way.IsForPrograms ? api : pages);
            if (Allows(answer) != may || (int)answer.StatusCode >= 500)
                wrong.Add($"{way} answered {(int)answer.StatusCode} {answer.Headers.Location}, the table says {(may ? "yes" : "no")}");
        }

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public async Task Every_route_answers_a_client_as_its_scopes_say()
    {
        var ways = _ways.Where(way => !way.IsOpen && !way.Path.EndsWith("/events", StringComparison.Ordinal)).ToList();
        var programs = ways.Where(way => way.IsForPrograms || way.Path == "/metrics").ToList();
        var wrong = new List<string>();
        foreach (var scope in Scopes.All)
            await CompareAsync([scope.Name], programs, way => way.Permissions.All(scope.Gives.Contains), wrong);
        await CompareAsync([.. Scopes.All.Select(scope => scope.Name)], ways, way => programs.Contains(way) && way.Permissions.All(permission => Scopes.Giving(permission) is not null), wrong);

        Assert.That(wrong, Is.Empty);
        Assert.That(programs.SelectMany(way => way.Permissions).Where(permission => Scopes.Giving(permission) is null).Distinct(), Is.EquivalentTo((string[])[Permissions.ScreeningReview, Permissions.ApplicationsDecide, Permissions.AuditRead, Permissions.SettingsRead, Permissions.ApprovalsDecide, Permissions.BranchesManage, Permissions.UnderwritingRead, Permissions.UnderwritingChange]), "A permission of the API without a scope: add it to the table of scopes, or keep it to pages.");
    }

    [Test]
    public void A_scope_gives_permissions_of_the_table_each_of_them_alone_and_none_over_people_clients_and_the_trail()
    {
        var given = Scopes.All.SelectMany(scope => scope.Gives).ToList();

        Assert.That(given, Is.Unique.And.SubsetOf(Permissions.All));
        Assert.That(given.Intersect([Permissions.Own, Permissions.PeopleManage, Permissions.ClientsManage, Permissions.AuditRead, Permissions.SettingsRead, Permissions.ScreeningReview, Permissions.ApplicationsDecide, Permissions.ApprovalsDecide, Permissions.BranchesManage, Permissions.UnderwritingRead, Permissions.UnderwritingChange]), Is.Empty);
        Assert.That(Scopes.All.Select(scope => scope.Name), Is.Unique.And.All.Match("^[a-z]+:[a-z-]+$"));
        foreach (var file in (string[])["Texts.resx", "Texts.es.resx"])
        {
            var texts = File.ReadAllText(Path.Combine(House.Root, "src/Camino/Resources", file));
            Assert.That(Scopes.All.Where(scope => !texts.Contains($"\"Scope.{scope.Name}\"", StringComparison.Ordinal)).Select(scope => scope.Name), Is.Empty, file);
        }
    }

    /// <summary>Asks every way as a client with these scopes alone.</summary>
    private async Task CompareAsync(string[] scopes, List<Way> ways, Func<Way, bool> may, List<string> wrong)
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var (_, key) = await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync(string.Join(' ', scopes)[..Math.Min(100, string.Join(' ', scopes).Length)], new ClientTerms(scopes, ClientTerms.MostAMinute, ClientTerms.MostInBurst, null), null, new StaffActor(null, "test"), CancellationToken.None);
        using var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var way in ways)
        {
            using var answer = await AskAsync(way, client);
            if (Allows(answer) != may(way) || (int)answer.StatusCode >= 500 || answer.StatusCode == HttpStatusCode.TooManyRequests)
                wrong.Add($"{way} answered {string.Join(' ', scopes)} with {(int)answer.StatusCode}, the table says {(may(way) ? "yes" : "no")}");
            if (way.IsForPrograms && answer.StatusCode == HttpStatusCode.Forbidden && !answer.Headers.WwwAuthenticate.ToString().Contains($"error=\"insufficient_scope\"{(Scopes.Giving(way.Permissions[^1]) is { } missing ? $", scope=\"{missing}\"" : "")}", StringComparison.Ordinal))
                wrong.Add($"{way} does not name the scope that is missing: {answer.Headers.WwwAuthenticate}");
        }
    }

    /// <summary>One thing that can be asked.</summary>
    private sealed record Way(string Method, string Path, IReadOnlyList<string> Permissions, bool IsOpen, TypeInfo? Page, string? Handler)
    {
        public bool IsForPrograms => Path.StartsWith("/api/", StringComparison.Ordinal);

        /// <summary>Styles, scripts and the like: not what answers health, a sign-in or a callback.</summary>
        public bool IsFile => Page is null && !Path.StartsWith("/health", StringComparison.Ordinal) && !Path.StartsWith("/sign-in", StringComparison.Ordinal) && !Path.StartsWith("/signature", StringComparison.Ordinal);

        public override string ToString() => $"{Method} {Path}{(Handler is null ? "" : "?handler=" + Handler)} ({string.Join(" and ", Permissions)})";
    }

    private async Task<List<Way>> WaysAsync()
    {
        var loader = _camino.Office.Services.GetRequiredService<PageLoader>();
        var ways = new List<Way>();
        foreach (var endpoint in _camino.Office.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var path = "/" + endpoint.RoutePattern.RawText?.TrimStart('/');
            if (path == "/{**path:file}")
                continue; // the framework's answer for files that are not there
            if (endpoint.Metadata.GetMetadata<PageActionDescriptor>() is { } descriptor)
            {
                var page = (await loader.LoadAsync(descriptor, EndpointMetadataCollection.Empty)).ModelTypeInfo ?? throw new InvalidOperationException($"{path} has no model.");
                var open = page.GetCustomAttribute<AllowAnonymousAttribute>() is not null;
                var asked = page.GetCustomAttributes<AuthorizeAttribute>().Select(one => one.Policy ?? "").ToList();
                ways.Add(new Way("GET", path, asked, open, page, null));
                ways.AddRange(
                    from method in page.GetMethods()
                    let needs = method.GetCustomAttribute<NeedsAttribute>()
                    where needs is not null
                    select new Way("POST", path, [.. asked, needs.Permission], open, page, method.Name["OnPost".Length..].Replace("Async", "", StringComparison.Ordinal)));
            }
            else
            {
                var asked = endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Where(one => one.Policy is not null).Select(one => one.Policy ?? "").ToList();
                ways.Add(new Way(endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0] ?? "GET", path, asked, endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null, null, null));
            }
        }

        return ways;
    }

    private static async Task<HttpResponseMessage> AskAsync(Way way, HttpClient client)
    {
        var path = Parameter().Replace(way.Path, match => match.Groups["name"].Value switch { "what" => "apr", "name" => "bulk", "command" => "waive", "number" => "1", _ => "019d0000-0000-7000-8000-0000000000ff" });
        using var request = new HttpRequestMessage(new HttpMethod(way.Method), new Uri(path + (way.Handler is null ? "" : "?handler=" + way.Handler), UriKind.Relative));
        if (way.Method != "GET")
            request.Content = way.Page is null ? JsonContent.Create(new { }) : new FormUrlEncodedContent([]);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static bool Allows(HttpResponseMessage answer) =>
        answer.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        && !Shut().IsMatch(answer.Headers.Location?.ToString() ?? "");

    /// <summary>A user with this role alone: signed in by the form, and with a key.</summary>
    private async Task SignInAsync(string role, HttpClient pages, HttpClient api)
    {
        var email = $"only-{role}@example.com";
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<StaffUser>>();
        var user = new StaffUser { Id = Guid.CreateVersion7(), UserName = email, Email = email, DisplayName = role };
        Assert.That((await users.CreateAsync(user, RunningCamino.Password)).Succeeded, Is.True);
        Assert.That((await users.AddToRoleAsync(user, role)).Succeeded, Is.True);
        api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await scope.ServiceProvider.GetRequiredService<AddApiKey>().RunAsync(role, user.Id, CancellationToken.None));

        using var form = new FormUrlEncodedContent([new("__RequestVerificationToken", await TokenAsync(pages, "/sign-in")), new("Email", email), new("Password", RunningCamino.Password)]);
        using var signedIn = await pages.PostAsync(new Uri("/sign-in", UriKind.Relative), form);
        Assert.That(signedIn.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        pages.DefaultRequestHeaders.Add(WebSetup.AntiforgeryHeader, await TokenAsync(pages, "/"));
    }

    private static async Task<string> TokenAsync(HttpClient client, string page) =>
        WebUtility.HtmlDecode(Token().Match(await client.GetStringAsync(new Uri(page, UriKind.Relative))).Groups["value"].Value);

    [GeneratedRegex(@"\{(?<name>\w+)[^}]*\}", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Parameter();

    [GeneratedRegex("/sign-in", RegexOptions.None, 1_000)]
    private static partial Regex Shut();

    [GeneratedRegex("""__RequestVerificationToken"[^>]*value="(?<value>[^"]+)""", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Token();
}
