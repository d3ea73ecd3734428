using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Branches;
using Camino.Clients;
using Camino.Lending;
using Camino.People;
using Camino.Testing;
using Camino.Tests.Hosting;
using Camino.Tests.Imports;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Branches;

/// <summary>Who is bound to a branch sees that branch, its teams and what belongs to the whole house, and another branch's ids are not there, by whichever way they are asked for.</summary>
internal sealed class BranchTests
{
    private static readonly StaffActor Operator = new(null, "test");

    private readonly Configs _configs = new();
    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;
    private HttpClient _admin = null!;
    private HttpClient _west = null!;
    private Guid _westUser;
    private Theirs _theirs = null!;

    /// <summary>What is the eastern branch's, one of each kind.</summary>
    private sealed record Theirs(Guid Borrower, Guid Application, Guid Loan, Guid PortfolioLoan, Guid Task, Guid Note, Guid Document, Guid Approval);

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync();
        _admin = await _camino.ApiOfAsync("admin");
        foreach (var (code, parent) in ((string, string?)[])[("EAST", null), ("WEST", null), ("WEST-1", "WEST")])
            await DoAsync<KeepBranch>(keep => keep.AddAsync(code, code + " branch", parent, Operator, CancellationToken.None));
        (_westUser, _west) = await PersonAsync("west", StaffRoles.Administrator, "WEST");
        _theirs = await EasternAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _admin.Dispose();
        _west.Dispose();
        _configs.Dispose();
        await _camino.DisposeAsync();
    }

    [Test]
    public void Every_route_stands_in_the_table_and_no_id_is_let_through_unseen()
    {
        var routes = _camino.Office.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Authorization.IAllowAnonymous>() is null).Select(endpoint => "/" + endpoint.RoutePattern.RawText?.TrimStart('/')).Where(path => path != "/{**path:file}" && !OpenPages.Contains(path)).Distinct().ToList();

        Assert.That(routes, Has.Count.GreaterThan(150));
        Assert.That(routes.Where(route => BranchRoutes.Of(route) is null), Is.Empty, "A new route stands in BranchRoutes.");
        Assert.That(routes.Where(route => route.Contains("{id", StringComparison.Ordinal) && BranchRoutes.Of(route) is { Rule: BranchRule.Limits }), Is.Empty, "An id is of something: BranchRoutes says of what.");
        Assert.That(routes.Where(route => route.Contains("{id", StringComparison.Ordinal) && BranchRoutes.Of(route) is { Rule: BranchRule.Free }).Select(route => route.Split("/{id")[0]).Distinct(), Is.EquivalentTo((string[])["/api/v1/products", "/products/edit", "/api/v1/webhooks"]), "products are the house's and seen by all, webhooks are a client's own");
    }

    /// <summary>Pages that come before the sign-in.</summary>
    private static readonly string[] OpenPages = ["/first-admin", "/set-password", "/sign-in", "/sign-in/code", "/sign-out", "/upload", "/error/{code:int}", "/preferences"];

    [Test]
    public async Task Another_branchs_ids_are_answered_as_ids_that_nothing_has_on_every_route()
    {
        using var pages = await BrowserAsync("west");
        var wrong = new List<string>();
        var asked = 0;
        foreach (var endpoint in _camino.Office.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var route = "/" + endpoint.RoutePattern.RawText?.TrimStart('/');
            if (!route.Contains("{id", StringComparison.Ordinal) || BranchRoutes.Of(route) is not { Rule: BranchRule.One } line)
                continue;
            foreach (var (path, unknown) in PathsOf(route, line.Thing))
            {
                var method = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0] ?? "GET";
                var (there, text) = await AskAsync(method, path, pages);
                var (nothing, known) = await AskAsync(method, unknown, pages);
                asked++;
                if (there != HttpStatusCode.NotFound || nothing != HttpStatusCode.NotFound)
                    wrong.Add($"{method} {path} answered {(int)there}, an unknown id {(int)nothing}");
                else if (path.StartsWith("/api/", StringComparison.Ordinal) && Shape(text, path) != Shape(known, unknown))
                    wrong.Add($"{method} {path} is told apart: {text} {known}");
            }
        }

        Assert.That(wrong, Is.Empty);
        Assert.That(asked, Is.GreaterThan(90));
    }

    [Test]
    public async Task What_is_about_the_whole_house_is_closed_to_who_is_bound_and_open_to_who_is_not()
    {
        using var pages = await BrowserAsync("west");
        foreach (var path in (string[])["/portfolio", "/audit", "/books", "/imports", "/jobs", "/people", "/clients", "/branches", "/screening"])
            Assert.That((await AskAsync("GET", path, pages)).Status, Is.EqualTo(HttpStatusCode.Forbidden).Or.EqualTo(HttpStatusCode.Redirect), path);
        foreach (var path in (string[])["/api/v1/audit", "/api/v1/imports", "/api/v1/jobs", "/api/v1/queues", "/api/v1/ledger/trial-balance", "/api/v1/screening-hits"])
        {
            var (status, text) = await AskAsync("GET", path, pages);
            Assert.That((status, text.Contains("branch.house", StringComparison.Ordinal)), Is.EqualTo((HttpStatusCode.Forbidden, true)), path);
            using var free = await _admin.GetAsync(new Uri(path, UriKind.Relative));
            Assert.That(free.StatusCode, Is.EqualTo(HttpStatusCode.OK), path);
        }

        var home = await pages.PageAsync("/");
        Assert.That(home, Does.Not.Contain("href=\"/portfolio\"").And.Not.Contain("href=\"/people\"").And.Contain("href=\"/borrowers\""));
    }

    [Test]
    public async Task Lists_searches_reports_and_exports_hold_what_is_of_the_reader_and_of_the_whole_house()
    {
        var mine = await AddBorrowerAsync(_west, "Westerly Candles LLC");
        var house = await AddBorrowerAsync(_admin, "Housewide Candles LLC");
        var team = await AddBorrowerAsync(_admin, "Teamwork Candles LLC", "WEST-1");
        var application = await ApplyAsync(_west, "Westerly Candles LLC");

        Assert.That(await IdsAsync(_west, "/api/v1/borrowers?sort=newest"), Is.SupersetOf((Guid[])[mine, house, team]).And.Not.Contains(_theirs.Borrower));
        Assert.That(await IdsAsync(_admin, "/api/v1/borrowers?sort=newest"), Does.Contain(_theirs.Borrower));
        Assert.That(await IdsAsync(_west, "/api/v1/applications"), Does.Contain(application).And.Not.Contains(_theirs.Application));
        Assert.That(await IdsAsync(_west, "/api/v1/loans"), Does.Not.Contain(_theirs.Loan));
        Assert.That(await IdsAsync(_admin, "/api/v1/loans"), Does.Contain(_theirs.Loan));
        Assert.That(await IdsAsync(_west, "/api/v1/tasks?whose=all"), Does.Not.Contain(_theirs.Task));
        Assert.That(await IdsAsync(_admin, "/api/v1/tasks?whose=all"), Does.Contain(_theirs.Task));
        Assert.That((await _west.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/approvals", UriKind.Relative))).GetProperty("items").GetArrayLength(), Is.Zero);
        Assert.That((await _admin.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/approvals", UriKind.Relative))).GetProperty("items").GetArrayLength(), Is.GreaterThan(0));
        foreach (var query in (string[])["Easterly", "(912) 555-0177", "easterly@example.com", "0177", await _camino.ScalarAsync<string>($"select number from camino.serviced_loans where id = '{_theirs.Loan}'") ?? "", "EAST-P1"])
        {
            Assert.That(await FoundAsync(_west, query), Does.Not.Contain("Easterly").And.Not.Contain("EAST-P1"), query);
            if (query != "0177")
                Assert.That(await FoundAsync(_admin, query), Does.Contain("Easterly"), query);
        }

        using var found = await _book.SendAsync("/api/v1/borrowers/find", new { number = "(912) 555-0177" }, null, null, _west);
        Assert.That((await ServicedBook.ReadAsync(found, HttpStatusCode.OK)).GetProperty("items").GetArrayLength(), Is.Zero);
        var report = (await _west.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/reports/applications", UriKind.Relative))).ToString();
        var all = (await _admin.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/reports/applications", UriKind.Relative))).ToString();
        Assert.That(report, Is.Not.EqualTo(all));
        using var pages = await BrowserAsync("west");
        var (_, csv) = await AskAsync("GET", "/loans/export.csv", pages);
        Assert.That(csv, Does.Not.Contain("EAST-P1").And.Contain("HOUSE-P1"));
        foreach (var page in (string[])["/", "/borrowers", "/applications", "/loans", "/servicing", "/tasks?whose=all", "/approvals", "/reports/applications"])
            Assert.That(await pages.PageAsync(page), Does.Not.Contain("Easterly").And.Not.Contain("EAST-P1"), page);
    }

    [Test]
    public async Task Ids_in_bodies_do_not_lead_around_the_branch()
    {
        using var booked = await _book.SendAsync("/api/v1/loans", new { product = ServicedBook.Product, borrowerId = _theirs.Borrower, borrowerName = "Easterly Candles LLC", principal = "5000.00", annualRatePercent = "12", payments = 12, disburseOn = "2026-03-01" }, Guid.NewGuid().ToString(), "*", _west);
        using var task = await _book.SendAsync("/api/v1/tasks", new { title = "Call", subject = "borrower", subjectId = _theirs.Borrower.ToString() }, Guid.NewGuid().ToString(), null, _west);
        using var about = await _book.SendAsync("/api/v1/tasks", new { title = "Call", subject = "loan", subjectId = _theirs.Loan.ToString() }, Guid.NewGuid().ToString(), null, _west);
        using var elsewhere = await _book.SendAsync("/api/v1/borrowers", new { name = "Sneaky Candles LLC", branch = "EAST" }, Guid.NewGuid().ToString(), null, _west);

        Assert.That((booked.StatusCode, task.StatusCode, about.StatusCode, elsewhere.StatusCode), Is.EqualTo((HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.UnprocessableEntity)));
        using var pages = await BrowserAsync("west");
        Assert.That(await pages.PageAsync($"/tasks/new?subject=borrower&subjectId={_theirs.Borrower}"), Does.Not.Contain("Easterly"));
        Assert.That(await pages.PageAsync($"/servicing/new?borrower={_theirs.Borrower}"), Does.Not.Contain("Easterly"));
    }

    [Test]
    public async Task What_is_new_goes_to_the_branch_of_who_makes_it_and_loans_to_that_of_their_borrower()
    {
        var mine = await AddBorrowerAsync(_west, "Newcomer Lanterns LLC");
        using var booked = await _book.SendAsync("/api/v1/loans", new { product = ServicedBook.Product, borrowerId = mine, borrowerName = "Newcomer Lanterns LLC", principal = "5000.00", annualRatePercent = "12", payments = 12, disburseOn = "2026-03-01" }, Guid.NewGuid().ToString(), "*", _west);
        var loan = (await ServicedBook.ReadAsync(booked, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        using var alone = await _book.SendAsync("/api/v1/loans", new { product = ServicedBook.Product, borrowerName = "Loner Lanterns LLC", principal = "5000.00", annualRatePercent = "12", payments = 12, disburseOn = "2026-03-01" }, Guid.NewGuid().ToString(), "*", _west);
        var other = (await ServicedBook.ReadAsync(alone, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        var house = await _book.BookedLoanAsync(borrower: "Householder Lanterns LLC");
        var (_, two) = await PersonAsync("two", StaffRoles.Officer, "EAST", "WEST");
        using (two)
        using (var which = await _book.SendAsync("/api/v1/borrowers", new { name = "Either Lanterns LLC" }, Guid.NewGuid().ToString(), null, two))
            Assert.That(await which.Content.ReadAsStringAsync(), Does.Contain("you are bound to more than one"));

        Assert.That((await CodeOfAsync("borrowers", mine), await LoanCodeAsync(loan), await LoanCodeAsync(other), await LoanCodeAsync(house)), Is.EqualTo(("WEST", "WEST", "WEST", (string?)null)));
    }

    [Test]
    public async Task A_move_needs_a_reason_takes_the_loans_along_and_is_told_when_somebody_was_faster()
    {
        var borrower = await AddBorrowerAsync(_admin, "Moving Vans LLC", "EAST");
        using var booked = await _book.SendAsync("/api/v1/loans", new { product = ServicedBook.Product, borrowerId = borrower, borrowerName = "Moving Vans LLC", principal = "5000.00", annualRatePercent = "12", payments = 12, disburseOn = "2026-03-01" }, Guid.NewGuid().ToString(), "*", _admin);
        var loan = (await ServicedBook.ReadAsync(booked, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        var key = Guid.NewGuid().ToString();
        var body = new { branch = "west", from = "EAST", withLoans = true, reason = "moved across the state" };
        using var mute = await _book.SendAsync($"/api/v1/borrowers/{borrower}/branch", new { branch = "WEST" }, Guid.NewGuid().ToString(), null, _admin);
        using var moved = await _book.SendAsync($"/api/v1/borrowers/{borrower}/branch", body, key, null, _admin);
        using var again = await _book.SendAsync($"/api/v1/borrowers/{borrower}/branch", body, key, null, _admin);
        using var late = await _book.SendAsync($"/api/v1/borrowers/{borrower}/branch", body, Guid.NewGuid().ToString(), null, _admin);
        using var gift = await _book.SendAsync($"/api/v1/borrowers/{borrower}/branch", new { branch = "", reason = "for everybody" }, Guid.NewGuid().ToString(), null, _west);

        Assert.That((mute.StatusCode, moved.StatusCode, late.StatusCode, gift.StatusCode), Is.EqualTo((HttpStatusCode.UnprocessableEntity, HttpStatusCode.OK, HttpStatusCode.Conflict, HttpStatusCode.Forbidden)));
        Assert.That((await moved.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("loans").GetInt32(), Is.EqualTo(1));
        Assert.That(again.Headers.Contains("Idempotency-Replayed"), Is.True);
        Assert.That((await CodeOfAsync("borrowers", borrower), await LoanCodeAsync(loan)), Is.EqualTo(("WEST", "WEST")));
        Assert.That(await _camino.ScalarAsync<string>($"select details ->> 'reason' from camino.audit_entries where action = 'borrower.moved' and subject_id = '{borrower}'"), Is.EqualTo("moved across the state"));
        using var timeline = await _west.GetAsync(new Uri($"/api/v1/borrowers/{borrower}/timeline", UriKind.Relative));
        Assert.That(await timeline.Content.ReadAsStringAsync(), Does.Contain("borrower.moved"));
    }

    [Test]
    public async Task Two_moves_at_once_end_with_one_of_them_and_the_other_is_told()
    {
        var loan = await _book.BookedLoanAsync(borrower: "Twice Moved LLC");
        var answers = await Task.WhenAll(((string[])["EAST", "WEST"]).Select(async code =>
        {
            using var answer = await _book.SendAsync($"/api/v1/loans/{loan}/branch", new { branch = code, from = "", reason = "at the same time" }, Guid.NewGuid().ToString(), null, _admin);
            return answer.StatusCode;
        }));

        Assert.That(answers, Is.EquivalentTo((HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.Conflict]));
    }

    [Test]
    public async Task Binding_is_felt_by_the_next_request_and_the_last_free_administrator_stays_free()
    {
        var (id, client) = await PersonAsync("rebound", StaffRoles.Viewer);
        using (client)
        {
            Assert.That(await StatusAsync(client, $"/api/v1/borrowers/{_theirs.Borrower}"), Is.EqualTo(HttpStatusCode.OK));
            await BindAsync(id, "WEST");
            Assert.That(await StatusAsync(client, $"/api/v1/borrowers/{_theirs.Borrower}"), Is.EqualTo(HttpStatusCode.NotFound));
            await BindAsync(id, "WEST", "EAST");
            Assert.That(await StatusAsync(client, $"/api/v1/borrowers/{_theirs.Borrower}"), Is.EqualTo(HttpStatusCode.OK));
            await BindAsync(id);
            Assert.That(await StatusAsync(client, "/api/v1/audit"), Is.EqualTo(HttpStatusCode.Forbidden), "a viewer reads no trail, bound or not");
        }

        var admin = await _camino.ScalarAsync<Guid>("select id from camino.staff_users where user_name = 'admin@demo.camino.example'");
        await Assert.ThatAsync(() => BindAsync(admin, "WEST"), Throws.TypeOf<RefusedException>().With.Property("Code").EqualTo("branch.last_administrator"));
    }

    [Test]
    public async Task A_client_that_is_bound_sees_its_branch_alone_and_who_is_bound_to_a_team_that_team_alone()
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var (id, key) = await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync("Bound program", new ClientTerms(["borrowers:read", "borrowers:write", "branches:read"], 600, 60, null), null, Operator, CancellationToken.None);
        using var client = _camino.Client();
        client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        var west = await AddBorrowerAsync(_admin, "Westerly Ropes LLC", "WEST");
        var team = await AddBorrowerAsync(_admin, "Teamwork Ropes LLC", "WEST-1");
        Assert.That(await StatusAsync(client, $"/api/v1/borrowers/{_theirs.Borrower}"), Is.EqualTo(HttpStatusCode.OK));
        await DoAsync<BindBranches>(async bind => await bind.ClientAsync(id, [await BranchAsync("WEST-1")], "its team", Operator, CancellationToken.None));

        Assert.That((await StatusAsync(client, $"/api/v1/borrowers/{_theirs.Borrower}"), await StatusAsync(client, $"/api/v1/borrowers/{west}"), await StatusAsync(client, $"/api/v1/borrowers/{team}")), Is.EqualTo((HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.OK)));
        Assert.That((await client.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/branches", UriKind.Relative))).GetProperty("items").EnumerateArray().Select(one => one.GetProperty("code").GetString()), Is.EqualTo((string[])["WEST-1"]));
        Assert.That(await CodeOfAsync("borrowers", await AddBorrowerAsync(client, "Program Ropes LLC")), Is.EqualTo("WEST-1"));
    }

    [Test]
    public async Task Pages_add_rename_and_close_a_branch_and_a_closed_one_takes_nothing_new()
    {
        using var admin = new StaffBrowser(_camino.OfficeAddress);
        (await admin.SignInAsync("admin")).Dispose();
        using (var added = await admin.PostAsync("/branches", "/branches", ("code", "north"), ("name", "Northern office"), ("parent", "")))
            Assert.That(added.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        using (var twice = await admin.PostAsync("/branches", "/branches", ("code", "NORTH"), ("name", "Again"), ("parent", "")))
            Assert.That(await twice.Content.ReadAsStringAsync(), Does.Contain("There is a branch NORTH already"));
        var id = await BranchAsync("NORTH");
        (await admin.PostAsync($"/branches/{id}", $"/branches/{id}?handler=Rename", ("name", "Northern harbor"))).Dispose();
        using (var closed = await admin.PostAsync($"/branches/{id}", $"/branches/{id}?handler=Close", ("reason", "the lease ended")))
            Assert.That(closed.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        using var late = await _book.SendAsync("/api/v1/borrowers", new { name = "Late Candles LLC", branch = "NORTH" }, Guid.NewGuid().ToString(), null, _admin);

        Assert.That(await admin.PageAsync("/branches"), Does.Contain("Northern harbor"));
        Assert.That(late.StatusCode, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ',' order by id) from camino.audit_entries where subject_id = '{id}'"), Is.EqualTo("branch.added,branch.renamed,branch.closed"));
        using var person = await admin.PostAsync($"/people/{_westUser}", $"/people/{_westUser}?handler=Branches", ("branches", id.ToString()), ("branches", (await BranchAsync("WEST")).ToString()), ("reason", "helps out there"));
        Assert.That(person.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        await BindAsync(_westUser, "WEST");
    }

    [Test]
    public async Task An_import_that_names_a_branch_puts_its_new_loans_and_their_borrowers_there()
    {
        await _camino.ImportAsync(ImportClient.Template("I-1,Inlet Boats LLC,,Savannah,GA,31401,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open"), query: "&branch=EAST");
        await LinkedAsync();
        var loan = await _camino.ScalarAsync<Guid>("select id from camino.loans where number = 'I-1'");

        Assert.That((await LoanCodeAsync(loan), await CodeOfAsync("borrowers", await _camino.ScalarAsync<Guid>($"select borrower_id from camino.loan_borrowers where loan_id = '{loan}'"))), Is.EqualTo(("EAST", "EAST")));
    }

    [Test]
    public async Task Operators_add_branches_and_bind_people_and_programs_from_the_shell()
    {
        var (user, client) = await PersonAsync("shell", StaffRoles.Viewer);
        client.Dispose();
        Assert.That((await RunAsync("add", "shell-1", "--name", "From the shell", "--by", "tester")).Output, Does.Contain("SHELL-1"));
        Assert.That((await RunAsync("add", "shell-2", "--name", "A team", "--team-of", "SHELL-1")).Code, Is.Zero);
        Assert.That((await RunAsync("bind-user", "shell@lender.example", "--to", "SHELL-2,WEST", "--reason", "new desk")).Code, Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.staff_branches where user_id = '{user}'"), Is.EqualTo(2));
        Assert.That((await RunAsync("list")).Output, Does.Contain("SHELL-1").And.Contain("A team"));
        var refused = await RunAsync("close", "SHELL-1", "--reason", "the lease ended");
        Assert.That((refused.Code, refused.Error.Contains("branch.teams", StringComparison.Ordinal)), Is.EqualTo((1, true)), refused.ToString());
        Assert.That((await RunAsync("bind-user", "shell@lender.example", "--to", "", "--reason", "whole house again")).Output, Does.Contain("everything is seen"));
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.audit_entries where details::text like '%tester%' and action = 'branch.added'"), Is.EqualTo(1));
    }

    private Task<Ended> RunAsync(params string[] arguments) =>
        CaminoProcess.RunAsync(new Dictionary<string, string?> { ["CAMINO_Database__ConnectionString"] = _camino.ConnectionString }, ["branch", .. arguments, "--config", _configs.Of("BackOffice")]);

    private async Task LinkedAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (await _camino.ScalarAsync<long>("select count(*) from camino.loans l where l.borrower_name is not null and not exists (select from camino.loan_borrowers k where k.loan_id = l.id)") > 0)
            await timer.WaitForNextTickAsync(limit.Token);
    }

    private async Task<Theirs> EasternAsync()
    {
        await _camino.ImportAsync(ImportClient.Template("EAST-P1,Easterly Imports LLC,,Savannah,GA,31401,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open"), query: "&branch=EAST");
        await _camino.ImportAsync(ImportClient.Template("HOUSE-P1,Housewide Imports LLC,,Savannah,GA,31401,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open"));
        await LinkedAsync();
        var portfolio = await _camino.ScalarAsync<Guid>("select id from camino.loans where number = 'EAST-P1'");
        using var added = await _book.SendAsync("/api/v1/borrowers", new { name = "Easterly Candles LLC", branch = "EAST", phones = new[] { "(912) 555-0177" }, emails = new[] { "easterly@example.com" } }, Guid.NewGuid().ToString(), null, _admin);
        var borrower = (await ServicedBook.ReadAsync(added, HttpStatusCode.Created)).GetProperty("borrowerId").GetGuid();
        var application = await ApplyAsync(_admin, "Easterly Candles LLC", "EAST");
        using var booked = await _book.SendAsync("/api/v1/loans", new { product = ServicedBook.Product, borrowerId = borrower, borrowerName = "Easterly Candles LLC", principal = "12000.00", annualRatePercent = "12", payments = 12, disburseOn = "2026-01-01" }, Guid.NewGuid().ToString(), "*", _admin);
        var loan = (await ServicedBook.ReadAsync(booked, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        using (var paid = await _book.SendAsync($"/api/v1/loans/{loan}/disburse", new { on = "2026-01-01", amount = "12000.00" }, Guid.NewGuid().ToString(), "*", _admin))
            await ServicedBook.ReadAsync(paid, HttpStatusCode.Created);
        using var charged = await _book.SendAsync($"/api/v1/loans/{loan}/charge-off", new { on = "2026-03-01" }, Guid.NewGuid().ToString(), "*", _admin);
        var approval = (await ServicedBook.ReadAsync(charged, HttpStatusCode.Accepted)).GetProperty("approvalId").GetGuid();
        using var made = await _book.SendAsync("/api/v1/tasks", new { title = "Call Easterly", subject = "loan", subjectId = loan.ToString() }, Guid.NewGuid().ToString(), null, _admin);
        var task = (await ServicedBook.ReadAsync(made, HttpStatusCode.Created)).GetProperty("taskId").GetGuid();
        using var noted = await _book.SendAsync($"/api/v1/borrowers/{borrower}/notes", new { text = "Easterly is kind." }, Guid.NewGuid().ToString(), null, _admin);
        var note = (await ServicedBook.ReadAsync(noted, HttpStatusCode.Created)).GetProperty("noteId").GetGuid();
        var document = Guid.CreateVersion7();
        await ExecuteAsync(
            $"""
            insert into camino.documents (id, subject, subject_id, kind, title, added_at, added_by) values ('{document}', 2, '{application}', 0, 'Easterly lease', now(), '{_westUser}');
            insert into camino.document_versions (id, document_id, number, file_name, media_type, bytes, sha256, object_key, scan, added_at, added_by) values (gen_random_uuid(), '{document}', 1, 'lease.txt', 'text/plain', 1, sha256('x'), 'documents/none', 1, now(), '{_westUser}')
            """);
        return new Theirs(borrower, application, loan, portfolio, task, note, document, approval);
    }

    /// <summary>An address with an id of the eastern branch, and the same with one that nothing has.</summary>
    private IEnumerable<(string Path, string Unknown)> PathsOf(string route, BranchThing thing)
    {
        if (route.Contains("/events", StringComparison.Ordinal) && thing == BranchThing.Job)
            yield break;
        (string? Word, Guid Id)[] ids = thing switch
        {
            BranchThing.Borrower => [(null, _theirs.Borrower)],
            BranchThing.Application => [(null, _theirs.Application)],
            BranchThing.Loan => [(null, _theirs.Loan)],
            BranchThing.PortfolioLoan => [(null, _theirs.PortfolioLoan)],
            BranchThing.Task => [(null, _theirs.Task)],
            BranchThing.Note => [(null, _theirs.Note)],
            BranchThing.Document => [(null, _theirs.Document)],
            BranchThing.Approval => [(null, _theirs.Approval)],
            BranchThing.Named => [("borrower", _theirs.Borrower), ("application", _theirs.Application), ("loan", _theirs.Loan), ("portfolio-loan", _theirs.PortfolioLoan)],
            _ => [(null, Guid.NewGuid())],
        };
        foreach (var (word, id) in ids)
        {
            string Fill(Guid with) => System.Text.RegularExpressions.Regex.Replace(route, @"\{(?<name>\w+)[^}]*\}", match => match.Groups["name"].Value switch { "id" => with.ToString(), "subject" => word ?? "", "number" => "1", "command" => "waive", _ => "019d0000-0000-7000-8000-0000000000ff" }, System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
            yield return (Fill(id), Fill(Guid.NewGuid()));
        }
    }

    /// <summary>The answer without what differs from request to request.</summary>
    private static string Shape(string text, string path)
    {
        var id = System.Text.RegularExpressions.Regex.Match(path, "[0-9a-f]{8}-[0-9a-f-]{27}", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)).Value;
        return System.Text.RegularExpressions.Regex.Replace(text.Replace(id, "ID", StringComparison.Ordinal), "\"requestId\":\"[^\"]*\"|\"traceId\":\"[^\"]*\"", "", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1));
    }

    private async Task<(HttpStatusCode Status, string Text)> AskAsync(string method, string path, StaffBrowser pages)
    {
        if (path.StartsWith("/api/", StringComparison.Ordinal))
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
            if (method != "GET")
            {
                request.Content = JsonContent.Create(new { });
                request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
                request.Headers.TryAddWithoutValidation("If-Match", "*");
            }

            using var answer = await _west.SendAsync(request);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }

        using var page = await pages.GetAsync(path);
        return (page.StatusCode, await page.Content.ReadAsStringAsync());
    }

    private async Task<StaffBrowser> BrowserAsync(string name)
    {
        var browser = new StaffBrowser(_camino.OfficeAddress);
        (await browser.SignInAsync($"{name}@lender.example", RunningCamino.Password)).Dispose();
        return browser;
    }

    private async Task<(Guid Id, HttpClient Client)> PersonAsync(string name, string role, params string[] branches)
    {
        var user = await _camino.AddStaffAsync($"{name}@lender.example", role, name);
        if (branches.Length > 0)
            await BindAsync(user.Id, branches);
        return (user.Id, await _camino.ApiOfAsync(user));
    }

    private async Task BindAsync(Guid user, params string[] codes)
    {
        var ids = new List<Guid>();
        foreach (var code in codes)
            ids.Add(await BranchAsync(code));
        await DoAsync<BindBranches>(bind => bind.StaffAsync(user, ids, "for the test", Operator, CancellationToken.None));
    }

    private async Task DoAsync<T>(Func<T, Task> act)
        where T : notnull
    {
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        await act(scope.ServiceProvider.GetRequiredService<T>());
    }

    private Task<Guid> BranchAsync(string code) => _camino.ScalarAsync<Guid>($"select id from camino.branches where code = '{code}'");

    private async Task<Guid> AddBorrowerAsync(HttpClient client, string name, string? branch = null)
    {
        using var answer = await _book.SendAsync("/api/v1/borrowers", branch is null ? new { name } : new { name, branch }, Guid.NewGuid().ToString(), null, client);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("borrowerId").GetGuid();
    }

    private async Task<Guid> ApplyAsync(HttpClient client, string name, string? branch = null)
    {
        var emails = new[] { "office@example.com" };
        using var answer = await _book.SendAsync("/api/v1/applications", branch is null ? new { name, amount = "9000.00", emails } : new { name, amount = "9000.00", emails, branch }, Guid.NewGuid().ToString(), null, client);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
    }

    private static async Task<IReadOnlyList<Guid>> IdsAsync(HttpClient client, string path) =>
        [.. (await client.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative))).GetProperty("items").EnumerateArray().Select(one => one.GetProperty("id").GetGuid())];

    private async Task<string> FoundAsync(HttpClient client, string query)
    {
        using var answer = await _book.SendAsync("/api/v1/search", new { query }, null, null, client);
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }

    private Task<string?> CodeOfAsync(string table, Guid id) => _camino.ScalarAsync<string>($"select r.code from camino.{table} x join camino.branches r on r.id = x.branch_id where x.id = '{id}'");

    private Task<string?> LoanCodeAsync(Guid id) => _camino.ScalarAsync<string>($"select r.code from camino.loan_branches x join camino.branches r on r.id = x.branch_id where x.loan_id = '{id}'");

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
