using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Camino.Borrowers;
using Camino.Data;
using Camino.Testing;
using Camino.Tests.Imports;
using Camino.Tests.Imports.Reading;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Borrowers;

/// <summary>Borrowers through the API, through imports and through the database.</summary>
internal sealed class BorrowerTests
{
    private const string Linked = "select count(*) from jobs.finished where kind = 'borrowers.link'";

    private RunningCamino _camino = null!;
    private ServicedBook _book = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _camino = await RunningCamino.StartAsync();
        _book = new ServicedBook(_camino);
        await _book.PrepareAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _camino.DisposeAsync();

    [Test]
    public async Task Loans_of_one_name_at_one_place_have_one_borrower_however_the_file_spells_it()
    {
        await ImportAsync(
            "B-1,Café Rincón LLC,1 Pier St,Savannah,GA,31401,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open",
            "B-2,\"CAFE RINCON, L.L.C.\",1 Pier St,Savannah,GA,31401,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open",
            "B-3,\"Cafe Rincon, LLC\",Pier 1,Savannah,GA,31401,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open",
            "B-4,Cafe Rincon LLC,9 Elm St,Macon,GA,31201,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open",
            "B-5,,,,GA,,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open");

        var owners = await BorrowersOfAsync("B-1", "B-2", "B-3", "B-4", "B-5");
        var view = await _camino.GetAsync($"/borrowers/{owners[0]}");

        Assert.That(owners[2], Is.EqualTo(owners[0]), "accents, case and punctuation do not count");
        Assert.That(owners[1], Is.Not.EqualTo(owners[0]), "L.L.C. is three words; duplicates like this are for people to join");
        Assert.That(owners[3], Is.Not.EqualTo(owners[0]), "another place");
        Assert.That(owners[4], Is.Null, "no name, no borrower");
        Assert.That(view.GetProperty("loans").GetArrayLength(), Is.EqualTo(2));
        Assert.That(view.GetProperty("addresses")[0].GetProperty("zip").GetString(), Is.EqualTo("31401"));
    }

    [Test]
    public async Task A_corrected_name_moves_the_loan_to_the_borrower_of_that_name()
    {
        await ImportAsync("C-1,Blue Heron Bicycles,,,GA,31401,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open", "C-2,Green Heron Bicycles,,,GA,31401,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open");
        var before = await BorrowersOfAsync("C-1", "C-2");
        await ImportAsync("C-1,Green Heron Bicycles,,,GA,31401,,,2024-01-15,,36,,,100.00,100.00,,,,,,Open");

        Assert.That((await BorrowersOfAsync("C-1"))[0], Is.EqualTo(before[1]));
    }

    [Test]
    public async Task Loans_from_before_are_linked_by_the_job_and_a_second_run_changes_nothing()
    {
        await ImportAsync(ImportClient.Rows(300, "OLD"));
        var own = await _book.BookedLoanAsync();
        await ExecuteAsync("delete from camino.loan_borrowers");
        await LinkAllAsync();
        var first = await LinksAsync();
        await LinkAllAsync();

        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.loans l where borrower_name is not null and not exists (select from camino.loan_borrowers k where k.loan_id = l.id)"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<bool>($"select own_book from camino.loan_borrowers where loan_id = '{own}'"), Is.True);
        Assert.That(await LinksAsync(), Is.EqualTo(first));
    }

    [Test]
    public async Task A_booked_loan_has_the_borrower_that_was_named_or_one_of_its_own()
    {
        var borrower = await AddAsync(new { name = "Saltgrass Food Truck LLC" });
        using var answer = await _book.SendAsync(
            "/api/v1/loans", new { product = ServicedBook.Product, borrowerId = borrower, borrowerName = "Saltgrass Food Truck LLC", principal = "5000.00", annualRatePercent = "12", payments = 12, disburseOn = "2026-03-01" }, Guid.NewGuid().ToString(), "*");
        var named = (await ServicedBook.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("loanId").GetGuid();
        var (one, other) = (await _book.BookedLoanAsync(), await _book.BookedLoanAsync());
        using var nobody = await _book.SendAsync(
            "/api/v1/loans", new { product = ServicedBook.Product, borrowerId = Guid.NewGuid(), borrowerName = "Nobody", principal = "5000.00", annualRatePercent = "12", payments = 12, disburseOn = "2026-03-01" }, Guid.NewGuid().ToString(), "*");

        Assert.That(await OwnerOfAsync(named), Is.EqualTo(borrower));
        Assert.That(await OwnerOfAsync(one), Is.Not.Null.And.Not.EqualTo(await OwnerOfAsync(other)), "two bakeries of one name are not taken for one");
        Assert.That(nobody.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await _camino.GetAsync($"/borrowers/{borrower}/timeline")).GetProperty("items").EnumerateArray().Select(entry => entry.GetProperty("action").GetString()), Is.EqualTo((string[])["loan.book", "borrower.added"]));
    }

