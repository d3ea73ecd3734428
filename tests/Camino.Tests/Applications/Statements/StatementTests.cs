using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Applications.Statements;
using Camino.Imports;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Imports.Reading;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Applications.Statements;

/// <summary>Bank statements through the API, through the pages and through the queue, on a real database.</summary>
internal sealed class StatementTests
{
    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _camino = await RunningCamino.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task A_statement_is_read_in_the_background_its_figures_are_reckoned_and_the_same_file_changes_nothing()
    {
        var id = await HandInAsync("Blue Heron Bakery LLC");
        var file = await File.ReadAllBytesAsync(Given.Shared("bank/csv/suntrust.csv"));
        using var first = await PostAsync(id, file, "march.csv", "&account=7788");
        var answer = await ServicedBook.ReadAsync(first, HttpStatusCode.Accepted);
        var statement = answer.GetProperty("statementId").GetGuid();
        await OverAsync(statement);
        using var again = await PostAsync(id, file, "again.csv");
        var list = await _camino.GetAsync($"/applications/{id}/statements");
        var one = await _camino.GetAsync($"/applications/{id}/statements/{statement}");
        var whole = list.GetProperty("cashFlow").GetProperty("whole");

        Assert.That(first.Headers.Location?.ToString(), Is.EqualTo($"/api/v1/applications/{id}/statements/{statement}"));
        Assert.That((again.Headers.Contains("Idempotency-Replayed"), (await ServicedBook.ReadAsync(again, HttpStatusCode.Accepted)).GetProperty("statementId").GetGuid()), Is.EqualTo((true, statement)));
        Assert.That((Text(one, "state"), Text(one, "accounts"), Text(one, "from"), Text(one, "to"), one.GetProperty("lines").GetInt32(), Text(one, "dates")), Is.EqualTo(("read", "7788", "2014-11-01", "2014-11-17", 7, "monthFirst")));
        Assert.That((Text(whole, "deposits"), Text(whole, "withdrawals"), Text(whole, "averageBalance"), Text(whole, "lowestBalance"), whole.GetProperty("negativeDays").GetInt32()), Is.EqualTo(("1200.00", "500.00", "129.41", "0.00", 0)));
        Assert.That(list.GetProperty("items").GetArrayLength(), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<string>($"select string_agg(action, ' ' order by at) from camino.audit_entries where subject_id = '{id}'"), Is.EqualTo("application.received application.statement-received"));
        Assert.That(await _camino.ScalarAsync<string>($"select text || ' ' || arguments[1] || ' ' || arguments[2] from camino.notices where link = '/applications/{id}'"), Is.EqualTo("Notice.StatementRead march.csv 7"));
        await UntilGoneAsync(statement);
        Assert.That(_camino.LogLines.Where(line => line.Contains("march.csv", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task Overlapping_statements_count_once_and_what_was_handed_in_by_mistake_is_taken_back_with_its_lines()
    {
        var id = await HandInAsync("Copper Kettle Coffee Inc");
        var march = await ReadAsync(id, "Date,Text,Amount\n2026-03-02,Sale,100.00\n2026-03-20,Rent,-40.00\n2026-03-30,Sale,60.00\n");
        var april = await ReadAsync(id, "Date,Text,Amount\n2026-03-30,Sale,60.00\n2026-04-02,ONDECK CAPITAL,-25.00\n2026-04-09,Sale,10.00\n");
        var both = Whole(await _camino.GetAsync($"/applications/{id}/statements"));
        var lines = await _camino.GetAsync($"/applications/{id}/statements/lines?kind=leftOut");
        var lenders = await _camino.GetAsync($"/applications/{id}/statements/lines?kind=lenders");
        using var viewer = await _camino.ApiOfAsync("viewer");
        using var forbidden = await viewer.DeleteAsync(new Uri($"/api/v1/applications/{id}/statements/{march}", UriKind.Relative));
        using var removed = await _camino.Api.DeleteAsync(new Uri($"/api/v1/applications/{id}/statements/{march}", UriKind.Relative));
        using var twice = await _camino.Api.DeleteAsync(new Uri($"/api/v1/applications/{id}/statements/{march}", UriKind.Relative));
        var rest = Whole(await _camino.GetAsync($"/applications/{id}/statements"));
        using var last = await _camino.Api.DeleteAsync(new Uri($"/api/v1/applications/{id}/statements/{april}", UriKind.Relative));
        var none = await _camino.GetAsync($"/applications/{id}/statements");

        Assert.That((Text(both, "deposits"), both.GetProperty("depositCount").GetInt32(), Text(both, "lenderDebits")), Is.EqualTo(("170.00", 3, "25.00")));
        Assert.That(lines.GetProperty("items").EnumerateArray().Select(line => $"{Text(line, "on")} {Text(line, "amount")} {line.GetProperty("marks")[0].GetString()}"), Is.EqualTo(new[] { "2026-03-30 60.00 repeated" }));
        Assert.That(lenders.GetProperty("items").EnumerateArray().Select(line => $"{Text(line, "lender")} {line.GetProperty("marks").GetRawText()}"), Is.EqualTo(new[] { "OnDeck [\"withdrawal\",\"knownLender\"]" }));
        Assert.That((forbidden.StatusCode, removed.StatusCode, twice.StatusCode, last.StatusCode), Is.EqualTo((HttpStatusCode.Forbidden, HttpStatusCode.NoContent, HttpStatusCode.NotFound, HttpStatusCode.NoContent)));
        Assert.That((Text(rest, "deposits"), rest.GetProperty("depositCount").GetInt32()), Is.EqualTo(("70.00", 2)), "what stood in both counts where it is left");
        Assert.That(none.GetProperty("cashFlow").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_statement_lines where application_id = '{id}'"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<string>($"select details ->> 'lines' from camino.audit_entries where subject_id = '{id}' and action = 'application.statement-removed' order by at limit 1"), Is.EqualTo("3"));
    }

    [Test]
    public async Task Lines_of_one_day_keep_the_order_of_time_also_where_the_file_begins_with_the_newest()
    {
        var id = await HandInAsync("Lantern Bay Imports LLC");
        await ReadAsync(id, "Date,Text,Amount,Balance\n2026-03-03,third,-5.00,115.00\n2026-03-03,second,20.00,120.00\n2026-03-03,first,100.00,100.00\n");
        var lines = await _camino.GetAsync($"/applications/{id}/statements/lines");

        Assert.That(lines.GetProperty("items").EnumerateArray().Select(line => Text(line, "text")), Is.EqualTo(new[] { "third", "second", "first" }), "the newest first");
    }

    [Test]
    public async Task What_cannot_be_read_says_why_in_the_readers_language_and_may_be_handed_in_again()
    {
        var id = await HandInAsync("Granite Creek Welding LLC");
        var file = Encoding.UTF8.GetBytes("Date,Text,Amount\n2026-03-01,a,1.00\n2026-03-02,b,lots\n2026-03-03,c,-1.00\n2026-03-04,c,-1.00\n");
        using var first = await PostAsync(id, file);
        var statement = (await ServicedBook.ReadAsync(first, HttpStatusCode.Accepted)).GetProperty("statementId").GetGuid();
        await OverAsync(statement);
        var one = await _camino.GetAsync($"/applications/{id}/statements/{statement}");
        using var again = await PostAsync(id, file);
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("officer")).Dispose();
        staff.Client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("es");
        var page = WebUtility.HtmlDecode(await staff.PageAsync($"/applications/{id}"));

        Assert.That((Text(one, "state"), Text(one.GetProperty("problem"), "code"), Text(one.GetProperty("problem"), "detail")), Is.EqualTo(("refused", "statement.amount", "Line 3: Amount is lots; it is an amount such as 1234.56, up to $999,999,999.99.")));
        Assert.That(again.Headers.Contains("Idempotency-Replayed"), Is.False, "what was refused is no obstacle");
        Assert.That(page, Does.Contain("Línea 3: Amount es lots").And.Contain("Rechazado"));
        Assert.That(await _camino.ScalarAsync<string>($"select text from camino.notices where link = '/applications/{id}' order by id limit 1"), Is.EqualTo("Notice.StatementRefused"));
        await UntilGoneAsync(statement);
    }

    [Test]
    public async Task What_cannot_be_taken_in_is_refused_with_value_and_limit_and_leaves_no_file()
    {
        var id = await HandInAsync("Saltgrass Food Truck LLC");
        using var empty = await PostAsync(id, []);
        using var account = await PostAsync(id, "a,b"u8.ToArray(), query: "&account=12345");
        using var dates = await PostAsync(id, "a,b"u8.ToArray(), query: "&dates=ymd");
        using var nowhere = await PostAsync(Guid.CreateVersion7(), "a,b"u8.ToArray());
        using var large = await PostAsync(id, new byte[StatementReader.MostBytes + 10]);
        using var form = await _camino.Api.PostAsync(new Uri($"/api/v1/applications/{id}/statements", UriKind.Relative), new MultipartFormDataContent { { new ByteArrayContent([1]), "file", "a.csv" } });
        using var withdrawn = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/applications/{id}/withdraw", UriKind.Relative)) { Content = JsonContent.Create(new { reason = "x" }), Headers = { { "Idempotency-Key", "w1" }, { "If-Match", "*" } } };
        (await _camino.Api.SendAsync(withdrawn)).Dispose();
        using var ended = await PostAsync(id, "a,b"u8.ToArray());

        Assert.That((await empty.ProblemCodeAsync(), await dates.ProblemCodeAsync(), await form.ProblemCodeAsync()), Is.EqualTo(("statement.empty", "input.dates", "input.content_type")));
        Assert.That(await account.Content.ReadAsStringAsync(), Does.Contain("input.account").And.Contain("got 5 characters"));
        Assert.That((nowhere.StatusCode, large.StatusCode, form.StatusCode, ended.StatusCode), Is.EqualTo((HttpStatusCode.NotFound, HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.UnsupportedMediaType, HttpStatusCode.Conflict)));
        Assert.That(await large.Content.ReadAsStringAsync(), Does.Contain("statement.too_large").And.Contain("5242880"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_statements where application_id = '{id}'"), Is.Zero);
        Assert.That(_camino.StoredFiles().Where(file => new FileInfo(file).Length < 10), Is.Empty);
    }

    [Test]
    public async Task Staff_add_look_at_and_remove_statements_by_page_without_scripts()
    {
        var id = await HandInAsync("Night Owl Janitorial Co");
        var page = $"/applications/{id}";
        using var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync("officer")).Dispose();
        using var none = await staff.PostAsync(page, page + "?handler=AddStatement");
        using var form = new MultipartFormDataContent { { new StringContent(await staff.TokenAsync(page)), "__RequestVerificationToken" }, { new StringContent("4411"), "account" }, { new ByteArrayContent(await File.ReadAllBytesAsync(Given.Shared("bank/ofx/checking.ofx"))), "file", "C:\\bank\\checking.ofx" } };
        using var added = await staff.Client.PostAsync(new Uri(page + "?handler=AddStatement", UriKind.Relative), form);
        var statement = await _camino.ScalarAsync<Guid>($"select id from camino.application_statements where application_id = '{id}'");
        await OverAsync(statement);
        var shown = WebUtility.HtmlDecode(await staff.PageAsync(page));
        var lines = WebUtility.HtmlDecode(await staff.PageAsync(page + "/lines?kind=returned"));
        using var missing = await staff.GetAsync($"/applications/{Guid.CreateVersion7()}/lines");
        using var removed = await staff.PostAsync(page, page + "?handler=RemoveStatement", ("statementId", statement.ToString()));

        Assert.That(await none.Content.ReadAsStringAsync(), Does.Contain("No file was chosen"));
        Assert.That((added.StatusCode, removed.StatusCode, missing.StatusCode), Is.EqualTo((HttpStatusCode.Redirect, HttpStatusCode.Redirect, HttpStatusCode.NotFound)));
        Assert.That(shown, Does.Contain(">checking.ofx<").And.Contain("6877").And.Contain("OFX 1").And.Contain("class=\"balance-line\"").And.Contain("$100.99").And.Contain("Average daily balance").And.Not.Contain("1452687"));
        Assert.That(lines, Does.Contain("RETURNED CHECK FEE").And.Contain("Fee for too little money").And.Contain("1 line").And.Not.Contain("DIVIDEND"));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.application_statements where application_id = '{id}'"), Is.Zero);
    }

    [Test]
    public async Task Pages_deep_in_the_lines_come_from_an_index_and_lead_back()
    {
        var id = await HandInAsync("Maple Row Traders");
        var rows = string.Concat(Enumerable.Range(0, 400).Select(n => string.Create(CultureInfo.InvariantCulture, $"2026-{1 + (n / 28 % 12):00}-{1 + (n % 28):00},Sale {n},{n + 1}.00\n")));
        await ReadAsync(id, "Date,Text,Amount\n" + rows + "2026-12-28,Rent,-1.00\n");
        await using (var fill = _camino.Source.CreateCommand($"insert into camino.application_statement_lines (id, application_id, statement_id, account, number, posted_on, amount, text, is_transfer) select camino.new_id(), camino.new_id(), l.statement_id, l.account, l.number + 1000 * n, l.posted_on, l.amount, l.text, false from camino.application_statement_lines l cross join generate_series(1, 40) n where l.application_id = '{id}'; analyze camino.application_statement_lines"))
            await fill.ExecuteNonQueryAsync();
        var show = new ShowStatements(_camino.Source);
        var filter = new LineFilter(id, null);
        var first = await show.LinesAsync(filter, null, CancellationToken.None);
        var second = await show.LinesAsync(filter, first.Next, CancellationToken.None);
        var back = await show.LinesAsync(filter, second.Previous, CancellationToken.None);
        var seen = first.Lines.Concat(second.Lines).ToList();
        for (var next = second.Next; next is not null;)
        {
            var page = await show.LinesAsync(filter, next, CancellationToken.None);
            seen.AddRange(page.Lines);
            next = page.Next;
        }

        await using var command = ShowStatements.Page(_camino.Source, filter, second.Next);
        Assert.That(back.Lines.Select(line => line.Id), Is.EqualTo(first.Lines.Select(line => line.Id)));
        Assert.That(seen.Select(line => line.Id), Is.Unique.And.Exactly(401).Items);
        Assert.That(seen.Select(line => line.On), Is.Ordered.Descending);
        Assert.That(await QueryPlan.OfAsync(command), Does.Contain("ix_application_statement_lines_posted_on").And.Not.Contain("Seq Scan on application_statement_lines"));
    }

    [Test]
    public async Task A_file_that_waits_to_be_read_is_not_swept_away_and_a_server_that_dies_leaves_nothing_half()
    {
        var id = await HandInAsync("Twin Pines Carpentry LLC");
        await SqlAsync("insert into jobs.pause (scope, name, paused_at, paused_by) values ('kind', 'applications.read-statement', now(), 'test')");
        Guid statement;
        try
        {
            using var answer = await PostAsync(id, "Date,Text,Amount\n2026-03-01,a,1.00\n2026-03-02,b,-2.00\n"u8.ToArray());
            statement = (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("statementId").GetGuid();
            File.SetLastWriteTimeUtc(PathOf(statement), DateTime.UtcNow.AddDays(-3));
            await using var scope = _camino.Office.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<Camino.Data.CaminoDb>();
            var sweep = db.Enqueue(new SweepFiles());
            await db.SaveChangesAsync();
            await _camino.UntilAsync<long>($"select count(*) from jobs.finished where id = '{sweep}'", count => count == 1);
            Assert.That(File.Exists(PathOf(statement)), Is.True);
            await SqlAsync($"update camino.application_statements set state = 1 where id = '{statement}'"); // a server took it and died
        }
        finally
        {
            await SqlAsync("delete from jobs.pause where name = 'applications.read-statement'");
        }

        await OverAsync(statement);
        Assert.That(Text(Whole(await _camino.GetAsync($"/applications/{id}/statements")), "deposits"), Is.EqualTo("1.00"));
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static JsonElement Whole(JsonElement list) => list.GetProperty("cashFlow").GetProperty("whole");

    private string PathOf(Guid statement) => Path.Combine(_camino.FilesFolder, "imports", statement.ToString("N"));

    private async Task<HttpResponseMessage> PostAsync(Guid id, byte[] file, string fileName = "statement.csv", string query = "")
    {
        using var body = new ByteArrayContent(file);
        body.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/applications/{id}/statements?fileName={fileName}{query}", UriKind.Relative)) { Content = body };
        request.Headers.ExpectContinue = file.Length > StatementReader.MostBytes; // what is refused by its length is not sent
        return await _camino.Api.SendAsync(request);
    }

    private async Task<Guid> ReadAsync(Guid id, string text)
    {
        using var answer = await PostAsync(id, Encoding.UTF8.GetBytes(text));
        var statement = (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("statementId").GetGuid();
        await OverAsync(statement);
        return statement;
    }

    private Task OverAsync(Guid statement) => _camino.UntilAsync<long>($"select count(*) from camino.application_statements where id = '{statement}' and ended_at is not null", count => count == 1);

    /// <summary>The file goes after the commit.</summary>
    private async Task UntilGoneAsync(Guid statement)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (File.Exists(PathOf(statement)))
            await timer.WaitForNextTickAsync(limit.Token);
    }

    private async Task<Guid> HandInAsync(string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/applications", UriKind.Relative)) { Content = JsonContent.Create(new { name, phones = new[] { "912 555 0101" }, amount = "5000" }) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await _camino.Api.SendAsync(request);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
    }

    private async Task SqlAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
