using System.Net;
using System.Net.Http.Headers;
using Camino.Testing;
using Camino.Tests.Documents;
using Camino.Tests.Imports;
using Camino.Tests.Screening;

namespace Camino.Tests.Papers;

/// <summary>Applications that stand at underwriting or at an offer of $25,000.00 in 24 payments, on the business date 2026-03-01.</summary>
internal sealed class OfferedApplications : IDisposable
{
    private readonly RunningCamino _camino;
    private readonly InventedLists _lists = new();
    private int _people;

    private OfferedApplications(RunningCamino camino, ServicedBook book, HttpClient underwriter) => (_camino, Book, Underwriter) = (camino, book, underwriter);

    public ServicedBook Book { get; }

    public HttpClient Underwriter { get; }

    public static async Task<OfferedApplications> PrepareAsync(RunningCamino camino)
    {
        var book = new ServicedBook(camino);
        await book.PrepareAsync();
        var prepared = new OfferedApplications(camino, book, await camino.ApiOfAsync("underwriter"));
        await prepared._lists.TakeInAsync(camino);
        return prepared;
    }

    public async Task<Guid> UnderwritingAsync(string name, string language = "es", string state = "CA")
    {
        var n = 1000 + Interlocked.Increment(ref _people);
        using var answer = await Book.SendAsync("/api/v1/applications", new
        {
            name,
            language,
            phones = new[] { $"510-555-{n}" },
            emails = new[] { $"office{n}@example.com" },
            address = new { street = "1 Pier St", city = "Oakland", state, zip = "94607" },
            amount = "25000.00",
            termMonths = 24,
            owners = new[] { new { name = "Rosa Delgado Fuentes", sharePercent = "100", isGuarantor = true, birthDate = "1961-03-14" } },
        }, Guid.NewGuid().ToString(), null);
        var id = (await ServicedBook.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("applicationId").GetGuid();
        await _camino.UntilAsync<short>($"select state from camino.applications where id = '{id}'", now => now == 3);
        return id;
    }

    public async Task<Guid> OfferedAsync(string name, string language = "es", string state = "CA")
    {
        var id = await UnderwritingAsync(name, language, state);
        await OfferAsync(id);
        return id;
    }

    public async Task OfferAsync(Guid id, string principal = "25000.00", int? validDays = null)
    {
        using var made = await ActAsync(id, "offers", new { product = ServicedBook.Product, principal, annualRatePercent = "14.5", payments = 24, disburseOn = "2026-03-02", firstDueOn = "2026-04-15", validDays }, Underwriter);
        await ServicedBook.ReadAsync(made, HttpStatusCode.Created);
    }

    public Task<HttpResponseMessage> ActAsync(Guid id, string act, object body, HttpClient? client = null) => Book.SendAsync($"/api/v1/applications/{id}/{act}", body, Guid.NewGuid().ToString(), "*", client);

    public async Task<HttpResponseMessage> SendFileAsync(string path)
    {
        using var form = new MultipartFormDataContent();
        var file = new ByteArrayContent(SampleFiles.Pdf);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/pdf");
        form.Add(file, "file", "a.pdf");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1" + path, UriKind.Relative)) { Content = form };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        return await _camino.Api.SendAsync(request);
    }

    public async Task<StaffBrowser> StaffAsync(string user)
    {
        var staff = new StaffBrowser(_camino.OfficeAddress);
        (await staff.SignInAsync(user)).Dispose();
        return staff;
    }

    public void Dispose()
    {
        Underwriter.Dispose();
        _lists.Dispose();
    }
}