    [Test]
    public async Task A_change_says_which_version_it_looked_at_and_leaves_alone_what_it_does_not_name()
    {
        var id = await AddAsync(new { name = "Jacaranda Hair Studio", tradeName = "Jaca", language = "es", phones = new[] { "(912) 555-0134" }, owners = new[] { new { name = "Ana Ruiz", sharePercent = "60", isGuarantor = true }, new { name = "Luis Ruiz", sharePercent = "40", isGuarantor = false } } });
        var before = await _camino.GetAsync($"/borrowers/{id}");
        var ana = before.GetProperty("owners")[0].GetProperty("id").GetGuid();
        var body = new { tradeName = "", emails = new[] { "ana@example.com" }, owners = new[] { new { id = ana, name = "Ana Ruiz Soto", sharePercent = "100", isGuarantor = true } } };
        var key = Guid.NewGuid().ToString();
        using var changed = await PatchAsync(id, body, "\"1\"", key);
        using var repeated = await PatchAsync(id, body, "\"1\"", key);
        using var late = await PatchAsync(id, body, "\"1\"");
        using var without = await PatchAsync(id, body, null);
        var after = await _camino.GetAsync($"/borrowers/{id}");

        Assert.That((changed.StatusCode, changed.Headers.ETag?.Tag), Is.EqualTo((HttpStatusCode.OK, "\"2\"")));
        Assert.That(repeated.Headers.Contains("Idempotency-Replayed"), Is.True);
        Assert.That((late.StatusCode, without.StatusCode), Is.EqualTo((HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionRequired)));
        Assert.That(after.GetProperty("tradeName").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(after.GetProperty("language").GetString(), Is.EqualTo("es"));
        Assert.That(after.GetProperty("phones")[0].GetString(), Is.EqualTo("(912) 555-0134"));
        Assert.That(after.GetProperty("emails")[0].GetString(), Is.EqualTo("ana@example.com"));
        Assert.That(after.GetProperty("owners").EnumerateArray().Select(owner => (owner.GetProperty("id").GetGuid(), owner.GetProperty("name").GetString())), Is.EqualTo(new[] { (ana, "Ana Ruiz Soto") }));
    }

    [TestCase("""{"name":""}""", "name is missing")]
    [TestCase("""{"name":"A","kind":"club"}""", "kind is one of business, person; got club")]
    [TestCase("""{"name":"A","phones":["12"]}""", "7 to 15 digits; got 2")]
    [TestCase("""{"name":"A","emails":["nobody"]}""", "office@example.com; got 6 characters")]
    [TestCase("""{"name":"A","addresses":[{"state":"Georgia"}]}""", "two letters")]
    [TestCase("""{"name":"A","addresses":[{"zip":"123"}]}""", "five digits")]
    [TestCase("""{"name":"A","owners":[{"name":"B","sharePercent":"60"},{"name":"C","sharePercent":"60"}]}""", "at most 100 percent; got 120")]
    [TestCase("""{"name":"A","owners":[{"name":"B","sharePercent":"-1"}]}""", "0 to 100 percent")]
    [TestCase("""{"name":"A","tin":"123"}""", "fields that this address knows")]
    public async Task What_breaks_a_limit_is_refused_with_the_field_and_the_limit(string body, string sentence)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/borrowers", UriKind.Relative)) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await _camino.Api.SendAsync(request);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), Does.Contain(sentence));
    }

    [Test]
    public async Task Hostile_strings_go_in_as_they_are_and_come_out_as_they_went_in()
    {
        var strings = (JsonSerializer.Deserialize<string[]>(await File.ReadAllTextAsync(Given.Shared("hostile/blns.json"))) ?? []).Where(text => !string.IsNullOrWhiteSpace(text) && text.Trim().Length <= 100).ToList();
        Assert.That(strings, Has.Count.GreaterThan(300));
        foreach (var text in strings)
        {
            var id = await AddAsync(new { name = text, tradeName = text, owners = new[] { new { name = text } }, addresses = new[] { new { street = text, city = text } } });
            var view = await _camino.GetAsync($"/borrowers/{id}");
            var kept = text.Replace('\0', '\u2400').Trim();
            string?[] back = [view.GetProperty("name").GetString(), view.GetProperty("tradeName").GetString(), view.GetProperty("owners")[0].GetProperty("name").GetString(), view.GetProperty("addresses")[0].GetProperty("street").GetString(), view.GetProperty("addresses")[0].GetProperty("city").GetString()];
            Assert.That(back, Is.All.EqualTo(kept));
        }

        foreach (var text in strings)
        {
            using var list = await _camino.Api.GetAsync(new Uri("/api/v1/borrowers?q=" + Uri.EscapeDataString(text), UriKind.Relative));
            Assert.That(list.StatusCode, Is.EqualTo(HttpStatusCode.OK), text);
        }
    }

    [Test]
    public async Task A_tax_number_is_stored_sealed_shown_masked_and_revealed_by_right_with_an_audit_entry()
    {
        const string Number = "123456789";
        var id = await AddAsync(new { name = "Granite Creek Welding", owners = new[] { new { name = "Rosa Diaz" } } });
        var owner = (await _camino.GetAsync($"/borrowers/{id}")).GetProperty("owners")[0].GetProperty("id").GetGuid();
        await OkAsync($"/api/v1/borrowers/{id}/identifiers", new { kind = "ein", value = "12-3456789" });
        await OkAsync($"/api/v1/borrowers/{id}/identifiers", new { kind = "ssn", value = "123-45-6789", ownerId = owner });
        using var impossible = await _book.SendAsync($"/api/v1/borrowers/{id}/identifiers", new { kind = "ssn", value = "666-45-6789" }, Guid.NewGuid().ToString(), "*");
        var view = await _camino.GetAsync($"/borrowers/{id}");
        var identifier = view.GetProperty("identifiers")[0].GetProperty("id").GetGuid();
        var reveal = new Uri($"/api/v1/borrowers/{id}/identifiers/{identifier}/reveal", UriKind.Relative);
        using var viewer = await _camino.ApiOfAsync("viewer");
        using var underwriter = await _camino.ApiOfAsync("underwriter");
        using var refused = await viewer.PostAsync(reveal, null);
        using var revealed = await underwriter.PostAsync(reveal, null);

        Assert.That(view.ToString(), Does.Not.Contain(Number).And.Contain("\"last4\":\"6789\""));
        Assert.That(impossible.StatusCode, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That(await impossible.Content.ReadAsStringAsync(), Does.Not.Contain("45-6789"));
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await revealed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("value").GetString(), Is.EqualTo(Number));
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.audit_entries where subject_id = '{id}' and action = 'borrower.identifier-revealed'"), Is.EqualTo(1));
        Assert.That(await _camino.ScalarAsync<long>($"select count(distinct hash) from camino.borrower_identifiers where borrower_id = '{id}'"), Is.EqualTo(1), "the same digits, the same hash");
        Assert.That(await _camino.ScalarAsync<long>($"select count(distinct sealed) from camino.borrower_identifiers where borrower_id = '{id}'"), Is.EqualTo(2), "sealed anew each time");
        Assert.That(await _camino.ScalarAsync<long>($"select count(*) from camino.borrower_identifiers where position(convert_to('{Number}', 'UTF8') in sealed || hash) > 0"), Is.Zero);
        Assert.That(await _camino.ScalarAsync<long>($"select (select count(*) from camino.audit_entries where details::text like '%{Number}%') + (select count(*) from camino.handled_requests where answer::text like '%{Number}%')"), Is.Zero);
        Assert.That(_camino.LogLines.Where(line => line.Contains(Number, StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task A_bank_account_is_verified_by_another_person_than_the_one_who_added_it()
    {
        var id = await AddAsync(new { name = "Copper Kettle Coffee" });
        await OkAsync($"/api/v1/borrowers/{id}/bank-accounts", new { holder = "Copper Kettle Coffee", routing = "021000021", account = "000123456789" });
        using var wrong = await _book.SendAsync($"/api/v1/borrowers/{id}/bank-accounts", new { holder = "X", routing = "021000022", account = "000123456789" }, Guid.NewGuid().ToString(), "*");
        var account = (await _camino.GetAsync($"/borrowers/{id}")).GetProperty("bankAccounts")[0];
        var verify = $"/api/v1/borrowers/{id}/bank-accounts/{account.GetProperty("id").GetGuid()}/verify";
        using var own = await _book.SendAsync(verify, new { }, Guid.NewGuid().ToString(), "*");
        using var servicing = await _camino.ApiOfAsync("servicing");
        using var other = await _book.SendAsync(verify, new { }, Guid.NewGuid().ToString(), "*", servicing);

        Assert.That(wrong.StatusCode, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That((account.GetProperty("isVerified").GetBoolean(), account.GetProperty("last4").GetString()), Is.EqualTo((false, "6789")));
        Assert.That(await own.ProblemCodeAsync(), Is.EqualTo("account.own"));
        Assert.That(other.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await _camino.GetAsync($"/borrowers/{id}")).GetProperty("bankAccounts")[0].GetProperty("isVerified").GetBoolean(), Is.True);
    }

    [Test]
    public async Task A_borrower_is_found_by_a_tax_number_its_last_four_and_a_phone_however_they_are_written()
    {
        var id = await AddAsync(new { name = "Night Owl Janitorial Co", phones = new[] { "+1 (912) 555-0177" } });
        await OkAsync($"/api/v1/borrowers/{id}/identifiers", new { kind = "ein", value = "47-1234321" });
        foreach (var number in (string[])["47-1234321", "471234321", "4321", "912.555.0177", "1 912 555 0177"])
            Assert.That((await FindAsync(number)).GetProperty("items").EnumerateArray().Select(line => line.GetProperty("id").GetGuid()), Does.Contain(id), number);

        Assert.That((await FindAsync("471234322")).GetProperty("items").GetArrayLength(), Is.Zero);
        using var tooShort = await _book.SendAsync("/api/v1/borrowers/find", new { number = "12345" }, null, null);
        Assert.That(await tooShort.Content.ReadAsStringAsync(), Does.Contain("got 5 digits").And.Not.Contain("12345"));
    }

    [TestCase("4321", "ix_borrower_identifiers_last4")]
    [TestCase("471234321", "ix_borrower_identifiers_hash")]
    [TestCase("9125550177", "ix_borrower_contacts_digits")]
    public async Task A_number_is_looked_up_in_an_index(string digits, string index)
    {
        await ExecuteAsync("insert into camino.borrowers (id, name) select camino.new_id(), 'Plan ' || n from generate_series(1, 5000) n");
        await ExecuteAsync("insert into camino.borrower_contacts (borrower_id, position, kind, value, digits) select id, 1, 1, '555', lpad((row_number() over ())::text, 10, '3') from camino.borrowers b where not exists (select from camino.borrower_contacts c where c.borrower_id = b.id)");
        await ExecuteAsync("insert into camino.borrower_identifiers (id, borrower_id, kind, sealed, hash, last4, set_at, set_by) select camino.new_id(), id, 1, '', sha256(id::text::bytea), lpad((row_number() over () % 10000)::text, 4, '0'), now(), id from camino.borrowers b where not exists (select from camino.borrower_identifiers i where i.borrower_id = b.id)");
        await ExecuteAsync("analyze camino.borrowers, camino.borrower_contacts, camino.borrower_identifiers");
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        await using var command = await scope.ServiceProvider.GetRequiredService<FindBorrowers>().CommandAsync(digits, CancellationToken.None);

        Assert.That(await QueryPlan.OfAsync(command), Does.Contain(index).And.Not.Contain("Seq Scan on borrower_identifiers").And.Not.Contain("Seq Scan on borrower_contacts"));
    }

    [TestCase(BorrowerSort.Name, "ix_borrowers_sort_name_id")]
    [TestCase(BorrowerSort.Newest, "pk_borrowers")]
    public async Task A_page_deep_in_the_list_comes_from_an_index(BorrowerSort sort, string index)
    {
        await ExecuteAsync("insert into camino.borrowers (id, name) select camino.new_id(), 'Plan ' || n from generate_series(1, 20000) n; analyze camino.borrowers");
        var filter = new BorrowerFilter { Sort = sort };
        var list = new ListBorrowers(_camino.Source);
        var first = await list.RunAsync(filter, null, CancellationToken.None);
        var second = await list.RunAsync(filter, first.Next, CancellationToken.None);
        var back = await list.RunAsync(filter, second.Previous, CancellationToken.None);
        await using var page = ListBorrowers.Page(_camino.Source, filter, second.Next);

        Assert.That(back.Lines.Select(line => line.Id), Is.EqualTo(first.Lines.Select(line => line.Id)));
        Assert.That(second.Lines.Select(line => line.Id).Intersect(first.Lines.Select(line => line.Id)), Is.Empty);
        Assert.That(await QueryPlan.OfAsync(page), Does.Contain(index).And.Not.Contain("Seq Scan on borrowers"));
    }

    [Test]
    public async Task A_page_of_the_timeline_comes_from_an_index()
    {
        await using var page = ShowBorrower.Timeline(_camino.Source, Guid.CreateVersion7(), Guid.CreateVersion7());

        Assert.That(await QueryPlan.OfAsync(page), Does.Contain("ix_audit_entries_subject_subject_id_id"));
    }

    private async Task ImportAsync(params string[] rows)
    {
        var before = await _camino.ScalarAsync<long>(Linked);
        Assert.That((await _camino.ImportAsync(ImportClient.Template(rows))).Status(), Is.EqualTo("done"));
        await _camino.UntilAsync<long>(Linked, count => count > before);
    }

    private async Task LinkAllAsync()
    {
        var before = await _camino.ScalarAsync<long>(Linked);
        await using var scope = _camino.Office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        db.Enqueue(new LinkBorrowers(null));
        await db.SaveChangesAsync();
        await _camino.UntilAsync<long>(Linked, count => count > before);
    }

    private Task<string?> LinksAsync() => _camino.ScalarAsync<string>("select md5(string_agg(loan_id::text || borrower_id, ',' order by loan_id)) from camino.loan_borrowers");

    private async Task<IReadOnlyList<Guid?>> BorrowersOfAsync(params string[] numbers)
    {
        var found = new List<Guid?>();
        foreach (var number in numbers)
            found.Add(await _camino.ScalarAsync<Guid?>($"select k.borrower_id from camino.loans l join camino.loan_borrowers k on k.loan_id = l.id where l.number = '{number}'"));
        return found;
    }

    private Task<Guid?> OwnerOfAsync(Guid loan) => _camino.ScalarAsync<Guid?>($"select borrower_id from camino.loan_borrowers where loan_id = '{loan}'");

    private async Task<Guid> AddAsync(object body)
    {
        using var answer = await _book.SendAsync("/api/v1/borrowers", body, Guid.NewGuid().ToString(), null);
        return (await ServicedBook.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("borrowerId").GetGuid();
    }

    private async Task<JsonElement> FindAsync(string number)
    {
        using var answer = await _book.SendAsync("/api/v1/borrowers/find", new { number }, null, null);
        return await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private async Task OkAsync(string path, object body)
    {
        using var answer = await _book.SendAsync(path, body, Guid.NewGuid().ToString(), "*");
        await ServicedBook.ReadAsync(answer, HttpStatusCode.OK);
    }

    private async Task<HttpResponseMessage> PatchAsync(Guid id, object body, string? ifMatch, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, new Uri($"/api/v1/borrowers/{id}", UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", key ?? Guid.NewGuid().ToString());
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await _camino.Api.SendAsync(request);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _camino.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
